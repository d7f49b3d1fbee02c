//! Migrations that are killed after every one of their statements: what is opened afterwards is what it would have been.
//!
//! The product runs a script in one piece; here it is run statement by statement, in the same transaction, so that the end
//! can come between any two.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

use super::*;
use crate::backup::{Part, sums};
use crate::{OpenMode, Store};

/// Some of everything that a later migration rewrites. The older version of the text is the same on both engines.
const ROWS: &str = "
INSERT INTO sync (id, status, started_at, finished_at, requests, waited_ms, users, teams, enterprise_accounts, apps,
                  addons, invitations, grants, added, removed, changed)
VALUES (1, 'complete', 1, 2, 3, 4, 2, 0, 0, 1, 0, 0, 1, 0, 0, 0), (2, 'partial', 5, 6, 7, 8, 2, 0, 0, 1, 0, 0, 1, 1, 0, 2);
INSERT INTO properties (id, hash, document) VALUES (1, 77, '{\"a\":\"ö\"}');
INSERT INTO object_change (version, object_id, change, before, after)
VALUES (2, 65, 3, '{\"name\":\"x\"}', '{\"name\":\"y\"}'), (2, 68, 1, '{}', '{}'), (2, 129, 2, '{}', '{}');
INSERT INTO access (resource_id, principal_id, mask, since) VALUES (68, 65, 3, 2);
INSERT INTO held (principal_id, resource_id, mask) VALUES (65, 68, 3);
";
const OBJECTS_SQLITE: &str = "
INSERT INTO person (id, uuid, since, gone, email, properties)
VALUES (65, x'0102', 1, NULL, 'a@example.com', 1), (129, x'0103', 1, 2, 'b@example.com', 1);
INSERT INTO app (id, uuid, since, gone, name, properties) VALUES (68, x'0104', 2, NULL, 'shop', 1);
";
const OBJECTS_POSTGRES: &str = r"
INSERT INTO person (id, uuid, since, gone, email, properties)
VALUES (65, '\x0102', 1, NULL, 'a@example.com', 1), (129, '\x0103', 1, 2, 'b@example.com', 1);
INSERT INTO app (id, uuid, since, gone, name, properties) VALUES (68, '\x0104', 2, NULL, 'shop', 1);
";

