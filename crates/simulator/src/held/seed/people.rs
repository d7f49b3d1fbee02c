//! People, enterprise accounts, teams and who is in them.
//!
//! Not their apps: `things`.
//!
//! Invariant: the first person made is the caller, and is admin of every team unless the plan says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use super::{Plan, names};
use crate::held::{Enterprise, EnterpriseMember, Invitation, Member, Person, Team, World};
use crate::value::{EPOCH, Id, Stamp};

const COMPANY: &str = "northwind";

pub(crate) fn people(world: &mut World, plan: &Plan) {
    let federated_caller = world.manners.federated_caller;
    let mut taken = BTreeSet::new();
    for at in 0..plan.people.max(1) {
        let chance = &mut world.chance;
        let (first, last) =
            (chance.pick(names::FIRST).unwrap_or("Ada"), chance.pick(names::LAST).unwrap_or("Ito"));
        let words = format!("{}.{}", first.to_lowercase(), last.to_lowercase());
        let mut email = format!("{words}@northwind.example");
        if !taken.insert(email.clone()) {
            email = format!("{words}.{at}@northwind.example");
            taken.insert(email.clone());
        }
        let id = chance.id();
        let last_login = chance.percent(88).then(|| Stamp(EPOCH.0 - chance.next() % 30_000_000));
        let person = Person {
            id,
            email,
            name: chance.percent(94).then(|| format!("{first} {last}")),
            federated: if at == 0 { federated_caller } else { plan.enterprises > 0 && chance.percent(55) },
            two_factor: at == 0 || chance.percent(70),
            last_login,
            created: chance.past(),
        };
        if at == 0 {
            world.caller = id;
        }
        world.people.insert(id, person);
    }
}

pub(crate) fn enterprises(world: &mut World, plan: &Plan) {
    for at in 0..plan.enterprises {
        let id = world.chance.id();
        let name = if at == 0 { format!("{COMPANY}-group") } else { format!("{COMPANY}-ventures-{at}") };
        let mut enterprise = Enterprise {
            id,
            name,
            trial: at > 0,
            provider: (at == 0).then(|| world.chance.id()),
            members: BTreeMap::new(),
            created: world.chance.past(),
            updated: EPOCH,
        };
        // Nearly everybody is in the first account; the others are smaller and overlap with it.
        let share = if at == 0 { 92 } else { 22 };
        let people: Vec<(Id, String)> = world.people.values().map(|p| (p.id, p.email.clone())).collect();
        for (user, email) in people {
            let own = user == world.caller;
            if !own && !world.chance.percent(share) {
                continue;
            }
            let mut permissions = vec!["view".to_owned()];
            for (name, share) in [("create", 8), ("manage", 4), ("billing", 5)] {
                if own || world.chance.percent(share) {
                    permissions.push(name.to_owned());
                }
            }
            let id = world.chance.id();
            enterprise.members.insert(id, EnterpriseMember { id, user: Some(user), email, permissions });
        }
        world.enterprises.insert(id, enterprise);
    }
}

pub(crate) fn teams(world: &mut World, plan: &Plan) {
    let accounts: Vec<Id> = world.enterprises.keys().copied().collect();
    for at in 0..plan.enterprise_teams + plan.standard_teams {
        let standard = at >= plan.enterprise_teams;
        // Three teams in four are in the first account.
        let enterprise =
            accounts.get(if at % 4 == 3 { accounts.len().saturating_sub(1) } else { 0 }).copied();
        let roleless = !standard && at > 0 && at <= plan.roleless_teams;
        let id = world.chance.id();
        let mut team = Team {
            id,
            name: names::team(at, COMPANY),
            enterprise: enterprise.filter(|_| !standard),
            wants_invitations: standard && world.manners.standard_teams_invite,
            members: BTreeMap::new(),
            invitations: BTreeMap::new(),
            created: world.chance.past(),
            updated: EPOCH,
        };
        let size = team_size(world, plan, standard);
        fill(world, &mut team, size, roleless);
        if standard {
            invite(world, &mut team, 1 + size / 6);
        }
        world.teams.insert(id, team);
    }
}

/// Most teams are small and a few are large.
fn team_size(world: &mut World, plan: &Plan, standard: bool) -> usize {
    let people = plan.people.max(1);
    let typical = (people / 12).clamp(4, 40);
    let size = match world.chance.below(10) {
        0 => typical * 3,
        1..=3 => typical * 3 / 2,
        _ => typical,
    };
    let most = if standard { 24 } else { people };
    size.min(most).min(people)
}

fn fill(world: &mut World, team: &mut Team, size: usize, roleless: bool) {
    let everybody: Vec<Id> = world.people.keys().copied().collect();
    let mut chosen = BTreeSet::new();
    if !roleless {
        chosen.insert(world.caller);
        add(world, team, world.caller, "admin");
    }
    for _ in 0..size * 3 {
        if chosen.len() >= size {
            break;
        }
        let at = world.chance.below(everybody.len());
        let Some(user) = everybody.get(at).copied() else { break };
        if user == world.caller || !chosen.insert(user) {
            continue;
        }
        let role = match world.chance.below(100) {
            0..=9 => "admin",
            10..=19 if team.enterprise.is_some() => "viewer",
            20..=31 => "collaborator",
            _ => "member",
        };
        add(world, team, user, role);
    }
}

fn add(world: &mut World, team: &mut Team, user: Id, role: &str) {
    let id = world.chance.id();
    let created = world.chance.past();
    let email = world.people.get(&user).map(|person| person.email.clone()).unwrap_or_default();
    let role = Some(role.to_owned());
    team.members.insert(id, Member { id, user: Some(user), email, role, created, updated: created });
}

fn invite(world: &mut World, team: &mut Team, count: usize) {
    for at in 0..count {
        let chance = &mut world.chance;
        let (first, last) =
            (chance.pick(names::FIRST).unwrap_or("Ada"), chance.pick(names::LAST).unwrap_or("Ito"));
        let (id, user, created) = (chance.id(), chance.id(), Stamp(EPOCH.0 - chance.next() % 2_000_000));
        let email = format!("{}.{}.{at}@newcomer.example", first.to_lowercase(), last.to_lowercase());
        let role = Some(if at % 5 == 4 { "admin" } else { "member" }.to_owned());
        let by = world.caller;
        team.invitations.insert(id, Invitation { id, user, email, role, by, created, updated: created });
    }
}
