//! Rows of connectors, of their syncs and of what these told.

use metsuke_engine::connectors::{Connector, LogLine as Line, RunRow};
use metsuke_engine::schedule::Polling;
use metsuke_model::{ConnectorId, Moment, RunId, Version};
use serde::{Deserialize, Serialize};

use crate::rows::{Cell, Column};
use crate::text::{shown, time};

/// A connector in a list.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ConnectorLine {
    id: ConnectorId,
    name: String,
    kind: String,
    state: String,
    reason: String,
    owner: String,
    polling_interval: serde_json::Value,
    next_sync_at: Option<Moment>,
    account: Option<String>,
}

impl From<&Connector> for ConnectorLine {
    fn from(connector: &Connector) -> Self {
        Self {
            id: connector.id,
            name: connector.name.clone(),
            kind: Connector::KIND.to_owned(),
            state: connector.state.as_str().to_owned(),
            reason: connector.reason.clone(),
            owner: connector.settings.owner.clone(),
            polling_interval: connector.settings.polling_interval.document(),
            next_sync_at: connector.next_sync_at,
            account: connector.account.clone(),
        }
    }
}

impl ConnectorLine {
    /// Its id.
    pub(super) fn id(&self) -> String {
        self.id.to_string()
    }

    /// Whether this is its name or id.
    pub(super) fn is_called(&self, asked: &str) -> bool {
        self.name.eq_ignore_ascii_case(asked) || self.id.to_string() == asked
    }
}

/// The columns of connectors.
pub(super) const CONNECTORS: &[Column<ConnectorLine>] = &[
    Column::new("name", "NAME", |line| Cell::text(Some(&line.name))),
    Column::new("state", "STATE", |line| Cell::text(Some(&line.state))),
    Column::new("reason", "BECAUSE", |line| Cell::text(Some(&line.reason))),
    Column::new("polling_interval", "SYNCS", |line| Cell::text(Polling::parse(&line.polling_interval).ok())),
    Column::new("next_sync_at", "NEXT", |line| Cell::Time(line.next_sync_at)),
    Column::new("owner", "OWNER", |line| Cell::text(Some(&line.owner))),
    Column::csv("account", |line| Cell::text(line.account.as_ref())),
    Column::csv("kind", |line| Cell::text(Some(&line.kind))),
    Column::csv("id", |line| Cell::text(Some(line.id))),
];

/// One sync.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunLine {
    id: RunId,
    status: String,
    cause: String,
    asked_by: String,
    asked_at: Moment,
    started_at: Option<Moment>,
    finished_at: Option<Moment>,
    version: Option<Version>,
    reason: Option<String>,
}

impl From<RunRow> for RunLine {
    fn from(run: RunRow) -> Self {
        Self {
            id: run.id,
            status: run.status.as_str().to_owned(),
            cause: run.cause,
            asked_by: run.asked_by,
            asked_at: run.asked_at,
            started_at: run.started_at,
            finished_at: run.finished_at,
            version: run.version,
            reason: run.reason,
        }
    }
}

/// The columns of syncs.
pub(super) const RUNS: &[Column<RunLine>] = &[
    Column::new("id", "ID", |line| Cell::text(Some(line.id))),
    Column::new("status", "STATUS", |line| Cell::text(Some(&line.status))),
    Column::new("cause", "CAUSE", |line| Cell::text(Some(&line.cause))),
    Column::new("asked_by", "BY", |line| Cell::text(Some(&line.asked_by))),
    Column::new("asked_at", "ASKED", |line| Cell::Time(Some(line.asked_at))),
    Column::csv("started_at", |line| Cell::Time(line.started_at)),
    Column::new("finished_at", "ENDED", |line| Cell::Time(line.finished_at)),
    Column::csv("version", |line| Cell::text(line.version)),
    Column::new("reason", "CAME TO", |line| Cell::text(line.reason.as_ref())),
];

/// A line of a log.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LogLine {
    sequence: i64,
    run: RunId,
    at: Moment,
    level: String,
    text: String,
}

impl From<Line> for LogLine {
    fn from(line: Line) -> Self {
        let Line { sequence, run, at, level, text } = line;
        Self { sequence, run, at, level, text }
    }
}

/// The columns of logs.
pub(super) const LOGS: &[Column<LogLine>] = &[
    Column::new("at", "AT", |line| Cell::Time(Some(line.at))),
    Column::new("level", "LEVEL", |line| Cell::text(Some(&line.level))),
    Column::new("text", "WHAT", |line| Cell::text(Some(&line.text))),
    Column::csv("run", |line| Cell::text(Some(line.run))),
    Column::csv("sequence", |line| Cell::text(Some(line.sequence))),
];

/// A line of a log for people.
pub(super) fn told(line: &Line) -> String {
    format!("{}  {:5}  {}", time(line.at), line.level, shown(&line.text))
}
