//! What a message says, as pairs of a name and a text, so that two messages can be held against each other.
//!
//! Which rows are compared is decided elsewhere.
//!
//! Invariant: two messages that say the same have the same facts, in whatever order their fields came.

use std::collections::BTreeMap;

use prost_types::value::Kind;
use prost_types::{Any, Struct, Timestamp, Value};
use serde_json::Value as Json;

use super::Detail;
use crate::any;
use crate::c1z::{Manner, Row};
use crate::proto::connector::{AppTrait, Entitlement, Grant, GroupTrait, Resource, ResourceId, UserTrait};
use crate::time::moment;

type Facts = BTreeMap<String, String>;

/// What differs between two rows of the same id.
pub(super) fn details(before: &Row, after: &Row) -> Vec<Detail> {
    let (mut old, mut new) = (facts(before), facts(after));
    let mut names: Vec<String> = old.keys().chain(new.keys()).cloned().collect();
    names.sort_unstable();
    names.dedup();
    let differing = names.into_iter().filter(|name| old.get(name) != new.get(name)).collect::<Vec<_>>();
    if differing.is_empty() {
        return annotations_that_differ(annotations(before), annotations(after));
    }
    let detail = |field: String| Detail { before: old.remove(&field), after: new.remove(&field), field };
    differing.into_iter().map(detail).collect()
}

fn annotations(row: &Row) -> &[Any] {
    match row {
        Row::ResourceType(row) => &row.annotations,
        Row::Resource(row) => &row.annotations,
        Row::Entitlement(row) => &row.annotations,
        Row::Grant(row) => &row.annotations,
    }
}

/// Annotations of which nothing is known but that they are not the same.
fn annotations_that_differ(before: &[Any], after: &[Any]) -> Vec<Detail> {
    let lone = |these: &[Any], those: &[Any]| {
        let lone = these.iter().filter(|one| !those.contains(one));
        lone.map(|one| short(&one.type_url).to_owned()).collect::<Vec<_>>()
    };
    let (old, new) = (lone(before, after), lone(after, before));
    let mut names: Vec<String> = old.iter().chain(&new).cloned().collect();
    names.sort_unstable();
    names.dedup();
    let is_there = |list: &[String], name: &String| list.contains(name).then(|| "there".to_owned());
    names
        .into_iter()
        .map(|name| match (is_there(&old, &name), is_there(&new, &name)) {
            (Some(_), Some(_)) => Detail { field: name, before: None, after: None },
            (before, after) => Detail { field: name, before, after },
        })
        .collect()
}

fn short(type_url: &str) -> &str {
    type_url.rsplit(['/', '.']).next().unwrap_or_default()
}

fn facts(row: &Row) -> Facts {
    let mut facts = Facts::new();
    match row {
        Row::ResourceType(row) => add(&mut facts, "name", &row.display_name),
        Row::Resource(row) => of_resource(&mut facts, row),
        Row::Entitlement(row) => of_entitlement(&mut facts, row),
        Row::Grant(row) => of_grant(&mut facts, row),
    }
    facts
}

/// Says nothing of what is empty, which is how messages say that there is nothing.
fn add(facts: &mut Facts, name: impl Into<String>, text: &str) {
    if !text.is_empty() {
        facts.insert(name.into(), text.to_owned());
    }
}

#[expect(deprecated, reason = "files of older writers have their profiles in the traits")]
fn of_resource(facts: &mut Facts, row: &Resource) {
    add(facts, "name", &row.display_name);
    add(facts, "description", &row.description);
    add(facts, "parent", &row.parent_resource_id.as_ref().map(joined).unwrap_or_default());
    add(facts, "created_at", &row.created_at.as_ref().map(written).unwrap_or_default());
    if let Some(status) = &row.status {
        add(facts, "status", status.status().as_str_name());
        add(facts, "status_details", &status.details);
    }
    let user: Option<UserTrait> = any::find(&row.annotations);
    if let Some(user) = &user {
        let addresses: Vec<&str> = user.emails.iter().map(|email| email.address.as_str()).collect();
        add(facts, "emails", &addresses.join(", "));
        add(facts, "login", &user.login);
        add(facts, "last_login", &user.last_login.as_ref().map(written).unwrap_or_default());
    }
    let group = || any::find::<GroupTrait>(&row.annotations).and_then(|group| group.profile);
    let app = || any::find::<AppTrait>(&row.annotations).and_then(|app| app.profile);
    let older = || user.as_ref().and_then(|user| user.profile.clone()).or_else(group).or_else(app);
    if let Some(profile) = row.profile.clone().or_else(older) {
        for (name, value) in profile.fields {
            add(facts, format!("profile.{name}"), &text_of(&value));
        }
    }
}

fn of_entitlement(facts: &mut Facts, row: &Entitlement) {
    add(facts, "name", &row.display_name);
    add(facts, "description", &row.description);
    add(facts, "slug", &row.slug);
    add(facts, "purpose", row.purpose().as_str_name());
    let kinds: Vec<&str> = row.grantable_to.iter().map(|kind| kind.id.as_str()).collect();
    add(facts, "grantable_to", &kinds.join(", "));
    let resource = row.resource.as_ref();
    add(facts, "resource", &resource.and_then(|one| one.id.as_ref()).map(joined).unwrap_or_default());
    add(facts, "resource_name", resource.map(|one| one.display_name.as_str()).unwrap_or_default());
}

fn of_grant(facts: &mut Facts, row: &Grant) {
    add(facts, "manner", Manner::of(row).as_str());
    for (id, source) in row.sources.iter().flat_map(|all| &all.sources) {
        add(facts, format!("source.{id}"), if source.is_direct { "direct" } else { "inherited" });
    }
    if let Some(passed_on) = crate::c1z::expansion(row) {
        add(facts, "passed_on_from", &passed_on.entitlement_ids.join(", "));
    }
}

fn joined(id: &ResourceId) -> String {
    format!("{}:{}", id.resource_type, id.resource)
}

fn written(timestamp: &Timestamp) -> String {
    moment(timestamp).to_string()
}

/// A text as it is, everything else as JSON.
fn text_of(value: &Value) -> String {
    match json(value) {
        Json::String(text) => text,
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

fn json(value: &Value) -> Json {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::NumberValue(number)) => (*number).into(),
        Some(Kind::StringValue(text)) => text.as_str().into(),
        Some(Kind::BoolValue(flag)) => (*flag).into(),
        Some(Kind::StructValue(Struct { fields })) => {
            fields.iter().map(|(name, value)| (name.clone(), json(value))).collect()
        }
        Some(Kind::ListValue(list)) => list.values.iter().map(json).collect(),
    }
}
