//! A selection gives what a filter over everything gives, now and in every earlier version.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_model::record::{AddOn, App, Attachment, Invitation, Team, User};
use metsuke_model::{AsOf, Coverage, Estate, HerokuId, Record, Version};
use metsuke_store::{AccessSelect, Select, SlimApp, Snapshot, Stored};

use crate::database::{Database, commit};
use crate::generated::Generator;

async fn all<T: Record>(snapshot: &mut Snapshot) -> Vec<Stored<T>> {
    snapshot.objects::<T>(&Select::All).await.unwrap()
}

/// Compares one selection with a filter.
async fn agrees<T: Record>(snapshot: &mut Snapshot, select: Select, filter: impl Fn(&Stored<T>) -> bool) {
    let found: BTreeSet<HerokuId> = snapshot
        .objects::<T>(&select)
        .await
        .unwrap()
        .iter()
        .map(|stored| stored.record.id().clone())
        .collect();
    let wanted: BTreeSet<HerokuId> = all::<T>(snapshot)
        .await
        .iter()
        .filter(|stored| filter(stored))
        .map(|stored| stored.record.id().clone())
        .collect();
    assert_eq!(found, wanted, "version {}: {select:?}", snapshot.sync().version);
}

/// Selections common to all kinds.
async fn common<T: Record>(snapshot: &mut Snapshot) {
    let stored = all::<T>(snapshot).await;
    for one in &stored {
        agrees::<T>(snapshot, Select::Id(one.record.id().clone()), |other| other.dense == one.dense).await;
    }
    let some: Vec<i64> = stored.iter().map(|stored| stored.dense).step_by(2).chain([9_999]).collect();
    agrees::<T>(snapshot, Select::Dense(some.clone()), |other| some.contains(&other.dense)).await;
    agrees::<T>(snapshot, Select::Dense(Vec::new()), |_| false).await;
    let ids = stored.iter().step_by(2).map(|stored| stored.record.id().clone());
    let ids: Vec<HerokuId> = ids.chain(["nobody".into()]).collect();
    agrees::<T>(snapshot, Select::Ids(ids.clone()), |other| ids.contains(other.record.id())).await;
    agrees::<T>(snapshot, Select::Ids(Vec::new()), |_| false).await;
    agrees::<T>(snapshot, Select::Id("nobody".into()), |_| false).await;
}

async fn people(snapshot: &mut Snapshot) {
    for user in all::<User>(snapshot).await {
        let Some(email) = user.record.email else { continue };
        let same = |other: &Stored<User>| {
            other.record.email.as_ref().is_some_and(|found| found.eq_ignore_ascii_case(&email))
        };
        agrees::<User>(snapshot, Select::Named(email.to_ascii_uppercase()), same).await;
        let owned = |app: &Stored<App>| app.record.owner.as_ref() == Some(&user.record.id);
        agrees::<App>(snapshot, Select::OwnedBy(vec![user.dense]), owned).await;
    }
}

async fn teams_and_apps(snapshot: &mut Snapshot) {
    for team in all::<Team>(snapshot).await {
        if let Some(name) = &team.record.name {
            let same = |other: &Stored<Team>| other.record.name.as_ref() == Some(name);
            agrees::<Team>(snapshot, Select::Named(name.to_string()), same).await;
        }
        let (within, id) = (Select::Within(vec![team.dense]), Some(&team.record.id));
        agrees::<App>(snapshot, within.clone(), |app| app.record.team.as_ref() == id).await;
        agrees::<Invitation>(snapshot, within, |invitation| invitation.record.team.as_ref() == id).await;
    }
    let apps: Vec<Stored<App>> = all::<App>(snapshot).await.into_iter().take(3).collect();
    let of = |addon: &Stored<AddOn>| apps.iter().any(|app| addon.record.app.as_ref() == Some(&app.record.id));
    agrees::<AddOn>(snapshot, Select::Within(apps.iter().map(|app| app.dense).collect()), of).await;
}

