//! Makes relationships of references, rows of access and rows between two objects, as the catalogue's sources say.
//!
//! Effective access is computed in [`ways`](super::ways).
//!
//! Invariant: both ends of a relationship are entities of the version.

use std::collections::HashSet;

use metsuke_model::access::{Access, Entitlement};
use metsuke_model::graph::{
    EdgeProperty, EdgeSource, End, EntityType, RelationSource, RelationshipType, Table, Value,
};
use metsuke_model::record::{
    AddOn, App, Attachment, Authorization, Coupling, EnterpriseAccount, Invitation, Key, Pipeline, Space,
    Team, UnresolvedMember, User,
};
use metsuke_model::{Cell, HerokuId, Kind, Record as _, ResourceType};
use metsuke_store::{AccessEntry, AccessSelect, Select};

use super::lookup::{Ids, of_kind};
use super::nodes::{cell, column};
use super::{Edge, Edges, Reader, staff, ways};
use crate::EngineError;

/// Reads the relationships of a type.
pub(super) async fn read<'r>(
    reader: &'r mut Reader<'_>,
    relationship: &'static RelationshipType,
) -> Result<Edges<'r>, EngineError> {
    if relationship.source == RelationSource::Matched {
        reader.lookup.load_ids(reader.snapshot, Kind::User).await?;
        return Ok(match (reader.people, reader.lookup.ids(Kind::User)) {
            (Some(people), Some(users)) => staff::edges(people, users, relationship),
            _ => Box::new(std::iter::empty()),
        });
    }
    let (Some(from), Some(to)) = (kind_of(relationship.from), kind_of(relationship.to)) else {
        return Ok(Box::new(std::iter::empty()));
    };
    for kind in [from, to] {
        reader.lookup.load_ids(reader.snapshot, kind).await?;
    }
    match relationship.source {
        RelationSource::Refers { holder, column } => {
            refers(reader, relationship, (from, to), (holder, column)).await
        }
        RelationSource::Access { resource, at } => {
            access(reader, relationship, (from, to), (resource, at)).await
        }
        RelationSource::Junction { kind, from: one, to: other } => {
            junction(reader, relationship, (from, to), (kind, one, other)).await
        }
        RelationSource::Effective => ways::read(reader, relationship).await,
        RelationSource::Matched => Ok(Box::new(std::iter::empty())),
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    match EntityType::named(name)?.table {
        Table::Objects(kind) => Some(kind),
        Table::Employees => None,
    }
}

/// Both ends of the relationships of a type, by dense ids and by keys.
struct Ends<'r> {
    relationship: &'static RelationshipType,
    from: &'r Ids,
    to: &'r Ids,
}

impl<'r> Ends<'r> {
    fn new(
        reader: &'r Reader<'_>,
        relationship: &'static RelationshipType,
        kinds: (Kind, Kind),
    ) -> Option<Self> {
        let (from, to) = (reader.lookup.ids(kinds.0)?, reader.lookup.ids(kinds.1)?);
        Some(Self { relationship, from, to })
    }

    /// The relationship between two; none where one of them is no entity.
    fn between(&self, from: i64, to: i64) -> Option<Edge> {
        let (from_key, to_key) = (self.from.keys.get(&from)?.to_string(), self.to.keys.get(&to)?.to_string());
        let key = format!("{from_key}|{}|{to_key}", self.relationship.verb.to_lowercase());
        Some(Edge { from, to, from_key, to_key, key, properties: Vec::new() })
    }
}

async fn refers<'r>(
    reader: &'r mut Reader<'_>,
    relationship: &'static RelationshipType,
    kinds: (Kind, Kind),
    (holder, name): (End, &'static str),
) -> Result<Edges<'r>, EngineError> {
    let kind = if holder == End::From { kinds.0 } else { kinds.1 };
    let mut pairs: Vec<(i64, HerokuId)> = of_kind!(kind, T => {
        let records = reader.snapshot.objects::<T>(&Select::All).await?;
        let refers = |cells: &[Cell<'_>]| match cell(kind, cells, name) {
            Some((_, Cell::Reference(id))) => Some(id.clone()),
            _ => None,
        };
        records.iter().filter_map(|stored| Some((stored.dense, refers(&stored.record.cells())?))).collect()
    });
    pairs.sort_by_key(|(dense, _)| *dense);
    let Some(ends) = Ends::new(reader, relationship, kinds) else { return Ok(Box::new(std::iter::empty())) };
    Ok(Box::new(pairs.into_iter().filter_map(move |(dense, other)| match holder {
        End::From => ends.between(dense, *ends.to.places.get(&other)?),
        End::To => ends.between(*ends.from.places.get(&other)?, dense),
    })))
}

