//! What is written: the container, the database, the rows, the counts.

use metsuke_baton::any;
use metsuke_baton::c1z::{C1z, ReadOptions, Row, Stats, SyncType, WriteOptions};
use metsuke_baton::proto::connector::{Grant, GrantExpandable, GrantImmutable};
use metsuke_model::Moment;
use proptest::prelude::*;
use prost::Message as _;

use super::estate::{
    BEGAN, House, decoded, entitlement, grant, head, is_grant_to, passed_on, resource, resource_type, small,
};

#[test]
fn what_is_written_is_read_back() {
    assert_eq!(House::with(&small()).rows(), small());
}

#[test]
fn sqlite_finds_nothing_to_say_of_the_database() {
    let database = House::with(&small()).database();
    let told: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(told, "ok");
    let number = |pragma: &str| database.query_row(pragma, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("PRAGMA page_size"), 4096);
    assert_eq!(number("PRAGMA user_version"), 0);
    assert_eq!(number("PRAGMA application_id"), 0);
    assert_eq!(number("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'"), 7);
    assert_eq!(number("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'index'"), 16);
}

#[test]
fn the_frame_tells_its_length_and_has_a_checksum() {
    let house = House::new();
    let written = house.write(1, &small()).unwrap();
    let bytes = house.bytes();
    assert_eq!(&bytes[..5], b"C1ZF\0");
    let container = house.open().container().clone();
    assert_eq!(container.declared_bytes, Some(written.decoded_bytes));
    assert_eq!(container.decoded_bytes, decoded(&bytes).len() as u64);
    assert_eq!(container.file_bytes, bytes.len() as u64);
    assert!(container.has_checksum && container.window_bytes <= 1 << 27);
}

#[test]
fn the_same_version_is_the_same_bytes() {
    let (one, other) = (House::with(&small()), House::with(&small()));
    assert_eq!(one.bytes(), other.bytes());
    other.write(1, &small()).unwrap();
    assert_eq!(one.bytes(), other.bytes(), "written again in its own place");
    other.write(2, &small()).unwrap();
    assert_ne!(one.bytes(), other.bytes());
}

#[test]
fn what_a_grant_is_passed_on_from_stands_in_its_column() {
    let database = House::with(&small()).database();
    let sql = "SELECT data, expansion, needs_expansion FROM v1_grants WHERE external_id = ?1";
    let read = |id: &str| {
        database
            .query_row(sql, [id], |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Option<Vec<u8>>>(1)?, row.get::<_, i64>(2)?))
            })
            .unwrap()
    };
    let (message, expansion, needs) = read("app:api:deploy:team:core");
    let expansion = GrantExpandable::decode(expansion.unwrap().as_slice()).unwrap();
    assert_eq!((expansion.entitlement_ids, expansion.shallow), (vec!["team:core:admin".to_owned()], true));
    assert_eq!(needs, 1);
    let message = Grant::decode(message.as_slice()).unwrap();
    assert_eq!(message.annotations, [any::pack(&GrantImmutable::default())]);
    let (_, expansion, needs) = read("app:api:deploy:user:bob");
    assert_eq!((expansion, needs), (None, 0));
}

