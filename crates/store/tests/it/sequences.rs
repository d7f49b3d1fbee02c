//! Random estates one after the other: every version is what it must be, and stays so.

use metsuke_model::{AsOf, Changes, Moment, Version};

use crate::database::{Database, commit};
use crate::document::{State, read};
use crate::generated::Generator;
use crate::{expected, log};

const VERSIONS: i64 = 6;

/// Commits a sequence and returns what each version must hold, beginning with the first.
async fn play(database: &Database, seed: u64) -> Vec<State> {
    let store = database.open().await;
    let mut generator = Generator::new(seed);
    let mut states: Vec<State> = Vec::new();
    while states.len() < usize::try_from(VERSIONS).unwrap() {
        let reading = generator.next();
        let before = states.last().cloned().unwrap_or_default();
        let state = expected::after(&before, &reading.estate, &reading.coverage);
        let second = i64::try_from(states.len()).unwrap() + 1;
        let told = format!("seed {seed}, version {second}");
        let committed = commit(&store, &reading.estate, &reading.coverage, second * 10).await;
        assert_eq!(
            (committed.version, committed.finished_at),
            (Version(second), Moment(second * 10_000_000))
        );
        read(&store, None).await.assert_is(&state, &told);
        assert_eq!(committed.counts, expected::counts(&state), "{told}");
        assert_eq!(committed.changes, expected::changes(&before, &state), "{told}");
        states.push(state);
    }
    // Another handle, which remembers nothing.
    drop(store);
    let store = database.open().await;
    let rows = store.syncs(100).await.unwrap();
    assert_eq!(rows.len(), states.len());
    for (row, state) in rows.iter().rev().zip(&states) {
        let told = format!("seed {seed}, as of version {}", row.version);
        assert_eq!(row.counts, expected::counts(state), "{told}");
        read(&store, Some(AsOf::Version(row.version))).await.assert_is(state, &told);
        let from_the_log = store.clone().folding_at_most(0);
        read(&from_the_log, Some(AsOf::Version(row.version))).await.assert_is(state, &told);
        let between = AsOf::Time(Moment(row.finished_at.0 + 9_999_999));
        read(&store, Some(between)).await.assert_is(state, &told);
    }
    for since in 1..=VERSIONS {
        for until in since..=VERSIONS {
            let log = store.changes(Version(since), Version(until)).await.unwrap();
            let (old, new) =
                (&states[usize::try_from(since - 1).unwrap()], &states[usize::try_from(until - 1).unwrap()]);
            log::assert_folds(old, new, &log, &format!("seed {seed}, from {since} to {until}"));
        }
    }
    states
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_random_sequences_are_read_back_on_sqlite() {
    for seed in 0..40 {
        play(&Database::sqlite(), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn six_random_sequences_are_read_back_on_postgres() {
    for seed in 100..106 {
        play(&Database::postgres(), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_answer_one_sequence_alike() {
    for seed in 200..204 {
        let databases = [Database::sqlite(), Database::postgres()];
        let mut answers = Vec::new();
        for database in &databases {
            play(database, seed).await;
            let store = database.open().await;
            let syncs = store.syncs(100).await.unwrap();
            let changes = store.changes(Version(0), Version(VERSIONS)).await.unwrap();
            answers.push((syncs, changes));
        }
        assert_eq!(answers[0].0, answers[1].0, "seed {seed}");
        for (left, right) in answers[0].1.iter().zip(&answers[1].1) {
            assert_eq!(left, right, "seed {seed}");
        }
        assert_eq!(answers[0].1.len(), answers[1].1.len(), "seed {seed}");
    }
}

async fn the_same_reading_again_changes_nothing(database: Database) {
    let store = database.open().await;
    let mut generator = Generator::new(77);
    for round in 0..6 {
        let reading = generator.next();
        commit(&store, &reading.estate, &reading.coverage, 20 * round + 10).await;
        let state = read(&store, None).await;
        let again = commit(&store, &reading.estate, &reading.coverage, 20 * round + 20).await;
        assert_eq!(again.changes, Changes::default(), "round {round}");
        assert_eq!(again.counts, expected::counts(&state));
        read(&store, None).await.assert_is(&state, "again");
        let log = store.changes(Version(again.version.0 - 1), again.version).await.unwrap();
        assert_eq!(log, [], "round {round}");
    }
}

on_both_engines!(the_same_reading_again_changes_nothing);
