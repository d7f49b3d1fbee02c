//! What tells the subjects of an evaluation's rows, and which of them are not as they were.
//!
//! Invariant: a subject of which a row came or went is told.

use std::collections::HashSet;
use std::sync::Arc;

use super::subject::{Print, print};
use crate::query::without;
use crate::rules::instance::Instance;
use crate::rules::memory::{Asked, Held};

/// What a rule's queries were told, with what tells the subjects of the rows; and which subjects may not be as they were
/// when `before` was asked, where that can be told.
pub(super) fn of(
    rule: &Instance,
    held: &[Held],
    before: Option<&[Asked]>,
) -> (Vec<Asked>, Option<HashSet<Print>>) {
    let mut touched = before.map(|_| HashSet::new());
    let mut asked = Vec::with_capacity(held.len());
    for (place, (query, held)) in rule.queries.iter().zip(held).enumerate() {
        let before = before.and_then(|before| before.get(place)).filter(|_| touched.is_some());
        let prints = match before.and_then(|before| carried(rule, held, before, &mut touched)) {
            Some(prints) => prints,
            None => {
                touched = None;
                all(rule, held, 0).into()
            }
        };
        let question = (query.text.to_string(), query.include_deleted);
        asked.push(Asked { question, number: held.number, prints });
    }
    (asked, touched)
}

/// The prints of an answer that is the one of before, or was made of it.
fn carried(
    rule: &Instance,
    held: &Held,
    before: &Asked,
    touched: &mut Option<HashSet<Print>>,
) -> Option<Arc<[Print]>> {
    if held.number == before.number {
        return Some(Arc::clone(&before.prints));
    }
    let made_of = held.made_of.as_ref().filter(|made_of| made_of.number == before.number)?;
    let mut prints = without(&before.prints, 1, &made_of.gone);
    let came = all(rule, held, prints.len());
    let touched = touched.as_mut()?;
    touched.extend(made_of.gone.iter().filter_map(|place| before.prints.get(*place)).copied());
    touched.extend(came.iter().copied());
    // An answer that was cut shows no more than so many rows.
    prints.truncate(held.told.total());
    prints.extend(came);
    Some(prints.into())
}

/// The prints of the rows from a place on.
fn all(rule: &Instance, held: &Held, from: usize) -> Vec<Print> {
    let rows = held.told.rows();
    (from..held.told.total()).map(|place| print(rule, &rows.at(place))).collect()
}
