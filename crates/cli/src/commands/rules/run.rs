//! `metsuke rules run`: evaluates detections and rules of a file, and shows what they found.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use metsuke_engine::desk::{Trial, run_rules};
use metsuke_engine::rules::{Level, State};
use metsuke_model::{AsOf, Clock as _, SystemClock, Version};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{Parameters, check, chosen};
use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::remote::{self, Remote, note_partial};
use crate::rows::{self, Cell, Column};
use crate::text::{count, length, listed, shown};

/// Evaluate detections, or rules of a file, on a version of the estate
///
/// One line for each finding, with the command that plans its fix where there is one. What cannot be judged is a line of its
/// own and never counts as clear. Nothing is sent: with --format json, `actions` tells what would be.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 evaluated, whatever was found; with --exit-code 3 where something fired;
1 failed, 2 wrong usage.

Examples:
  metsuke rules run
  metsuke rules run D01 D02 --since 2026-11-01 --exit-code
  metsuke rules run D09 --param days=180 --format csv"
)]
pub(super) struct Args {
    /// The detections, by id or name; all by default
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Evaluate the rules of this file, too; `-` reads stdin. Without ids, only these
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The version to look at: a number, a date or a time; by default the newest
    #[arg(long, value_name = "VERSION|TIME")]
    as_of: Option<AsOf>,
    /// Rules for changes leave out this version and everything before; by default the version before
    #[arg(long, value_name = "VERSION|TIME")]
    since: Option<AsOf>,
    /// End with exit code 3 where something fired
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    parameters: Parameters,
}

impl Args {
    /// Evaluates on a database, and prints.
    ///
    /// # Errors
    ///
    /// [`Failure`](crate::failure::Failure) for what is asked wrongly; what the database said, or writing to stdout met.
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let (exit_code, as_of) = (self.exit_code, self.as_of);
        let trial = self.trial(context)?;
        // Names the gaps of the version, which its findings have as well.
        drop(context.version(as_of).await?);
        let told = run_rules(&context.database().await?, trial, SystemClock.now()).await?;
        ended(context, &told, exit_code)
    }

    /// Has a server evaluate, and prints.
    ///
    /// # Errors
    ///
    /// [`Failure`](crate::failure::Failure) for what is asked wrongly; what the server said, or writing to stdout met.
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let exit_code = self.exit_code;
        let Trial { ids, rules, parameters, as_of, since } = self.trial(context)?;
        note_partial(context, remote, as_of).await?;
        let mut asked = json!({
            "connector": remote.connector(), "ids": ids, "rules": rules, "parameters": parameters,
        });
        for (name, told) in remote::as_of("as_of", as_of).into_iter().chain(remote::as_of("since", since)) {
            asked[name] = told.into();
        }
        let Ran { data } = remote.post(&["rules", "run"], asked).await?;
        ended(context, &data, exit_code)
    }

    /// What is asked for, with what is wrong about it told before anything is opened.
    fn trial(self, context: &Context) -> anyhow::Result<Trial> {
        let detections =
            if self.ids.is_empty() && self.file.is_some() { Vec::new() } else { chosen(&self.ids)? };
        let parameters = self.parameters.values(&detections)?.into_iter().collect();
        let rules = match &self.file {
            Some(file) => {
                let read = check::read(context, file)?;
                Some(read.iter().map(|rule| Json::Object(rule.document().clone())).collect())
            }
            None => None,
        };
        Ok(Trial { ids: self.ids, rules, parameters, as_of: self.as_of, since: self.since })
    }
}

/// What a server says of rules that it ran.
#[derive(Deserialize)]
struct Ran {
    data: Vec<Json>,
}

/// Of what came of a rule, what tables tell.
#[derive(Deserialize)]
struct Outcome {
    rule: String,
    name: String,
    #[serde(flatten)]
    state: State,
    version: Version,
    level: Option<Level>,
    /// Of a detection.
    severity: Option<Level>,
    subjects: Vec<Found>,
    notes: Vec<String>,
}

/// What a rule found.
#[derive(Deserialize)]
struct Found {
    fingerprint: String,
    name: String,
    level: Option<Level>,
    fix: Option<String>,
}

