//! Rules in and out: files of rule instances or packs, and what JupiterOne takes.
//!
//! Keeping them is not done here.
//!
//! Invariant: a file with a single mistake is not imported at all, and every mistake is named.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Instance, pack};
use crate::rules::mistake::{Found, Mistake};

/// The most bytes of a file.
pub const MOST_BYTES: usize = 16 << 20;
/// The most rules of a file.
const MOST_RULES: usize = 10_000;

/// Members that JupiterOne itself writes, about another account's evaluations.
const WRITTEN_THERE: [&str; 11] = [
    "accountId",
    "latest",
    "deleted",
    "type",
    "latestAlertId",
    "latestAlertIsActive",
    "lastEvaluationStartOn",
    "lastEvaluationEndOn",
    "evaluationStep",
    "state",
    "questionName",
];
/// Members that only rules here have.
const ONLY_HERE: [&str; 2] = ["change", "subject"];

/// What a file holds.
#[derive(Debug)]
pub struct Imported {
    /// Its rules.
    pub rules: Vec<Instance>,
    /// What is odd about them, or not done here.
    pub notes: Vec<Mistake>,
}

/// What goes out.
#[derive(Debug)]
pub struct Exported {
    /// The rules, as one list.
    pub document: Json,
    /// What does not go out, and why; the place is the rule's name.
    pub left_out: Vec<Mistake>,
}

/// Reads a file: a rule or a list of rules, each an instance or in the short form of packs.
///
/// # Errors
///
/// Every mistake, with its place.
pub fn import(text: &str) -> Result<Imported, Vec<Mistake>> {
    let whole = |what: String| vec![Mistake { place: String::new(), what }];
    if text.len() > MOST_BYTES {
        return Err(whole(format!("the file has more than {} MB", MOST_BYTES >> 20)));
    }
    let document: Json =
        serde_json::from_str(text).map_err(|error| whole(format!("this is no JSON: {error}")))?;
    let mut found = Found::default();
    let mut rules = Vec::new();
    match &document {
        Json::Array(items) if items.len() > MOST_RULES => {
            return Err(whole(format!("the file has more than {MOST_RULES} rules")));
        }
        Json::Array(items) => {
            for (nth, item) in items.iter().enumerate() {
                rules.extend(one(item, &format!("[{nth}]"), &mut found));
            }
        }
        one_rule => rules.extend(one(one_rule, "", &mut found)),
    }
    let mut names = BTreeSet::new();
    for (nth, rule) in rules.iter().enumerate() {
        if !names.insert(&rule.name) {
            found.mistake(format!("[{nth}].name"), format!("another rule is called `{}`", rule.name));
        }
    }
    if found.mistakes.is_empty() { Ok(Imported { rules, notes: found.notes }) } else { Err(found.mistakes) }
}

fn one(json: &Json, place: &str, found: &mut Found) -> Option<Instance> {
    if pack::is_one(json) {
        return Instance::read_at(&pack::expanded(json), place, found);
    }
    Instance::read_at(json, place, found)
}

/// Writes rules for JupiterOne: without what only rules here have, and without what JupiterOne writes itself.
#[must_use]
pub fn export<'r>(rules: impl IntoIterator<Item = &'r Instance>) -> Exported {
    let (mut written, mut left_out) = (Vec::new(), Vec::new());
    for rule in rules {
        let mut leave =
            |what: &str| left_out.push(Mistake { place: rule.name.to_string(), what: what.into() });
        if rule.change.is_some() {
            leave("JupiterOne cannot look for changes");
            continue;
        }
        if rule.queries.iter().any(|query| has_word(&query.text, "ACCESSES")) {
            leave("JupiterOne has no relationship ACCESSES: effective access is computed here");
            continue;
        }
        let mut document = rule.document.clone();
        document.retain(|name, _| !ONLY_HERE.contains(&&**name) && !WRITTEN_THERE.contains(&&**name));
        written.push(Json::Object(document));
    }
    Exported { document: Json::Array(written), left_out }
}

/// One rule as a file that [`import`] reads again: with what only rules here have, and without what JupiterOne writes itself.
#[must_use]
pub fn export_one(document: &Json) -> Json {
    let mut document = document.clone();
    if let Some(members) = document.as_object_mut() {
        members.retain(|name, _| !WRITTEN_THERE.contains(&&**name));
    }
    document
}

/// Whether a word stands in a query, in any case.
fn has_word(query: &str, word: &str) -> bool {
    query.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
}
