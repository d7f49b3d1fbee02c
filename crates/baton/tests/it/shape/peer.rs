//! Grant expansion as a reader does it, on messages alone and over all resources at once.
//!
//! Source: what the ecosystem's own expansion was seen to do with shallow edges; written from those observations and
//! not from our code.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_baton::any::{find, pack};
use metsuke_baton::proto::connector::grant_sources::GrantSource;
use metsuke_baton::proto::connector::{Grant, GrantExpandable, GrantImmutable, GrantSources};

/// A file on its way: its grants by id, and the ids of those on each entitlement.
#[derive(Default)]
struct Rows {
    grants: BTreeMap<String, Grant>,
    on: BTreeMap<String, BTreeSet<String>>,
}

/// Everything that a file then holds, by id.
pub(crate) fn expand(unexpanded: &[Grant]) -> BTreeMap<String, Grant> {
    let mut rows = Rows::default();
    for grant in unexpanded {
        rows.put(grant.clone());
    }
    for edge in unexpanded {
        let Some(expandable) = find::<GrantExpandable>(&edge.annotations) else { continue };
        assert!(expandable.shallow);
        for source in &expandable.entitlement_ids {
            for holder in rows.on.get(source).cloned().unwrap_or_default() {
                let holder = rows.grants[&holder].clone();
                let own = holder.sources.as_ref().map(|all| &all.sources);
                let direct = own.is_none_or(|all| all.is_empty() || all.contains_key(source));
                let kind = &holder.principal.as_ref().unwrap().id.as_ref().unwrap().resource_type;
                if direct && expandable.resource_type_ids.contains(kind) {
                    rows.reach(edge, source, &holder);
                }
            }
        }
    }
    rows.grants
}

fn entitlement(grant: &Grant) -> &str {
    &grant.entitlement.as_ref().unwrap().id
}

impl Rows {
    fn put(&mut self, grant: Grant) {
        self.on.entry(entitlement(&grant).to_owned()).or_default().insert(grant.id.clone());
        self.grants.insert(grant.id.clone(), grant);
    }

    /// The holder of a source comes to the target of an edge.
    fn reach(&mut self, edge: &Grant, source: &str, holder: &Grant) {
        let id = holder.principal.as_ref().unwrap().id.as_ref().unwrap();
        let target = entitlement(edge).to_owned();
        let key = format!("{target}:{}:{}", id.resource_type, id.resource);
        let entry = GrantSource { is_direct: true };
        if let Some(known) = self.grants.get_mut(&key) {
            let sources = &mut known.sources.get_or_insert_default().sources;
            if sources.is_empty() {
                sources.insert(target, entry);
            }
            sources.insert(source.to_owned(), entry);
            return;
        }
        let sources = GrantSources { sources: BTreeMap::from([(source.to_owned(), entry)]) };
        self.put(Grant {
            id: key,
            entitlement: edge.entitlement.clone(),
            principal: holder.principal.clone(),
            annotations: vec![pack(&GrantImmutable::default())],
            sources: Some(sources),
        });
    }
}
