//! Files from elsewhere: older schemas, other layouts of the same things, what a newer program left in them.

use std::path::Path;

use metsuke_baton::any;
use metsuke_baton::c1z::{
    self, C1z, C1zError, Content, Keep, Manner, ReadOptions, Row, Rows as _, SyncType, WriteOptions,
};
use metsuke_baton::id::ResourceKey;
use metsuke_baton::proto::connector::{Grant, RawId, Resource};
use metsuke_model::Moment;
use prost::Message as _;

use super::estate::{House, bare, grant_of, head, resource, resource_type, small};

/// Five tables, and as few columns as ever were.
const OLDEST: &str = "
    CREATE TABLE v1_resource_types (id integer primary key, external_id text, data blob, sync_id text, discovered_at datetime);
    CREATE TABLE v1_resources (id integer primary key, resource_type_id text, external_id text,
        parent_resource_type_id text, parent_resource_id text, data blob, sync_id text, discovered_at datetime);
    CREATE TABLE v1_entitlements (id integer primary key, resource_type_id text, resource_id text, external_id text,
        data blob, sync_id text, discovered_at datetime);
    CREATE TABLE v1_grants (id integer primary key, resource_type_id text, resource_id text, entitlement_id text,
        principal_resource_type_id text, principal_resource_id text, external_id text, data blob, sync_id text,
        discovered_at datetime);
    CREATE TABLE v1_sync_runs (id integer primary key, sync_id text, started_at datetime, ended_at datetime,
        sync_token text);";

fn build(path: &Path, schema: &str, fill: impl FnOnce(&rusqlite::Connection)) -> Vec<u8> {
    let database = rusqlite::Connection::open(path).unwrap();
    database.execute_batch(schema).unwrap();
    fill(&database);
    drop(database);
    let bytes = std::fs::read(path).unwrap();
    std::fs::remove_file(path).unwrap();
    bytes
}

/// A file of the oldest schema with the small estate.
fn oldest() -> House {
    let house = House::new();
    let bytes = build(&house.folder.path().join("old.db"), OLDEST, |database| {
        let sync = "an-old-sync";
        let seen = "2025-01-02T03:04:05Z";
        for row in small() {
            match row {
                Row::ResourceType(row) => {
                    let sql = "INSERT INTO v1_resource_types (external_id, data, sync_id, discovered_at) VALUES (?1, ?2, ?3, ?4)";
                    database.execute(sql, (&row.id, row.encode_to_vec(), sync, seen)).unwrap();
                }
                Row::Resource(row) => {
                    let id = row.id.clone().unwrap();
                    let sql = "INSERT INTO v1_resources (resource_type_id, external_id, data, sync_id, discovered_at) VALUES (?1, ?2, ?3, ?4, ?5)";
                    let key = format!("{}:{}", id.resource_type, id.resource);
                    database.execute(sql, (&id.resource_type, key, row.encode_to_vec(), sync, seen)).unwrap();
                }
                Row::Entitlement(row) => {
                    let id = row.resource.clone().unwrap().id.unwrap();
                    let sql = "INSERT INTO v1_entitlements (resource_type_id, resource_id, external_id, data, sync_id, discovered_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                    let message = row.encode_to_vec();
                    database
                        .execute(sql, (&id.resource_type, &id.resource, &row.id, message, sync, seen))
                        .unwrap();
                }
                Row::Grant(row) => {
                    let entitlement = row.entitlement.clone().unwrap();
                    let on = entitlement.resource.unwrap().id.unwrap();
                    let to = row.principal.clone().unwrap().id.unwrap();
                    let sql = "INSERT INTO v1_grants (resource_type_id, resource_id, entitlement_id, principal_resource_type_id, principal_resource_id, external_id, data, sync_id, discovered_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
                    let message = row.encode_to_vec();
                    let values = (
                        &on.resource_type,
                        &on.resource,
                        &entitlement.id,
                        &to.resource_type,
                        &to.resource,
                        &row.id,
                        message,
                        sync,
                        seen,
                    );
                    database.execute(sql, values).unwrap();
                }
            }
        }
        let sql =
            "INSERT INTO v1_sync_runs (sync_id, started_at, ended_at, sync_token) VALUES (?1, ?2, ?2, '{}')";
        database.execute(sql, (sync, seen)).unwrap();
    });
    house.put(&bytes);
    house
}

