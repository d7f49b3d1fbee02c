//! A sync task: signs of life, the file, its upload.
//!
//! What is in the file is the worker's affair.
//!
//! Invariant: nothing is uploaded for a task that was given up, and the file does not outlive the task.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::diary::folder_in;
use super::finish::Ending;
use super::heartbeat::{self, Lost};
use super::perform::{Office, stopping};
use super::upload;
use super::worker::{Failed, SyncOrder, Worker};
use crate::proto::tasks::task::SyncFullTask;

impl<W: Worker> Office<W> {
    /// Syncs and uploads, with signs of life all the while.
    pub(super) async fn sync(&self, id: &str, wanted: SyncFullTask) -> Result<Ending, Lost> {
        let cancel = self.halt.child_token();
        let Some(first) = cancel.run_until_cancelled(heartbeat::first(&self.line, id)).await else {
            return Ok(Ending::Failed(stopping()));
        };
        let wait = first?;
        let lost = heartbeat::go_on(&self.line, id, wait);
        Ok(match self.until_lost(self.bring(id, wanted, &cancel), &cancel, lost).await? {
            Ok(()) => Ending::Done { response: None, annotations: Vec::new() },
            Err(failed) => Ending::Failed(failed),
        })
    }

    async fn bring(&self, id: &str, wanted: SyncFullTask, cancel: &CancellationToken) -> Result<(), Failed> {
        // Another sync may run; while this one waits, its heart beats.
        let turn = cancel.run_until_cancelled(self.syncing.acquire()).await;
        let Some(Ok(_turn)) = turn else { return Err(stopping()) };
        let folder = folder_in(self.settings.temp_dir.as_deref()).map_err(|error| {
            Failed::new(Code::Internal.into(), format!("there is no place for the file: {error}"))
        })?;
        let order = SyncOrder {
            folder: folder.path().to_owned(),
            expand: !wanted.skip_expand_grants,
            resources_only: wanted.skip_entitlements_and_grants,
            skip_grants: wanted.skip_grants,
            resources: wanted.targeted_sync_resources,
            resource_types: wanted.sync_resource_type_ids,
            storage_engine: wanted.storage_engine,
        };
        let (worker, stop) = (Arc::clone(&self.worker), cancel.clone());
        let path = self.apart(async move { worker.sync(order, stop).await }).await?;
        match cancel.run_until_cancelled(upload::file(&self.line, id, &path)).await {
            Some(sent) => sent.map_err(Failed::from),
            None => Err(stopping()),
        }
    }
}
