//! Grant expansion as a reader does it, on messages alone and over all resources at once.
//!
//! Source: what the ecosystem's own expansion was seen to do with shallow edges; written from those observations and
//! not from our code.

use std::collections::BTreeMap;

use metsuke_baton::any::{find, pack};
use metsuke_baton::proto::connector::grant_sources::GrantSource;
use metsuke_baton::proto::connector::{Grant, GrantExpandable, GrantImmutable, GrantSources};

/// Everything that a file then holds, by id.
pub(crate) fn expand(unexpanded: &[Grant]) -> BTreeMap<String, Grant> {
    let mut grants: BTreeMap<String, Grant> =
        unexpanded.iter().map(|grant| (grant.id.clone(), grant.clone())).collect();
    for edge in unexpanded {
        let Some(expandable) = find::<GrantExpandable>(&edge.annotations) else { continue };
        assert!(expandable.shallow);
        for source in &expandable.entitlement_ids {
            for holder in grants.clone().values().filter(|grant| entitlement(grant) == source) {
                let own = holder.sources.as_ref().map(|all| &all.sources);
                let direct = own.is_none_or(|all| all.is_empty() || all.contains_key(source));
                let kind = &holder.principal.as_ref().unwrap().id.as_ref().unwrap().resource_type;
                if direct && expandable.resource_type_ids.contains(kind) {
                    reach(&mut grants, edge, source, holder);
                }
            }
        }
    }
    grants
}

fn entitlement(grant: &Grant) -> &str {
    &grant.entitlement.as_ref().unwrap().id
}

/// The holder of a source comes to the target of an edge.
fn reach(grants: &mut BTreeMap<String, Grant>, edge: &Grant, source: &str, holder: &Grant) {
    let id = holder.principal.as_ref().unwrap().id.as_ref().unwrap();
    let target = entitlement(edge).to_owned();
    let key = format!("{target}:{}:{}", id.resource_type, id.resource);
    let entry = GrantSource { is_direct: true };
    if let Some(known) = grants.get_mut(&key) {
        let sources = &mut known.sources.get_or_insert_default().sources;
        if sources.is_empty() {
            sources.insert(target, entry);
        }
        sources.insert(source.to_owned(), entry);
        return;
    }
    let sources = GrantSources { sources: BTreeMap::from([(source.to_owned(), entry)]) };
    grants.insert(
        key.clone(),
        Grant {
            id: key,
            entitlement: edge.entitlement.clone(),
            principal: holder.principal.clone(),
            annotations: vec![pack(&GrantImmutable::default())],
            sources: Some(sources),
        },
    );
}
