//! Questions whose answers fall into pieces, each of one entity: asked of all of them, or of some alone.
//!
//! Invariant: an answer without the pieces of some entities, and those pieces asked anew, are the answer asked anew; of
//! one that was cut, others may be shown.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use metsuke_j1ql::check::check;
use metsuke_j1ql::error::Errors;
use metsuke_j1ql::plan::Plan;
use metsuke_j1ql::sql::{emit, reads};
use metsuke_model::Version;
use metsuke_model::graph::{Table, Value};
use metsuke_store::Store;

use super::answer::{Cell, Shape};
use super::json::Rows;
use super::packed::Packed;
use super::{Answer, Data, Prepared, Settings, dialect, found, read_query};
use crate::EngineError;

/// An answer, and which entities its rows come of.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The answer; without its rows where these are packed.
    pub(crate) answer: Arc<Answer>,
    packed: Option<Arc<Packed>>,
    /// The slots that are told of.
    pub(crate) slots: Vec<usize>,
    /// For each row the dense ids of the entities in these slots.
    pub(crate) beside: Vec<i64>,
}

/// What became of an answer of which some pieces were asked anew.
#[derive(Debug)]
pub(crate) enum Renewed {
    /// It is the same.
    Same,
    /// It is another.
    Other {
        /// The answer as it is now: the rows that stay, in their order, and behind them the new ones.
        told: Told,
        /// The places of the rows that the one before had, and that do not stay.
        gone: Vec<usize>,
    },
}

impl Prepared {
    /// The same question, which also tells by which entities its answer falls into pieces.
    ///
    /// # Errors
    ///
    /// As [`Prepared::of`].
    pub(crate) fn in_pieces(&self, settings: &Settings, store: &Store) -> Result<Self, Errors> {
        let mut plan = check(&self.query, &settings.surroundings())?;
        plan.beside = reads::pieces(&plan);
        self.planned(plan, settings, store)
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
        among: (usize, &BTreeSet<i64>),
    ) -> Result<Self, Errors> {
        let mut plan = check(&self.query, &settings.surroundings())?;
        plan.beside = reads::pieces(&plan);
        self.planned(only(plan, among), settings, store)
    }

    /// The question for every text that may stand in place of one of its own, which is given as well; `among`: of some
    /// entities alone. `None` where it has no such text.
    pub(crate) fn with_its_kin(
        &self,
        settings: &Settings,
        store: &Store,
        among: Option<(usize, &BTreeSet<i64>)>,
    ) -> Option<(Self, Box<str>)> {
        let reads::Kin { plan, text } = reads::kin(&check(&self.query, &settings.surroundings()).ok()?)?;
        let plan = match among {
            Some(among) => only(plan, among),
            None => plan,
        };
        Some((self.planned(plan, settings, store).ok()?, text))
    }