#[test]
fn blank_sources_are_none() {
    let mut rows = super::estate::without(&small(), |row| is_grant_to(row, "core"));
    rows.push(passed_on(("app", "api", "deploy"), ("team", "core"), &["", " "]));
    let database = House::with(&rows).database();
    let sql = "SELECT COUNT(*) FROM v1_grants WHERE expansion IS NOT NULL OR needs_expansion <> 0";
    assert_eq!(database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn columns_tell_what_the_messages_tell() {
    let database = House::with(&small()).database();
    let texts = |sql: &str| {
        database
            .query_row(sql, [], |row| {
                (0..row.as_ref().column_count()).map(|place| row.get::<_, Option<String>>(place)).collect()
            })
            .map(|columns: Vec<Option<String>>| {
                columns.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>()
            })
            .unwrap()
    };
    let resource = "SELECT external_id, resource_type_id, parent_resource_type_id, parent_resource_id
                      FROM v1_resources WHERE external_id = 'app:api'";
    assert_eq!(texts(resource), ["app:api", "app", "team", "core"]);
    let user = "SELECT COUNT(*) || '' FROM v1_resources WHERE parent_resource_id IS NULL";
    assert_eq!(texts(user), ["4"]);
    let grant = "SELECT resource_type_id, resource_id, entitlement_id, principal_resource_type_id, principal_resource_id
                   FROM v1_grants WHERE external_id = 'app:api:deploy:user:bob'";
    assert_eq!(texts(grant), ["app", "api", "app:api:deploy", "user", "bob"]);
    let run = "SELECT started_at, ended_at, sync_token, sync_type, parent_sync_id, linked_sync_id,
                      supports_diff || '', grants_backfilled || ''
                 FROM v1_sync_runs";
    assert_eq!(texts(run), ["2026-11-22 07:42:00", "2026-11-22 07:42:01.5", "", "full", "", "", "1", "1"]);
    let seen =
        "SELECT DISTINCT discovered_at FROM (SELECT discovered_at FROM v1_grants UNION SELECT discovered_at
                  FROM v1_resources UNION SELECT discovered_at FROM v1_entitlements UNION SELECT discovered_at
                  FROM v1_resource_types)";
    assert_eq!(texts(seen), ["2026-11-22 07:42:00"]);
}

#[test]
fn counts_are_those_of_the_rows() {
    let house = House::new();
    let written = house.write(1, &small()).unwrap();
    let told: String =
        house.database().query_row("SELECT stats FROM v1_sync_runs", [], |row| row.get(0)).unwrap();
    assert_eq!(
        told,
        r#"{"resource_types":4,"resources":6,"entitlements":3,"grants":4,"resources_by_resource_type":{"app":2,"space":0,"team":1,"user":3},"grants_by_resource_type":{"app":3,"team":1},"entitlements_by_resource_type":{"app":2,"team":1}}"#
    );
    assert_eq!(serde_json::from_str::<Stats>(&told).unwrap(), written.stats);
    let inspection = metsuke_baton::c1z::inspect(&house.file, &ReadOptions::default()).unwrap();
    assert_eq!(inspection.syncs[0].stats, written.stats);
    assert!(inspection.syncs[0].stats_agree);
}

#[test]
fn a_sync_is_told_as_it_was_written() {
    let house = House::with(&small());
    let file = house.open();
    let [run] = file.syncs() else { panic!("{:?}", file.syncs()) };
    assert_eq!(run.id, head(1, SyncType::Full).id);
    assert_eq!(run.started_at, Some(Moment(BEGAN + 3_600_000_000)));
    assert!(run.is_finished && run.supports_diff && run.parent.is_none());
}

#[test]
fn a_sync_without_grants_is_no_basis_of_a_difference() {
    let house = House::new();
    let rows: Vec<Row> =
        small().into_iter().filter(|row| matches!(row, Row::ResourceType(_) | Row::Resource(_))).collect();
    house.write_as(&WriteOptions::of(head(1, SyncType::ResourcesOnly)), &rows).unwrap();
    let file = house.open();
    let run = file.newest().unwrap();
    assert_eq!((&run.sync_type, run.supports_diff), (&SyncType::ResourcesOnly, false));
}

#[test]
fn a_sync_of_nothing_is_a_file() {
    let house = House::new();
    house.write(1, &[]).unwrap();
    assert!(house.rows().is_empty());
    let told: String = house.database().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(told, "ok");
}

#[test]
fn the_machines_zone_makes_no_difference() {
    if std::env::var_os("TZ").is_some_and(|zone| zone == "Asia/Tokyo") {
        std::fs::write(std::env::var_os("METSUKE_TEST_FILE").unwrap(), House::with(&small()).bytes())
            .unwrap();
        return;
    }
    let house = House::with(&small());
    let other = house.folder.path().join("other.c1z");
    let again = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "c1z::written::the_machines_zone_makes_no_difference"])
        .env("TZ", "Asia/Tokyo")
        .env("METSUKE_TEST_FILE", &other)
        .output()
        .unwrap();
    assert!(again.status.success(), "{again:?}");
    assert_eq!(std::fs::read(other).unwrap(), house.bytes());
}

