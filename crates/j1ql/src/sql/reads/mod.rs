//! What an answer depends on: which objects there are, which of their properties, which rows of access.
//!
//! It walks the branches that a statement is written of, so types that cannot meet on a path count for nothing.
//!
//! Invariant: where nothing that is named here differs between two states of the graph, no answer does.

mod chosen;
mod kin;
mod pieces;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use metsuke_model::access::{Entitlement, Mask};
use metsuke_model::graph::{
    EdgeSource, End, EntityType, Metadata, RelationSource, RelationshipType, Source, Table,
};
use metsuke_model::{Kind, ResourceType};

use super::branch::{self, Branch, Hop, Requirement, TooMany, Way};
use crate::plan::{ColumnValue, Comparison, Condition, Expr, Operand, Output, Place, Plan, PropertyName};

pub use kin::{Kin, kin};
pub use pieces::pieces;

use chosen::{Chosen, choose, conditions, held};
use pieces::mains;

/// Something that an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Read {
    /// Which objects of a kind there are.
    Presence(Kind),
    /// A property of a kind's objects: a column, or a first name in the document of all else.
    Property(Kind, &'static str),
    /// How often a kind's objects changed, and when.
    History(Kind),
    /// Rows of direct access that hold any of these, before or after.
    Access(ResourceType, Mask),
    /// Rosters, and whose accounts are whose.
    People,
    /// More than can be told.
    Anything,
}

impl Read {
    /// Any row of access, whatever it holds.
    pub const ANY: Mask = Mask(u32::MAX);
}

/// What an answer depends on, each with the slots at which it all lies: where an entity stands in one of them, only
/// what is that entity's own counts, or what it holds or is held on it.
pub type Reads = BTreeMap<Read, BTreeSet<usize>>;

/// What the answers to a checked query depend on, beside the query itself and what it is asked in.
#[must_use]
pub fn reads(plan: &Plan) -> Reads {
    let mut found = Found::default();
    found.main(plan);
    found.reads
}

/// What was found so far.
#[derive(Default)]
struct Found {
    reads: Reads,
    /// The slots of the query, not of one in it, in which an entity stands on every path.
    mains: Vec<usize>,
}

impl Found {
    /// Adds something that lies at none of the slots.
    fn add(&mut self, read: Read) {
        self.reads.insert(read, BTreeSet::new());
    }

    /// Adds something that lies at these nodes of a branch.
    fn add_at(&mut self, way: &Branch<'_>, nodes: &[usize], read: Read) {
        let stands = |slot: &usize| way.node(*slot).is_some_and(|node| nodes.contains(&node));
        let slots: BTreeSet<usize> = self.mains.iter().copied().filter(stands).collect();
        match self.reads.entry(read) {
            Entry::Vacant(entry) => _ = entry.insert(slots),
            Entry::Occupied(mut entry) => entry.get_mut().retain(|slot| slots.contains(slot)),
        }
    }

    fn main(&mut self, plan: &Plan) {
        for condition in conditions(plan) {
            self.subqueries(condition);
        }
        self.mains = mains(plan);
        self.plan(plan);
    }

    fn plan(&mut self, plan: &Plan) {
        let mut chosen = Chosen::new();
        choose(&plan.chain, plan.filter.as_ref(), &mut chosen);
        for root in branch::roots(plan) {
            match branch::expand(plan, &plan.chain, root, false) {
                Ok(ways) => ways.iter().for_each(|way| self.path(plan, way, &chosen)),
                Err(TooMany) => self.add(Read::Anything),
            }
        }
    }

    /// The queries that a condition compares with.
    fn subqueries(&mut self, condition: &Condition) {
        match condition {
            Condition::Constant(_) => {}
            Condition::And(parts) | Condition::Or(parts) => {
                for part in parts {
                    self.subqueries(part);
                }
            }
            Condition::Not(part) => self.subqueries(part),
            Condition::Compare(comparison) => {
                if let Operand::Query(plan) = &comparison.right {
                    for condition in conditions(plan) {
                        self.subqueries(condition);
                    }
                    self.plan(plan);
                }
            }
        }
    }

