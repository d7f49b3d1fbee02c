//! One account's share of the rate limit: a token bucket that follows what the server reports.
//!
//! It does not retry and does not know why a request is sent.
//!
//! Invariant: no request of [`Share::AboveReserve`] is let go when the server's count could thereby fall
//! under the reserve, and none at all when the pool could be empty. While the count is unknown (at the
//! start, after a 429) one request at a time goes out to learn it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::meter::Meter;

/// The longest single sleep; whoever sleeps looks again afterwards.
const LONGEST_SLEEP: Duration = Duration::from_hours(1);

/// How much of the pool a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// All but the reserve.
    AboveReserve,
    /// The reserve as well: for what should not wait until a sync is through.
    Whole,
}

/// The budget of one Heroku account, shared by every client that uses a token of that account.
///
/// Source: <https://devcenter.heroku.com/articles/platform-api-reference#rate-limits>
#[derive(Debug)]
pub struct Budget {
    size: u32,
    pool: f64,
    reserve: f64,
    per_second: f64,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// Tokens that are surely left on the server, as of `at`.
    level: f64,
    at: Instant,
    /// Whether `level` can be believed.
    known: bool,
    /// Nothing goes out before this moment.
    resume: Option<Instant>,
    /// Requests let go so far; the number of the newest.
    granted: u64,
    /// Requests let go that have not been answered.
    open: u64,
    /// The newest request whose answer corrected the level.
    newest: u64,
    remaining: Option<u32>,
}

impl Budget {
    /// A full bucket of `pool` tokens; `reserve` is the part (0 to 1) that syncs leave alone.
    #[must_use]
    pub fn new(pool: u32, refill_per_minute: u32, reserve: f64) -> Self {
        let size = pool;
        let pool = f64::from(pool);
        Self {
            size,
            pool,
            reserve: pool * reserve.clamp(0.0, 0.99),
            per_second: f64::from(refill_per_minute) / 60.0,
            state: Mutex::new(State {
                level: pool,
                at: Instant::now(),
                known: false,
                resume: None,
                granted: 0,
                open: 0,
                newest: 0,
                remaining: None,
            }),
            changed: Notify::new(),
        }
    }

    /// Calls left in the pool, as the server last said.
    #[must_use]
    pub fn remaining(&self) -> Option<u32> {
        self.state().remaining
    }

    /// The size of the pool.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// How long the pool takes to be full again, if nobody asks for anything: from what Heroku reported last.
    #[must_use]
    pub fn full_in(&self) -> Duration {
        let missing = self.size.saturating_sub(self.remaining().unwrap_or(self.size));
        Duration::try_from_secs_f64(f64::from(missing) / self.per_second).unwrap_or(Duration::MAX)
    }

    /// Waits until one more request could go out; [`take`](Self::take) then says whether it still can.
    ///
    /// Nothing is taken from the budget.
    pub(crate) async fn ready(&self, share: Share, meter: &Meter) {
        let mut waiting = None;
        loop {
            // The wake-up is asked for before the state is read, so that no change is missed.
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let look = self.look(&mut self.state(), share);
            match look {
                Ok(()) => return,
                Err(None) => changed.await,
                Err(Some(wait)) => {
                    waiting.get_or_insert_with(|| meter.waiting(wait));
                    tokio::select! {
                        () = tokio::time::sleep(wait.min(LONGEST_SLEEP)) => {}
                        () = changed => {}
                    }
                }
            }
        }
    }

    /// Lets nothing out for `wait` from now.
    pub(crate) fn pause(&self, wait: Duration) {
        let mut state = self.state();
        state.resume = state.resume.max(Instant::now().checked_add(wait));
    }

    /// Leave to send one request now; none when that must wait.
    pub(crate) fn take(self: &Arc<Self>, share: Share) -> Option<Pass> {
        let mut state = self.state();
        self.look(&mut state, share).ok()?;
        let others = state.open;
        state.level = (state.level - 1.0).max(0.0);
        state.granted += 1;
        state.open += 1;
        Some(Pass { budget: Arc::clone(self), number: state.granted, others, open: true })
    }

    /// Whether a request may go out now, or how long to wait; `None` when only an answer can tell.
    fn look(&self, state: &mut State, share: Share) -> Result<(), Option<Duration>> {
        let now = Instant::now();
        let refilled = now.saturating_duration_since(state.at).as_secs_f64() * self.per_second;
        state.level = (state.level + refilled).min(self.pool);
        state.at = now;
        if let Some(resume) = state.resume {
            if now < resume {
                return Err(Some(resume - now));
            }
            state.resume = None;
        }
        if state.known {
            let floor = match share {
                Share::AboveReserve => self.reserve,
                Share::Whole => 0.0,
            };
            let missing = floor + 1.0 - state.level;
            if missing > 0.0 {
                return Err(Some(self.time_for(missing)));
            }
        } else if state.open > 0 {
            return Err(None);
        }
        Ok(())
    }

    fn time_for(&self, tokens: f64) -> Duration {
        // One millisecond more, lest rounding wake the sleeper a moment too soon.
        Duration::try_from_secs_f64(tokens / self.per_second)
            .map_or(LONGEST_SLEEP, |wait| wait.saturating_add(Duration::from_millis(1)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to send one request.
#[derive(Debug)]
pub(crate) struct Pass {
    budget: Arc<Budget>,
    number: u64,
    /// Requests that were unanswered when this one was let go.
    others: u64,
    open: bool,
}

impl Pass {
    /// Corrects the bucket from the head of this request's answer.
    pub(crate) fn answered(&mut self, status: u16, remaining: Option<u32>) {
        let budget = Arc::clone(&self.budget);
        let mut state = budget.state();
        self.close(&mut state);
        if let Some(remaining) = remaining
            && self.number > state.newest
        {
            // Every other request that was on its way during this one's life may have been counted
            // after it, so all of them are taken off: what is left is surely there.
            let overlap = self.others + (state.granted - self.number);
            let overlap = f64::from(u32::try_from(overlap).unwrap_or(u32::MAX));
            state.level = (f64::from(remaining) - overlap).clamp(0.0, budget.pool);
            state.at = Instant::now();
            state.newest = self.number;
            state.remaining = Some(remaining);
            state.known = true;
        }
        if status == 429 && remaining.is_none_or(|left| f64::from(left) <= budget.reserve) {
            // A server that never told its count gets the pause of the 429 only.
            if state.remaining.is_some() {
                state.level = 0.0;
            }
            state.known = false;
        } else if remaining.is_none() && (200..300).contains(&status) {
            state.known = true;
        }
        drop(state);
        budget.changed.notify_waiters();
    }

    fn close(&mut self, state: &mut State) {
        if std::mem::take(&mut self.open) {
            state.open = state.open.saturating_sub(1);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.open {
            let budget = Arc::clone(&self.budget);
            self.close(&mut budget.state());
            budget.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
