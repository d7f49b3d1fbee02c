//! What was left of an account's budget of requests while a run read, as Heroku told it.
//!
//! How the budget paces requests is the client's business.
//!
//! Invariant: a figure stands for the moment at which it was looked at, and is never one that is worked out; of a long run no more
//! are kept than of a short one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metsuke_clients::Budget;
use metsuke_model::{Clock, Moment};
use serde_json::{Value, json};

/// How long after the beginning it is looked at for the first time.
const FIRST: Duration = Duration::from_millis(100);
/// Figures that are kept; with more of them, every second one goes and it is looked at half as often.
const MOST: usize = 48;

/// The figures of one run.
#[derive(Debug)]
pub(super) struct Gauge(Mutex<Told>);

#[derive(Debug)]
struct Told {
    size: u32,
    left: Vec<(Moment, u32)>,
    every: Duration,
}

impl Gauge {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Told { size: 0, left: Vec::new(), every: FIRST }))
    }

    /// Looks at the budget again and again, for as long as it is polled.
    pub(super) async fn follow<T>(&self, budget: &Budget, clock: &dyn Clock) -> T {
        // What was said before this run is of then.
        let before = budget.remaining();
        loop {
            let every = self.told().every;
            tokio::time::sleep(every).await;
            if budget.remaining() != before {
                self.note(budget, clock);
            }
        }
    }

    /// Looks at the budget now.
    pub(super) fn note(&self, budget: &Budget, clock: &dyn Clock) {
        let Some(left) = budget.remaining() else { return };
        let mut told = self.told();
        told.size = budget.size();
        if told.left.last().is_some_and(|(_, last)| *last == left) {
            return;
        }
        told.left.push((clock.now(), left));
        if told.left.len() > MOST {
            let mut place = 0;
            told.left.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            told.every = told.every.saturating_mul(2);
        }
    }

    /// The figures, as a run keeps them; none where Heroku told none.
    pub(super) fn document(&self) -> Option<Value> {
        let told = self.told();
        let left: Vec<Value> = told.left.iter().map(|(at, left)| json!({ "at": at, "left": left })).collect();
        (!left.is_empty()).then(|| json!({ "size": told.size, "left": left }))
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