    /// One way to stand on the path, with what is asked of it and shown of it.
    fn path(&mut self, plan: &Plan, way: &Branch<'_>, chosen: &Chosen<'_>) {
        self.branch(way, chosen);
        for condition in plan.filter.iter().chain(&plan.having) {
            self.condition(way, condition);
        }
        for key in &plan.order {
            self.value(way, &key.value);
        }
        match &plan.output {
            Output::List => self.whole(way, Place::Entity(0)),
            Output::Tree => {
                (0..plan.slots.len()).for_each(|slot| self.whole(way, Place::Entity(slot)));
                (0..plan.edges.len()).for_each(|edge| self.whole(way, Place::Edge(edge)));
            }
            Output::Table(columns) => {
                for column in columns {
                    match &column.value {
                        ColumnValue::Scalar(value) => self.value(way, value),
                        ColumnValue::Whole(place) | ColumnValue::All(place) => self.whole(way, *place),
                    }
                }
            }
        }
    }

    /// A branch's own nodes and hops, what it requires, and what is nested in it.
    fn branch(&mut self, way: &Branch<'_>, chosen: &Chosen<'_>) {
        for (number, node) in way.nodes.iter().enumerate().skip(way.own.0) {
            self.presence(way, number, node.entity_type.table);
        }
        for (number, hop) in way.hops.iter().enumerate().skip(way.own.1) {
            let condition = chosen.iter().find(|(edge, _)| way.hop(**edge) == Some(number));
            self.hop(way, *hop, condition.map(|(edge, condition)| (*edge, *condition)));
        }
        for requirement in &way.must {
            match requirement {
                Requirement::Filter(condition) => self.condition(way, condition),
                Requirement::Marks(node, marks) => {
                    let words = marks.iter().any(|mark| !mark.words.is_empty());
                    if words {
                        self.properties(way, *node);
                    }
                }
                Requirement::These(..) => {}
                Requirement::Any(ways) | Requirement::Among(ways) | Requirement::None(ways) => {
                    for way in ways {
                        self.branch(way, chosen);
                    }
                }
            }
        }
    }

    fn presence(&mut self, way: &Branch<'_>, node: usize, table: Table) {
        match table {
            Table::Objects(kind) => self.add_at(way, &[node], Read::Presence(kind)),
            Table::Employees => self.add(Read::People),
        }
    }

    /// What makes a relationship; `chosen`: its edge slot, and what must hold of paths on which it is.
    fn hop(&mut self, way: &Branch<'_>, hop: Hop, chosen: Option<(usize, &Condition)>) {
        match hop.relationship.source {
            RelationSource::Refers { holder, column } => {
                if let Some(Table::Objects(kind)) = table_at(way, hop, holder) {
                    self.add_at(way, &[hop.end(holder)], Read::Property(kind, column));
                }
            }
            RelationSource::Access { resource, .. } => {
                let held = chosen.and_then(|(edge, condition)| held(condition, edge, resource));
                let read = Read::Access(resource, held.unwrap_or(Read::ANY));
                self.add_at(way, &[hop.from, hop.to], read);
            }
            RelationSource::Junction { kind, from, to } => {
                for read in [Read::Presence(kind), Read::Property(kind, from), Read::Property(kind, to)] {
                    self.add(read);
                }
            }
            RelationSource::Matched => self.add(Read::People),
            RelationSource::Effective => self.effective(way, hop),
        }
    }

