//! The change log of versions, as far as it is looked at entry by entry.
//!
//! A version that read most of an estate after another had not, or another account's estate, has millions of entries: told one by
//! one, with all the access that follows, they would take many times the room of the estate itself. Whoever looks at entries one
//! by one leaves such a version out, and says so.
//!
//! Invariant: whether a version is large is read from its own counts, so that everybody who asks says the same.

use metsuke_model::{Changes, Moment, Version};
use metsuke_store::{Store, SyncRow};

use crate::EngineError;

/// Entries of one version that are looked at one by one.
pub const MOST_ENTRIES: u64 = 100_000;
/// Versions that are looked up at once.
const AT_ONCE: u32 = 256;

/// Whether a version has more entries than are looked at one by one.
pub(crate) fn is_large(run: &SyncRow) -> bool {
    let Changes { added, removed, changed } = run.changes;
    added.saturating_add(removed).saturating_add(changed) > MOST_ENTRIES
}

/// The log of some versions, without what is large.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// What is looked at, oldest first: after a version, up to another.
    pub(crate) ranges: Vec<(Version, Version)>,
    /// The versions that are left out.
    pub(crate) large: Vec<Version>,
}

/// The parts of the log of the versions after `since` up to `until`.
///
/// # Errors
///
/// What the database said.
pub(crate) async fn parts(store: &Store, since: Version, until: Version) -> Result<Parts, EngineError> {
    let (mut parts, mut after, mut seen) = (Parts::default(), since, since);
    while seen < until {
        let runs = store.versions(Version(seen.0 + 1), Moment(i64::MIN), AT_ONCE).await?;
        let Some(last) = runs.last() else { break };
        seen = last.version;
        for run in runs.iter().filter(|run| run.version <= until && is_large(run)) {
            parts.ranges.push((after, Version(run.version.0 - 1)));
            parts.large.push(run.version);
            after = run.version;
        }
    }
    parts.ranges.push((after, until));
    parts.ranges.retain(|(after, until)| after < until);
    Ok(parts)
}
