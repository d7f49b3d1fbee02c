//! What a file says of each of its syncs.
//!
//! The rows of a sync are elsewhere ([`Rows`](super::Rows)).
//!
//! Invariant: the id of a sync depends on its version, its beginning and its type alone.

use std::collections::BTreeMap;
use std::fmt;

use metsuke_model::{Moment, Version};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Seconds from 1970 to the beginning of KSUID's calendar.
const EPOCH: i64 = 1_400_000_000;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 27;

/// The id of a sync: a KSUID of 27 letters and digits, which sorts by its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SyncId(String);

impl SyncId {
    /// The id of a version; always the same for the same three.
    #[must_use]
    pub fn of(version: Version, started_at: Moment, sync_type: &SyncType) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"metsuke c1z sync\0");
        digest.update(version.0.to_be_bytes());
        digest.update(started_at.0.to_be_bytes());
        digest.update(sync_type.as_str());
        let seconds = started_at.0.div_euclid(1_000_000).saturating_sub(EPOCH);
        let seconds = u32::try_from(seconds.max(0)).unwrap_or(u32::MAX);
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..].copy_from_slice(&digest.finalize()[..16]);
        Self(in_62_digits(bytes))
    }

    /// An id from elsewhere, which may be any text.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SyncId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A number of twenty bytes, highest first, in digits and letters.
fn in_62_digits(mut number: [u8; 20]) -> String {
    let mut digits = [b'0'; LENGTH];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *digit = usize::try_from(rest).ok().and_then(|rest| DIGITS.get(rest)).copied().unwrap_or(b'0');
    }
    digits.into_iter().map(char::from).collect()
}

/// What a sync covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SyncType {
    /// Everything.
    Full,
    /// Some resources.
    Partial,
    /// Everything but entitlements and grants.
    ResourcesOnly,
    /// Any other word, such as the two halves of a difference.
    Other(Box<str>),
}

impl SyncType {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::ResourcesOnly => "resources_only",
            Self::Other(text) => text,
        }
    }

    /// Reads it; what is not known is kept.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        match text {
            "full" => Self::Full,
            "partial" => Self::Partial,
            "resources_only" => Self::ResourcesOnly,
            other => Self::Other(other.into()),
        }
    }
}

/// What the writer of a sync says of it; the rest is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncHead {
    /// Its id; a sync of the same id in the file is replaced.
    pub id: SyncId,
    /// When reading began; the time of every row.
    pub started_at: Moment,
    /// When it ended.
    pub ended_at: Moment,
    /// What it covers.
    pub sync_type: SyncType,
    /// The full sync that a partial one adds to.
    pub parent: Option<SyncId>,
}

impl SyncHead {
    /// The head of a version's file.
    #[must_use]
    pub fn of(version: Version, started_at: Moment, ended_at: Moment, sync_type: SyncType) -> Self {
        let id = SyncId::of(version, started_at, &sync_type);
        Self { id, started_at, ended_at, sync_type, parent: None }
    }
}

/// A sync of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRun {
    /// Its id.
    pub id: SyncId,
    /// When it began; `None` where the text is no time.
    pub started_at: Option<Moment>,
    /// When it ended; `None` where it did not.
    pub ended_at: Option<Moment>,
    /// Whether it was sealed, whatever the text of the time is.
    pub is_finished: bool,
    /// What it covers.
    pub sync_type: SyncType,
    /// The sync that it adds to.
    pub parent: Option<SyncId>,
    /// The other half of a difference.
    pub linked: Option<SyncId>,
    /// Whether the expansion column is filled.
    pub supports_diff: bool,
    /// The counts that are written down; `None` where there are none that can be read.
    pub stats: Option<Stats>,
}

/// How many rows a sync has, under the names that the ecosystem's readers look for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// Resource types.
    #[serde(skip_serializing_if = "is_zero")]
    pub resource_types: u64,
    /// Resources.
    #[serde(skip_serializing_if = "is_zero")]
    pub resources: u64,
    /// Entitlements.
    #[serde(skip_serializing_if = "is_zero")]
    pub entitlements: u64,
    /// Grants.
    #[serde(skip_serializing_if = "is_zero")]
    pub grants: u64,
    /// Resources of each type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resources_by_resource_type: BTreeMap<String, u64>,
    /// Grants by the type of what is granted on.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub grants_by_resource_type: BTreeMap<String, u64>,
    /// Entitlements by the type of what offers them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub entitlements_by_resource_type: BTreeMap<String, u64>,
    /// Pictures and the like.
    #[serde(skip_serializing_if = "is_zero")]
    pub assets: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Stats {
    /// Whether both are of the same rows; a count of zero may be left out.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        let without_zeros = |stats: &Self| {
            let mut stats = stats.clone();
            stats.resources_by_resource_type.retain(|_, count| *count > 0);
            stats.grants_by_resource_type.retain(|_, count| *count > 0);
            stats.entitlements_by_resource_type.retain(|_, count| *count > 0);
            stats
        };
        without_zeros(self) == without_zeros(other)
    }

    /// Counts a resource type, of which there may be no resource.
    pub(super) fn add_type(&mut self, resource_type: &str) {
        self.resource_types += 1;
        self.resources_by_resource_type.entry(resource_type.to_owned()).or_insert(0);
    }

    pub(super) fn count(map: &mut BTreeMap<String, u64>, resource_type: &str) {
        match map.get_mut(resource_type) {
            Some(count) => *count += 1,
            None => drop(map.insert(resource_type.to_owned(), 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_stay_the_same() {
        let at = |seconds: i64| SyncId::of(Version(7), Moment(seconds * 1_000_000), &SyncType::Full);
        assert_eq!(at(1_790_000_000), at(1_790_000_000));
        assert!(at(1_790_000_000) < at(1_790_000_001));
        assert_ne!(at(1_790_000_000), SyncId::of(Version(8), Moment(1_790_000_000_000_000), &SyncType::Full));
        let id = at(1_790_000_000);
        assert!(id.as_str().len() == LENGTH && id.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn twenty_bytes_become_twenty_seven_digits() {
        assert_eq!(in_62_digits([0; 20]), "0".repeat(27));
        // The greatest KSUID there is.
        assert_eq!(in_62_digits([0xff; 20]), "aWgEPTl1tmebfsQzFP4bxwgy80V");
    }

    #[test]
    fn what_is_not_there_is_left_out_of_the_counts() {
        assert_eq!(serde_json::to_string(&Stats::default()).unwrap(), "{}");
        let stats: Stats = serde_json::from_str(r#"{"grants":3,"step_durations_ms":{"x":1}}"#).unwrap();
        assert_eq!(stats.grants, 3);
    }
}
