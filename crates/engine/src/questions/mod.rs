//! Ready questions in J1QL, each with what it tells and what to do about the answer.
//!
//! They stand in the files beside this one, by topic; asking them is [`query`](crate::query)'s work. Those that people keep are in
//! `kept`.
//!
//! Invariant: an id names one question, and every tag is one of [`TAGS`].

mod kept;
mod line;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use metsuke_model::graph::Value;
use serde::{Deserialize, Serialize};

use crate::query::Variable;

pub use kept::{Keeper, PREFIX, QuestionEdit, find_any, keep, kept, remove};
pub use line::{QuestionLine, Source, names};

/// The tags, each with what its questions have in common; the last four say for whom they are.
pub const TAGS: [(&str, &str); 29] = [
    ("access", "who can do what on apps, and why"),
    ("add-ons", "add-ons and what they are attached to"),
    ("apps", "apps as such"),
    ("changes", "what came, went or is another than before"),
    ("config-vars", "who can read credentials"),
    ("cost", "what costs money"),
    ("counts", "figures instead of names"),
    ("coverage", "what the token cannot see, or Heroku does not say"),
    ("databases", "databases"),
    ("employees", "needs a roster: see metsuke people import"),
    ("federation", "signing in through an identity provider"),
    ("hygiene", "what is left over"),
    ("invitations", "who is invited and has not come"),
    ("leavers", "who left the company"),
    ("outsiders", "who is not of the company"),
    ("personal-apps", "apps of people, not of teams"),
    ("pipelines", "pipelines and their stages"),
    ("privileged", "admins and managers"),
    ("production", "apps in the production stage of a pipeline"),
    ("second-factor", "who signs in with a password alone"),
    ("service-accounts", "accounts of machines"),
    ("sign-in", "who uses their account"),
    ("spaces", "private spaces"),
    ("stacks", "the operating systems below apps"),
    ("teams", "teams and their members"),
    ("audit", "for reviews and evidence"),
    ("owners", "for those who answer for apps"),
    ("platform", "for those who keep the platform"),
    ("security", "for those who keep it safe"),
];

/// The files, in the order in which their questions are listed.
const FILES: [&str; 7] = [
    include_str!("access.json"),
    include_str!("people.json"),
    include_str!("employees.json"),
    include_str!("teams.json"),
    include_str!("apps.json"),
    include_str!("addons.json"),
    include_str!("changes.json"),
];

static LIBRARY: LazyLock<Vec<Question>> = LazyLock::new(|| {
    let read = |file: &&str| -> Vec<Question> {
        #[expect(
            clippy::expect_used,
            reason = "the files are part of the program, and a test reads all of them"
        )]
        serde_json::from_str(file).expect("a file of questions is JSON")
    };
    FILES.iter().flat_map(read).collect()
});

/// A ready question.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What it is called on the command line.
    pub id: Box<str>,
    /// What it asks, in words.
    pub title: Box<str>,
    /// What the answer means, and what to do about it.
    pub explanation: Box<str>,
    /// What it is about, and for whom.
    pub tags: Vec<Box<str>>,
    /// What its text leaves open.
    #[serde(default)]
    pub variables: Vec<Parameter>,
    /// It asks about what is gone, too.
    #[serde(default)]
    pub include_deleted: bool,
    /// The text, line by line.
    #[serde(skip_serializing)]
    query: Vec<Box<str>>,
}

/// Something that a question leaves open, as `${name}`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub name: Box<str>,
    /// What it stands for.
    pub meaning: Box<str>,
    /// What it is where nobody says; without it somebody has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// What somebody might say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<serde_json::Value>,
}

/// What is wrong with the values that were given for a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// A parameter without a default has no value.
    Missing {
        /// Its name.
        name: Box<str>,
        /// What it stands for.
        meaning: Box<str>,
    },
    /// The question has no parameter of this name.
    Unknown {
        /// The name.
        name: String,
    },
}

impl Question {
    /// The question in J1QL.
    #[must_use]
    pub fn text(&self) -> String {
        self.query.join("\n")
    }

    /// Whether it bears the tag.
    #[must_use]
    pub fn is_tagged(&self, tag: &str) -> bool {
        self.tags.iter().any(|known| **known == *tag)
    }

    /// Whether every word stands somewhere in it, in any case.
    #[must_use]
    pub fn mentions(&self, words: &str) -> bool {
        let texts =
            [&self.id, &self.title, &self.explanation].into_iter().chain(&self.tags).chain(&self.query);
        mention(texts.map(|text| &**text), words)
    }

    /// The values of its parameters: those that were given, else the defaults.
    ///
    /// # Errors
    ///
    /// [`Unsettled`] for a parameter without any, and for a value that no parameter asks for.
    pub fn settle(&self, given: &[(String, Variable)]) -> Result<BTreeMap<String, Variable>, Unsettled> {
        settled(&self.variables, given)
    }
}

