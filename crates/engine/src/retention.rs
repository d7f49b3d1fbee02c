//! How long what is kept, and removing the rest.
//!
//! The audit trail is kept whole, always; so are plans, the list of syncs, and what each object is now.
//!
//! Invariant: what cannot be read whole any more is refused and on record before any of it is removed.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::BoxFuture;
use metsuke_model::audit::EventCode;
use metsuke_model::{Clock, JobId, Moment};
use metsuke_store::{Pruned, Store};
use serde_json::json;

use crate::EngineError;
use crate::connectors::Installation;
use crate::jobs::{Done, Handler, NewJob, Work, backoff};

/// The kind of job that removes what is not to be kept.
pub const PRUNE: &str = "prune";
/// Microseconds.
const DAY: i64 = 24 * 3_600_000_000;

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

/// Carries out [`PRUNE`] jobs; each puts the next day's into the queue.
#[derive(Clone, Copy, Debug)]
pub struct Pruner {
    /// For how long what is kept.
    pub keep: Keep,
}

impl Handler for Pruner {
    fn kind(&self) -> &'static str {
        PRUNE
    }

    fn carry_out<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Done> {
        Box::pin(self.carry_out_one(work))
    }
}

impl Pruner {
    async fn carry_out_one(&self, work: &Work) -> Done {
        let clock = work.installation.clock();
        let pruned = tokio::select! {
            pruned = prune(&work.store, &self.keep, clock) => pruned,
            () = work.cancel.cancelled() => return Done::GivenBack,
        };
        let next = plan(&work.installation, &work.store, clock.now().0.saturating_add(DAY)).await;
        match pruned.and_then(|pruned| next.map(|()| pruned)) {
            Ok(pruned) => Done::Finished(Some(json!(pruned))),
            Err(error) => {
                let after = backoff(work.job.attempt, Duration::from_mins(1), Duration::from_hours(1));
                Done::Retry { after, why: error.to_string() }
            }
        }
    }
}

/// Puts today's job into the queue of the main store and of every connector's, where it is not there; for the start of a
/// server.
///
/// # Errors
///
/// What the databases said.
pub async fn plan_today(installation: &Installation) -> Result<(), EngineError> {
    let now = installation.clock().now().0;
    plan(installation, installation.main(), now).await?;
    for row in installation.live().await? {
        plan(installation, &installation.estate(row.id).await?, now).await?;
    }
    Ok(())
}

/// One job for each store and day.
async fn plan(installation: &Installation, store: &Store, at: i64) -> Result<(), EngineError> {
    let now = installation.clock().now();
    let day = at.div_euclid(DAY);
    let job = NewJob {
        id: JobId::new(now, installation.chance()?),
        kind: PRUNE,
        dedup: Some(day.to_string()),
        document: json!({ "day": day }),
        run_at: Moment(now.0.max(day.saturating_mul(DAY))),
        created_at: now,
    };
    store.insert_job(&job).await?;
    Ok(())
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
