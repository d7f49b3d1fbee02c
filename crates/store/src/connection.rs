//! One transaction on either engine, with the few verbs that the store's statements need.
//!
//! It is no query builder: statements are literals of the functions that run them, the same text for both
//! engines; only bulk inserts have their rows of placeholders written (in `bulk`).
//!
//! Invariant: a transaction that is dropped without [`Connection::commit`] leaves nothing behind.

use futures::TryStreamExt as _;
use sqlx::{Postgres, QueryBuilder, Row as _, Sqlite, Transaction};
use sqlx::{postgres::PgRow, sqlite::SqliteRow};

use crate::StoreError;
use crate::bulk::{RowsText, arguments};
use crate::dialect::Pool;
use crate::query::{Datum, postgres_row, sqlite_row};

/// An open transaction.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A value on its way into a statement; nulls are typed, since PostgreSQL wants to know of what they are.
#[derive(Clone, Debug)]
pub(crate) enum Bind {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Vec<u8>),
    NoBytes,
}

impl From<i64> for Bind {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<&str> for Bind {
    /// PostgreSQL takes no NUL in a text; both engines keep the replacement character instead.
    fn from(value: &str) -> Self {
        Self::Text(Some(if value.contains('\0') {
            value.replace('\0', "\u{fffd}")
        } else {
            value.to_owned()
        }))
    }
}

/// A row on its way out of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Row<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
}

macro_rules! getter {
    ($name:ident, $type:ty) => {
        /// The value of the column at `index`, counted from zero; null is `None`.
        pub(crate) fn $name(self, index: usize) -> Result<Option<$type>, StoreError> {
            match self {
                Self::Sqlite(row) => row.try_get(index),
                Self::Postgres(row) => row.try_get(index),
            }
            .map_err(|source| StoreError::Damaged { what: format!("column {index} of a row: {source}") })
        }
    };
}

impl Row<'_> {
    getter!(int, i64);
    getter!(text, String);
    getter!(bytes, Vec<u8>);

    /// All values, as what they are.
    pub(crate) fn values(self) -> Result<Vec<Datum>, sqlx::Error> {
        match self {
            Self::Sqlite(row) => sqlite_row(row),
            Self::Postgres(row) => postgres_row(row),
        }
    }

    /// A number that cannot be null.
    pub(crate) fn number(self, index: usize) -> Result<i64, StoreError> {
        self.int(index)?
            .ok_or_else(|| StoreError::Damaged { what: format!("column {index} of a row is null") })
    }

    /// A number that cannot be below zero.
    pub(crate) fn count(self, index: usize) -> Result<u64, StoreError> {
        let number = self.number(index)?;
        u64::try_from(number)
            .map_err(|_| StoreError::Damaged { what: format!("column {index} of a row is {number}") })
    }
}

/// Keys in one statement: SQLite takes 32 766 placeholders, but a statement takes a hundred bytes for each.
const MAX_KEYS: usize = 8_000;

macro_rules! bound {
    ($query:expr, $binds:expr) => {{
        let mut query = $query;
        for bind in $binds {
            query = match bind.clone() {
                Bind::Int(value) => query.bind(value),
                Bind::Text(value) => query.bind(value),
                Bind::Bytes(value) => query.bind(value),
                Bind::NoBytes => query.bind(None::<Vec<u8>>),
            };
        }
        query
    }};
}

/// Takes the values of one insert together while the database works on the one before.
macro_rules! insert {
    ($database:ty, $numbered:literal, $connection:expr, $ends:expr, $width:expr, $rows:expr) => {{
        let mut text = RowsText::new($ends, $width, $numbered);
        let mut next = arguments::<$database, _, _>($rows, text.full);
        let mut outcome = Ok(());
        while let Some((count, taken)) = next.take() {
            let (sql, full) = (text.of(count), text.full);
            let executed = async { sqlx::query_with(sql, taken?).execute(&mut **$connection).await };
            let (done, following) =
                tokio::join!(executed, async { arguments::<$database, _, _>($rows, full) });
            if let Err(error) = done {
                outcome = Err(error);
                break;
            }
            next = following;
        }
        outcome
    }};
}

macro_rules! select_in {
    ($database:ty, $connection:expr, $head:expr, $tail:expr, $keys:expr, $each:expr, $variant:ident, $doing:expr) => {{
        let mut builder = QueryBuilder::<$database>::new($head);
        let mut separated = builder.separated(", ");
        let mut number = 0_usize;
        for key in $keys {
            separated.push_bind(key);
            number += 1;
        }
        builder.push($tail);
        // A statement of many keys is large, and another one for each number of them: it is not kept for the next time.
        let mut rows = builder.build().persistent(number <= 1).fetch(&mut **$connection);
        while let Some(row) = rows.try_next().await.map_err(StoreError::database($doing))? {
            $each(Row::$variant(&row))?;
        }
    }};
}

