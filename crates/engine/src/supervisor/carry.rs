//! Carries out one job: keeps its lease while its handler works, and writes down what became of it.
//!
//! Invariant: what became of it is written only while the job is this worker's.

use std::sync::Arc;
use std::time::Duration;

use metsuke_store::{Claim, Job, Settled, Store, StoreError};

use tracing::Instrument as _;

use super::Place;
use super::running::Handle;
use crate::connectors::Installation;
use crate::jobs::{Done, Handler, Stop, Work, later};

/// Beats in the time of a lease.
const BEATS: u32 = 3;

/// A job that has ended.
pub(super) struct Carried {
    pub(super) kind: String,
    /// Why it could not be written down what became of it.
    pub(super) error: Option<StoreError>,
}

/// A worker's hold on a job that it has just taken.
pub(super) fn claim(job: &Job, lease: Duration) -> Claim {
    Claim { job: job.id, fence: job.fence, lease }
}

/// Carries a job out to its end.
pub(super) async fn carry(
    installation: Installation,
    handler: Arc<dyn Handler>,
    connector: Place,
    store: Store,
    job: Job,
    lease: Duration,
) -> Carried {
    let (kind, id, claim) = (job.kind.clone(), job.id, claim(&job, lease));
    let handle = Handle::new(connector, &kind);
    installation.running().insert(id, handle.clone());
    let work = Work {
        store: store.clone().held_by(claim),
        cancel: handle.cancel.clone(),
        stop: Arc::clone(&handle.why),
        installation: installation.clone(),
        connector,
        claim,
        job,
    };
    let span = tracing::info_span!(
        "job",
        job.id = %id,
        job.kind = kind,
        job.attempt = work.job.attempt,
        connector.id = connector.map(|connector| connector.to_string()),
    );
    let done = if work.job.attempt > handler.attempts() {
        Done::Dead { why: "every program that took it up went away before its end".to_owned() }
    } else {
        // Side by side: the handler must not stand still while a lease is renewed, for it may hold the database.
        let beating = async {
            let mut beat = tokio::time::interval(lease / BEATS);
            loop {
                beat.tick().await;
                keep(&installation, &store, &claim, &handle).await;
            }
        };
        tokio::select! {
            done = handler.carry_out(&work).instrument(span) => done,
            () = beating => Done::GivenBack,
        }
    };
    installation.running().remove(&id);
    let now = installation.now();
    let error = match settled(done, &work, handler.attempts()) {
        Some(settled) => match store.settle_job(&claim, &settled, now).await {
            Err(StoreError::LeaseLost) | Ok(()) => None,
            Err(error) => Some(error),
        },
        None => None,
    };
    installation.wake();
    Carried { kind, error }
}

/// Renews the lease, and passes on what others want of the job.
async fn keep(installation: &Installation, store: &Store, claim: &Claim, handle: &Handle) {
    match store.renew_job(claim, installation.clock()).await {
        Ok(false) => {}
        Ok(true) => handle.stop(Stop::Asked),
        // A handler that settles its job by itself is done with it before it returns.
        Err(StoreError::LeaseLost) => handle.stop(Stop::LeaseLost),
        Err(error) => tracing::warn!(%error, "a job's lease could not be renewed; trying again"),
    }
}

/// What is to be written down; nothing where the handler has done so.
fn settled(done: Done, work: &Work, attempts: u32) -> Option<Settled> {
    match done {
        Done::Finished(result) => Some(Settled::Finished(result)),
        Done::Dead { why } => Some(Settled::Dead { why }),
        Done::Retry { why, .. } if work.job.attempt >= attempts => Some(Settled::Dead { why }),
        Done::Retry { after, why } => {
            Some(Settled::Again { run_at: later(work.installation.now(), after), why })
        }
        Done::GivenBack => Some(Settled::GivenBack),
        Done::Settled => None,
    }
}
