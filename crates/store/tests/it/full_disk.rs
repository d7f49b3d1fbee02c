//! A disk that fills up during a commit: one clear error, and the last version stays.
//!
//! The test runs itself again in a shell whose files may not grow beyond a limit, which SQLite meets as it meets
//! a full disk. PostgreSQL's disk is its server's; that test is about SQLite alone.

use std::process::Command;

use metsuke_model::Version;
use metsuke_model::access::Mask;
use metsuke_store::{OpenMode, Store, StoreError};

use crate::database::{Database, commit, try_commit};
use crate::document::read;
use crate::generated::{plain, whole};

/// Says to the test that it runs with a limit, and on which database.
pub(crate) const WITHIN: &str = "METSUKE_TEST_FULL_DISK";

/// Runs this test again with files of at most so many KiB.
pub(crate) fn again_within(test: &str, kibibytes: u64, database: &Database) -> String {
    let script = r#"trap "" XFSZ; ulimit -f "$1"; exec "$2" --exact "$3" --nocapture --test-threads 1"#;
    let mut shell = Command::new("bash");
    shell.args(["-c", script, "bash", &kibibytes.to_string()]);
    shell.arg(std::env::current_exe().unwrap()).arg(test).env(WITHIN, &database.url);
    let output = shell.output().unwrap();
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    told
}

/// What runs under the limit: a small and a big commit.
async fn commit_until_full(url: &str) {
    let store = Store::open(url, OpenMode::Existing).await.unwrap();
    let big = plain(400, 200, Mask(0b11));
    let error = try_commit(&store, big.clone(), &whole(&big), 2).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.hint().is_some());
    // The same program goes on with what there was.
    assert_eq!(store.syncs(9).await.unwrap().len(), 1);
    assert_eq!(store.snapshot(None).await.unwrap().unwrap().sync().version, Version(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_the_last_version() {
    if let Some(url) = std::env::var_os(WITHIN) {
        commit_until_full(url.to_str().unwrap()).await;
        println!("it was full");
        return;
    }
    let database = Database::sqlite();
    let store = database.open().await;
    let small = plain(5, 5, Mask(0b11));
    commit(&store, &small, &whole(&small), 1).await;
    let before = read(&store, None).await;
    drop(store);
    let length = std::fs::metadata(database.file()).unwrap().len() / 1024;
    // From no room for anything to nearly enough: the commit breaks off in another place each time.
    for room in [16, 64, 256, 1024] {
        let told = again_within("full_disk::a_full_disk_leaves_the_last_version", length + room, &database);
        assert!(told.contains("it was full"), "with {room} KiB: {told}");
        let store = database.open().await;
        read(&store, None).await.assert_is(&before, &format!("after {room} KiB"));
    }
    let store = database.open().await;
    let next = plain(400, 200, Mask(0b11));
    assert_eq!(commit(&store, &next, &whole(&next), 3).await.version, Version(2), "there is room again");
}

/// What runs under the limit: a commit that fits into the write-ahead log, and then not into the file.
async fn commit_more(url: &str) -> Version {
    let store = Store::open(url, OpenMode::Existing).await.unwrap();
    let more = plain(230, 100, Mask(0b1));
    let told = try_commit(&store, more.clone(), &whole(&more), 2).await;
    let newest = store.snapshot(None).await.unwrap().unwrap().sync().version;
    assert_eq!(told.is_ok(), newest == Version(2), "{told:?}, and the newest version is {newest}");
    newest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_after_a_commit_does_not_make_it_a_failure() {
    if let Some(url) = std::env::var_os(WITHIN) {
        println!("version {}", commit_more(url.to_str().unwrap()).await);
        return;
    }
    let database = Database::sqlite();
    let store = database.open().await;
    let base = plain(200, 100, Mask(0b1));
    commit(&store, &base, &whole(&base), 1).await;
    drop(store);
    let length = std::fs::metadata(database.file()).unwrap().len() / 1024;
    let test = "full_disk::a_disk_that_is_full_after_a_commit_does_not_make_it_a_failure";
    let told = again_within(test, length + 8, &database);
    assert!(told.contains("version 2"), "the limit is meant to strike after the commit: {told}");
    let store = database.open().await;
    assert_eq!(store.snapshot(None).await.unwrap().unwrap().sync().counts.apps, 230);
}