/// Whether every word stands somewhere in these texts, in any case.
fn mention<'a>(texts: impl Iterator<Item = &'a str>, words: &str) -> bool {
    let all: Vec<String> = texts.map(str::to_lowercase).collect();
    words.to_lowercase().split_whitespace().all(|word| all.iter().any(|text| text.contains(word)))
}

/// The values of parameters: those that were given, else the defaults.
fn settled(
    parameters: &[Parameter],
    given: &[(String, Variable)],
) -> Result<BTreeMap<String, Variable>, Unsettled> {
    let asked = |name: &str| parameters.iter().any(|parameter| *parameter.name == *name);
    if let Some((name, _)) = given.iter().find(|(name, _)| !asked(name)) {
        return Err(Unsettled::Unknown { name: name.clone() });
    }
    let mut settled: BTreeMap<String, Variable> = given.iter().cloned().collect();
    for Parameter { name, meaning, default, .. } in parameters {
        if settled.contains_key(&**name) {
            continue;
        }
        let Some(default) = default else {
            return Err(Unsettled::Missing { name: name.clone(), meaning: meaning.clone() });
        };
        let value = match default {
            serde_json::Value::Array(values) => {
                Variable::AnyOf(values.iter().map(Value::from_json).collect())
            }
            one => Variable::One(Value::from_json(one)),
        };
        settled.insert(name.to_string(), value);
    }
    Ok(settled)
}

/// Every question, by topic.
#[must_use]
pub fn all() -> &'static [Question] {
    &LIBRARY
}

/// The question of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Question> {
    LIBRARY.iter().find(|question| *question.id == *id)
}

/// The id that was probably meant by one that is none.
#[must_use]
pub fn nearest(id: &str) -> Option<&'static str> {
    metsuke_j1ql::suggest::nearest(id, LIBRARY.iter().map(|question| &*question.id))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use metsuke_j1ql::check::{Surroundings, check};

    use super::*;

    #[test]
    fn an_id_is_words_with_hyphens_and_names_one_question() {
        let mut ids = HashSet::new();
        for question in all() {
            let fits = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(question.id.chars().all(fits) && ids.insert(&question.id), "{}", question.id);
            assert!(std::ptr::eq(find(&question.id).unwrap(), question));
        }
        assert!(all().len() >= 60, "{}", all().len());
        assert_eq!(nearest("leavers-with-acess"), Some("leavers-with-access"));
    }

    #[test]
    fn every_tag_is_known_and_used() {
        for (tag, _) in TAGS {
            assert!(all().iter().any(|question| question.is_tagged(tag)), "{tag}");
        }
        for question in all() {
            let known = |tag: &str| TAGS.iter().any(|(name, _)| *name == tag);
            assert!(question.tags.iter().all(|tag| known(tag)), "{}", question.id);
            let for_somebody = TAGS.iter().rev().take(4).any(|(tag, _)| question.is_tagged(tag));
            assert!(for_somebody, "{} is for nobody", question.id);
        }
    }

    #[test]
    fn every_question_is_told_in_full_sentences() {
        for Question { id, title, explanation, .. } in all() {
            assert!(title.ends_with('?') && explanation.len() > 20, "{id}");
            assert!(explanation.ends_with(['.', ']', ')']), "{id}");
        }
    }

    #[test]
    fn every_question_is_understood_without_a_warning() {
        for question in all() {
            let given: Vec<(String, Variable)> = question
                .variables
                .iter()
                .filter(|parameter| parameter.default.is_none())
                .map(|parameter| (parameter.name.to_string(), Variable::One(Value::text("x"))))
                .collect();
            let variables = question.settle(&given).unwrap();
            for name in variables.keys() {
                assert!(
                    question.text().contains(&format!("${{{name}}}")),
                    "{} has no ${{{name}}}",
                    question.id
                );
            }
            let surroundings = Surroundings { variables, ..Surroundings::default() };
            let query = metsuke_j1ql::parse(&question.text()).unwrap();
            let plan = check(&query, &surroundings).unwrap();
            assert_eq!(plan.warnings, Vec::<String>::new(), "{}", question.id);
        }
    }

    #[test]
    fn a_value_is_missing_or_superfluous_or_the_default() {
        let question = find("old-invitations").unwrap();
        let days = question.settle(&[]).unwrap();
        assert_eq!(days["days"], Variable::One(Value::Number(30.0)));
        let given = ("day".to_owned(), Variable::One(Value::Number(7.0)));
        assert_eq!(question.settle(&[given]), Err(Unsettled::Unknown { name: "day".into() }));
        let missing = find("app-access").unwrap().settle(&[]);
        assert!(matches!(missing, Err(Unsettled::Missing { name, .. }) if &*name == "app"));
    }

    #[test]
    fn words_find_questions_in_any_case() {
        let found = |words: &str| all().iter().filter(|question| question.mentions(words)).count();
        assert!(found("Second FACTOR") >= 4 && found("second factor") < all().len());
        assert_eq!(found("nothing of the kind zebra"), 0);
    }
}
