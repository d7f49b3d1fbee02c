//! Into which pieces an answer falls: by which slots' entities its rows can be told apart.
//!
//! Invariant: for each of the slots, the rows of one entity there are the same whatever stands there on other paths.

use metsuke_model::graph::Metadata;

use crate::plan::{ColumnValue, Expr, Link, Output, Place, Plan, PropertyName};
use crate::sql::ways::aggregates;

/// The slots by which an answer falls into pieces: each row comes of one entity there, and of no other. The query's own
/// order and limits hold for the whole alone, so then there are none.
#[must_use]
pub fn pieces(plan: &Plan) -> Vec<usize> {
    if !plan.order.is_empty() || plan.limit.is_some() || plan.skip > 0 {
        return Vec::new();
    }
    let Output::Table(columns) = &plan.output else {
        return if matches!(plan.output, Output::List) { vec![0] } else { Vec::new() };
    };
    let grouped = aggregates(plan);
    let tells = |slot: &usize| {
        let place = Place::Entity(*slot);
        columns.iter().any(|column| match &column.value {
            ColumnValue::Whole(known) | ColumnValue::All(known) => *known == place,
            ColumnValue::Scalar(Expr::Property(known, name)) => {
                let key =
                    matches!(name, PropertyName::Own("id", _) | PropertyName::Metadata(Metadata::Key, _));
                *known == place && key
            }
            ColumnValue::Scalar(_) => false,
        })
    };
    match (plan.unique, grouped) {
        (false, false) => mains(plan),
        (true, true) => Vec::new(),
        _ => mains(plan).into_iter().filter(tells).collect(),
    }
}

/// The slots in which an entity stands on every path.
pub(super) fn mains(plan: &Plan) -> Vec<usize> {
    let steps = plan.chain.iter().filter_map(|link| match link {
        Link::Step { target, .. } => Some(*target),
        Link::Not { .. } | Link::Optional { .. } => None,
    });
    std::iter::once(0).chain(steps).collect()
}
