//! When a connector's next sync is due, in its own store.
//!
//! Invariant: a plan is written over only by who knows what was planned before.

use metsuke_model::Moment;

use crate::connection::{Bind, Connection};
use crate::{Store, StoreError};

/// The schedule of a connector's syncs.
pub(crate) const SYNC: &str = "sync";

/// When something is next due by the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScheduleRow {
    /// The next planned moment; none where nothing is planned.
    pub next_at: Option<Moment>,
    /// The planned moment that was served last.
    pub slot: Option<Moment>,
}

impl Store {
    /// When the connector's next sync is due.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn schedule(&self) -> Result<ScheduleRow, StoreError> {
        scheduled(&mut self.pool.begin_read().await?).await
    }

    /// Plans something else, unless somebody has done so since; tells whether.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn replan(&self, planned: ScheduleRow, next: ScheduleRow) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let planned = replan(&mut connection, planned, next).await?;
        connection.commit().await?;
        Ok(planned)
    }
}

/// Writes what is planned next.
pub(super) async fn plan(
    connection: &mut Connection,
    name: &str,
    schedule: ScheduleRow,
) -> Result<(), StoreError> {
    let row = [
        name.into(),
        Bind::Int(schedule.next_at.map(|moment| moment.0)),
        Bind::Int(schedule.slot.map(|moment| moment.0)),
    ];
    let tail = " ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at, slot = excluded.slot";
    connection
        .insert("planning what is due", ("INSERT INTO schedule (name, next_at, slot) ", tail), [row])
        .await
}

/// Writes what is planned next, if nobody else has done so since; tells whether.
pub(crate) async fn replan(
    connection: &mut Connection,
    planned: ScheduleRow,
    next: ScheduleRow,
) -> Result<bool, StoreError> {
    if scheduled(connection).await? != planned {
        return Ok(false);
    }
    plan(connection, SYNC, next).await?;
    Ok(true)
}

async fn scheduled(connection: &mut Connection) -> Result<ScheduleRow, StoreError> {
    let mut found = ScheduleRow::default();
    let sql = "SELECT next_at, slot FROM schedule WHERE name = $1";
    connection
        .each("reading what is due", sql, &[SYNC.into()], |row| {
            found = ScheduleRow { next_at: row.int(0)?.map(Moment), slot: row.int(1)?.map(Moment) };
            Ok(())
        })
        .await?;
    Ok(found)
}
