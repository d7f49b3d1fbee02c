//! What the tables say of an object's past is what the change log says.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_model::Kind;
use metsuke_store::Store;

use crate::database::Database;
use crate::tables::{History, numbers};

/// By object: the version whose change made it what it is, and its edition.
type Editions = BTreeMap<i64, (i64, i64)>;

async fn stored(store: &Store) -> Editions {
    let mut found = Editions::new();
    for kind in Kind::ALL {
        let sql = format!("SELECT id, begun, edition FROM {}", kind.table());
        found.extend(numbers(store, &sql).await.into_iter().map(|row| (row[0], (row[1], row[2]))));
    }
    found
}

/// The same from the log alone: an object's first entry, if it is one of coming, is how it came.
async fn logged(store: &Store) -> Editions {
    let mut found: Editions = stored(store).await.into_keys().map(|id| (id, (0, 1))).collect();
    let mut met = BTreeSet::new();
    let sql = "SELECT object_id, version, change FROM object_change ORDER BY version";
    for row in numbers(store, sql).await {
        let (id, version, change) = (row[0], row[1], row[2]);
        let first = met.insert(id);
        if change == 3 || change == 1 && !first {
            let (begun, edition) = found.get_mut(&id).unwrap();
            (*begun, *edition) = (version, *edition + 1);
        }
    }
    found
}

async fn assert_editions(store: &Store, told: &str) -> Editions {
    let (found, wanted) = (stored(store).await, logged(store).await);
    for (id, wanted) in &wanted {
        assert_eq!(found.get(id), Some(wanted), "{told}: object {id} of kind {}", id & 63);
    }
    assert_eq!(found.len(), wanted.len(), "{told}");
    found
}

async fn every_object_has_the_edition_that_its_log_comes_to(database: Database) {
    let mut history = History::new(&database, 5).await;
    let mut highest = 0;
    for _ in 0..25 {
        history.advance().await;
        let editions = assert_editions(&history.store, &format!("version {}", history.version)).await;
        highest = editions.values().map(|(_, edition)| *edition).max().unwrap_or(0);
    }
    assert!(highest > 5, "the history had little in it");
}

const SQLITE: &str = include_str!("../../migrations/sqlite/0005_history.sql");
const POSTGRES: &str = include_str!("../../migrations/postgres/0005_history.sql");

const UNDO: &str = "
ALTER TABLE person DROP COLUMN begun; ALTER TABLE person DROP COLUMN edition;
ALTER TABLE enterprise_account DROP COLUMN begun; ALTER TABLE enterprise_account DROP COLUMN edition;
ALTER TABLE team DROP COLUMN begun; ALTER TABLE team DROP COLUMN edition;
ALTER TABLE app DROP COLUMN begun; ALTER TABLE app DROP COLUMN edition;
ALTER TABLE space DROP COLUMN begun; ALTER TABLE space DROP COLUMN edition;
ALTER TABLE addon DROP COLUMN begun; ALTER TABLE addon DROP COLUMN edition;
ALTER TABLE attachment DROP COLUMN begun; ALTER TABLE attachment DROP COLUMN edition;
ALTER TABLE pipeline DROP COLUMN begun; ALTER TABLE pipeline DROP COLUMN edition;
ALTER TABLE coupling DROP COLUMN begun; ALTER TABLE coupling DROP COLUMN edition;
ALTER TABLE invitation DROP COLUMN begun; ALTER TABLE invitation DROP COLUMN edition;
ALTER TABLE unresolved_member DROP COLUMN begun; ALTER TABLE unresolved_member DROP COLUMN edition;
";

/// A database from before there were editions gets the ones that it would have had.
async fn an_older_database_learns_its_editions_from_its_log(database: Database) {
    let mut history = History::new(&database, 6).await;
    for _ in 0..12 {
        history.advance().await;
    }
    let before = assert_editions(&history.store, "before").await;
    drop(history);
    database.sql(UNDO).await;
    database.sql(if database.is_sqlite() { SQLITE } else { POSTGRES }).await;
    let mut history = History::new(&database, 7).await;
    assert_eq!(assert_editions(&history.store, "after").await, before);
    history.advance().await;
    assert_editions(&history.store, "and later").await;
}

on_both_engines!(
    every_object_has_the_edition_that_its_log_comes_to,
    an_older_database_learns_its_editions_from_its_log,
);
