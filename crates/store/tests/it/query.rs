//! What a query gives back, what it may not do, and that it ends.

use std::time::{Duration, Instant};

use metsuke_model::access::Mask;
use metsuke_store::{Bound, Datum, ReadQuery, Store, StoreError};

use crate::database::{Database, commit};
use crate::generated::{plain, whole};
use crate::hand::Hand;
use crate::tables::{PATIENCE, numbers, query, rows};

/// Goes on for hours.
const ENDLESS: &str = "WITH RECURSIVE step (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM step)
                       SELECT COUNT(*) FROM step WHERE number < 0";

async fn filled(database: &Database) -> Store {
    let store = database.open().await;
    let estate = plain(30, 4, Mask(0b11));
    commit(&store, &estate, &whole(&estate), 1).await;
    store
}

async fn every_value_comes_back_as_what_it_is(database: Database) {
    let store = filled(&database).await;
    let binds = vec![
        Bound::Int(i64::MIN),
        Bound::Real(-0.25),
        Bound::Text("Ünï '☂'\0".into()),
        Bound::Bytes(vec![0, 255]),
    ];
    let sql = "SELECT $1, $2, $3, $4, NULL, $3 || $3, $1 IS NULL, COUNT(*) FROM app WHERE $1 < 0";
    let answer = store.select(&query(sql, binds)).await.unwrap();
    let text = "Ünï '☂'\u{fffd}";
    let wanted = vec![
        Datum::Int(i64::MIN),
        Datum::Real(-0.25),
        Datum::Text(text.into()),
        Datum::Bytes(vec![0, 255]),
        Datum::Null,
        Datum::Text(text.repeat(2)),
        Datum::Int(0),
        Datum::Int(30),
    ];
    assert_eq!((answer.rows, answer.truncated), (vec![wanted], false));
    let none = store.select(&query("SELECT id FROM app WHERE id < 0", Vec::new())).await.unwrap();
    assert_eq!((none.rows.len(), none.truncated), (0, false));
}

async fn one_row_more_than_asked_for_is_told(database: Database) {
    let store = filled(&database).await;
    for (most, found, truncated) in [(0, 0, true), (29, 29, true), (30, 30, false), (31, 30, false)] {
        let asked = ReadQuery { most_rows: most, ..query("SELECT id FROM app ORDER BY id", Vec::new()) };
        let answer = store.select(&asked).await.unwrap();
        assert_eq!((answer.rows.len(), answer.truncated), (found, truncated), "at most {most}");
    }
    assert_eq!(numbers(&store, "SELECT COUNT(*) FROM app").await, [[30]], "and the next is answered");
}

async fn a_slow_query_is_ended_and_the_next_is_answered(database: Database) {
    let store = filled(&database).await;
    let limit = Duration::from_millis(150);
    for _ in 0..6 {
        let begun = Instant::now();
        let slow = ReadQuery { time_limit: limit, ..query(ENDLESS, Vec::new()) };
        let error = store.select(&slow).await.unwrap_err();
        assert!(matches!(error, StoreError::TooSlow { limit: told } if told == limit), "{error:?}");
        assert!(error.hint().is_some());
        assert!(begun.elapsed() < Duration::from_secs(10));
        assert_eq!(numbers(&store, "SELECT COUNT(*) FROM app").await, [[30]]);
    }
}

