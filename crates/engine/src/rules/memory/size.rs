//! How many bytes what is remembered takes, about: what the values hold, and what holds them.
//!
//! Invariant: it is never less than the texts that are held.

use metsuke_model::graph::Value;
use serde_json::{Map, Value as Json};

use super::Asked;
use crate::query::{Cell, Data, Told};
use crate::rules::evaluate::Print;

/// What a part of memory takes beside what is asked of it.
const PART: usize = 16;

/// An answer.
pub(super) fn of_answer(told: &Told) -> usize {
    if let Some(packed) = told.packed_bytes(held) {
        return packed + told.beside.len() * size_of::<i64>() + 500;
    }
    let data = match &told.answer.data {
        Data::List(entities) => entities.iter().map(|entity| named(&entity.properties) + 200).sum(),
        Data::Tree { vertices, edges } => {
            let vertices: usize = vertices.iter().map(|entity| named(&entity.properties) + 200).sum();
            vertices + edges.iter().map(|edge| named(&edge.properties) + 250).sum::<usize>()
        }
        Data::Table { rows, .. } => {
            rows.iter().map(|row| 24 + PART + row.iter().map(cell).sum::<usize>()).sum()
        }
    };
    data + told.beside.len() * size_of::<i64>() + 500
}

fn cell(cell: &Cell) -> usize {
    size_of::<Cell>()
        + match cell {
            Cell::Value(value) => held(value),
            // Several rows may show the same one.
            Cell::Entity(entity) => entity.as_ref().map_or(0, |entity| named(&entity.properties) + 200),
            Cell::Relationship(edge) => edge.as_ref().map_or(0, |edge| named(&edge.properties) + 250),
        }
}

fn named(values: &[(&'static str, Value)]) -> usize {
    values.iter().map(|(_, value)| size_of::<(&str, Value)>() + held(value)).sum()
}

fn held(value: &Value) -> usize {
    match value {
        Value::Absent | Value::Flag(_) | Value::Number(_) => 0,
        Value::Text(text) => text.len() + PART,
        Value::List(values) => {
            PART + values.iter().map(|value| size_of::<Value>() + held(value)).sum::<usize>()
        }
    }
}

/// What is remembered of an evaluation.
pub(super) fn of_evaluation(document: &Map<String, Json>, asked: &[Asked]) -> usize {
    let one = |asked: &Asked| asked.question.0.len() + asked.prints.len() * size_of::<Print>() + 100;
    members(document) + asked.iter().map(one).sum::<usize>()
}

fn members(object: &Map<String, Json>) -> usize {
    object.iter().map(|(name, value)| name.len() + 3 * PART + json(value)).sum()
}

fn json(value: &Json) -> usize {
    size_of::<Json>()
        + match value {
            Json::Null | Json::Bool(_) | Json::Number(_) => 0,
            Json::String(text) => text.len() + PART,
            Json::Array(values) => values.iter().map(json).sum(),
            Json::Object(object) => members(object),
        }
}
