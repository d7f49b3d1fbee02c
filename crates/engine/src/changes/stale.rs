//! What a sync may have read before it was read again, or changed through us.
//!
//! A sync takes minutes. What somebody reads again meanwhile is newer than what the sync read of it, and is committed
//! before; the sync's version then takes it back.
//!
//! Invariant: whatever two overlapping versions disagree on is read once more.

use std::collections::BTreeSet;

use metsuke_model::{Clock, Moment, Version};
use metsuke_store::{Changed, Logged, Store, SyncRow, WantedRead};

use super::about::word;
use super::target;
use crate::{EngineError, log};

/// Versions that are looked at; a sync during which more were written is followed by all that it changed.
const MOST: u32 = 500;

/// Asks for what a version changed once more of what was committed while it was read.
///
/// # Errors
///
/// What the database said.
pub(super) async fn read_once_more(
    store: &Store,
    run: &SyncRow,
    log: &[Logged],
    clock: &dyn Clock,
) -> Result<(), EngineError> {
    let Some((last, earlier)) = meanwhile(store, run).await? else { return Ok(()) };
    let about = |logged: &Logged| (logged.object, logged.principal);
    let earlier: BTreeSet<(i64, Option<i64>)> = earlier.iter().map(about).collect();
    want(store, run, last, log.iter().filter(|logged| earlier.contains(&about(logged))), clock).await
}

/// Asks for everything once more that was committed while a version was read, whatever of it the version changed.
///
/// # Errors
///
/// What the database said.
pub(super) async fn read_all_once_more(
    store: &Store,
    run: &SyncRow,
    clock: &dyn Clock,
) -> Result<(), EngineError> {
    let Some((last, earlier)) = meanwhile(store, run).await? else { return Ok(()) };
    want(store, run, last, earlier.iter(), clock).await
}

/// The last version that was committed while another was read, and what all such versions changed but those that are large themselves.
async fn meanwhile(store: &Store, run: &SyncRow) -> Result<Option<(Version, Vec<Logged>)>, EngineError> {
    let mut meanwhile = store.versions(Version(0), run.started_at, MOST).await?;
    meanwhile.retain(|other| other.version < run.version && other.finished_at > run.started_at);
    let mut versions = meanwhile.iter().map(|other| other.version);
    let Some(first) = versions.next() else { return Ok(None) };
    let last = versions.next_back().unwrap_or(first);
    let mut changed = Vec::new();
    for (after, until) in log::parts(store, Version(first.0 - 1), last).await?.ranges {
        changed.extend(store.logged(after, until).await?);
    }
    Ok(Some((last, changed)))
}

async fn want<'l>(
    store: &Store,
    run: &SyncRow,
    last: Version,
    again: impl Iterator<Item = &'l Logged> + Send,
    clock: &dyn Clock,
) -> Result<(), EngineError> {
    let targets: BTreeSet<String> = again.filter_map(|logged| target_of(&logged.change.changed)).collect();
    let now = clock.now();
    let wanted = targets.into_iter().map(|target| WantedRead {
        target,
        wanted_at: Moment(now.0),
        because: format!("version {} was read before version {last}", run.version),
    });
    let wanted: Vec<WantedRead> = wanted.collect();
    if !wanted.is_empty() {
        store.want_reads(wanted).await?;
    }
    Ok(())
}

fn target_of(changed: &Changed) -> Option<String> {
    let text = match changed {
        Changed::Grant { resource_type, resource, .. } => word(resource_type.as_str(), resource),
        Changed::Object { kind, id, .. } => word(kind.as_str(), id),
    };
    target::parse(&text).map(|_| text)
}
