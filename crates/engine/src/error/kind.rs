//! Kinds of failures, and which of them may pass by themselves.

use std::time::Duration;

use metsuke_clients::ErrorKind as ClientKind;
use metsuke_store::StoreError;

use super::EngineError;

/// How long to wait where Heroku's pool of requests is empty and it does not say for how long.
///
/// Source: <https://devcenter.heroku.com/articles/platform-api-reference#rate-limits> (75 tokens come back in a minute).
const POOL_REFILLS: Duration = Duration::from_mins(1);
/// How long to wait where Heroku has a fault or cannot be reached.
const FAULT_PASSES: Duration = Duration::from_secs(10);

/// What kind of failure it is; every door has one table from kinds to its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request makes no sense.
    Invalid,
    /// Heroku does not know the token.
    Unauthenticated,
    /// Heroku lets the token's user not do this.
    Forbidden,
    /// A rule of the house, or the state of things, forbids it.
    Refused,
    /// What was asked for is not there.
    NotFound,
    /// More than one thing fits.
    Ambiguous,
    /// The account's pool of requests is empty.
    RateLimited,
    /// Heroku or the way to it failed.
    Upstream,
    /// Whether a change was made is not known.
    InDoubt,
    /// Somebody asked to stop.
    Cancelled,
    /// The database failed.
    Store,
    /// The audit trail cannot be signed or let out.
    Audit,
    /// It clashes with what is there: a name is taken, or somebody was faster.
    Conflict,
    /// A secret cannot be sealed or opened.
    Seal,
}

impl EngineError {
    /// Which kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::WrongToken { .. } | Self::C1Refused { .. } => ErrorKind::Unauthenticated,
            Self::Upstream { source } => match source.kind() {
                ClientKind::Unauthorized => ErrorKind::Unauthenticated,
                ClientKind::Forbidden { .. } => ErrorKind::Forbidden,
                ClientKind::NotFound => ErrorKind::NotFound,
                ClientKind::RateLimited => ErrorKind::RateLimited,
                _ => ErrorKind::Upstream,
            },
            Self::NothingRead { .. } | Self::RosterSource { .. } | Self::NotSent { .. } => {
                ErrorKind::Upstream
            }
            Self::InDoubt { .. } => ErrorKind::InDoubt,
            Self::Refused { .. }
            | Self::NotOwned
            | Self::NotYours { .. }
            | Self::OwnToken
            | Self::NotSecondPerson { .. }
            | Self::Backup { .. } => ErrorKind::Refused,
            Self::NameTaken { .. }
            | Self::Changed { .. }
            | Self::OtherHash { .. }
            | Self::NotGivenUp { .. }
            | Self::NoUpload { .. } => ErrorKind::Conflict,
            Self::SealKey { .. } | Self::Sealed | Self::NoChance => ErrorKind::Seal,
            Self::RefusedByHeroku { status, .. } => match status {
                Some(401) => ErrorKind::Unauthenticated,
                Some(403) => ErrorKind::Forbidden,
                Some(404) => ErrorKind::NotFound,
                Some(429) => ErrorKind::RateLimited,
                _ => ErrorKind::Refused,
            },
            Self::NoVersion
            | Self::NotFound { .. }
            | Self::NotAtHeroku { .. }
            | Self::NoPlan { .. }
            | Self::Unknown { .. }
            | Self::NoConnector { .. }
            | Self::NoRun { .. }
            | Self::NoEmployee { .. } => ErrorKind::NotFound,
            Self::BadCursor { .. }
            | Self::BadPlan { .. }
            | Self::Query { .. }
            | Self::Mistakes(_)
            | Self::Roster { .. }
            | Self::BadRoster { .. }
            | Self::ShrunkenRoster { .. }
            | Self::C1Settings { .. }
            | Self::Fields { .. }
            | Self::Channel { .. }
            | Self::ExportFolder { .. } => ErrorKind::Invalid,
            Self::JupiterOne { .. } | Self::C1 { .. } | Self::Provider { .. } => ErrorKind::Upstream,
            Self::Ambiguous { .. } => ErrorKind::Ambiguous,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::AuditKey { .. }
            | Self::AuditDamaged { .. }
            | Self::Audit { .. }
            | Self::AuditWrite { .. } => ErrorKind::Audit,
            Self::Scratch { .. } | Self::Store(_) => ErrorKind::Store,
        }
    }

    /// Whether a version was asked for that there is not.
    #[must_use]
    pub fn is_missing_version(&self) -> bool {
        matches!(self, Self::NoVersion | Self::Store(StoreError::NoVersion { .. }))
    }

    /// Whether a question took longer than it was allowed to.
    #[must_use]
    pub fn is_too_slow(&self) -> bool {
        matches!(self, Self::Store(StoreError::TooSlow { .. }))
    }

    /// Whether the database was held by somebody else, so that the same may work later.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Store(StoreError::Busy { .. } | StoreError::Full { .. } | StoreError::Fenced))
    }

    /// How long to wait before trying again, where that may help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match (self, self.kind()) {
            (Self::Upstream { source }, ErrorKind::RateLimited) => {
                let asked = source.answer().and_then(|answer| answer.retry_after);
                Some(asked.unwrap_or(POOL_REFILLS))
            }
            (_, ErrorKind::RateLimited | ErrorKind::InDoubt) => Some(POOL_REFILLS),
            (Self::Upstream { source }, ErrorKind::Upstream) => {
                let passes = matches!(
                    source.kind(),
                    ClientKind::Server | ClientKind::Connection | ClientKind::Timeout
                );
                passes.then_some(FAULT_PASSES)
            }
            (Self::NothingRead { .. } | Self::NotSent { .. }, _) => Some(FAULT_PASSES),
            _ => None,
        }
    }
}
