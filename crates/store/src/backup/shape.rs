//! Which tables a store has, in an order in which they can be filled, with their columns and keys.
//!
//! Invariant: the order of columns and of rows is the same on both engines.

use super::{Holds, Part, TableHead};
use crate::StoreError;
use crate::connection::Connection;
use crate::dialect::Pool;

/// What is not copied: the schema's number stands in the head.
const LEFT_OUT: &str = "metsuke_schema";

/// A table, and the statement that reads it.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) head: TableHead,
    /// All rows in the order of their key.
    pub(super) select: String,
}

/// Every table of the store's schema; one that refers to another comes after it.
pub(super) async fn shapes(connection: &mut Connection, part: Part) -> Result<Vec<Shape>, StoreError> {
    let mut left = Vec::new();
    for table in Pool::tables(connection).await? {
        if table != LEFT_OUT {
            let wanted = Pool::references(connection, &table).await?;
            left.push((table, wanted));
        }
    }
    let mut ordered: Vec<String> = Vec::new();
    while !left.is_empty() {
        let ready = |(table, wanted): &(String, Vec<String>)| {
            wanted.iter().all(|other| other == table || ordered.contains(other))
        };
        let place = left.iter().position(ready).unwrap_or(0);
        ordered.push(left.remove(place).0);
    }
    let mut shapes = Vec::with_capacity(ordered.len());
    for table in ordered {
        shapes.push(shape(connection, part, table).await?);
    }
    Ok(shapes)
}

async fn shape(connection: &mut Connection, part: Part, table: String) -> Result<Shape, StoreError> {
    let columns = Pool::columns(connection, &table).await?;
    let mut keys: Vec<_> = columns.iter().filter(|column| column.key > 0).collect();
    keys.sort_unstable_by_key(|column| column.key);
    let order: Vec<String> = keys
        .iter()
        .map(|column| match column.holds {
            Holds::Text => Pool::bytewise(connection, &column.name),
            _ => column.name.clone(),
        })
        .collect();
    if order.is_empty() {
        return Err(StoreError::Damaged { what: format!("table `{table}` has no key") });
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let select = format!("SELECT {} FROM {table} ORDER BY {}", names.join(", "), order.join(", "));
    let columns = columns.into_iter().map(|column| (column.name, column.holds)).collect();
    Ok(Shape { head: TableHead { part, table, columns }, select })
}
