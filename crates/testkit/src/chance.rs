//! Chance that can be repeated from its seed, for tests that try what nobody thought of.
//!
//! Not for secrets: whoever knows one number knows the next.
//!
//! Invariant: the same seed gives the same numbers on every machine and in every release, so a seed that a failed
//! run printed still shows the same failure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::setting::setting;

/// A small generator (`splitmix64`).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// Chance from this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to one less than `limit`; 0 where the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit.max(1) as u64).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// True in one of so many cases.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of them; `None` where there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// One of them, where there is one for certain.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn one_of<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A time up to `longest`, evenly spread.
    pub fn within(&mut self, longest: Duration) -> Duration {
        longest * u32::try_from(self.below(4096)).unwrap_or(0) / 4096
    }
}

/// A seed: what the environment variable of this name says, otherwise the time in seconds. It is printed with the
/// name, so that a run can be repeated.
///
/// # Panics
///
/// When the variable holds no number.
#[must_use]
pub fn seed(name: &str) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let seed = setting(name, now);
    eprintln!("{name}={seed}");
    seed
}

/// Declares an enum of plain variants, all of them listed once: `choices! { enum Trick { Edit, Delete } }` also gives
/// `Trick::ALL`, a slice in the order of the declaration.
#[macro_export]
macro_rules! choices {
    ($(#[$meta:meta])* $visibility:vis enum $name:ident { $($variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        $visibility enum $name { $($variant),+ }

        impl $name {
            /// All there are.
            $visibility const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    choices! {
        enum Trick { Edit, Delete }
    }

    #[test]
    fn a_seed_gives_the_numbers_it_always_gave() {
        let mut chance = Chance::new(7);
        let numbers: Vec<u64> = (0..3).map(|_| chance.number()).collect();
        assert_eq!(numbers, [7_191_089_600_892_374_487, 309_689_372_594_955_804, 16_616_101_746_815_609_346]);
    }

    #[test]
    fn all_choices_are_listed_in_their_order() {
        assert_eq!(Trick::ALL, [Trick::Edit, Trick::Delete]);
    }

    #[test]
    fn every_choice_comes_up_and_none_lies_outside() {
        let mut chance = Chance::new(1);
        let mut seen = [0; 5];
        for _ in 0..1_000 {
            seen[chance.below(5)] += 1;
            assert!(chance.within(Duration::from_secs(1)) < Duration::from_secs(1));
        }
        assert!(seen.iter().all(|&times| times > 100), "{seen:?}");
        assert_eq!((chance.below(0), chance.pick::<u8>(&[])), (0, None));
    }
}
