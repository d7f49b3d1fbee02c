//! What expressions see of queries and changes.

use serde_json::{Value as Json, json};

use crate::query::{Answer, Data};

/// The rows of an answer: entities of a list, objects of a table, the entities of a tree.
pub(super) fn rows(answer: &Answer) -> Vec<Json> {
    match &answer.data {
        Data::List(entities) => entities.iter().map(|entity| entity.to_json()).collect(),
        Data::Tree { vertices, .. } => vertices.iter().map(|entity| entity.to_json()).collect(),
        Data::Table { .. } => answer.objects().into_iter().map(Json::Object).collect(),
    }
}

/// `queries.<name>`.
pub(super) fn query(text: &str, total: usize, data: &[Json]) -> Json {
    json!({ "total": total, "data": data, "query": text })
}

/// `changes`.
pub(super) fn changes(total: usize, data: &[Json]) -> Json {
    json!({ "total": total, "data": data })
}