    /// What a way of effective access, and what it gives, follows from.
    fn effective(&mut self, way: &Branch<'_>, hop: Hop) {
        let (user, app) = (&[hop.from], &[hop.to]);
        self.add(Read::Presence(Kind::Team));
        self.add_at(way, app, Read::Property(Kind::App, "team"));
        for column in ["listed", "type", "enterprise_account"] {
            self.add(Read::Property(Kind::Team, column));
        }
        let role = match hop.way {
            Way::Row => return,
            Way::Direct => {
                let read = Read::Access(ResourceType::App, Read::ANY);
                return self.add_at(way, &[hop.from, hop.to], read);
            }
            Way::Owner => return self.add_at(way, app, Read::Property(Kind::App, "owner")),
            Way::Admin => Entitlement::ADMIN,
            Way::Member => Entitlement::MEMBER,
            Way::Viewer => Entitlement::VIEWER,
        };
        self.add_at(way, app, Read::Property(Kind::App, "locked"));
        self.add_at(way, user, Read::Access(ResourceType::Team, role.mask()));
    }

    fn condition(&mut self, way: &Branch<'_>, condition: &Condition) {
        match condition {
            Condition::Constant(_) => {}
            Condition::And(parts) | Condition::Or(parts) => {
                for part in parts {
                    self.condition(way, part);
                }
            }
            Condition::Not(part) => self.condition(way, part),
            Condition::Compare(Comparison { left, right, .. }) => {
                self.value(way, left);
                match right {
                    Operand::Value(value) => self.value(way, value),
                    Operand::Undefined | Operand::Regex { .. } | Operand::Query(_) => {}
                }
            }
        }
    }

    fn value(&mut self, way: &Branch<'_>, value: &Expr) {
        match value {
            Expr::Constant(_) | Expr::Column(..) | Expr::Whole(_) | Expr::Aggregate(_, None) => {}
            Expr::Property(place, name) => self.property(way, *place, name),
            Expr::Arithmetic(_, left, right) => {
                self.value(way, left);
                self.value(way, right);
            }
            Expr::Negative(value) | Expr::Aggregate(_, Some(value)) => self.value(way, value),
            Expr::Function(_, values) => values.iter().for_each(|value| self.value(way, value)),
        }
    }

    fn property(&mut self, way: &Branch<'_>, place: Place, name: &PropertyName) {
        match place {
            Place::Entity(slot) => {
                let Some(number) = way.node(slot) else { return };
                let Some(node) = way.nodes.get(number) else { return };
                match name {
                    PropertyName::Own(name, _) => {
                        if let Some(property) = node.entity_type.property(name) {
                            self.source((way, number), node.entity_type, &property.source);
                        }
                    }
                    PropertyName::Metadata(metadata, _) => {
                        self.metadata((way, number), node.entity_type, *metadata);
                    }
                    PropertyName::Tag(_) | PropertyName::Unknown(_) => {}
                }
            }
            Place::Edge(edge) => {
                let Some(hop) = way.hop(edge).and_then(|hop| way.hops.get(hop)) else { return };
                match name {
                    PropertyName::Own(name, _) => {
                        if let Some(property) = hop.relationship.property(name) {
                            self.edge_source(hop.relationship, property.source);
                        }
                    }
                    PropertyName::Metadata(metadata, _) => self.edge_metadata(way, *hop, *metadata),
                    PropertyName::Tag(_) | PropertyName::Unknown(_) => {}
                }
            }
        }
    }

    /// Everything that is shown of a thing.
    fn whole(&mut self, way: &Branch<'_>, place: Place) {
        match place {
            Place::Entity(slot) => {
                let Some(number) = way.node(slot) else { return };
                let Some(node) = way.nodes.get(number) else { return };
                self.properties(way, number);
                for (_, metadata, _) in Metadata::ALL {
                    self.metadata((way, number), node.entity_type, metadata);
                }
            }
            Place::Edge(edge) => {
                let Some(hop) = way.hop(edge).and_then(|hop| way.hops.get(hop)) else { return };
                for property in hop.relationship.properties {
                    self.edge_source(hop.relationship, property.source);
                }
                for (_, metadata, _) in Metadata::ALL {
                    self.edge_metadata(way, *hop, metadata);
                }
            }
        }
    }

