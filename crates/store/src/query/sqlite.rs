//! A query on SQLite: a connection that only reads, and a look at the clock every so many steps.
//!
//! Invariant: a connection goes back to the others without the clock of an earlier query.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use sqlx::{SqlStr, SqlitePool};

use super::datum::sqlite_row;
use super::{Datum, QUERYING, ReadQuery, ReadRows, bound};
use crate::StoreError;

/// Steps of the virtual machine between two looks at the clock: some tenths of a millisecond.
const STEPS: i32 = 20_000;

/// Tells the statement to end when nobody waits for it any more.
#[derive(Debug)]
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

pub(super) async fn run(
    pool: &SqlitePool,
    sql: SqlStr,
    query: &ReadQuery,
    most: usize,
) -> Result<ReadRows, StoreError> {
    let mut connection = pool.acquire().await.map_err(StoreError::database(QUERYING))?;
    let wanted = Arc::new(AtomicBool::new(true));
    let waiting = Waiting(Arc::clone(&wanted));
    let deadline = Instant::now().checked_add(query.time_limit);
    connection
        .lock_handle()
        .await
        .map_err(StoreError::database(QUERYING))?
        .set_progress_handler(STEPS, move || {
            wanted.load(Ordering::Relaxed) && deadline.is_none_or(|deadline| Instant::now() < deadline)
        });
    let mut answer = ReadRows::default();
    let read = async {
        let mut rows = bound!(sqlx::query(sql), &query.binds).persistent(false).fetch(&mut *connection);
        while let Some(row) = rows.try_next().await? {
            if !answer.take(most, sqlite_row(&row)?) {
                break;
            }
        }
        Ok(())
    };
    let read = read.await;
    // Whatever rows are left need not be looked for.
    drop(waiting);
    connection.lock_handle().await.map_err(StoreError::database(QUERYING))?.remove_progress_handler();
    read.map(|()| answer).map_err(|error| sorted(error, query.time_limit))
}

fn sorted(error: sqlx::Error, limit: Duration) -> StoreError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // SQLITE_INTERRUPT
    if code.as_deref() == Some("9") {
        StoreError::TooSlow { limit }
    } else {
        StoreError::database(QUERYING)(error)
    }
}

/// The rows of `EXPLAIN QUERY PLAN`: a number, its parent's number, nothing, and what is done.
pub(super) fn plan_lines(plan: ReadRows) -> Vec<String> {
    let mut depths = HashMap::new();
    let line = |row: Vec<Datum>| match row.as_slice() {
        [Datum::Int(id), Datum::Int(parent), _, Datum::Text(text)] => {
            let depth = depths.get(parent).map_or(0, |depth| depth + 1);
            depths.insert(*id, depth);
            Some(format!("{}{text}", "  ".repeat(depth)))
        }
        _ => None,
    };
    plan.rows.into_iter().filter_map(line).collect()
}
