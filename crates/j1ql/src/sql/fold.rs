//! Counting within a branch, where groups are made by what many rows share.
//!
//! Few documents belong to many objects, few teams to many apps, and a branch has one type in each place. Rows are
//! counted by the number of the document or of the object referred to; what these say is read once for each number.
//!
//! Invariant: what groups are made by follows from the numbers that rows are counted by.

use metsuke_model::graph::{Metadata, Source};

use super::branch::Branch;
use super::leaves::{Leaf, Leaves};
use crate::plan::{Aggregate, ColumnValue, Expr, Output, Place, Plan, PropertyName};

/// The column that tells how many paths a row stands for.
pub(super) const PATHS: &str = "paths";

/// Whether an answer tells nothing but how many paths there are for each value of some properties.
pub(super) fn counts_paths(plan: &Plan, leaves: &Leaves) -> bool {
    let Output::Table(columns) = &plan.output else { return false };
    let mut shown = columns.iter().map(|column| match &column.value {
        ColumnValue::Scalar(value) => plain(value, leaves),
        ColumnValue::Whole(_) | ColumnValue::All(_) => false,
    });
    let sorted = plan.order.iter().all(|key| plain(&key.value, leaves));
    shown.all(|plain| plain)
        && sorted
        && plan.having.is_none()
        && plan.beside.is_empty()
        && leaves.list().iter().any(|leaf| matches!(leaf, Leaf::Property(..)))
        && leaves.list().iter().all(|leaf| matches!(leaf, Leaf::Property(..)) || leaves.stands_once(leaf))
}

/// Whether a value is made of properties that groups are made by, and of numbers of paths.
fn plain(value: &Expr, leaves: &Leaves) -> bool {
    match value {
        Expr::Aggregate(Aggregate::Count, Some(counted)) => match &**counted {
            Expr::Whole(place) => leaves.once.contains(place),
            _ => false,
        },
        Expr::Aggregate(Aggregate::Count, None)
        | Expr::Constant(_)
        | Expr::Property(..)
        | Expr::Column(..) => true,
        Expr::Aggregate(..) | Expr::Whole(_) => false,
        Expr::Arithmetic(_, left, right) => plain(left, leaves) && plain(right, leaves),
        Expr::Negative(value) => plain(value, leaves),
        Expr::Function(_, values) => values.iter().all(|value| plain(value, leaves)),
    }
}

/// The columns that the rows of a branch are counted by, each once; `None` where counting them would leave as many rows.
pub(super) fn counted_by(leaves: &Leaves, branch: &Branch<'_>) -> Option<Vec<String>> {
    let mut columns = Vec::new();
    for leaf in leaves.list() {
        let Leaf::Property(place, name) = leaf else { continue };
        match number_of(branch, *place, name)? {
            Some(column) if !columns.contains(&column) => columns.push(column),
            _ => {}
        }
    }
    Some(columns)
}

/// How the rows of a branch are counted; no row where there is nothing to count.
pub(super) fn groups(leaves: &Leaves, branch: &Branch<'_>) -> String {
    let columns = counted_by(leaves, branch).unwrap_or_default();
    if columns.is_empty() {
        return " HAVING count(*) > 0".to_owned();
    }
    format!(" GROUP BY {}", columns.join(", "))
}

/// The number from which a property follows: none where it is the same for all rows of the branch.
#[expect(clippy::option_option, reason = "unknown, or known to be none")]
fn number_of(branch: &Branch<'_>, place: Place, name: &PropertyName) -> Option<Option<String>> {
    if !branch.binds(place) {
        return Some(None);
    }
    match name {
        PropertyName::Metadata(Metadata::Type | Metadata::Class, _) | PropertyName::Unknown(_) => {
            return Some(None);
        }
        PropertyName::Tag(_) | PropertyName::Metadata(..) => return None,
        PropertyName::Own(..) => {}
    }
    let (Place::Entity(slot), PropertyName::Own(name, _)) = (place, name) else { return None };
    let number = branch.node(slot)?;
    let Some(known) = branch.nodes.get(number)?.entity_type.property(name) else { return Some(None) };
    match &known.source {
        Source::Document(_) => Some(Some(format!("n{number}.properties"))),
        Source::Referred(column, ..) => Some(Some(format!("n{number}.{column}"))),
        Source::Text(_) | Source::Texts(_) => Some(None),
        _ => None,
    }
}
