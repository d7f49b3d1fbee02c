//! The shipped detections: rules that know Heroku, each with what to do about what it finds.
//!
//! They stand in the files beside this one; evaluating them is [`evaluate`](super::evaluate)'s.
//!
//! Invariant: a detection whose data the product does not read says so as its state.

mod parameter;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

pub use parameter::{Parameter, ParameterKind};

use super::evaluate::{Evaluation, Ground, State, Subject};
use super::instance::Instance;
use super::level::Level;
use super::template::{Budget, Scope, Template, Templates};
use crate::EngineError;
use crate::sync::Credentials;

/// The files, in the order in which their detections are listed.
const FILES: [&str; 4] = [
    include_str!("changes.json"),
    include_str!("people.json"),
    include_str!("teams.json"),
    include_str!("apps.json"),
];

static SHIPPED: LazyLock<Vec<Detection>> = LazyLock::new(|| {
    let read = |file: &&str| -> Vec<Detection> {
        #[expect(
            clippy::expect_used,
            reason = "the files are part of the program, and a test reads all of them"
        )]
        serde_json::from_str(file).expect("a file of detections is JSON")
    };
    let mut detections: Vec<Detection> = FILES.iter().flat_map(read).collect();
    detections.sort_by(|one, other| one.id.cmp(&other.id));
    detections
});

/// A shipped detection.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Detection {
    /// Its id, such as `D01`.
    pub id: Box<str>,
    /// Its name, words with hyphens.
    pub name: Box<str>,
    /// What it finds, in words.
    pub title: Box<str>,
    /// Why that matters.
    pub explanation: Box<str>,
    /// When it finds what is meant to be so.
    pub false_positives: Box<str>,
    /// How bad it is; single subjects may be worse.
    pub severity: Level,
    /// Which controls it bears on.
    pub controls: Controls,
    /// What to do about a subject.
    pub fix: Fix,
    /// What it leaves open.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// What must be given beside a sync.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Why it cannot be judged at all, for what the product does not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_observable: Option<Box<str>>,
    /// Which part of it cannot be judged, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Box<str>>,
    /// Its queries by name, line by line.
    #[serde(default)]
    queries: BTreeMap<Box<str>, Vec<Box<str>>>,
    /// What it looks for in the change log.
    #[serde(default)]
    change: Option<Json>,
    /// What a finding is about.
    #[serde(default)]
    subject: Option<Json>,
}

/// The controls that a detection bears on, by the numbers of their catalogues.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    /// SOC 2 trust services criteria (2017).
    pub soc2: Vec<Box<str>>,
    /// ISO/IEC 27001:2022, annex A.
    pub iso27001: Vec<Box<str>>,
    /// CIS Controls v8 safeguards.
    pub cis: Vec<Box<str>>,
}

/// What to do about a subject.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// In words.
    pub words: Box<str>,
    /// The arguments of the `metsuke` command that plans it, with the row as `item`; empty where no command does.
    #[serde(default)]
    pub command: Vec<Box<str>>,
}

/// What a detection needs beside a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// A roster of employees.
    Roster,
    /// An earlier version to compare with.
    Changes,
    /// The authorizations of the own account, which only a token of the scope `global` shows.
    Authorizations,
    /// The SSH keys of the own account, likewise.
    Keys,
}

/// Values of parameters by name.
pub type Values = BTreeMap<String, Json>;

impl Detection {
    /// The rule instance that it stands for, with these values of its parameters.
    ///
    /// # Errors
    ///
    /// What is missing or wrong, in words.
    pub fn rule(&self, values: &Values) -> Result<Instance, String> {
        let mut literals = Vec::new();
        for Parameter { name, kind, default, meaning } in &self.parameters {
            let Some(value) = values.get(&**name).or(default.as_ref()) else {
                return Err(format!("`{name}` has no value: {meaning}"));
            };
            let literal = kind.literal(value).map_err(|why| format!("`{name}`: {why}"))?;
            literals.push((format!("${{{name}}}"), literal));
        }
        let document = self.document(&literals);
        Instance::read(&document)
            .map_err(|mistakes| mistakes.first().map(ToString::to_string).unwrap_or_default())
    }

    fn document(&self, literals: &[(String, String)]) -> Json {
        let mut document = Map::new();
        let mut add = |name: &str, value: Json| _ = document.insert(name.to_owned(), value);
        add("id", (*self.id).into());
        add("name", (*self.name).into());
        add("description", (*self.title).into());
        add("version", json!(1));
        add("specVersion", json!(1));
        add("pollingInterval", json!("ONE_DAY"));
        let mut sources = Vec::new();
        if !self.queries.is_empty() {
            let query = |(name, text): (&str, String)| {
                let settled =
                    |text: String, (marker, literal): &(String, String)| text.replace(marker, literal);
                let text = literals.iter().fold(text, settled);
                json!({ "name": name, "query": text, "version": "v1" })
            };
            add("question", json!({ "queries": self.queries().map(query).collect::<Vec<_>>() }));
            sources.extend(self.queries.keys().map(|name| format!("queries.{name}.total")));
        }
        if let Some(change) = &self.change {
            add("change", change.clone());
            sources.push("changes.total".to_owned());
        }
        if let Some(subject) = &self.subject {
            add("subject", subject.clone());
        }
        let of_subjects = |source: &&String| {
            let from = self.subject.as_ref().and_then(|subject| subject.get("from")).and_then(Json::as_array);
            from.is_none_or(|from| {
                from.iter().filter_map(Json::as_str).any(|name| source.split('.').any(|part| part == name))
            })
        };
        let mut condition = vec![json!("OR")];
        condition.extend(sources.iter().filter(of_subjects).map(|source| json!([source, ">", 0])));
        add(
            "operations",
            json!([{
                "when": { "type": "FILTER", "specVersion": 1, "condition": condition },
                "actions": [
                    { "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": self.severity },
                    { "type": "CREATE_ALERT" },
                ],
            }]),
        );
        sources.push("alertLevel".to_owned());
        add("outputs", json!(sources));
        add("remediationSteps", (*self.fix.words).into());
        Json::Object(document)
    }

