//! What a version must hold, said a second time and more simply: no ids of its own, no hashes, no differences.
//!
//! Invariant: it takes nothing from the store but the words of the model.

use std::collections::BTreeSet;

use metsuke_model::record::Team;
use metsuke_model::{Changes, Counts, Coverage, Estate, HerokuId, Kind, Record, Resource, ResourceType};
use serde_json::Value;

use crate::document::{Document, State, TEXT, document, rank};

/// One object as it was read.
struct Listed {
    kind: Kind,
    id: HerokuId,
    document: Document,
    /// It says that the object is there, and little more.
    hint: bool,
}

fn listed<T: Record>(all: &mut Vec<Listed>, records: &[T], hint: impl Fn(&T) -> bool) {
    all.extend(records.iter().map(|record| Listed {
        kind: T::KIND,
        id: record.id().clone(),
        document: document(record),
        hint: hint(record),
    }));
}

/// Everything that was read, in an order in which parents come first.
fn everything(estate: &Estate) -> Vec<Listed> {
    let mut all = Vec::new();
    listed(&mut all, &estate.users, |_| false);
    listed(&mut all, &estate.enterprise_accounts, |_| false);
    listed(&mut all, &estate.teams, |team: &Team| team.listed != Some(true));
    listed(&mut all, &estate.spaces, |_| false);
    listed(&mut all, &estate.apps, |_| false);
    listed(&mut all, &estate.hinted_apps, |_| true);
    listed(&mut all, &estate.addons, |_| false);
    listed(&mut all, &estate.attachments, |_| false);
    listed(&mut all, &estate.pipelines, |_| false);
    listed(&mut all, &estate.couplings, |_| false);
    listed(&mut all, &estate.invitations, |_| false);
    listed(&mut all, &estate.unresolved_members, |_| false);
    listed(&mut all, &estate.authorizations, |_| false);
    listed(&mut all, &estate.keys, |_| false);
    all
}

/// The next version.
pub(crate) fn after(before: &State, estate: &Estate, coverage: &Coverage) -> State {
    let mut state = before.clone();
    let all = everything(estate);
    for read in &all {
        let key = (read.kind, read.id.clone());
        let known = before.objects.get(&key);
        let document = match known {
            Some(known) if read.hint => known.clone(),
            Some(known) if read.kind == Kind::User && !coverage.proves_gone(Kind::User, None) => {
                filled(&read.document, known)
            }
            _ => read.document.clone(),
        };
        state.objects.insert(key, document);
    }
    let read: BTreeSet<(Kind, &HerokuId)> = all.iter().map(|read| (read.kind, &read.id)).collect();
    for kind in Kind::ALL {
        let teams: BTreeSet<HerokuId> =
            state.objects.keys().filter(|(kind, _)| *kind == Kind::Team).map(|(_, id)| id.clone()).collect();
        state.objects.retain(|(of, id), document| {
            if *of != kind || read.contains(&(*of, id)) {
                return true;
            }
            let belongs = matches!(kind, Kind::App | Kind::Invitation | Kind::UnresolvedMember);
            let parent = document.get("team").and_then(Value::as_str).map(HerokuId::new).filter(|_| belongs);
            let orphan = parent.as_ref().is_some_and(|parent| !teams.contains(parent));
            !(coverage.proves_gone(kind, parent.as_ref()) || orphan && coverage.proves_orphans_gone(kind))
        });
    }
    hold(&mut state, estate, coverage);
    state
}

/// What no source told stays; an address in another spelling is the same address.
fn filled(read: &Document, known: &Document) -> Document {
    let bare = read.get(TEXT).and_then(Value::as_str) == Some("{}");
    let mut document = if bare { known.clone() } else { Document::new() };
    for (name, value) in read {
        let before = known.get(name).unwrap_or(&Value::Null);
        let same = match (value, before) {
            (Value::String(text), Value::String(before)) => text.eq_ignore_ascii_case(before),
            _ => value.is_null(),
        };
        if name != TEXT || !bare {
            let column = Kind::User.columns().iter().any(|column| column.name == name);
            document.insert(name.clone(), if same && column { before.clone() } else { value.clone() });
        }
    }
    document
}

/// Access: what was read replaces what was known of a pair; what was not read is gone where that is proved.
fn hold(state: &mut State, estate: &Estate, coverage: &Coverage) {
    let of = |resource: u32, principal: u32| {
        let resource = &estate.resources[resource as usize];
        let principal = &estate.principals[principal as usize];
        (rank(resource.resource_type), resource.id.clone(), principal.clone())
    };
    let mut read = State::default();
    for row in &estate.access {
        let resource_type = estate.resources[row.resource as usize].resource_type;
        let slugs = row.mask.entitlements(resource_type).map(|entitlement| entitlement.slug().to_owned());
        read.access.entry(of(row.resource, row.principal)).or_default().extend(slugs);
    }
    for (resource, principal, slug) in &estate.other_access {
        read.access.entry(of(*resource, *principal)).or_default().insert(slug.to_string());
    }
    let types = [ResourceType::Team, ResourceType::EnterpriseAccount, ResourceType::App, ResourceType::Space];
    let objects = &state.objects;
    state.access.retain(|(number, id, _), _| {
        let resource_type = types.into_iter().find(|resource_type| rank(*resource_type) == *number).unwrap();
        let there = objects.contains_key(&(resource_type.kind(), id.clone()));
        there && !coverage.proves_access(&Resource { resource_type, id: id.clone() })
    });
    state.access.extend(read.access);
}

/// How many of each a version holds.
pub(crate) fn counts(state: &State) -> Counts {
    let is_listed = |document: &&Document| document.get("listed") == Some(&Value::Bool(true));
    let teams = state.objects.iter().filter(|((kind, _), _)| *kind == Kind::Team);
    Counts {
        users: state.count(Kind::User),
        teams: teams.filter(|(_, document)| is_listed(document)).count() as u64,
        enterprise_accounts: state.count(Kind::EnterpriseAccount),
        apps: state.count(Kind::App),
        addons: state.count(Kind::AddOn),
        invitations: state.count(Kind::Invitation),
        grants: state.grants(false).len() as u64,
    }
}

/// How many objects and grants differ.
pub(crate) fn changes(before: &State, after: &State) -> Changes {
    let (was, is) = (before.grants(false), after.grants(false));
    let came = after.objects.keys().filter(|key| !before.objects.contains_key(*key)).count();
    let went = before.objects.keys().filter(|key| !after.objects.contains_key(*key)).count();
    let differs = |(key, document): &(&(Kind, HerokuId), &Document)| {
        before.objects.get(*key).is_some_and(|known| known != *document)
    };
    Changes {
        added: (came + is.difference(&was).count()) as u64,
        removed: (went + was.difference(&is).count()) as u64,
        changed: after.objects.iter().filter(differs).count() as u64,
    }
}
