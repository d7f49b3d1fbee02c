//! Which numbers of a log came, and in which order.
//!
//! Whether the events behind them are genuine is not asked here.
//!
//! Invariant: an untouched log costs eight bytes for each event, whatever its size.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::Digest;

/// How an event stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// Its number is higher than all before, with or without a hole.
    InOrder,
    /// Its number was missing until now, and this higher one came before.
    Late {
        /// The highest number so far.
        after: u64,
    },
    /// The same event came before.
    Again,
    /// Another event with the number came before.
    Clash,
}

/// The numbers met so far, each with eight bytes of its leaf hash to tell events apart.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Those from 0 on without a hole, as they came.
    dense: Vec<u64>,
    /// All others.
    sparse: BTreeMap<u64, u64>,
    /// One more than the highest.
    next: u64,
}

impl Numbers {
    /// The number that the next event of an untouched log has.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Notes an event.
    pub(super) fn meet(&mut self, number: u64, leaf: &Digest) -> Met {
        let mark = leaf.0.first_chunk().copied().map_or(0, u64::from_le_bytes);
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let known = self.dense.get(place).or_else(|| self.sparse.get(&number)).copied();
        if let Some(known) = known {
            return if known == mark { Met::Again } else { Met::Clash };
        }
        if place == self.dense.len() {
            self.dense.push(mark);
        } else {
            self.sparse.insert(number, mark);
        }
        if number >= self.next {
            self.next = number.saturating_add(1);
            return Met::InOrder;
        }
        Met::Late { after: self.next - 1 }
    }

    /// The numbers below the highest that never came.
    pub(super) fn missing(&self) -> impl Iterator<Item = RangeInclusive<u64>> {
        let start = u64::try_from(self.dense.len()).unwrap_or(u64::MAX);
        let holes = self.sparse.keys().scan(start, |expected, number| {
            let hole = (*expected < *number).then(|| *expected..=*number - 1);
            *expected = number.saturating_add(1);
            Some(hole)
        });
        holes.flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::leaf_hash;

    fn meet(numbers: &mut Numbers, number: u64) -> Met {
        numbers.meet(number, &leaf_hash(&number.to_be_bytes()))
    }

    #[test]
    fn holes_late_comers_and_repetitions_are_told_apart() {
        let mut numbers = Numbers::default();
        assert_eq!([0, 1, 4, 7].map(|number| meet(&mut numbers, number)), [Met::InOrder; 4]);
        assert_eq!(numbers.missing().collect::<Vec<_>>(), [2..=3, 5..=6]);
        assert_eq!(meet(&mut numbers, 2), Met::Late { after: 7 });
        assert_eq!(meet(&mut numbers, 4), Met::Again);
        assert_eq!(numbers.meet(1, &leaf_hash(b"another")), Met::Clash);
        assert_eq!(numbers.missing().collect::<Vec<_>>(), [3..=3, 5..=6]);
        assert_eq!([6, 3, 5].map(|number| meet(&mut numbers, number)), [Met::Late { after: 7 }; 3]);
        assert_eq!(numbers.missing().count(), 0);
        assert_eq!(numbers.next(), 8);
    }

    #[test]
    fn the_highest_number_there_is_ends_in_no_overflow() {
        let mut numbers = Numbers::default();
        assert_eq!(meet(&mut numbers, u64::MAX), Met::InOrder);
        assert_eq!(numbers.missing().collect::<Vec<_>>(), [0..=u64::MAX - 1]);
    }
}
