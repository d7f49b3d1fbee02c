//! What each tool takes and gives, in JSON Schema.
//!
//! What the API's schemas say already is taken from there.
//!
//! Invariant: a schema refers to nothing outside itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::arguments::MOST_ROWS;
use super::tools::Deed;
use crate::description::components;

const COMPONENTS: &str = "#/components/schemas/";

/// What a tool takes.
pub(super) fn input(deed: Deed) -> Value {
    let (needed, own): (&[&str], Value) = match deed {
        Deed::Query => (
            &["query"],
            json!({
                "query": text("The question in J1QL."),
                "variables": variables("Values of ${name} in the question."),
                "include_deleted": { "type": "boolean", "description": "Ask about what is gone, too." },
                "max_rows": rows(),
            }),
        ),
        Deed::GraphTypes => return only(&[], json!({})),
        Deed::WhoCanAccess => (
            &[],
            json!({
                "app": text("The app's name or id."),
                "team": text("The team's name or id."),
                "enterprise_account": text("The Enterprise account's name or id."),
                "entitlement": text("Only this entitlement, such as deploy or admin."),
            }),
        ),
        Deed::WhatPersonReaches => (
            &["person"],
            json!({
                "person": text("The person's e-mail address or id."),
                "app": text("Only on this app."),
                "team": text("Only on this team."),
                "entitlement": text("Only this entitlement."),
            }),
        ),
        Deed::Search => (
            &["kind", "text"],
            json!({
                "kind": { "type": "string", "enum": ["person", "team", "app"] },
                "text": text("Part of the name or address."),
                "max_rows": rows(),
            }),
        ),
        Deed::People => (&[], json!({ "email": text("The exact address or id.") })),
        Deed::Teams => (&[], json!({ "name": text("The exact name or id.") })),
        Deed::Apps => {
            (&[], json!({ "name": text("The exact name or id."), "team": text("The team's name or id.") }))
        }
        Deed::Changes => (
            &[],
            json!({
                "since": text("Leave out this version or time and everything before."),
                "until": text("The last version or time."),
                "kind": text("grant, or the kind of an object."),
                "change": { "type": "string", "enum": ["added", "removed", "changed"] },
            }),
        ),
        Deed::Findings => (
            &[],
            json!({
                "state": text("open, acknowledged, accepted, resolved, or several with commas."),
                "rule": text("The rule's id."),
                "level": text("The level, such as CRITICAL or HIGH."),
            }),
        ),
        Deed::Finding | Deed::Plan => return only(&["id"], json!({ "id": text("Its id.") })),
        Deed::Questions => {
            return only(
                &[],
                json!({ "words": text("Words that all have to occur."), "tag": text("A tag, such as leavers.") }),
            );
        }
        Deed::AskQuestion => (
            &["id"],
            json!({
                "id": text("The question's id, from list_questions."),
                "variables": variables("Values for what the question leaves open."),
                "max_rows": rows(),
            }),
        ),
        Deed::Connectors => return only(&[], json!({ "connector": text("Only this one, by name or id.") })),
        Deed::ProposePlan => return plan_asked(),
    };
    let mut own = own;
    let listed = own.get("max_rows").is_none();
    if let Some(members) = own.as_object_mut() {
        members.insert("connector".into(), text("Only this connector's estate, by name or id."));
        let timed = !matches!(deed, Deed::Changes | Deed::Findings);
        if timed {
            let told =
                "Ask an earlier version: its number, a date or a time. Without it the newest is asked.";
            members.insert("as_of".into(), text(told));
        }
        if listed {
            members.insert("limit".into(), rows());
            members.insert("cursor".into(), text("The next_cursor of the page before."));
        }
    }
    only(needed, own)
}

/// What a tool gives.
pub(super) fn output(deed: Deed) -> Value {
    let own = match deed {
        Deed::Query | Deed::AskQuestion | Deed::Search => with_sources(
            json!({ "answer": named("Answer"), "query": { "type": "string" } }),
            &["answer", "query"],
        ),
        Deed::WhoCanAccess | Deed::WhatPersonReaches => listed("Grant"),
        Deed::People => listed("Person"),
        Deed::Teams => listed("Team"),
        Deed::Apps => listed("App"),
        Deed::Changes => listed("Change"),
        Deed::Findings => listed("Finding"),
        Deed::Finding => object(&["finding"], json!({ "finding": named("FindingWithEvents") })),
        Deed::GraphTypes => {
            let kinds = json!({ "type": "array", "items": { "type": "object" } });
            object(&["entities", "relationships"], json!({ "entities": kinds, "relationships": kinds }))
        }
        Deed::Questions => {
            let questions = json!({ "type": "array", "items": { "type": "object" } });
            let tags = json!({ "type": "object", "additionalProperties": { "type": "string" } });
            object(&["questions", "tags"], json!({ "questions": questions, "tags": tags }))
        }
        Deed::Connectors => {
            let connectors = json!({ "type": "array", "items": connector() });
            object(&["connectors"], json!({ "connectors": connectors }))
        }
        Deed::ProposePlan => object(
            &["outcome", "reason", "plan", "next_step"],
            json!({
                "outcome": { "type": "string", "enum": ["planned", "unchanged"] },
                "reason": { "type": ["string", "null"] },
                "plan": { "anyOf": [named("Plan"), { "type": "null" }] },
                "next_step": { "type": "string" },
            }),
        ),
        Deed::Plan => object(&["plan"], json!({ "plan": named("Plan") })),
    };
    closed(own)
}

