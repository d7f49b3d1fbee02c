//! First load, re-sync and size, against a row-per-grant SQLite load of the same grants and objects.

#![expect(clippy::cast_precision_loss, reason = "figures that people read")]

use std::path::Path;
use std::time::Instant;

use metsuke_model::{AccessRow, Cell, Estate, Record, SyncReport, SyncStatus};
use metsuke_model::{Moment, SystemClock};
use metsuke_store::{OpenMode, Store};
use rusqlite::types::Value;

use crate::estate;
use crate::report::{Report, median, spread};

const REPEATS: usize = 5;

/// One first load and one re-sync, for a profiler.
pub(crate) async fn once() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("ours.db").display());
    let store = Store::open(&url, OpenMode::Create).await?;
    for generation in 0..2 {
        let (estate, coverage) = estate::build(generation);
        let begun = Instant::now();
        store.commit(estate, &coverage, &done(), &SystemClock).await?;
        println!("generation {generation}: {:?}", begun.elapsed());
    }
    Ok(())
}

/// Runs both loads in turn, then re-syncs.
pub(crate) async fn run(report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut ours, mut theirs, mut again) = (Vec::new(), Vec::new(), Vec::new());
    let mut settling = Vec::new();
    let (mut our_size, mut their_size, mut access_size) = (0, 0, 0);
    let grants = grants(&estate::build(0).0);
    for round in 0..=REPEATS {
        let file = folder.path().join("ours.db");
        remove(&file);
        let store = Store::open(&format!("sqlite:{}", file.display()), OpenMode::Create).await?;
        let (estate, coverage) = estate::build(0);
        let begun = Instant::now();
        store.commit(estate, &coverage, &done(), &SystemClock).await?;
        let first = begun.elapsed().as_secs_f64() * 1000.0;
        our_size = std::fs::metadata(&file)?.len();
        access_size = table_size(&file)?;
        let (changed, coverage) = estate::build(1);
        let begun = Instant::now();
        let committed = store.commit(changed, &coverage, &done(), &SystemClock).await?;
        let second = begun.elapsed().as_secs_f64() * 1000.0;
        let begun = Instant::now();
        store.settle().await;
        settling.push(begun.elapsed().as_secs_f64() * 1000.0);
        drop(store);
        let reference = folder.path().join("reference.db");
        remove(&reference);
        let (estate, _) = estate::build(0);
        let begun = Instant::now();
        row_per_grant(&reference, &estate)?;
        let third = begun.elapsed().as_secs_f64() * 1000.0;
        their_size = std::fs::metadata(&reference)?.len();
        println!(
            "round {round}: first {first:.0} ms, re-sync {second:.0} ms {:?}, reference {third:.0} ms",
            committed.changes
        );
        // The first round warms up.
        if round > 0 {
            ours.push(first);
            again.push(second);
            theirs.push(third);
        }
    }
    let million = f64::from(1_000_000);
    let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
    report.row(
        &format!("first commit of {:.2} M grants, indexes included", grants as f64 / million),
        format!("{:.2} ×", median(&ratios)),
        "≤ 0.5 × a row-per-grant load",
        format!("{} against {}", spread(&ours, "ms"), spread(&theirs, "ms")),
    );
    report.row(
        "file after it",
        format!("{:.2} ×", our_size as f64 / their_size as f64),
        "≤ 0.6 × the row-per-grant file",
        format!("{:.1} MB against {:.1} MB", our_size as f64 / million, their_size as f64 / million),
    );
    report.row(
        "access tables and their indexes",
        format!("{:.1} bytes a grant", access_size as f64 / grants as f64),
        "≤ 25 bytes",
        format!("{:.1} MB", access_size as f64 / million),
    );
    let ratios: Vec<f64> = again.iter().zip(&ours).map(|(again, ours)| again / ours).collect();
    report.row(
        "re-sync with 1 % change",
        format!("{:.2} ×", median(&ratios)),
        "≤ 0.15 × a first load",
        format!("{}; emptying SQLite's log afterwards: {}", spread(&again, "ms"), spread(&settling, "ms")),
    );
    Ok(())
}

/// Removes a database, if it is there.
fn remove(file: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        drop(std::fs::remove_file(format!("{}{suffix}", file.display())));
    }
}

/// A sync that read everything.
pub(crate) fn done() -> SyncReport {
    SyncReport {
        status: SyncStatus::Complete,
        started_at: Moment(0),
        finished_at: Moment(1),
        requests: 0,
        waited_ms: 0,
        error: None,
        scopes: Vec::new(),
    }
}

fn grants(estate: &Estate) -> u64 {
    estate.access.iter().map(|row| u64::from(row.mask.count())).sum()
}

