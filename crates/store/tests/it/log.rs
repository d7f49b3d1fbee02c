//! The change log, applied to an old version, gives the new one.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_model::{HerokuId, Kind};
use metsuke_store::{Change, ChangeKind, Changed};
use serde_json::{Map, Value};

use crate::document::{Document, State, TEXT, rank};

/// What the log lets one know of an object: all of it, or that it is there.
type Known = Option<Document>;

/// Applies the log and compares.
pub(crate) fn assert_folds(old: &State, new: &State, log: &[Change], told: &str) {
    let bare = |document: &Document| {
        let rest = document.iter().filter(|(name, value)| *name != TEXT && !value.is_null());
        rest.map(|(name, value)| (name.clone(), value.clone())).collect::<Document>()
    };
    let mut there: BTreeMap<(Kind, HerokuId), Known> =
        old.objects.iter().map(|(key, document)| (key.clone(), Some(bare(document)))).collect();
    let mut gone: BTreeMap<(Kind, HerokuId), Known> = BTreeMap::new();
    let mut grants = old.grants(true);
    for change in log {
        let told = format!("{told}: {change:?}");
        match &change.changed {
            Changed::Object { kind, id, before, after, .. } => {
                let key = (*kind, id.clone());
                match change.change {
                    ChangeKind::Removed => {
                        let known = there.remove(&key).unwrap_or_else(|| panic!("{told}"));
                        gone.insert(key, known);
                    }
                    ChangeKind::Added => {
                        let known = gone.remove(&key).flatten();
                        let known = known.map(|known| patched(known, before, after, &told));
                        assert!(there.insert(key, known).is_none(), "{told}");
                    }
                    ChangeKind::Changed => {
                        assert_ne!(before, after, "{told}");
                        let known = there.remove(&key).unwrap_or_else(|| panic!("{told}"));
                        there.insert(key, known.map(|known| patched(known, before, after, &told)));
                    }
                }
            }
            Changed::Grant { resource_type, resource, principal, entitlement, .. } => {
                let grant = (rank(*resource_type), resource.clone(), principal.clone(), entitlement.clone());
                match change.change {
                    ChangeKind::Added => assert!(grants.insert(grant), "{told}"),
                    ChangeKind::Removed => assert!(grants.remove(&grant), "{told}"),
                    ChangeKind::Changed => panic!("{told}"),
                }
            }
        }
    }
    let (found, wanted): (BTreeSet<_>, BTreeSet<_>) = (there.keys().collect(), new.objects.keys().collect());
    assert_eq!(found, wanted, "{told}");
    for (key, known) in there {
        if let Some(known) = known {
            assert_eq!(known, bare(&new.objects[&key]), "{told}: {key:?}");
        }
    }
    assert_eq!(grants, new.grants(true), "{told}");
}

fn patched(
    mut known: Document,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    told: &str,
) -> Document {
    let names = |map: &Map<String, Value>| map.keys().cloned().collect::<BTreeSet<String>>();
    assert_eq!(names(before), names(after), "{told}");
    for (name, value) in after {
        assert_eq!(known.get(name).unwrap_or(&Value::Null), &before[name], "{told}");
        if value.is_null() {
            known.remove(name);
        } else {
            known.insert(name.clone(), value.clone());
        }
    }
    known
}
