//! Reads the audit trail: rows in either order, checkpoints and the frontier, and keeps new checkpoints.
//!
//! Nothing is judged here: what does not fit is handed on as it stands, for the checker to name.
//!
//! Invariant: an [`AuditLog`] sees one committed state, whatever is appended meanwhile, and never holds more than
//! one row.

use metsuke_model::Moment;
use metsuke_model::audit::{AuditRow, Digest, Frontier};

use crate::connection::{Bind, Connection, Row};
use crate::{Store, StoreError};

/// One committed state of the log.
#[derive(Debug)]
pub struct AuditLog {
    connection: Connection,
    /// The log's name; none where somebody took it away.
    pub origin: Option<String>,
    /// The public key of the first checkpoint, as text; none before there was one.
    pub public_key: Option<String>,
    /// What the log has come to; that of no events where it cannot be read.
    pub frontier: Frontier,
}

/// A checkpoint as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// How many events it covers, as the row says.
    pub size: u64,
    /// The signed note.
    pub note: String,
    /// When it was made.
    pub made_at: Moment,
}

impl AuditLog {
    /// Hands over every event in the order of its number.
    ///
    /// # Errors
    ///
    /// What `each` returned, which ends the reading, or what the database said.
    pub async fn each_row<E: From<StoreError>>(
        &mut self,
        mut each: impl FnMut(AuditRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut refused = None;
        let sql = "SELECT sequence, text, leaf FROM audit_event ORDER BY sequence";
        let read = self.connection.each(READING, sql, &[], |row| {
            each(audit_row(row)?).map_err(|error| {
                refused = Some(error);
                StoreError::Damaged { what: "the reading was ended".to_owned() }
            })
        });
        let read = read.await;
        refused.map_or(read.map_err(E::from), Err)
    }

    /// Every stored checkpoint, by how many events it covers.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn checkpoints(&mut self) -> Result<Vec<StoredCheckpoint>, StoreError> {
        let mut checkpoints = Vec::new();
        let sql = "SELECT size, note, made_at FROM audit_checkpoint ORDER BY size, number";
        self.connection
            .each(READING, sql, &[], |row| {
                checkpoints.push(StoredCheckpoint {
                    size: unsigned(row.number(0)?),
                    note: text(row, 1),
                    made_at: Moment(row.number(2)?),
                });
                Ok(())
            })
            .await?;
        Ok(checkpoints)
    }
}

impl Store {
    /// The log as it is now.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn audit_log(&self) -> Result<AuditLog, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut head = (None, None, Frontier::default());
        connection
            .each(
                READING,
                "SELECT origin, public_key, frontier FROM audit_frontier WHERE id = 1",
                &[],
                |row| {
                    let bytes = row.bytes(2).ok().flatten().unwrap_or_default();
                    head = (row.text(0)?, row.text(1)?, Frontier::from_bytes(&bytes).unwrap_or_default());
                    Ok(())
                },
            )
            .await?;
        let (origin, public_key, frontier) = head;
        Ok(AuditLog { connection, origin, public_key, frontier })
    }

    /// At most `count` events before the one with this number, newest first; the newest without a number.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn audit_rows_before(
        &self,
        before: Option<u64>,
        count: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
        let mut rows = Vec::new();
        let sql = "SELECT sequence, text, leaf
                     FROM audit_event
                    WHERE sequence < $1
                    ORDER BY sequence DESC
                    LIMIT $2";
        connection
            .each(READING, sql, &[before.into(), i64::from(count).into()], |row| {
                rows.push(audit_row(row)?);
                Ok(())
            })
            .await?;
        Ok(rows)
    }

    /// Keeps a checkpoint of the log's first `size` events, and the public key if it is the first one.
    ///
    /// A note that is kept already is not kept again.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is kept then.
    pub async fn keep_checkpoint(
        &self,
        checkpoint: &StoredCheckpoint,
        public_key: &str,
    ) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let size = i64::try_from(checkpoint.size).unwrap_or(i64::MAX);
        let sql = "UPDATE audit_frontier SET public_key = $1 WHERE id = 1 AND public_key IS NULL";
        connection.execute(KEEPING, sql, &[public_key.into()]).await?;
        let sql = "INSERT INTO audit_checkpoint (number, size, note, made_at)
                   SELECT COALESCE(MAX(number), 0) + 1, CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS BIGINT)
                     FROM audit_checkpoint
                   HAVING NOT EXISTS (SELECT 1 FROM audit_checkpoint WHERE size = $1 AND note = $2)";
        let binds = [size.into(), Bind::from(checkpoint.note.as_str()), checkpoint.made_at.0.into()];
        connection.execute(KEEPING, sql, &binds).await?;
        connection.commit().await
    }
}

const READING: &str = "reading the audit trail";
const KEEPING: &str = "keeping a checkpoint of the audit trail";

/// A row as it stands; what somebody put into it that cannot be right is given so that it will not fit.
fn audit_row(row: Row<'_>) -> Result<AuditRow, StoreError> {
    let leaf = row.bytes(2).ok().flatten().and_then(|leaf| leaf.try_into().ok());
    Ok(AuditRow {
        sequence: unsigned(row.number(0)?),
        text: text(row, 1),
        leaf: leaf.map_or(Digest([0; 32]), Digest),
    })
}

/// A text; SQLite may hold other bytes in its place.
fn text(row: Row<'_>, index: usize) -> String {
    if let Ok(text) = row.text(index) {
        return text.unwrap_or_default();
    }
    let bytes = row.bytes(index).ok().flatten().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A number that nobody gives below zero.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