#[test]
fn a_file_is_its_owners_alone_and_keeps_what_it_was_given() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::with(&small());
    let mode = || std::fs::metadata(&house.file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    std::fs::set_permissions(&house.file, std::fs::Permissions::from_mode(0o640)).unwrap();
    house.write(2, &small()).unwrap();
    assert_eq!(mode(), 0o640);
}

/// Estates with names of all lengths and letters, in any order within a kind.
fn estates() -> impl Strategy<Value = Vec<Row>> {
    let name = prop_oneof![
        4 => "[a-z0-9-]{1,40}",
        1 => "\\PC{1,12}",
        1 => "[\\x00-\\x03]{1,6}",
        1 => "x{300,1000}",
    ];
    let names = proptest::collection::btree_set(name, 1..40);
    (names, proptest::collection::vec(any::<(prop::sample::Index, prop::sample::Index, bool)>(), 0..120))
        .prop_map(|(names, held)| {
            let names: Vec<String> = names.into_iter().collect();
            let mut rows = vec![resource_type("t"), resource_type("tt")];
            let long = |name: &String| name.len() > 900;
            for name in &names {
                rows.push(resource("t", name, None));
                rows.push(resource("tt", name, Some(("t", name))));
            }
            rows.extend(names.iter().filter(|name| !long(name)).map(|name| entitlement("t", name, "a")));
            let mut seen = std::collections::BTreeSet::new();
            for (on, to, is_passed_on) in held {
                let (on, to) = (on.get(&names), to.get(&names));
                if on.len() + to.len() > 1_000 || long(on) || long(to) || !seen.insert((on, to)) {
                    continue;
                }
                let place = ("t", on.as_str(), "a");
                let source = format!("t:{to}:a");
                rows.push(if is_passed_on {
                    passed_on(place, ("t", to), &[&source])
                } else {
                    grant(place, ("tt", to))
                });
            }
            rows
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn any_estate_is_read_back_and_whole(rows in estates()) {
        let house = House::with(&rows);
        prop_assert_eq!(house.rows(), rows);
        let told: String =
            house.database().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        prop_assert_eq!(told, "ok");
        C1z::open(&house.file, &ReadOptions::default()).unwrap();
    }
}

/// Enough rows for pages above pages in the tables and in the indexes.
#[test]
fn large_tables_and_indexes_are_whole() {
    let mut rows = vec![resource_type("user"), resource_type("app")];
    let people: Vec<String> = (0..400).map(|number| format!("{:036x}", number * 7_919 % 4_001)).collect();
    let apps: Vec<String> = (0..300).map(|number| format!("{number:036x}")).collect();
    rows.extend(people.iter().map(|name| resource("user", name, None)));
    rows.extend(apps.iter().map(|name| resource("app", name, None)));
    rows.extend(apps.iter().map(|name| entitlement("app", name, "deploy")));
    for (number, app) in apps.iter().enumerate() {
        for step in 0..60 {
            rows.push(grant(("app", app, "deploy"), ("user", &people[(number * 31 + step * 5) % 400])));
        }
    }
    let house = House::with(&rows);
    let database = house.database();
    let told: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(told, "ok");
    let plan = |sql: &str| database.query_row(sql, [&people[9]], |row| row.get::<_, i64>(0)).unwrap();
    let indexed = plan(
        "SELECT COUNT(*) FROM v1_grants INDEXED BY idx_grants_principal_id_v1 WHERE principal_resource_type_id = 'user' AND principal_resource_id = ?1",
    );
    let scanned = plan("SELECT COUNT(*) FROM v1_grants NOT INDEXED WHERE principal_resource_id = ?1");
    assert!(indexed == scanned && scanned > 0);
    assert_eq!(house.rows().len(), rows.len());
}
