//! The one stream of objects that files and uploads are made of.
//!
//! Invariant: what is left out of the original leaves no relationship behind.

use std::collections::HashSet;

use metsuke_model::graph::{EntityType, Value};
use serde_json::{Map, Value as Json};

use super::steps::Made;
use super::{Estate, Options, shape};
use crate::EngineError;
use crate::graph::{Node, Reader};

/// The objects of one type.
pub(super) type Objects<'o> = Box<dyn Iterator<Item = Map<String, Json>> + Send + 'o>;

/// The objects of a version.
#[derive(Debug)]
pub(super) struct Source<'s> {
    reader: Reader<'s>,
    options: Options,
    /// The dense ids of what the original integration would have, where nothing else is wanted.
    kept: Option<HashSet<i64>>,
}

impl<'s> Source<'s> {
    pub(super) async fn new(estate: &'s mut Estate, options: &Options) -> Result<Self, EngineError> {
        let mut reader = Reader::new(&mut estate.snapshot).with_people(&estate.people);
        let kept = if options.only_original { Some(original(&mut reader).await?) } else { None };
        Ok(Self { reader: reader.with_rows(), options: options.clone(), kept })
    }

    /// The objects that a step makes.
    pub(super) async fn objects(&mut self, made: Made) -> Result<Objects<'_>, EngineError> {
        let (kept, options) = (&self.kept, &self.options);
        let keeps = move |dense: i64| kept.as_ref().is_none_or(|kept| kept.contains(&dense));
        Ok(match made {
            Made::Entities(entity_type) => {
                let nodes = self.reader.nodes(entity_type).await?;
                let nodes = nodes.filter(move |node| keeps(node.dense));
                Box::new(nodes.map(move |node| shape::entity(node, entity_type, options)))
            }
            Made::Relationships(relationship) => {
                let edges = self.reader.edges(relationship).await?;
                let edges = edges.filter(move |edge| keeps(edge.from) && keeps(edge.to));
                Box::new(edges.map(move |edge| shape::relationship(&edge, relationship)))
            }
        })
    }
}

/// What JupiterOne's own integration has: Enterprise accounts, their members and teams, those teams' apps with their add-ons.
async fn original(reader: &mut Reader<'_>) -> Result<HashSet<i64>, EngineError> {
    let mut kept = HashSet::new();
    let accounts = keep(reader, &mut kept, "heroku_account", |_| true).await?;
    let within = |node: &Node, name: &str, parents: &HashSet<String>| match node.property(name) {
        Some(Value::Text(id)) => parents.contains(&**id),
        _ => false,
    };
    keep(reader, &mut kept, "heroku_account_member", |node| within(node, "enterpriseAccountId", &accounts))
        .await?;
    let teams =
        keep(reader, &mut kept, "heroku_team", |node| within(node, "enterpriseAccountId", &accounts)).await?;
    let apps = keep(reader, &mut kept, "heroku_application", |node| within(node, "teamId", &teams)).await?;
    keep(reader, &mut kept, "heroku_addon", |node| within(node, "applicationId", &apps)).await?;
    Ok(kept)
}

/// Keeps some entities of a type; gives back their keys.
async fn keep(
    reader: &mut Reader<'_>,
    kept: &mut HashSet<i64>,
    name: &str,
    is_kept: impl Fn(&Node) -> bool,
) -> Result<HashSet<String>, EngineError> {
    let mut keys = HashSet::new();
    if let Some(entity_type) = EntityType::named(name) {
        for node in reader.nodes(entity_type).await?.filter(is_kept) {
            kept.insert(node.dense);
            keys.insert(node.key);
        }
    }
    Ok(keys)
}
