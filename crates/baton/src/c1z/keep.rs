//! Which syncs of a file stay when another one is added, and their rows.
//!
//! Rows are copied as they are; only what every file has now is added.
//!
//! Invariant: what is not known here is never lost: a file that holds it is refused.

use std::collections::BTreeSet;

use rusqlite::types::ValueRef;

use super::database::{Database, TableName, Value};
use super::write::build_failed;
use super::{C1z, C1zError, Keep, SyncId, SyncRun, SyncType, WriteOptions};

/// What became of the old syncs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) kept: Vec<SyncId>,
    pub(super) dropped: Vec<SyncId>,
}

/// Copies what stays of the old file.
pub(super) fn carry_over(
    old: &C1z,
    options: &WriteOptions,
    database: &mut Database,
) -> Result<Kept, C1zError> {
    if let Some(what) = old.unknown() {
        return Err(C1zError::Newer { path: old.path().to_owned(), what });
    }
    let gone = gone(old.syncs(), options);
    let ids = || old.syncs().iter().map(|run| run.id.clone());
    let (dropped, kept): (Vec<SyncId>, Vec<SyncId>) = ids().partition(|id| gone.contains(id));
    for table in TableName::ALL {
        copy(old, table, &kept, database)?;
    }
    Ok(Kept { kept, dropped })
}

fn copy(old: &C1z, table: TableName, kept: &[SyncId], database: &mut Database) -> Result<(), C1zError> {
    let columns = table.table().columns.len();
    for sync in kept {
        old.each(table, sync, |row| {
            let mut values = Vec::with_capacity(columns);
            for column in 0..columns {
                let value = row.get_ref(column).map_err(C1zError::database(old.path()))?;
                values.push(match value {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => Value::Int(number),
                    ValueRef::Real(number) => Value::Real(number),
                    ValueRef::Text(text) => Value::Text(text),
                    ValueRef::Blob(bytes) => Value::Blob(bytes),
                });
            }
            database.insert(table, &values).map_err(|error| build_failed(old.path(), error))
        })?;
    }
    Ok(())
}

/// The syncs that go, by the rules of the ecosystem; a sync that is not finished never does.
fn gone(syncs: &[SyncRun], options: &WriteOptions) -> BTreeSet<SyncId> {
    let head = &options.head;
    // What is written again replaces what was written before.
    let mut gone: BTreeSet<SyncId> = BTreeSet::from([head.id.clone()]);
    let Keep::Newest(most) = options.keep else { return gone };
    let finished = || syncs.iter().filter(|run| run.is_finished && run.id != head.id);
    let full: Vec<&SyncRun> = finished().filter(|run| is_whole(&run.sync_type)).collect();
    let (old, kept) = full.split_at(full.len().saturating_sub(most.get() - 1));
    gone.extend(old.iter().map(|run| run.id.clone()));
    if !old.is_empty() {
        let oldest = kept.first().and_then(|run| run.started_at);
        let oldest = oldest.or_else(|| kept.is_empty().then_some(head.started_at));
        let before = |run: &&SyncRun| is_part(&run.sync_type) && run.ended_at < oldest;
        gone.extend(finished().filter(before).map(|run| run.id.clone()));
    }
    let halves: Vec<&SyncRun> = finished().filter(|run| is_difference(&run.sync_type)).collect();
    gone.extend(old_differences(&halves));
    gone
}

const fn is_part(sync_type: &SyncType) -> bool {
    matches!(sync_type, SyncType::Partial | SyncType::ResourcesOnly)
}

fn is_difference(sync_type: &SyncType) -> bool {
    matches!(sync_type.as_str(), "partial_upserts" | "partial_deletions")
}

fn is_whole(sync_type: &SyncType) -> bool {
    !is_part(sync_type) && !is_difference(sync_type)
}

/// Of more than two halves of differences, all but the newest and its other half.
fn old_differences(halves: &[&SyncRun]) -> Vec<SyncId> {
    let Some(newest) = halves.last().filter(|_| halves.len() > 2) else { return Vec::new() };
    let stays = |run: &&&SyncRun| run.id == newest.id || Some(&run.id) == newest.linked.as_ref();
    halves.iter().filter(|run| !stays(run)).map(|run| run.id.clone()).collect()
}
