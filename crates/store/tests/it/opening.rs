//! What is refused when a database is opened or asked, and that refusing changes nothing.

use metsuke_model::access::Mask;
use metsuke_model::{AsOf, Coverage, Estate, Moment, SyncStatus, Version};
use metsuke_store::{OpenMode, Store, StoreError};

use crate::database::{Database, commit, report, try_commit};
use crate::document::read;
use crate::generated::{plain, whole};

async fn a_newer_schema_is_refused_and_left_alone(database: Database) {
    let store = database.open().await;
    let estate = plain(2, 2, Mask(1));
    commit(&store, &estate, &whole(&estate), 1).await;
    let before = read(&store, None).await;
    drop(store);
    database.sql("INSERT INTO metsuke_schema (number) VALUES (999)").await;
    for mode in [OpenMode::Create, OpenMode::Existing] {
        let error = Store::open(&database.url, mode).await.unwrap_err();
        assert!(error.hint().is_some_and(|hint| hint.contains("newer")), "{error}");
        let StoreError::Newer { found, known, .. } = error else { panic!("{error:?}") };
        assert_eq!((found, known), (999, Store::schema()));
    }
    database.sql("DELETE FROM metsuke_schema WHERE number = 999").await;
    read(&database.open().await, None).await.assert_is(&before, "nothing was changed");
}

async fn an_empty_database_has_no_version(database: Database) {
    let store = database.open().await;
    assert!(store.snapshot(None).await.unwrap().is_none());
    assert!(store.syncs(10).await.unwrap().is_empty());
    assert!(store.changes(Version(0), Version(9)).await.unwrap().is_empty());
}

async fn a_version_or_time_that_never_was_is_named(database: Database) {
    let store = database.open().await;
    commit(&store, &Estate::default(), &Coverage::default(), 100).await;
    for as_of in [AsOf::Version(Version(0)), AsOf::Version(Version(2)), AsOf::Time(Moment(99_999_999))] {
        let error = store.snapshot(Some(as_of)).await.unwrap_err();
        assert!(matches!(error, StoreError::NoVersion { .. }), "{error:?}");
    }
    assert!(store.snapshot(Some(AsOf::Time(Moment(100_000_000)))).await.unwrap().is_some());
}

async fn a_failed_sync_is_recorded_and_is_no_version(database: Database) {
    let store = database.open().await;
    let mut failure = report(1);
    failure.error = Some("no".into());
    assert_eq!(store.record_failure(&failure).await.unwrap(), Version(1));
    assert!(store.snapshot(None).await.unwrap().is_none());
    let estate = plain(2, 2, Mask(1));
    let committed = commit(&store, &estate, &whole(&estate), 2).await;
    assert_eq!(
        (committed.version, committed.changes.added),
        (Version(2), 2 + 1 + 2 + 6),
        "the first version"
    );
    let before = read(&store, None).await;
    assert_eq!(store.record_failure(&failure).await.unwrap(), Version(3));
    read(&store, None).await.assert_is(&before, "what was known stays current");
    assert!(store.snapshot(Some(AsOf::Version(Version(3)))).await.is_err());
    let rows = store.syncs(2).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.version.0).collect::<Vec<_>>(), [3, 2], "newest first");
    assert_eq!((rows[0].status, rows[0].error.as_deref()), (SyncStatus::Failed, Some("no")));
    assert_eq!(commit(&store, &estate, &whole(&estate), 4).await.version, Version(4));
    assert!(store.changes(Version(2), Version(4)).await.unwrap().is_empty());
}

/// A commit that cannot be made, at its very end, leaves the version before it, and the way free for the next.
async fn a_commit_that_breaks_off_leaves_the_last_version(database: Database) {
    let store = database.open().await;
    let estate = plain(3, 3, Mask(0b11));
    commit(&store, &estate, &whole(&estate), 1).await;
    let before = read(&store, None).await;
    let mut broken = plain(4, 4, Mask(0b1));
    broken.access[0].principal = 99;
    let error = try_commit(&store, broken, &Coverage::default(), 2).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    read(&store, None).await.assert_is(&before, "nothing of it stays");
    assert_eq!(store.syncs(9).await.unwrap().len(), 1);
    let next = plain(4, 4, Mask(0b1));
    assert_eq!(commit(&store, &next, &whole(&next), 3).await.version, Version(2));
}

/// The same for a first load, whose indexes are taken down and built again.
async fn a_first_load_that_breaks_off_leaves_an_empty_database(database: Database) {
    let store = database.open().await;
    let mut broken = plain(4, 4, Mask(0b1));
    broken.access[0].principal = 99;
    try_commit(&store, broken, &Coverage::default(), 1).await.unwrap_err();
    assert!(store.snapshot(None).await.unwrap().is_none());
    let next = plain(4, 4, Mask(0b1));
    assert_eq!(commit(&store, &next, &whole(&next), 2).await.version, Version(1));
    let again = commit(&store, &next, &whole(&next), 3).await;
    assert_eq!((again.changes.added, again.changes.changed), (0, 0));
}

on_both_engines!(
    a_newer_schema_is_refused_and_left_alone,
    an_empty_database_has_no_version,
    a_version_or_time_that_never_was_is_named,
    a_failed_sync_is_recorded_and_is_no_version,
    a_commit_that_breaks_off_leaves_the_last_version,
    a_first_load_that_breaks_off_leaves_an_empty_database,
);

#[tokio::test]
async fn a_missing_file_is_only_made_where_that_is_wanted() {
    let database = Database::sqlite();
    let error = Store::open(&database.url, OpenMode::Existing).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    assert!(!database.file().exists());
    drop(database.open().await);
    assert!(database.file().exists());
    Store::open(&database.url, OpenMode::Existing).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let database = Database::sqlite();
    let text = "not a database, but something dear to somebody\n".repeat(500);
    std::fs::write(database.file(), &text).unwrap();
    Store::open(&database.url, OpenMode::Create).await.unwrap_err();
    assert_eq!(std::fs::read_to_string(database.file()).unwrap(), text);
}