#[test]
fn the_oldest_schema_is_read() {
    let house = oldest();
    assert_eq!(house.rows(), small());
    let file = house.open();
    let run = file.newest().unwrap();
    assert_eq!((run.id.as_str(), &run.sync_type), ("an-old-sync", &SyncType::Full));
    assert_eq!(run.started_at, Moment::parse("2025-01-02T03:04:05Z"));
    assert_eq!((run.supports_diff, &run.stats), (false, &None));
}

#[test]
fn the_oldest_schema_becomes_the_newest_when_it_is_written_to() {
    let house = oldest();
    house.write(1, &small()).unwrap();
    let file = house.open();
    assert_eq!(file.syncs().len(), 2);
    let mut rows = Vec::new();
    file.rows(&file.sync("an-old-sync").unwrap().id).visit(&mut rows).unwrap();
    assert_eq!(rows, small());
    let database = house.database();
    let told: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(told, "ok");
    let sql = "SELECT sync_type || grants_backfilled || supports_diff FROM v1_sync_runs WHERE sync_id = 'an-old-sync'";
    let told: String = database.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(told, "full00", "the next reader fills what this one lacks");
}

/// Changes the database inside a file.
fn change(house: &House, sql: &str) {
    let database = house.database();
    database.execute_batch(sql).unwrap();
    drop(database);
    house.put(&std::fs::read(house.folder.path().join("inside.db")).unwrap());
}

#[test]
fn what_is_not_known_is_never_lost() {
    for (sql, what) in [
        ("CREATE TABLE v1_extra (id integer primary key)", "a table `v1_extra`"),
        ("ALTER TABLE v1_grants ADD COLUMN extra text", "a column `extra` of `v1_grants`"),
    ] {
        let house = House::with(&small());
        change(&house, sql);
        let before = house.bytes();
        assert_eq!(house.rows(), small(), "it can be read");
        let error = house.write(2, &small()).unwrap_err();
        assert!(matches!(&error, C1zError::Newer { what: found, .. } if found == what), "{error:?}");
        assert_eq!(house.bytes(), before);
        let options = WriteOptions { keep: Keep::OnlyNew, ..WriteOptions::of(head(2, SyncType::Full)) };
        house.write_as(&options, &small()).unwrap();
    }
}

