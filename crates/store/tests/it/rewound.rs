//! An earlier version as a database of its own holds what the original held when that version was the newest.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_model::record::{AddOn, App, Invitation, Team, User};
use metsuke_model::{AsOf, ColumnType, Coverage, Estate, Kind, Moment, Record, Version};
use metsuke_store::{AccessSelect, Datum, Select, Snapshot, Store, StoreError};

use crate::database::{Database, commit, try_commit};
use crate::document::{State, read};
use crate::tables::{History, numbers, query, rows};

/// The rows of each table, in the order of their keys.
type Tables = BTreeMap<&'static str, Vec<Vec<Datum>>>;

const OTHERS: [(&str, &str); 4] = [
    ("access", "SELECT resource_id, principal_id, mask, since FROM access ORDER BY resource_id, principal_id"),
    ("held", "SELECT principal_id, resource_id, mask FROM held ORDER BY principal_id, resource_id"),
    (
        "access_other",
        "SELECT resource_id, principal_id, slug FROM access_other ORDER BY resource_id, principal_id, slug",
    ),
    (
        "sync",
        "SELECT id, status, error, started_at, finished_at, requests, waited_ms, users, teams, enterprise_accounts,
                apps, addons, invitations, grants, added, removed, changed
           FROM sync ORDER BY id",
    ),
];

/// Where an object's row says since when it is gone.
const GONE: usize = 3;

async fn tables(store: &Store) -> Tables {
    let mut found = Tables::new();
    for kind in Kind::ALL {
        let table = kind.table();
        let columns: Vec<String> =
            kind.columns().iter().map(|column| format!("{table}.{}", column.name)).collect();
        let sql = format!(
            "SELECT {table}.id, {table}.uuid, {table}.since, {table}.gone, {table}.begun, {table}.edition,
                    {table}.properties, properties.hash, properties.document, {}
               FROM {table} LEFT JOIN properties ON properties.id = {table}.properties
              ORDER BY {table}.id",
            columns.join(", ")
        );
        found.insert(table, rows(store, &sql).await);
    }
    for (table, sql) in OTHERS {
        let mut rows = rows(store, sql).await;
        // Engines order texts each in its own way.
        rows.sort_by_key(|row| format!("{row:?}"));
        found.insert(table, rows);
    }
    found
}

/// Whether the row is of something that was only referred to.
fn is_stub(row: &[Datum]) -> bool {
    row[GONE] == Datum::Int(0)
}

/// All dense ids that stand in columns.
fn named(tables: &Tables) -> BTreeSet<i64> {
    let mut ids = BTreeSet::new();
    let mut meet = |datum: &Datum| {
        if let Datum::Int(id) = datum {
            ids.insert(*id);
        }
    };
    for kind in Kind::ALL {
        for row in &tables[kind.table()] {
            for (column, value) in kind.columns().iter().zip(&row[9..]) {
                if matches!(column.column_type, ColumnType::Reference(_)) {
                    meet(value);
                }
            }
        }
    }
    for row in tables["access"].iter().chain(&tables["access_other"]) {
        row[..2].iter().for_each(&mut meet);
    }
    ids
}

/// Compares all tables. Of what was only referred to it is not known since when, and what nothing names may be missing.
fn assert_same(found: &Tables, wanted: &Tables, told: &str) {
    let named = named(wanted);
    for kind in Kind::ALL {
        let table = kind.table();
        let plain = |tables: &Tables| {
            let rows = tables[table].iter().cloned().map(|mut row| {
                if is_stub(&row) {
                    row[2] = Datum::Null;
                }
                row
            });
            rows.collect::<Vec<_>>()
        };
        let (found, mut wanted) = (plain(found), plain(wanted));
        let there: BTreeSet<i64> = found.iter().map(|row| id(row)).collect();
        wanted.retain(|row| !is_stub(row) || there.contains(&id(row)) || named.contains(&id(row)));
        for (found, wanted) in found.iter().zip(&wanted) {
            assert_eq!(found, wanted, "{told}: {table}");
        }
        assert_eq!(found.len(), wanted.len(), "{told}: {table}");
    }
    for (table, _) in OTHERS {
        assert_eq!(found[table], wanted[table], "{told}: {table}");
    }
}

fn id(row: &[Datum]) -> i64 {
    let Datum::Int(id) = row[0] else { panic!("{row:?}") };
    id
}

/// What stands apart from dense ids and times is compared in `read`.
async fn assert_kind<T: Record + PartialEq + std::fmt::Debug>(left: &mut Snapshot, right: &mut Snapshot) {
    let mut found =
        [left.objects::<T>(&Select::All).await.unwrap(), right.objects::<T>(&Select::All).await.unwrap()];
    for objects in &mut found {
        objects.sort_by_key(|stored| stored.dense);
    }
    let [left, right] = found;
    assert_eq!(left, right);
}

async fn assert_snapshots(rewound: &Store, original: &Store, as_of: AsOf) {
    let mut left = rewound.snapshot(None).await.unwrap().unwrap();
    let mut right = original.snapshot(Some(as_of)).await.unwrap().unwrap();
    assert_eq!(left.sync(), right.sync());
    assert_kind::<User>(&mut left, &mut right).await;
    assert_kind::<Team>(&mut left, &mut right).await;
    assert_kind::<App>(&mut left, &mut right).await;
    assert_kind::<AddOn>(&mut left, &mut right).await;
    assert_kind::<Invitation>(&mut left, &mut right).await;
    let all = AccessSelect::All;
    assert_eq!(left.access(&all).await.unwrap(), right.access(&all).await.unwrap());
    assert_eq!(left.listing_manners().await.unwrap(), right.listing_manners().await.unwrap());
}

