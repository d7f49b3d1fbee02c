//! What a question's conditions say of the rows of access that count for it.
//!
//! Invariant: where it is not certain that a row does not count, it counts.

use std::collections::BTreeMap;

use metsuke_model::ResourceType;
use metsuke_model::access::Mask;
use metsuke_model::graph::Value;

use crate::plan::{Comparison, Condition, Expr, Link, Match, Operand, Place, Plan, PropertyName};

/// By edge slot, a condition without which no path counts that the edge is on.
pub(super) type Chosen<'p> = BTreeMap<usize, &'p Condition>;

/// Every condition of a plan but for those of its subqueries.
pub(super) fn conditions(plan: &Plan) -> Vec<&Condition> {
    fn of_chain<'p>(chain: &'p [Link], found: &mut Vec<&'p Condition>) {
        for link in chain {
            match link {
                Link::Step { .. } => {}
                Link::Not { chain, .. } => of_chain(chain, found),
                Link::Optional { chain, filter, .. } => {
                    found.extend(filter);
                    of_chain(chain, found);
                }
            }
        }
    }
    let mut found: Vec<&Condition> = plan.slots.iter().filter_map(|slot| slot.filter.as_ref()).collect();
    found.extend(plan.filter.iter().chain(&plan.having));
    of_chain(&plan.chain, &mut found);
    found
}

/// The condition that each edge's paths must meet: that of the query, and of an optional part for what is in it. What a
/// query asks of its paths does not say when an optional part is taken.
pub(super) fn choose<'p>(chain: &'p [Link], filter: Option<&'p Condition>, chosen: &mut Chosen<'p>) {
    for link in chain {
        match link {
            Link::Step { edge, .. } => chosen.extend(filter.map(|filter| (*edge, filter))),
            Link::Not { .. } => {}
            Link::Optional { chain, filter, .. } => choose(chain, filter.as_ref(), chosen),
        }
    }
}

/// What a row of access must hold some of, for a condition on it to be met; `None` where that cannot be told.
pub(super) fn held(condition: &Condition, edge: usize, resource: ResourceType) -> Option<Mask> {
    match condition {
        Condition::And(parts) => parts.iter().find_map(|part| held(part, edge, resource)),
        Condition::Or(parts) => parts
            .iter()
            .map(|part| held(part, edge, resource))
            .reduce(|all, one| Some(all?.with(one?)))
            .flatten(),
        Condition::Compare(Comparison { left, operator: Match::Equal, right }) => match (left, right) {
            (
                Expr::Property(Place::Edge(place), PropertyName::Own("role" | "permissions", _)),
                Operand::Value(Expr::Constant(Value::Text(slug))),
            ) if *place == edge => {
                // What has no bit of its own may go by any name.
                resource.entitlement(slug).map(|known| known.mask().with(Mask::OTHER))
            }
            _ => None,
        },
        Condition::Constant(_) | Condition::Not(_) | Condition::Compare(_) => None,
    }
}
