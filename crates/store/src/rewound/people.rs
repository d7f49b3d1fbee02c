//! People and what they were matched with, copied as they are now.
//!
//! They are no part of a version: a roster is read apart from Heroku, and a match that was set by hand holds for
//! the past as well.
//!
//! Invariant: a database that has no such tables has nobody, and that is no error.

use super::REWINDING;
use crate::StoreError;
use crate::connection::{Bind, Connection};
use crate::dialect::Pool;
use crate::query::Datum;

const TABLES: [&str; 2] = ["employee", "employee_match"];

/// Copies the tables of people, whatever columns they have.
pub(super) async fn copy_people(from: &mut Connection, to: &mut Connection) -> Result<(), StoreError> {
    for table in TABLES {
        if Pool::has_table(from, table).await? && Pool::has_table(to, table).await? {
            copy(from, to, table).await?;
        }
    }
    Ok(())
}

async fn copy(from: &mut Connection, to: &mut Connection, table: &'static str) -> Result<(), StoreError> {
    let mut columns = Vec::new();
    let sql = "SELECT name FROM pragma_table_info($1)";
    to.each(REWINDING, sql, &[table.into()], |row| {
        columns.extend(row.text(0)?);
        Ok(())
    })
    .await?;
    let columns = columns.join(", ");
    let mut rows: Vec<Vec<Bind>> = Vec::new();
    from.each_of(REWINDING, &format!("SELECT {columns} FROM {table}"), |row| {
        let values = row.values().map_err(StoreError::database(REWINDING))?;
        rows.push(values.into_iter().map(bind).collect::<Result<_, _>>()?);
        Ok(())
    })
    .await?;
    to.insert(REWINDING, (&format!("INSERT INTO {table} ({columns}) "), ""), rows).await
}

fn bind(value: Datum) -> Result<Bind, StoreError> {
    Ok(match value {
        Datum::Null => Bind::Int(None),
        Datum::Int(number) => number.into(),
        Datum::Text(text) => Bind::Text(Some(text)),
        Datum::Bytes(bytes) => Bind::Bytes(bytes),
        Datum::Real(number) => {
            return Err(StoreError::Damaged { what: format!("{number} stands in a table of people") });
        }
    })
}
