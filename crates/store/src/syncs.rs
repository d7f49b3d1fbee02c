//! The record of every sync run, and which version is meant by a number or a time.

use metsuke_model::audit::NewEvent;
use metsuke_model::{AsOf, Changes, Counts, Moment, Outcome, ScopeReport, SyncReport, SyncStatus, Version};

use crate::connection::{Bind, Connection, Row};
use crate::{Store, StoreError, quarantine};

/// The most of an error's text that an event holds.
const MOST_TOLD: usize = 2_000;

/// One run as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRow {
    /// The run's number; its version, unless it failed or waits in quarantine.
    pub version: Version,
    /// How it ended.
    pub status: SyncStatus,
    /// When it began.
    pub started_at: Moment,
    /// When it ended.
    pub finished_at: Moment,
    /// Requests sent.
    pub requests: u64,
    /// Time spent waiting.
    pub waited_ms: u64,
    /// Why it failed as a whole.
    pub error: Option<String>,
    /// What is in the version.
    pub counts: Counts,
    /// What differs from the version before.
    pub changes: Changes,
}

macro_rules! sync_columns {
    ($tail:literal) => {
        concat!(
            "SELECT id, status, started_at, finished_at, requests, waited_ms, error,
                    users, teams, enterprise_accounts, apps, addons, invitations, grants, added, removed, changed
               FROM sync ",
            $tail
        )
    };
}

fn sync_row(row: Row<'_>) -> Result<SyncRow, StoreError> {
    Ok(SyncRow {
        version: Version(row.number(0)?),
        status: SyncStatus::from_word(&row.text(1)?.unwrap_or_default()),
        started_at: Moment(row.number(2)?),
        finished_at: Moment(row.number(3)?),
        requests: row.count(4)?,
        waited_ms: row.count(5)?,
        error: row.text(6)?,
        counts: Counts {
            users: row.count(7)?,
            teams: row.count(8)?,
            enterprise_accounts: row.count(9)?,
            apps: row.count(10)?,
            addons: row.count(11)?,
            invitations: row.count(12)?,
            grants: row.count(13)?,
        },
        changes: Changes { added: row.count(14)?, removed: row.count(15)?, changed: row.count(16)? },
    })
}

/// The newest run, or the newest version.
pub(crate) async fn newest(
    connection: &mut Connection,
    committed: bool,
) -> Result<Option<Version>, StoreError> {
    let sql = if committed {
        "SELECT MAX(id) FROM sync WHERE status IN ('complete', 'partial')"
    } else {
        "SELECT MAX(id) FROM sync"
    };
    let mut newest = None;
    connection
        .each("looking for the newest version", sql, &[], |row| {
            newest = row.int(0)?.map(Version);
            Ok(())
        })
        .await?;
    Ok(newest)
}

/// The run that a version number or a time means.
pub(crate) async fn resolve(connection: &mut Connection, as_of: AsOf) -> Result<SyncRow, StoreError> {
    let (sql, bind, asked) = match as_of {
        AsOf::Version(version) => (
            sync_columns!("WHERE id = $1 AND status IN ('complete', 'partial')"),
            version.0,
            version.to_string(),
        ),
        AsOf::Time(moment) => (
            sync_columns!(
                "WHERE finished_at <= $1 AND status IN ('complete', 'partial') ORDER BY id DESC LIMIT 1"
            ),
            moment.0,
            format!("at {moment}"),
        ),
    };
    let mut found = None;
    connection
        .each("looking for a version", sql, &[bind.into()], |row| {
            found = Some(sync_row(row)?);
            Ok(())
        })
        .await?;
    found.ok_or(StoreError::NoVersion { asked })
}

/// A run, whatever came of it.
pub(crate) async fn find(
    connection: &mut Connection,
    version: Version,
) -> Result<Option<SyncRow>, StoreError> {
    let mut found = None;
    connection
        .each("looking for a sync", sync_columns!("WHERE id = $1"), &[version.0.into()], |row| {
            found = Some(sync_row(row)?);
            Ok(())
        })
        .await?;
    Ok(found)
}

