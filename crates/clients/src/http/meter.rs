//! Counts what a client has sent and how long it had to wait.
//!
//! It decides nothing; the [budget](super::limit) and the [retries](super::retry) do.
//!
//! Invariant: waits that overlap are counted once, so `waited` never exceeds the time that passed.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What a client has used so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Requests sent, repeated ones included.
    pub requests: u64,
    /// Requests that were sent again after an error.
    pub retries: u64,
    /// Time in which at least one call waited for the budget or for a back-off to end.
    pub waited: Duration,
    /// Whether a call is waiting in that way now.
    pub waiting: bool,
    /// How long the longest of the present waits will still last; zero when nothing waits.
    pub wait_left: Duration,
    /// Calls left in the account's pool, as Heroku last said.
    pub remaining: Option<u32>,
    /// The most requests that were in flight at one moment.
    pub peak_in_flight: usize,
}

/// The counters behind [`Usage`].
#[derive(Debug, Default)]
pub(crate) struct Meter {
    requests: AtomicU64,
    retries: AtomicU64,
    in_flight: AtomicUsize,
    peak_in_flight: AtomicUsize,
    waits: Mutex<Waits>,
}

#[derive(Debug, Default)]
struct Waits {
    active: usize,
    since: Option<Instant>,
    until: Option<Instant>,
    total: Duration,
}

impl Meter {
    pub(crate) fn usage(&self, remaining: Option<u32>) -> Usage {
        let now = Instant::now();
        let waits = self.waits();
        let running = waits.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        Usage {
            requests: self.requests.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            waited: waits.total + running,
            waiting: waits.active > 0,
            wait_left: waits.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now)),
            remaining,
            peak_in_flight: self.peak_in_flight.load(Ordering::Relaxed),
        }
    }

    /// Counts a request as sent, and as in flight until the guard is dropped.
    pub(crate) fn sent(&self) -> Flight<'_> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak_in_flight.fetch_max(now, Ordering::Relaxed);
        Flight(self)
    }

    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts time as waited until the guard is dropped; `length` is the expected length.
    pub(crate) fn waiting(&self, length: Duration) -> Wait<'_> {
        let now = Instant::now();
        let mut waits = self.waits();
        waits.active += 1;
        waits.since.get_or_insert(now);
        waits.until = waits.until.max(now.checked_add(length));
        drop(waits);
        Wait(self)
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in flight.
#[derive(Debug)]
pub(crate) struct Flight<'a>(&'a Meter);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call that waits.
#[derive(Debug)]
pub(crate) struct Wait<'a>(&'a Meter);

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut waits = self.0.waits();
        waits.active = waits.active.saturating_sub(1);
        if waits.active == 0 {
            waits.until = None;
            if let Some(since) = waits.since.take() {
                waits.total += since.elapsed();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_that_overlap_count_once() {
        let meter = Meter::default();
        let first = meter.waiting(Duration::from_secs(3));
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = meter.waiting(Duration::from_secs(1));
        assert_eq!(meter.usage(None).wait_left, Duration::from_secs(2));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(meter.usage(None).waiting);
        drop((first, second));
        tokio::time::advance(Duration::from_secs(5)).await;
        let usage = meter.usage(None);
        assert_eq!((usage.waited, usage.waiting), (Duration::from_secs(3), false));
    }
}
