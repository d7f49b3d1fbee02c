//! Asking for an upload of the newest version to `JupiterOne`.
//!
//! What is uploaded, and how often it is tried, is the [`supervisor`](crate::supervisor)'s.
//!
//! Invariant: of one connector there is one open upload of its newest version at most; whoever asks for another gets that one.

use metsuke_model::audit::{Actor, EventCode};
use metsuke_model::{ConnectorId, JobId};
use metsuke_store::NewJob;
use serde_json::json;

use super::Installation;
use crate::EngineError;
use crate::jobs::UPLOAD;

/// The key of uploads that somebody asked for.
const ASKED: &str = "asked";

impl Installation {
    /// Asks for an upload of the newest version now; where one of it is open, that is the answer.
    ///
    /// Tells which job does it, and whether it was made for this.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoUpload`] where the connector is not set to upload anything, has no key for it, or was never read;
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn upload_now(&self, by: &Actor, id: ConnectorId) -> Result<(JobId, bool), EngineError> {
        let connector = self.connector(id).await?;
        let refused = |why| EngineError::NoUpload { name: connector.name.clone(), why };
        if connector.settings.after_sync.jupiterone.is_none() {
            return Err(refused("its settings name no account of JupiterOne"));
        }
        if self.jupiterone_key(id).await?.is_none() {
            return Err(refused("it has no key of JupiterOne's API"));
        }
        let store = self.estate(id).await?.acting_as(by.clone());
        let snapshot = store.snapshot(None).await?.ok_or_else(|| refused("it was never read"))?;
        let newest = snapshot.sync().version;
        drop(snapshot);
        let now = self.now();
        let job = NewJob {
            id: JobId::new(now, self.chance()?),
            kind: UPLOAD,
            dedup: Some(ASKED.to_owned()),
            document: json!({}),
            run_at: now,
            created_at: now,
        };
        let event =
            store.event(now, EventCode::ConnectorUploadAsked).about("connector", id).about("job", job.id);
        // The one that the newest version brought with it may be open still.
        let asked = store.ask_job(&job, Some(&newest.to_string()), event).await?;
        self.wake();
        Ok(asked)
    }
}