async fn access<'r>(
    reader: &'r mut Reader<'_>,
    relationship: &'static RelationshipType,
    kinds: (Kind, Kind),
    (resource, at): (ResourceType, End),
) -> Result<Edges<'r>, EngineError> {
    let kind = resource.kind();
    // Most rows are those of apps: all are read then, and the others left out.
    let select = if resource == ResourceType::App {
        AccessSelect::All
    } else {
        let ids = reader.lookup.ids(kind);
        AccessSelect::On(ids.map(|ids| ids.keys.keys().copied().collect()).unwrap_or_default())
    };
    let mut entries = reader.snapshot.access(&select).await?;
    entries.retain(|entry| entry.resource & Table::NUMBER_BITS == kind.number());
    entries.sort_by_key(|entry| (entry.resource, entry.principal));
    let Some(ends) = Ends::new(reader, relationship, kinds) else { return Ok(Box::new(std::iter::empty())) };
    Ok(Box::new(entries.into_iter().filter_map(move |entry| {
        let mut edge = match at {
            End::From => ends.between(entry.resource, entry.principal)?,
            End::To => ends.between(entry.principal, entry.resource)?,
        };
        edge.properties = held(relationship.properties, resource, entry);
        Some(edge)
    })))
}

fn held(
    properties: &'static [EdgeProperty],
    resource: ResourceType,
    entry: AccessEntry,
) -> Vec<(&'static str, Value)> {
    let access = Access { mask: entry.mask, other: entry.other };
    let value = |property: &EdgeProperty| match property.source {
        EdgeSource::Role => {
            // Heroku sent null for a role that is kept as unknown.
            let role = access.slugs(resource).find(|slug| *slug != Entitlement::UNKNOWN.slug());
            role.map(Value::text)
        }
        EdgeSource::Entitlements => Some(Value::List(access.slugs(resource).map(Value::text).collect())),
        EdgeSource::Via | EdgeSource::Column(_) => None,
    };
    properties.iter().filter_map(|property| Some((property.name, value(property)?))).collect()
}

/// A row that stands between two objects.
struct Between {
    dense: i64,
    id: HerokuId,
    from: HerokuId,
    to: HerokuId,
    properties: Vec<(&'static str, Value)>,
}

async fn junction<'r>(
    reader: &'r mut Reader<'_>,
    relationship: &'static RelationshipType,
    kinds: (Kind, Kind),
    (kind, from, to): (Kind, &'static str, &'static str),
) -> Result<Edges<'r>, EngineError> {
    let mut rows: Vec<Between> = of_kind!(kind, T => {
        let records = reader.snapshot.objects::<T>(&Select::All).await?;
        let row = |dense: i64, id: &HerokuId, cells: &[Cell<'_>]| {
            let end = |name: &str| match cell(kind, cells, name) {
                Some((_, Cell::Reference(id))) => Some(id.clone()),
                _ => None,
            };
            let value = |property: &'static EdgeProperty| match property.source {
                EdgeSource::Column(name) => (property.name, column(kind, cells, name)),
                _ => (property.name, Value::Absent),
            };
            let properties = relationship.properties.iter().map(value);
            let properties = properties.filter(|(_, value)| !value.is_absent()).collect();
            Some(Between { dense, id: id.clone(), from: end(from)?, to: end(to)?, properties })
        };
        let row = |stored: &metsuke_store::Stored<T>| {
            row(stored.dense, stored.record.id(), &stored.record.cells())
        };
        records.iter().filter_map(row).collect()
    });
    rows.sort_by_key(|row| row.dense);
    let Some(ends) = Ends::new(reader, relationship, kinds) else { return Ok(Box::new(std::iter::empty())) };
    let mut seen = HashSet::new();
    Ok(Box::new(rows.into_iter().filter_map(move |row| {
        let mut edge = ends.between(*ends.from.places.get(&row.from)?, *ends.to.places.get(&row.to)?)?;
        if kind == Kind::Attachment {
            let name = row.properties.first().map(|(_, name)| name.to_json());
            let name = name.as_ref().and_then(serde_json::Value::as_str);
            edge.key = format!("{}|{}", edge.key, name.map_or_else(|| row.id.to_string(), Into::into));
        }
        if !seen.insert(edge.key.clone()) {
            edge.key = format!("{}|{}", edge.key, row.id);
        }
        edge.properties = row.properties;
        Some(edge)
    })))
}
