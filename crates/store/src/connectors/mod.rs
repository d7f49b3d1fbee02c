//! The registry of connectors, in the main store.
//!
//! What each is set to, and when it is due, stands in its own store (`setting`, `schedule`).
//!
//! Invariant: a name belongs to one connector at a time, and is free again once that is removed.

mod schedule;
mod setting;

use metsuke_model::audit::NewEvent;
use metsuke_model::{ConnectorId, Moment};
use serde_json::Value;

use crate::connection::{Bind, Row};
use crate::{Store, StoreError, audit};
pub use schedule::ScheduleRow;
pub(crate) use schedule::{SYNC, replan};
pub use setting::{Credential, SettingRow};

const READING: &str = "reading connectors";
const WRITING: &str = "changing a connector";

/// How far a connector's life is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectorStatus {
    /// Its store is being made.
    Making,
    /// It is there.
    Live,
    /// What it has is being wiped.
    Removing,
    /// Nothing is left of it but its audit trail.
    Removed,
}

impl ConnectorStatus {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Making => "making",
            Self::Live => "live",
            Self::Removing => "removing",
            Self::Removed => "removed",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Making, Self::Live, Self::Removing, Self::Removed]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// A connector as the registry has it.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorRow {
    /// Its id.
    pub id: ConnectorId,
    /// Its name.
    pub name: String,
    /// How far its life is.
    pub status: ConnectorStatus,
    /// When it was added.
    pub created_at: Moment,
    /// When it was removed.
    pub removed_at: Option<Moment>,
    /// What went with it.
    pub removal: Option<Value>,
}

impl Store {
    /// Every connector that there ever was, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn connectors(&self) -> Result<Vec<ConnectorRow>, StoreError> {
        let mut rows = Vec::new();
        let sql = "SELECT id, name, status, created_at, removed_at, removal FROM connector ORDER BY id";
        self.pool
            .begin_read()
            .await?
            .each(READING, sql, &[], |row| {
                rows.push(connector(row)?);
                Ok(())
            })
            .await?;
        Ok(rows)
    }

    /// Takes a name for a new connector whose store is still to be made; `false` where the name is taken.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn register_connector(
        &self,
        id: ConnectorId,
        name: &str,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "INSERT INTO connector (id, name, name_key, status, created_at)
                   VALUES ($1, $2, $3, 'making', $4)
                   ON CONFLICT (name_key) DO NOTHING";
        let (id, key) = (id.to_string(), name.to_lowercase());
        let binds = [id.as_str().into(), name.into(), key.as_str().into(), now.0.into()];
        let taken = connection.execute(WRITING, sql, &binds).await?;
        connection.commit().await?;
        Ok(taken == 1)
    }

    /// Gives a connector another name; `false` where that is taken.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn rename_connector(
        &self,
        id: ConnectorId,
        name: &str,
        event: NewEvent,
    ) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE connector SET name = $1, name_key = $2
                    WHERE id = $3
                      AND NOT EXISTS (SELECT 1 FROM connector AS other WHERE other.name_key = $2 AND other.id <> $3)";
        let (id, key) = (id.to_string(), name.to_lowercase());
        let binds = [name.into(), key.as_str().into(), id.as_str().into()];
        let renamed = connection.execute(WRITING, sql, &binds).await?;
        if renamed == 0 {
            return Ok(false);
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// Says how far a connector's life is, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn mark_connector(
        &self,
        id: ConnectorId,
        status: ConnectorStatus,
        removed: Option<(Moment, &Value)>,
        event: Option<NewEvent>,
    ) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE connector
                      SET status = $1, removed_at = $2, removal = $3,
                          name_key = CASE WHEN $1 = 'removed' THEN NULL ELSE name_key END
                    WHERE id = $4 AND status <> 'removed'";
        let id = id.to_string();
        let binds = [
            status.as_str().into(),
            Bind::Int(removed.map(|(at, _)| at.0)),
            Bind::Text(removed.map(|(_, removal)| removal.to_string())),
            id.as_str().into(),
        ];
        let changed = connection.execute(WRITING, sql, &binds).await?;
        if changed == 0 {
            return Ok(());
        }
        if let Some(event) = event {
            audit::append(&mut connection, event).await?;
        }
        connection.commit().await
    }

    /// Forgets a connector whose store was never finished.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn forget_connector(&self, id: ConnectorId) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "DELETE FROM connector WHERE id = $1 AND status = 'making'";
        connection.execute(WRITING, sql, &[id.to_string().as_str().into()]).await?;
        connection.commit().await
    }
}

fn connector(row: Row<'_>) -> Result<ConnectorRow, StoreError> {
    let damaged = |what: &str| StoreError::Damaged { what: what.to_owned() };
    let text = |index| row.text(index).map(Option::unwrap_or_default);
    let removal = row.text(5)?.map(|text| serde_json::from_str(&text)).transpose();
    Ok(ConnectorRow {
        id: text(0)?.parse().map_err(|_| damaged("a connector has no id"))?,
        name: text(1)?,
        status: ConnectorStatus::parse(&text(2)?)
            .ok_or_else(|| damaged("a connector has an unknown status"))?,
        created_at: Moment(row.number(3)?),
        removed_at: row.int(4)?.map(Moment),
        removal: removal.map_err(|error| damaged(&format!("what went with a connector: {error}")))?,
    })
}