    fn planned(&self, plan: Plan, settings: &Settings, store: &Store) -> Result<Self, Errors> {
        let surroundings = settings.surroundings();
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

/// A plan in which only these entities stand in a slot.
fn only(mut plan: Plan, (slot, ids): (usize, &BTreeSet<i64>)) -> Plan {
    if let Some(slot) = plan.slots.get_mut(slot) {
        slot.among = Some(ids.iter().copied().collect());
    }
    plan
}

impl Told {
    /// What becomes of an answer, the pieces of these entities being those of another answer; `None` where the two do
    /// not fit, or nobody knows what else it has now. `most`: the most rows of an answer.
    pub(crate) fn with(
        &self,
        (slot, ids): (usize, &BTreeSet<i64>),
        now: Self,
        most: usize,
    ) -> Option<Renewed> {
        if now.answer.truncated {
            return None;
        }
        let (width, total) = (self.slots.len(), self.total());
        let place = self.slots.iter().position(|known| *known == slot)?;
        let goes = |row: &[i64]| row.get(place).is_some_and(|id| ids.contains(id));
        let rows = self.beside.chunks_exact(width);
        let gone: Vec<usize> = rows.enumerate().filter(|(_, row)| goes(row)).map(|(at, _)| at).collect();
        if self.has(&gone, &now.answer.data)? {
            return Some(Renewed::Same);
        }
        let rows = total - gone.len() + now.answer.total();
        let known = if self.answer.truncated { rows >= most } else { rows <= most };
        if !known {
            return None;
        }
        let mut beside = without(&self.beside, width, &gone);
        beside.extend(now.beside);
        beside.truncate(most.saturating_mul(width));
        let (answer, packed) = self.joined(&gone, Arc::unwrap_or_clone(now.answer), most)?;
        let told = Self { answer: Arc::new(answer), packed, slots: self.slots.clone(), beside };
        Some(Renewed::Other { told, gone })
    }

    /// An answer that tells of no entities.
    pub(crate) fn plain(answer: Answer) -> Self {
        Self { answer: Arc::new(answer), packed: None, slots: Vec::new(), beside: Vec::new() }
    }

    /// The same in little room, where it is large.
    pub(crate) fn packed(self) -> Self {
        let Some(packed) = Packed::of(&self.answer.data) else { return self };
        let answer = self.hollow(self.answer.version, self.answer.took);
        Self { answer: Arc::new(answer), packed: Some(Arc::new(packed)), ..self }
    }

    /// The answer with all its rows.
    pub(super) fn into_answer(self) -> Answer {
        let mut answer = Arc::unwrap_or_clone(self.answer);
        if let (Some(packed), Data::Table { rows, .. }) = (self.packed, &mut answer.data) {
            *rows = (0..packed.rows()).map(|at| packed.row(at)).collect();
        }
        answer
    }

    /// How many rows there are.
    pub(crate) fn total(&self) -> usize {
        self.packed.as_ref().map_or_else(|| self.answer.total(), |packed| packed.rows())
    }

    /// The rows one by one.
    pub(crate) fn rows(&self) -> Rows<'_> {
        self.answer.each_row(self.packed.as_deref())
    }

    /// The bytes of packed rows, about; none where they are not packed.
    pub(crate) fn packed_bytes(&self, held: impl Fn(&Value) -> usize) -> Option<usize> {
        self.packed.as_ref().map(|packed| packed.bytes(held))
    }

    /// The answer without its rows.
    fn hollow(&self, version: Version, took: Duration) -> Answer {
        let headings = match &self.answer.data {
            Data::Table { headings, .. } => headings.clone(),
            Data::List(_) | Data::Tree { .. } => Vec::new(),
        };
        let data = Data::Table { headings, rows: Vec::new() };
        let Answer { truncated, warnings, .. } = &*self.answer;
        Answer { data, version, truncated: *truncated, warnings: warnings.clone(), took }
    }

    /// Whether the rows in these places are those of another answer, in whatever order; `None` where the two do not fit.
    fn has(&self, places: &[usize], now: &Data) -> Option<bool> {
        let Some(packed) = &self.packed else { return same(&self.answer.data, places, now) };
        let Data::Table { rows, .. } = now else { return None };
        let lines = |rows: &[Vec<Cell>]| {
            let mut lines: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
            lines.sort_unstable();
            lines
        };
        let old: Vec<Vec<Cell>> = places.iter().map(|at| packed.row(*at)).collect();
        Some(old.len() == rows.len() && lines(&old) == lines(rows))
    }

    /// The answer without the rows in these places, and behind it another.
    fn joined(&self, gone: &[usize], now: Answer, most: usize) -> Option<(Answer, Option<Arc<Packed>>)> {
        let Some(packed) = &self.packed else {
            let mut answer = joined(&self.answer, gone, now)?;
            answer.data.cut(most);
            return Some((answer, None));
        };
        let Data::Table { rows, .. } = &now.data else { return None };
        let packed = packed.with(gone, rows, most)?;
        Some((self.hollow(now.version, now.took), Some(Arc::new(packed))))
    }

    /// The answers of a question's kin, each by its text, from the answer of all of them.
    pub(crate) fn by_text(self) -> Vec<(Box<str>, Self)> {
        let Self { answer, slots, beside, .. } = self;
        let width = slots.len();
        let answer = Arc::unwrap_or_clone(answer);
        let Data::Table { mut headings, rows } = answer.data else { return Vec::new() };
        headings.pop();
        let mut parts: HashMap<Box<str>, Part> = HashMap::new();
        for (place, mut row) in rows.into_iter().enumerate() {
            let Some(Cell::Value(Value::Text(text))) = row.pop() else { continue };
            let part = parts.entry(text).or_default();
            part.0.push(row);
            part.1.extend(beside.iter().skip(place * width).take(width));
        }
        let told = |(text, (rows, beside))| {
            let data = Data::Table { headings: headings.clone(), rows };
            let answer = Answer { data, warnings: answer.warnings.clone(), ..answer };
            (text, Self { answer: Arc::new(answer), packed: None, slots: slots.clone(), beside })
        };
        parts.into_iter().map(told).collect()
    }

    /// What a question is told for whose text the answer of all its kin has no row.
    pub(crate) fn nothing_of_kin(&self) -> Self {
        let mut answer = Arc::unwrap_or_clone(self.emptied().answer);
        if let Data::Table { headings, .. } = &mut answer.data {
            headings.pop();
        }
        Self::plain(answer)
    }

    /// The same, which tells of no entities.
    pub(crate) fn alone(self) -> Self {
        Self { slots: Vec::new(), beside: Vec::new(), ..self }
    }

    /// Whether it is the same answer, row for row.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let (one, two) = (&self.answer, &other.answer);
        let said = one.truncated == two.truncated && one.warnings == two.warnings;
        let rows = match (&self.packed, &two.data) {
            (Some(packed), Data::Table { rows, .. }) => {
                packed.rows() == rows.len() && rows.iter().enumerate().all(|(at, row)| packed.row(at) == *row)
            }
            (Some(_), _) => false,
            (None, data) => one.data == *data,
        };
        said && rows && self.slots == other.slots && self.beside == other.beside
    }

