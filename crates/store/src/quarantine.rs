//! Syncs that would have taken away too much: recorded with what they would change, shown, and not current.
//!
//! The judgement, and the way back, stand with the commit; how a difference is packed stands in `difference`.
//!
//! Invariant: a run can only be accepted while the version that it was compared with is the newest, so what it
//! would change is what it changes.

pub(crate) mod difference;

use metsuke_model::{SyncStatus, Version};

use crate::connection::{Bind, Connection, Row};
use crate::{Store, StoreError};

macro_rules! columns {
    ($tail:literal) => {
        concat!(
            "SELECT sync_id, status, reasons,
                    CAST(CASE WHEN packed IS NOT NULL AND base =
                        (SELECT MAX(id) FROM sync WHERE status IN ('complete', 'partial'))
                    THEN 1 ELSE 0 END AS BIGINT)
               FROM quarantine ",
            $tail
        )
    };
}

/// When a sync takes away so much that a person has to look at it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brake {
    /// The most of all grants that may go with one sync, in percent; with 100, any part of them may.
    pub percent: u8,
    /// The brake holds from so many grants on: of a small estate, one person's are a large part.
    pub least_grants: u64,
}

impl Brake {
    /// Nothing is ever held up.
    pub const OFF: Self = Self { percent: 100, least_grants: u64::MAX };
}

impl Default for Brake {
    /// 10 percent, from 50 grants on.
    fn default() -> Self {
        Self { percent: 10, least_grants: 50 }
    }
}

/// A run that was put into quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// Its number.
    pub version: Version,
    /// How it was read: complete or partial.
    pub status: SyncStatus,
    /// Why it was, in sentences without a full stop.
    pub reasons: Vec<String>,
    /// It can still be accepted.
    pub waits: bool,
}

impl Store {
    /// The same store with another brake than the usual one.
    #[must_use]
    pub fn braked(self, brake: Brake) -> Self {
        Self { brake, ..self }
    }

    /// Why a run was put into quarantine; `None` for one that never was.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn quarantine(&self, version: Version) -> Result<Option<Quarantine>, StoreError> {
        of(&mut self.pool.begin_read().await?, version).await
    }

    /// The run that waits to be accepted; `None` where nothing newer than the last version does.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn waiting(&self) -> Result<Option<Quarantine>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut found = None;
        connection
            .each(READING, columns!("WHERE packed IS NOT NULL ORDER BY sync_id DESC LIMIT 1"), &[], |row| {
                found = Some(quarantine(row)?);
                Ok(())
            })
            .await?;
        Ok(found.filter(|found: &Quarantine| found.waits))
    }
}

const READING: &str = "reading the quarantine";
const WRITING: &str = "writing to the quarantine";

fn quarantine(row: Row<'_>) -> Result<Quarantine, StoreError> {
    let reasons = row.text(2)?.unwrap_or_default();
    Ok(Quarantine {
        version: Version(row.number(0)?),
        status: SyncStatus::from_word(&row.text(1)?.unwrap_or_default()),
        reasons: serde_json::from_str(&reasons).map_err(|source| StoreError::Damaged {
            what: format!("the reasons of a quarantine: {source}"),
        })?,
        waits: row.number(3)? != 0,
    })
}

/// What the quarantine knows of a run.
pub(crate) async fn of(
    connection: &mut Connection,
    version: Version,
) -> Result<Option<Quarantine>, StoreError> {
    let mut found = None;
    connection
        .each(READING, columns!("WHERE sync_id = $1"), &[version.0.into()], |row| {
            found = Some(quarantine(row)?);
            Ok(())
        })
        .await?;
    Ok(found)
}

/// What a run would change, as it was packed.
pub(crate) async fn packed(connection: &mut Connection, version: Version) -> Result<Vec<u8>, StoreError> {
    let mut packed = Vec::new();
    let sql = "SELECT packed FROM quarantine WHERE sync_id = $1";
    connection
        .each(READING, sql, &[version.0.into()], |row| {
            packed = row.bytes(0)?.unwrap_or_default();
            Ok(())
        })
        .await?;
    Ok(packed)
}

/// Keeps a run that would change so much of the base; those before it can no longer be accepted.
pub(crate) async fn keep(
    connection: &mut Connection,
    (version, base): (Version, Version),
    status: SyncStatus,
    reasons: &[String],
    packed: Vec<u8>,
) -> Result<(), StoreError> {
    forget(connection).await?;
    let reasons = serde_json::Value::from(reasons).to_string();
    let row = [
        version.0.into(),
        base.0.into(),
        status.as_str().into(),
        Bind::from(reasons.as_str()),
        Bind::Bytes(packed),
    ];
    let head = "INSERT INTO quarantine (sync_id, base, status, reasons, packed) ";
    connection.insert(WRITING, (head, ""), [row]).await
}

/// Forgets what runs would have changed: a version was committed, or another run takes their place.
pub(crate) async fn forget(connection: &mut Connection) -> Result<(), StoreError> {
    let sql = "UPDATE quarantine SET packed = NULL WHERE packed IS NOT NULL";
    connection.execute(WRITING, sql, &[]).await.map(|_| ())
}
