//! What values are to expressions: true or not, equal or not, a text, a number.

use std::borrow::Cow;
use std::cmp::Ordering;

use metsuke_model::graph::Value;
use serde_json::Value as Json;

/// Whether a value counts as true: nothing, false, 0 and the empty text do not.
pub(in crate::rules) fn truthy(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(flag) => *flag,
        Json::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(_) | Json::Object(_) => true,
    }
}

/// The value as a text: nothing is empty, lists and objects are their JSON.
pub(in crate::rules) fn text_of(value: &Json) -> Cow<'_, str> {
    match value {
        Json::Null => Cow::Borrowed(""),
        Json::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// A property of a row: its own, else one of its `properties` or `entity`.
pub(in crate::rules) fn property<'j>(row: &'j Json, name: &str) -> Option<&'j Json> {
    let row = match row {
        Json::Array(items) => items.first()?,
        row => row,
    };
    let inner = |part: &str| row.get(part).filter(|part| part.is_object())?.get(name);
    row.get(name).or_else(|| inner("properties")).or_else(|| inner("entity"))
}

/// The number that a value is, or can be read as.
pub(super) fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Json::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A number as a value; nothing where it is none.
pub(super) fn from_number(number: f64) -> Json {
    Value::Number(number).to_json()
}

/// Equal in all they hold; numbers by their worth.
pub(super) fn equal(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            let same =
                |(name, left): (&String, &Json)| right.get(name).is_some_and(|right| equal(left, right));
            left.len() == right.len() && left.iter().all(same)
        }
        (left, right) => left == right,
    }
}

/// `==`: equal, or a number and a text, or a flag, of the same worth.
pub(super) fn loosely_equal(left: &Json, right: &Json) -> bool {
    if equal(left, right) {
        return true;
    }
    let mixed = std::mem::discriminant(left) != std::mem::discriminant(right);
    mixed && number(left).is_some_and(|left| number(right) == Some(left))
}

/// How two values are ordered: texts as texts, everything else as numbers; not at all where one is none.
pub(super) fn order(left: &Json, right: &Json) -> Option<Ordering> {
    match (left, right) {
        (Json::String(left), Json::String(right)) => Some(left.cmp(right)),
        (left, right) => number(left)?.partial_cmp(&number(right)?),
    }
}

/// Roughly how many bytes a value takes.
pub(super) fn size(value: &Json) -> usize {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 8,
        Json::String(text) => 8 + text.len(),
        Json::Array(items) => items.iter().map(size).sum::<usize>() + 8,
        Json::Object(members) => {
            members.iter().map(|(name, value)| name.len() + size(value)).sum::<usize>() + 8
        }
    }
}
