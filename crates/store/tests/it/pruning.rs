//! What is not to be kept goes, and everything else is as before.

use metsuke_model::audit::{EventCode, Expected, FindingKind};
use metsuke_model::{AsOf, Moment, Version};
use metsuke_store::{Store, StoreError};

use crate::database::{Database, commit};
use crate::document::{State, read};
use crate::expected;
use crate::generated::Generator;

async fn leave(store: &Store, second: i64) -> metsuke_store::Pruned {
    let event =
        |oldest: Version| store.event(Moment(9), EventCode::HistoryPruned).detail("oldest_version", oldest.0);
    store.leave_versions(Moment(second * 1_000_000), event).await.unwrap()
}

async fn versions_that_stay_are_read_as_before(database: Database) {
    for seed in 0..4 {
        let database = if database.is_sqlite() { Database::sqlite() } else { Database::postgres() };
        let store = database.open().await;
        let mut generator = Generator::new(500 + seed);
        let mut states = vec![State::default()];
        for second in 1..=12 {
            let reading = generator.next();
            let state = expected::after(states.last().unwrap(), &reading.estate, &reading.coverage);
            commit(&store, &reading.estate, &reading.coverage, second * 10).await;
            states.push(state);
        }
        let changes = store.changes(Version(8), Version(12)).await.unwrap();
        let pruned = leave(&store, 85).await;
        let oldest = store.oldest_version().await.unwrap();
        assert!(oldest >= Version(1) && oldest <= Version(8), "{oldest}");
        for (version, state) in (0_i64..).zip(&states).skip(1) {
            let asked = AsOf::Version(Version(version));
            if version < oldest.0 {
                let refused = store.snapshot(Some(asked)).await.unwrap_err();
                assert!(matches!(refused, StoreError::NoVersion { .. }), "{refused}");
            } else {
                let told = format!("seed {seed}, version {version} after the pruning");
                read(&store, Some(asked)).await.assert_is(state, &told);
            }
        }
        assert_eq!(store.changes(Version(8), Version(12)).await.unwrap(), changes);
        assert_eq!(store.syncs(100).await.unwrap().len(), 12);
        // It goes on from there, and again nothing is lost.
        let reading = generator.next();
        let state = expected::after(states.last().unwrap(), &reading.estate, &reading.coverage);
        commit(&store, &reading.estate, &reading.coverage, 200).await;
        read(&store, None).await.assert_is(&state, "after the pruning");
        assert_eq!(leave(&store, 85).await.len(), 0, "nothing goes twice: {pruned:?}");
        let verdict = store.audit_log().await.unwrap().verify(Expected::default()).await.unwrap();
        assert_eq!(verdict.findings.iter().find(|finding| finding.kind != FindingKind::NoKey), None);
        assert_eq!(verdict.events, 12 + 1 + u64::from(oldest.0 > 0), "each sync and the pruning are told");
    }
}

async fn ended_runs_and_jobs_go_and_open_ones_stay(database: Database) {
    let store = database.open().await;
    database
        .sql(
            "INSERT INTO run (id, is_open, status, cause, asked_by, asked_at, finished_at)
             VALUES ('a', NULL, 'done', 'schedule', 'x', 1, 10), ('b', NULL, 'done', 'schedule', 'x', 1, 99),
                    ('c', 1, 'running', 'schedule', 'x', 1, NULL);
             INSERT INTO run_log (sequence, run_id, at, level, text)
             VALUES (1, 'a', 1, 'info', 'x'), (2, 'a', 1, 'info', 'x'), (3, 'b', 1, 'info', 'x'), (4, 'c', 1, 'info', 'x');
             INSERT INTO job (id, kind, document, status, run_at, created_at, attempt, fence, finished_at)
             VALUES ('a', 'k', '{}', 'finished', 1, 1, 1, 1, 10), ('b', 'k', '{}', 'dead', 1, 1, 1, 1, 10),
                    ('c', 'k', '{}', 'waiting', 1, 1, 1, 1, NULL), ('d', 'k', '{}', 'finished', 1, 1, 1, 1, 99);",
        )
        .await;
    let pruned = store.forget_runs(Moment(50)).await.unwrap();
    assert_eq!(pruned.into_iter().collect::<Vec<_>>(), [("run", 1), ("run_log", 2)]);
    let pruned = store.forget_ended_jobs(Moment(50)).await.unwrap();
    assert_eq!(pruned.into_iter().collect::<Vec<_>>(), [("job", 2)]);
    assert!(store.forget_runs(Moment(50)).await.unwrap().is_empty());
    assert!(store.forget_ended_jobs(Moment(50)).await.unwrap().is_empty());
}

on_both_engines!(versions_that_stay_are_read_as_before, ended_runs_and_jobs_go_and_open_ones_stay);
