//! Apps, spaces, add-ons, attachments and pipelines.
//!
//! Not who is in a team: `people`.
//!
//! Invariant: a collaborator of a team app is listed among the team's members, as `collaborator` if nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::{Plan, names};
use crate::catalogue::{SERVICES, service_at};
use crate::held::{AddOn, App, Attachment, Collaborator, Coupling, Owner, Pipeline, Space, Team, World};
use crate::value::{EPOCH, Id, Stamp};

pub(crate) fn spaces(world: &mut World, plan: &Plan) {
    let teams: Vec<Id> =
        world.teams.values().filter(|team| team.enterprise.is_some()).map(|t| t.id).collect();
    for (at, team) in teams.iter().cycle().take(if teams.is_empty() { 0 } else { plan.spaces }).enumerate() {
        let id = world.chance.id();
        let people = insiders(world, *team);
        let mut members = Vec::new();
        for user in people {
            if world.chance.percent(40) {
                members.push((world.chance.id(), user, vec!["create_apps".to_owned()]));
            }
        }
        let name = format!("{}-{at}", if at % 2 == 0 { "vault" } else { "harbour" });
        let created = world.chance.past();
        let space = Space { id, name, team: *team, shield: at % 2 == 1, members, created };
        world.spaces.insert(id, space);
    }
}

fn insiders(world: &World, team: Id) -> Vec<Id> {
    let members = world.teams.get(&team).into_iter().flat_map(|team| team.members.values());
    members.filter_map(|member| member.user).collect()
}

pub(crate) fn team_apps(world: &mut World, plan: &Plan) {
    let teams: Vec<Id> = world.teams.keys().copied().collect();
    let mut taken = BTreeSet::new();
    for at in 0..plan.apps {
        // Two draws and the smaller one: some teams own many apps, most a few.
        let (one, other) = (world.chance.below(teams.len()), world.chance.below(teams.len()));
        let Some(team) = teams.get(one.min(other)).and_then(|id| world.teams.get(id)).cloned() else {
            return;
        };
        let area = team.name.split_once('-').map_or(team.name.as_str(), |(_, area)| area);
        let mut name = names::app(&mut world.chance, area, 0);
        while !taken.insert(name.clone()) {
            name = names::app(&mut world.chance, area, at);
        }
        let mut app = blank(world, name, Owner::Team(team.id));
        app.locked = world.chance.percent(15);
        app.shy = world.chance.percent(30);
        if world.chance.percent(20) {
            app.space = world.spaces.values().find(|space| space.team == team.id).map(|space| space.id);
        }
        let count = world.chance.below(5);
        name_people(world, &team, &mut app, count);
        world.apps.insert(app.id, app);
    }
}

pub(crate) fn blank(world: &mut World, name: String, owner: Owner) -> App {
    let id = world.chance.id();
    let created = world.chance.past();
    App {
        id,
        name,
        owner,
        space: None,
        locked: false,
        archived: None,
        shy: false,
        collaborators: BTreeMap::new(),
        created,
        updated: Stamp(EPOCH.0 - world.chance.next() % 5_000_000),
    }
}

fn name_people(world: &mut World, team: &Team, app: &mut App, count: usize) {
    let people: Vec<Id> = team.members.values().filter_map(|member| member.user).collect();
    let mut chosen = BTreeSet::new();
    for _ in 0..count {
        let at = world.chance.below(people.len());
        let Some(user) = people.get(at).copied() else { return };
        if !chosen.insert(user) {
            continue;
        }
        let mut permissions = Vec::new();
        if team.enterprise.is_some() {
            permissions.push("view".to_owned());
            for (name, share) in [("deploy", 70), ("operate", 40), ("manage", 15)] {
                if world.chance.percent(share) {
                    permissions.push(name.to_owned());
                }
            }
        }
        let role = team.members.values().find(|member| member.user == Some(user));
        let role = role.and_then(|member| member.role.clone());
        collaborate(world, app, user, role, permissions);
    }
}

/// Names a person on an app.
pub(crate) fn collaborate(
    world: &mut World,
    app: &mut App,
    user: Id,
    role: Option<String>,
    permissions: Vec<String>,
) {
    let id = world.chance.id();
    let created = world.chance.past();
    let email = world.people.get(&user).map(|person| person.email.clone()).unwrap_or_default();
    let row = Collaborator { id, user, email, role, permissions, created, updated: created };
    app.collaborators.insert(id, row);
}

