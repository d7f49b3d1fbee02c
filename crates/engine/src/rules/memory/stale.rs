//! What changes make of an answer that is remembered: nothing, an answer of which some pieces are open, or none.
//!
//! Invariant: what is not called open is as it was.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use metsuke_store::Touched;

use super::KeptAnswer;
use crate::query::{Read, Reads};

/// Of more entities than this the pieces are not asked one by one, but all.
const MOST_PIECES: usize = 20_000;

/// Whether answers that depend on these may be others after such changes. Of rosters a version tells nothing.
#[must_use]
pub fn touches(reads: &Reads, touched: &Touched) -> bool {
    reads.keys().any(|read| is_touched(*read, touched))
}

fn is_touched(read: Read, touched: &Touched) -> bool {
    match read {
        Read::Presence(kind) => touched.presence(kind),
        Read::Property(kind, name) => touched.property(kind, name),
        Read::History(kind) => touched.kind(kind),
        Read::Access(resource, held) => touched.access(resource, held),
        Read::People => false,
        Read::Anything => !touched.is_empty(),
    }
}

/// What of an answer may be another by now: the pieces of some entities, in whichever of the slots they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rules) struct Stale {
    pub(in crate::rules) slots: BTreeSet<usize>,
    pub(in crate::rules) ids: BTreeSet<i64>,
}

/// The slots at which all that is touched lies, and the dense ids of the entities of which it is; `None` where
/// there is no such slot, or they are too many.
fn pieces(reads: &Reads, touched: &Touched) -> Option<Stale> {
    let mut slots: Option<BTreeSet<usize>> = None;
    let mut ids = BTreeSet::new();
    for (read, at) in reads.iter().filter(|(read, _)| is_touched(**read, touched)) {
        slots = Some(match slots {
            None => at.clone(),
            Some(slots) => slots.intersection(at).copied().collect(),
        });
        ids.extend(match *read {
            Read::Presence(kind) => touched.who_came_or_went(kind)?,
            Read::Property(kind, name) => touched.who_differs_in(kind, name)?,
            Read::History(kind) => touched.who_differs(kind)?,
            Read::Access(resource, held) => touched.who_holds(resource, held)?,
            Read::People | Read::Anything => return None,
        });
    }
    slots.filter(|slots| !slots.is_empty()).map(|slots| Stale { slots, ids })
}

/// What changes make of answers, looked up once for all that depend on the same.
pub(super) struct Staleness<'t> {
    touched: &'t Touched,
    /// `None` in it: an answer that nothing touches.
    known: HashMap<Arc<Reads>, Option<Became>>,
}

/// What becomes of an answer that is touched.
type Became = Option<Arc<Stale>>;

impl<'t> Staleness<'t> {
    pub(super) fn of(touched: &'t Touched) -> Self {
        Self { touched, known: HashMap::new() }
    }

    /// `None` for what is not touched; then what is open of it, or nothing where all of it is.
    fn became(&mut self, reads: &Arc<Reads>) -> Option<Became> {
        if let Some(known) = self.known.get(reads) {
            return known.clone();
        }
        let became = touches(reads, self.touched).then(|| pieces(reads, self.touched).map(Arc::new));
        self.known.insert(Arc::clone(reads), became.clone());
        became
    }
}

impl KeptAnswer {
    /// Takes note of changes; whether the answer is still worth keeping.
    pub(super) fn survives(&mut self, staleness: &mut Staleness<'_>) -> bool {
        let Some(became) = staleness.became(&self.reads) else { return true };
        let Some(open) = became else { return false };
        let here = |slot: &usize| self.held.told.slots.contains(slot);
        let stale = match self.stale.take() {
            None if open.slots.iter().all(here) => open,
            before => {
                let mut stale = Stale::clone(&open);
                stale.slots.retain(here);
                if let Some(before) = before {
                    stale.slots.retain(|slot| before.slots.contains(slot));
                    stale.ids.extend(&before.ids);
                }
                Arc::new(stale)
            }
        };
        let few = !stale.slots.is_empty() && stale.ids.len() <= MOST_PIECES;
        self.stale = Some(stale);
        few
    }
}
