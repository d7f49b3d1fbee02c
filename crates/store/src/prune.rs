//! Removes what is older than it is to be kept: earlier versions, runs, jobs, told changes, deliveries.
//!
//! How long that is, is decided above. The audit trail, plans, objects and the list of syncs are never touched.
//!
//! Invariant: what can no longer be read whole is refused before the first row of it goes, and that is on record.

use std::collections::BTreeMap;

use metsuke_model::audit::NewEvent;
use metsuke_model::{Moment, Version};

use crate::connection::{Bind, Connection};
use crate::dialect::Pool;
use crate::{Store, StoreError, settings};

const PRUNING: &str = "removing what is not to be kept";
const OLDEST: &str = "oldest_version";
/// Rows that go in one transaction, where they do not go version by version.
const AT_ONCE: i64 = 500;

/// What went, by table; tables of which nothing went are left out.
pub type Pruned = BTreeMap<&'static str, u64>;

/// The first version that can be read.
pub(crate) async fn oldest(connection: &mut Connection) -> Result<Version, StoreError> {
    let damaged = || StoreError::Damaged { what: "the number of the oldest version".to_owned() };
    let text = settings::text(connection, PRUNING, OLDEST).await?;
    let oldest = text.map(|text| text.parse().map_err(|_| damaged())).transpose()?.unwrap_or(0);
    Ok(Version(oldest))
}

/// The statements that empty a table from its oldest version on, a version at a time.
const BY_VERSION: [(&str, &str); 5] = [
    (
        "object_change",
        "DELETE FROM object_change WHERE version = (SELECT MIN(version) FROM object_change) AND version <= $1",
    ),
    (
        "access_change",
        "DELETE FROM access_change WHERE version = (SELECT MIN(version) FROM access_change) AND version <= $1",
    ),
    (
        "access_other_change",
        "DELETE FROM access_other_change
          WHERE version = (SELECT MIN(version) FROM access_other_change) AND version <= $1",
    ),
    ("scope", "DELETE FROM scope WHERE sync_id = (SELECT MIN(sync_id) FROM scope) AND sync_id < $1"),
    (
        "checkpoint",
        "DELETE FROM checkpoint WHERE version = (SELECT MIN(version) FROM checkpoint) AND version < $1",
    ),
];

/// What goes with runs that ended before a moment, the runs last.
const RUNS: [(&str, &str); 2] = [
    (
        "run_log",
        "DELETE FROM run_log
          WHERE run_id IN (SELECT id FROM run WHERE is_open IS NULL AND finished_at < $1 ORDER BY id LIMIT $2)",
    ),
    (
        "run",
        "DELETE FROM run
          WHERE id IN (SELECT id FROM run WHERE is_open IS NULL AND finished_at < $1 ORDER BY id LIMIT $2)",
    ),
];

const JOBS: [(&str, &str); 1] = [(
    "job",
    "DELETE FROM job
      WHERE id IN (SELECT id FROM job
                    WHERE status IN ('finished', 'dead') AND finished_at < $1
                    ORDER BY finished_at
                    LIMIT $2)",
)];

const CHANGES: [(&str, &str); 2] = [
    (
        "change_effect",
        "DELETE FROM change_effect
          WHERE (version, place) IN (SELECT version, place FROM change_event
                                      WHERE at < $1 ORDER BY version, place LIMIT $2)",
    ),
    (
        "change_event",
        "DELETE FROM change_event
          WHERE (version, place) IN (SELECT version, place FROM change_event
                                      WHERE at < $1 ORDER BY version, place LIMIT $2)",
    ),
];

const DELIVERIES: [(&str, &str); 1] = [(
    "delivery",
    "DELETE FROM delivery
      WHERE id IN (SELECT id FROM delivery
                    WHERE state <> 'waiting' AND created_at < $1
                    ORDER BY sequence
                    LIMIT $2)",
)];