    fn properties(&mut self, way: &Branch<'_>, number: usize) {
        let Some(node) = way.nodes.get(number) else { return };
        for property in node.entity_type.properties {
            self.source((way, number), node.entity_type, &property.source);
        }
    }

    fn source(&mut self, (way, node): (&Branch<'_>, usize), entity_type: &EntityType, source: &Source) {
        let Table::Objects(kind) = entity_type.table else { return self.add(Read::People) };
        match source {
            Source::Column(column) | Source::JsonList(column) | Source::Reference(column, _) => {
                self.add_at(way, &[node], Read::Property(kind, column));
            }
            Source::Referred(column, other, there) => {
                self.add_at(way, &[node], Read::Property(kind, column));
                self.add(Read::Property(*other, there));
            }
            Source::Document(path) => {
                if let Some(first) = path.first() {
                    self.add_at(way, &[node], Read::Property(kind, first));
                }
            }
            Source::Suffixed(inner, _) | Source::One(inner) => {
                self.source((way, node), entity_type, inner);
            }
            Source::FirstOf(sources) => {
                sources.iter().for_each(|inner| self.source((way, node), entity_type, inner));
            }
            // A dense id stands for the same id of Heroku's for good.
            Source::Id | Source::Text(_) | Source::Texts(_) => {}
            Source::EnterpriseAccount => {
                self.add(Read::Presence(Kind::EnterpriseAccount));
                let read = Read::Access(ResourceType::EnterpriseAccount, Read::ANY);
                self.add_at(way, &[node], read);
            }
        }
    }

    fn metadata(&mut self, (way, node): (&Branch<'_>, usize), entity_type: &EntityType, metadata: Metadata) {
        let Table::Objects(kind) = entity_type.table else { return self.add(Read::People) };
        match metadata {
            Metadata::CreatedOn | Metadata::EndOn | Metadata::Deleted => {
                self.add_at(way, &[node], Read::Presence(kind));
            }
            Metadata::BeginOn | Metadata::Version => self.add_at(way, &[node], Read::History(kind)),
            Metadata::Key
            | Metadata::Type
            | Metadata::Class
            | Metadata::IntegrationType
            | Metadata::IntegrationName
            | Metadata::Source => {}
        }
    }

    fn edge_source(&mut self, relationship: &RelationshipType, source: EdgeSource) {
        match (relationship.source, source) {
            (RelationSource::Junction { kind, .. }, EdgeSource::Column(column)) => {
                self.add(Read::Property(kind, column));
            }
            // Of rows between users and employees, of access, and of what follows from it, the hop has told.
            (_, EdgeSource::Column(_) | EdgeSource::Role | EdgeSource::Entitlements | EdgeSource::Via) => {}
        }
    }

    fn edge_metadata(&mut self, way: &Branch<'_>, hop: Hop, metadata: Metadata) {
        match (metadata, hop.relationship.source) {
            (
                Metadata::CreatedOn | Metadata::BeginOn,
                RelationSource::Refers { .. } | RelationSource::Effective,
            ) => {
                for end in [End::From, End::To] {
                    if let Some(table) = table_at(way, hop, end) {
                        self.presence(way, hop.end(end), table);
                    }
                }
            }
            (
                Metadata::CreatedOn | Metadata::BeginOn | Metadata::Key,
                RelationSource::Junction { kind, .. },
            ) => {
                // Keys of several between the same two are told apart by their names.
                self.add(Read::Presence(kind));
                self.add(Read::Property(kind, "name"));
            }
            _ => {}
        }
    }
}

fn table_at(way: &Branch<'_>, hop: Hop, end: End) -> Option<Table> {
    way.nodes.get(hop.end(end)).map(|node| node.entity_type.table)
}
