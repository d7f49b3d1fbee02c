//! Keeps the estates of an installation fresh between syncs: polls audit trails, and reads again what is wanted.
//!
//! It is no job: what is wanted stands in the stores, and whoever comes first reads it.
//!
//! Invariant: a paused connector is left alone, and one connector's failure holds up no other.

use std::collections::HashMap;
use std::time::Duration;

use metsuke_model::{ConnectorId, Moment};
use tokio_util::sync::CancellationToken;

use super::{FeedSettings, audit_feed, read_again};
use crate::EngineError;
use crate::connectors::Installation;

/// How often it looks by itself.
const LOOKS: Duration = Duration::from_secs(1);
/// How often a trail is polled, in microseconds.
const POLLS: u64 = 60_000_000;
/// How long a connector is left alone after a failure, in microseconds.
const RESTS: u64 = 60_000_000;
/// Objects of one connector that are read before another has its turn.
const AT_ONCE: u32 = 20;

/// Reads between syncs.
#[derive(Debug)]
pub struct Accelerator {
    installation: Installation,
    settings: FeedSettings,
    polled: HashMap<ConnectorId, Moment>,
    failed: HashMap<ConnectorId, Moment>,
}

impl Accelerator {
    /// One for all connectors of an installation.
    #[must_use]
    pub fn new(installation: Installation, settings: FeedSettings) -> Self {
        Self { installation, settings, polled: HashMap::new(), failed: HashMap::new() }
    }

    /// Works until `stop` is cancelled; what is being read then is ended within a request's time.
    pub async fn run(mut self, stop: &CancellationToken) {
        let mut woken = self.installation.woken();
        while !stop.is_cancelled() {
            woken.mark_unchanged();
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.round() => {}
            }
            tokio::select! {
                () = stop.cancelled() => {}
                _ = woken.changed() => {}
                () = tokio::time::sleep(LOOKS) => {}
            }
        }
    }

    /// Looks once at every connector.
    pub async fn round(&mut self) {
        let connectors = match self.installation.live().await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(%error, "the connectors cannot be looked at; trying again");
                return;
            }
        };
        let now = self.installation.clock().now();
        for row in connectors {
            if self.failed.get(&row.id).is_some_and(|at| now.since(*at) < RESTS) {
                continue;
            }
            match self.one(row.id, now).await {
                Ok(()) => drop(self.failed.remove(&row.id)),
                Err(EngineError::NoConnector { .. }) => {}
                Err(error) => {
                    tracing::info!(%error, connector = %row.id, "nothing is read between syncs for a minute");
                    self.failed.insert(row.id, now);
                }
            }
        }
    }

    async fn one(&mut self, id: ConnectorId, now: Moment) -> Result<(), EngineError> {
        let store = self.installation.estate(id).await?;
        let due = self.polled.get(&id).is_none_or(|at| now.since(*at) >= POLLS);
        let wanted = !store.wanted_reads(1).await?.is_empty();
        if !(due || wanted) || store.snapshot(None).await?.is_none() {
            return Ok(());
        }
        if self.installation.connector(id).await?.paused_at.is_some() {
            return Ok(());
        }
        let heroku = self.installation.heroku(id).await?;
        if due {
            self.polled.insert(id, now);
            let feed = audit_feed(&store, &heroku, &self.settings, self.installation.clock()).await?;
            tracing::debug!(connector = %id, fresh = feed.fresh, skipped = ?feed.skipped, "the audit trail was polled");
        }
        let read = read_again(&store, &heroku, self.installation.clock(), AT_ONCE).await?;
        if read.version.is_some() || read.more {
            // New versions bring jobs with them.
            self.installation.wake();
        }
        Ok(())
    }
}