impl Store {
    /// The first version that can be read; 0 where none was left behind.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn oldest_version(&self) -> Result<Version, StoreError> {
        oldest(&mut self.pool.begin_read().await?).await
    }

    /// Leaves behind every version that was over before a moment, and removes what only they needed.
    ///
    /// The version that held at that moment stays, and every one that the next sync is compared with. `event` gets the
    /// number of the oldest version that stays. What an earlier call began and did not finish is finished.
    ///
    /// # Errors
    ///
    /// What the database said; what is gone by then is gone, and nothing else is.
    pub async fn leave_versions(
        &self,
        before: Moment,
        event: impl FnOnce(Version) -> NewEvent,
    ) -> Result<Pruned, StoreError> {
        let oldest = self.move_oldest(before, event).await?;
        let mut pruned = Pruned::new();
        if oldest.0 == 0 {
            return Ok(pruned);
        }
        for (table, sql) in BY_VERSION {
            self.until_none(table, sql, &[oldest.0.into()], &mut pruned).await?;
        }
        Ok(pruned)
    }

    /// Forgets runs of a connector, with their logs, that ended before a moment.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn forget_runs(&self, before: Moment) -> Result<Pruned, StoreError> {
        self.together(&RUNS, before).await
    }

    /// Forgets jobs that ended before a moment, those that were given up included.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn forget_ended_jobs(&self, before: Moment) -> Result<Pruned, StoreError> {
        self.together(&JOBS, before).await
    }

    /// Forgets changes that were told before a moment.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn forget_changes(&self, before: Moment) -> Result<Pruned, StoreError> {
        self.together(&CHANGES, before).await
    }

    /// Forgets alerts that were delivered or given up, and made before a moment.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn forget_alerts(&self, before: Moment) -> Result<Pruned, StoreError> {
        self.together(&DELIVERIES, before).await
    }

    /// Says from which version on the store can be read.
    async fn move_oldest(
        &self,
        before: Moment,
        event: impl FnOnce(Version) -> NewEvent,
    ) -> Result<Version, StoreError> {
        let mut connection = self.begin_write().await?;
        let known = oldest(&mut connection).await?;
        let mut kept = None;
        // The newest packed state and the changes since are what the next sync is compared with; where changes are told
        // as events, what was not told yet stays.
        let sql = "SELECT MAX(id)
                     FROM sync
                    WHERE status IN ('complete', 'partial')
                      AND finished_at < $1
                      AND id <= (SELECT MAX(version) FROM checkpoint)
                      AND id <= (SELECT CASE WHEN version > 0 THEN version ELSE sync.id END FROM change_mark)";
        connection
            .each(PRUNING, sql, &[before.0.into()], |row| {
                kept = row.int(0)?.map(Version);
                Ok(())
            })
            .await?;
        let Some(kept) = kept.filter(|kept| *kept > known) else { return Ok(known) };
        settings::put(&mut connection, PRUNING, OLDEST, &kept.to_string()).await?;
        crate::audit::append(&mut connection, event(kept)).await?;
        connection.commit().await?;
        Ok(kept)
    }

    /// Runs a statement in one transaction after the other until it finds nothing.
    async fn until_none(
        &self,
        table: &'static str,
        sql: &'static str,
        binds: &[Bind],
        pruned: &mut Pruned,
    ) -> Result<(), StoreError> {
        loop {
            let mut connection = self.begin_write().await?;
            let gone = connection.execute(PRUNING, sql, binds).await?;
            connection.commit().await?;
            if gone == 0 {
                return Ok(());
            }
            *pruned.entry(table).or_default() += gone;
        }
    }

    /// Runs statements together, in one transaction after the other, until the last one finds nothing.
    async fn together(
        &self,
        statements: &[(&'static str, &'static str)],
        before: Moment,
    ) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::new();
        loop {
            let mut connection = self.begin_write().await?;
            let mut last = 0;
            for (table, sql) in statements {
                if !Pool::has_table(&mut connection, table).await? {
                    return Ok(pruned);
                }
                last = connection.execute(PRUNING, sql, &[before.0.into(), AT_ONCE.into()]).await?;
                if last > 0 {
                    *pruned.entry(table).or_default() += last;
                }
            }
            connection.commit().await?;
            if last == 0 {
                return Ok(pruned);
            }
        }
    }
}
