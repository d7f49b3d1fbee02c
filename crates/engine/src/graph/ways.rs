//! Effective access as relationships: one for each way by which a person came to it.
//!
//! The rules are `metsuke_model::derive`'s, and the rows meet them in `access`.
//!
//! Invariant: a way that gives nothing is none.

use metsuke_model::graph::{EdgeProperty, EdgeSource, RelationshipType, Value};

use super::{Edge, Edges, Reader};
use crate::EngineError;
use crate::access::effective::{AppFacts, Extent, Way, World};

/// Reads effective access.
pub(super) async fn read<'r>(
    reader: &'r mut Reader<'_>,
    relationship: &'static RelationshipType,
) -> Result<Edges<'r>, EngineError> {
    let mut world = World::load(reader.snapshot, &Extent::All, true).await?;
    let apps = std::mem::take(&mut world.apps);
    Ok(Box::new(apps.into_iter().flat_map(move |app| of_app(&world, &app, relationship))))
}

fn of_app(world: &World, app: &AppFacts, relationship: &RelationshipType) -> Vec<Edge> {
    let mut edges = Vec::new();
    let to_key = app.resource.id.to_string();
    for person in world.people_of(app) {
        let Some(principal) = world.principals.get(&person) else { continue };
        let from_key = principal.id.to_string();
        for way in world.ways(app, person) {
            let verb = relationship.verb.to_lowercase();
            edges.push(Edge {
                from: person,
                to: app.dense,
                key: format!("{from_key}|{verb}|{to_key}|{}", way.via),
                from_key: from_key.clone(),
                to_key: to_key.clone(),
                properties: properties(relationship.properties, &way),
            });
        }
    }
    edges
}

fn properties(properties: &'static [EdgeProperty], way: &Way) -> Vec<(&'static str, Value)> {
    let value = |property: &EdgeProperty| match property.source {
        EdgeSource::Entitlements => {
            Some(Value::List(way.permissions.iter().map(|slug| Value::text(slug)).collect()))
        }
        EdgeSource::Via => Some(Value::text(&way.via)),
        EdgeSource::Role | EdgeSource::Column(_) => None,
    };
    properties.iter().filter_map(|property| Some((property.name, value(property)?))).collect()
}
