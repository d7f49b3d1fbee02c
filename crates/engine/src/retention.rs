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
use metsuke_store::{JobSelect, Pruned, Store};
use serde::Serialize;
use serde_json::json;

use crate::EngineError;
use crate::connectors::Installation;
use crate::jobs::{Done, Handler, NewJob, Work, backoff};

/// The kind of job that removes what is not to be kept.
pub const PRUNE: &str = "prune";
/// Jobs among which a day's is looked for: those of the last days.
const KNOWN: u32 = 16;
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

/// What went from one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// `main`, or the connector's name.
    pub store: String,
    /// Rows by table; tables of which nothing went are left out.
    pub rows: BTreeMap<&'static str, u64>,
}

/// Carries out the [`PRUNE`] job of a day, for every store of the installation, and puts the next day's into the queue.
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
        let installation = &work.installation;
        let pruned = tokio::select! {
            pruned = every_store(installation, &work.store, &self.keep) => pruned,
            () = work.cancel.cancelled() => return Done::GivenBack,
        };
        let next = plan(installation, installation.now().0.saturating_add(DAY)).await;
        match pruned.and_then(|pruned| next.map(|()| pruned)) {
            Ok(pruned) => Done::Finished(Some(json!(pruned))),
            Err(error) => {
                let after = backoff(work.job.attempt, Duration::from_mins(1), Duration::from_hours(1));
                Done::Retry { after, why: error.to_string() }
            }
        }
    }
}

/// Puts today's job into the queue of the main store, unless some process did so already; for the start of a server.
///
/// # Errors
///
/// What the database said.
pub async fn plan_today(installation: &Installation) -> Result<(), EngineError> {
    plan(installation, installation.now().0).await
}

/// One job for each day.
async fn plan(installation: &Installation, at: i64) -> Result<(), EngineError> {
    let now = installation.now();
    let day = at.div_euclid(DAY);
    let dedup = Some(day.to_string());
    let known = JobSelect { status: None, kind: Some(PRUNE.to_owned()), before: None, limit: KNOWN };
    if installation.main().jobs(&known).await?.iter().any(|job| job.dedup == dedup) {
        return Ok(());
    }
    let job = NewJob {
        id: JobId::new(now, installation.chance()?),
        kind: PRUNE,
        dedup,
        document: json!({ "day": day }),
        run_at: Moment(now.0.max(day.saturating_mul(DAY))),
        created_at: now,
    };
    installation.main().insert_job(&job).await?;
    Ok(())
}

/// Removes from the main store and from every live connector's what is older than it is to be kept; says what went.
///
/// A store that cannot be pruned does not keep the others from it.
///
/// # Errors
///
/// The first thing that a database said.
pub async fn prune_all(installation: &Installation, keep: &Keep) -> Result<Vec<Gone>, EngineError> {
    every_store(installation, installation.main(), keep).await
}

async fn every_store(
    installation: &Installation,
    main: &Store,
    keep: &Keep,
) -> Result<Vec<Gone>, EngineError> {
    let clock = installation.clock();
    let mut ended = vec![("main".to_owned(), prune(main, keep, clock).await)];
    for row in installation.live().await? {
        let pruned = match installation.estate(row.id).await {
            Ok(estate) => prune(&estate, keep, clock).await,
            Err(error) => Err(error),
        };
        ended.push((row.name, pruned));
    }
    let mut gone = Vec::new();
    let mut first = None;
    for (store, pruned) in ended {
        match pruned {
            Ok(rows) if rows.is_empty() => {}
            Ok(rows) => gone.push(Gone { store, rows }),
            // It was removed meanwhile.
            Err(EngineError::NoConnector { .. }) => {}
            Err(error) => {
                tracing::warn!(%error, store, "what is not to be kept could not be removed");
                first = first.or(Some(error));
            }
        }
    }
    first.map_or(Ok(gone), Err)
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
        pruned.extend(store.forget_alerts(before).await?);
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