/// Gives a run another status.
pub(crate) async fn set_status(
    connection: &mut Connection,
    version: Version,
    status: SyncStatus,
) -> Result<(), StoreError> {
    let sql = "UPDATE sync SET status = $1 WHERE id = $2";
    connection
        .execute("recording the sync", sql, &[status.as_str().into(), version.0.into()])
        .await
        .map(|_| ())
}

/// Puts into an event what a run came to.
pub(crate) fn tell(
    event: NewEvent,
    version: Version,
    report: &SyncReport,
    counts: &Counts,
    changes: &Changes,
) -> NewEvent {
    let gaps = report.scopes.iter().filter(|scope| scope.gap).count();
    let event = event
        .about("sync", version)
        .detail("status", report.status.as_str())
        .detail("started_at", report.started_at.to_string())
        .detail("requests", report.requests)
        .detail("counts", serde_json::to_value(counts).unwrap_or_default())
        .detail("changes", serde_json::to_value(changes).unwrap_or_default());
    let event = if report.scopes.is_empty() { event } else { event.detail("gaps", gaps) };
    match &report.error {
        Some(error) => event.detail("error", error.chars().take(MOST_TOLD).collect::<String>()),
        None => event,
    }
}

/// Writes a run and its scopes. With a version, no run waits in quarantine any more.
pub(crate) async fn insert(
    connection: &mut Connection,
    version: Version,
    report: &SyncReport,
    counts: &Counts,
    changes: &Changes,
) -> Result<(), StoreError> {
    let mut row = vec![
        version.0.into(),
        report.status.as_str().into(),
        report.started_at.0.into(),
        report.finished_at.0.into(),
        number(report.requests),
        number(report.waited_ms),
        Bind::Text(report.error.as_deref().map(Into::into)),
    ];
    row.extend(
        [
            counts.users,
            counts.teams,
            counts.enterprise_accounts,
            counts.apps,
            counts.addons,
            counts.invitations,
            counts.grants,
            changes.added,
            changes.removed,
            changes.changed,
        ]
        .map(number),
    );
    if report.status.is_version() {
        quarantine::forget(connection).await?;
    }
    let head = "INSERT INTO sync (id, status, started_at, finished_at, requests, waited_ms, error,
            users, teams, enterprise_accounts, apps, addons, invitations, grants, added, removed, changed) ";
    connection.insert("recording the sync", (head, ""), [row]).await?;
    let mut scopes: Vec<[Bind; 10]> = Vec::with_capacity(report.scopes.len());
    for scope in &report.scopes {
        scopes.push([
            version.0.into(),
            number(scopes.len() as u64),
            (&*scope.scope).into(),
            scope.outcome.as_str().into(),
            Bind::Text(scope.reason.as_deref().map(Into::into)),
            i64::from(scope.gap).into(),
            number(scope.pages.into()),
            number(scope.rows),
            number(scope.calls.into()),
            number(scope.duration_ms),
        ]);
    }
    let head = "INSERT INTO scope (sync_id, ordinal, scope, outcome, reason, gap, pages, row_count, calls, duration_ms) ";
    connection.insert("recording the sync", (head, ""), scopes).await
}

fn number(value: u64) -> Bind {
    Bind::Int(Some(i64::try_from(value).unwrap_or(i64::MAX)))
}