impl Connection {
    /// Runs a statement that gives no rows; returns how many it touched.
    pub(crate) async fn execute(
        &mut self,
        doing: &'static str,
        sql: &'static str,
        binds: &[Bind],
    ) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => bound!(sqlx::query(sql), binds)
                .execute(&mut **connection)
                .await
                .map(|done| done.rows_affected()),
            Self::Postgres(connection) => bound!(sqlx::query(sql), binds)
                .execute(&mut **connection)
                .await
                .map(|done| done.rows_affected()),
        }
        .map_err(StoreError::database(doing))
    }

    /// Runs a query and hands over its rows one by one.
    pub(crate) async fn each(
        &mut self,
        doing: &'static str,
        sql: &'static str,
        binds: &[Bind],
        mut each: impl FnMut(Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let mut rows = bound!(sqlx::query(sql), binds).fetch(&mut **connection);
                while let Some(row) = rows.try_next().await.map_err(StoreError::database(doing))? {
                    each(Row::Sqlite(&row))?;
                }
            }
            Self::Postgres(connection) => {
                let mut rows = bound!(sqlx::query(sql), binds).fetch(&mut **connection);
                while let Some(row) = rows.try_next().await.map_err(StoreError::database(doing))? {
                    each(Row::Postgres(&row))?;
                }
            }
        }
        Ok(())
    }

    /// Runs `HEAD key, key, … TAIL` for as many keys as there are, in as few statements as possible.
    pub(crate) async fn each_in(
        &mut self,
        doing: &'static str,
        (head, tail): (&str, &str),
        keys: &[i64],
        mut each: impl FnMut(Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for keys in keys.chunks(MAX_KEYS) {
            match self {
                Self::Sqlite(connection) => {
                    select_in!(Sqlite, connection, head, tail, keys.iter().copied(), each, Sqlite, doing);
                }
                Self::Postgres(connection) => {
                    select_in!(Postgres, connection, head, tail, keys.iter().copied(), each, Postgres, doing);
                }
            }
        }
        Ok(())
    }

    /// Runs a query whose text is made of the catalogue's words.
    pub(crate) async fn each_of(
        &mut self,
        doing: &'static str,
        sql: &str,
        mut each: impl FnMut(Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let keys: &[i64] = &[];
        match self {
            Self::Sqlite(connection) => {
                select_in!(Sqlite, connection, sql, "", keys.iter().copied(), each, Sqlite, doing);
            }
            Self::Postgres(connection) => {
                select_in!(Postgres, connection, sql, "", keys.iter().copied(), each, Postgres, doing);
            }
        }
        Ok(())
    }

    /// Runs `HEAD (bytes, …) TAIL`, as often as the keys need it.
    pub(crate) async fn each_bytes(
        &mut self,
        doing: &'static str,
        (head, tail): (&str, &str),
        keys: &[Vec<u8>],
        mut each: impl FnMut(Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for keys in keys.chunks(MAX_KEYS) {
            match self {
                Self::Sqlite(connection) => {
                    select_in!(Sqlite, connection, head, tail, keys.iter().cloned(), each, Sqlite, doing);
                }
                Self::Postgres(connection) => {
                    select_in!(Postgres, connection, head, tail, keys.iter().cloned(), each, Postgres, doing);
                }
            }
        }
        Ok(())
    }

    /// Runs `HEAD text TAIL`.
    pub(crate) async fn each_text(
        &mut self,
        doing: &'static str,
        (head, tail): (&str, &str),
        text: &str,
        mut each: impl FnMut(Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let keys = [text.to_owned()];
        match self {
            Self::Sqlite(connection) => {
                select_in!(Sqlite, connection, head, tail, keys.iter().cloned(), each, Sqlite, doing);
            }
            Self::Postgres(connection) => {
                select_in!(Postgres, connection, head, tail, keys.iter().cloned(), each, Postgres, doing);
            }
        }
        Ok(())
    }

    /// Runs `HEAD VALUES (…), (…) TAIL`, most often an insert, many rows to a statement; nothing for no rows.
    pub(crate) async fn insert<R>(
        &mut self,
        doing: &'static str,
        ends: (&str, &str),
        rows: impl IntoIterator<Item = R>,
    ) -> Result<(), StoreError>
    where
        R: AsRef<[Bind]> + IntoIterator<Item = Bind>,
    {
        let mut rows = rows.into_iter().peekable();
        let Some(width) = rows.peek().map(|row| row.as_ref().len()) else { return Ok(()) };
        match self {
            Self::Sqlite(connection) => {
                let head = Pool::sqlite_head(ends);
                insert!(Sqlite, false, connection, (&head, ends.1), width, &mut rows)
            }
            Self::Postgres(connection) => insert!(Postgres, true, connection, ends, width, &mut rows),
        }
        .map_err(StoreError::database(doing))
    }

    /// Takes everything back, before the next transaction begins.
    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection.rollback().await,
            Self::Postgres(connection) => connection.rollback().await,
        }
        .map_err(StoreError::database("taking a commit back"))
    }

    /// Makes everything durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection.commit().await,
            Self::Postgres(connection) => connection.commit().await,
        }
        .map_err(StoreError::database("committing"))
    }
}
