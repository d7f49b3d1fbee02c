//! The queue: what is to be done, put there in the transaction of what causes it, and taken by one worker at a time.
//!
//! What a job does, and when it is tried again, is decided above.
//!
//! Invariant: a worker holds a job by its fencing number. Once another one has taken it, the number is higher, and
//! whatever the first one still wants to write is refused.

mod list;
mod row;

use std::time::Duration;

use metsuke_model::audit::NewEvent;
use metsuke_model::{Clock, JobId, Moment, Version};
use serde_json::{Value, json};

use crate::connection::{Bind, Connection};
use crate::{Store, StoreError, audit};
pub use row::{Claim, Job, JobSelect, JobStatus, NewJob, Settled};
use row::{id, job, job_columns};

const PUTTING: &str = "putting a job into the queue";
const TAKING: &str = "taking a job";
const SETTLING: &str = "settling a job";
const LISTING: &str = "listing jobs";

/// Puts a job into the queue inside the caller's write transaction, unless an open one of its kind has its key.
///
/// Returns the id of the job that is in the queue, and whether it is this one. One that waits is not to wait for
/// longer than this one would.
pub(crate) async fn insert(connection: &mut Connection, new: &NewJob) -> Result<(JobId, bool), StoreError> {
    if let Some(open) = same(connection, new).await? {
        return Ok((open, false));
    }
    let row = [
        new.id.to_string().as_str().into(),
        new.kind.into(),
        Bind::Text(new.dedup.clone()),
        new.document.to_string().as_str().into(),
        JobStatus::Waiting.as_str().into(),
        new.run_at.0.into(),
        new.created_at.0.into(),
        0.into(),
        0.into(),
    ];
    let head = "INSERT INTO job (id, kind, dedup, document, status, run_at, created_at, attempt, fence) ";
    connection.insert(PUTTING, (head, ""), [row]).await?;
    Ok((new.id, true))
}

/// The open job of this one's kind and key, which is to wait no longer than this one would.
async fn same(connection: &mut Connection, new: &NewJob) -> Result<Option<JobId>, StoreError> {
    let Some(dedup) = &new.dedup else { return Ok(None) };
    let mut open = None;
    let sql =
        "SELECT id FROM job WHERE kind = $1 AND dedup = $2 AND status IN ('waiting', 'running') LIMIT 1";
    connection
        .each(PUTTING, sql, &[new.kind.into(), dedup.as_str().into()], |row| {
            open = Some(id(row, 0)?);
            Ok(())
        })
        .await?;
    if let Some(open) = open {
        let sql = "UPDATE job SET run_at = $1 WHERE id = $2 AND status = 'waiting' AND run_at > $1";
        connection.execute(PUTTING, sql, &[new.run_at.0.into(), open.to_string().as_str().into()]).await?;
    }
    Ok(open)
}

