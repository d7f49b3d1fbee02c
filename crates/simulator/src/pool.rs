//! The request allowance of one account: a pool refilled little by little.
//!
//! Not a limit on what is in flight.
//!
//! Invariant: the level never exceeds the capacity and never falls below zero.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How large the pool is and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests that a full pool allows.
    pub capacity: u32,
    /// Requests given back each minute, evenly.
    pub per_minute: u32,
    /// Requests left at the start.
    pub initial: u32,
}

impl Default for Allowance {
    /// Heroku's own figures: 4 500, refilled 75 a minute, full at the start.
    fn default() -> Self {
        Self { capacity: 4_500, per_minute: 75, initial: 4_500 }
    }
}

/// The pool itself.
#[derive(Debug)]
pub(crate) struct Pool {
    allowance: Allowance,
    enforced: bool,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    left: f64,
    at: Instant,
    lowest: f64,
}

impl Pool {
    pub(crate) fn new(allowance: Allowance, enforced: bool) -> Self {
        let left = f64::from(allowance.initial.min(allowance.capacity));
        Self { allowance, enforced, level: Mutex::new(Level { left, at: Instant::now(), lowest: left }) }
    }

    /// Takes `cost` requests; the answer is what is left, or `None` when there is too little.
    pub(crate) fn take(&self, cost: u32) -> Option<u32> {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let per_second = f64::from(self.allowance.per_minute) / 60.0;
        let refill = now.duration_since(level.at).as_secs_f64() * per_second;
        level.left = (level.left + refill).min(f64::from(self.allowance.capacity));
        level.at = now;
        if self.enforced {
            if level.left < f64::from(cost) {
                level.lowest = 0.0;
                return None;
            }
            level.left -= f64::from(cost);
        }
        level.lowest = level.lowest.min(level.left);
        Some(whole(level.left))
    }

    /// What is left now, taking nothing.
    pub(crate) fn left(&self) -> u32 {
        self.take(0).unwrap_or(0)
    }

    /// Sets what is left, as if another tool of the same account had used the rest.
    pub(crate) fn set(&self, left: u32) {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        level.left = f64::from(left.min(self.allowance.capacity));
        level.at = Instant::now();
    }

    pub(crate) fn lowest(&self) -> u32 {
        whole(self.level.lock().unwrap_or_else(PoisonError::into_inner).lowest)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the level is between 0 and a u32 capacity"
)]
fn whole(level: f64) -> u32 {
    level.floor().max(0.0) as u32
}
