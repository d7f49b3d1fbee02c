//! `metsuke rules run`: evaluates detections and rules of a file, and shows what they found.

use std::collections::BTreeMap;
use std::path::PathBuf;

use metsuke_engine::query::Settings;
use metsuke_engine::rules::shipped::{Detection, Values};
use metsuke_engine::rules::{Evaluation, Ground, Instance, Level, Limits, Since, State, Subject, evaluate};
use metsuke_model::{AsOf, Clock as _, SystemClock};
use serde_json::{Value as Json, json};

use super::{Parameters, check, chosen};
use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
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
    /// Evaluates and prints.
    ///
    /// # Errors
    ///
    /// [`Failure`](crate::failure::Failure) for what is asked wrongly; what the database said, or writing to stdout met.
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let detections =
            if self.ids.is_empty() && self.file.is_some() { Vec::new() } else { chosen(&self.ids)? };
        let values = self.parameters.values(&detections)?;
        let rules = match &self.file {
            Some(file) => check::read(context, file)?,
            None => Vec::new(),
        };
        // Names the gaps of the version, which its findings have as well.
        drop(context.version(self.as_of).await?);
        let store = context.database().await?;
        let folder = tempfile::tempdir()?;
        let settings = Settings { as_of: self.as_of, ..Settings::at(SystemClock.now()) };
        let since = self.since.map_or(Since::Before, Since::After);
        let ground = Ground::open(&store, settings, since, Limits::default(), folder.path()).await?;
        let outcomes = outcomes(&ground, &detections, &rules, &values).await?;
        show(context, &outcomes)?;
        tell(context, &outcomes);
        let fired = outcomes.iter().any(|outcome| outcome.evaluation.state == State::Fired);
        Ok(if fired && self.exit_code { Exit::Findings } else { Exit::Done })
    }
}

/// What came of a rule, and the detection that it is.
struct Outcome {
    evaluation: Evaluation,
    detection: Option<&'static Detection>,
}

async fn outcomes(
    ground: &Ground,
    detections: &[&'static Detection],
    rules: &[Instance],
    values: &Values,
) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for detection in detections {
        let evaluation = detection.evaluate(ground, values, None).await?;
        outcomes.push(Outcome { evaluation, detection: Some(detection) });
    }
    for rule in rules {
        outcomes.push(Outcome { evaluation: evaluate(rule, ground, None).await, detection: None });
    }
    Ok(outcomes)
}

fn show(context: &Context, outcomes: &[Outcome]) -> anyhow::Result<()> {
    match context.output.format {
        Format::Json | Format::Jsonl => {
            let documents: Vec<Json> = outcomes.iter().map(Outcome::document).collect::<Result<_, _>>()?;
            rows::write::<Json>(context.output, &[], &documents)?;
        }
        Format::Table | Format::Csv => {
            let lines: Vec<Line> = outcomes.iter().flat_map(Outcome::lines).collect();
            rows::write(context.output, COLUMNS, &lines)?;
        }
    }
    Ok(())
}

/// What is to be said beside the findings: each note once, with the rules that it belongs to.
fn tell(context: &Context, outcomes: &[Outcome]) {
    let mut notes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Outcome { evaluation, .. } in outcomes {
        for note in &evaluation.notes {
            notes.entry(note).or_default().push(&evaluation.rule);
        }
    }
    for (note, rules) in notes {
        let rules: Vec<String> = rules.into_iter().map(|rule| shown(rule).into_owned()).collect();
        context.note(&format!("note: {}: {}", listed(&rules), shown(note)));
    }
    let of = |wanted: fn(&State) -> bool| {
        outcomes.iter().filter(|outcome| wanted(&outcome.evaluation.state)).count()
    };
    let (fired, clear) = (of(|state| *state == State::Fired), of(|state| *state == State::Clear));
    let unjudged = outcomes.len() - fired - clear;
    let rules = count(length(outcomes), "rule", "rules");
    let unjudged = if unjudged == 0 { String::new() } else { format!(", {unjudged} not judged") };
    let version = outcomes.first().map(|outcome| format!(" on version {}", outcome.evaluation.version));
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
    fn document(&self) -> Result<Json, serde_json::Error> {
        let mut document = serde_json::to_value(&self.evaluation)?;
        let Some(detection) = self.detection else { return Ok(document) };
        document["title"] = json!(detection.title);
        document["severity"] = json!(detection.severity);
        let subjects = document.get_mut("subjects").and_then(Json::as_array_mut).into_iter().flatten();
        for (document, subject) in subjects.zip(&self.evaluation.subjects) {
            document["fix"] = json!(detection.command(subject));
        }
        Ok(document)
    }

    fn lines(&self) -> Vec<Line> {
        let Evaluation { rule, name, state, level, subjects, .. } = &self.evaluation;
        let level = level.or(self.detection.map(|detection| detection.severity));
        let (result, why) = match state {
            State::Fired => ("fired", None),
            State::Clear => ("clear", None),
            State::NotObservable { why } => ("not observable", Some(why)),
            State::Unsettled { why } => ("not settled", Some(why)),
            State::Failed { why } => ("failed", Some(why)),
        };
        let line = |subject: Option<&Subject>| Line {
            rule: rule.clone(),
            name: name.clone(),
            level: subject.and_then(|subject| subject.level).max(level),
            result,
            subject: subject.map(|subject| subject.name.clone()),
            why: why.cloned(),
            fix: subject.and_then(|subject| self.detection?.command(subject)),
            fingerprint: subject.map(|subject| subject.fingerprint.clone()),
        };
        if *state != State::Fired || subjects.is_empty() {
            return vec![line(None)];
        }
        subjects.iter().map(|subject| line(Some(subject))).collect()
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
