//! Time as an argument: the one place that asks the machine what time it is.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::Moment;

/// Tells the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present moment.
    fn now(&self) -> Moment;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else takes the time from"
    )]
    fn now(&self) -> Moment {
        Moment::from(jiff::Timestamp::now())
    }
}

/// A clock that a test sets and moves by hand.
#[derive(Debug, Default)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that stands at `moment`.
    #[must_use]
    pub fn at(moment: Moment) -> Self {
        Self(AtomicI64::new(moment.0))
    }

    /// Moves the clock forward by `micros` microseconds.
    pub fn advance(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}
