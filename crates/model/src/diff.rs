//! What differs between two sorted states.
//!
//! Invariant: applying `differences(a, b)` to `a` gives `b`.

use std::cmp::Ordering;
use std::iter::Peekable;

/// One difference between an old and a new state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference<K, V> {
    /// Only the new state has it.
    Added(K, V),
    /// Only the old state has it.
    Removed(K, V),
    /// Both have it, with another value: old, new.
    Changed(K, V, V),
}

/// Compares two states in one pass. Both must be sorted by key, each key standing once.
pub fn differences<K: Ord, V: PartialEq>(
    old: impl IntoIterator<Item = (K, V)>,
    new: impl IntoIterator<Item = (K, V)>,
) -> impl Iterator<Item = Difference<K, V>> {
    Merge { old: old.into_iter().peekable(), new: new.into_iter().peekable() }
}

struct Merge<A: Iterator, B: Iterator> {
    old: Peekable<A>,
    new: Peekable<B>,
}

impl<K: Ord, V: PartialEq, A: Iterator<Item = (K, V)>, B: Iterator<Item = (K, V)>> Iterator for Merge<A, B> {
    type Item = Difference<K, V>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let order = match (self.old.peek(), self.new.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((old, _)), Some((new, _))) => old.cmp(new),
            };
            match order {
                Ordering::Less => return self.old.next().map(|(key, value)| Difference::Removed(key, value)),
                Ordering::Greater => {
                    return self.new.next().map(|(key, value)| Difference::Added(key, value));
                }
                Ordering::Equal => {
                    if let (Some((key, before)), Some((_, after))) = (self.old.next(), self.new.next())
                        && before != after
                    {
                        return Some(Difference::Changed(key, before, after));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn applying_the_differences_gives_the_new_state(
            old in proptest::collection::btree_map(0_u8..40, 0_u8..3, 0..30),
            new in proptest::collection::btree_map(0_u8..40, 0_u8..3, 0..30),
        ) {
            let mut state: BTreeMap<u8, u8> = old.clone();
            for difference in differences(old, new.clone()) {
                match difference {
                    Difference::Added(key, value) => prop_assert_eq!(state.insert(key, value), None),
                    Difference::Removed(key, value) => prop_assert_eq!(state.remove(&key), Some(value)),
                    Difference::Changed(key, before, after) => {
                        prop_assert_ne!(before, after);
                        prop_assert_eq!(state.insert(key, after), Some(before));
                    }
                }
            }
            prop_assert_eq!(state, new);
        }
    }
}