/// The statements of a script: each ends with a line that ends in a semicolon and is no comment.
fn statements(script: &'static str) -> Vec<&'static str> {
    let (mut found, mut begin, mut end) = (Vec::new(), 0, 0);
    for line in script.split_inclusive('\n') {
        end += line.len();
        let line = line.trim_end();
        if line.ends_with(';') && !line.trim_start().starts_with("--") {
            found.push(&script[begin..end]);
            begin = end;
        }
    }
    assert!(script[begin..].lines().all(|line| line.trim().is_empty() || line.starts_with("--")));
    found
}

/// Everything that the migrator runs from one schema on, in order; none stands for noting a migration's number.
fn steps(postgres: bool, from: i64) -> Vec<(i64, Option<&'static str>)> {
    let mut steps = Vec::new();
    for migration in MIGRATIONS.iter().filter(|migration| migration.number > from) {
        let script = if postgres { migration.postgres } else { migration.sqlite };
        steps.extend(statements(script).into_iter().map(|text| (migration.number, Some(text))));
        steps.push((migration.number, None));
    }
    steps
}

async fn run(connection: &mut Connection, (number, statement): (i64, Option<&'static str>)) {
    if let Some(statement) = statement {
        Pool::run_script(connection, statement).await.unwrap();
    } else {
        let sql = "INSERT INTO metsuke_schema (number) VALUES ($1)";
        connection.execute("preparing the schema", sql, &[number.into()]).await.unwrap();
    }
}

async fn numbered(connection: &mut Connection) {
    let sql = "CREATE TABLE IF NOT EXISTS metsuke_schema (number BIGINT PRIMARY KEY)";
    connection.execute("preparing the schema", sql, &[]).await.unwrap();
}

/// The schemas that are begun with: an empty one, one whose rows are rewritten, and the last one; all of them on request.
fn starts() -> Vec<i64> {
    if metsuke_testkit::setting("METSUKE_THOROUGH", 0) == 1 {
        (0..known()).collect()
    } else {
        vec![0, 4, known() - 1]
    }
}

/// A database of an earlier schema with rows in it; an empty one for 0.
async fn prepare(pool: &Pool, from: i64) {
    if from == 0 {
        return;
    }
    let mut connection = pool.begin_write().await.unwrap();
    apply(&mut connection, 0, from).await.unwrap();
    Pool::run_script(&mut connection, ROWS).await.unwrap();
    let objects = if let Pool::Sqlite(_) = pool { OBJECTS_SQLITE } else { OBJECTS_POSTGRES };
    Pool::run_script(&mut connection, objects).await.unwrap();
    connection.commit().await.unwrap();
}

/// Every table with its rows' digest, and every index. A new audit trail has a name of its own, which is left out.
async fn content(pool: &Pool) -> BTreeMap<String, String> {
    let mut connection = pool.begin_read().await.unwrap();
    let mut content = BTreeMap::new();
    for sum in sums(&mut connection, Part::Main).await.unwrap() {
        let columns = Pool::columns(&mut connection, &sum.table).await.unwrap();
        let digest = if sum.table == "audit_frontier" { String::new() } else { sum.digest };
        content.insert(sum.table, format!("{} {digest} {columns:?}", sum.rows));
    }
    let sql = match connection {
        Connection::Sqlite(_) => "SELECT name, COALESCE(sql, '') FROM sqlite_master WHERE type = 'index'",
        Connection::Postgres(_) => {
            "SELECT CAST(indexname AS TEXT), indexdef FROM pg_indexes WHERE schemaname = current_schema()"
        }
    };
    let take = |row: crate::connection::Row<'_>| {
        content.insert(format!("index {}", row.text(0)?.unwrap()), row.text(1)?.unwrap());
        Ok(())
    };
    connection.each("reading indexes", sql, &[], take).await.unwrap();
    content
}

/// The names of all tables, and the schema's number.
async fn tables(pool: &Pool) -> (Vec<String>, i64) {
    let mut connection = pool.begin_read().await.unwrap();
    (Pool::tables(&mut connection).await.unwrap(), found(&mut connection).await.unwrap())
}

async fn sqlite_pool(file: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true).foreign_keys(true);
    // What a killed process leaves does not depend on it; only power loss does.
    let options = options.synchronous(SqliteSynchronous::Off);
    SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap()
}

/// What a killed process leaves: the file and its journal as they are, in a place of their own.
fn left_behind(file: &Path, folder: &Path) -> PathBuf {
    let copy = folder.join("left.db");
    for ending in ["", "-journal", "-wal"] {
        let of = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        if of(&copy).exists() {
            std::fs::remove_file(of(&copy)).unwrap();
        }
        if of(file).exists() {
            std::fs::copy(of(file), of(&copy)).unwrap();
        }
    }
    copy
}

async fn opened(file: &Path) -> Result<BTreeMap<String, String>, StoreError> {
    let url = format!("sqlite:{}", file.display());
    let store = Store::open(&url, OpenMode::Existing).await?;
    let content = content(&store.pool).await;
    store.close().await;
    Ok(content)
}

