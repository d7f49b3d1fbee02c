//! Change rules: what is looked for in the change log between two versions.
//!
//! The log is the store's; which two versions are compared is the evaluation's to say.
//!
//! Invariant: an entry fires for what the log says of it, never for how things are now.

use std::collections::BTreeSet;

use metsuke_model::{Kind, ResourceType, Version};
use metsuke_store::{Change, ChangeKind, Changed};
use serde_json::{Value as Json, json};

use super::condition::Condition;
use super::mistake::{Fields, Found};
use super::template::{Scope, TemplateError};

/// What is looked for; what is empty is not asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangeRule {
    /// Grants are looked at.
    pub grants: bool,
    /// Objects of these kinds are looked at.
    pub kinds: Vec<Kind>,
    /// What happened.
    pub changes: Vec<ChangeKind>,
    /// Which entitlements, of grants.
    pub entitlements: Vec<Box<str>>,
    /// On which resources, of grants.
    pub resources: Vec<ResourceType>,
    /// Which properties differ, of objects.
    pub properties: Vec<Box<str>>,
    /// Only what was not done through Metsuke.
    pub by_others: bool,
    /// What must hold of the entry, which is `change` there; the results of the rule's queries are in reach.
    pub when: Option<Condition>,
}

const CHANGES: [ChangeKind; 3] = [ChangeKind::Added, ChangeKind::Removed, ChangeKind::Changed];
const RESOURCES: [ResourceType; 4] =
    [ResourceType::Team, ResourceType::EnterpriseAccount, ResourceType::App, ResourceType::Space];
const KNOWN: [&str; 7] = ["what", "change", "entitlement", "resource", "properties", "by", "when"];

impl ChangeRule {
    /// Reads the `change` member of a rule.
    pub(super) fn read(json: &Json, place: String, found: &mut Found) -> Option<Self> {
        let fields = Fields::of(json, place, found)?;
        for name in fields.names().filter(|name| !KNOWN.contains(name)) {
            found.mistake(
                fields.at(name),
                format!("a change rule has no such member; it has {}", KNOWN.join(", ")),
            );
        }
        let mut rule = Self::default();
        let words = fields.words("what", found);
        for word in &words {
            match Kind::ALL.into_iter().find(|kind| kind.as_str() == *word) {
                Some(kind) => rule.kinds.push(kind),
                None if *word == "grant" => rule.grants = true,
                None => unknown(&fields, "what", word, &kinds(), found),
            }
        }
        if words.is_empty() {
            (rule.grants, rule.kinds) = (true, Kind::ALL.to_vec());
        }
        for word in fields.words("change", found) {
            match CHANGES.into_iter().find(|change| change.as_str() == word) {
                Some(change) => rule.changes.push(change),
                None => unknown(&fields, "change", word, &CHANGES.map(ChangeKind::as_str), found),
            }
        }
        for word in fields.words("resource", found) {
            match RESOURCES.into_iter().find(|known| known.as_str() == word) {
                Some(known) => rule.resources.push(known),
                None => unknown(&fields, "resource", word, &RESOURCES.map(ResourceType::as_str), found),
            }
        }
        rule.entitlements = fields.words("entitlement", found).into_iter().map(Into::into).collect();
        rule.properties = fields.words("properties", found).into_iter().map(Into::into).collect();
        match fields.text("by", found) {
            None | Some("anybody") => {}
            Some("others") => rule.by_others = true,
            Some(word) => unknown(&fields, "by", word, &["anybody", "others"], found),
        }
        if let Some(when) = fields.get("when") {
            rule.when = Condition::read_tree(when, &fields.at("when"), found, 0);
        }
        Some(rule)
    }

    /// Whether an entry is of a sort that is looked for; `own` are the versions that Metsuke itself wrote.
    #[must_use]
    pub fn looks_at(&self, change: &Change, own: &BTreeSet<Version>) -> bool {
        let listed =
            |list: &[Box<str>], word: &str| list.is_empty() || list.iter().any(|known| **known == *word);
        let of_interest = match &change.changed {
            Changed::Grant { resource_type, entitlement, .. } => {
                self.grants
                    && listed(&self.entitlements, entitlement)
                    && (self.resources.is_empty() || self.resources.contains(resource_type))
            }
            Changed::Object { kind, before, after, .. } => {
                let differ = |name: &str| before.contains_key(name) || after.contains_key(name);
                self.kinds.contains(kind)
                    && (self.properties.is_empty() || self.properties.iter().any(|name| differ(name)))
            }
        };
        let happened = self.changes.is_empty() || self.changes.contains(&change.change);
        of_interest && happened && !(self.by_others && own.contains(&change.version))
    }

    /// Whether an entry of such a sort, as a row, is one that is looked for.
    ///
    /// # Errors
    ///
    /// As [`Condition::holds`].
    pub fn fires(&self, row: &Json, scope: &Scope<'_>) -> Result<bool, TemplateError> {
        match &self.when {
            Some(when) => when.holds(&scope.with("change", row)),
            None => Ok(true),
        }
    }
}

fn kinds() -> Vec<&'static str> {
    std::iter::once("grant").chain(Kind::ALL.map(Kind::as_str)).collect()
}

fn unknown(fields: &Fields<'_>, name: &str, word: &str, known: &[&str], found: &mut Found) {
    found.mistake(fields.at(name), format!("`{word}` is none of {}", known.join(", ")));
}

/// An entry of the log as a row: the members that `metsuke changes` prints.
#[must_use]
pub fn row(change: &Change) -> Json {
    let (version, at, word) = (change.version, change.at.to_string(), change.change.as_str());
    match &change.changed {
        Changed::Object { kind, id, name, before, after } => json!({
            "version": version, "at": at, "change": word, "kind": kind.as_str(),
            "id": id.to_string(), "name": name, "before": before, "after": after,
        }),
        Changed::Grant { resource_type, resource, resource_name, principal, email, entitlement } => json!({
            "version": version, "at": at, "change": word, "kind": "grant",
            "principal": { "kind": "user", "id": principal.to_string(), "email": email },
            "resource": { "type": resource_type.as_str(), "id": resource.to_string(), "name": resource_name },
            "entitlement": entitlement,
        }),
    }
}
