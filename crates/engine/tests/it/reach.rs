//! What somebody reaches, put together: against the same counted out from every app, for everybody, on both engines, now and then.

use std::collections::BTreeMap;

use metsuke_engine::access::{Clause, Layouts, Reach, UserAccess, clauses, reach, user_access};
use metsuke_engine::lists;
use metsuke_model::{AsOf, HerokuId};
use metsuke_simulator::{Options, Size};
use metsuke_testkit::Chance;

use crate::house::House;

/// An app with its team, what is held on it, and why.
type Line = (HerokuId, String, Option<String>, Vec<String>, Vec<Clause>);

fn words(words: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<String> {
    words.into_iter().map(|word| word.as_ref().to_owned()).collect()
}

fn counted_out(access: &UserAccess) -> Vec<Line> {
    let line = |app: &metsuke_engine::access::AppOfUser| {
        let held = words(app.held.iter().map(|held| &*held.entitlement));
        let team = app.team.as_deref().map(ToOwned::to_owned);
        (app.app.id.clone(), app.app.name.to_string(), team, held, clauses(&app.held))
    };
    access.apps.iter().map(line).collect()
}

fn put_together(reach: &Reach) -> Vec<Line> {
    let line = |app: metsuke_engine::access::ReachedApp<'_>| {
        let group = &reach.groups[app.group];
        let team = group.team.as_deref().map(ToOwned::to_owned);
        (app.id.clone(), app.name.to_owned(), team, words(&group.entitlements), group.clauses.clone())
    };
    reach.apps().map(line).collect()
}

/// Compares both answers for everybody; gives how many apps were looked at.
async fn compared(house: &House, as_of: Option<AsOf>, layouts: Option<&Layouts>) -> usize {
    let mut snapshot = house.snapshot(as_of).await;
    let mut seen = 0;
    for user in lists::users(&mut snapshot).await.unwrap() {
        let id = user.id.to_string();
        let all = user_access(&mut snapshot, &id).await.unwrap();
        let told = reach(&mut snapshot, &id, layouts.map(|layouts| (layouts, "here"))).await.unwrap();
        let what = format!("{id} as of {as_of:?}");
        assert_eq!(put_together(&told), counted_out(&all), "{what}");
        assert_eq!(told.count(), all.apps.len(), "{what}");
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        for app in told.apps() {
            *sizes.entry(app.group).or_default() += 1;
        }
        for (place, group) in told.groups.iter().enumerate() {
            assert_eq!(sizes.get(&place).copied(), Some(group.apps), "{what}");
        }
        for right in ["collaborator", "view", "deploy", "operate", "manage"] {
            let able = |app: &&metsuke_engine::access::AppOfUser| {
                app.held.iter().any(|held| &*held.entitlement == right)
            };
            assert_eq!(told.able(right), all.apps.iter().filter(able).count(), "{what}: {right}");
        }
        assert_eq!((&told.roles, &told.pending), (&all.roles, &all.pending), "{what}");
        assert_eq!(told.credentials, all.addons.len(), "{what}");
        let first = &all.addons[..all.addons.len().min(Reach::ADDONS)];
        assert_eq!(told.addons, first, "{what}");
        assert_eq!(
            (&told.principal, &told.name, told.two_factor, told.federated, told.last_login),
            (&all.principal, &all.name, all.two_factor, all.federated, all.last_login)
        );
        seen += all.apps.len();
    }
    seen
}

/// Changes much of what decides of access, by chance.
fn shuffle(house: &House, chance: &mut Chance) {
    house.simulator.edit(|world| {
        let teams = world.team_names();
        let owners = teams.iter().map(|team| Some(&**team)).chain([None]);
        let apps: Vec<String> = owners.flat_map(|owner| world.app_names(owner)).collect();
        let roles = [Some("admin"), Some("member"), Some("viewer"), Some("collaborator"), None];
        let rights: [&[&str]; 6] =
            [&[], &["view"], &["view", "deploy"], &["deploy"], &["operate", "audit"], &["manage"]];
        for turn in 0..12 {
            let (team, app) = (chance.one_of(&teams).clone(), chance.one_of(&apps).clone());
            let members = world.members_of(&team);
            let someone = match chance.pick(&members) {
                Some((email, _)) if !chance.one_in(3) => email.clone(),
                _ => format!("new{turn}@x.io"),
            };
            let _changed = match chance.below(8) {
                0 => world.set_member(&team, &someone, *chance.one_of(&roles)).is_some(),
                1 => world.set_collaborator(&app, &someone, chance.one_of::<&[&str]>(&rights)).is_some(),
                2 => world.lock_app(&app, chance.one_in(2)),
                3 => world.move_app(&app, &team),
                4 => world.give_app(&app, &someone),
                5 => world.add_addon(&app, "heroku-redis", &format!("redis-{turn}")).is_some(),
                6 => world.rename_app(&app, &format!("app-{turn}-{}", chance.below(1000))),
                _ => world.remove_collaborator(&app, &someone),
            };
        }
    });
}

async fn told_alike(house: House, seed: u64) {
    let mut chance = Chance::new(seed);
    let mut versions = vec![house.sync().await.version];
    for _ in 0..2 {
        shuffle(&house, &mut chance);
        versions.push(house.sync().await.version);
    }
    let layouts = Layouts::default();
    layouts.keep("here", &mut house.snapshot(None).await).await.unwrap();
    let newest = compared(&house, None, Some(&layouts)).await;
    assert_eq!(compared(&house, None, None).await, newest);
    for version in versions {
        // What is kept of the newest version says nothing of an earlier one.
        assert!(compared(&house, Some(AsOf::Version(version)), Some(&layouts)).await > 0);
    }
    shuffle(&house, &mut chance);
    house.sync().await;
    assert!(compared(&house, None, Some(&layouts)).await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_reaches_is_the_same_put_together_as_counted_out_on_sqlite() {
    for (seed, size) in [(1, Size::Awkward), (2, Size::Mixed), (3, Size::Standard), (4, Size::Enterprise)] {
        told_alike(House::on_sqlite(Options::of(size).seed(seed)).await, seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_reaches_is_the_same_put_together_as_counted_out_on_postgresql() {
    told_alike(House::on_postgres(Options::of(Size::Awkward).seed(5)).await, 5).await;
    told_alike(House::on_postgres(Options::of(Size::Mixed).seed(6)).await, 6).await;
}
