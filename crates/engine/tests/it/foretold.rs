//! What turning rows would change, against what does change once Heroku has it.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_engine::access::{Effects, GrantFilter, Turn, TurnOf, Warning, app_access, effects, warnings};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::record::User;
use metsuke_model::{Access, Grant, HerokuId, ResourceType};
use metsuke_simulator::{Manners, Options, Size, World};
use metsuke_store::Select;
use metsuke_testkit::Chance;

use crate::house::House;

/// Somebody in the estate, or now and then somebody new; never the caller, whose rows decide what can be read.
fn somebody(world: &World, chance: &mut Chance) -> String {
    let teams = world.team_names();
    let members = chance.pick(&teams).map(|team| world.members_of(team)).unwrap_or_default();
    let caller = world.caller_email();
    match chance.pick(&members) {
        Some((email, _)) if chance.below(5) > 0 && !email.eq_ignore_ascii_case(&caller) => email.clone(),
        _ => format!("newcomer-{}@example.com", chance.below(12)),
    }
}

/// Turns one row somewhere in the estate.
fn turn_something(world: &mut World, chance: &mut Chance) {
    let (enterprise, standard) = (world.enterprise_team_names(), world.standard_team_names());
    let teams: Vec<String> = enterprise.iter().chain(&standard).cloned().collect();
    let team = chance.pick(&teams).cloned();
    let fine = team.as_ref().is_some_and(|team| enterprise.contains(team));
    let email = somebody(world, chance);
    let caller = world.caller_email();
    let on_apps = team.as_deref().filter(|_| chance.below(8) > 0);
    let app = chance.pick(&world.app_names(on_apps)).cloned();
    match (chance.below(6), &team, app) {
        (0 | 1, Some(team), _) => {
            let roles = ["admin", "member", if fine { "viewer" } else { "member" }, "auditor"];
            world.set_member(team, &email, chance.pick(&roles).copied());
        }
        (2, Some(team), _) => {
            let mut members = world.members_of(team);
            members.retain(|(email, _)| !email.eq_ignore_ascii_case(&caller));
            if chance.below(2) == 0 && members.iter().any(|(_, role)| role.as_deref() == Some("admin")) {
                members.retain(|(_, role)| role.as_deref() == Some("admin"));
            }
            if let Some((email, _)) = chance.pick(&members) {
                world.remove_member(team, email);
            }
        }
        (3 | 4, _, Some(app)) => {
            let sets: [&[&str]; 5] =
                [&["view"], &["view", "deploy"], &["view", "operate", "audit"], &["deploy", "manage"], &[]];
            let set = if fine && on_apps.is_some() { *chance.pick(&sets).unwrap() } else { &[] };
            world.set_collaborator(&app, &email, set);
        }
        (_, _, Some(app)) => {
            let mut rows = world.collaborators_of(&app);
            rows.retain(|(email, _)| !email.eq_ignore_ascii_case(&caller));
            if let Some((email, _)) = chance.pick(&rows) {
                world.remove_collaborator(&app, email);
            }
        }
        _ => {}
    }
}

type RowKey = (ResourceType, HerokuId, HerokuId);

/// The direct rows on teams and apps, and the address of everybody who has one.
async fn rows(house: &House) -> (BTreeMap<RowKey, Access>, BTreeMap<HerokuId, Box<str>>) {
    let (mut rows, mut emails): (BTreeMap<RowKey, Access>, BTreeMap<_, _>) = Default::default();
    for grant in house.lines(&GrantFilter::default(), None).await {
        let (what, holder) = (grant.resource.resource_type, grant.principal);
        if holder.kind == PrincipalKind::User && matches!(what, ResourceType::Team | ResourceType::App) {
            let key = (what, grant.resource.id, holder.id.clone());
            rows.entry(key).or_default().add(what, &grant.entitlement);
            emails.extend(holder.email.map(|email| (holder.id, email)));
        }
    }
    (rows, emails)
}

/// A line without the id of its holder, who may have got one only by the change.
type Line = (Box<str>, HerokuId, Box<str>, String);

fn lines<'g>(grants: impl IntoIterator<Item = &'g Grant>) -> BTreeMap<Line, Grant> {
    let mut lines = BTreeMap::new();
    for grant in grants {
        let email = grant.principal.email.as_deref().unwrap_or_default().to_lowercase().into();
        let kind = grant.resource.resource_type.as_str().to_owned();
        let line = (email, grant.resource.id.clone(), grant.entitlement.clone(), kind);
        assert!(lines.insert(line, grant.clone()).is_none(), "one line for an entitlement: {grant:?}");
    }
    lines
}

/// The effective lines of people.
async fn held(house: &House) -> BTreeMap<Line, Grant> {
    let filter = GrantFilter { effective: true, ..GrantFilter::default() };
    let all = house.lines(&filter, None).await;
    lines(all.iter().filter(|grant| grant.principal.kind == PrincipalKind::User))
}

