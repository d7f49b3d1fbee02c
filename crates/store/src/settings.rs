//! What a store knows of itself by name: counters of editions, marks, switches.
//!
//! What each one means is said where it is used.
//!
//! Invariant: a name has one value; another one takes its place.

use crate::StoreError;
use crate::connection::{Bind, Connection};

/// The value of this name.
pub(crate) async fn text(
    connection: &mut Connection,
    doing: &'static str,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let mut found = None;
    connection
        .each(doing, "SELECT value FROM setting WHERE name = $1", &[name.into()], |row| {
            found = row.text(0)?;
            Ok(())
        })
        .await?;
    Ok(found)
}

/// The number of this name; `None` also for a value that is none.
pub(crate) async fn number(
    connection: &mut Connection,
    doing: &'static str,
    name: &str,
) -> Result<Option<i64>, StoreError> {
    Ok(text(connection, doing, name).await?.and_then(|text| text.parse().ok()))
}

/// Gives the name this value.
pub(crate) async fn put(
    connection: &mut Connection,
    doing: &'static str,
    name: &str,
    value: &str,
) -> Result<(), StoreError> {
    let tail = " ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    let row = [Bind::from(name), Bind::from(value)];
    connection.insert(doing, ("INSERT INTO setting (name, value) ", tail), [row]).await
}

/// Counts one further under this name.
pub(crate) async fn advance(
    connection: &mut Connection,
    doing: &'static str,
    name: &str,
) -> Result<(), StoreError> {
    let edition = number(connection, doing, name).await?.unwrap_or(0);
    put(connection, doing, name, &(edition + 1).to_string()).await
}
