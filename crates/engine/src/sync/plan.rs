//! What is still to be read, once the lists that were asked for first are there.
//!
//! Invariant: a listing is planned once; per-app listings only where no team listing serves.

use std::collections::{BTreeSet, HashMap};

use metsuke_model::access::Mask;
use metsuke_model::derive::Owner;
use metsuke_model::{HerokuId, Outcome};

use super::collect::Gather;
use super::listing::Listing;
use super::settle::{self, Evidence, Roles};

/// Ids in one request for apps by id.
const CHUNK: usize = 1000;

/// How each finished listing ended.
pub(super) type Outcomes = HashMap<Listing, Outcome>;

/// What kind of team owns an app, for derived access.
pub(super) fn owner(gather: &Gather, team: &HerokuId) -> Owner {
    gather.teams.get(team).map_or(Owner::UnlistedTeam, Owner::of_team)
}

/// Whether a team's permissions listing cannot serve: refused, or empty although the team has apps.
fn is_without_listing(gather: &Gather, outcomes: &Outcomes, team: &HerokuId, has_apps: bool) -> bool {
    match outcomes.get(&Listing::TeamPermissions(team.clone())) {
        Some(Outcome::Refused) => true,
        Some(Outcome::Complete) => {
            has_apps && gather.listed.get(team).is_none_or(|listed| listed.apps.is_empty())
        }
        _ => false,
    }
}

/// The listings that are called for now; empty when all is read.
pub(super) fn next(gather: &Gather, outcomes: &Outcomes, manners: &HashMap<HerokuId, Mask>) -> Vec<Listing> {
    let mut next = Vec::new();
    let with_apps: BTreeSet<&HerokuId> = gather.apps.iter().filter_map(|app| app.team.as_ref()).collect();
    let mut fallback = BTreeSet::new();
    for team in gather.teams.values().filter(|team| team.listed == Some(true)) {
        if is_without_listing(gather, outcomes, &team.id, with_apps.contains(&team.id)) {
            fallback.insert(&team.id);
            next.push(Listing::TeamApps(team.id.clone()));
        }
    }
    let missing = missing_apps(gather);
    next.extend(missing.chunks(CHUNK).map(|chunk| Listing::FilteredApps(chunk.to_vec())));
    next.retain(|listing| !outcomes.contains_key(listing));
    if !next.is_empty() {
        return next;
    }
    let teams_known = outcomes.get(&Listing::Teams) == Some(&Outcome::Complete);
    let mut apps: Vec<_> = gather.apps.iter().collect();
    apps.sort_by(|left, right| left.id.cmp(&right.id));
    for app in apps {
        let alone = match &app.team {
            None => true,
            Some(team) if fallback.contains(team) => true,
            Some(team) if owner(gather, team) == Owner::UnlistedTeam => teams_known,
            Some(team) => {
                let read = outcomes.get(&Listing::TeamPermissions(team.clone())) == Some(&Outcome::Complete);
                read && gather.listed.get(team).is_some_and(|listed| !listed.apps.contains_key(&app.id))
            }
        };
        if alone {
            next.push(Listing::Collaborators(app.id.clone()));
        }
    }
    next.extend(to_settle(gather, outcomes, manners));
    next.retain(|listing| !outcomes.contains_key(listing));
    next
}

/// Apps that permissions listings name and no list of apps held.
pub(super) fn missing_apps(gather: &Gather) -> Vec<HerokuId> {
    let mut missing: Vec<HerokuId> = gather
        .listed
        .values()
        .flat_map(|listed| listed.apps.keys())
        .filter(|id| !gather.apps.contains(id))
        .cloned()
        .collect();
    missing.sort();
    missing.dedup();
    missing
}

/// One app of each team whose listing leaves open whether it shows implicit access.
fn to_settle(gather: &Gather, outcomes: &Outcomes, manners: &HashMap<HerokuId, Mask>) -> Vec<Listing> {
    let roles: Roles = settle::roles(gather);
    let mut probes = Vec::new();
    for (team, listing) in &gather.listed {
        let read = outcomes.get(&Listing::TeamPermissions(team.clone())) == Some(&Outcome::Complete);
        if !read || manners.contains_key(team) || is_probed(outcomes, team) {
            continue;
        }
        let app = match members(gather, outcomes, &roles, team) {
            Some(team) => match settle::evidence(gather, listing, &team) {
                Evidence::Open { app, .. } => Some(app),
                Evidence::Explicit => None,
            },
            None => settle::fullest_app(listing).cloned(),
        };
        probes.extend(app.map(|app| Listing::Settling { team: team.clone(), app }));
    }
    probes.sort_by(|left, right| left.parent().cmp(&right.parent()));
    probes
}

/// The team's members with their roles, where they were read to the end.
pub(super) fn members<'a>(
    gather: &Gather,
    outcomes: &Outcomes,
    roles: &'a Roles,
    team: &HerokuId,
) -> Option<settle::Team<'a>> {
    if outcomes.get(&Listing::TeamMembers(team.clone())) != Some(&Outcome::Complete) {
        return None;
    }
    let place = gather.access.place(metsuke_model::ResourceType::Team, team)?;
    Some(settle::Team { members: roles.get(&place)?, owner: owner(gather, team) })
}

fn is_probed(outcomes: &Outcomes, team: &HerokuId) -> bool {
    outcomes.keys().any(|listing| matches!(listing, Listing::Settling { team: probed, .. } if probed == team))
}
