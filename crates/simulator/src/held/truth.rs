//! Computes the truth of a held estate.
//!
//! Not by the code that answers requests: only the questions of `sight` are shared.
//!
//! Invariant: what no endpoint shows the caller is not in the truth.

use super::{App, Owner, World};
use crate::truth::{Grant, Held, PendingInvitation, Unresolved};
use crate::value::Id;

/// Everything true, as far as the caller can see it.
pub(crate) fn truth(world: &World) -> Held {
    let mut held = Held::default();
    held.users.insert(world.caller.to_string());
    enterprises(world, &mut held);
    teams(world, &mut held);
    for app in world.seen_apps() {
        one_app(world, app, &mut held);
    }
    for space in world.seen_spaces() {
        held.users.extend(space.members.iter().map(|(_, user, _)| user.to_string()));
    }
    for pipeline in world.seen_pipelines() {
        if let Some(Owner::Person(id)) = pipeline.owner {
            held.users.insert(id.to_string());
        }
    }
    let addons = world.addons.values().filter(|addon| world.sees_app(addon.app));
    held.addons = addons.map(|addon| addon.id.to_string()).collect();
    let invited: Vec<String> = world
        .known_teams()
        .filter(|team| team.enterprise.is_none() && world.inside(team))
        .flat_map(|team| team.invitations.values())
        .flat_map(|invitation| [invitation.user, invitation.by])
        .map(|id| id.to_string())
        .collect();
    for id in invited {
        if held.users.insert(id.clone()) {
            held.invitees.insert(id);
        }
    }
    held
}

fn grant(kind: &'static str, resource: Id, entitlement: &str, principal: Id) -> Grant {
    Grant {
        resource_type: kind,
        resource_id: resource.to_string(),
        entitlement: entitlement.to_owned(),
        principal_id: principal.to_string(),
    }
}

fn enterprises(world: &World, held: &mut Held) {
    for enterprise in world.own_enterprises() {
        held.enterprises.insert(enterprise.id.to_string());
        for member in enterprise.members.values() {
            let Some(user) = member.user else {
                held.unresolved.insert(Unresolved {
                    resource_type: "enterprise_account",
                    resource_id: enterprise.id.to_string(),
                    row_id: member.id.to_string(),
                    email: None,
                    role: None,
                });
                continue;
            };
            held.users.insert(user.to_string());
            let rows = member.permissions.iter();
            held.grants.extend(rows.map(|name| grant("enterprise_account", enterprise.id, name, user)));
        }
    }
}

fn teams(world: &World, held: &mut Held) {
    for team in world.known_teams() {
        held.teams.insert(team.id.to_string());
        if !world.inside(team) {
            continue;
        }
        for member in team.members.values() {
            let Some(user) = member.user else {
                held.unresolved.insert(Unresolved {
                    resource_type: "team",
                    resource_id: team.id.to_string(),
                    row_id: member.id.to_string(),
                    email: Some(member.email.clone()),
                    role: member.role.clone(),
                });
                continue;
            };
            held.users.insert(user.to_string());
            let role = member.role.as_deref().unwrap_or("unknown");
            held.grants.insert(grant("team", team.id, role, user));
        }
        if team.enterprise.is_none() {
            held.invitations.extend(team.invitations.values().map(|row| PendingInvitation {
                team_id: team.id.to_string(),
                invitation_id: row.id.to_string(),
                email: row.email.clone(),
                role: row.role.clone().unwrap_or_else(|| "unknown".to_owned()),
            }));
        }
    }
}

fn one_app(world: &World, app: &App, held: &mut Held) {
    held.apps.insert(app.id.to_string());
    if let Owner::Person(id) = app.owner
        && world.people.contains_key(&id)
    {
        held.users.insert(id.to_string());
    }
    for row in app.collaborators.values() {
        held.users.insert(row.user.to_string());
        if row.role.as_deref() == Some("owner") {
            continue;
        }
        held.grants.insert(grant("app", app.id, "collaborator", row.user));
        held.grants.extend(row.permissions.iter().map(|name| grant("app", app.id, name, row.user)));
    }
}
