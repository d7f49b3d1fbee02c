//! Runs of estates with what each read, and those that wait to be accepted.

use metsuke_model::{Changes, Counts, Moment, ScopeReport, SyncStatus, Version};
use metsuke_store::{StoreError, SyncRow};
use serde::{Deserialize, Serialize};

use super::{Desk, Estate, Listing, Timed};
use crate::EngineError;
use crate::identity::Caller;
use crate::people;

/// Syncs, newest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Syncs {}

/// One sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncLine {
    /// Its number.
    pub version: Version,
    /// How it ended.
    pub status: SyncStatus,
    /// When it began.
    pub started_at: Moment,
    /// When it ended.
    pub finished_at: Moment,
    /// How long it took.
    pub duration_ms: u64,
    /// How often Heroku was asked.
    pub requests: u64,
    /// How long it waited for the budget.
    pub waited_ms: u64,
    /// How much there was.
    pub counts: Counts,
    /// What differed.
    pub changes: Changes,
    /// Why it failed.
    pub error: Option<String>,
}

/// One sync with its listings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SyncShown {
    /// The sync.
    pub sync: SyncLine,
    /// What each listing came to.
    pub scopes: Vec<ScopeReport>,
    /// Why it was put into quarantine, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Held>,
}

/// Why a sync was put into quarantine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Held {
    /// How it was read.
    pub status: SyncStatus,
    /// Why it was, in sentences.
    pub reasons: Vec<String>,
    /// It can still be accepted.
    pub waits: bool,
}

impl From<SyncRow> for SyncLine {
    fn from(row: SyncRow) -> Self {
        Self {
            version: row.version,
            status: row.status,
            started_at: row.started_at,
            finished_at: row.finished_at,
            duration_ms: row.finished_at.since(row.started_at) / 1_000,
            requests: row.requests,
            waited_ms: row.waited_ms,
            counts: row.counts,
            changes: row.changes,
            error: row.error,
        }
    }
}

impl Listing for Syncs {
    type Row = SyncLine;
    type Key = Version;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&Version>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<SyncLine>), EngineError> {
        let most = match after {
            None => u32::try_from(count).unwrap_or(u32::MAX),
            Some(_) => u32::MAX,
        };
        let mut rows = estate.store.syncs(most).await?;
        rows.retain(|row| after.is_none_or(|after| row.version < *after));
        rows.truncate(count);
        Ok((None, rows.into_iter().map(SyncLine::from).collect()))
    }

    fn key(&self, row: &SyncLine) -> Version {
        row.version
    }
}

impl Timed for Syncs {
    fn at(&self, row: &SyncLine) -> Moment {
        row.finished_at
    }
}

impl Desk {
    /// One sync of an estate.
    ///
    /// # Errors
    ///
    /// As [`estate`](Self::estate); [`EngineError::Unknown`].
    pub async fn sync(&self, connector: Option<&str>, version: Version) -> Result<SyncShown, EngineError> {
        let estate = self.estate(connector).await?;
        shown(&estate, version).await
    }

    /// Makes the sync that waits in quarantine the newest version.
    ///
    /// # Errors
    ///
    /// As [`sync`](Self::sync), and where it cannot be accepted.
    pub async fn accept_sync(
        &self,
        caller: &Caller,
        connector: Option<&str>,
        version: Version,
    ) -> Result<SyncShown, EngineError> {
        let estate = self.estate(connector).await?;
        let store = estate.store.clone().acting_as(caller.actor());
        shown(&estate, version).await?;
        store.accept(version, self.installation().clock()).await.map_err(|error| match error {
            StoreError::NotAcceptable { .. } => {
                EngineError::Refused { reason: error.to_string(), hint: error.hint() }
            }
            error => error.into(),
        })?;
        people::renew(&store).await;
        // What follows each version follows this one.
        self.installation().wake();
        shown(&estate, version).await
    }
}

async fn shown(estate: &Estate, version: Version) -> Result<SyncShown, EngineError> {
    let unknown = || EngineError::Unknown { what: "sync", asked: version.to_string() };
    let sync = estate.store.sync(version).await?.ok_or_else(unknown)?;
    let held = estate.store.quarantine(version).await?;
    Ok(SyncShown {
        sync: sync.into(),
        scopes: estate.store.scopes(version).await?,
        quarantine: held.map(|held| Held { status: held.status, reasons: held.reasons, waits: held.waits }),
    })
}
