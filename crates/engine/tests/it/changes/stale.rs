//! A sync that read before something was read again: what they disagree on is read once more.

use metsuke_engine::changes;
use metsuke_model::{Coverage, FixedClock, Kind, Moment, SyncReport, SyncStatus, SystemClock, Version};
use metsuke_store::{Brake, OpenMode, Store};
use metsuke_testkit::Chance;

use crate::told::estates;

const SECOND: i64 = 1_000_000;

async fn commit(store: &Store, estate: &metsuke_model::Estate, began: i64, ended: i64) -> Version {
    let start = 1_800_000_000 * SECOND;
    let (started_at, finished_at) = (Moment(start + began * SECOND), Moment(start + ended * SECOND));
    let report = SyncReport {
        status: SyncStatus::Complete,
        started_at,
        finished_at,
        requests: 1,
        waited_ms: 0,
        error: None,
        scopes: Vec::new(),
    };
    let mut coverage = Coverage::default();
    for kind in Kind::ALL {
        coverage.cover_kind(kind);
    }
    for resource in &estate.resources {
        coverage.cover_access(resource.clone());
    }
    store.commit(estate.clone(), &coverage, &report, &FixedClock::at(finished_at)).await.unwrap().version
}

async fn wanted(began: i64) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
    let store = Store::open(&url, OpenMode::Create).await.unwrap().braked(Brake::OFF);
    let mut chance = Chance::new(12);
    let (one, other) = (estates::random(&mut chance).estate, estates::random(&mut chance).estate);
    commit(&store, &one, 0, 1).await;
    commit(&store, &other, 10, 12).await;
    let last = commit(&store, &one, began, 20).await;
    changes::record(&store, last, &SystemClock).await.unwrap();
    store.wanted_reads(1_000).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sync_read_before_something_newer_is_read_once_more() {
    assert!(wanted(5).await > 0, "it began before the version that it takes back ended");
    assert_eq!(wanted(15).await, 0, "it saw everything");
}
