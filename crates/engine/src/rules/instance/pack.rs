//! The short form of rule packs, written out as rule instances.
//!
//! Source: the packs of <https://github.com/JupiterOne/jupiterone-alert-rules> and their default settings.

use serde_json::{Map, Value as Json, json};

/// The level of a pack's rule that names none.
const DEFAULT_LEVEL: &str = "CRITICAL";

/// Whether an object is a rule of a pack: its queries stand in it, not in a question.
pub(super) fn is_one(rule: &Json) -> bool {
    rule.get("queries").is_some() && rule.get("question").is_none() && rule.get("operations").is_none()
}

/// The rule instance that a pack's rule stands for: an alert, as soon as one of its queries finds anything. Members
/// that a pack is not known to have are carried over.
pub(super) fn expanded(rule: &Json) -> Json {
    let mut members: Map<String, Json> = rule.as_object().cloned().unwrap_or_default();
    let queries = members.remove("queries").unwrap_or_default();
    let level = members.remove("alertLevel").unwrap_or_else(|| DEFAULT_LEVEL.into());
    let named = queries.as_array().into_iter().flatten().enumerate();
    let found = named.map(|(nth, query)| {
        let name = query.get("name").and_then(Json::as_str);
        let name = name.map_or_else(|| format!("query{nth}"), ToOwned::to_owned);
        json!([format!("queries.{name}.total"), ">", 0])
    });
    let mut condition = vec![json!("OR")];
    condition.extend(found);
    let mut add = |name: &str, value: Json| {
        members.entry(name).or_insert(value);
    };
    add("specVersion", json!(1));
    add("pollingInterval", json!("ONE_DAY"));
    add("question", json!({ "queries": queries }));
    add(
        "operations",
        json!([{
            "when": { "type": "FILTER", "specVersion": 1, "condition": condition },
            "actions": [
                { "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": level },
                { "type": "CREATE_ALERT" },
            ],
        }]),
    );
    add("outputs", json!(["alertLevel"]));
    Json::Object(members)
}
