//! `metsuke findings show`: one finding with what it rests on and what happened to it.

use std::fmt::Write as _;

use metsuke_engine::desk::{FindingShown, FindingTold};
use metsuke_engine::findings::Evidence;
use metsuke_store::{Document, FindingEventRow, FindingRow, Store};
use serde_json::{Value as Json, json};

use super::say::missing;
use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::remote::Remote;
use crate::rows;
use crate::text::{shown, time};

/// Show a finding: what changed, for whom, by what path, how to undo it, and its history
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke findings show 12
  metsuke findings show 5f0c9a --format json")]
pub(super) struct Args {
    /// Its number, or the beginning of its fingerprint
    #[arg(value_name = "FINDING")]
    finding: String,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        let row = store.finding(&self.finding).await?.ok_or_else(|| missing(&self.finding))?;
        print(context, &store, &row).await
    }
}

impl Args {
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let id = meant(remote, &self.finding).await?;
        print_told(context, &remote.get(&["findings", &id], Vec::new()).await?)
    }
}

/// The id of the finding that is meant.
pub(super) async fn meant(remote: &Remote, asked: &str) -> anyhow::Result<String> {
    let lines: Vec<super::list::Line> = remote.all(&["findings"], Vec::new()).await?;
    let found = super::list::Line::meant(&lines, asked).map(ToOwned::to_owned);
    Ok(found.ok_or_else(|| missing(asked))?)
}

/// Prints a finding that a server told.
pub(super) fn print_told(context: &Context, finding: &FindingShown) -> anyhow::Result<Exit> {
    let line = &finding.finding;
    let row = FindingRow {
        fingerprint: line.id.clone(),
        number: line.number,
        rule: line.rule.clone(),
        rule_name: line.rule_name.clone(),
        subject: line.subject.clone(),
        state: line.state,
        level: line.level.clone(),
        opened_at: line.opened_at,
        opened: line.opened,
        changed_at: line.changed_at,
        seen: line.opened,
        missing: line.missing,
        times: line.times,
        until: line.until,
        reason: line.reason.clone(),
        person: line.person.clone(),
        print: String::new(),
        document: Document::of(&line.document),
    };
    let event = |event: &FindingTold| FindingEventRow {
        at: event.at,
        what: event.what,
        version: event.version,
        person: event.person.clone(),
        reason: event.reason.clone(),
    };
    let events: Vec<FindingEventRow> = finding.events.iter().map(event).collect();
    tell(context, &row, &events)
}

/// Prints a finding.
pub(super) async fn print(context: &Context, store: &Store, row: &FindingRow) -> anyhow::Result<Exit> {
    let events = store.finding_events(&row.fingerprint).await?;
    tell(context, row, &events)
}

fn tell(context: &Context, row: &FindingRow, events: &[FindingEventRow]) -> anyhow::Result<Exit> {
    match context.output.format {
        Format::Json | Format::Jsonl => rows::write(context.output, &[], &[document(row, events)])?,
        Format::Csv => rows::write(context.output, super::list::COLUMNS, &[super::list::Line::from(row)])?,
        Format::Table => context.output.print(&told(row, events))?,
    }
    Ok(Exit::Done)
}

fn document(row: &FindingRow, events: &[FindingEventRow]) -> Json {
    let event = |event: &FindingEventRow| {
        json!({
            "at": event.at, "what": event.what, "version": event.version,
            "person": event.person, "reason": event.reason,
        })
    };
    json!({
        "number": row.number,
        "fingerprint": row.fingerprint,
        "rule": row.rule,
        "rule_name": row.rule_name,
        "subject": row.subject,
        "level": row.level,
        "state": row.state,
        "opened_at": row.opened_at,
        "opened": row.opened,
        "changed_at": row.changed_at,
        "missing": row.missing,
        "times": row.times,
        "until": row.until,
        "reason": row.reason,
        "person": row.person,
        "evidence": row.document,
        "events": events.iter().map(event).collect::<Vec<_>>(),
    })
}

fn told(row: &FindingRow, events: &[FindingEventRow]) -> String {
    let evidence = Evidence::read(&row.document);
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _infallible = writeln!(text, "{name:<10}{}", shown(value));
        }
    };
    line("Finding", &format!("{} ({})", row.number, row.fingerprint));
    line("Subject", &row.subject);
    line("Rule", &format!("{} {}: {}", row.rule, row.rule_name, evidence.title));
    line("Level", &row.level);
    let until = row.until.map(|until| format!(" until {}", time(until))).unwrap_or_default();
    let by = row.person.as_deref().map(|person| format!(" by {person}")).unwrap_or_default();
    line("State", &format!("{}{until}{by}", row.state));
    line("Reason", row.reason.as_deref().unwrap_or_default());
    if let Some(version) = row.missing {
        line("Missing", &format!("since version {version}, which was not read whole"));
    }
    for change in &evidence.changes {
        let value = |value: &Json| match value {
            Json::Null => "nothing".to_owned(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        let (before, after) = (value(&change.before), value(&change.after));
        line("Changed", &format!("{}: {} from {before} to {after}", change.what, change.property));
    }
    line("Who", &evidence.who.join(", "));
    for path in &evidence.path {
        line("Path", path);
    }
    line("Why", &evidence.explanation);
    line("Undo", &evidence.fix);
    line("Plan it", evidence.command.as_deref().unwrap_or_default());
    for event in events {
        let what = event.what.map_or("?", metsuke_model::finding::FindingEvent::as_str);
        let version = event.version.map(|version| format!(" with version {version}")).unwrap_or_default();
        let by = event.person.as_deref().map(|person| format!(" by {person}")).unwrap_or_default();
        let reason = event.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        line("", &format!("{} {what}{version}{by}{reason}", time(event.at)));
    }
    text
}
