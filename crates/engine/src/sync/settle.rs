//! Settles whether a team's permissions listing shows implicit access beside the explicit rows.
//!
//! Heroku does not say. A role whose holders are missing from some app is not shown implicitly, which costs
//! nothing to see; otherwise one app of the team is compared with its own collaborator listing, once per team.
//!
//! Invariant: a row that only repeats what the role implies is never a direct grant of an implicit listing.

use std::collections::HashMap;

use metsuke_model::access::{Entitlement, Mask};
use metsuke_model::derive::{self, Owner};
use metsuke_model::{AccessRow, HerokuId, ResourceType};

use super::collect::{Gather, TeamListing};

/// The roles that imply access to apps.
const ROLES: [Entitlement; 3] = [Entitlement::ADMIN, Entitlement::MEMBER, Entitlement::VIEWER];

/// What is kept of a team whose listing shows implicit access.
pub(super) const IMPLICIT: Mask =
    Mask(Entitlement::ADMIN.mask().0 | Entitlement::MEMBER.mask().0 | Entitlement::VIEWER.mask().0);

/// What each member of each team is, by the places of team and person.
pub(super) type Roles = HashMap<u32, HashMap<u32, Mask>>;

/// What a listing itself tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Nothing in it could be implicit.
    Explicit,
    /// It may show these roles implicitly; the app is the one to compare.
    Open { roles: Mask, app: HerokuId },
}

/// The roles of all members, from the rows of access read so far.
pub(super) fn roles(gather: &Gather) -> Roles {
    let mut roles = Roles::new();
    for row in &gather.access.rows {
        let resource = gather.access.resources.get(row.resource as usize);
        if resource.is_some_and(|resource| resource.resource_type == ResourceType::Team) {
            roles.entry(row.resource).or_default().insert(row.principal, row.mask);
        }
    }
    roles
}

/// Looks at a listing (sorted) and the roles of the team's members.
pub(super) fn evidence(gather: &Gather, listing: &TeamListing, team: &Team<'_>) -> Evidence {
    let mut open = Mask::NONE;
    for role in ROLES {
        if team.members.values().any(|held| held.contains(role.mask())) {
            open = open.with(role.mask());
        }
    }
    let mut best: Option<(u32, &HerokuId)> = None;
    for (id, app) in &listing.apps {
        if open.is_empty() {
            return Evidence::Explicit;
        }
        let locked = is_locked(gather, id);
        let rows = rows_of(listing, app.resource);
        let mut candidates = 0;
        for role in ROLES {
            if !open.contains(role.mask()) {
                continue;
            }
            let implied = derive::from_team_role(role, team.owner, locked);
            if implied.is_empty() {
                continue;
            }
            if names_all(rows, team, role) {
                let mut holders = team.holders(role).filter_map(|member| row_of(rows, member));
                candidates += u32::from(holders.any(|row| permissions(row) == implied));
            } else {
                open = open.without(role.mask());
            }
        }
        if candidates > best.map_or(0, |(most, _)| most) {
            best = Some((candidates, id));
        }
    }
    match best {
        Some((_, app)) if !open.is_empty() => Evidence::Open { roles: open, app: app.clone() },
        _ => Evidence::Explicit,
    }
}

/// What is known of a team when its listing is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Team<'a> {
    /// Its members with their roles.
    pub(super) members: &'a HashMap<u32, Mask>,
    /// What kind of team it is.
    pub(super) owner: Owner,
}

impl Team<'_> {
    fn holders(&self, role: Entitlement) -> impl Iterator<Item = u32> {
        self.members.iter().filter(move |(_, held)| held.contains(role.mask())).map(|(member, _)| *member)
    }

    /// What a member's role alone gives on an app.
    fn implied(&self, principal: u32, locked: bool) -> Option<(Entitlement, Mask)> {
        let held = self.members.get(&principal)?;
        let role = ROLES.into_iter().find(|role| held.contains(role.mask()))?;
        Some((role, derive::from_team_role(role, self.owner, locked)))
    }
}

/// Whether the rows of one app name every holder of the role.
fn names_all(rows: &[AccessRow], team: &Team<'_>, role: Entitlement) -> bool {
    team.holders(role).all(|member| row_of(rows, member).is_some())
}

fn row_of(rows: &[AccessRow], member: u32) -> Option<&AccessRow> {
    rows.binary_search_by_key(&member, |row| row.principal).ok().and_then(|at| rows.get(at))
}

/// Judges by the compared app: implicit, if someone stands in the listing for a role alone and not as a collaborator.
pub(super) fn verdict(
    gather: &Gather,
    listing: &TeamListing,
    app: &HerokuId,
    team: Option<&Team<'_>>,
) -> Option<Mask> {
    let named = gather.settled.get(app)?;
    let listed = listing.apps.get(app)?;
    let locked = is_locked(gather, app);
    let implicit = rows_of(listing, listed.resource).iter().any(|row| {
        let by_role = team.is_none_or(|team| {
            team.implied(row.principal, locked).is_some_and(|(_, implied)| implied == permissions(row))
        });
        by_role && !named.contains(&row.principal)
    });
    Some(if implicit { IMPLICIT } else { Mask::NONE })
}

/// The rows of a listing that are direct grants, where it shows the roles of `shown` implicitly.
pub(super) fn direct_rows(
    gather: &Gather,
    listing: &TeamListing,
    team: &Team<'_>,
    shown: Mask,
) -> Vec<AccessRow> {
    let locked: HashMap<u32, bool> =
        listing.apps.iter().map(|(id, app)| (app.resource, is_locked(gather, id))).collect();
    let repeats = |row: &AccessRow| {
        let locked = locked.get(&row.resource).copied().unwrap_or(false);
        team.implied(row.principal, locked).is_some_and(|(role, implied)| {
            shown.contains(role.mask()) && !implied.is_empty() && implied == permissions(row)
        })
    };
    listing.rows.iter().filter(|row| !repeats(row)).copied().collect()
}

/// The app to compare where nothing is known of the members: the one that names most people.
pub(super) fn fullest_app(listing: &TeamListing) -> Option<&HerokuId> {
    let most = listing.apps.iter().max_by_key(|(_, app)| rows_of(listing, app.resource).len());
    most.filter(|(_, app)| !rows_of(listing, app.resource).is_empty()).map(|(id, _)| id)
}

fn permissions(row: &AccessRow) -> Mask {
    row.mask.without(Entitlement::COLLABORATOR.mask())
}

/// An app whose lock is not known counts as unlocked, which is Heroku's default.
fn is_locked(gather: &Gather, app: &HerokuId) -> bool {
    gather.apps.get(app).and_then(|app| app.locked).unwrap_or(false)
}

fn rows_of(listing: &TeamListing, resource: u32) -> &[AccessRow] {
    let start = listing.rows.partition_point(|row| row.resource < resource);
    let end = listing.rows.partition_point(|row| row.resource <= resource);
    listing.rows.get(start..end).unwrap_or_default()
}
