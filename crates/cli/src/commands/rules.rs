//! `metsuke rules`: the shipped detections, and rules in JupiterOne's form.
//!
//! What they mean and find is the engine's; nothing is kept or sent yet.

mod check;
mod export;
mod run;
mod show;

use std::collections::BTreeMap;

use metsuke_engine::rules::shipped::{self, Detection, Need, Values};
use serde::Serialize;
use serde_json::Value as Json;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::remote::{Remote, nowhere};
use crate::rows::{self, Cell, Column};

/// List the shipped detections; show, run and export them, or check rules of your own
///
/// Each looks for one thing that should not be so, or that somebody should have asked for, and says what to do
/// about it. `metsuke rules run` evaluates them on the newest version.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  metsuke rules
  metsuke rules show D07
  metsuke rules run
  metsuke rules run D01 D02 --since 2026-11-01 --exit-code
  metsuke rules run D04 --param domains=example.com --param domains=example.org
  metsuke rules run --file my-rules.json --format json
  metsuke rules check my-rules.json
  metsuke rules export --param domains=example.com > rules.json"
)]
pub(crate) struct Args {
    /// Only detections that hold all of these words
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Show(show::Args),
    Run(Box<run::Args>),
    Check(check::Args),
    Export(export::Args),
}

/// A value for a parameter.
#[derive(Clone, Debug, clap::Args)]
struct Parameters {
    /// A value for a parameter of the detections; given more than once, a list
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    given: Vec<(String, Json)>,
}

impl Args {
    /// Whether it needs neither a database nor a server.
    pub(crate) fn is_alone(&self) -> bool {
        !matches!(self.command, Some(Command::Run(_)))
    }

    /// Has a server run them.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what is asked wrongly and for what needs no server; what the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self.command {
            Some(Command::Run(args)) => args.through(context, remote).await,
            _ => Err(nowhere("rules").into()),
        }
    }

    /// Lists, shows, runs, checks or exports.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what is asked wrongly; what the database said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.command {
            Some(Command::Show(args)) => args.run(context),
            Some(Command::Run(args)) => Box::pin(args.run(context)).await,
            Some(Command::Check(args)) => args.run(context),
            Some(Command::Export(args)) => args.run(context),
            None => {
                let wanted = |detection: &&Detection| {
                    self.search.as_deref().is_none_or(|words| detection.mentions(words))
                };
                let found: Vec<Line> = shipped::all().iter().filter(wanted).map(Line::of).collect();
                if found.is_empty() {
                    context.note("note: no detection is like that");
                }
                rows::write(context.output, COLUMNS, &found)?;
                Ok(Exit::Done)
            }
        }
    }
}

/// A detection as it is listed.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    detection: &'static Detection,
    observable: &'static str,
}

impl Line {
    fn of(detection: &'static Detection) -> Self {
        Self { detection, observable: observable(detection) }
    }
}

/// How much of a detection can be judged.
fn observable(detection: &Detection) -> &'static str {
    match (&detection.not_observable, &detection.limits) {
        (Some(_), _) => "no",
        (None, Some(_)) => "partly",
        (None, None) => "yes",
    }
}

/// What a detection needs beside a sync.
fn needs(detection: &Detection) -> Vec<String> {
    let word = |need: &Need| match need {
        Need::Roster => "roster".to_owned(),
        Need::Changes => "earlier version".to_owned(),
        Need::Authorizations | Need::Keys => "global scope".to_owned(),
    };
    let mut needs: Vec<String> = detection.needs.iter().map(word).collect();
    needs.dedup();
    needs
}

/// The detection of this id or name.
///
/// # Errors
///
/// [`Failure`] where there is none, with the name that was probably meant.
fn find(id: &str) -> Result<&'static Detection, Failure> {
    shipped::find(id).ok_or_else(|| {
        let hint = match shipped::nearest(id) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`metsuke rules` lists them".to_owned(),
        };
        Failure::usage(format!("there is no detection `{id}`")).hint(hint)
    })
}

/// The detections of these ids, or all.
fn chosen(ids: &[String]) -> Result<Vec<&'static Detection>, Failure> {
    if ids.is_empty() { Ok(shipped::all().iter().collect()) } else { ids.iter().map(|id| find(id)).collect() }
}

impl Parameters {
    /// The values by name, for these detections.
    fn values(self, detections: &[&'static Detection]) -> Result<Values, Failure> {
        let mut given: BTreeMap<String, Vec<Json>> = BTreeMap::new();
        for (name, value) in self.given {
            let values = given.entry(name).or_default();
            match value {
                Json::Array(several) => values.extend(several),
                one => values.push(one),
            }
        }
        let mut known = detections.iter().flat_map(|detection| &detection.parameters);
        if let Some(name) =
            given.keys().find(|name| !known.clone().any(|parameter| *parameter.name == ***name))
        {
            let mut names: Vec<&str> = known.by_ref().map(|parameter| &*parameter.name).collect();
            names.sort_unstable();
            names.dedup();
            let failure = Failure::usage(format!("none of these detections has a parameter `{name}`"));
            return Err(match &*names {
                [] => failure.hint("they have none at all"),
                names => failure.hint(format!("they have {}", crate::text::listed(names))),
            });
        }
        let one = |mut values: Vec<Json>| if values.len() == 1 { values.remove(0) } else { values.into() };
        Ok(given.into_iter().map(|(name, values)| (name, one(values))).collect())
    }
}

/// Reads `NAME=VALUE`.
fn parameter(text: &str) -> Result<(String, Json), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let value = match serde_json::from_str::<Json>(value) {
        Ok(json @ (Json::Array(_) | Json::Number(_))) => json,
        _ => value.into(),
    };
    Ok((name.to_owned(), value))
}

const COLUMNS: &[Column<Line>] = &[
    Column::new("id", "ID", |line| Cell::text(Some(&line.detection.id))),
    Column::new("severity", "SEVERITY", |line| Cell::text(Some(line.detection.severity))),
    Column::csv("name", |line| Cell::text(Some(&line.detection.name))),
    Column::new("title", "DETECTION", |line| Cell::text(Some(&line.detection.title))),
    Column::new("needs", "NEEDS", |line| {
        let needs = needs(line.detection);
        Cell::Text((!needs.is_empty()).then(|| needs.join(", ")))
    }),
    Column::new("observable", "OBSERVABLE", |line| Cell::text(Some(line.observable))),
];
