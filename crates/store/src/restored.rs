//! The mark that a store bears after it was restored, until what it says of Heroku was held against Heroku.
//!
//! What may not be done meanwhile is decided above.
//!
//! Invariant: the mark goes only after a whole sync, with no step of a plan left open, and with an event.

use metsuke_model::audit::NewEvent;
use metsuke_model::{Moment, Version};
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::{Store, StoreError, audit, settings};

const RESTORED: &str = "restored";
const READING: &str = "reading whether the store was restored";
const WRITING: &str = "changing whether the store was restored";

/// A store that was restored and not reconciled yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// When it was restored.
    pub at: Moment,
    /// When the backup was made.
    pub made_at: Moment,
    /// The first version that was read from Heroku since.
    pub synced: Option<Version>,
}

/// Says that the store was restored now.
pub(crate) async fn mark(connection: &mut Connection, at: Moment, made_at: Moment) -> Result<(), StoreError> {
    write(connection, Restored { at, made_at, synced: None }).await
}

/// Ends what was open in browsers: some of it may have been ended since the backup was made.
pub(crate) async fn end_sessions(connection: &mut Connection) -> Result<(), StoreError> {
    for sql in ["DELETE FROM sign_in_session", "DELETE FROM setup_link"] {
        connection.execute(WRITING, sql, &[]).await?;
    }
    Ok(())
}

async fn write(connection: &mut Connection, restored: Restored) -> Result<(), StoreError> {
    let document = json!({
        "at": restored.at.0,
        "made_at": restored.made_at.0,
        "synced": restored.synced.map(|version| version.0),
    });
    settings::put(connection, WRITING, RESTORED, &document.to_string()).await
}

async fn read(connection: &mut Connection) -> Result<Option<Restored>, StoreError> {
    let text = settings::text(connection, READING, RESTORED).await?;
    let parse = |text: String| -> Option<Restored> {
        let document: Value = serde_json::from_str(&text).ok()?;
        Some(Restored {
            at: Moment(document.get("at")?.as_i64()?),
            made_at: Moment(document.get("made_at")?.as_i64()?),
            synced: document.get("synced")?.as_i64().map(Version),
        })
    };
    let damaged = || StoreError::Damaged { what: "the mark of a restore".to_owned() };
    text.map(|text| parse(text).ok_or_else(damaged)).transpose()
}

impl Store {
    /// Whether the store was restored and not reconciled since.
    ///
    /// # Errors
    ///
    /// What the database said; a mark that cannot be read is an error.
    pub async fn restored(&self) -> Result<Option<Restored>, StoreError> {
        read(&mut self.pool.begin_read().await?).await
    }

    /// Notes that the estate was read from Heroku anew; nothing to note where the store was not restored.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn read_anew(&self, version: Version) -> Result<(), StoreError> {
        if self.restored().await?.is_none_or(|restored| restored.synced.is_some()) {
            return Ok(());
        }
        let mut connection = self.begin_write().await?;
        if let Some(restored) = read(&mut connection).await?.filter(|restored| restored.synced.is_none()) {
            write(&mut connection, Restored { synced: Some(version), ..restored }).await?;
        }
        connection.commit().await
    }

    /// Takes the mark away where the estate was read anew and no step of a plan is open; `false` where it has to stay.
    ///
    /// # Errors
    ///
    /// What the database said; the mark stays then.
    pub async fn reconciled(&self, event: NewEvent) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let Some(restored) = read(&mut connection).await? else { return Ok(true) };
        let mut open = 0;
        let sql = "SELECT COUNT(*) FROM plan_step WHERE status IN ('intent', 'sent', 'confirmed', 'unknown')";
        connection
            .each(READING, sql, &[], |row| {
                open = row.count(0)?;
                Ok(())
            })
            .await?;
        if restored.synced.is_none() || open > 0 {
            return Ok(false);
        }
        connection.execute(WRITING, "DELETE FROM setting WHERE name = $1", &[RESTORED.into()]).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }
}
