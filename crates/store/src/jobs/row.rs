//! A job as it is put into the queue, as it is stored, and as it ends.

use std::time::Duration;

use metsuke_model::{JobId, Moment};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::StoreError;
use crate::connection::Row;

/// A job on its way into the queue.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// What sort of job.
    pub kind: &'static str,
    /// Of one kind there is one open job with the same key; none: there may be any number.
    pub dedup: Option<String>,
    /// What it needs to know.
    pub document: Value,
    /// Not before this moment.
    pub run_at: Moment,
    /// When it was put into the queue.
    pub created_at: Moment,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// It waits for its time and for a worker.
    Waiting,
    /// A worker has it, for as long as its lease runs.
    Running,
    /// It is done.
    Finished,
    /// It was given up; somebody may put it back.
    Dead,
}

impl JobStatus {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Running, Self::Finished, Self::Dead];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Dead => "dead",
        }
    }

    /// The status with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What sort of job.
    pub kind: String,
    /// Its key among open jobs of its kind.
    pub dedup: Option<String>,
    /// What it needs to know.
    pub document: Value,
    /// How far it is.
    pub status: JobStatus,
    /// Not before this moment.
    pub run_at: Moment,
    /// When it was put into the queue.
    pub created_at: Moment,
    /// How often a worker took it and did not give it back untouched.
    pub attempt: u32,
    /// The number of the worker that took it last.
    pub fence: i64,
    /// The worker that took it last.
    pub worker: Option<String>,
    /// Until when it is that worker's.
    pub lease_until: Option<Moment>,
    /// When somebody asked for its end.
    pub cancel_at: Option<Moment>,
    /// When it was done or given up.
    pub finished_at: Option<Moment>,
    /// What went wrong last.
    pub why: Option<String>,
    /// What came of it.
    pub result: Option<Value>,
}

/// A worker's hold on a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub job: JobId,
    /// The worker's number.
    pub fence: i64,
    /// For how long a worker has a job without a word.
    pub lease: Duration,
}

/// What becomes of a job whose worker has ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// It is done.
    Finished(Option<Value>),
    /// It is tried again at that moment.
    Again {
        /// Not before this.
        run_at: Moment,
        /// What went wrong.
        why: String,
    },
    /// It is given up.
    Dead {
        /// What went wrong.
        why: String,
    },
    /// It goes back as if it had not been taken: the program stops.
    GivenBack,
}

/// Which jobs to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct JobSelect {
    /// Those of this status.
    pub status: Option<JobStatus>,
    /// Those of this kind.
    pub kind: Option<String>,
    /// Those before this one.
    pub before: Option<JobId>,
    /// At most so many.
    pub limit: u32,
}

macro_rules! job_columns {
    ($tail:literal) => {
        concat!(
            "SELECT id, kind, dedup, document, status, run_at, created_at, attempt, fence, worker, lease_until,
                    cancel_at, finished_at, why, result
               FROM job ",
            $tail
        )
    };
}

pub(super) fn job(row: Row<'_>) -> Result<Job, StoreError> {
    let text = |index| row.text(index).map(Option::unwrap_or_default);
    let moment = |index| row.int(index).map(|number| number.map(Moment));
    Ok(Job {
        id: id(row, 0)?,
        kind: text(1)?,
        dedup: row.text(2)?,
        document: document(&text(3)?)?,
        status: JobStatus::parse(&text(4)?).ok_or_else(|| damaged("a job has an unknown status"))?,
        run_at: Moment(row.number(5)?),
        created_at: Moment(row.number(6)?),
        attempt: u32::try_from(row.number(7)?).unwrap_or(u32::MAX),
        fence: row.number(8)?,
        worker: row.text(9)?,
        lease_until: moment(10)?,
        cancel_at: moment(11)?,
        finished_at: moment(12)?,
        why: row.text(13)?,
        result: row.text(14)?.as_deref().map(document).transpose()?,
    })
}

pub(super) fn id(row: Row<'_>, index: usize) -> Result<JobId, StoreError> {
    row.text(index)?.unwrap_or_default().parse().map_err(|_| damaged("a job has no id"))
}

fn document(text: &str) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(|error| damaged(&format!("a job's document: {error}")))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: what.to_owned() }
}

pub(super) use job_columns;
