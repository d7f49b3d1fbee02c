//! What a query calls the things on its paths.
//!
//! Invariant: a name means one thing; of several things that a class or verb could mean, the first in the text.

use crate::plan::Place;

/// The names of one query, in the order of its text.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Vec<Name>,
    /// Names that stand inside of what must not be.
    hidden: Vec<String>,
}

#[derive(Debug)]
struct Name {
    word: String,
    place: Place,
    sort: Sort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Alias,
    Selector,
    Verb,
}

/// A look into the names: how many there were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(usize);

impl Names {
    /// Gives something a name; `false` where the name is taken by something else.
    pub(super) fn alias(&mut self, name: &str, place: Place) -> bool {
        if self.known.iter().any(|known| known.sort == Sort::Alias && known.word == name) {
            return false;
        }
        self.known.push(Name { word: name.to_owned(), place, sort: Sort::Alias });
        true
    }

    /// Notes the class or type that an entity was asked for by.
    pub(super) fn selector(&mut self, name: &str, place: Place) {
        self.known.push(Name { word: name.to_owned(), place, sort: Sort::Selector });
    }

    /// Notes a verb that a relationship was asked for by.
    pub(super) fn verb(&mut self, name: &str, place: Place) {
        self.known.push(Name { word: name.to_owned(), place, sort: Sort::Verb });
    }

    /// What a name means: an alias, else a class or type as written, else a verb in any case.
    pub(super) fn find(&self, name: &str) -> Option<Place> {
        let of = |sort, same: &dyn Fn(&str) -> bool| {
            self.known.iter().find(|known| known.sort == sort && same(&known.word)).map(|known| known.place)
        };
        of(Sort::Alias, &|known| known == name)
            .or_else(|| of(Sort::Selector, &|known| known == name))
            .or_else(|| of(Sort::Verb, &|known| known.eq_ignore_ascii_case(name)))
    }

    /// Every name that could be used, in the order of the text, each once.
    pub(super) fn all(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for known in &self.known {
            if !names.contains(&known.word.as_str()) {
                names.push(&known.word);
            }
        }
        names
    }

    /// Whether the name stands inside of what must not be.
    pub(super) fn is_hidden(&self, name: &str) -> bool {
        self.hidden.iter().any(|hidden| hidden == name)
    }

    /// Where the names of what must not be begin.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.known.len())
    }

    /// Hides every name since the mark.
    pub(super) fn hide_since(&mut self, mark: Mark) {
        let hidden = self.known.split_off(mark.0.min(self.known.len()));
        self.hidden.extend(hidden.into_iter().map(|name| name.word));
    }
}
