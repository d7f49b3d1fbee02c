//! Reads the JSON of rules member by member, and names what is wrong by its place.
//!
//! What the members mean is the callers' to say.
//!
//! Invariant: reading goes on after a mistake, so that all of them are named at once.

use std::fmt;

use serde_json::{Map, Value as Json};

use super::template::Template;

/// Something about a rule, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The place in the document, such as `[2].operations[0].actions[1].type`; empty for the whole.
    pub place: String,
    /// What is wrong there, or odd.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.place {
            "" => f.write_str(&self.what),
            place => write!(f, "{place}: {}", self.what),
        }
    }
}

/// What was found while reading.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What makes a rule none.
    pub(super) mistakes: Vec<Mistake>,
    /// What is odd, or not done here.
    pub(super) notes: Vec<Mistake>,
}

impl Found {
    pub(super) fn mistake(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.mistakes.push(Mistake { place: place.into(), what: what.into() });
    }

    pub(super) fn note(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.notes.push(Mistake { place: place.into(), what: what.into() });
    }

    /// Reads a text with expressions.
    pub(super) fn template(&mut self, place: &str, text: &str) -> Option<Template> {
        match Template::parse(text) {
            Ok(template) => {
                if template.speaks_of("param") {
                    self.note(
                        place,
                        "`param` stands for what JupiterOne keeps for its account; here it is absent",
                    );
                }
                Some(template)
            }
            Err(error) => {
                self.mistake(place, error.to_string());
                None
            }
        }
    }
}

/// The members of an object at a place.
#[derive(Clone, Debug)]
pub(super) struct Fields<'j> {
    object: &'j Map<String, Json>,
    place: String,
}

impl<'j> Fields<'j> {
    /// The members of a value that has to be an object.
    pub(super) fn of(json: &'j Json, place: impl Into<String>, found: &mut Found) -> Option<Self> {
        let place = place.into();
        let object = json.as_object();
        if object.is_none() {
            found.mistake(&*place, "this should be an object");
        }
        Some(Self { object: object?, place })
    }

    /// The place of a member.
    pub(super) fn at(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// The place of the object.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The names of all members.
    pub(super) fn names(&self) -> impl Iterator<Item = &'j str> {
        self.object.keys().map(String::as_str)
    }

    /// A member, unless it is absent or null.
    pub(super) fn get(&self, name: &str) -> Option<&'j Json> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn typed<T>(
        &self,
        name: &str,
        what: &str,
        found: &mut Found,
        read: impl Fn(&'j Json) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(name)?;
        let typed = read(value);
        if typed.is_none() {
            found.mistake(self.at(name), format!("this should be {what}"));
        }
        typed
    }

    pub(super) fn text(&self, name: &str, found: &mut Found) -> Option<&'j str> {
        self.typed(name, "a text", found, Json::as_str)
    }

    /// A text that has to be there and not be empty.
    pub(super) fn needed_text(&self, name: &str, found: &mut Found) -> Option<&'j str> {
        if self.get(name).is_none() {
            found.mistake(self.at(name), "this is missing");
        }
        let text = self.text(name, found)?;
        if text.trim().is_empty() {
            found.mistake(self.at(name), "this is empty");
            return None;
        }
        Some(text)
    }

    /// A flag; no by default.
    pub(super) fn flag(&self, name: &str, found: &mut Found) -> bool {
        self.typed(name, "true or false", found, Json::as_bool).unwrap_or_default()
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str, found: &mut Found) -> Option<u64> {
        self.typed(name, "a whole number", found, Json::as_u64)
    }

    /// A list, with the place of each element; empty where there is none.
    pub(super) fn list(&self, name: &str, found: &mut Found) -> Vec<(String, &'j Json)> {
        let items = self.typed(name, "a list", found, Json::as_array);
        let at = self.at(name);
        items.into_iter().flatten().enumerate().map(|(nth, item)| (format!("{at}[{nth}]"), item)).collect()
    }

    /// A list of texts, or a single one.
    pub(super) fn words(&self, name: &str, found: &mut Found) -> Vec<&'j str> {
        if let Some(Json::String(word)) = self.get(name) {
            return vec![word];
        }
        let mut words = Vec::new();
        for (place, item) in self.list(name, found) {
            match item.as_str() {
                Some(word) => words.push(word),
                None => found.mistake(place, "this should be a text"),
            }
        }
        words
    }

    /// The members of a member that has to be an object.
    pub(super) fn inside(&self, name: &str, found: &mut Found) -> Option<Self> {
        Self::of(self.get(name)?, self.at(name), found)
    }
}
