//! `metsuke audit list`: events, newest first.
//!
//! Whether they are genuine is [`verify`](super::verify)'s to say.

use metsuke_engine::EngineError;
use metsuke_engine::audit::{EventSelect, Listed, events};
use metsuke_model::Moment;
use metsuke_model::audit::{Event, EventOutcome};
use metsuke_store::StoreError;
use serde::Serialize;
use serde_json::Value;

use crate::context::Context;
use crate::failure::Exit;
use crate::remote::Remote;
use crate::rows::{Cell, Column, Rows};

/// List events, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke audit list
  metsuke audit list --code call --limit 500
  metsuke audit list --actor ann@example.com --outcome refused
  metsuke audit list --code plan.approved --since 2026-11-01 --format csv")]
pub(super) struct Args {
    /// Only this code, or every code of a group: `plan.approved`, or `plan` for all about plans
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Only by an actor with this text in the name, or of this kind, whatever its case
    #[arg(long, value_name = "TEXT")]
    actor: Option<String>,
    /// Only about something with this text in its id, or of this kind: `connector`, `plan`, `job`
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// Only what this came of: done, refused, failed or open
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<EventOutcome>,
    /// Only events of this time and later: a time, or a date for its first moment (UTC)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Moment>,
    /// Only events of this time and earlier: a time, or a date for its first moment (UTC)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Moment>,
    /// The most to list; 0 lists them all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
}

fn moment(text: &str) -> Result<Moment, String> {
    Moment::parse(text)
        .or_else(|| Moment::parse(&format!("{text}T00:00:00Z")))
        .ok_or_else(|| format!("`{text}` is no time such as 2026-11-21T08:00:00Z"))
}

/// One event.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Line {
    Event(Event),
    Unreadable { sequence: u64, unreadable: String },
}

impl From<Listed> for Line {
    fn from(listed: Listed) -> Self {
        match listed.event {
            Ok(event) => Self::Event(event),
            Err(unreadable) => Self::Unreadable { sequence: listed.sequence, unreadable },
        }
    }
}

/// What ends a listing early.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let Self { code, actor, subject, outcome, since, until, limit } = self;
        let limit = (limit > 0).then_some(limit);
        let select = EventSelect { code, actor, subject, outcome, since, until, before: None, limit };
        let store = context.database().await?;
        let mut rows = Rows::begin(context.output, COLUMNS)?;
        let listed = events(&store, &select, |listed| Ok(rows.push(&listed.into())?)).await;
        listed.map_err(|ended| match ended {
            Ended::Store(error) => anyhow::Error::from(EngineError::from(error)),
            Ended::Output(error) => error.into(),
        })?;
        if rows.end()? == 0 {
            context.note("note: the audit trail has no such event");
        }
        Ok(Exit::Done)
    }
}

impl Args {
    /// Lists what a server has, of all trails together.
    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let Self { code, actor, subject, outcome, since, until, limit } = self;
        let mut query = remote.query(Vec::new());
        query.extend(code.map(|code| ("code", code)));
        query.extend(actor.map(|actor| ("actor", actor)));
        query.extend(subject.map(|subject| ("subject", subject)));
        query.extend(outcome.map(|outcome| ("outcome", outcome.as_str().to_owned())));
        query.extend(since.map(|since| ("since", since.to_string())));
        query.extend(until.map(|until| ("until", until.to_string())));
        let most = if limit == 0 { usize::MAX } else { usize::try_from(limit).unwrap_or(usize::MAX) };
        let lines: Vec<Value> = remote.rows(&["audit"], query, most).await?;
        let mut rows = Rows::begin(context.output, COLUMNS)?;
        for mut line in lines {
            let (sequence, text) = (line["sequence"].as_u64().unwrap_or_default(), line["text"].take());
            if let Some(members) = line.as_object_mut() {
                let added = ["connector", "text", "outcome"];
                members.retain(|name, _| !added.contains(&name.as_str()));
            }
            rows.push(&match serde_json::from_value::<Event>(line) {
                Ok(event) => Line::Event(event),
                Err(_) => {
                    Line::Unreadable { sequence, unreadable: text.as_str().unwrap_or_default().to_owned() }
                }
            })?;
        }
        if rows.end()? == 0 {
            context.note("note: the audit trail has no such event");
        }
        Ok(Exit::Done)
    }
}

impl Line {
    fn event(&self) -> Option<&Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Unreadable { .. } => None,
        }
    }

    fn sequence(&self) -> u64 {
        match self {
            Self::Event(event) => event.sequence,
            Self::Unreadable { sequence, .. } => *sequence,
        }
    }

    fn subject(&self) -> Option<String> {
        let event = self.event()?;
        let told = event.subject.iter().map(|(what, id)| format!("{what} {id}"));
        Some(told.collect::<Vec<_>>().join(", ")).filter(|told| !told.is_empty())
    }

    fn details(&self) -> Option<String> {
        let event = match self {
            Self::Event(event) => event,
            Self::Unreadable { unreadable, .. } => return Some(format!("unreadable: {unreadable}")),
        };
        let told = event.details.iter().map(|(name, value)| match value {
            Value::String(text) => format!("{name}: {text}"),
            other => format!("{name}: {other}"),
        });
        Some(told.collect::<Vec<_>>().join(", ")).filter(|told| !told.is_empty())
    }
}

const COLUMNS: &[Column<Line>] = &[
    Column::new("sequence", "EVENT", |line| Cell::Count(line.sequence())),
    Column::new("at", "TIME (UTC)", |line| Cell::Time(line.event().map(|event| event.at))),
    Column::new("code", "CODE", |line| Cell::text(line.event().map(|event| &event.code))),
    Column::csv("actor_kind", |line| Cell::text(line.event().map(|event| &event.actor.kind))),
    Column::new("actor", "ACTOR", |line| Cell::text(line.event().map(|event| &event.actor.name))),
    Column::table("ABOUT", |line| Cell::text(line.subject())),
    Column::table("DETAILS", |line| Cell::text(line.details())),
    Column::csv("subject", |line| {
        Cell::text(line.event().and_then(|event| serde_json::to_string(&event.subject).ok()))
    }),
    Column::csv("details", |line| match line {
        Line::Event(event) => Cell::text(serde_json::to_string(&event.details).ok()),
        Line::Unreadable { unreadable, .. } => Cell::text(Some(unreadable)),
    }),
];
