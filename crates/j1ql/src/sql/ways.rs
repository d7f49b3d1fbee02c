//! In how many ways a path leads to what is shown, and whether it matters.

use metsuke_model::graph::{End, RelationSource};

use super::branch::{Branch, Hop, Way};
use crate::plan::{Aggregate, ColumnValue, Condition, Expr, Output, Place, Plan};

/// Whether an answer tells of groups of paths.
pub(super) fn aggregates(plan: &Plan) -> bool {
    if plan.having.as_ref().is_some_and(Condition::aggregates) {
        return true;
    }
    match &plan.output {
        Output::Table(columns) => columns.iter().any(|column| match &column.value {
            ColumnValue::Scalar(value) => value.aggregates(),
            ColumnValue::Whole(_) | ColumnValue::All(_) => false,
        }),
        Output::List | Output::Tree => false,
    }
}

/// Whether it matters in how many ways something is reached.
pub(super) fn counts_ways(plan: &Plan) -> bool {
    fn each(value: &Expr) -> bool {
        match value {
            Expr::Aggregate(Aggregate::Sum | Aggregate::Avg, _) | Expr::Aggregate(Aggregate::Count, None) => {
                true
            }
            Expr::Aggregate(..)
            | Expr::Constant(_)
            | Expr::Property(..)
            | Expr::Whole(_)
            | Expr::Column(..) => false,
            Expr::Arithmetic(_, left, right) => each(left) || each(right),
            Expr::Negative(value) => each(value),
            Expr::Function(_, values) => values.iter().any(each),
        }
    }
    match &plan.output {
        Output::List => false,
        Output::Tree => true,
        Output::Table(columns) if aggregates(plan) => {
            let chosen = plan.having.as_ref().is_some_and(|having| !having.values(&mut |value| !each(value)));
            chosen
                || columns.iter().any(|column| match &column.value {
                    ColumnValue::Scalar(value) => each(value),
                    ColumnValue::Whole(_) | ColumnValue::All(_) => false,
                })
        }
        Output::Table(_) => !plan.unique,
    }
}

/// Whether no two paths have the same thing in a place: then to count it is to count paths.
pub(super) fn stands_once(branches: &[Branch<'_>], place: Place) -> bool {
    let mut kinds = Vec::new();
    branches.iter().filter(|branch| branch.binds(place)).all(|branch| {
        let kind = kind(branch, place);
        let new = !kinds.contains(&kind);
        kinds.push(kind);
        new && tells_all(branch, place)
    })
}

/// What differs between things in a place that are surely not the same.
fn kind(branch: &Branch<'_>, place: Place) -> (Option<&'static str>, Option<Way>) {
    match place {
        Place::Entity(slot) => {
            let node = branch.node(slot).and_then(|node| branch.nodes.get(node));
            (node.map(|node| node.entity_type.name), None)
        }
        Place::Edge(edge) => {
            let hop = branch.hop(edge).and_then(|hop| branch.hops.get(hop));
            (hop.map(|hop| hop.relationship.name), hop.map(|hop| hop.way))
        }
    }
}

/// Whether everything else on a path follows from what stands in the place.
pub(super) fn tells_all(branch: &Branch<'_>, place: Place) -> bool {
    let mut nodes = vec![false; branch.nodes.len()];
    let mut hops = vec![false; branch.hops.len()];
    let tell = |list: &mut Vec<bool>, at: Option<usize>| {
        if let Some(told) = at.and_then(|at| list.get_mut(at)) {
            *told = true;
        }
    };
    match place {
        Place::Entity(slot) => tell(&mut nodes, branch.node(slot)),
        Place::Edge(edge) => tell(&mut hops, branch.hop(edge)),
    }
    // Each round tells of one more hop at least, or of none any more.
    for _ in 0..=branch.hops.len() {
        for (number, hop) in branch.hops.iter().enumerate() {
            let told = |list: &[bool], at: usize| list.get(at).copied().unwrap_or_default();
            let ends = (told(&nodes, hop.from), told(&nodes, hop.to));
            if told(&hops, number) || follows(*hop, ends) {
                tell(&mut hops, Some(number));
                tell(&mut nodes, Some(hop.from));
                tell(&mut nodes, Some(hop.to));
            }
        }
    }
    nodes.into_iter().chain(hops).all(|told| told)
}

/// Whether there is at most one such relationship, where these of its ends are known.
const fn follows(hop: Hop, (from, to): (bool, bool)) -> bool {
    match (hop.relationship.source, hop.way) {
        (RelationSource::Refers { holder, .. }, _) => match holder {
            End::From => from,
            End::To => to,
        },
        (RelationSource::Matched, _) => from,
        (RelationSource::Effective, Way::Owner) => to,
        (RelationSource::Access { .. } | RelationSource::Effective, _) => from && to,
        (RelationSource::Junction { .. }, _) => false,
    }
}
