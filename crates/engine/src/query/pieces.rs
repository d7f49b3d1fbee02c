//! Questions whose answers fall into pieces, each of one entity: asked of all of them, or of some alone.
//!
//! Invariant: an answer without the pieces of some entities, and those pieces asked anew, are the answer asked anew.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use metsuke_j1ql::check::check;
use metsuke_j1ql::error::Errors;
use metsuke_j1ql::sql::{emit, reads};
use metsuke_model::Version;
use metsuke_model::graph::Table;
use metsuke_store::Store;

use super::answer::Shape;
use super::{Answer, Data, Prepared, Settings, dialect, found, read_query};
use crate::EngineError;

/// An answer, and which entities its rows come of.
#[derive(Debug)]
pub(crate) struct Told {
    /// The answer.
    pub(crate) answer: Arc<Answer>,
    /// The slots that are told of.
    pub(crate) slots: Vec<usize>,
    /// For each row the dense ids of the entities in these slots.
    pub(crate) beside: Vec<i64>,
}

impl Prepared {
    /// The same question, which also tells by which entities its answer falls into pieces.
    ///
    /// # Errors
    ///
    /// As [`Prepared::of`].
    pub(crate) fn in_pieces(&self, settings: &Settings, store: &Store) -> Result<Self, Errors> {
        self.among(settings, store, None)
    }

    /// The pieces of some entities alone: those of these dense ids in a slot.
    ///
    /// # Errors
    ///
    /// As [`Prepared::of`].
    pub(crate) fn pieces_of(
        &self,
        settings: &Settings,
        store: &Store,
        (slot, ids): (usize, &BTreeSet<i64>),
    ) -> Result<Self, Errors> {
        self.among(settings, store, Some((slot, ids)))
    }

    fn among(
        &self,
        settings: &Settings,
        store: &Store,
        among: Option<(usize, &BTreeSet<i64>)>,
    ) -> Result<Self, Errors> {
        let surroundings = settings.surroundings();
        let mut plan = check(&self.query, &surroundings)?;
        plan.beside = reads::pieces(&plan);
        if let Some((slot, ids)) = among
            && let Some(slot) = plan.slots.get_mut(slot)
        {
            slot.among = Some(ids.iter().copied().collect());
        }
        let statement = emit(&plan, &surroundings, dialect(store))?;
        Ok(Self {
            query: self.query.clone(),
            statement,
            warnings: plan.warnings.clone(),
            as_of: plan.as_of,
            surroundings,
            shape: Shape::of(&plan),
            known: self.known.clone(),
            beside: plan.beside,
        })
    }

    /// Those of the ids whose entities can stand in a slot.
    pub(crate) fn fitting(&self, slot: usize, ids: &BTreeSet<i64>) -> BTreeSet<i64> {
        let plan = check(&self.query, &self.surroundings).ok();
        let slot = plan.as_ref().and_then(|plan| plan.slots.get(slot));
        let tables: BTreeSet<i64> = slot
            .into_iter()
            .flat_map(|slot| &slot.candidates)
            .map(|candidate| candidate.entity_type.table.number())
            .collect();
        ids.iter().copied().filter(|id| tables.contains(&(id & Table::NUMBER_BITS))).collect()
    }
}

impl Told {
    /// The answer in which the pieces of these entities are those of another answer; `None` where the two do not fit.
    pub(crate) fn with(before: &Self, (slot, ids): (usize, &BTreeSet<i64>), now: Self) -> Option<Self> {
        let width = before.slots.len();
        let place = before.slots.iter().position(|known| *known == slot)?;
        let stays = |row: &[i64]| row.get(place).is_some_and(|id| !ids.contains(id));
        let kept = || before.beside.chunks_exact(width).map(stays);
        let answer = Arc::unwrap_or_clone(now.answer);
        let data = match (&before.answer.data, answer.data) {
            (Data::List(old), Data::List(new)) => {
                let old = old.iter().zip(kept()).filter(|(_, stays)| *stays).map(|(one, _)| Arc::clone(one));
                Data::List(old.chain(new).collect())
            }
            (Data::Table { rows: old, .. }, Data::Table { headings, rows: new }) => {
                let old = old.iter().zip(kept()).filter(|(_, stays)| *stays).map(|(one, _)| one.clone());
                Data::Table { headings, rows: old.chain(new).collect() }
            }
            _ => return None,
        };
        let stay = before.beside.chunks_exact(width).filter(|row| stays(row)).flatten().copied();
        let beside = stay.chain(now.beside).collect();
        Some(Self { answer: Arc::new(Answer { data, ..answer }), slots: now.slots, beside })
    }
}

/// Runs a prepared question on a store whose newest version is the one that is asked about.
///
/// # Errors
///
/// What the database said.
pub(crate) async fn told(
    store: &Store,
    prepared: &Prepared,
    settings: &Settings,
    version: Version,
) -> Result<Told, EngineError> {
    let began = Instant::now();
    let query = read_query(&prepared.statement.sql, &prepared.statement.binds, settings);
    let found = store.select(&query).await?;
    let beside = found::beside(prepared, &found.rows);
    let rows = found.rows.len();
    let data = found::complete(store, prepared, settings, found.rows).await?;
    let answer = Answer {
        data,
        version,
        truncated: found.truncated,
        warnings: prepared.warnings.clone(),
        took: began.elapsed(),
    };
    let whole = answer.total() == rows && beside.len() == rows * prepared.beside.len();
    let (slots, beside) = if whole { (prepared.beside.clone(), beside) } else { Default::default() };
    Ok(Told { answer: Arc::new(answer), slots, beside })
}
