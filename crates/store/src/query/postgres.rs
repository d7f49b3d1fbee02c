//! A query on PostgreSQL: a transaction that only reads, with a time limit that the server keeps.
//!
//! Invariant: a connection on which a query may still run is closed, which ends the query, and never used again.

use std::time::Duration;

use futures::TryStreamExt as _;
use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres, SqlStr};

use super::datum::postgres_row;
use super::{Datum, QUERYING, ReadQuery, ReadRows, bound};
use crate::StoreError;

/// How often the server looks whether anybody still waits for the answer, in milliseconds. Where it cannot look,
/// it refuses the setting.
const LIMITS: &str = "SELECT set_config('statement_timeout', $1, true),
       set_config('client_connection_check_interval',
                  CASE WHEN version() ~* 'windows|visual|mingw' THEN '0' ELSE '100' END, true)";

/// A connection with a query on it.
#[derive(Debug)]
struct Busy(Option<PoolConnection<Postgres>>);

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0 {
            connection.close_on_drop();
        }
    }
}

pub(super) async fn run(
    pool: &PgPool,
    sql: SqlStr,
    query: &ReadQuery,
    most: usize,
) -> Result<ReadRows, StoreError> {
    let mut busy = Busy(Some(pool.acquire().await.map_err(StoreError::database(QUERYING))?));
    let mut answer = ReadRows::default();
    let Some(connection) = &mut busy.0 else { return Ok(answer) };
    let read = async {
        sqlx::raw_sql("BEGIN READ ONLY").execute(&mut **connection).await?;
        // The most that the server takes is 24 days.
        let limit = i32::try_from(query.time_limit.as_millis()).unwrap_or(i32::MAX).max(1);
        sqlx::query(LIMITS).bind(limit.to_string()).execute(&mut **connection).await?;
        let mut rows = bound!(sqlx::query(sql), &query.binds).persistent(false).fetch(&mut **connection);
        while let Some(row) = rows.try_next().await? {
            if !answer.take(most, postgres_row(&row)?) {
                break;
            }
        }
        Ok(())
    };
    let read = read.await;
    let over = !answer.truncated && sqlx::raw_sql("ROLLBACK").execute(&mut **connection).await.is_ok();
    if over {
        drop(busy.0.take());
    }
    read.map(|()| answer).map_err(|error| sorted(error, query.time_limit))
}

fn sorted(error: sqlx::Error, limit: Duration) -> StoreError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // query_canceled
    if code.as_deref() == Some("57014") {
        StoreError::TooSlow { limit }
    } else {
        StoreError::database(QUERYING)(error)
    }
}

/// The rows of `EXPLAIN`, each a line of text.
pub(super) fn plan_lines(plan: ReadRows) -> Vec<String> {
    let line = |mut row: Vec<Datum>| match row.pop() {
        Some(Datum::Text(line)) => Some(line),
        _ => None,
    };
    plan.rows.into_iter().filter_map(line).collect()
}
