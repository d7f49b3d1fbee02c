//! Words of JSON Schema, short enough that a schema reads like the thing it describes.

use serde_json::{Map, Value, json};

/// A text.
pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

/// A text that is not empty, and what it means.
pub(super) fn meaning(description: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": description })
}

/// One of these words.
pub(super) fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// A whole number from 0.
pub(super) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// Yes or no.
pub(super) fn flag() -> Value {
    json!({ "type": "boolean" })
}

/// A moment, in UTC.
pub(super) fn moment() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

/// An object whose members are not known beforehand.
pub(super) fn anything() -> Value {
    json!({ "type": "object" })
}

/// A list of these.
pub(super) fn list(items: Value) -> Value {
    let members = [("type".to_owned(), json!("array")), ("items".to_owned(), items)];
    Value::Object(members.into_iter().collect())
}

/// This, or null.
pub(super) fn or_null(schema: Value) -> Value {
    match schema.get("type").and_then(Value::as_str).map(ToOwned::to_owned) {
        Some(kind) if schema.get("enum").is_none() => {
            let mut schema = schema;
            if let Some(members) = schema.as_object_mut() {
                members.insert("type".into(), json!([kind, "null"]));
            }
            schema
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// A schema of the components.
pub(super) fn named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// An object with these members, all of which it always has.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> =
        members.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// The same with members that it may lack.
pub(super) fn with<const N: usize>(mut object: Value, members: [(&str, Value); N]) -> Value {
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(members.into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    }
    object
}

/// The same without any other member: what a request may say.
pub(super) fn only(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert("additionalProperties".into(), false.into());
    }
    object
}
