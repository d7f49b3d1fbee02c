//! From which end of a path it is best walked: where few entities can stand.
//!
//! It changes which of two equal statements is written, never what they mean.

use metsuke_model::graph::{Metadata, RelationSource, Table, Value};
use metsuke_model::{Kind, ResourceType};

use super::branch::Branch;
use super::leaves::Leaf;
use super::ways;
use crate::plan::{
    ColumnValue, Condition, Expr, Link, Match, Operand, Output, Place, Plan, PropertyName, Slot,
};

/// Names by which an index finds an entity.
const INDEXED: [&str; 6] = ["id", "name", "displayName", "username", "email", "employeeId"];

/// What it takes from the number of entities that groups are made by what they say: so much dearer it is to come to
/// each group again and again.
const GROUPED: i32 = 10;

/// What it takes from the number of entities that few of them are named, or found by a name: nearly all.
const NAMED: i32 = 100;

/// Whether a condition leaves few entities: it names them, or asks for one by a name that an index has.
pub(super) fn is_selective(plan: &Plan, slot: usize) -> bool {
    let few = |slot: &Slot| slot.among.is_some() || slot.filter.as_ref().is_some_and(finds_few);
    plan.slots.get(slot).is_some_and(few)
}

fn finds_few(condition: &Condition) -> bool {
    match condition {
        Condition::And(parts) => parts.iter().any(finds_few),
        Condition::Or(parts) => !parts.is_empty() && parts.iter().all(finds_few),
        Condition::Compare(comparison) => {
            let fixed = matches!(comparison.right, Operand::Value(Expr::Constant(Value::Text(_))));
            let name = match &comparison.left {
                Expr::Property(_, PropertyName::Own(name, _)) => INDEXED.contains(name),
                Expr::Property(_, PropertyName::Metadata(metadata, _)) => *metadata == Metadata::Key,
                _ => false,
            };
            comparison.operator == Match::Equal && fixed && name
        }
        Condition::Constant(_) | Condition::Not(_) => false,
    }
}

/// Whether most entities of a type answer a question: it asks of each for nothing but what is so of most.
pub(super) fn finds_many(plan: &Plan) -> bool {
    fn is_usual(condition: &Condition) -> bool {
        match condition {
            Condition::And(parts) => parts.iter().all(is_usual),
            Condition::Or(parts) => parts.iter().any(is_usual),
            Condition::Compare(comparison) => matches!(
                comparison.right,
                Operand::Undefined | Operand::Value(Expr::Constant(Value::Flag(true)))
            ),
            Condition::Not(_) | Condition::Constant(_) => true,
        }
    }
    let filters = plan.slots.iter().map(|slot| &slot.filter).chain([&plan.filter]);
    plan.chain.is_empty() && filters.flatten().all(is_usual)
}

/// The slot of a plain chain at which a walk best begins, where that is not its beginning.
pub(super) fn better_start(plan: &Plan, chain: &[Link]) -> Option<usize> {
    chain.iter().find_map(|link| match link {
        Link::Step { target, .. } => is_selective(plan, *target).then_some(*target),
        Link::Not { .. } | Link::Optional { .. } => None,
    })
}

/// Decides where the walk of a branch begins.
pub(super) fn begin(plan: &Plan, branch: &mut Branch<'_>) {
    branch.first = first_row(plan, branch);
    branch.start = match branch.first.and_then(|first| branch.hops.get(first)) {
        Some(hop) => hop.from.min(hop.to),
        None => start(plan, branch),
    };
}

/// The hop whose rows are read first, where nothing is asked of the entities: rows between two from which all else
/// follows, and rows of access to many resources of which it is asked when they came.
fn first_row(plan: &Plan, branch: &Branch<'_>) -> Option<usize> {
    let asked = |slot: usize| {
        let restricted = |slot: &Slot| slot.filter.is_some() || slot.among.is_some();
        branch.node(slot).is_some() && plan.slots.get(slot).is_some_and(restricted)
    };
    if !branch.in_order || (0..plan.slots.len()).any(asked) {
        return None;
    }
    (0..plan.edges.len()).find_map(|edge| {
        let number = branch.hop(edge).filter(|number| *number >= branch.own.1)?;
        let hop = branch.hops.get(number)?;
        let best = match hop.relationship.source {
            RelationSource::Junction { .. } => ways::tells_all(branch, Place::Edge(edge)),
            RelationSource::Access { resource: ResourceType::App, .. } => {
                plan.filter.as_ref().is_some_and(|filter| asks_when(filter, edge))
            }
            _ => false,
        };
        best.then_some(number)
    })
}

/// Whether a condition asks since when there is a relationship.
fn asks_when(condition: &Condition, edge: usize) -> bool {
    match condition {
        Condition::And(parts) => parts.iter().any(|part| asks_when(part, edge)),
        Condition::Compare(comparison) => matches!(
            &comparison.left,
            Expr::Property(Place::Edge(of), PropertyName::Metadata(Metadata::CreatedOn | Metadata::BeginOn, _))
                if *of == edge
        ),
        Condition::Or(_) | Condition::Not(_) | Condition::Constant(_) => false,
    }
}

