//! Questions of one run that differ in a text alone, such as those about each of many teams: once some of them were asked one by one,
//! all the others are asked for at once.
//!
//! Invariant: what a question is told so is what it would be told alone, its rows in another order at most.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::query::Told;
use crate::rules::memory::Key;

/// What is known of one family of questions.
#[derive(Debug)]
enum Family {
    /// So many were asked alone.
    Alone(usize),
    /// All were asked for: what each was told, by its text, and what one is told for whose text there is nothing.
    Told(HashMap<Box<str>, Told>, Box<Told>),
    /// The answer of all was cut, so that each is asked alone.
    Cut,
}

/// The families of a run.
#[derive(Debug, Default)]
pub(super) struct Together(Mutex<HashMap<Key, Family>>);

/// How a question is answered.
pub(super) enum How {
    /// By asking it.
    Alone,
    /// By asking for all of its family.
    All,
    /// It is known.
    Known(Told),
}

impl Together {
    fn families(&self) -> MutexGuard<'_, HashMap<Key, Family>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a question of this family is answered, of which `alone` are asked one by one.
    pub(super) fn how(&self, family: Key, text: &str, alone: usize) -> How {
        match self.families().entry(family).or_insert(Family::Alone(0)) {
            Family::Alone(asked) if *asked >= alone => How::All,
            Family::Alone(asked) => {
                *asked += 1;
                How::Alone
            }
            Family::Told(parts, nothing) => How::Known(parts.get(text).unwrap_or(nothing).clone()),
            Family::Cut => How::Alone,
        }
    }

    /// Keeps the answer of all questions of a family; what the question with this text is told, where nothing was cut.
    pub(super) fn keep(&self, family: Key, text: &str, all: Told) -> Option<Told> {
        if all.answer.truncated {
            self.families().insert(family, Family::Cut);
            return None;
        }
        let nothing = all.nothing_of_kin();
        let parts: HashMap<Box<str>, Told> =
            all.by_text().into_iter().map(|(text, told)| (text, told.alone())).collect();
        let own = parts.get(text).unwrap_or(&nothing).clone();
        self.families().insert(family, Family::Told(parts, Box::new(nothing)));
        Some(own)
    }
}
