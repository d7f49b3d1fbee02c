//! What is looked at, and how it is counted.

use metsuke_model::{Changes, Counts, SyncStatus};

use super::*;

fn run(version: i64) -> SyncRow {
    SyncRow {
        version: Version(version),
        status: SyncStatus::Complete,
        started_at: Moment(version),
        finished_at: Moment(version),
        requests: 0,
        waited_ms: 0,
        error: None,
        counts: Counts::default(),
        changes: Changes::default(),
    }
}

#[test]
fn changes_are_counted_from_the_newest_version_back() {
    let mut runs: Vec<SyncRow> = (1..=4).map(run).collect();
    for run in &mut runs {
        run.changes.added = 10;
    }
    assert_eq!(begins(&runs, 100), 0, "what came with the first one does not count");
    assert_eq!(begins(&runs, 29), 1);
    assert_eq!(begins(&runs, 9), 3);
    assert_eq!(begins(&runs[..1], 0), 0);
}

fn empty() -> Replay {
    Replay {
        days: 90,
        since: Moment(0),
        kept: 0,
        looked_at: 0,
        most: None,
        out_of_time: false,
        fired: 0,
        at_first: 0,
        versions: Vec::new(),
        why: None,
    }
}

#[test]
fn what_is_looked_at_begins_with_the_oldest_and_ends_with_the_newest() {
    let runs: Vec<SyncRow> = (1..=100).map(run).collect();
    let chosen: Vec<i64> = spread(&runs, 12).iter().map(|run| run.version.0).collect();
    assert_eq!((chosen.len(), chosen.first(), chosen.last()), (12, Some(&1), Some(&100)));
    assert!(chosen.is_sorted_by(|one, other| one < other));
    assert_eq!(spread(&runs[..3], 12).len(), 3);
    assert_eq!(spread(&runs, 1).len(), 2);
    assert!(spread(&[], 12).is_empty());
}

#[test]
fn what_goes_and_comes_back_fires_again_and_what_could_not_be_judged_does_not_count_as_clear() {
    let runs: Vec<SyncRow> = (1..=5).map(run).collect();
    let found = |names: &[&str]| Ok(names.iter().map(|&name| (name.to_owned(), name.to_owned())).collect());
    let sets = vec![
        (&runs[4], found(&["ann", "bob"])),
        (&runs[3], Err("no roster".to_owned())),
        (&runs[2], found(&["bob"])),
        (&runs[1], found(&["ann", "bob"])),
        (&runs[0], found(&["ann"])),
    ];
    let mut told = empty();
    told.take_versions(sets);
    assert_eq!((told.fired, told.at_first, told.looked_at), (3, 1, 5));
    let new: Vec<_> = told.versions.iter().map(|seen| (seen.version.0, seen.found, seen.new)).collect();
    assert_eq!(new, [(5, Some(2), 1), (4, None, 0), (3, Some(1), 0), (2, Some(2), 1), (1, Some(1), 1)]);
    assert_eq!(told.why, None);
}