/// The node of a branch at which its walk best begins: where the fewest entities are to be expected.
fn start(plan: &Plan, branch: &Branch<'_>) -> usize {
    let stands = |slot| branch.node(slot).filter(|node| *node >= branch.own.0);
    let grouped = groups_by(plan);
    let expected = |slot: usize, node: usize| {
        let asked = |slot: &Slot| match &slot.among {
            Some(_) => NAMED,
            None => slot.filter.as_ref().map_or(0, strictness),
        };
        let few = plan.slots.get(slot).map_or(0, asked) + if grouped == Some(slot) { GROUPED } else { 0 };
        branch.nodes.get(node).map_or(0, |node| usual_number(node.entity_type.table)) - few
    };
    let nodes = (0..plan.slots.len()).filter_map(|slot| Some((slot, stands(slot)?)));
    nodes.min_by_key(|(slot, node)| expected(*slot, *node)).map_or(branch.own.0, |(_, node)| node)
}

/// The only slot that says by what the paths are grouped, where there are groups.
fn groups_by(plan: &Plan) -> Option<usize> {
    let Output::Table(columns) = &plan.output else { return None };
    if !ways::aggregates(plan) {
        return None;
    }
    let mut places = Vec::new();
    for column in columns {
        match &column.value {
            ColumnValue::Scalar(value) if value.aggregates() => {}
            ColumnValue::Scalar(value) => value.places(&mut places),
            ColumnValue::Whole(place) | ColumnValue::All(place) => places.push(*place),
        }
    }
    match places.split_first()? {
        (Place::Entity(slot), rest) if rest.iter().all(|place| *place == Place::Entity(*slot)) => Some(*slot),
        _ => None,
    }
}

/// Whether rows name every entity of their path, so that few of them are alike.
pub(super) fn names_each(plan: &Plan, shown: &[Leaf]) -> bool {
    let named = |slot: usize| {
        shown.iter().any(|leaf| match leaf {
            Leaf::Entity(of) => *of == slot,
            Leaf::Property(Place::Entity(of), PropertyName::Own(name, _)) => {
                *of == slot && INDEXED.contains(name)
            }
            _ => false,
        })
    };
    named(0)
        && plan.chain.iter().all(|link| match link {
            Link::Step { target, .. } => named(*target),
            Link::Not { .. } => true,
            Link::Optional { .. } => false,
        })
}

/// Whether a condition over whole paths ties two ends of it together: then a path is no line, and the database knows better
/// from which side to close it.
pub(super) fn is_tied(plan: &Plan) -> bool {
    fn ties(condition: &Condition) -> bool {
        match condition {
            Condition::And(parts) | Condition::Or(parts) => parts.iter().any(ties),
            Condition::Compare(comparison) => {
                let tied = matches!(comparison.right, Operand::Value(Expr::Property(..)));
                comparison.operator == Match::Equal && tied
            }
            Condition::Not(_) | Condition::Constant(_) => false,
        }
    }
    plan.filter.as_ref().is_some_and(ties)
}

/// How many of them an estate has: ten times the number of digits.
const fn usual_number(table: Table) -> i32 {
    match table {
        Table::Objects(Kind::EnterpriseAccount | Kind::Authorization | Kind::Key) => 10,
        Table::Objects(Kind::Space | Kind::UnresolvedMember) => 25,
        Table::Objects(Kind::Team | Kind::Pipeline | Kind::Invitation) => 35,
        Table::Objects(Kind::User) | Table::Employees => 45,
        Table::Objects(_) => 50,
    }
}

/// What a condition takes from that number; a guess, but for those that an index answers.
fn strictness(condition: &Condition) -> i32 {
    if finds_few(condition) {
        return NAMED;
    }
    match condition {
        Condition::And(parts) => parts.iter().map(strictness).sum::<i32>().min(20),
        Condition::Or(parts) => parts.iter().map(strictness).min().unwrap_or(0),
        Condition::Compare(comparison) => match (comparison.operator, &comparison.right) {
            (_, Operand::Undefined) => 6,
            (_, Operand::Query(_)) => 16,
            (Match::Equal, Operand::Value(_)) => 12,
            (Match::Contains | Match::StartsWith | Match::EndsWith, _) | (_, Operand::Regex { .. }) => 8,
            _ => 3,
        },
        Condition::Not(_) => 2,
        Condition::Constant(_) => 0,
    }
}

/// Moves conditions over whole paths to the only entity that they speak of, where every path has it.
pub(crate) fn push_down(plan: &mut Plan) {
    let Some(filter) = plan.filter.take() else { return };
    let mut always = vec![0];
    always.extend(plan.chain.iter().filter_map(|link| match link {
        Link::Step { target, .. } => Some(*target),
        Link::Not { .. } | Link::Optional { .. } => None,
    }));
    let parts = match filter {
        Condition::And(parts) => parts,
        other => vec![other],
    };
    let mut left = Vec::new();
    for part in parts {
        let mut places = Vec::new();
        part.places(&mut places);
        places.dedup();
        match places[..] {
            [Place::Entity(slot)] if always.contains(&slot) => match plan.slots.get_mut(slot) {
                Some(place) => {
                    place.filter = Some(match place.filter.take() {
                        None => part,
                        Some(Condition::And(mut parts)) => {
                            parts.push(part);
                            Condition::And(parts)
                        }
                        Some(other) => Condition::And(vec![other, part]),
                    });
                }
                None => left.push(part),
            },
            _ => left.push(part),
        }
    }
    plan.filter = match left.len() {
        0 | 1 => left.pop(),
        _ => Some(Condition::And(left)),
    };
}
