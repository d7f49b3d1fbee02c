//! What findings are about: rows, told apart by their keys.
//!
//! Invariant: a subject stands once in an evaluation, however many rows and queries found it.

use std::collections::HashMap;
use std::fmt::Write as _;

use metsuke_store::Document;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::Value as Json;

use crate::rules::instance::{Instance, SubjectRule};
use crate::rules::level::Level;
use crate::rules::template::{Budget, Scope, TemplateError, property, text_of};

/// The most rows that are kept of one subject.
const MOST_ROWS: usize = 20;

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subject {
    /// What tells it from every other finding of every rule; the same in each evaluation.
    pub fingerprint: String,
    /// What it is called.
    pub name: String,
    /// How bad it is, where it is told for it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The evaluation before did not have it; true where there was none.
    pub new: bool,
    /// The queries that found it, and `changes`.
    pub found_by: Vec<Box<str>>,
    /// The rows that speak of it, the first ones of many, as text: a rule may find a hundred thousand subjects.
    pub rows: Vec<Document>,
}

impl Subject {
    /// The row that tells most: the last one.
    #[must_use]
    pub fn row(&self) -> Json {
        self.rows.last().map(Document::to_json).unwrap_or_default()
    }
}

/// A rule's subjects while they are gathered.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    list: Vec<Subject>,
    places: HashMap<String, usize>,
}

impl Subjects {
    /// Takes a row that a query, or the change log, found.
    pub(super) fn take(
        &mut self,
        rule: &Instance,
        from: &str,
        (fingerprint, new): (&str, bool),
        row: &Json,
        scope: &Scope<'_>,
    ) -> Result<(), TemplateError> {
        let wanted = &rule.subject.from;
        if !wanted.is_empty() && wanted.iter().all(|name| **name != *from) {
            return Ok(());
        }
        let level = rule.subject.levels.get(from).copied();
        if let Some(known) = self.places.get(fingerprint).and_then(|place| self.list.get_mut(*place)) {
            known.level = known.level.max(level);
            if known.found_by.iter().all(|name| **name != *from) {
                known.found_by.push(from.into());
            }
            if known.rows.len() < MOST_ROWS {
                known.rows.push(Document::of(row));
            }
            return Ok(());
        }
        let name = name(rule, row, scope)?;
        self.places.insert(fingerprint.to_owned(), self.list.len());
        self.list.push(Subject {
            fingerprint: fingerprint.to_owned(),
            name,
            level,
            new,
            found_by: vec![from.into()],
            rows: vec![Document::of(row)],
        });
        Ok(())
    }

    pub(super) fn into_list(self) -> Vec<Subject> {
        self.list
    }
}

/// What tells a row's subject from every other: of the rule, and of what the row is about.
pub(crate) type Print = [u8; 16];

/// What tells a row's subject.
pub(super) fn print(rule: &Instance, row: &Json) -> Print {
    let mut bytes = Vec::new();
    let parts = std::iter::once(rule.key().to_owned()).chain(key(&rule.subject, row));
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    let mut print = Print::default();
    for (to, from) in print.iter_mut().zip(digest(&SHA256, &bytes).as_ref()) {
        *to = *from;
    }
    print
}

/// The same in 32 digits.
pub(super) fn fingerprint(print: &Print) -> String {
    let mut text = String::with_capacity(32);
    for byte in print {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

fn key(rule: &SubjectRule, row: &Json) -> Vec<String> {
    let text = |value: Option<&Json>| value.map(|value| text_of(value).into_owned()).unwrap_or_default();
    if !rule.key.is_empty() {
        return rule.key.iter().map(|name| text(at(row, name))).collect();
    }
    if row.get("change").is_some() && row.get("kind").is_some() {
        let of = |name: &str| text(at(row, name));
        return match &*of("kind") {
            "grant" => {
                ["kind", "resource.type", "resource.id", "entitlement", "principal.id"].map(of).to_vec()
            }
            _ => ["kind", "id"].map(of).to_vec(),
        };
    }
    let whole = |value: &Json| value.get("entity").is_some() || value.get("relationship").is_some();
    if whole(row) {
        return vec![text(row.get("id"))];
    }
    let members = row.as_object().into_iter().flat_map(|row| row.values());
    let ids: Vec<String> = members.filter(|value| whole(value)).map(|value| text(value.get("id"))).collect();
    if ids.is_empty() { vec![row.to_string()] } else { ids }
}

/// A property by name; a name with dots also leads into objects.
fn at<'j>(row: &'j Json, name: &str) -> Option<&'j Json> {
    property(row, name).or_else(|| name.split('.').try_fold(row, |row, part| property(row, part)))
}

/// What a row's subject is called.
pub(super) fn name(rule: &Instance, row: &Json, scope: &Scope<'_>) -> Result<String, TemplateError> {
    match &rule.subject.name {
        Some(name) => {
            let budget = Budget::default();
            name.text(&scope.spending(&budget).with("item", row))
        }
        None => Ok(usual_name(row)),
    }
}

fn usual_name(row: &Json) -> String {
    let known =
        ["displayName", "name", "email", "principal.email"].iter().find_map(|name| at(row, name)?.as_str());
    if let Some(name) = known {
        return name.to_owned();
    }
    let texts = row.as_object().into_iter().flat_map(|row| row.values()).filter(|value| value.is_string());
    let texts: Vec<_> = texts.map(|value| text_of(value)).collect();
    texts.join(" ")
}
