//! Keeps the audit trail: appends events to it, and carries who acts.
//!
//! What an event holds and how a log is checked is decided in [`metsuke_model::audit`]; who must record what is
//! decided by whoever makes the change.
//!
//! Invariant: an event, its number and the frontier are stored in one transaction or not at all; a number is
//! given once, and none is left out.

mod log;
mod verify;

pub use log::{AuditLog, StoredCheckpoint};

use metsuke_model::Moment;
use metsuke_model::audit::{Actor, EventCode, Frontier, NewEvent};

use crate::connection::{Bind, Connection, Row};
use crate::{Store, StoreError};

impl Store {
    /// The same store, acting for somebody: its events name them.
    #[must_use]
    pub fn acting_as(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    /// Who acts through this store; Metsuke itself, unless [`acting_as`](Self::acting_as) said otherwise.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// An event by whoever acts through this store, not yet recorded.
    #[must_use]
    pub fn event(&self, at: Moment, code: EventCode) -> NewEvent {
        NewEvent::new(at, code, self.actor.clone())
    }

    /// Records an event by itself and returns its number; it is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unrecorded`] for an event that cannot be written down, or what the database said. The log is
    /// then as it was, and what the event was to tell must not be done.
    pub async fn record(&self, event: NewEvent) -> Result<u64, StoreError> {
        let mut connection = self.begin_write().await?;
        let sequence = append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(sequence)
    }
}

/// Appends an event to the log inside the caller's write transaction, and returns its number.
///
/// After an error the caller's transaction must be dropped: what the event was to tell goes with it.
pub(crate) async fn append(connection: &mut Connection, event: NewEvent) -> Result<u64, StoreError> {
    let mut frontier = frontier(connection).await?;
    let row = event.append(&mut frontier).map_err(|source| StoreError::Unrecorded { source })?;
    let number = i64::try_from(row.sequence).map_err(|_| damaged("an event's number is too large"))?;
    let sql = "INSERT INTO audit_event (sequence, text, leaf) VALUES ($1, $2, $3)";
    let binds = [number.into(), Bind::Text(Some(row.text)), Bind::Bytes(row.leaf.0.to_vec())];
    connection.execute(RECORDING, sql, &binds).await?;
    let sql = "UPDATE audit_frontier SET frontier = $1 WHERE id = 1";
    match connection.execute(RECORDING, sql, &[Bind::Bytes(frontier.to_bytes())]).await? {
        1 => Ok(row.sequence),
        _ => Err(damaged(NO_FRONTIER)),
    }
}

const RECORDING: &str = "recording an event of the audit trail";
const NO_FRONTIER: &str = "the audit trail has no frontier";

/// What the log has come to.
async fn frontier(connection: &mut Connection) -> Result<Frontier, StoreError> {
    let mut found = None;
    connection
        .each(RECORDING, "SELECT frontier FROM audit_frontier WHERE id = 1", &[], |row| {
            found = Some(read_frontier(row, 0)?);
            Ok(())
        })
        .await?;
    found.ok_or_else(|| damaged(NO_FRONTIER))
}

fn read_frontier(row: Row<'_>, index: usize) -> Result<Frontier, StoreError> {
    Frontier::from_bytes(&row.bytes(index)?.unwrap_or_default())
        .map_err(|error| StoreError::Damaged { what: error.to_string() })
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: what.to_owned() }
}
