//! Rule instances: documents in the form of JupiterOne's, read with every mistake named and written back as they came.
//!
//! Evaluating them is [`evaluate`](super::evaluate)'s.
//!
//! Invariant: the document is what came in, unknown members included; what is typed beside it was read from it.

mod action;
mod interval;
mod pack;
#[cfg(test)]
mod tests;
mod transfer;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

pub use action::{Action, ActionKind};
pub use interval::{Period, PollingInterval};
pub use transfer::{Exported, Imported, MOST_BYTES, export, export_one, import};

use super::change::ChangeRule;
use super::condition::Condition;
use super::level::Level;
use super::mistake::{Fields, Found, Mistake};
use super::template::{Template, Templates};

/// The most operations of a rule.
const MOST_OPERATIONS: usize = 50;
/// The most queries of a rule.
const MOST_QUERIES: usize = 50;

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    document: Map<String, Json>,
    /// Its id; none before it is stored.
    pub id: Option<Box<str>>,
    /// Its name, by which people know it.
    pub name: Box<str>,
    /// What it is for.
    pub description: Option<Box<str>>,
    /// How often it is evaluated.
    pub polling_interval: PollingInterval,
    /// What it asks.
    pub queries: Vec<NamedQuery>,
    /// What it looks for in the change log.
    pub change: Option<ChangeRule>,
    /// The saved question that it asks instead, which only JupiterOne has.
    pub question_id: Option<Box<str>>,
    /// What is done when.
    pub operations: Vec<Operation>,
    /// Which values are kept of an evaluation.
    pub outputs: Vec<Template>,
    /// Texts by name, for `mapTemplate`.
    pub templates: Templates,
    /// Labels by name.
    pub labels: Vec<(Box<str>, Box<str>)>,
    /// Tags; JupiterOne has given them up for labels.
    pub tags: Vec<Box<str>>,
    /// Somebody is told when an evaluation fails.
    pub notify_on_failure: bool,
    /// Only rows that the evaluation before did not have count.
    pub new_entities_only: bool,
    /// The evaluation before is forgotten.
    pub ignore_previous_results: bool,
    /// What a finding is about.
    pub subject: SubjectRule,
}

/// One of a rule's queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedQuery {
    /// Its name.
    pub name: Box<str>,
    /// J1QL.
    pub text: Box<str>,
    /// What is gone is asked for as well.
    pub include_deleted: bool,
}

/// What is done when.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// All of these must hold; none means always.
    pub when: Vec<Condition>,
    /// What is done.
    pub actions: Vec<Action>,
}

/// What a finding is about; a member of ours that JupiterOne does not have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubjectRule {
    /// The queries whose rows are subjects, and `changes`; empty for all.
    pub from: Vec<Box<str>>,
    /// The properties of a row that tell one subject from another; empty for its entities, else for all of it.
    pub key: Vec<Box<str>>,
    /// What it is called, of the row as `item`.
    pub name: Option<Template>,
    /// How bad it is, by the query that found it.
    pub levels: BTreeMap<Box<str>, Level>,
}

impl Instance {
    /// The document as it came.
    #[must_use]
    pub const fn document(&self) -> &Map<String, Json> {
        &self.document
    }

    /// What tells this rule from every other: its id, else its name.
    #[must_use]
    pub fn key(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.name)
    }

    /// Whether only rows that the evaluation before did not have count; without any condition they all do.
    #[must_use]
    pub fn counts_only_new(&self) -> bool {
        self.new_entities_only && self.operations.iter().any(|operation| !operation.when.is_empty())
    }

    /// Reads a document.
    ///
    /// # Errors
    ///
    /// Every mistake, with its place.
    pub fn read(document: &Json) -> Result<Self, Vec<Mistake>> {
        let mut found = Found::default();
        let read = Self::read_at(document, "", &mut found);
        match read {
            Some(read) if found.mistakes.is_empty() => Ok(read),
            _ => Err(found.mistakes),
        }
    }

    fn read_at(json: &Json, place: &str, found: &mut Found) -> Option<Self> {
        let fields = Fields::of(json, place, found)?;
        let name = fields.needed_text("name", found);
        if name.is_some_and(|name| name.chars().count() > 255) {
            found.mistake(fields.at("name"), "this is longer than 255 characters");
        }
        let queries = queries(&fields, found);
        let change =
            fields.get("change").and_then(|change| ChangeRule::read(change, fields.at("change"), found));
        let question_id = fields.text("questionId", found);
        sources(&fields, found);
        let (operations, interval) = (operations(&fields, found), interval(&fields, found));
        let new_entities_only = fields.flag("triggerActionsOnNewEntitiesOnly", found);
        if new_entities_only && operations.iter().all(|operation| operation.when.is_empty()) {
            found.note(
                fields.at("triggerActionsOnNewEntitiesOnly"),
                "this needs a `when`, which no operation has; it has no effect",
            );
        }
        for name in ["specVersion", "version"] {
            fields.number(name, found);
        }
        if fields.get("specVersion").and_then(Json::as_u64).is_some_and(|version| version != 1) {
            found.note(fields.at("specVersion"), "only version 1 is known; it is read as that");
        }
        let boxed = |text: Option<&str>| text.map(Into::into);
        Some(Self {
            id: boxed(fields.text("id", found)),
            description: boxed(fields.text("description", found)),
            polling_interval: interval,
            queries,
            change,
            question_id: boxed(question_id),
            operations,
            outputs: outputs(&fields, found),
            templates: templates(&fields, found),
            labels: labels(&fields, found),
            tags: fields.words("tags", found).into_iter().map(Into::into).collect(),
            notify_on_failure: fields.flag("notifyOnFailure", found),
            new_entities_only,
            ignore_previous_results: fields.flag("ignorePreviousResults", found),
            subject: subject(&fields, found),
            name: name?.into(),
            document: json.as_object()?.clone(),
        })
    }
}