/// More often than there are connections: each of them is free again.
async fn a_query_that_nobody_waits_for_ends(database: Database) {
    let store = filled(&database).await;
    for _ in 0..9 {
        let asked = query(ENDLESS, Vec::new());
        let ended = tokio::time::timeout(Duration::from_millis(60), store.select(&asked)).await;
        assert!(ended.is_err());
    }
    let begun = Instant::now();
    let asked = [(); 4].map(|()| numbers(&store, "SELECT COUNT(*) FROM app"));
    for answer in futures::future::join_all(asked).await {
        assert_eq!(answer, [[30]]);
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "nothing is in the way");
    if !database.is_sqlite() {
        let running = "SELECT COUNT(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND state = 'active' AND query LIKE '%RECURSIVE step%'
                          AND pid <> pg_backend_pid()";
        while numbers(&store, running).await != [[0]] {
            assert!(begun.elapsed() < Duration::from_secs(10), "the server still works on it");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn what_is_no_reading_is_refused(database: Database) {
    let store = filled(&database).await;
    let refused = [
        "INSERT INTO setting (name, value) VALUES ('a', 'b')",
        "UPDATE app SET name = 'x'",
        "DELETE FROM access",
        "DROP TABLE app",
        "ATTACH DATABASE ':memory:' AS other",
        "PRAGMA writable_schema = ON",
        "PRAGMA query_only = OFF",
        "SELECT * FROM pragma_table_list",
        "VACUUM",
        "COPY app TO STDOUT",
        "SET TRANSACTION READ WRITE",
        "SELECT 1; DELETE FROM access",
        "SELECT 1; ATTACH DATABASE ':memory:' AS other",
        "BEGIN",
        "COMMIT",
        "",
    ];
    for sql in refused {
        let error = store.select(&query(sql, Vec::new())).await.unwrap_err();
        assert!(matches!(error, StoreError::NotReading), "{sql}: {error:?}");
        assert!(store.explain(&query(sql, Vec::new())).await.is_err(), "{sql}");
    }
    // What looks like reading is refused by the connection.
    let mut disguised = vec![
        "WITH one AS (SELECT 'a' AS name) INSERT INTO setting (name, value) SELECT name, name FROM one",
        "WITH one AS (SELECT 1) DELETE FROM access",
        "SELECT nothing FROM nowhere",
        "SELECT FROM WHERE",
    ];
    if !database.is_sqlite() {
        disguised.extend([
            "WITH gone AS (DELETE FROM access RETURNING mask) SELECT * FROM gone",
            "SELECT * INTO other FROM app",
            "SELECT id FROM app FOR UPDATE",
            "SELECT set_config('transaction_read_only', 'off', true)",
        ]);
    }
    for sql in disguised {
        let error = store.select(&query(sql, Vec::new())).await.unwrap_err();
        assert!(matches!(error, StoreError::Database { .. }), "{sql}: {error:?}");
    }
    assert_eq!(numbers(&store, "SELECT COUNT(*) FROM access").await, [[31 * 4]]);
    assert_eq!(numbers(&store, "SELECT COUNT(*) FROM setting").await, [[0]]);
}

async fn a_query_sees_what_is_committed_and_holds_nobody_up(database: Database) {
    let store = filled(&database).await;
    let slow = ReadQuery { time_limit: Duration::from_secs(2), ..query(ENDLESS, Vec::new()) };
    let committing = async {
        for second in 2..5 {
            let estate = plain(30 + usize::try_from(second).unwrap(), 4, Mask(1));
            commit(&store, &estate, &whole(&estate), second).await;
            let apps = numbers(&store, "SELECT COUNT(*) FROM app WHERE gone IS NULL").await;
            assert_eq!(apps, [[30 + second]]);
        }
        Instant::now()
    };
    let asking = async {
        store.select(&slow).await.unwrap_err();
        Instant::now()
    };
    let (committed, ended) = tokio::join!(committing, asking);
    assert!(committed < ended, "the commits did not wait for the query");
}

async fn the_plan_of_a_query_is_told_line_by_line(database: Database) {
    let store = filled(&database).await;
    let sql = "SELECT app.name FROM app JOIN team ON team.id = app.team WHERE team.name = $1";
    let plan = store.explain(&query(sql, vec![Bound::Text("team".into())])).await.unwrap();
    assert!(plan.len() >= 2, "{plan:?}");
    assert!(plan.iter().any(|line| line.contains("app")), "{plan:?}");
}

on_both_engines!(
    every_value_comes_back_as_what_it_is,
    one_row_more_than_asked_for_is_told,
    a_slow_query_is_ended_and_the_next_is_answered,
    a_query_that_nobody_waits_for_ends,
    what_is_no_reading_is_refused,
    a_query_sees_what_is_committed_and_holds_nobody_up,
    the_plan_of_a_query_is_told_line_by_line,
);

#[tokio::test]
async fn postgres_types_come_down_to_five() {
    let database = Database::postgres();
    let store = filled(&database).await;
    let sql = r#"SELECT true, CAST(1 AS SMALLINT), CAST(2 AS INTEGER), CAST(0.5 AS REAL), 12.75, SUM(id) * 0,
                        CAST('v' AS VARCHAR), CAST('{"a": 1}' AS JSON), CAST('{"a": 1}' AS JSONB), CAST('n' AS NAME)
                   FROM app"#;
    let json = || Datum::Text(r#"{"a": 1}"#.into());
    let wanted = vec![
        Datum::Int(1),
        Datum::Int(1),
        Datum::Int(2),
        Datum::Real(0.5),
        Datum::Real(12.75),
        Datum::Real(0.0),
        Datum::Text("v".into()),
        json(),
        json(),
        Datum::Text("n".into()),
    ];
    assert_eq!(rows(&store, sql).await, [wanted]);
    let error = store.select(&query("SELECT now()", Vec::new())).await.unwrap_err();
    assert!(matches!(error, StoreError::Database { .. }), "{error:?}");
    let asleep = ReadQuery {
        time_limit: Duration::from_millis(100),
        ..query("SELECT CAST(pg_sleep(60) AS TEXT)", Vec::new())
    };
    assert!(matches!(store.select(&asleep).await, Err(StoreError::TooSlow { .. })));
}

#[tokio::test]
async fn sqlite_knows_regular_expressions_and_a_database_in_memory_is_read_too() {
    let database = Database::sqlite();
    for store in [filled(&database).await, in_memory().await] {
        let sql = "SELECT COUNT(*) FROM app WHERE name REGEXP $1";
        let asked = query(sql, vec![Bound::Text("^app [12]5$".into())]);
        assert_eq!(store.select(&asked).await.unwrap().rows, [[Datum::Int(2)]]);
        let broken = query(sql, vec![Bound::Text("(".into())]);
        assert!(matches!(store.select(&broken).await, Err(StoreError::Database { .. })));
        assert_eq!(rows(&store, "SELECT NULL REGEXP 'a'").await, [[Datum::Null]]);
        let error = store.select(&query("WITH one AS (SELECT 1) DELETE FROM app", Vec::new())).await;
        assert!(matches!(error, Err(StoreError::Database { .. })), "{error:?}");
    }
}

async fn in_memory() -> Store {
    let store = Store::open("sqlite::memory:", metsuke_store::OpenMode::Create).await.unwrap();
    let estate = plain(30, 4, Mask(0b11));
    commit(&store, &estate, &whole(&estate), 1).await;
    store
}

/// Another process may write and tidy up while a reader is open.
#[tokio::test]
async fn another_process_writes_beside_a_reader() {
    let database = Database::sqlite();
    let store = filled(&database).await;
    assert_eq!(numbers(&store, "SELECT COUNT(*) FROM app").await, [[30]]);
    let mut hand = Hand::new(&database).await;
    hand.run("DELETE FROM app WHERE id % 128 = 4", &[]).await;
    assert_eq!(numbers(&store, "SELECT COUNT(*) FROM app").await, [[15]]);
    store.settle().await;
    assert_eq!(numbers(&store, "SELECT COUNT(*) FROM app").await, [[15]]);
    let asked = ReadQuery { time_limit: PATIENCE, ..query("SELECT 1", Vec::new()) };
    assert!(store.select(&asked).await.is_ok());
}
