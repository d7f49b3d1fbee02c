//! A run as it is asked for, as it is stored, and as it ends; and the lines of its log.

use metsuke_model::{JobId, Moment, RunId, Version};
use serde_json::Value;

use crate::StoreError;
use crate::connection::Row;

/// How far a run is, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// It waits for a worker.
    Queued,
    /// It reads.
    Running,
    /// It committed a version without gaps.
    Complete,
    /// It committed a version with gaps.
    Partial,
    /// What it read would have taken away too much, and waits for somebody to accept it.
    Quarantined,
    /// It made no version.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// Its worker went away in the middle.
    Interrupted,
}

impl RunStatus {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Complete,
        Self::Partial,
        Self::Quarantined,
        Self::Failed,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Quarantined => "quarantined",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether it waits or reads.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// A run as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// How far it is, or how it ended.
    pub status: RunStatus,
    /// Why it was begun, in a word: `created`, `asked`, `schedule`, `retry`, `again`, …
    pub cause: String,
    /// Who asked for it.
    pub asked_by: String,
    /// When it was asked for.
    pub asked_at: Moment,
    /// When a worker began it.
    pub started_at: Option<Moment>,
    /// When it ended.
    pub finished_at: Option<Moment>,
    /// The sync that it made, whatever came of that.
    pub version: Option<Version>,
    /// How it ended, in words.
    pub reason: Option<String>,
    /// What it came to.
    pub document: Option<Value>,
}

/// A wish for a sync.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The id of the run, if it comes to one.
    pub run: RunId,
    /// The id of its job.
    pub job: JobId,
    /// The kind of job that carries it out.
    pub kind: &'static str,
    /// Why, in a word.
    pub cause: &'static str,
    /// Who asks.
    pub asked_by: String,
    /// When.
    pub now: Moment,
}

/// What came of a wish for a sync.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The run: a new one, or the one that was open already.
    pub run: RunRow,
    /// Whether it is new.
    pub new: bool,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// How.
    pub status: RunStatus,
    /// The sync that it made.
    pub version: Option<Version>,
    /// How, in words.
    pub reason: String,
    /// What it came to.
    pub document: Value,
}

/// A line of a run's log on its way into the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLogLine {
    /// When.
    pub at: Moment,
    /// How much it matters: `info`, `warn` or `error`.
    pub level: &'static str,
    /// What.
    pub text: String,
}

/// A line of a run's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its number among all lines of the connector, from 1 on.
    pub sequence: i64,
    /// The run.
    pub run: RunId,
    /// When.
    pub at: Moment,
    /// How much it matters: `info`, `warn` or `error`.
    pub level: String,
    /// What.
    pub text: String,
}

/// Which lines to read, oldest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSelect {
    /// Those of this run.
    pub run: Option<RunId>,
    /// Those with higher numbers.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
}

macro_rules! run_columns {
    ($tail:literal) => {
        concat!(
            "SELECT id, status, cause, asked_by, asked_at, started_at, finished_at, version, reason, document
               FROM run ",
            $tail
        )
    };
}

pub(super) fn run(row: Row<'_>) -> Result<RunRow, StoreError> {
    let text = |index| row.text(index).map(Option::unwrap_or_default);
    let document = row.text(9)?.map(|text| serde_json::from_str(&text)).transpose();
    Ok(RunRow {
        id: id(row, 0)?,
        status: RunStatus::parse(&text(1)?).ok_or_else(|| damaged("a run has an unknown status"))?,
        cause: text(2)?,
        asked_by: text(3)?,
        asked_at: Moment(row.number(4)?),
        started_at: row.int(5)?.map(Moment),
        finished_at: row.int(6)?.map(Moment),
        version: row.int(7)?.map(Version),
        reason: row.text(8)?,
        document: document.map_err(|error| damaged(&format!("a run's document: {error}")))?,
    })
}

pub(super) fn id(row: Row<'_>, index: usize) -> Result<RunId, StoreError> {
    row.text(index)?.unwrap_or_default().parse().map_err(|_| damaged("a run has no id"))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: what.to_owned() }
}

pub(super) use run_columns;
