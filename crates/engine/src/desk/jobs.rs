//! Jobs of the whole installation: what is done in the background, and what was given up, to be put back or struck.
//!
//! What a job does is its handler's business; taking it up is the supervisor's.
//!
//! Invariant: nothing here touches a job that waits or is in somebody's hands.

use metsuke_model::audit::{Actor, EventCode};
use metsuke_model::{JobId, Moment, Version};
use metsuke_store::{Job, JobSelect, JobStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Desk, Estate, Listing, Placed, Timed};
use crate::EngineError;
use crate::alerts::DELIVER;
use crate::jobs::{CHANGES, EVALUATE, EXPORT, SYNC, UPLOAD};
use crate::retention::PRUNE;

/// Jobs, newest first.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    /// Those in this state.
    pub state: Option<JobStatus>,
    /// Those of this kind.
    pub kind: Option<String>,
}

/// A job as people see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobLine {
    /// Its id.
    pub id: JobId,
    /// What sort of job.
    pub kind: String,
    /// What it does, in words.
    pub what: String,
    /// How far it is.
    pub state: JobStatus,
    /// The version that it is about.
    pub version: Option<Version>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was put into the queue.
    pub created_at: Moment,
    /// Not before this moment.
    pub due_at: Moment,
    /// When it was done or given up.
    pub finished_at: Option<Moment>,
    /// What went wrong last.
    pub why: Option<String>,
    /// What came of it.
    pub result: Option<Value>,
}

impl From<Job> for JobLine {
    fn from(job: Job) -> Self {
        let version = job.document.get("version").and_then(Value::as_i64).map(Version);
        Self {
            what: what(&job.kind, version),
            id: job.id,
            kind: job.kind,
            state: job.status,
            version,
            attempts: job.attempt,
            created_at: job.created_at,
            due_at: job.run_at,
            finished_at: job.finished_at,
            why: job.why,
            result: job.result,
        }
    }
}

/// What a job does, in words.
fn what(kind: &str, version: Option<Version>) -> String {
    let of = version.map_or_else(|| "the newest version".to_owned(), |version| format!("version {version}"));
    match kind {
        SYNC => "read the Heroku account".into(),
        CHANGES => format!("record the changes of {of}"),
        EVALUATE if version.is_none() => "evaluate the rules that are due".into(),
        EVALUATE => format!("evaluate the rules on {of}"),
        UPLOAD => format!("upload {of} to JupiterOne"),
        EXPORT => format!("write {of} as a c1z file"),
        DELIVER => "deliver alerts".into(),
        PRUNE => "remove what is not to be kept".into(),
        other => other.to_owned(),
    }
}

impl Listing for Jobs {
    type Row = JobLine;
    type Key = JobId;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&JobId>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<JobLine>), EngineError> {
        let select = JobSelect {
            status: self.state,
            kind: self.kind.clone(),
            before: after.copied(),
            limit: u32::try_from(count).unwrap_or(u32::MAX),
        };
        Ok((None, estate.store.jobs(&select).await?.into_iter().map(JobLine::from).collect()))
    }

    fn key(&self, row: &JobLine) -> JobId {
        row.id
    }
}

impl Timed for Jobs {
    fn at(&self, row: &JobLine) -> Moment {
        row.created_at
    }
}

impl Desk {
    /// The queues: the installation's own, and that of every live connector; or that of one connector.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates).
    pub async fn queues(&self, connector: Option<&str>) -> Result<Vec<Estate>, EngineError> {
        let mut queues = self.estates(connector).await?;
        if connector.is_none() && queues.iter().all(|queue| queue.connector.is_some()) {
            queues.push(self.main_estate());
        }
        Ok(queues)
    }

    /// One job.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], and as [`queues`](Self::queues).
    pub async fn job(&self, connector: Option<&str>, id: JobId) -> Result<Placed<JobLine>, EngineError> {
        let (estate, job) = self.find_job(connector, id).await?;
        Ok(placed(&estate, job))
    }

    /// Puts a job that was given up back into the queue, due now, with all its tries before it.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotGivenUp`] where it was not, or where another job does the same by now;
    /// as [`job`](Self::job).
    pub async fn retry_job(
        &self,
        by: &Actor,
        connector: Option<&str>,
        id: JobId,
    ) -> Result<Placed<JobLine>, EngineError> {
        let (estate, job) = self.find_job(connector, id).await?;
        given_up(&job)?;
        let store = estate.store.clone().acting_as(by.clone());
        let now = self.installation().clock().now();
        let event =
            store.event(now, EventCode::JobRetried).about("job", id).detail("kind", job.kind.as_str());
        if !store.retry_job(id, now, event).await? {
            let why = "another job does the same, or somebody was faster";
            return Err(EngineError::NotGivenUp { job: id, why });
        }
        self.installation().wake();
        self.job(estate.connector.as_deref(), id).await
    }

    /// Strikes a job that was given up from the queue; gives what it was.
    ///
    /// # Errors
    ///
    /// As [`retry_job`](Self::retry_job).
    pub async fn drop_job(
        &self,
        by: &Actor,
        connector: Option<&str>,
        id: JobId,
    ) -> Result<Placed<JobLine>, EngineError> {
        let (estate, job) = self.find_job(connector, id).await?;
        given_up(&job)?;
        let store = estate.store.clone().acting_as(by.clone());
        let now = self.installation().clock().now();
        let event = store
            .event(now, EventCode::JobDropped)
            .about("job", id)
            .detail("kind", job.kind.as_str())
            .detail("why", job.why.as_deref().unwrap_or_default());
        if !store.drop_job(id, event).await? {
            return Err(EngineError::NotGivenUp { job: id, why: "somebody was faster" });
        }
        Ok(placed(&estate, job))
    }

    /// How many jobs wait, are in hand, or were given up, in all queues together.
    ///
    /// # Errors
    ///
    /// What the databases said.
    pub async fn count_jobs(&self) -> Result<Vec<(JobStatus, u64)>, EngineError> {
        let mut counted =
            [JobStatus::Waiting, JobStatus::Running, JobStatus::Dead].map(|status| (status, 0_u64));
        for queue in self.queues(None).await? {
            let found = queue.store.count_jobs().await?;
            for (status, count) in &mut counted {
                *count += found.get(status).copied().unwrap_or_default();
            }
        }
        Ok(counted.to_vec())
    }

    /// The job, and where it stands. One that was given up comes first: ids of jobs that follow versions are made of these.
    async fn find_job(&self, connector: Option<&str>, id: JobId) -> Result<(Estate, Job), EngineError> {
        let mut found: Option<(Estate, Job)> = None;
        for estate in self.queues(connector).await? {
            let job = estate.store.job(id).await?;
            let better = job.filter(|job| found.is_none() || job.status == JobStatus::Dead);
            found = better.map(|job| (estate, job)).or(found);
        }
        found.ok_or_else(|| EngineError::Unknown { what: "job", asked: id.to_string() })
    }
}

fn given_up(job: &Job) -> Result<(), EngineError> {
    let why = match job.status {
        JobStatus::Dead => return Ok(()),
        JobStatus::Waiting => "it waits for its time",
        JobStatus::Running => "it is being carried out",
        JobStatus::Finished => "it is done",
    };
    Err(EngineError::NotGivenUp { job: job.id, why })
}

fn placed(estate: &Estate, job: Job) -> Placed<JobLine> {
    Placed { connector: estate.connector.clone(), version: None, row: job.into() }
}