/// The reason of a line, which is all that a change of it can touch.
fn why(grant: &Grant) -> (bool, &[metsuke_model::PathStep]) {
    (grant.direct, &grant.path)
}

fn in_order(grants: &[Grant]) -> bool {
    let key = |grant: &Grant| {
        let (resource, principal) = (&grant.resource, &grant.principal);
        let slugs = resource.resource_type.entitlements().iter();
        let place = slugs.map(|known| known.slug()).position(|slug| slug == &*grant.entitlement);
        (
            (resource.resource_type, resource.name.clone(), resource.id.clone()),
            (principal.email.clone(), principal.id.clone()),
            (place.unwrap_or(usize::MAX), grant.entitlement.clone()),
        )
    };
    grants.is_sorted_by_key(key)
}

/// Turns rows behind the engine's back, and compares what was foretold with what came.
async fn foretells(house: &House, chance: &mut Chance) -> (Effects, Vec<Warning>) {
    let (before, known) = rows(house).await;
    let held_before = held(house).await;
    let mut old = house.snapshot(None).await;
    house.simulator.edit(|world| {
        for _ in 0..=chance.below(6) {
            turn_something(world, chance);
        }
    });
    house.sync().await;
    let (after, emails) = rows(house).await;
    let mut turns = Vec::new();
    for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        if before.get(key) == after.get(key) {
            continue;
        }
        let (resource_type, resource, holder) = key.clone();
        let was_there = known.contains_key(&holder)
            || !old.objects::<User>(&Select::Id(holder.clone())).await.unwrap().is_empty();
        let principal =
            if was_there { TurnOf::Known(holder) } else { TurnOf::New { email: emails[&holder].clone() } };
        turns.push(Turn {
            principal,
            resource_type,
            resource,
            after: after.get(key).cloned().unwrap_or_default(),
        });
    }
    let told = effects(&mut old, &turns).await.unwrap();
    let held_after = held(house).await;

    let shown = format!("{turns:#?}");
    let (gained, lost) = (lines(&told.gained), lines(&told.lost));
    let keys = |map: &BTreeMap<Line, Grant>| map.keys().cloned().collect::<BTreeSet<_>>();
    let (was, is) = (keys(&held_before), keys(&held_after));
    assert_eq!(keys(&gained), is.difference(&was).cloned().collect(), "gained by {shown}");
    assert_eq!(keys(&lost), was.difference(&is).cloned().collect(), "lost by {shown}");
    for (line, grant) in &gained {
        assert_eq!(why(grant), why(&held_after[line]), "gained by {shown}");
    }
    for (line, grant) in &lost {
        assert_eq!(grant, &held_before[line], "lost by {shown}");
    }
    let (kept_before, kept_after) =
        (lines(told.kept.iter().map(|kept| &kept.before)), lines(told.kept.iter().map(|kept| &kept.after)));
    let changed: BTreeSet<Line> =
        was.intersection(&is).filter(|line| held_before[*line] != held_after[*line]).cloned().collect();
    assert_eq!(keys(&kept_before), changed, "kept by {shown}");
    for line in &changed {
        assert_eq!(
            (&kept_before[line], &kept_after[line]),
            (&held_before[line], &held_after[line]),
            "{shown}"
        );
    }
    config_is_right(house, &told, &held_before, &held_after).await;
    assert!(in_order(&told.gained) && in_order(&told.lost), "{told:#?}");
    assert_eq!(told, effects(&mut old, &turns).await.unwrap(), "the same answer twice");
    let warned = warnings(&mut old, &turns, &told).await.unwrap();
    last_ones_are_right(&told, &warned, &held_after);
    (told, warned)
}

/// Whose reading of config vars begins or ends, told from the lines and each app's own answer.
async fn config_is_right(
    house: &House,
    told: &Effects,
    before: &BTreeMap<Line, Grant>,
    after: &BTreeMap<Line, Grant>,
) {
    let readers = |lines: &BTreeMap<Line, Grant>| {
        let app = lines.keys().filter(|line| line.3 == "app");
        let reads = app.filter(|line| ["deploy", "operate", "manage"].contains(&&*line.2));
        reads.map(|line| (line.0.clone(), line.1.clone())).collect::<BTreeSet<_>>()
    };
    let (was, is) = (readers(before), readers(after));
    for (reads, expected) in [(true, &is - &was), (false, &was - &is)] {
        let mut found = BTreeSet::new();
        for reach in told.config.iter().filter(|reach| reach.reads == reads) {
            let mut addons = BTreeSet::new();
            for app in &reach.apps {
                let email = reach.principal.email.as_deref().unwrap_or_default().to_lowercase();
                assert!(found.insert((email.into(), app.id.clone())), "each app once: {reach:?}");
                let answer = app_access(&mut house.snapshot(None).await, &app.id.to_string()).await.unwrap();
                addons.extend(answer.addons.into_iter().map(|addon| addon.name));
            }
            assert_eq!(reach.addons, addons.len(), "{reach:?}");
        }
        assert_eq!(found, expected);
    }
}