    /// The same answer without a row.
    pub(crate) fn emptied(&self) -> Self {
        let data = match &self.answer.data {
            Data::Table { headings, .. } => Data::Table { headings: headings.clone(), rows: Vec::new() },
            Data::List(_) | Data::Tree { .. } => Data::List(Vec::new()),
        };
        let answer =
            Answer { data, truncated: false, warnings: self.answer.warnings.clone(), ..*self.answer };
        Self { answer: Arc::new(answer), packed: None, slots: self.slots.clone(), beside: Vec::new() }
    }
}

/// Rows, and the dense ids beside them.
type Part = (Vec<Vec<Cell>>, Vec<i64>);

/// Whether the rows in these places are those of another answer, in whatever order; `None` where the two do not fit.
fn same(before: &Data, places: &[usize], now: &Data) -> Option<bool> {
    let sorted = |mut lines: Vec<String>| {
        lines.sort_unstable();
        lines
    };
    Some(match (before, now) {
        (Data::List(old), Data::List(new)) => {
            let old = places.iter().filter_map(|place| old.get(*place));
            places.len() == new.len()
                && sorted(old.map(|row| format!("{row:?}")).collect())
                    == sorted(new.iter().map(|row| format!("{row:?}")).collect())
        }
        (Data::Table { rows: old, .. }, Data::Table { rows: new, .. }) => {
            let old = places.iter().filter_map(|place| old.get(*place));
            places.len() == new.len()
                && sorted(old.map(|row| format!("{row:?}")).collect())
                    == sorted(new.iter().map(|row| format!("{row:?}")).collect())
        }
        _ => return None,
    })
}

/// The answer without the rows in these places, and behind it another; `None` where the two do not fit.
fn joined(before: &Answer, gone: &[usize], now: Answer) -> Option<Answer> {
    let data = match (&before.data, now.data) {
        (Data::List(old), Data::List(new)) => {
            let mut list = without(old, 1, gone);
            list.extend(new);
            Data::List(list)
        }
        (Data::Table { headings, rows: old }, Data::Table { rows: new, .. }) => {
            let mut rows = without(old, 1, gone);
            rows.extend(new);
            Data::Table { headings: headings.clone(), rows }
        }
        _ => return None,
    };
    let warnings = before.warnings.clone();
    Some(Answer { data, version: now.version, truncated: before.truncated, warnings, took: now.took })
}

/// A list without what is in some places, which are in order; each place is this wide.
pub(crate) fn without<T: Clone>(list: &[T], width: usize, places: &[usize]) -> Vec<T> {
    let mut left = Vec::with_capacity(list.len());
    let mut at = 0;
    for place in places {
        left.extend(list.get(at..place * width).unwrap_or_default().iter().cloned());
        at = (place + 1) * width;
    }
    left.extend(list.get(at..).unwrap_or_default().iter().cloned());
    left
}

impl Data {
    /// Leaves out what is too much.
    fn cut(&mut self, most: usize) {
        match self {
            Self::List(list) => list.truncate(most),
            Self::Table { rows, .. } => rows.truncate(most),
            Self::Tree { .. } => {}
        }
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
    Ok(Told { answer: Arc::new(answer), packed: None, slots, beside })
}