async fn access(snapshot: &mut Snapshot) {
    let everything = snapshot.access(&AccessSelect::All).await.unwrap();
    assert!(everything.is_sorted_by_key(|entry| (entry.resource, entry.principal)), "ordered");
    let chosen = |of: fn(&metsuke_store::AccessEntry) -> i64| {
        let ids: BTreeSet<i64> = everything.iter().map(of).collect();
        ids.into_iter().step_by(3).collect::<Vec<i64>>()
    };
    let (on, of) = (chosen(|entry| entry.resource), chosen(|entry| entry.principal));
    let wanted: Vec<_> = everything.iter().filter(|entry| on.contains(&entry.resource)).cloned().collect();
    assert_eq!(snapshot.access(&AccessSelect::On(on)).await.unwrap(), wanted);
    let wanted: Vec<_> = everything.iter().filter(|entry| of.contains(&entry.principal)).cloned().collect();
    assert_eq!(snapshot.access(&AccessSelect::Of(of)).await.unwrap(), wanted);
    assert_eq!(snapshot.access(&AccessSelect::Of(Vec::new())).await.unwrap(), []);
}

/// What is read in short says what the records say; of an earlier version there is none of it.
async fn in_short(snapshot: &mut Snapshot, newest: bool) {
    let (apps, addons) = (all::<App>(snapshot).await, all::<AddOn>(snapshot).await);
    let attachments = all::<Attachment>(snapshot).await;
    assert_eq!(snapshot.columns::<App>(&Select::All).await.unwrap().len(), apps.len());
    let short = (
        snapshot.slim_apps().await.unwrap(),
        snapshot.slim_addons().await.unwrap(),
        snapshot.slim_attachments().await.unwrap(),
    );
    let (tally, holders) =
        (snapshot.tally::<AddOn>(None).await.unwrap(), snapshot.holders(&[]).await.unwrap());
    let (Some(slim), Some(slim_addons), Some(slim_attachments)) = short else {
        assert!(!newest && tally.is_none() && holders.is_none());
        return;
    };
    assert!(newest);
    let mut dense: BTreeMap<HerokuId, i64> = BTreeMap::new();
    dense.extend(all::<Team>(snapshot).await.into_iter().map(|team| (team.record.id, team.dense)));
    dense.extend(all::<User>(snapshot).await.into_iter().map(|user| (user.record.id, user.dense)));
    dense.extend(apps.iter().map(|app| (app.record.id.clone(), app.dense)));
    dense.extend(addons.iter().map(|addon| (addon.record.id.clone(), addon.dense)));
    // What is gone has an id as well; here only what is there can be told.
    let known: BTreeSet<i64> = dense.values().copied().collect();
    let named = |id: Option<&HerokuId>| id.and_then(|id| dense.get(id)).copied();
    let there = |id: Option<i64>| id.filter(|id| known.contains(id));
    let mut slim: Vec<SlimApp> = slim
        .into_iter()
        .map(|app| SlimApp { team: there(app.team), owner: there(app.owner), ..app })
        .collect();
    slim.sort_by_key(|app| app.dense);
    let whole = |app: &Stored<App>| SlimApp {
        dense: app.dense,
        id: app.record.id.clone(),
        name: app.record.name.clone(),
        team: named(app.record.team.as_ref()),
        owner: named(app.record.owner.as_ref()),
        locked: app.record.locked,
    };
    let mut wanted: Vec<SlimApp> = apps.iter().map(whole).collect();
    wanted.sort_by_key(|app| app.dense);
    assert_eq!(slim, wanted);
    let told = slim_addons
        .into_iter()
        .map(|addon| (addon.dense, addon.id, addon.name, addon.service, there(addon.app)));
    let whole = addons.iter().map(|addon| {
        let AddOn { id, name, service, app, .. } = addon.record.clone();
        (addon.dense, id, name, service, named(app.as_ref()))
    });
    assert_eq!(told.collect::<BTreeSet<_>>(), whole.collect());
    let mut told: Vec<_> =
        slim_attachments.into_iter().map(|one| (there(one.addon), there(one.app), one.name)).collect();
    let whole = attachments.iter().map(|one| {
        let Attachment { addon, app, name, .. } = &one.record;
        (named(addon.as_ref()), named(app.as_ref()), name.clone())
    });
    let mut wanted: Vec<_> = whole.collect();
    told.sort();
    wanted.sort();
    assert_eq!(told, wanted);
    counted(snapshot, (&apps, &addons)).await;
}

