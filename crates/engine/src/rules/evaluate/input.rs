//! What expressions see of queries and changes.

use serde_json::{Value as Json, json};

use crate::query::Told;

/// The first rows of an answer: entities of a list, objects of a table, the entities of a tree.
pub(super) fn rows(told: &Told, most: usize) -> Vec<Json> {
    let rows = told.rows();
    (0..told.total().min(most)).map(|place| rows.at(place)).collect()
}

/// `queries.<name>`.
pub(super) fn query(text: &str, total: usize, data: &[Json]) -> Json {
    json!({ "total": total, "data": data, "query": text })
}

/// `changes`.
pub(super) fn changes(total: usize, data: &[Json]) -> Json {
    json!({ "total": total, "data": data })
}