#[test]
fn assets_and_sessions_of_what_stays_stay() {
    let house = House::with(&small());
    let sync = head(1, SyncType::Full).id;
    change(
        &house,
        &format!(
            "INSERT INTO v1_assets (external_id, content_type, data, sync_id, discovered_at)
                  VALUES ('logo', 'image/png', x'00ff', '{sync}', '2026-01-01 00:00:00');
             INSERT INTO v1_connector_sessions (sync_id, key, value) VALUES ('{sync}', 'k', x'01');
             INSERT INTO v1_connector_sessions (sync_id, key, value) VALUES ('gone', 'k', x'01')"
        ),
    );
    house.write(2, &small()).unwrap();
    let database = house.database();
    let count = |table: &str| {
        database.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((count("v1_assets"), count("v1_connector_sessions")), (1, 1));
    let inspection = c1z::inspect(&house.file, &ReadOptions::default()).unwrap();
    assert_eq!(inspection.syncs[0].stats.assets, 1);
}

#[test]
fn a_log_that_is_not_there_is_not_looked_for() {
    let house = House::with(&small());
    change(&house, "PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE);");
    let inside = std::fs::read(house.folder.path().join("inside.db")).unwrap();
    assert_eq!(inside[18..20], [2, 2]);
    assert_eq!(house.rows(), small());
}

#[test]
fn grants_without_their_ends_are_filled_from_the_columns() {
    let house = House::with(&small());
    let slim =
        Grant { entitlement: None, principal: None, ..grant_of(("app", "api", "deploy"), ("user", "bob")) };
    let database = house.database();
    let sql = "UPDATE v1_grants SET data = ?1 WHERE external_id = 'app:api:deploy:user:bob'";
    database.execute(sql, [slim.encode_to_vec()]).unwrap();
    drop(database);
    house.put(&std::fs::read(house.folder.path().join("inside.db")).unwrap());
    assert_eq!(house.rows(), small());
}

#[test]
fn unfinished_syncs_are_told_and_not_chosen() {
    let house = House::with(&small());
    change(
        &house,
        "INSERT INTO v1_sync_runs (sync_id, started_at, sync_token) VALUES ('begun', '2027-01-01 00:00:00', '')",
    );
    let file = house.open();
    assert_eq!(file.newest().unwrap().id, head(1, SyncType::Full).id);
    assert!(!file.sync("begun").unwrap().is_finished);
    house.write(2, &small()).unwrap();
    house.write(3, &small()).unwrap();
    assert!(house.open().sync("begun").is_ok(), "whoever began it may go on");
    change(&house, "DELETE FROM v1_sync_runs WHERE sync_id <> 'begun'");
    assert!(matches!(house.open().newest(), Err(C1zError::NoSync { .. })));
}

#[test]
fn what_dangles_or_is_too_new_is_told() {
    let house = House::with(&small());
    let newer = Resource {
        annotations: vec![
            any::pack(&RawId { id: "x".into() }),
            prost_types::Any {
                type_url: "type.googleapis.com/c1.connector.v2.EntitlementExclusionGroup".into(),
                value: Vec::new(),
            },
        ],
        ..bare("user", "ann")
    };
    let database = house.database();
    let sql = "UPDATE v1_resources SET data = ?1 WHERE external_id = 'user:ann'";
    database.execute(sql, [newer.encode_to_vec()]).unwrap();
    database.execute_batch("DELETE FROM v1_entitlements WHERE external_id = 'app:web:deploy'; UPDATE v1_sync_runs SET stats = '{\"grants\":7}'").unwrap();
    drop(database);
    house.put(&std::fs::read(house.folder.path().join("inside.db")).unwrap());
    let inspection = c1z::inspect(&house.file, &ReadOptions::default()).unwrap();
    let sync = &inspection.syncs[0];
    assert!(!sync.stats_agree && sync.stats.grants == 4);
    assert_eq!(
        sync.offences.to_string(),
        "grant `app:web:deploy:user:ann` names entitlement `app:web:deploy`, which is not there"
    );
    let unknown: Vec<(&str, u64)> =
        sync.unknown_annotations.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(unknown, [("c1.connector.v2.EntitlementExclusionGroup", 1)]);
}

#[test]
fn our_own_files_have_nothing_wrong() {
    let house = House::with(&small());
    house.write(2, &small()).unwrap();
    let inspection = c1z::inspect(&house.file, &ReadOptions::default()).unwrap();
    assert_eq!(inspection.syncs.len(), 2);
    for sync in inspection.syncs {
        assert!(sync.stats_agree && sync.unknown_annotations.is_empty());
        assert_eq!(sync.offences.count(), 0, "{}", sync.offences);
    }
}

#[test]
fn a_foreign_file_becomes_rows_to_compare() {
    let house = oldest();
    let content = Content::read(&house.file, None, &ReadOptions::default()).unwrap();
    assert_eq!(content.resource_types.len(), 4);
    let held: Vec<(&str, String, Manner)> = content
        .grants
        .iter()
        .map(|grant| {
            let principal = &content.resources[grant.principal as usize];
            assert!(principal.is_there);
            let name = principal.key.resource.clone();
            (content.entitlements[grant.entitlement as usize].id.as_str(), name, grant.manner)
        })
        .collect();
    assert_eq!(
        held,
        [
            ("team:core:admin", "ann".to_owned(), Manner::Direct),
            ("app:api:deploy", "bob".to_owned(), Manner::Direct),
            ("app:web:deploy", "ann".to_owned(), Manner::Direct),
            ("app:api:deploy", "core".to_owned(), Manner::PassedOn),
        ]
    );
    let api = content.resources.iter().find(|row| row.key == ResourceKey::new("app", "api")).unwrap();
    assert_eq!((api.name.as_str(), &api.parent), ("app api", &Some(ResourceKey::new("team", "core"))));
    assert!(matches!(
        Content::read(&house.file, Some("other"), &ReadOptions::default()),
        Err(C1zError::NoSync { .. })
    ));
}

#[test]
fn rows_of_one_file_are_written_to_another() {
    let (house, other) = (House::with(&small()), House::new());
    let file = house.open();
    let id = file.newest().unwrap().id.clone();
    c1z::write(&other.file, &mut file.rows(&id), &WriteOptions::of(head(1, SyncType::Full))).unwrap();
    assert_eq!(other.bytes(), house.bytes());
}

#[test]
fn messages_that_cannot_be_read_are_named() {
    let house = House::with(&[resource_type("user"), resource("user", "ann", None)]);
    change(&house, "UPDATE v1_resources SET data = x'ff'");
    let file = C1z::open(&house.file, &ReadOptions::default()).unwrap();
    let error = file.rows(&file.newest().unwrap().id).visit(&mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("resource `user:ann` cannot be read"), "{error}");
}