async fn counted(snapshot: &mut Snapshot, (apps, addons): (&[Stored<App>], &[Stored<AddOn>])) {
    let some: Vec<i64> = apps.iter().map(|app| app.dense).step_by(2).collect();
    let everything = snapshot.tally::<AddOn>(None).await.unwrap().unwrap();
    let part = snapshot.tally::<AddOn>(Some(&some)).await.unwrap().unwrap();
    for app in apps {
        let own =
            addons.iter().filter(|addon| addon.record.app.as_ref() == Some(&app.record.id)).count() as u64;
        assert_eq!(everything.get(&app.dense).copied().unwrap_or_default(), own);
        let asked = some.contains(&app.dense);
        assert_eq!(part.get(&app.dense).copied().unwrap_or_default(), if asked { own } else { 0 });
    }
    let held = snapshot.access(&AccessSelect::On(some.clone())).await.unwrap();
    for (resource, count) in snapshot.holders(&some).await.unwrap().unwrap() {
        assert_eq!(held.iter().filter(|entry| entry.resource == resource).count() as u64, count);
    }
}

async fn every_selection_is_a_filter_over_everything(database: Database) {
    let store = database.open().await;
    let mut generator = Generator::new(31);
    for second in 1..=5 {
        let reading = generator.next();
        commit(&store, &reading.estate, &reading.coverage, second).await;
    }
    // What is kept of earlier versions, and what is read from the log each time.
    let ways = [store.clone(), store.folding_at_most(0)];
    for (version, store) in (1..=5).flat_map(|version| ways.iter().map(move |store| (version, store))) {
        let as_of = AsOf::Version(Version(version));
        let mut snapshot = store.snapshot(Some(as_of)).await.unwrap().unwrap();
        common::<User>(&mut snapshot).await;
        common::<App>(&mut snapshot).await;
        common::<AddOn>(&mut snapshot).await;
        people(&mut snapshot).await;
        teams_and_apps(&mut snapshot).await;
        access(&mut snapshot).await;
        in_short(&mut snapshot, version == 5).await;
    }
}

/// Heroku's addresses are hardly ever anything but ASCII; where one is, now and then must not disagree.
async fn an_address_is_found_alike_now_and_as_of_then(database: Database) {
    let store = database.open().await;
    let mut user = User::new("elise".into());
    user.email = Some("\u{c9}lise@Example.com".into());
    let mut estate = Estate { users: vec![user].into(), ..Estate::default() };
    commit(&store, &estate, &Coverage::default(), 1).await;
    estate.users.push(User::new("other".into()));
    for asked in ["\u{c9}lise@example.com", "\u{c9}LISE@EXAMPLE.COM", "\u{e9}lise@example.com"] {
        let mut found = Vec::new();
        for as_of in [None, Some(AsOf::Version(Version(1)))] {
            let mut snapshot = store.snapshot(as_of).await.unwrap().unwrap();
            found.push(snapshot.objects::<User>(&Select::Named(asked.into())).await.unwrap().len());
            drop(snapshot);
            commit(&store, &estate, &Coverage::default(), 2).await;
        }
        assert_eq!(found[0], found[1], "{asked}");
        assert!(found[0] == 1 || asked.starts_with('\u{e9}'), "{asked}");
    }
}

on_both_engines!(every_selection_is_a_filter_over_everything, an_address_is_found_alike_now_and_as_of_then,);
