//! Writers and readers at the same time: writers take turns, and readers see whole versions.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use metsuke_model::access::Mask;
use metsuke_model::record::{App, User};
use metsuke_model::{AsOf, Estate, Version};
use metsuke_store::{AccessSelect, Select, Snapshot, Store};

use crate::database::{Database, commit};
use crate::document::{State, read, read_snapshot};
use crate::expected;
use crate::generated::{Generator, plain, whole};

/// Longer than any reader may hold up a writer, far below the patience with locks.
const SOON: Duration = Duration::from_secs(8);

async fn two_writers_at_once_make_two_whole_versions(database: Database) {
    let (left, right) = (database.open().await, database.open().await);
    let mut generators = [Generator::new(1), Generator::new(2)];
    let mut before = State::default();
    for round in 0..6 {
        let readings = generators.each_mut().map(Generator::next);
        // What each would read whole: then the order alone decides what the versions hold.
        let coverages = [whole(&readings[0].estate), whole(&readings[1].estate)];
        let (one, other) = tokio::join!(
            commit(&left, &readings[0].estate, &coverages[0], 100 * round + 10),
            commit(&right, &readings[1].estate, &coverages[1], 100 * round + 20),
        );
        let mut turns = [(one, 0), (other, 1)];
        turns.sort_by_key(|(committed, _)| committed.version);
        for ((committed, which), number) in turns.into_iter().zip(1..) {
            assert_eq!(committed.version, Version(2 * round + number));
            let after = expected::after(&before, &readings[which].estate, &coverages[which]);
            assert_eq!(committed.counts, expected::counts(&after));
            assert_eq!(committed.changes, expected::changes(&before, &after));
            read(&left, Some(AsOf::Version(committed.version))).await.assert_is(&after, "in its turn");
            before = after;
        }
        read(&right, None).await.assert_is(&before, "the newest");
    }
}

/// What makes a version whole: as much of everything as its row says.
async fn assert_whole(snapshot: &mut Snapshot) -> Version {
    let row = snapshot.sync().clone();
    let apps = snapshot.objects::<App>(&Select::All).await.unwrap().len() as u64;
    let access = snapshot.access(&AccessSelect::All).await.unwrap();
    let users = snapshot.objects::<User>(&Select::All).await.unwrap().len() as u64;
    let grants: u64 =
        access.iter().map(|entry| u64::from(entry.mask.count()) + entry.other.len() as u64).sum();
    assert_eq!((row.counts.apps, row.counts.users, row.counts.grants), (apps, users, grants), "{row:?}");
    row.version
}

/// Every second one has other people with other rights on other apps.
fn alternating(number: i64) -> Estate {
    if number % 2 == 0 { plain(40, 40, Mask(0b111)) } else { plain(60, 25, Mask(0b1)) }
}

async fn readers_during_commits_see_whole_versions(database: Database) {
    let (writer, reader) = (database.open().await, database.open().await);
    commit(&writer, &alternating(1), &whole(&alternating(1)), 1).await;
    let done = AtomicBool::new(false);
    let writing = async {
        for number in 2..=12 {
            let estate = alternating(number);
            let committed = commit(&writer, &estate, &whole(&estate), number).await;
            assert_eq!(committed.version, Version(number));
        }
        done.store(true, Ordering::SeqCst);
    };
    let reading = async |store: &Store| {
        let mut seen = Vec::new();
        while !done.load(Ordering::SeqCst) {
            let mut snapshot = store.snapshot(None).await.unwrap().unwrap();
            let version = assert_whole(&mut snapshot).await;
            tokio::task::yield_now().await;
            assert_eq!(assert_whole(&mut snapshot).await, version, "one snapshot, one version");
            seen.push(version);
        }
        assert!(seen.is_sorted(), "{seen:?}");
        seen.dedup();
        seen.len()
    };
    let ((), first, second) = tokio::join!(writing, reading(&reader), reading(&writer));
    assert!(first + second > 4, "the readers saw {first} and {second} versions");
}

async fn a_snapshot_stays_what_it_is_and_holds_nobody_up(database: Database) {
    let store = database.open().await;
    let mut generator = Generator::new(8);
    let first = generator.next();
    commit(&store, &first.estate, &whole(&first.estate), 1).await;
    let mut snapshot = store.snapshot(None).await.unwrap().unwrap();
    let before = read_snapshot(&mut snapshot).await;
    let started = Instant::now();
    for second in 2..5 {
        let reading = generator.next();
        commit(&database.open().await, &reading.estate, &whole(&reading.estate), second).await;
    }
    let took = started.elapsed();
    read_snapshot(&mut snapshot).await.assert_is(&before, "opened before the commits");
    assert_eq!(snapshot.sync().version, Version(1));
    assert!(took < SOON, "three commits beside a reader took {took:?}");
}

async fn many_programs_may_open_an_empty_database_at_once(database: Database) {
    // The first moment is short: on SQLite, where a database is only a file, it comes often.
    let tries = if database.is_sqlite() { 20 } else { 1 };
    for _ in 0..tries {
        let database = if database.is_sqlite() { &Database::sqlite() } else { &database };
        let opened = futures::future::join_all((0..6).map(|_| database.open())).await;
        for (store, second) in opened.iter().zip(1..) {
            let estate = plain(1, 1, Mask(1));
            assert_eq!(commit(store, &estate, &whole(&estate), second).await.version, Version(second));
        }
    }
}

on_both_engines!(
    two_writers_at_once_make_two_whole_versions,
    readers_during_commits_see_whole_versions,
    a_snapshot_stays_what_it_is_and_holds_nobody_up,
    many_programs_may_open_an_empty_database_at_once,
);
