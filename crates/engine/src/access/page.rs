//! Grants in pages, for estates whose grants are too many for one answer.
//!
//! The lines are those of [`grants`](super::grants()); only their order is another.
//!
//! Invariant: a page goes on behind a line, by resource, principal and entitlement, and reads no more resources than it needs.

use metsuke_model::record::{App, EnterpriseAccount, Team};
use metsuke_model::{Grant, HerokuId, Record, ResourceType};
use metsuke_store::{Select, Snapshot};
use serde::{Deserialize, Serialize};

use super::grants::{GrantFilter, grants, grants_on};
use crate::EngineError;

/// Resources that are read together at first, and at most.
const CHUNK: (u32, u32) = (4, 256);

/// The place of one line among all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantKey {
    /// The type of the resource.
    pub on: ResourceType,
    /// Its id.
    pub resource: HerokuId,
    /// The principal's id.
    pub principal: HerokuId,
    /// The entitlement.
    pub entitlement: Box<str>,
}

impl GrantKey {
    /// The place of a line.
    #[must_use]
    pub fn of(grant: &Grant) -> Self {
        Self {
            on: grant.resource.resource_type,
            resource: grant.resource.id.clone(),
            principal: grant.principal.id.clone(),
            entitlement: grant.entitlement.clone(),
        }
    }

    fn order(&self) -> (u8, Vec<u8>, Vec<u8>, &str) {
        (stage(self.on), self.resource.to_bytes(), self.principal.to_bytes(), &self.entitlement)
    }
}

/// The types of resources in their order.
const STAGES: [ResourceType; 3] = [ResourceType::Team, ResourceType::EnterpriseAccount, ResourceType::App];

const fn stage(on: ResourceType) -> u8 {
    match on {
        ResourceType::Team => 0,
        ResourceType::EnterpriseAccount => 1,
        _ => 2,
    }
}

/// At most `count` lines behind `after`.
///
/// # Errors
///
/// As [`grants`](super::grants()).
pub async fn grants_page(
    snapshot: &mut Snapshot,
    filter: &GrantFilter,
    after: Option<&GrantKey>,
    count: usize,
) -> Result<Vec<Grant>, EngineError> {
    let narrowed = filter.user.is_some()
        || filter.team.is_some()
        || filter.app.is_some()
        || filter.enterprise_account.is_some();
    if narrowed {
        let mut found = Vec::new();
        let mut keep = |grant: &Grant| {
            found.push(grant.clone());
            Ok(())
        };
        // Keeping a line in memory does not fail.
        drop(grants(snapshot, filter, &mut keep).await?);
        return Ok(behind(found, after, count));
    }
    let mut found = Vec::new();
    for on in STAGES {
        let after = after.filter(|after| stage(after.on) >= stage(on));
        if after.is_some_and(|after| stage(after.on) > stage(on)) {
            continue;
        }
        let left = count - found.len();
        found.extend(match on {
            ResourceType::Team => walk::<Team>(snapshot, filter, after, left).await?,
            ResourceType::EnterpriseAccount => {
                walk::<EnterpriseAccount>(snapshot, filter, after, left).await?
            }
            _ => walk::<App>(snapshot, filter, after, left).await?,
        });
        if found.len() >= count {
            break;
        }
    }
    Ok(found)
}

/// Lines on one kind of resource.
async fn walk<T: Record>(
    snapshot: &mut Snapshot,
    filter: &GrantFilter,
    after: Option<&GrantKey>,
    count: usize,
) -> Result<Vec<Grant>, EngineError> {
    let mut found = Vec::new();
    let mut place = after.map(|after| after.resource.clone());
    if let Some(id) = &place {
        // The last page may have ended in the middle of this one.
        let rest: Vec<i64> =
            snapshot.objects::<T>(&Select::Id(id.clone())).await?.iter().map(|one| one.dense).collect();
        let lines = grants_on(snapshot, rest, filter).await?;
        found = behind(lines, after, count);
    }
    let (mut chunk, most) = CHUNK;
    while found.len() < count {
        let keys = snapshot.keys::<T>(place.as_ref(), chunk).await?;
        let Some((_, last)) = keys.last() else { break };
        place = Some(last.clone());
        let lines = grants_on(snapshot, keys.iter().map(|(dense, _)| *dense).collect(), filter).await?;
        if lines.len() < count - found.len() {
            chunk = (chunk * 2).min(most);
        }
        let left = count - found.len();
        found.extend(behind(lines, None, left));
    }
    Ok(found)
}

fn behind(lines: Vec<Grant>, after: Option<&GrantKey>, count: usize) -> Vec<Grant> {
    let after = after.map(GrantKey::order);
    let mut keyed: Vec<(GrantKey, Grant)> =
        lines.into_iter().map(|grant| (GrantKey::of(&grant), grant)).collect();
    keyed.retain(|(key, _)| after.as_ref().is_none_or(|after| key.order() > *after));
    keyed.sort_by(|(left, _), (right, _)| left.order().cmp(&right.order()));
    keyed.truncate(count);
    keyed.into_iter().map(|(_, grant)| grant).collect()
}
