//! How long something takes that is not the same each time.
//!
//! Not the waiting itself.
//!
//! Invariant: a drawn time lies within the bounds, and the same seed and draw give the same time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::SimulatorError;
use crate::value::mix;

/// A time that is fixed, or drawn anew between two bounds.
///
/// As text: milliseconds, `1500`, or two bounds, `0..20000`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Delay {
    least: Duration,
    most: Duration,
}

impl Delay {
    /// Nothing at all.
    pub const NONE: Self = Self::exactly(Duration::ZERO);

    /// Always this long.
    #[must_use]
    pub const fn exactly(time: Duration) -> Self {
        Self { least: time, most: time }
    }

    /// Anything from nothing to this long.
    #[must_use]
    pub const fn up_to(most: Duration) -> Self {
        Self { least: Duration::ZERO, most }
    }

    /// Anything between the two, in either order.
    #[must_use]
    pub fn between(one: Duration, other: Duration) -> Self {
        Self { least: one.min(other), most: one.max(other) }
    }

    /// The longest that it can be.
    #[must_use]
    pub const fn most(self) -> Duration {
        self.most
    }

    /// The time of one draw, to the millisecond.
    pub(crate) fn draw(self, seed: u64, draw: u64) -> Duration {
        let span = u64::try_from(self.most.saturating_sub(self.least).as_millis()).unwrap_or(u64::MAX);
        self.least + Duration::from_millis(mix(seed, draw) % span.saturating_add(1))
    }
}

impl FromStr for Delay {
    type Err = SimulatorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let millis = |digits: &str| {
            let wrong = |_| SimulatorError::Delay { text: text.to_owned() };
            digits.parse().map(Duration::from_millis).map_err(wrong)
        };
        match text.split_once("..") {
            Some((least, most)) => Ok(Self::between(millis(least)?, millis(most)?)),
            None => Ok(Self::exactly(millis(text)?)),
        }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.least != self.most {
            write!(f, "{}..", self.least.as_millis())?;
        }
        write!(f, "{}", self.most.as_millis())
    }
}