/// The last admins and holders, told from the lines; those who were new do not count.
fn last_ones_are_right(told: &Effects, warned: &[Warning], after: &BTreeMap<Line, Grant>) {
    let new = told.gained.iter().filter(|grant| grant.principal.kind == PrincipalKind::Invitation);
    let new: BTreeSet<String> =
        new.filter_map(|grant| Some(grant.principal.email.as_deref()?.to_lowercase())).collect();
    let held: BTreeSet<(&HerokuId, &str)> =
        after.keys().filter(|line| !new.contains(&*line.0)).map(|line| (&line.1, &*line.2)).collect();
    let mut expected = BTreeSet::new();
    for grant in &told.lost {
        let (what, slug) = (grant.resource.resource_type, &*grant.entitlement);
        let counts =
            matches!((what, slug), (ResourceType::Team, "admin") | (ResourceType::App, "manage" | "deploy"));
        if counts && !held.contains(&(&grant.resource.id, slug)) {
            expected.insert((&grant.resource.id, slug));
        }
    }
    let mut found = BTreeSet::new();
    for warning in warned {
        match warning {
            Warning::LastAdmin { team } => _ = found.insert((&team.id, "admin")),
            Warning::LastHolder { entitlement, apps } => {
                found.extend(apps.iter().map(|app| (&app.id, &**entitlement)));
            }
            _ => {}
        }
    }
    assert_eq!(found, expected, "{warned:#?}");
}

/// Returns how many warnings of a last admin or holder there were.
async fn what_is_foretold_comes(houses: impl IntoIterator<Item = (House, u64)>) -> usize {
    let (mut gained, mut lost, mut kept, mut config, mut announced, mut alone) = (0, 0, 0, 0, 0, 0);
    for (house, seed) in houses {
        let mut chance = Chance::new(seed);
        house.simulator.edit(|world| {
            for team in world.team_names() {
                for app in world.app_names(Some(&team)).iter().step_by(3) {
                    world.lock_app(app, true);
                }
            }
            world.add_app(None, "mine-and-mine");
            // Standard teams of one admin, who is not the caller, so that the last one may go.
            for team in world.standard_team_names() {
                world.set_member(&team, &world.caller_email(), Some("member"));
                for (email, _) in
                    world.members_of(&team).iter().filter(|row| row.1.as_deref() == Some("admin")).skip(1)
                {
                    world.set_role(&team, email, Some("member"));
                }
            }
        });
        house.sync().await;
        for _ in 0..8 {
            let (told, warned) = foretells(&house, &mut chance).await;
            alone += warned
                .iter()
                .filter(|warning| matches!(warning, Warning::LastAdmin { .. } | Warning::LastHolder { .. }))
                .count();
            (gained, lost, kept) =
                (gained + told.gained.len(), lost + told.lost.len(), kept + told.kept.len());
            config += told.config.iter().filter(|reach| reach.addons > 0).count();
            let new = told.gained.iter().filter(|grant| grant.principal.kind == PrincipalKind::Invitation);
            announced += new.count();
        }
    }
    let all = [gained, lost, kept, config, announced];
    assert!(all.iter().all(|count| *count > 0), "the edits must show every kind of effect: {all:?}");
    alone
}

async fn houses(sizes: &[Size]) -> Vec<(House, u64)> {
    let mut houses = Vec::new();
    for size in sizes {
        for seed in 1..=3 {
            let manners = Manners { leavers_keep_apps: seed == 2, ..Manners::default() };
            houses.push((House::on_sqlite(Options::of(*size).seed(seed).manners(manners)).await, seed));
        }
    }
    houses
}

#[tokio::test]
async fn what_is_foretold_of_enterprise_teams_comes() {
    what_is_foretold_comes(houses(&[Size::Enterprise]).await).await;
}

#[tokio::test]
async fn what_is_foretold_of_standard_teams_and_personal_apps_comes() {
    let last = what_is_foretold_comes(houses(&[Size::Standard, Size::Personal]).await).await;
    assert!(last > 0, "the last one of something must go");
}

#[tokio::test]
async fn what_is_foretold_of_mixed_and_awkward_estates_comes() {
    let last = what_is_foretold_comes(houses(&[Size::Mixed, Size::Awkward]).await).await;
    assert!(last > 0, "the last one of something must go");
}

#[tokio::test]
async fn what_is_foretold_on_postgres_comes() {
    what_is_foretold_comes([(House::on_postgres(Options::of(Size::Mixed).seed(1)).await, 5)]).await;
}
