//! What can go wrong with a write in particular: whether it takes effect, when, and what its sender is told.
//!
//! Not the aim of a fault, nor the doing of it.
//!
//! Invariant: a fault of this kind never touches a request that changes nothing.

use std::time::Duration;

use crate::delay::Delay;

/// What the sender of a write is told instead of the true answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Told {
    /// The connection is reset before a byte is answered.
    Reset,
    /// 500 `server_error` as JSON.
    Error500,
    /// 502 with an HTML page.
    BadGateway502,
    /// 503 with an empty body.
    Unavailable503,
    /// Nothing at all, until the sender gives up.
    Hang,
}

/// What becomes of a write.
///
/// Whether it is allowed is decided as without the fault: a write that the estate refuses has no effect either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteFault {
    /// It takes effect, and its sender is told this.
    Applied(Told),
    /// It takes effect, and its true answer is cut in the middle of the body.
    AppliedTruncated,
    /// It takes effect at once, and its true answer comes this much later.
    AppliedSlow(Delay),
    /// It never takes effect.
    Dropped(Told),
    /// It takes effect this much later, against the estate as it is then, whatever has become of its sender.
    Late(Told, Delay),
}

/// How late a late write is when the fault does not say.
const LATE: Delay = Delay::up_to(Duration::from_secs(20));
/// How late a slow answer is when the fault does not say.
const SLOW: Delay = Delay::exactly(Duration::from_secs(5));

impl WriteFault {
    /// Every one, with the usual delays, in the order in which they are documented.
    pub const ALL: [Self; 17] = [
        Self::Applied(Told::Reset),
        Self::Applied(Told::Error500),
        Self::Applied(Told::BadGateway502),
        Self::Applied(Told::Unavailable503),
        Self::Applied(Told::Hang),
        Self::AppliedTruncated,
        Self::AppliedSlow(SLOW),
        Self::Dropped(Told::Reset),
        Self::Dropped(Told::Error500),
        Self::Dropped(Told::BadGateway502),
        Self::Dropped(Told::Unavailable503),
        Self::Dropped(Told::Hang),
        Self::Late(Told::Reset, LATE),
        Self::Late(Told::Error500, LATE),
        Self::Late(Told::BadGateway502, LATE),
        Self::Late(Told::Unavailable503, LATE),
        Self::Late(Told::Hang, LATE),
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied(Told::Reset) => "write-applied-reset",
            Self::Applied(Told::Error500) => "write-applied-500",
            Self::Applied(Told::BadGateway502) => "write-applied-502",
            Self::Applied(Told::Unavailable503) => "write-applied-503",
            Self::Applied(Told::Hang) => "write-applied-hang",
            Self::AppliedTruncated => "write-applied-truncated",
            Self::AppliedSlow(_) => "write-applied-slow",
            Self::Dropped(Told::Reset) => "write-dropped-reset",
            Self::Dropped(Told::Error500) => "write-dropped-500",
            Self::Dropped(Told::BadGateway502) => "write-dropped-502",
            Self::Dropped(Told::Unavailable503) => "write-dropped-503",
            Self::Dropped(Told::Hang) => "write-dropped-hang",
            Self::Late(Told::Reset, _) => "write-late-reset",
            Self::Late(Told::Error500, _) => "write-late-500",
            Self::Late(Told::BadGateway502, _) => "write-late-502",
            Self::Late(Told::Unavailable503, _) => "write-late-503",
            Self::Late(Told::Hang, _) => "write-late-hang",
        }
    }

    /// The delay, of those that have one.
    #[must_use]
    pub const fn delay(self) -> Option<Delay> {
        match self {
            Self::AppliedSlow(delay) | Self::Late(_, delay) => Some(delay),
            Self::Applied(_) | Self::AppliedTruncated | Self::Dropped(_) => None,
        }
    }

    /// The same with another delay; `None` for those that have none.
    #[must_use]
    pub const fn delayed(self, delay: Delay) -> Option<Self> {
        match self {
            Self::AppliedSlow(_) => Some(Self::AppliedSlow(delay)),
            Self::Late(told, _) => Some(Self::Late(told, delay)),
            Self::Applied(_) | Self::AppliedTruncated | Self::Dropped(_) => None,
        }
    }
}
