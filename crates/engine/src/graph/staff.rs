//! Employees as entities, and whose an account is as relationships.
//!
//! They are no part of a version: rosters come by a way of their own, and are told as they are now.
//!
//! Invariant: everybody whom a roster ever named is an entity; who is named no more is not active.

use std::collections::HashMap;

use metsuke_model::Version;
use metsuke_model::graph::{EdgeSource, Employee, EntityType, RelationshipType, Source, Value};
use metsuke_model::people::MatchedBy;
use metsuke_store::People;

use super::lookup::Ids;
use super::{Edge, Edges, Node, Nodes};

/// The employees.
pub(super) fn nodes<'r>(people: &'r People, entity_type: &'static EntityType) -> Nodes<'r> {
    Box::new(people.employees.iter().map(move |employee| {
        let value = |source: &Source| match source {
            Source::Id => Value::text(&employee.key),
            Source::Column(name) => column(employee, name),
            Source::JsonList("emails") => list(&employee.emails),
            Source::JsonList("aliases") => list(&employee.aliases),
            _ => Value::Absent,
        };
        let properties = entity_type.properties.iter().map(|known| (known.name, value(&known.source)));
        Node {
            dense: employee.dense,
            key: employee.key.to_string(),
            since: Version(0),
            properties: properties.filter(|(_, value)| !value.is_absent()).collect(),
            row: None,
        }
    }))
}

fn list(texts: &[Box<str>]) -> Value {
    Value::List(texts.iter().map(|text| Value::text(text)).collect())
}

fn column(employee: &Employee, name: &str) -> Value {
    let text = |text: &Option<Box<str>>| text.as_deref().map(Value::text).unwrap_or_default();
    match name {
        "email" => employee.emails.first().map(|email| Value::text(email)).unwrap_or_default(),
        "username" => text(&employee.username),
        "name" => Value::text(&employee.name),
        "first_name" => text(&employee.first_name),
        "last_name" => text(&employee.last_name),
        "title" => text(&employee.title),
        "department" => text(&employee.department),
        "manager_email" => text(&employee.manager_email),
        "employee_id" => text(&employee.employee_id),
        "employee_type" => text(&employee.employee_type),
        "active" => Value::Flag(employee.active),
        "roster" => Value::text(&employee.roster),
        _ => Value::Absent,
    }
}

/// Whose the accounts are.
pub(super) fn edges<'r>(
    people: &'r People,
    users: &'r Ids,
    relationship: &'static RelationshipType,
) -> Edges<'r> {
    let employees: HashMap<i64, &str> =
        people.employees.iter().map(|employee| (employee.dense, &*employee.key)).collect();
    Box::new(people.matches.iter().filter_map(move |row| {
        let (from_key, to_key) =
            (users.keys.get(&row.user)?.to_string(), (*employees.get(&row.employee)?).to_owned());
        let by = row.by.map(MatchedBy::as_str);
        let value = |source| match source {
            EdgeSource::Column("matched_by") => by.map(Value::text),
            _ => None,
        };
        let properties = relationship.properties.iter();
        Some(Edge {
            from: row.user,
            to: row.employee,
            key: format!("{from_key}|{}|{to_key}", relationship.verb.to_lowercase()),
            from_key,
            to_key,
            properties: properties.filter_map(|known| Some((known.name, value(known.source)?))).collect(),
        })
    }))
}
