//! Runs: the syncs of a connector as they were asked for, carried out and ended, with what they told on their way.
//!
//! What a sync read and committed is in [`syncs`](crate::SyncRow); a run that made one names it.
//!
//! Invariant: of one connector there is one open run at most, and a run and the job that carries it out are written
//! in one transaction.

mod row;

use metsuke_model::audit::NewEvent;
use metsuke_model::{Moment, RunId};
use serde_json::json;

use crate::connection::{Bind, Connection};
use crate::connectors::{self, ScheduleRow};
use crate::jobs::{self, Claim, NewJob, Settled};
use crate::{Store, StoreError, audit};
pub use row::{Ask, Asked, LogLine, LogSelect, NewLogLine, RunEnd, RunRow, RunStatus};
use row::{id, run, run_columns};

const READING: &str = "reading runs";
const WRITING: &str = "recording a run";
/// Of so many runs the log is kept.
const KEPT_LOGS: i64 = 200;

async fn one(
    connection: &mut Connection,
    sql: &'static str,
    binds: &[Bind],
) -> Result<Option<RunRow>, StoreError> {
    let mut found = None;
    connection
        .each(READING, sql, binds, |row| {
            found = Some(run(row)?);
            Ok(())
        })
        .await?;
    Ok(found)
}

async fn open(connection: &mut Connection) -> Result<Option<RunRow>, StoreError> {
    one(connection, run_columns!("WHERE is_open = 1"), &[]).await
}

async fn insert(connection: &mut Connection, run: &RunRow) -> Result<(), StoreError> {
    let row = [
        run.id.to_string().as_str().into(),
        1.into(),
        run.status.as_str().into(),
        run.cause.as_str().into(),
        run.asked_by.as_str().into(),
        run.asked_at.0.into(),
        Bind::Int(run.started_at.map(|moment| moment.0)),
    ];
    let head = "INSERT INTO run (id, is_open, status, cause, asked_by, asked_at, started_at) ";
    connection.insert(WRITING, (head, ""), [row]).await
}

/// Adds lines to a run's log.
async fn log(connection: &mut Connection, run: RunId, lines: &[NewLogLine]) -> Result<(), StoreError> {
    let mut last = 0;
    connection
        .each(WRITING, "SELECT COALESCE(MAX(sequence), 0) FROM run_log", &[], |row| {
            last = row.number(0)?;
            Ok(())
        })
        .await?;
    let run = run.to_string();
    let mut rows: Vec<[Bind; 5]> = Vec::with_capacity(lines.len());
    for line in lines {
        last += 1;
        rows.push([
            last.into(),
            run.as_str().into(),
            line.at.0.into(),
            line.level.into(),
            line.text.as_str().into(),
        ]);
    }
    let head = "INSERT INTO run_log (sequence, run_id, at, level, text) ";
    connection.insert(WRITING, (head, ""), rows).await
}

async fn close(connection: &mut Connection, run: RunId, end: &RunEnd, now: Moment) -> Result<(), StoreError> {
    let sql = "UPDATE run
                  SET is_open = NULL, status = $1, finished_at = $2, version = $3, reason = $4, document = $5
                WHERE id = $6";
    let (document, run) = (end.document.to_string(), run.to_string());
    let binds = [
        end.status.as_str().into(),
        now.0.into(),
        Bind::Int(end.version.map(|version| version.0)),
        end.reason.as_str().into(),
        document.as_str().into(),
        run.as_str().into(),
    ];
    connection.execute(WRITING, sql, &binds).await.map(|_| ())
}

/// Gives the open run, or writes a new one with its job.
async fn ask_in(
    connection: &mut Connection,
    ask: &Ask,
    event: Option<NewEvent>,
) -> Result<Asked, StoreError> {
    if let Some(run) = open(connection).await? {
        return Ok(Asked { run, new: false });
    }
    let run = RunRow {
        id: ask.run,
        status: RunStatus::Queued,
        cause: ask.cause.to_owned(),
        asked_by: ask.asked_by.clone(),
        asked_at: ask.now,
        started_at: None,
        finished_at: None,
        version: None,
        reason: None,
        document: None,
    };
    insert(connection, &run).await?;
    let job = NewJob {
        id: ask.job,
        kind: ask.kind,
        dedup: Some(ask.kind.to_owned()),
        document: json!({}),
        run_at: ask.now,
        created_at: ask.now,
    };
    jobs::insert(connection, &job).await?;
    if let Some(event) = event {
        audit::append(connection, event).await?;
    }
    Ok(Asked { run, new: true })
}