/// Makes a history, and compares each of its versions with what was seen when it was the newest.
async fn play(database: &Database, seed: u64, versions: usize) {
    let mut history = History::new(database, seed).await;
    let mut states: Vec<(i64, Tables, State)> = Vec::new();
    for _ in 0..versions {
        history.advance().await;
        let store = &history.store;
        states.push((history.version, tables(store).await, read(store, None).await));
    }
    let folder = tempfile::tempdir().unwrap();
    for (version, wanted, state) in &states {
        let told = format!("seed {seed}, version {version} of {}", history.version);
        let as_of = AsOf::Version(Version(*version));
        let rewound = history.store.rewound(as_of, folder.path()).await.unwrap();
        assert_same(&tables(&rewound).await, wanted, &told);
        read(&rewound, None).await.assert_is(state, &told);
        assert_snapshots(&rewound, &history.store, as_of).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_of_random_histories_is_rewound_from_sqlite() {
    for seed in 0..12 {
        play(&Database::sqlite(), seed, 8).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_of_random_histories_is_rewound_from_postgres() {
    for seed in 100..103 {
        play(&Database::postgres(), seed, 7).await;
    }
}

async fn a_rewound_version_has_no_other_and_takes_no_more(database: Database) {
    let mut history = History::new(&database, 40).await;
    for _ in 0..4 {
        history.advance().await;
    }
    let first = AsOf::Version(Version(1));
    let folder = tempfile::tempdir().unwrap();
    let newest = AsOf::Version(Version(history.version));
    let rewound = history.store.rewound(newest, folder.path()).await.unwrap();
    for refused in
        [rewound.snapshot(Some(first)).await.err(), rewound.rewound(first, folder.path()).await.err()]
    {
        assert!(matches!(refused, Some(StoreError::NoVersion { .. })), "{refused:?}");
    }
    assert!(try_commit(&rewound, Estate::default(), &Coverage::default(), 900).await.is_err());
    let again = rewound.rewound(newest, folder.path()).await.unwrap();
    assert_ne!(again.file(), rewound.file(), "each has a file of its own");
    assert_same(&tables(&again).await, &tables(&rewound).await, "once more");
    // What comes later changes nothing about it.
    let before = tables(&rewound).await;
    commit(&history.store, &Estate::default(), &Coverage::default(), 950).await;
    assert_eq!(tables(&rewound).await, before);
    let unknown = AsOf::Time(Moment(1));
    let refused = history.store.rewound(unknown, folder.path()).await.unwrap_err();
    assert!(matches!(refused, StoreError::NoVersion { .. }), "{refused:?}");
    let missing = folder.path().join("missing");
    let refused = history.store.rewound(first, &missing).await.unwrap_err();
    assert!(matches!(refused, StoreError::Open { .. }), "{refused:?}");
}

async fn a_rewound_version_is_indexed_and_analysed(database: Database) {
    let mut history = History::new(&database, 41).await;
    history.advance().await;
    history.advance().await;
    let folder = tempfile::tempdir().unwrap();
    let rewound = history.store.rewound(AsOf::Version(Version(1)), folder.path()).await.unwrap();
    let fresh = Database::sqlite();
    let sql = "SELECT name FROM sqlite_master WHERE type IN ('index', 'table') AND name NOT LIKE 'sqlite_%' ORDER BY name";
    assert_eq!(rows(&rewound, sql).await, rows(&fresh.open().await, sql).await);
    assert!(numbers(&rewound, "SELECT COUNT(*) FROM sqlite_stat1").await[0][0] > 10);
    let plan = rewound.explain(&query("SELECT id FROM app WHERE team = 67", Vec::new())).await.unwrap();
    assert!(plan.iter().any(|line| line.contains("app_team")), "{plan:?}");
}

/// A roster is no part of a version.
async fn people_are_in_a_rewound_version_as_they_are_now(database: Database) {
    let mut history = History::new(&database, 42).await;
    history.advance().await;
    history.advance().await;
    database
        .sql(
            "INSERT INTO employee (id, key, since, begun, edition, name, emails, aliases, active, roster)
             VALUES (76, 'ann', 1, 2, 3, 'Ann Ünï', '[]', '[]', 1, 'staff');
             INSERT INTO employee_match (user_id, employee_id, matched_by, by_hand, since)
             VALUES (65, 76, 'email', 0, 2);",
        )
        .await;
    let folder = tempfile::tempdir().unwrap();
    let rewound = history.store.rewound(AsOf::Version(Version(1)), folder.path()).await.unwrap();
    for (sql, count) in [("SELECT * FROM employee", 21), ("SELECT * FROM employee_match", 5)] {
        let found = rows(&rewound, sql).await;
        assert_eq!(found, rows(&history.store, sql).await);
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [count]);
    }
}

on_both_engines!(
    a_rewound_version_has_no_other_and_takes_no_more,
    a_rewound_version_is_indexed_and_analysed,
    people_are_in_a_rewound_version_as_they_are_now,
);
