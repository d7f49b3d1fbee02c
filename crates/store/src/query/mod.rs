//! Runs a compiled question: one SQL text that reads, with its values, on a connection that cannot write.
//!
//! What is asked is not known here: the text comes from the query compiler, made of the catalogue's words and
//! placeholders.
//!
//! Invariant: a query ends with its time limit, and when nobody waits for it any more.

mod datum;
mod postgres;
mod sqlite;

use std::time::Duration;

use sqlx::PgPool;

use crate::composed::composed;
use crate::{Store, StoreError};
pub(crate) use datum::{postgres_row, sqlite_row};
pub(crate) use sqlite::Readers;

const QUERYING: &str = "a query";

/// Connections that cannot write.
#[derive(Clone, Debug)]
pub(crate) enum Reader {
    Sqlite(Readers),
    Postgres(PgPool),
}

/// A statement that reads, with the values of its placeholders `$1`, `$2`, ….
#[derive(Clone, Debug, PartialEq)]
pub struct ReadQuery {
    /// The text; no value from outside stands in it.
    pub sql: String,
    /// The values.
    pub binds: Vec<Bound>,
    /// How many rows are given back at most.
    pub most_rows: usize,
    /// How long it may take.
    pub time_limit: Duration,
}

/// A value of a placeholder.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A whole number.
    Int(i64),
    /// A number.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A value of an answer, by what the database holds and not by what the column was declared as.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// Nothing.
    Null,
    /// A whole number; PostgreSQL's booleans are 0 and 1.
    Int(i64),
    /// A number; PostgreSQL's `numeric` too.
    Real(f64),
    /// A text; PostgreSQL's JSON types too.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// What a query came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadRows {
    /// The rows, each with one value a column.
    pub rows: Vec<Vec<Datum>>,
    /// There were more rows than were asked for.
    pub truncated: bool,
}

impl ReadRows {
    /// Takes one more row; false when there is no room for it.
    fn take(&mut self, most: usize, row: Vec<Datum>) -> bool {
        self.truncated = self.rows.len() >= most;
        if !self.truncated {
            self.rows.push(row);
        }
        !self.truncated
    }
}

impl Store {
    /// Runs a query on one committed state. Dropping the future ends the statement.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooSlow`], [`StoreError::NotReading`], and what the database said.
    pub async fn select(&self, query: &ReadQuery) -> Result<ReadRows, StoreError> {
        let sql = reading(&query.sql)?;
        self.run(sql.to_owned(), query, query.most_rows).await
    }

    /// How the database would run a query, line by line.
    ///
    /// # Errors
    ///
    /// As [`select`](Self::select).
    pub async fn explain(&self, query: &ReadQuery) -> Result<Vec<String>, StoreError> {
        let sql = reading(&query.sql)?;
        let head = match &self.reader {
            Reader::Sqlite(_) => "EXPLAIN QUERY PLAN ",
            Reader::Postgres(_) => "EXPLAIN ",
        };
        let plan = self.run(format!("{head}{sql}"), query, usize::MAX).await?;
        Ok(match &self.reader {
            Reader::Sqlite(_) => sqlite::plan_lines(plan),
            Reader::Postgres(_) => postgres::plan_lines(plan),
        })
    }

    async fn run(&self, sql: String, query: &ReadQuery, most: usize) -> Result<ReadRows, StoreError> {
        match &self.reader {
            Reader::Sqlite(readers) => readers.run(sql, query, most).await,
            Reader::Postgres(pool) => postgres::run(pool, composed(sql), query, most).await,
        }
    }
}

/// The text, if it is one statement that reads.
///
/// The connection refuses whatever writes. This refuses what is neither: further statements, settings, other files.
fn reading(sql: &str) -> Result<&str, StoreError> {
    let sql = sql.trim();
    let first = sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let reads = ["SELECT", "WITH"].iter().any(|word| first.eq_ignore_ascii_case(word));
    let setting = sql.to_ascii_lowercase().contains("pragma");
    if reads && !setting && !sql.contains(';') { Ok(sql) } else { Err(StoreError::NotReading) }
}

/// A text as it is stored: PostgreSQL takes no NUL, so what is stored has the replacement character instead.
fn as_stored(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Adds the values of a query to a statement.
macro_rules! bound {
    ($query:expr, $binds:expr) => {{
        let mut query = $query;
        for bind in $binds {
            query = match bind.clone() {
                $crate::query::Bound::Int(value) => query.bind(value),
                $crate::query::Bound::Real(value) => query.bind(value),
                $crate::query::Bound::Text(value) => query.bind($crate::query::as_stored(&value)),
                $crate::query::Bound::Bytes(value) => query.bind(value),
            };
        }
        query
    }};
}
use bound;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_statement_that_reads_is_taken() {
        for sql in ["SELECT 1", " with x AS (SELECT 1) SELECT * FROM x\n", "select(1)"] {
            assert_eq!(reading(sql).unwrap(), sql.trim());
        }
        for sql in
            ["", ";", "SELECT 1; SELECT 2", "DELETE FROM app", "ATTACH 'x' AS y", "PRAGMA user_version"]
        {
            assert!(matches!(reading(sql), Err(StoreError::NotReading)), "{sql}");
        }
        for sql in
            ["SELECT * FROM Pragma_table_info('app')", "EXPLAIN SELECT 1", "COPY app TO STDOUT", "selects"]
        {
            assert!(matches!(reading(sql), Err(StoreError::NotReading)), "{sql}");
        }
    }
}
