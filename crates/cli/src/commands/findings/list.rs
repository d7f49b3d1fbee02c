//! `metsuke findings list`: findings, the newest first.

use metsuke_engine::rules::Level;
use metsuke_model::Moment;
use metsuke_model::finding::FindingState;
use metsuke_store::{FindingFilter, FindingRow};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::remote::Remote;
use crate::rows::{self, Cell, Column};

/// List findings, newest first; without --state, those that are not resolved
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke findings list
  metsuke findings list --state accepted --state acknowledged
  metsuke findings list --rule D01 --level HIGH --format csv
  metsuke findings list --person ann@example.com
  metsuke findings list --all --limit 1000")]
pub(super) struct Args {
    /// Only those in this state: open, acknowledged, accepted or resolved
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Vec<FindingState>,
    /// Those that are resolved, too
    #[arg(long, conflicts_with = "state")]
    all: bool,
    /// Only those of this rule, by its id
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// Only those that are at least this bad: INFO, LOW, MEDIUM, HIGH or CRITICAL
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// Only those about the person of this e-mail address
    #[arg(long, value_name = "EMAIL")]
    person: Option<String>,
    /// Only those before this number, for the next page
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
    /// The most to list
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

fn state(word: &str) -> Result<FindingState, String> {
    FindingState::parse(word).ok_or_else(|| "there are open, acknowledged, accepted and resolved".to_owned())
}

/// A finding as it is listed.
#[derive(Serialize, Deserialize)]
pub(super) struct Line {
    number: i64,
    #[serde(alias = "id")]
    fingerprint: String,
    rule: String,
    rule_name: String,
    level: String,
    state: FindingState,
    subject: String,
    opened_at: Moment,
    until: Option<Moment>,
    times: i64,
}

impl From<&FindingRow> for Line {
    fn from(row: &FindingRow) -> Self {
        Self {
            number: row.number,
            fingerprint: row.fingerprint.clone(),
            rule: row.rule.clone(),
            rule_name: row.rule_name.clone(),
            level: row.level.clone(),
            state: row.state,
            subject: row.subject.clone(),
            opened_at: row.opened_at,
            until: row.until,
            times: row.times,
        }
    }
}

pub(super) const COLUMNS: &[Column<Line>] = &[
    Column::new("number", "NUMBER", |line| Cell::text(Some(line.number))),
    Column::csv("fingerprint", |line| Cell::text(Some(&line.fingerprint))),
    Column::new("rule", "RULE", |line| Cell::text(Some(&line.rule))),
    Column::csv("rule_name", |line| Cell::text(Some(&line.rule_name))),
    Column::new("level", "LEVEL", |line| Cell::text(Some(&line.level))),
    Column::new("state", "STATE", |line| Cell::text(Some(line.state))),
    Column::new("subject", "SUBJECT", |line| Cell::text(Some(&line.subject))),
    Column::new("opened_at", "OPENED", |line| Cell::Time(Some(line.opened_at))),
    Column::new("until", "UNTIL", |line| Cell::Time(line.until)),
    Column::csv("times", |line| Cell::text(Some(line.times))),
];

impl Line {
    /// The fingerprint of the one that is meant by its number, or by how its fingerprint begins.
    pub(super) fn meant<'l>(lines: &'l [Self], asked: &str) -> Option<&'l str> {
        let is = |line: &&Self| line.number.to_string() == asked || line.fingerprint.starts_with(asked);
        let mut fitting = lines.iter().filter(is);
        let first = fitting.next()?;
        // A whole fingerprint, or a number, is never ambiguous within one estate.
        fitting.next().is_none().then_some(first.fingerprint.as_str())
    }
}

impl Args {
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let unresolved = FindingState::ALL.iter().filter(|state| **state != FindingState::Resolved);
        let states: Vec<&str> = if self.all {
            Vec::new()
        } else if self.state.is_empty() {
            unresolved.map(|state| state.as_str()).collect()
        } else {
            self.state.iter().map(|state| state.as_str()).collect()
        };
        let mut query = Vec::new();
        query.extend((!states.is_empty()).then(|| ("state", states.join(","))));
        query.extend(self.rule.map(|rule| ("rule", rule)));
        query.extend(self.person.map(|person| ("person", person)));
        let mut found: Vec<Line> = remote.all(&["findings"], query).await?;
        let bad =
            |level: &str| self.level.is_none_or(|least| level.parse::<Level>().is_ok_and(|it| it >= least));
        found.retain(|line| bad(&line.level) && self.before.is_none_or(|before| line.number < before));
        found.truncate(self.limit);
        if found.is_empty() {
            context.note("note: there is no finding like that");
        }
        rows::write(context.output, COLUMNS, &found)?;
        Ok(Exit::Done)
    }

    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if self.limit == 0 {
            return Err(Failure::usage("--limit takes a number above 0").into());
        }
        let unresolved =
            || FindingState::ALL.iter().copied().filter(|state| *state != FindingState::Resolved).collect();
        let states = if self.all {
            Vec::new()
        } else if self.state.is_empty() {
            unresolved()
        } else {
            self.state
        };
        let bad = |level: &&Level| self.level.is_some_and(|least| **level >= least);
        let filter = FindingFilter {
            states,
            rule: self.rule,
            levels: Level::ALL.iter().filter(bad).map(ToString::to_string).collect(),
            who: self.person,
            before: self.before,
            limit: self.limit,
        };
        let store = context.database().await?;
        let found: Vec<Line> = store.findings(&filter).await?.iter().map(Line::from).collect();
        if found.is_empty() {
            match store.evaluated_version().await? {
                Some(version) => context.note(&format!("note: version {version} has no finding like that")),
                None => context.note("note: no version was evaluated yet; `metsuke findings evaluate` does"),
            }
        }
        rows::write(context.output, COLUMNS, &found)?;
        Ok(Exit::Done)
    }
}