/// Puts a job of each kind into the queue for a version that is being committed.
pub(crate) async fn follow(
    connection: &mut Connection,
    kinds: &[&'static str],
    version: Version,
    now: Moment,
) -> Result<(), StoreError> {
    for kind in kinds {
        // A version is committed once, so that its number and the kind are chance enough.
        let hash = blake3::hash(format!("{kind} {version}").as_bytes());
        let mut chance = [0; 10];
        chance.copy_from_slice(&hash.as_bytes()[..10]);
        let new = NewJob {
            id: JobId::new(now, chance),
            kind,
            dedup: Some(version.to_string()),
            document: json!({ "version": version.0 }),
            run_at: now,
            created_at: now,
        };
        insert(connection, &new).await?;
    }
    Ok(())
}

/// Ends a worker's hold on a job inside the caller's write transaction.
pub(crate) async fn settle(
    connection: &mut Connection,
    claim: &Claim,
    settled: &Settled,
    now: Moment,
) -> Result<(), StoreError> {
    claim.check(connection).await?;
    let job = claim.job.to_string();
    let key = Bind::from(job.as_str());
    match settled {
        Settled::Finished(result) => {
            let sql = "UPDATE job SET status = 'finished', finished_at = $1, lease_until = NULL, result = $2
                        WHERE id = $3";
            let result = result.as_ref().map(Value::to_string);
            connection.execute(SETTLING, sql, &[now.0.into(), Bind::Text(result), key]).await?;
        }
        Settled::Dead { why } => {
            let sql = "UPDATE job SET status = 'dead', finished_at = $1, lease_until = NULL, why = $2
                        WHERE id = $3";
            connection.execute(SETTLING, sql, &[now.0.into(), why.as_str().into(), key]).await?;
        }
        Settled::Again { run_at, why } => {
            let sql = "UPDATE job SET status = 'waiting', run_at = $1, lease_until = NULL, why = $2
                        WHERE id = $3";
            connection.execute(SETTLING, sql, &[run_at.0.into(), why.as_str().into(), key]).await?;
        }
        Settled::GivenBack => {
            let sql =
                "UPDATE job SET status = 'waiting', attempt = attempt - 1, lease_until = NULL WHERE id = $1";
            connection.execute(SETTLING, sql, &[key]).await?;
        }
    }
    Ok(())
}

impl Claim {
    /// Refuses a worker that has lost its job.
    pub(crate) async fn check(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let sql = "SELECT CAST(1 AS BIGINT) FROM job WHERE id = $1 AND fence = $2 AND status = 'running'";
        let mut held = false;
        let job = self.job.to_string();
        connection
            .each("looking at the job's fence", sql, &[job.as_str().into(), self.fence.into()], |_| {
                held = true;
                Ok(())
            })
            .await?;
        if held { Ok(()) } else { Err(StoreError::LeaseLost) }
    }

    /// Makes the lease run from `now` on; tells whether somebody asked for the job's end.
    pub(crate) async fn renew(&self, connection: &mut Connection, now: Moment) -> Result<bool, StoreError> {
        let until = now.0.saturating_add(i64::try_from(self.lease.as_micros()).unwrap_or(i64::MAX));
        let sql = "UPDATE job SET lease_until = $1
                    WHERE id = $2 AND fence = $3 AND status = 'running'
                RETURNING cancel_at";
        let mut found = None;
        let job = self.job.to_string();
        connection
            .each("renewing a lease", sql, &[until.into(), job.as_str().into(), self.fence.into()], |row| {
                found = Some(row.int(0)?.is_some());
                Ok(())
            })
            .await?;
        found.ok_or(StoreError::LeaseLost)
    }
}

impl Store {
    /// Puts a job into the queue by itself; as [`NewJob::dedup`] says, it may be there already.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn insert_job(&self, new: &NewJob) -> Result<(JobId, bool), StoreError> {
        let mut connection = self.begin_write().await?;
        let inserted = insert(&mut connection, new).await?;
        connection.commit().await?;
        Ok(inserted)
    }

    /// Gives the open job of the new one's kind that has its key, or that other one, due at the same moment at the latest;
    /// else puts the new one into the queue, with the event. Tells whether it did.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is asked for then.
    pub async fn ask_job(
        &self,
        new: &NewJob,
        or: Option<&str>,
        event: NewEvent,
    ) -> Result<(JobId, bool), StoreError> {
        let mut connection = self.begin_write().await?;
        let other = or.map(|or| NewJob { dedup: Some(or.to_owned()), ..new.clone() });
        let mut asked = None;
        if let Some(other) = &other {
            asked = same(&mut connection, other).await?.map(|open| (open, false));
        }
        let asked = match asked {
            Some(asked) => asked,
            None => insert(&mut connection, new).await?,
        };
        if asked.1 {
            audit::append(&mut connection, event).await?;
        }
        connection.commit().await?;
        Ok(asked)
    }

    /// Takes the job that has waited longest among those of these kinds that are due, or whose worker has not been
    /// heard of for the time of its lease.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn claim_job(
        &self,
        kinds: &[&str],
        worker: &str,
        lease: Duration,
        clock: &dyn Clock,
    ) -> Result<Option<Job>, StoreError> {
        if self.next_job(kinds).await?.is_none_or(|next| next > clock.now()) {
            return Ok(None);
        }
        let mut connection = self.begin_write().await?;
        // Asked after the wait for other writers.
        let now = clock.now();
        let sql = job_columns!(
            "WHERE ((status = 'waiting' AND run_at <= $1) OR (status = 'running' AND lease_until <= $1))
               AND $2 LIKE '%,' || kind || ',%'
             ORDER BY run_at, id
             LIMIT 1"
        );
        let mut found = None;
        connection
            .each(TAKING, sql, &[now.0.into(), listed(kinds).as_str().into()], |row| {
                found = Some(job(row)?);
                Ok(())
            })
            .await?;
        let Some(mut job) = found else { return Ok(None) };
        let until = now.0.saturating_add(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX));
        let sql = "UPDATE job SET status = 'running', attempt = attempt + 1, fence = fence + 1, worker = $1,
                          lease_until = $2
                    WHERE id = $3";
        let id = job.id.to_string();
        connection.execute(TAKING, sql, &[worker.into(), until.into(), id.as_str().into()]).await?;
        connection.commit().await?;
        job.attempt += 1;
        job.fence += 1;
        job.status = JobStatus::Running;
        job.worker = Some(worker.to_owned());
        job.lease_until = Some(Moment(until));
        Ok(Some(job))
    }

    /// When a job of these kinds is next to be looked at; none where there is none open.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn next_job(&self, kinds: &[&str]) -> Result<Option<Moment>, StoreError> {
        let sql = "SELECT MIN(CASE status WHEN 'running' THEN lease_until ELSE run_at END)
                     FROM job
                    WHERE status IN ('waiting', 'running') AND $1 LIKE '%,' || kind || ',%'";
        let mut next = None;
        self.pool
            .begin_read()
            .await?
            .each(LISTING, sql, &[listed(kinds).as_str().into()], |row| {
                next = row.int(0)?.map(Moment);
                Ok(())
            })
            .await?;
        Ok(next)
    }

    /// Says that the worker is still at its job; tells whether somebody asked for the job's end.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`], and what the database said.
    pub async fn renew_job(&self, claim: &Claim, clock: &dyn Clock) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let cancelled = claim.renew(&mut connection, clock.now()).await?;
        connection.commit().await?;
        Ok(cancelled)
    }

    /// Ends a worker's hold on a job.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`], and what the database said.
    pub async fn settle_job(&self, claim: &Claim, settled: &Settled, now: Moment) -> Result<(), StoreError> {
        let mut connection = self.pool.begin_write().await?;
        settle(&mut connection, claim, settled, now).await?;
        connection.commit().await
    }
}

/// Kinds in one text, each between commas.
fn listed(kinds: &[&str]) -> String {
    format!(",{},", kinds.join(","))
}