/// Names a rule that looks at nothing, or cannot be evaluated here.
fn sources(fields: &Fields<'_>, found: &mut Found) {
    let has = |name: &str| fields.get(name).is_some();
    if !has("question") && !has("change") {
        if has("questionId") {
            found.note(
                fields.at("questionId"),
                "the question stands in JupiterOne, so the rule is kept and cannot be evaluated here",
            );
        } else {
            found.mistake(fields.place(), "the rule has neither a question nor a change to look for");
        }
    }
}

fn queries(fields: &Fields<'_>, found: &mut Found) -> Vec<NamedQuery> {
    let Some(question) = fields.inside("question", found) else { return Vec::new() };
    let items = question.list("queries", found);
    if items.is_empty() {
        found.mistake(question.at("queries"), "there is no query");
    }
    if items.len() > MOST_QUERIES {
        found.mistake(question.at("queries"), format!("there are more than {MOST_QUERIES} queries"));
        return Vec::new();
    }
    let mut queries: Vec<NamedQuery> = Vec::new();
    for (nth, (place, item)) in items.into_iter().enumerate() {
        let Some(query) = Fields::of(item, place, found) else { continue };
        let name = query.text("name", found).map_or_else(|| format!("query{nth}"), ToOwned::to_owned);
        let letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if name.is_empty() || !name.chars().all(letter) {
            found.mistake(query.at("name"), "a query's name holds letters, digits and _ only");
        }
        if queries.iter().any(|known| *known.name == *name) {
            found.mistake(query.at("name"), format!("another query is called `{name}`"));
        }
        let Some(text) = query.needed_text("query", found) else { continue };
        if let Err(why) = crate::query::check_template(text) {
            found.mistake(query.at("query"), why);
        }
        if query.get("version").is_some_and(|version| version.as_str() != Some("v1")) {
            found.note(query.at("version"), "only v1 is known; it is read as that");
        }
        let include_deleted = query.flag("includeDeleted", found);
        queries.push(NamedQuery { name: name.into(), text: text.into(), include_deleted });
    }
    queries
}

fn operations(fields: &Fields<'_>, found: &mut Found) -> Vec<Operation> {
    let items = fields.list("operations", found);
    if items.len() > MOST_OPERATIONS {
        found.mistake(fields.at("operations"), format!("there are more than {MOST_OPERATIONS} operations"));
        return Vec::new();
    }
    let mut operations = Vec::new();
    for (place, item) in items {
        let Some(operation) = Fields::of(item, place, found) else { continue };
        let when = match operation.get("when") {
            Some(Json::Array(_)) => {
                let conditions = operation.list("when", found).into_iter();
                conditions.filter_map(|(place, item)| Condition::read(item, place, found)).collect()
            }
            Some(one) => Condition::read(one, operation.at("when"), found).into_iter().collect(),
            None => Vec::new(),
        };
        operations.push(Operation { when, actions: Action::read_list(&operation, found, 0) });
    }
    operations
}

fn interval(fields: &Fields<'_>, found: &mut Found) -> PollingInterval {
    let interval = fields
        .text("pollingInterval", found)
        .map_or_else(PollingInterval::default, PollingInterval::from_word);
    if let PollingInterval::Other(word) = &interval {
        found.note(fields.at("pollingInterval"), format!("`{word}` is not known here, and is not scheduled"));
    }
    interval
}

fn outputs(fields: &Fields<'_>, found: &mut Found) -> Vec<Template> {
    let mut outputs = Vec::new();
    for (place, item) in fields.list("outputs", found) {
        match item.as_str().map(Template::expression) {
            Some(Ok(output)) => outputs.push(output),
            Some(Err(error)) => found.mistake(place, error.to_string()),
            None => found.mistake(place, "this should be a text"),
        }
    }
    outputs
}

fn templates(fields: &Fields<'_>, found: &mut Found) -> Templates {
    let Some(named) = fields.inside("templates", found) else { return Templates::new() };
    let mut templates = Templates::new();
    for name in named.names() {
        let Some(text) = named.text(name, found) else { continue };
        if let Some(template) = found.template(&named.at(name), text) {
            templates.insert(name.to_owned(), template);
        }
    }
    templates
}

fn labels(fields: &Fields<'_>, found: &mut Found) -> Vec<(Box<str>, Box<str>)> {
    let mut labels = Vec::new();
    for (place, item) in fields.list("labels", found) {
        let Some(label) = Fields::of(item, place, found) else { continue };
        let (name, value) = (label.needed_text("labelName", found), label.text("labelValue", found));
        labels.extend(name.map(|name| (name.into(), value.unwrap_or_default().into())));
    }
    labels
}

fn subject(fields: &Fields<'_>, found: &mut Found) -> SubjectRule {
    let Some(subject) = fields.inside("subject", found) else { return SubjectRule::default() };
    let mut levels = BTreeMap::new();
    if let Some(named) = subject.inside("levels", found) {
        for name in named.names() {
            match named.text(name, found).map(str::parse::<Level>) {
                Some(Ok(level)) => _ = levels.insert(name.into(), level),
                Some(Err(why)) => found.mistake(named.at(name), why),
                None => {}
            }
        }
    }
    let boxed = |words: Vec<&str>| words.into_iter().map(Into::into).collect();
    let name = subject.text("name", found);
    SubjectRule {
        from: boxed(subject.words("from", found)),
        key: boxed(subject.words("key", found)),
        name: name.and_then(|name| found.template(&subject.at("name"), name)),
        levels,
    }
}
