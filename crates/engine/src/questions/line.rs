//! A question as lists show it, of the library or kept by somebody.
//!
//! Invariant: whoever asks by it needs to know no other form of a question.

use std::collections::BTreeMap;

use metsuke_model::Moment;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Parameter, Question, Unsettled, mention, settled};
use crate::query::Variable;

/// Where a question comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Whoever looks has kept it.
    Own,
    /// Somebody else shares it with everybody.
    Shared,
    /// It came with the program.
    Library,
}

impl std::str::FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|source| source.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is not own, shared or library"))
    }
}

impl Source {
    /// Every source, in the order of lists.
    pub const ALL: [Self; 3] = [Self::Own, Self::Shared, Self::Library];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Shared => "shared",
            Self::Library => "library",
        }
    }
}

/// A question that is ready to be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuestionLine {
    /// Its id.
    pub id: String,
    /// Where it comes from.
    pub source: Source,
    /// What it asks, in words.
    pub title: String,
    /// What the answer means, and what to do about it.
    pub explanation: String,
    /// What it is about.
    pub tags: Vec<String>,
    /// What its text leaves open.
    #[serde(default)]
    pub variables: Vec<Parameter>,
    /// It asks about what is gone, too.
    #[serde(default)]
    pub include_deleted: bool,
    /// The text.
    pub text: String,
    /// Who keeps it; none for the library.
    pub owner: Option<String>,
    /// Whether everybody sees it.
    pub shared: bool,
    /// Whether whoever looks may change it.
    pub may_change: bool,
    /// When it was kept first.
    pub created_at: Option<Moment>,
    /// When it was changed.
    pub updated_at: Option<Moment>,
}

impl From<&Question> for QuestionLine {
    fn from(question: &Question) -> Self {
        Self {
            id: question.id.to_string(),
            source: Source::Library,
            title: question.title.to_string(),
            explanation: question.explanation.to_string(),
            tags: question.tags.iter().map(ToString::to_string).collect(),
            variables: question.variables.clone(),
            include_deleted: question.include_deleted,
            text: question.text(),
            owner: None,
            shared: true,
            may_change: false,
            created_at: None,
            updated_at: None,
        }
    }
}

impl QuestionLine {
    /// Whether it bears the tag.
    #[must_use]
    pub fn is_tagged(&self, tag: &str) -> bool {
        self.tags.iter().any(|known| known == tag)
    }

    /// Whether every word stands somewhere in it, in any case.
    #[must_use]
    pub fn mentions(&self, words: &str) -> bool {
        let texts = [&self.id, &self.title, &self.explanation, &self.text].into_iter();
        mention(texts.chain(&self.tags).chain(&self.owner).map(String::as_str), words)
    }

    /// The values of what it leaves open: those that were given, else the defaults.
    ///
    /// # Errors
    ///
    /// [`Unsettled`] for a parameter without any, and for a value that no parameter asks for.
    pub fn settle(&self, given: &[(String, Variable)]) -> Result<BTreeMap<String, Variable>, Unsettled> {
        settled(&self.variables, given)
    }

    /// Whether it can be asked as it is.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.variables.iter().all(|parameter| parameter.default.is_some())
    }

    /// Where it stands in lists: one's own, then what others share, by title, then the library in its own order.
    #[must_use]
    pub fn place(&self) -> (Source, String, String) {
        let by = match self.source {
            Source::Library => {
                let at = super::all().iter().position(|question| *question.id == *self.id);
                format!("{:05}", at.unwrap_or(usize::MAX))
            }
            Source::Own | Source::Shared => self.title.to_lowercase(),
        };
        (self.source, by, self.id.clone())
    }
}

/// What a text leaves open, which nobody has described.
pub(super) fn open(text: &str) -> Vec<Parameter> {
    let mut found: Vec<Parameter> = Vec::new();
    for name in names(text) {
        if found.iter().all(|known| *known.name != *name) {
            let meaning = format!("${{{name}}}").into();
            found.push(Parameter { name: name.into(), meaning, default: None::<Json>, example: None });
        }
    }
    found
}

/// The name of every `${name}` of a text, in their order.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    let inside = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
    let fits = |name: &&str| {
        !name.is_empty() && name.len() < 60 && name.chars().all(|one| one.is_alphanumeric() || one == '_')
    };
    inside.map(|(name, _)| name).filter(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_leaves_open_is_found_once_and_in_order() {
        let found = open("FIND x WITH a = ${b} AND c = ${a} OR d = ${b} AND e = ${no name}");
        let found: Vec<&str> = found.iter().map(|one| &*one.name).collect();
        assert_eq!(found, ["b", "a"]);
    }

    #[test]
    fn the_library_stands_in_its_own_order_behind_what_people_keep() {
        let lines: Vec<QuestionLine> = super::super::all().iter().map(QuestionLine::from).collect();
        assert!(lines.windows(2).all(|two| two[0].place() < two[1].place()));
        let own = QuestionLine { source: Source::Own, title: "Z".into(), ..lines[0].clone() };
        assert!(own.place() < lines[0].place());
    }
}