pub(crate) fn personal_apps(world: &mut World, plan: &Plan) {
    let others: Vec<Id> = world.people.keys().copied().filter(|id| *id != world.caller).collect();
    let usual = || ["deploy", "operate", "view"].map(ToOwned::to_owned).to_vec();
    for at in 0..plan.personal_apps {
        let mut app = blank(world, format!("my-experiment-{at}"), Owner::Person(world.caller));
        for _ in 0..at % 4 {
            let pick = world.chance.below(others.len());
            let Some(user) = others.get(pick).copied() else { break };
            if app.collaborators.values().all(|row| row.user != user) {
                collaborate(world, &mut app, user, Some("collaborator".to_owned()), usual());
            }
        }
        world.apps.insert(app.id, app);
    }
    for at in 0..plan.invited_apps {
        let pick = world.chance.below(others.len());
        let Some(owner) = others.get(pick).copied() else { return };
        let mut app = blank(world, format!("friendly-project-{at}"), Owner::Person(owner));
        collaborate(world, &mut app, world.caller, Some("collaborator".to_owned()), usual());
        world.apps.insert(app.id, app);
    }
}

pub(crate) fn addons(world: &mut World) {
    let apps: Vec<Id> = world.apps.keys().copied().collect();
    for app in &apps {
        let count = match world.chance.below(10) {
            0..=2 => 0,
            3..=7 => 1,
            _ => 2,
        };
        for nth in 0..count {
            let kind =
                if nth == 0 { world.chance.below(3) } else { 3 + world.chance.below(SERVICES.len() - 3) };
            addon(world, *app, kind);
        }
    }
    // A database in twelve is shared with another app.
    let shared: Vec<(Id, Id)> = world.addons.values().map(|addon| (addon.id, addon.app)).collect();
    for (addon, home) in shared {
        if world.chance.percent(8) {
            let at = world.chance.below(apps.len());
            if let Some(guest) = apps.get(at).copied().filter(|guest| *guest != home) {
                attach(world, addon, guest, "SHARED");
            }
        }
    }
}

/// Adds an add-on to an app, attached to it.
pub(crate) fn addon(world: &mut World, app: Id, kind: usize) -> Id {
    let service = service_at(kind);
    let id = world.chance.id();
    let name = format!("{}-{}-{}", service.short, word(world), 10_000 + world.chance.below(90_000));
    let (plan, priced) = (world.chance.below(3), world.chance.percent(90));
    let created = world.chance.past();
    world.addons.insert(id, AddOn { id, name, app, service: kind, plan, priced, created });
    attach(world, id, app, service.variable);
    id
}

fn word(world: &mut World) -> &'static str {
    const WORDS: &[&str] = &["amber", "brisk", "calm", "dusty", "eager", "flat", "green", "hazy", "solid"];
    world.chance.pick(WORDS).unwrap_or("amber")
}

/// Attaches an add-on to an app.
pub(crate) fn attach(world: &mut World, addon: Id, app: Id, name: &str) {
    let id = world.chance.id();
    let created = world.chance.past();
    world.attachments.insert(id, Attachment { id, name: name.to_owned(), addon, app, created });
}

pub(crate) fn pipelines(world: &mut World) {
    let teams: Vec<(Id, String)> = world.teams.values().map(|team| (team.id, team.name.clone())).collect();
    for (team, name) in teams {
        let apps: Vec<Id> =
            world.apps.values().filter(|app| app.team() == Some(team)).map(|app| app.id).take(3).collect();
        if apps.len() < 2 || world.chance.percent(25) {
            continue;
        }
        let owner = (!world.chance.percent(15)).then_some(Owner::Team(team));
        let pipeline = world.chance.id();
        let created = world.chance.past();
        world.pipelines.insert(pipeline, Pipeline { id: pipeline, name, owner, created });
        for (app, stage) in apps.into_iter().zip(["production", "staging", "development"]) {
            let id = world.chance.id();
            world.couplings.insert(id, Coupling { id, pipeline, app, stage, created });
        }
    }
}
