//! What the simulator has been asked so far.
//!
//! Not a log file: the list of requests is bounded and forgets the oldest.
//!
//! Invariant: a request is counted once, when it arrives, whatever becomes of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// Requests remembered one by one.
const REMEMBERED: usize = 20_000;

/// One request and its status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Seen {
    /// Its number, from 1.
    pub number: u64,
    /// `GET`, `POST`, ….
    pub method: String,
    /// Path and query as they were sent.
    pub path: String,
    /// The `Range` header.
    pub range: Option<String>,
    /// The `Accept` header.
    pub accept: Option<String>,
    /// What was answered; 0 until the answer is made, and when the connection was reset.
    pub status: u16,
    /// Bytes of the body that was answered.
    pub bytes: u64,
    /// The fault that struck, by name.
    pub fault: Option<&'static str>,
}

/// Counters at one moment.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Requests since the start, or since the last reset.
    pub requests: u64,
    /// Requests by method and path pattern, such as `GET /teams/{}/members`.
    pub by_route: BTreeMap<String, u64>,
    /// Answers by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Bytes of bodies answered.
    pub bytes: u64,
    /// Most requests worked on at the same moment.
    pub max_in_flight: usize,
    /// The smallest `RateLimit-Remaining` so far.
    pub lowest_remaining: u32,
    /// `RateLimit-Remaining` now.
    pub remaining: u32,
    /// The latest requests, oldest first, at most 20 000.
    pub log: Vec<Seen>,
}

/// The counters themselves.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    number: u64,
    in_flight: usize,
    log: VecDeque<Seen>,
    totals: Stats,
}

impl Ledger {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request that has arrived and gives it its number.
    pub(crate) fn arrive(&self, mut seen: Seen, route: String) -> u64 {
        let mut inner = self.inner();
        inner.number += 1;
        inner.in_flight += 1;
        seen.number = inner.number;
        let in_flight = inner.in_flight;
        inner.totals.requests += 1;
        inner.totals.max_in_flight = inner.totals.max_in_flight.max(in_flight);
        *inner.totals.by_route.entry(route).or_default() += 1;
        if inner.log.len() >= REMEMBERED {
            inner.log.pop_front();
        }
        inner.log.push_back(seen);
        inner.number
    }

    /// Notes what a request was answered.
    pub(crate) fn answer(&self, number: u64, status: u16, bytes: u64, fault: Option<&'static str>) {
        let mut inner = self.inner();
        *inner.totals.by_status.entry(status).or_default() += 1;
        inner.totals.bytes += bytes;
        if let Some(seen) = inner.log.iter_mut().rev().find(|seen| seen.number == number) {
            seen.status = status;
            seen.bytes = bytes;
            seen.fault = fault;
        }
    }

    pub(crate) fn leave(&self) {
        let mut inner = self.inner();
        inner.in_flight = inner.in_flight.saturating_sub(1);
    }

    pub(crate) fn totals(&self) -> Stats {
        let inner = self.inner();
        Stats { log: inner.log.iter().cloned().collect(), ..inner.totals.clone() }
    }

    /// Forgets everything but the numbering, so that `n:17` keeps its meaning.
    pub(crate) fn reset(&self) {
        let mut inner = self.inner();
        inner.totals = Stats::default();
        inner.log.clear();
    }
}