/// How many ends there were, and how many of them led to something else than an undisturbed migration does.
async fn killed_on_sqlite(from: i64, in_one_transaction: bool) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("base.db");
    let pool = Pool::Sqlite(sqlite_pool(&base).await);
    prepare(&pool, from).await;
    let Pool::Sqlite(pool) = pool else { unreachable!() };
    pool.close().await;
    let file = folder.path().join("whole.db");
    std::fs::copy(&base, &file).unwrap();
    let wished = opened(&file).await.unwrap();

    let steps = steps(false, from);
    let mut differing = 0;
    for end in 0..=steps.len() {
        let file = folder.path().join("killed.db");
        std::fs::copy(&base, &file).unwrap();
        let pool = Pool::Sqlite(sqlite_pool(&file).await);
        let mut connection = pool.begin_write().await.unwrap();
        numbered(&mut connection).await;
        for step in &steps[..end] {
            if !in_one_transaction {
                connection.commit().await.unwrap();
                connection = pool.begin_write().await.unwrap();
            }
            run(&mut connection, *step).await;
        }
        let left = left_behind(&file, folder.path());
        connection.rollback().await.unwrap();
        let Pool::Sqlite(pool) = pool else { unreachable!() };
        pool.close().await;
        if opened(&left).await.ok().as_ref() != Some(&wished) {
            differing += 1;
        }
    }
    (steps.len() + 1, differing)
}

#[tokio::test]
async fn a_migration_killed_after_any_statement_begins_anew_on_sqlite() {
    for from in starts() {
        let (tried, differing) = killed_on_sqlite(from, true).await;
        assert_eq!(differing, 0, "from schema {from}");
        assert!(tried > 1);
    }
}

#[tokio::test]
async fn a_migration_of_many_transactions_would_be_noticed() {
    let (tried, differing) = killed_on_sqlite(known() - 5, false).await;
    assert!(differing > tried / 2, "{differing} of {tried}");
}

#[tokio::test]
async fn a_migration_killed_after_any_statement_begins_anew_on_postgres() {
    for from in starts() {
        let database = metsuke_testkit::fresh_database();
        let pool = Pool::Postgres(PgPool::connect(&database.url).await.unwrap());
        prepare(&pool, from).await;
        let before = content(&pool).await;
        let (tables_before, _) = tables(&pool).await;
        let steps = steps(true, from);
        for end in 0..=steps.len() {
            let own = Pool::Postgres(PgPool::connect(&database.url).await.unwrap());
            let mut connection = own.begin_write().await.unwrap();
            numbered(&mut connection).await;
            for step in &steps[..end] {
                run(&mut connection, *step).await;
            }
            let mut pid = 0;
            let read = |row: crate::connection::Row<'_>| {
                pid = row.number(0)?;
                Ok(())
            };
            let sql = "SELECT CAST(pg_backend_pid() AS BIGINT)";
            connection.each("asking who this is", sql, &[], read).await.unwrap();
            let mut killer = pool.begin_read().await.unwrap();
            let sql = "SELECT CAST(CASE WHEN pg_terminate_backend(CAST($1 AS INTEGER)) THEN 1 ELSE 0 END AS BIGINT)";
            killer.each("killing", sql, &[pid.into()], |_| Ok(())).await.unwrap();
            drop(connection);
            drop(own);
            // The next writer waits for the end of the killed one.
            pool.begin_write().await.unwrap().rollback().await.unwrap();
            let told = format!("from schema {from}, killed after {end}");
            assert_eq!(tables(&pool).await, (tables_before.clone(), from), "{told}");
            if end.is_multiple_of(16) {
                assert_eq!(content(&pool).await, before, "{told}");
            }
        }
        migrate(&pool, &database.url).await.unwrap();
        let whole = content(&pool).await;
        let other = metsuke_testkit::fresh_database();
        let undisturbed = Pool::Postgres(PgPool::connect(&other.url).await.unwrap());
        prepare(&undisturbed, from).await;
        migrate(&undisturbed, &other.url).await.unwrap();
        assert_eq!(whole, content(&undisturbed).await);
    }
}

#[tokio::test]
async fn every_script_is_the_sum_of_its_statements() {
    for migration in MIGRATIONS {
        for script in [migration.sqlite, migration.postgres] {
            assert_eq!(statements(script).concat().trim_end(), script.trim_end());
        }
    }
}