/// An error of JSON-RPC, for the API's description.
pub(crate) fn rpc_error() -> Value {
    let error = json!({
        "type": "object",
        "properties": { "code": { "type": "integer" }, "message": { "type": "string" } },
        "required": ["code", "message"],
    });
    json!({ "type": "object", "properties": { "jsonrpc": { "const": "2.0" }, "error": error }, "required": ["jsonrpc", "error"] })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": description })
}

fn rows() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": 50, "description": "The most rows." })
}

fn variables(description: &str) -> Value {
    let one = json!({ "type": ["string", "number", "boolean"] });
    let several = json!({ "type": "array", "items": one });
    json!({ "type": "object", "description": description, "additionalProperties": { "anyOf": [one, several] } })
}

fn plan_asked() -> Value {
    only(
        &["action", "user", "reason"],
        json!({
            "action": { "type": "string", "enum": ["grant", "revoke", "remove"] },
            "user": text("The e-mail address or id of the person whose access would change."),
            "team": text("The team, by name or id."),
            "role": { "type": "string", "description": "In the team: admin, member or viewer.", "minLength": 1 },
            "app": text("The app, by name or id."),
            "permissions": {
                "type": "array",
                "items": { "type": "string", "enum": ["view", "deploy", "operate", "manage"] },
            },
            "collaborator": { "type": "boolean", "description": "For an app without a team." },
            "reason": text("Why, for those who review it."),
            "connector": text("Whose estate; needed where there are several connectors."),
        }),
    )
}

fn connector() -> Value {
    let gap = json!({
        "type": "object",
        "properties": {
            "scope": { "type": "string" },
            "outcome": { "type": "string" },
            "reason": { "type": ["string", "null"] },
        },
        "required": ["scope", "outcome", "reason"],
    });
    let newest = json!({
        "type": ["object", "null"],
        "properties": {
            "version": { "type": "integer" },
            "finished_at": { "type": ["string", "null"] },
            "complete": { "type": "boolean" },
            "listings": { "type": "integer" },
            "not_read": { "type": "integer" },
            "not_read_first": { "type": "array", "items": gap },
        },
        "required": ["version", "complete", "listings", "not_read", "not_read_first"],
    });
    json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "name": { "type": "string" },
            "state": { "type": "string" },
            "reason": { "type": "string" },
            "account": { "type": ["string", "null"] },
            "next_sync_at": { "type": ["string", "null"] },
            "newest_version": newest,
        },
        "required": ["id", "name", "state", "reason", "newest_version"],
    })
}

/// A page of rows.
fn listed(row: &str) -> Value {
    let own = json!({
        "data": { "type": "array", "items": named(row) },
        "next_cursor": { "type": ["string", "null"] },
    });
    with_sources(own, &["data", "next_cursor"])
}

/// The same with how complete it is.
fn with_sources(mut own: Value, needed: &[&str]) -> Value {
    let source = json!({
        "type": "object",
        "properties": {
            "connector": { "type": "string" },
            "name": { "type": "string" },
            "state": { "type": "string" },
            "complete": { "type": "boolean", "description": "The last reading missed nothing." },
            "read_at": { "type": ["string", "null"] },
        },
        "required": ["connector", "name", "state", "complete", "read_at"],
    });
    if let Some(members) = own.as_object_mut() {
        let told =
            "How complete each connector's last reading was; null where the caller may not see connectors.";
        let sources = json!({ "type": ["array", "null"], "items": source, "description": told });
        members.insert("sources".into(), sources);
    }
    let needed: Vec<&str> = needed.iter().copied().chain(["sources"]).collect();
    object(&needed, own)
}

fn object(needed: &[&str], mut properties: Value) -> Value {
    if let Some(members) = properties.as_object_mut() {
        members.insert("notice".into(), json!({ "type": "string" }));
    }
    let needed: Vec<&str> = needed.iter().copied().chain(["notice"]).collect();
    json!({ "type": "object", "properties": properties, "required": needed })
}

fn only(needed: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "properties": properties, "required": needed, "additionalProperties": false })
}

fn named(name: &str) -> Value {
    json!({ "$ref": format!("{COMPONENTS}{name}") })
}

/// The same with all that it refers to inside.
fn closed(mut schema: Value) -> Value {
    let all = components();
    let (mut wanted, mut defs) = (BTreeSet::new(), Map::new());
    point_inside(&mut schema, &mut wanted);
    while let Some(name) = wanted.pop_first() {
        if defs.contains_key(&name) {
            continue;
        }
        let mut part = all.get(&name).cloned().unwrap_or_else(|| json!({}));
        point_inside(&mut part, &mut wanted);
        defs.insert(name, part);
    }
    if let (Some(members), false) = (schema.as_object_mut(), defs.is_empty()) {
        members.insert("$defs".into(), Value::Object(defs));
    }
    schema
}

fn point_inside(schema: &mut Value, wanted: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref")
                && let Some(name) = reference.strip_prefix(COMPONENTS).map(ToOwned::to_owned)
            {
                *reference = format!("#/$defs/{name}");
                wanted.insert(name);
            }
            members.values_mut().for_each(|member| point_inside(member, wanted));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| point_inside(item, wanted)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::tools::Tool;

    #[test]
    fn a_schema_refers_to_nothing_outside_itself() {
        for tool in Tool::all() {
            let told = tool.description_for_clients();
            let text = told.to_string();
            assert!(!text.contains("#/components"), "{}", tool.name);
            for part in text.split("#/$defs/").skip(1) {
                let name = part.split('"').next().unwrap();
                assert!(told["outputSchema"]["$defs"][name].is_object(), "{} lacks {name}", tool.name);
            }
            assert_eq!(told["inputSchema"]["type"], "object", "{}", tool.name);
            assert_eq!(told["outputSchema"]["type"], "object", "{}", tool.name);
        }
    }
}
