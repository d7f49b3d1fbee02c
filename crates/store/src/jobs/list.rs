//! The queue as people see it: its jobs listed and counted, and what was given up put back or struck.
//!
//! Invariant: what is changed here by hand is a job that no worker has, with the event that tells of it.

use std::collections::BTreeMap;

use metsuke_model::audit::NewEvent;
use metsuke_model::{JobId, Moment};

use super::row::{Job, JobSelect, JobStatus, job, job_columns};
use super::{LISTING, SETTLING};
use crate::connection::Bind;
use crate::{Store, StoreError, audit};

impl Store {
    /// Jobs, newest first.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn jobs(&self, select: &JobSelect) -> Result<Vec<Job>, StoreError> {
        let before = select.before.map_or_else(|| "g".to_owned(), |before| before.to_string());
        let status = select.status.map(|status| status.as_str().to_owned());
        let sql = job_columns!(
            "WHERE id < $1 AND (CAST($2 AS TEXT) IS NULL OR status = $2) AND (CAST($3 AS TEXT) IS NULL OR kind = $3)
             ORDER BY id DESC
             LIMIT $4"
        );
        let binds = [
            before.as_str().into(),
            Bind::Text(status),
            Bind::Text(select.kind.clone()),
            i64::from(select.limit).into(),
        ];
        let mut jobs = Vec::new();
        self.pool
            .begin_read()
            .await?
            .each(LISTING, sql, &binds, |row| {
                jobs.push(job(row)?);
                Ok(())
            })
            .await?;
        Ok(jobs)
    }

    /// One job; `None` where there is none of that id.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let mut found = None;
        let id = id.to_string();
        self.pool
            .begin_read()
            .await?
            .each(LISTING, job_columns!("WHERE id = $1"), &[id.as_str().into()], |row| {
                found = Some(job(row)?);
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// Puts a job that was given up back into the queue, with the event that tells of it; `false` where it was not
    /// given up, or where an open one has its key.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn retry_job(&self, id: JobId, now: Moment, event: NewEvent) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE job
                      SET status = 'waiting', run_at = $1, attempt = 0, finished_at = NULL, cancel_at = NULL
                    WHERE id = $2 AND status = 'dead'
                      AND NOT EXISTS (SELECT 1 FROM job AS other
                                       WHERE other.kind = job.kind AND other.dedup = job.dedup
                                         AND other.status IN ('waiting', 'running'))";
        let key = id.to_string();
        let touched = connection.execute(SETTLING, sql, &[now.0.into(), key.as_str().into()]).await?;
        if touched == 0 {
            return Ok(false);
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// Strikes a job that was given up from the queue, with the event that tells of it; `false` where it was not given up.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn drop_job(&self, id: JobId, event: NewEvent) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "DELETE FROM job WHERE id = $1 AND status = 'dead'";
        if connection.execute(SETTLING, sql, &[id.to_string().as_str().into()]).await? == 0 {
            return Ok(false);
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// How many jobs are in each status but finished, those of no status left out.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn count_jobs(&self) -> Result<BTreeMap<JobStatus, u64>, StoreError> {
        let sql = "SELECT status, COUNT(*)
                     FROM job
                    WHERE status IN ('waiting', 'running', 'dead')
                    GROUP BY status";
        let mut counted = BTreeMap::new();
        self.pool
            .begin_read()
            .await?
            .each("counting jobs", sql, &[], |row| {
                let status = row.text(0)?.as_deref().and_then(JobStatus::parse);
                counted.extend(status.zip(u64::try_from(row.number(1)?).ok()));
                Ok(())
            })
            .await?;
        Ok(counted)
    }

    /// Forgets jobs that ended before that moment; those that were given up stay. Returns how many.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn forget_jobs(&self, before: Moment) -> Result<u64, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "DELETE FROM job WHERE status = 'finished' AND finished_at < $1";
        let gone = connection.execute("forgetting old jobs", sql, &[before.0.into()]).await?;
        connection.commit().await?;
        Ok(gone)
    }
}
