//! Which entries of the change log are about a finding, and which undo it.
//!
//! Invariant: an entry is about a finding only if the finding's rows name what the entry is about; of a grant, both who
//! and on what.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use metsuke_store::{Change, ChangeKind, Changed};
use serde_json::{Value as Json, json};

use super::evidence::Difference;

/// The texts that stand in rows, in small letters.
pub(super) fn texts(rows: &[Json]) -> HashSet<String> {
    fn gather(value: &Json, texts: &mut HashSet<String>) {
        match value {
            Json::String(text) if !text.is_empty() => _ = texts.insert(text.to_lowercase()),
            Json::Array(items) => items.iter().for_each(|item| gather(item, texts)),
            Json::Object(members) => members.values().for_each(|member| gather(member, texts)),
            _ => {}
        }
    }
    let mut found = HashSet::new();
    for row in rows {
        gather(row, &mut found);
    }
    found
}

/// The entries of a change log, found by what they are about.
#[derive(Debug)]
pub(super) struct Log {
    entries: Arc<[Change]>,
    /// The places of the entries by the id and the name, in small letters, of what each is about, and of a grant by those of what it
    /// is on; made once it is needed.
    places: OnceLock<HashMap<String, Vec<usize>>>,
}

impl Log {
    /// The log of these entries.
    pub(super) const fn of(entries: Arc<[Change]>) -> Self {
        Self { entries, places: OnceLock::new() }
    }

    /// Whether it is the log of these very entries.
    pub(super) fn is_of(&self, entries: &Arc<[Change]>) -> bool {
        Arc::ptr_eq(&self.entries, entries)
    }

    /// The entries that are about what these texts name, in their order.
    pub(super) fn about(&self, texts: &HashSet<String>) -> Vec<&Change> {
        let known = self.places();
        let mut places: Vec<usize> = if texts.len() <= known.len() {
            texts.iter().filter_map(|text| known.get(text)).flatten().copied().collect()
        } else {
            known
                .iter()
                .filter(|(text, _)| texts.contains(*text))
                .flat_map(|(_, places)| places)
                .copied()
                .collect()
        };
        places.sort_unstable();
        places.dedup();
        self.at(places).filter(|change| concerns(change, texts)).collect()
    }

    /// Whether an entry undoes the one that a row shows.
    pub(super) fn undoes(&self, row: &Json) -> bool {
        let on = row["resource"]["id"].as_str().or_else(|| row["id"].as_str()).unwrap_or_default();
        let places = self.places().get(&on.to_lowercase());
        self.at(places.into_iter().flatten().copied()).any(|change| undoes(change, row))
    }

    fn at(&self, places: impl IntoIterator<Item = usize>) -> impl Iterator<Item = &Change> {
        places.into_iter().filter_map(|place| self.entries.get(place))
    }

    fn places(&self) -> &HashMap<String, Vec<usize>> {
        self.places.get_or_init(|| {
            let mut places: HashMap<String, Vec<usize>> = HashMap::new();
            for (place, change) in self.entries.iter().enumerate() {
                let (id, name) = match &change.changed {
                    Changed::Object { id, name, .. } => (id, &**name),
                    Changed::Grant { resource, resource_name, .. } => (resource, &**resource_name),
                };
                for text in [id.to_string(), name.to_owned()] {
                    places.entry(text.to_lowercase()).or_default().push(place);
                }
            }
            places
        })
    }
}

/// Whether an entry is about what these texts name.
fn concerns(change: &Change, texts: &HashSet<String>) -> bool {
    let named = |text: &str| texts.contains(&text.to_lowercase());
    match &change.changed {
        Changed::Object { id, name, .. } => named(&id.to_string()) || named(name),
        Changed::Grant { resource, resource_name, principal, email, .. } => {
            let who = named(&principal.to_string()) || named(email);
            who && (named(&resource.to_string()) || named(resource_name))
        }
    }
}

/// Whether an entry undoes the one that a row shows.
fn undoes(change: &Change, row: &Json) -> bool {
    if row["version"].as_i64().is_none_or(|version| change.version.0 <= version) {
        return false;
    }
    let opposite = match row["change"].as_str() {
        Some("removed") => change.change == ChangeKind::Added,
        _ => change.change == ChangeKind::Removed,
    };
    match &change.changed {
        Changed::Grant { resource, principal, entitlement, .. } => {
            opposite
                && row["resource"]["id"] == resource.to_string()
                && row["principal"]["id"] == principal.to_string()
                && row["entitlement"] == **entitlement
        }
        Changed::Object { kind, id, after, .. } => {
            let same = row["kind"] == kind.as_str() && row["id"] == id.to_string();
            let returned = || {
                let before = row["before"].as_object().filter(|before| !before.is_empty());
                row["change"] == "changed"
                    && before
                        .is_some_and(|before| before.iter().all(|(name, was)| after.get(name) == Some(was)))
            };
            same && (opposite || returned())
        }
    }
}

/// What entries say that differs. A role that went and one that came in its place are one difference.
pub(super) fn differences(changes: &[&Change]) -> Vec<Difference> {
    let mut differences: Vec<Difference> = Vec::new();
    for one in changes.iter().flat_map(|change| each(change)) {
        let fits = |other: &&mut Difference| {
            let (came, went) = (one.before.is_null(), one.after.is_null());
            one.property == ENTITLEMENT
                && (&other.what, &other.property) == (&one.what, &one.property)
                && ((came && other.after.is_null()) || (went && other.before.is_null()))
        };
        match differences.iter_mut().find(fits) {
            Some(other) if other.after.is_null() => other.after = one.after,
            Some(other) => other.before = one.before,
            None => differences.push(one),
        }
    }
    differences
}

/// The property that differs where somebody gains or loses something.
const ENTITLEMENT: &str = "entitlement";

/// What one entry says.
fn each(change: &Change) -> Vec<Difference> {
    match &change.changed {
        Changed::Grant { resource_type, resource_name, email, principal, entitlement, .. } => {
            let who = if email.is_empty() { principal.to_string() } else { email.clone() };
            let what = format!("{who} on {} {resource_name}", resource_type.as_str());
            let held: Json = (**entitlement).into();
            let (before, after) = match change.change {
                ChangeKind::Removed => (held, Json::Null),
                _ => (Json::Null, held),
            };
            vec![Difference { what, property: ENTITLEMENT.into(), before, after }]
        }
        Changed::Object { kind, name, before, after, .. } => {
            let what = format!("{} {name}", kind.as_str());
            let word = |there: bool| if there { json!("there") } else { Json::Null };
            match change.change {
                ChangeKind::Changed => {
                    let names: std::collections::BTreeSet<&String> =
                        before.keys().chain(after.keys()).collect();
                    let value = |of: &serde_json::Map<String, Json>, name: &str| {
                        of.get(name).cloned().unwrap_or_default()
                    };
                    let difference = |name: &String| Difference {
                        what: what.clone(),
                        property: name.clone(),
                        before: value(before, name),
                        after: value(after, name),
                    };
                    names.into_iter().map(difference).collect()
                }
                came => {
                    let there = came == ChangeKind::Added;
                    let (before, after) = (word(!there), word(there));
                    vec![Difference { what, property: "existence".into(), before, after }]
                }
            }
        }
    }
}