/// Prints what came of rules, as it was told.
fn ended(context: &Context, told: &[Json], exit_code: bool) -> anyhow::Result<Exit> {
    let read = told.iter().map(Outcome::deserialize).collect::<Result<Vec<Outcome>, _>>();
    let outcomes = read.context("what came of the rules is not what this version reads")?;
    match context.output.format {
        Format::Json | Format::Jsonl => rows::write::<Json>(context.output, &[], told)?,
        Format::Table | Format::Csv => {
            let lines: Vec<Line> = outcomes.iter().flat_map(Outcome::lines).collect();
            rows::write(context.output, COLUMNS, &lines)?;
        }
    }
    tell(context, &outcomes);
    let fired = outcomes.iter().any(|outcome| outcome.state == State::Fired);
    Ok(if fired && exit_code { Exit::Findings } else { Exit::Done })
}

/// What is to be said beside the findings: each note once, with the rules that it belongs to.
fn tell(context: &Context, outcomes: &[Outcome]) {
    let mut notes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for outcome in outcomes {
        for note in &outcome.notes {
            notes.entry(note).or_default().push(&outcome.rule);
        }
    }
    for (note, rules) in notes {
        let rules: Vec<String> = rules.into_iter().map(|rule| shown(rule).into_owned()).collect();
        context.note(&format!("note: {}: {}", listed(&rules), shown(note)));
    }
    let of = |wanted: fn(&State) -> bool| outcomes.iter().filter(|outcome| wanted(&outcome.state)).count();
    let (fired, clear) = (of(|state| *state == State::Fired), of(|state| *state == State::Clear));
    let unjudged = outcomes.len() - fired - clear;
    let rules = count(length(outcomes), "rule", "rules");
    let unjudged = if unjudged == 0 { String::new() } else { format!(", {unjudged} not judged") };
    let version = outcomes.first().map(|outcome| format!(" on version {}", outcome.version));
    context.note(&format!("{rules}{}: {fired} fired, {clear} clear{unjudged}", version.unwrap_or_default()));
}

/// A finding, or a rule without one.
struct Line {
    rule: String,
    name: String,
    level: Option<Level>,
    result: &'static str,
    subject: Option<String>,
    why: Option<String>,
    fix: Option<String>,
    fingerprint: Option<String>,
}

impl Outcome {
    fn lines(&self) -> Vec<Line> {
        let level = self.level.or(self.severity);
        let (result, why) = match &self.state {
            State::Fired => ("fired", None),
            State::Clear => ("clear", None),
            State::NotObservable { why } => ("not observable", Some(why)),
            State::Unsettled { why } => ("not settled", Some(why)),
            State::Failed { why } => ("failed", Some(why)),
        };
        let line = |found: Option<&Found>| Line {
            rule: self.rule.clone(),
            name: self.name.clone(),
            level: found.and_then(|found| found.level).max(level),
            result,
            subject: found.map(|found| found.name.clone()),
            why: why.cloned(),
            fix: found.and_then(|found| found.fix.clone()),
            fingerprint: found.map(|found| found.fingerprint.clone()),
        };
        if self.state != State::Fired || self.subjects.is_empty() {
            return vec![line(None)];
        }
        self.subjects.iter().map(|found| line(Some(found))).collect()
    }
}

impl serde::Serialize for Line {
    /// Lines are for tables and CSV, which take their columns.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rule)
    }
}

const COLUMNS: &[Column<Line>] = &[
    Column::new("rule", "RULE", |line| Cell::text(Some(&line.rule))),
    Column::csv("name", |line| Cell::text(Some(&line.name))),
    Column::new("level", "LEVEL", |line| Cell::text(line.level)),
    Column::new("result", "RESULT", |line| Cell::text(Some(line.result))),
    Column::new("finding", "FINDING", |line| Cell::text(line.subject.as_ref().or(line.why.as_ref()))),
    Column::new("fix", "FIX", |line| Cell::text(line.fix.as_ref())),
    Column::csv("fingerprint", |line| Cell::text(line.fingerprint.as_ref())),
];
