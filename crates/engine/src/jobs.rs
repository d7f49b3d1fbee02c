//! What is done in the background: kinds of jobs, what carries them out, and when they are tried again.
//!
//! The queue is the store's; taking jobs from it and keeping their leases is the supervisor's.
//!
//! Invariant: a handler writes through [`Work::store`] only. That store refuses every write once another worker has
//! the job.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use metsuke_model::{ConnectorId, Moment};
use metsuke_store::{Claim, Store};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub use metsuke_store::{Job, JobSelect, JobStatus, NewJob};

use crate::connectors::Installation;

/// The kind of job that syncs a connector.
pub const SYNC: &str = "sync";
/// The kind of job that evaluates rules on a new version.
pub const EVALUATE: &str = "evaluate";
/// The kind of job that tells the changes of a new version.
pub const CHANGES: &str = "changes";
/// The kind of job that uploads a new version to JupiterOne, where the connector is set so.
pub const UPLOAD: &str = "upload";
/// The kind of job that writes a new version as a c1z file, where the connector is set so.
pub const EXPORT: &str = "export";

/// The kinds of jobs that each new version of a connector brings with it, in the transaction that commits it. Their
/// document is `{"version": N}`.
pub const FOLLOW_UPS: &[&str] = &[CHANGES, EVALUATE, UPLOAD, EXPORT];

/// How often a job is tried, where its handler says nothing else.
pub const ATTEMPTS: u32 = 8;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// The job is done.
    Finished(Option<Value>),
    /// It is to be tried again, unless it was tried too often already.
    Retry {
        /// Not before so long.
        after: Duration,
        /// What went wrong.
        why: String,
    },
    /// There is no use in trying again.
    Dead {
        /// What went wrong.
        why: String,
    },
    /// It was ended before it came to anything, and goes back as if it had not been taken.
    GivenBack,
    /// The handler has settled it in a transaction of its own.
    Settled,
}

/// Why a job is to end before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The program stops.
    Program,
    /// Somebody asked for it.
    Asked,
    /// Another worker has the job, or it is there no more.
    LeaseLost,
}

/// A job in the hands of a worker.
#[derive(Clone, Debug)]
pub struct Work {
    /// Where it is done.
    pub installation: Installation,
    /// The connector in whose store the job stands; none for the main store.
    pub connector: Option<ConnectorId>,
    /// That store, for as long as the job is this worker's.
    pub store: Store,
    /// The job.
    pub job: Job,
    /// The worker's hold on it.
    pub claim: Claim,
    /// Cancelled when it is to end before its end.
    pub cancel: CancellationToken,
    pub(crate) stop: Arc<OnceLock<Stop>>,
}

impl Work {
    /// Why it is to end before its end; none while it may go on.
    #[must_use]
    pub fn stopped(&self) -> Option<Stop> {
        self.stop.get().copied()
    }

    /// The version that the job follows, for one of [`FOLLOW_UPS`].
    #[must_use]
    pub fn version(&self) -> Option<metsuke_model::Version> {
        self.job.document.get("version").and_then(Value::as_i64).map(metsuke_model::Version)
    }
}

/// Carries out the jobs of one kind. Of one connector it has one at a time, in the order in which they are due.
pub trait Handler: Send + Sync {
    /// The kind.
    fn kind(&self) -> &'static str;

    /// How often a job is tried before it is given up, crashes included.
    fn attempts(&self) -> u32 {
        ATTEMPTS
    }

    /// Carries it out. It ends soon after [`Work::cancel`] is cancelled, at the latest some seconds after.
    fn carry_out<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Done>;
}

/// How long to wait after the attempt of this number, 1 for the first: `first`, twice as long each time, at most `most`.
#[must_use]
pub fn backoff(attempt: u32, first: Duration, most: Duration) -> Duration {
    let doubled = 2_u32.checked_pow(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(doubled).min(most)
}

/// The moment so long after another.
#[must_use]
pub fn later(now: Moment, wait: Duration) -> Moment {
    Moment(now.0.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let wait = |attempt| backoff(attempt, Duration::from_secs(5), Duration::from_mins(1)).as_secs();
        assert_eq!([1, 2, 3, 4, 5, 80].map(wait), [5, 10, 20, 40, 60, 60]);
    }
}