    /// Evaluates it. Values that are not given are the defaults; trusted domains default to that of the account that
    /// reads the estate.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn evaluate(
        &self,
        ground: &Ground,
        given: &Values,
        previous: Option<&BTreeSet<String>>,
    ) -> Result<Evaluation, EngineError> {
        Ok(match self.settled(ground, given).await? {
            Ok((rule, notes)) => {
                let mut evaluation = super::evaluate(&rule, ground, previous).await;
                evaluation.notes.extend(notes);
                evaluation
            }
            Err(state) => self.ended(ground, state),
        })
    }

    /// What came of it, where it cannot be evaluated.
    pub(crate) fn ended(&self, ground: &Ground, state: State) -> Evaluation {
        Evaluation::only((&self.id, &self.name), ground, state)
    }

    /// The rule with every parameter's value, and what is to be said of these; or why there is none.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub(crate) async fn settled(
        &self,
        ground: &Ground,
        given: &Values,
    ) -> Result<Result<(Instance, Vec<String>), State>, EngineError> {
        if let Some(why) = &self.not_observable {
            return Ok(Err(State::NotObservable { why: why.to_string() }));
        }
        if self.needs.contains(&Need::Roster) && !ground.has_roster().await? {
            let why = "no roster of employees was imported (`metsuke people import`)".to_owned();
            return Ok(Err(State::NotObservable { why }));
        }
        if self.needs.contains(&Need::Changes) && !ground.has_before() {
            let why = "there is no earlier version to compare with yet".to_owned();
            return Ok(Err(State::NotObservable { why }));
        }
        let compared = self.needs.contains(&Need::Changes);
        for need in &self.needs {
            let listing = match need {
                Need::Authorizations => Credentials::Authorizations,
                Need::Keys => Credentials::Keys,
                Need::Roster | Need::Changes => continue,
            };
            if let Some(why) = ground.unread(listing.scope(), compared).await? {
                return Ok(Err(State::NotObservable { why }));
            }
        }
        let mut values = given.clone();
        let mut notes = Vec::new();
        for Parameter { name, kind, default, .. } in &self.parameters {
            let open = !values.contains_key(&**name) && default.is_none();
            if open
                && *kind == ParameterKind::Domains
                && let Some(domain) = ground.own_domain().await?
            {
                notes.push(format!(
                    "{name} is {domain}, where the account that reads the estate has its address"
                ));
                values.insert(name.to_string(), domain.into());
            }
        }
        Ok(match self.rule(&values) {
            Ok(rule) => Ok((rule, notes)),
            Err(why) => Err(State::Unsettled { why }),
        })
    }

    /// The command that plans the fix for a subject, as it is typed into a shell; `None` where no command does.
    #[must_use]
    pub fn command(&self, subject: &Subject) -> Option<String> {
        if self.fix.command.is_empty() {
            return None;
        }
        let (inputs, templates, row) = (Map::new(), Templates::new(), subject.row());
        let mut line = "metsuke".to_owned();
        for argument in &self.fix.command {
            let budget = Budget::default();
            let scope = Scope::new(&inputs, &templates, &budget);
            let template = Template::parse(argument).ok()?;
            let word = template.text(&scope.with("item", &row)).ok()?;
            if word.is_empty() {
                return None;
            }
            line.push(' ');
            line.push_str(&quoted(&word));
        }
        Some(line)
    }

    /// Whether every word stands somewhere in it, in any case.
    #[must_use]
    pub fn mentions(&self, words: &str) -> bool {
        let all = [&self.id, &self.name, &self.title, &self.explanation].map(|text| text.to_lowercase());
        words.to_lowercase().split_whitespace().all(|word| all.iter().any(|text| text.contains(word)))
    }

    /// Its queries as text, by name, with their parameters open.
    pub fn queries(&self) -> impl Iterator<Item = (&str, String)> {
        self.queries.iter().map(|(name, lines)| (&**name, lines.join("\n")))
    }

    /// What it looks for in the change log.
    #[must_use]
    pub const fn change(&self) -> Option<&Json> {
        self.change.as_ref()
    }
}

/// A word that a shell takes as it stands.
fn quoted(word: &str) -> String {
    let plain = |letter: char| {
        letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '@' | '+' | ':' | '/' | '=')
    };
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Every detection, by id.
#[must_use]
pub fn all() -> &'static [Detection] {
    &SHIPPED
}

/// The detection of this id, in any case, or of this name.
#[must_use]
pub fn find(id: &str) -> Option<&'static Detection> {
    SHIPPED.iter().find(|detection| detection.id.eq_ignore_ascii_case(id) || *detection.name == *id)
}

/// The name that was probably meant by one that is none.
#[must_use]
pub fn nearest(id: &str) -> Option<&'static str> {
    metsuke_j1ql::suggest::nearest(id, SHIPPED.iter().map(|detection| &*detection.name))
}