/// Bytes of the access tables and their indexes.
fn table_size(file: &Path) -> anyhow::Result<i64> {
    let connection = rusqlite::Connection::open(file)?;
    let sql = "SELECT SUM(pgsize) FROM dbstat WHERE name LIKE 'access%' OR name LIKE 'sqlite_autoindex_access%' OR name = 'held'";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// The obvious layout, written as fast as it goes: prepared statements, one transaction, indexes last.
fn row_per_grant(file: &Path, estate: &Estate) -> anyhow::Result<()> {
    let mut connection = rusqlite::Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
         CREATE TABLE users (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL, email, name, federated, two_factor, last_login, own, properties TEXT);
         CREATE TABLE teams (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL, name, type, enterprise_account, listed, created_at, updated_at, properties TEXT);
         CREATE TABLE apps (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL, name, team, owner, space, locked, maintenance, archived_at, created_at,
             released_at, updated_at, repo_size, slug_size, web_url, properties TEXT);
         CREATE TABLE addons (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL, name, app, service, provider_id, web_url, created_at, updated_at, properties TEXT);
         CREATE TABLE grants (resource INTEGER NOT NULL, entitlement INTEGER NOT NULL, principal INTEGER NOT NULL, since INTEGER NOT NULL,
             PRIMARY KEY (resource, entitlement, principal)) WITHOUT ROWID;",
    )?;
    let transaction = connection.transaction()?;
    let teams = i64::from(estate::TEAMS);
    let places = |list: Vec<&metsuke_model::HerokuId>, base: i64| {
        list.into_iter().cloned().zip(base..).collect::<std::collections::HashMap<_, _>>()
    };
    let mut dense = places(estate.teams.iter().map(|team| &team.id).collect(), 0);
    dense.extend(places(estate.apps.iter().map(|app| &app.id).collect(), teams));
    objects(&transaction, "users", &estate.users, 1_000_000, &dense)?;
    objects(&transaction, "teams", &estate.teams, 0, &dense)?;
    objects(&transaction, "apps", &estate.apps, teams, &dense)?;
    objects(&transaction, "addons", &estate.addons, 2_000_000, &dense)?;
    let mut rows: Vec<(u32, u8, u32)> = estate.access.iter().flat_map(|row| single(estate, row)).collect();
    rows.sort_unstable();
    rows.dedup();
    {
        let mut insert = transaction.prepare("INSERT INTO grants VALUES (?1, ?2, ?3, 1)")?;
        for (resource, entitlement, principal) in rows {
            insert.execute((resource, entitlement, 1_000_000 + principal))?;
        }
    }
    transaction.execute_batch(
        "CREATE INDEX grants_principal ON grants (principal, resource, entitlement);
         CREATE UNIQUE INDEX users_uuid ON users (uuid); CREATE UNIQUE INDEX teams_uuid ON teams (uuid);
         CREATE UNIQUE INDEX apps_uuid ON apps (uuid); CREATE UNIQUE INDEX addons_uuid ON addons (uuid);
         CREATE INDEX users_email ON users (lower(email)); CREATE INDEX teams_name ON teams (name);
         CREATE INDEX apps_name ON apps (name); CREATE INDEX apps_team ON apps (team);
         CREATE INDEX addons_app ON addons (app, service);",
    )?;
    transaction.commit()?;
    connection.execute_batch("PRAGMA analysis_limit = 1000; ANALYZE;")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

fn single(estate: &Estate, row: &AccessRow) -> Vec<(u32, u8, u32)> {
    let kind = estate.resources[row.resource as usize].resource_type;
    let (resource, principal) = (row.resource, row.principal);
    let known = kind.entitlements().iter().zip(0_u8..);
    known
        .filter(|(entitlement, _)| row.mask.contains(entitlement.mask()))
        .map(|(_, bit)| (resource, bit, principal))
        .collect()
}

fn objects<T: Record>(
    transaction: &rusqlite::Transaction<'_>,
    table: &str,
    records: &[T],
    base: i64,
    dense: &std::collections::HashMap<metsuke_model::HerokuId, i64>,
) -> anyhow::Result<()> {
    let places: Vec<String> =
        (0..T::KIND.columns().len() + 3).map(|place| format!("?{}", place + 1)).collect();
    let mut insert = transaction.prepare(&format!("INSERT INTO {table} VALUES ({})", places.join(", ")))?;
    for (record, id) in records.iter().zip(base..) {
        let mut values = vec![Value::Integer(id), Value::Blob(record.id().to_bytes())];
        values.extend(record.cells().into_iter().map(|cell| match cell {
            Cell::Null => Value::Null,
            Cell::Int(number) => Value::Integer(number),
            Cell::Text(text) => Value::Text(text.into()),
            Cell::Reference(id) => dense.get(id).map_or(Value::Null, |dense| Value::Integer(*dense)),
        }));
        values.push(Value::Text(record.properties().to_string()));
        insert.execute(rusqlite::params_from_iter(values))?;
    }
    Ok(())
}
