//! What a sync did, and what it could not read: completeness as a fact.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Moment;

/// The number of a sync run; every committed one is a version of the estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(pub i64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which state of the estate is meant: a version or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// That version.
    Version(Version),
    /// The newest version at that time.
    Time(Moment),
}

impl FromStr for AsOf {
    type Err = String;

    /// Reads a version number, an RFC 3339 time or a date (its first moment, UTC).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(number) = text.parse::<i64>() {
            return Ok(Self::Version(Version(number)));
        }
        Moment::parse(text)
            .or_else(|| Moment::parse(&format!("{text}T00:00:00Z")))
            .map(Self::Time)
            .ok_or_else(|| {
                format!("`{text}` is neither a version number nor a time such as 2026-11-21T08:00:00Z")
            })
    }
}

/// How a whole sync ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncStatus {
    /// Everything asked for was read.
    Complete,
    /// A version with named gaps.
    Partial,
    /// It would have taken away too much: stored, and no version before somebody accepts it.
    Quarantined,
    /// No version came of it.
    Failed,
}

impl SyncStatus {
    /// Whether the run is a version of the estate.
    #[must_use]
    pub const fn is_version(self) -> bool {
        matches!(self, Self::Complete | Self::Partial)
    }

    /// The word that the command line prints and the database keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Quarantined => "quarantined",
            Self::Failed => "failed",
        }
    }

    /// Reads [`as_str`](Self::as_str); anything else counts as failed.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "complete" => Self::Complete,
            "partial" => Self::Partial,
            "quarantined" => Self::Quarantined,
            _ => Self::Failed,
        }
    }
}

/// How the reading of one scope ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Read to its end.
    Complete,
    /// Heroku said no (401, 403, 404 and the like).
    Refused,
    /// It did not work, after all retries.
    Failed,
    /// Not asked for.
    Skipped,
}

impl Outcome {
    /// The word that the command line prints and the database keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Reads [`as_str`](Self::as_str); anything else counts as failed.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "complete" => Self::Complete,
            "refused" => Self::Refused,
            "skipped" => Self::Skipped,
            _ => Self::Failed,
        }
    }
}

/// What came of one scope: an endpoint, and the parent that it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeReport {
    /// Method and path, with names for people where the request had ids: `GET /teams/core/members`.
    pub scope: Box<str>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is not complete, for a person to read.
    pub reason: Option<Box<str>>,
    /// What is missing is missing: neither read here nor by another listing nor switched off by the user.
    pub gap: bool,
    /// Pages read.
    pub pages: u32,
    /// Rows read.
    pub rows: u64,
    /// Requests sent, retries included.
    pub calls: u32,
    /// From the first request to the end of the last page.
    pub duration_ms: u64,
}

/// How many of each there are in a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Distinct people, the own account included.
    pub users: u64,
    /// Listed teams.
    pub teams: u64,
    /// Enterprise accounts.
    pub enterprise_accounts: u64,
    /// Apps.
    pub apps: u64,
    /// Add-ons.
    pub addons: u64,
    /// Pending invitations.
    pub invitations: u64,
    /// Direct grants on teams, Enterprise accounts and apps.
    pub grants: u64,
}

/// How many objects and grants differ from the version before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Came.
    pub added: u64,
    /// Went.
    pub removed: u64,
    /// Stayed, with another property.
    pub changed: u64,
}

/// The record of one sync run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReport {
    /// How it ended.
    pub status: SyncStatus,
    /// When it began.
    pub started_at: Moment,
    /// When it ended.
    pub finished_at: Moment,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Time spent waiting for the budget or after errors.
    pub waited_ms: u64,
    /// Why it failed as a whole.
    pub error: Option<Box<str>>,
    /// Every scope.
    pub scopes: Vec<ScopeReport>,
}

impl SyncReport {
    /// Wall time of the sync.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        self.finished_at.since(self.started_at) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back_and_only_what_was_read_and_kept_is_a_version() {
        let versions = [
            (SyncStatus::Complete, true),
            (SyncStatus::Partial, true),
            (SyncStatus::Quarantined, false),
            (SyncStatus::Failed, false),
        ];
        for (status, is_version) in versions {
            assert_eq!((SyncStatus::from_word(status.as_str()), status.is_version()), (status, is_version));
        }
        assert_eq!(SyncStatus::from_word("dreamt"), SyncStatus::Failed);
    }
}
