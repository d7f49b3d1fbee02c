//! Roles and scopes: what a caller is trusted with, and what a token is narrowed to.
//!
//! What a role may do stands in the rows of [`Operation`](super::Operation).
//!
//! Invariant: a scope only ever takes away.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::operation::Area;

/// What a caller is trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees the estate: who can do what, and what changed.
    Viewer,
    /// Sees everything, the audit trail included, and changes nothing.
    Auditor,
    /// Sees the estate and decides about what rules find.
    Reviewer,
    /// Runs connectors, plans changes and applies them.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Auditor, Self::Reviewer, Self::Operator, Self::Admin];

    /// The role's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Auditor => "auditor",
            Self::Reviewer => "reviewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// What it is trusted with, in a few words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Viewer => "sees the estate: who can do what, and what changed",
            Self::Auditor => "sees everything, the audit trail included, and changes nothing",
            Self::Reviewer => "sees the estate and decides about findings",
            Self::Operator => "runs connectors, plans changes and applies them",
            Self::Admin => "everything",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == word).ok_or_else(|| {
            format!("`{word}` is no role; there are viewer, auditor, reviewer, operator and admin")
        })
    }
}

/// A part of what a role allows: reading or writing, everywhere or in one area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    area: Option<Area>,
    writes: bool,
}

impl Scope {
    /// Whether an operation of this area, which writes or does not, is within the scope. Who may write may read.
    #[must_use]
    pub fn covers(self, area: Area, writes: bool) -> bool {
        self.area.is_none_or(|own| own == area) && (self.writes || !writes)
    }

    /// Every scope there is: `read` and `write`, and both for each area.
    pub fn all() -> impl Iterator<Item = Self> {
        let areas = std::iter::once(None).chain(Area::ALL.iter().copied().map(Some));
        areas.flat_map(|area| [false, true].map(|writes| Self { area, writes }))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(area) = self.area {
            write!(f, "{}:", area.as_str())?;
        }
        f.write_str(if self.writes { "write" } else { "read" })
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::all().find(|scope| scope.to_string() == word).ok_or_else(|| {
            format!("`{word}` is no scope; write `read`, `write`, or one of them for an area, as in `connectors:write`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        for scope in Scope::all() {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        assert!("owner".parse::<Role>().is_err() && "connectors".parse::<Scope>().is_err());
    }

    #[test]
    fn a_scope_covers_its_area_and_reading_where_it_writes() {
        let writes: Scope = "connectors:write".parse().unwrap();
        assert!(writes.covers(Area::Connectors, true) && writes.covers(Area::Connectors, false));
        assert!(!writes.covers(Area::Estate, false));
        let reads: Scope = "read".parse().unwrap();
        assert!(reads.covers(Area::Audit, false) && !reads.covers(Area::Audit, true));
    }
}
