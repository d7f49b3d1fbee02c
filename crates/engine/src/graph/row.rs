//! What Heroku sent for an object, rebuilt in Heroku's shape from the columns and the rest that was kept.
//!
//! It may hold less than Heroku's own row, for what no column and no rest holds is gone: nothing stands in its place.
//! Secrets were never kept.
//!
//! Invariant: every value in it is one that Heroku sent, for this object or for one that it refers to.

use metsuke_model::{Cell, ColumnType, Kind, Moment};
use metsuke_store::Snapshot;
use serde_json::{Map, Value as Json, json};

use super::lookup::Lookup;
use super::nodes::Thing;
use crate::EngineError;

/// Properties of the rest that are only the name of what Heroku sent as an object.
const NAMED: [&str; 6] = ["region", "stack", "build_stack", "plan", "identity_provider", "addon_service"];

/// Columns that are our own remarks and no words of Heroku's.
const OURS: [&str; 2] = ["own_account", "listed"];

/// Loads what rebuilding objects of a kind needs of others.
pub(super) async fn load(
    kind: Kind,
    lookup: &mut Lookup,
    snapshot: &mut Snapshot,
) -> Result<(), EngineError> {
    for column in kind.columns() {
        if let ColumnType::Reference(other) = column.column_type {
            lookup.load_column(snapshot, other, named_by(other)).await?;
        }
    }
    if kind == Kind::User {
        lookup.load_memberships(snapshot).await?;
        lookup.load_column(snapshot, Kind::EnterpriseAccount, "name").await?;
    }
    Ok(())
}

const fn named_by(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "email",
        _ => "name",
    }
}

/// The row.
pub(super) fn rebuilt(thing: &Thing<'_>) -> Map<String, Json> {
    let mut row = thing.document.clone();
    for (column, cell) in thing.kind.columns().iter().zip(&thing.cells) {
        if OURS.contains(&column.name) {
            continue;
        }
        let value = match (*cell, column.column_type) {
            (Cell::Null, _) => continue,
            (Cell::Text(text), _) => json!(text),
            (Cell::Int(number), ColumnType::Flag) => json!(number != 0),
            (Cell::Int(number), ColumnType::Time) => json!(Moment(number).to_string()),
            (Cell::Int(number), _) => json!(number),
            (Cell::Reference(id), ColumnType::Reference(kind)) => {
                let mut other = Map::from_iter([("id".to_owned(), json!(id.to_string()))]);
                if let Some(name) = thing.lookup.value(kind, named_by(kind), id) {
                    other.insert(named_by(kind).into(), name.to_json());
                }
                Json::Object(other)
            }
            (Cell::Reference(id), _) => json!(id.to_string()),
        };
        row.insert(column.name.into(), value);
    }
    for name in NAMED {
        if let Some(Json::String(text)) = row.get(name) {
            row.insert(name.into(), json!({ "name": text }));
        }
    }
    row.insert("id".into(), json!(thing.id));
    match thing.kind {
        Kind::User => of_user(thing, row),
        Kind::Invitation => within(row, "user", &["email"]),
        Kind::Pipeline => {
            let mut row = row;
            let (id, kind) = (row.remove("owner"), row.remove("owner_type"));
            if let Some(id) = id {
                let mut owner = Map::from_iter([("id".to_owned(), id)]);
                owner.extend(kind.map(|kind| ("type".to_owned(), kind)));
                row.insert("owner".into(), Json::Object(owner));
            }
            row
        }
        _ => row,
    }
}

/// A person as the listing of an Enterprise account's members names them; the id of that row was not kept.
fn of_user(thing: &Thing<'_>, mut row: Map<String, Json>) -> Map<String, Json> {
    row = within(row, "user", &["id", "email", "name"]);
    if let Some(held) = thing.lookup.membership(thing.dense) {
        let mut account = Map::from_iter([("id".to_owned(), json!(held.account.to_string()))]);
        if let Some(name) = thing.lookup.value(Kind::EnterpriseAccount, "name", &held.account) {
            account.insert("name".into(), name.to_json());
        }
        row.insert("enterprise_account".into(), Json::Object(account));
        let permissions: Vec<Json> = held.permissions.iter().map(|name| json!({ "name": name })).collect();
        row.insert("permissions".into(), Json::Array(permissions));
    }
    row
}

/// Moves some of the row's properties into an object of their own.
fn within(mut row: Map<String, Json>, name: &str, moved: &[&str]) -> Map<String, Json> {
    let inner = moved.iter().filter_map(|name| row.remove_entry(*name)).collect();
    row.insert(name.into(), Json::Object(inner));
    row
}