impl Store {
    /// The newest runs, newest first.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn syncs(&self, limit: u32) -> Result<Vec<SyncRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut rows = Vec::new();
        connection
            .each(
                "listing syncs",
                sync_columns!("ORDER BY id DESC LIMIT $1"),
                &[i64::from(limit).into()],
                |row| {
                    rows.push(sync_row(row)?);
                    Ok(())
                },
            )
            .await?;
        Ok(rows)
    }

    /// Versions from the number `from` on that ended at `since` or later, oldest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn versions(
        &self,
        from: Version,
        since: Moment,
        limit: u32,
    ) -> Result<Vec<SyncRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut rows = Vec::new();
        connection
            .each(
                "listing versions",
                sync_columns!(
                    "WHERE id >= $1 AND finished_at >= $2 AND status IN ('complete', 'partial') ORDER BY id LIMIT $3"
                ),
                &[from.0.into(), since.0.into(), i64::from(limit).into()],
                |row| {
                    rows.push(sync_row(row)?);
                    Ok(())
                },
            )
            .await?;
        Ok(rows)
    }

    /// The version before this one; none where it is the first.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn version_before(&self, version: Version) -> Result<Option<SyncRow>, StoreError> {
        let sql =
            sync_columns!("WHERE id < $1 AND status IN ('complete', 'partial') ORDER BY id DESC LIMIT 1");
        self.one_sync(sql, version).await
    }

    /// The last version before this one for which everything was asked for, and not only single objects.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn whole_before(&self, version: Version) -> Result<Option<SyncRow>, StoreError> {
        // The list of all apps is read by whole syncs, and by nothing else.
        let sql = sync_columns!(
            "WHERE id < $1 AND status IN ('complete', 'partial')
               AND EXISTS (SELECT 1
                             FROM scope
                            WHERE scope.sync_id = sync.id AND scope.scope = 'GET /apps'
                              AND scope.outcome = 'complete')
             ORDER BY id DESC LIMIT 1"
        );
        self.one_sync(sql, version).await
    }

    async fn one_sync(&self, sql: &'static str, version: Version) -> Result<Option<SyncRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut found = None;
        connection
            .each("looking for a version", sql, &[version.0.into()], |row| {
                found = Some(sync_row(row)?);
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// One run, whatever came of it; `None` where there is none of that number.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn sync(&self, version: Version) -> Result<Option<SyncRow>, StoreError> {
        find(&mut self.pool.begin_read().await?, version).await
    }

    /// The scopes of one run, in the order in which they were finished.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn scopes(&self, version: Version) -> Result<Vec<ScopeReport>, StoreError> {
        scopes(&mut self.pool.begin_read().await?, version).await
    }

    /// What came of a scope in the newest version up to this one that tells of it: a version of which only a part was
    /// read tells of nothing else. `complete`: of those in which it was read to its end.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn last_scope(
        &self,
        scope: &str,
        until: Version,
        complete: bool,
    ) -> Result<Option<ScopeReport>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut newest = None;
        let sql = "SELECT MAX(scope.sync_id)
                     FROM scope
                     JOIN sync ON sync.id = scope.sync_id
                    WHERE scope.scope = $1
                      AND scope.sync_id <= $2
                      AND sync.status IN ('complete', 'partial')
                      AND ($3 = 0 OR scope.outcome = 'complete')";
        let binds = [scope.into(), until.0.into(), i64::from(complete).into()];
        connection
            .each("looking for a scope", sql, &binds, |row| {
                newest = row.int(0)?;
                Ok(())
            })
            .await?;
        let Some(newest) = newest else { return Ok(None) };
        let reports = scopes(&mut connection, Version(newest)).await?;
        Ok(reports.into_iter().find(|report| *report.scope == *scope))
    }
}

/// The scopes of one run, in the order in which they were finished.
pub(crate) async fn scopes(
    connection: &mut Connection,
    version: Version,
) -> Result<Vec<ScopeReport>, StoreError> {
    let mut scopes = Vec::new();
    let sql = "SELECT scope, outcome, reason, gap, pages, row_count, calls, duration_ms
                 FROM scope
                WHERE sync_id = $1
                ORDER BY ordinal";
    connection
        .each("listing scopes", sql, &[version.0.into()], |row| {
            let small = |index| Ok::<_, StoreError>(u32::try_from(row.count(index)?).unwrap_or(u32::MAX));
            scopes.push(ScopeReport {
                scope: row.text(0)?.unwrap_or_default().into(),
                outcome: Outcome::from_word(&row.text(1)?.unwrap_or_default()),
                reason: row.text(2)?.map(Into::into),
                gap: row.number(3)? != 0,
                pages: small(4)?,
                rows: row.count(5)?,
                calls: small(6)?,
                duration_ms: row.count(7)?,
            });
            Ok(())
        })
        .await?;
    Ok(scopes)
}
