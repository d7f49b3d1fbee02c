//! Questions that differ in one text alone, such as those that many teams ask of themselves: asked for all such texts at
//! once.
//!
//! Invariant: of the rows of the query without that text, those that show a text are the rows of the query with it.

use metsuke_model::graph::{Source, Value, ValueType};

use super::pieces::{mains, pieces};
use crate::plan::{
    ColumnValue, Comparison, Condition, Expr, Match, Operand, Output, OutputColumn, Place, Plan,
    PropertyName, Slot,
};

/// A query without the one text that tells it from others like it.
#[derive(Clone, Debug)]
pub struct Kin {
    /// The query for every such text; behind its other columns it shows which one a row is for.
    pub plan: Plan,
    /// The text.
    pub text: Box<str>,
}

/// Takes the first condition away that asks an entity, which stands on every path, for one text in a column of its own;
/// `None` where there is none, or the answer does not fall into pieces.
#[must_use]
pub fn kin(plan: &Plan) -> Option<Kin> {
    let beside = pieces(plan);
    if beside.is_empty() || !matches!(plan.output, Output::Table(_)) {
        return None;
    }
    mains(plan).into_iter().find_map(|number| {
        let slot = plan.slots.get(number)?;
        let (left, text, rest) = taken(slot, number)?;
        let mut plan = Plan { beside: beside.clone(), ..plan.clone() };
        plan.slots.get_mut(number)?.filter = rest;
        if let Output::Table(columns) = &mut plan.output {
            columns.push(OutputColumn { name: String::new(), value: ColumnValue::Scalar(left) });
        }
        Some(Kin { plan, text })
    })
}

/// What is asked of a slot's entity: the property, the text, and what else.
fn taken(slot: &Slot, number: usize) -> Option<(Expr, Box<str>, Option<Condition>)> {
    let text = |condition: &Condition| match condition {
        Condition::Compare(comparison) => asked(slot, number, comparison),
        _ => None,
    };
    match slot.filter.as_ref()? {
        Condition::And(parts) => {
            let (place, (left, text)) =
                parts.iter().enumerate().find_map(|(place, part)| Some((place, text(part)?)))?;
            let mut rest = parts.clone();
            rest.remove(place);
            Some((left, text, Some(Condition::And(rest))))
        }
        one => text(one).map(|(left, text)| (left, text, None)),
    }
}

/// The property and the text, where both sides are the same only if their bytes are.
fn asked(slot: &Slot, number: usize, comparison: &Comparison) -> Option<(Expr, Box<str>)> {
    let Comparison { left, operator: Match::Equal, right: Operand::Value(Expr::Constant(Value::Text(text))) } =
        comparison
    else {
        return None;
    };
    let Expr::Property(Place::Entity(of), PropertyName::Own(name, ValueType::Text)) = left else {
        return None;
    };
    let plain = slot.candidates.iter().all(|candidate| {
        candidate.entity_type.property(name).is_none_or(|known| {
            known.value_type == ValueType::Text && matches!(known.source, Source::Column(_))
        })
    });
    (*of == number && plain).then(|| (left.clone(), text.clone()))
}
