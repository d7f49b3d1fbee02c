//! How long what is kept, and removing the rest.
//!
//! The audit trail is kept whole, always; so are plans, the list of syncs, and what each object is now.
//!
//! Invariant: what cannot be read whole any more is refused and on record before any of it is removed.

use std::collections::BTreeMap;
use std::time::Duration;

use metsuke_model::audit::EventCode;
use metsuke_model::{Clock, Moment};
use metsuke_store::{Pruned, Store};

use crate::EngineError;

/// The kind of job that removes what is not to be kept.
pub const PRUNE: &str = "prune";

/// For how long what is kept; none for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Earlier versions of the estate.
    pub versions: Option<Duration>,
    /// Runs of connectors, with their logs.
    pub runs: Option<Duration>,
    /// Jobs that have ended.
    pub jobs: Option<Duration>,
    /// Changes that were told.
    pub changes: Option<Duration>,
    /// Alerts that were delivered or given up.
    pub deliveries: Option<Duration>,
}

/// Removes from one store what is older than it is to be kept, in small transactions; says what went, by table.
///
/// Ended in the middle, it goes on where it was when it is called again.
///
/// # Errors
///
/// What the database said.
pub async fn prune(
    store: &Store,
    keep: &Keep,
    clock: &dyn Clock,
) -> Result<BTreeMap<&'static str, u64>, EngineError> {
    let now = clock.now();
    let mut pruned = Pruned::new();
    if let Some(before) = before(now, keep.versions) {
        let event = |oldest: metsuke_model::Version| {
            store
                .event(now, EventCode::HistoryPruned)
                .detail("oldest_version", oldest.0)
                .detail("before", before.to_string())
        };
        pruned.extend(store.leave_versions(before, event).await?);
    }
    if let Some(before) = before(now, keep.runs) {
        pruned.extend(store.forget_runs(before).await?);
    }
    if let Some(before) = before(now, keep.jobs) {
        pruned.extend(store.forget_ended_jobs(before).await?);
    }
    if let Some(before) = before(now, keep.changes) {
        pruned.extend(store.forget_changes(before).await?);
    }
    if let Some(before) = before(now, keep.deliveries) {
        pruned.extend(store.forget_deliveries(before).await?);
    }
    if !pruned.is_empty() {
        let rows: u64 = pruned.values().sum();
        tracing::info!(rows, "removed what is not to be kept");
    }
    Ok(pruned)
}

fn before(now: Moment, keep: Option<Duration>) -> Option<Moment> {
    let micros = i64::try_from(keep?.as_micros()).ok()?;
    Some(Moment(now.0.saturating_sub(micros)))
}