impl Store {
    /// Asks for a sync: gives the open run where there is one, else writes a new one with its job, and the event.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is asked for then.
    pub async fn ask_run(&self, ask: &Ask, event: Option<NewEvent>) -> Result<Asked, StoreError> {
        let mut connection = self.begin_write().await?;
        let asked = ask_in(&mut connection, ask, event).await?;
        connection.commit().await?;
        Ok(asked)
    }

    /// Asks for the sync that was planned, and plans the next; `None` where another process has done so.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is asked for then.
    pub async fn ask_planned_run(
        &self,
        ask: &Ask,
        planned: ScheduleRow,
        next: ScheduleRow,
    ) -> Result<Option<Asked>, StoreError> {
        let mut connection = self.begin_write().await?;
        if !connectors::replan(&mut connection, planned, next).await? {
            return Ok(None);
        }
        let asked = ask_in(&mut connection, ask, None).await?;
        connection.commit().await?;
        Ok(Some(asked))
    }

    /// Begins the run that a worker's job is for. One that was running already had a worker that went away: it is told
    /// as interrupted, and `fresh` takes its place; so it does where the last attempt has ended.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`], and what the database said.
    pub async fn begin_run(&self, claim: &Claim, fresh: RunId, now: Moment) -> Result<RunRow, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        claim.check(&mut connection).await?;
        let found = open(&mut connection).await?;
        let run = match found {
            Some(run) if run.status == RunStatus::Queued => {
                let sql = "UPDATE run SET status = 'running', started_at = $1 WHERE id = $2";
                let id = run.id.to_string();
                connection.execute(WRITING, sql, &[now.0.into(), id.as_str().into()]).await?;
                RunRow { status: RunStatus::Running, started_at: Some(now), ..run }
            }
            found => {
                let cause = if let Some(lost) = &found {
                    let text = "the program that carried it out went away; it is begun again".to_owned();
                    let line = NewLogLine { at: now, level: "warn", text: text.clone() };
                    log(&mut connection, lost.id, &[line]).await?;
                    let document = json!({ "followed_by": fresh });
                    let end =
                        RunEnd { status: RunStatus::Interrupted, version: None, reason: text, document };
                    close(&mut connection, lost.id, &end, now).await?;
                    "again"
                } else {
                    "retry"
                };
                let run = RunRow {
                    id: fresh,
                    status: RunStatus::Running,
                    cause: cause.to_owned(),
                    asked_by: found.map_or_else(|| self.actor().name.to_string(), |lost| lost.asked_by),
                    asked_at: now,
                    started_at: Some(now),
                    finished_at: None,
                    version: None,
                    reason: None,
                    document: None,
                };
                insert(&mut connection, &run).await?;
                run
            }
        };
        connection.commit().await?;
        Ok(run)
    }

    /// Ends a run and its worker's job in one transaction, with the last lines of its log.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`], and what the database said.
    pub async fn end_run(
        &self,
        claim: &Claim,
        run: RunId,
        end: &RunEnd,
        lines: &[NewLogLine],
        settled: &Settled,
        now: Moment,
    ) -> Result<(), StoreError> {
        let mut connection = self.pool.begin_write().await?;
        jobs::settle(&mut connection, claim, settled, now).await?;
        log(&mut connection, run, lines).await?;
        close(&mut connection, run, end, now).await?;
        let sql = "DELETE FROM run_log WHERE run_id NOT IN (SELECT id FROM run ORDER BY id DESC LIMIT $1)";
        connection.execute("forgetting old logs", sql, &[KEPT_LOGS.into()]).await?;
        connection.commit().await
    }

    /// Gives a run back as if no worker had begun it, with its job.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`], and what the database said.
    pub async fn give_back_run(
        &self,
        claim: &Claim,
        run: RunId,
        line: NewLogLine,
        now: Moment,
    ) -> Result<(), StoreError> {
        let mut connection = self.pool.begin_write().await?;
        jobs::settle(&mut connection, claim, &Settled::GivenBack, now).await?;
        log(&mut connection, run, &[line]).await?;
        let sql = "UPDATE run SET status = 'queued', started_at = NULL WHERE id = $1";
        connection.execute(WRITING, sql, &[run.to_string().as_str().into()]).await?;
        connection.commit().await
    }

    /// Asks for the end of the open run, with the event: one that waits ends at once, one that reads is told to.
    ///
    /// `None` where there is no open run of that id.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn cancel_run(
        &self,
        id: RunId,
        kind: &str,
        now: Moment,
        event: NewEvent,
    ) -> Result<Option<RunRow>, StoreError> {
        let mut connection = self.begin_write().await?;
        let Some(mut run) = open(&mut connection).await?.filter(|run| run.id == id) else { return Ok(None) };
        let binds = [now.0.into(), kind.into()];
        let sql = "UPDATE job SET cancel_at = $1 WHERE kind = $2 AND status = 'running'";
        connection.execute(WRITING, sql, &binds).await?;
        if run.status == RunStatus::Queued {
            let sql =
                "UPDATE job SET status = 'finished', finished_at = $1 WHERE kind = $2 AND status = 'waiting'";
            connection.execute(WRITING, sql, &binds).await?;
            let end = RunEnd {
                status: RunStatus::Cancelled,
                version: None,
                reason: "it was ended before it began".into(),
                document: json!({}),
            };
            close(&mut connection, id, &end, now).await?;
            run = RunRow {
                status: end.status,
                finished_at: Some(now),
                reason: Some(end.reason),
                document: Some(end.document),
                ..run
            };
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(Some(run))
    }

    /// Runs, newest first, before the one given.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn runs(&self, before: Option<RunId>, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        let before = before.map_or_else(|| "g".to_owned(), |before| before.to_string());
        let mut runs = Vec::new();
        let sql = run_columns!("WHERE id < $1 ORDER BY id DESC LIMIT $2");
        self.pool
            .begin_read()
            .await?
            .each(READING, sql, &[before.as_str().into(), i64::from(limit).into()], |row| {
                runs.push(run(row)?);
                Ok(())
            })
            .await?;
        Ok(runs)
    }

    /// One run; `None` where there is none of that id.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn find_run(&self, id: RunId) -> Result<Option<RunRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        one(&mut connection, run_columns!("WHERE id = $1"), &[id.to_string().as_str().into()]).await
    }

    /// The open run, and the last one that ended by itself or failed: what a connector's state follows from.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn run_state(&self) -> Result<(Option<RunRow>, Option<RunRow>), StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let open = open(&mut connection).await?;
        let sql = run_columns!(
            "WHERE status IN ('complete', 'partial', 'quarantined', 'failed') ORDER BY finished_at DESC, id DESC LIMIT 1"
        );
        Ok((open, one(&mut connection, sql, &[]).await?))
    }

    /// Adds lines to a run's log.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseLost`] in a worker's hands, and what the database said.
    pub async fn log_run(&self, run: RunId, lines: &[NewLogLine]) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        log(&mut connection, run, lines).await?;
        connection.commit().await
    }

    /// Lines of runs' logs, oldest first.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn run_log(&self, select: LogSelect) -> Result<Vec<LogLine>, StoreError> {
        let run = select.run.map(|run| run.to_string());
        let binds = [Bind::Text(run), select.after.into(), i64::from(select.limit).into()];
        let sql = "SELECT sequence, run_id, at, level, text
                     FROM run_log
                    WHERE (CAST($1 AS TEXT) IS NULL OR run_id = $1) AND sequence > $2
                    ORDER BY sequence
                    LIMIT $3";
        let mut lines = Vec::new();
        self.pool
            .begin_read()
            .await?
            .each("reading a run's log", sql, &binds, |row| {
                lines.push(LogLine {
                    sequence: row.number(0)?,
                    run: id(row, 1)?,
                    at: Moment(row.number(2)?),
                    level: row.text(3)?.unwrap_or_default(),
                    text: row.text(4)?.unwrap_or_default(),
                });
                Ok(())
            })
            .await?;
        Ok(lines)
    }
}
