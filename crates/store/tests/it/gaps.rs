//! What was not read is never called gone; what is known by its id alone is not shown, and becomes real when listed.

use metsuke_model::access::{Entitlement, Mask};
use metsuke_model::record::{App, Team, User};
use metsuke_model::{AsOf, Changes, Coverage, Estate, HerokuId, Kind, Resource, ResourceType, Version};
use metsuke_store::{ChangeKind, Changed, Select};

use crate::database::{Database, commit};
use crate::document::read;
use crate::generated::{Generator, Reading, plain, whole};

/// Two apps of one team, two people with everything.
fn small() -> Estate {
    plain(2, 2, Mask(0b11))
}

async fn nothing_is_gone_where_nothing_was_covered(database: Database) {
    let store = database.open().await;
    let mut generator = Generator::new(5);
    let Reading { estate, .. } = generator.next();
    commit(&store, &estate, &whole(&estate), 1).await;
    let before = read(&store, None).await;
    let empty = commit(&store, &Estate::default(), &Coverage::default(), 2).await;
    assert_eq!(empty.changes, Changes::default());
    read(&store, None).await.assert_is(&before, "nothing was read");
    for second in 3..9 {
        let Reading { estate, .. } = generator.next();
        let before = read(&store, None).await;
        let committed = commit(&store, &estate, &Coverage::default(), second).await;
        let after = read(&store, None).await;
        assert!(before.objects.keys().all(|key| after.objects.contains_key(key)));
        assert!(before.access.keys().all(|key| after.access.contains_key(key)));
        let log = store.changes(Version(second - 1), Version(second)).await.unwrap();
        let removed = log.iter().filter(|change| change.change == ChangeKind::Removed);
        assert!(
            removed.clone().all(|change| matches!(change.changed, Changed::Grant { .. })),
            "of listed pairs only"
        );
        assert_eq!(
            committed.changes.removed,
            removed.filter(|change| !on_space(&change.changed)).count() as u64
        );
    }
}

fn on_space(changed: &Changed) -> bool {
    matches!(changed, Changed::Grant { resource_type: ResourceType::Space, .. })
}

async fn only_the_covered_listing_takes_away(database: Database) {
    let store = database.open().await;
    let estate = small();
    commit(&store, &estate, &whole(&estate), 1).await;
    let mut less = estate.clone();
    less.access.retain(|row| row.principal == 0);
    let mut coverage = Coverage::default();
    coverage.cover_access(Resource { resource_type: ResourceType::App, id: "app-0".into() });
    let committed = commit(&store, &less, &coverage, 2).await;
    assert_eq!(committed.changes, Changes { removed: 2, ..Changes::default() });
    assert_eq!(committed.counts.grants, 2 + 8 - 2);
    less.apps.edit(|apps| drop(apps.pop()));
    less.access.retain(|row| row.resource != 2);
    let mut coverage = Coverage::default();
    coverage.cover_children(Kind::App, None);
    coverage.cover_children(Kind::App, Some("another team".into()));
    assert_eq!(commit(&store, &less, &coverage, 3).await.changes, Changes::default());
    coverage.cover_children(Kind::App, Some("team".into()));
    let committed = commit(&store, &less, &coverage, 4).await;
    assert_eq!(committed.changes.removed, 1 + 4, "the app, and what was held on it");
}

async fn orphans_go_with_their_team_where_that_is_said(database: Database) {
    let store = database.open().await;
    let estate = small();
    commit(&store, &estate, &whole(&estate), 1).await;
    let mut coverage = Coverage::default();
    coverage.cover_kind(Kind::Team);
    let committed = commit(&store, &Estate::default(), &coverage, 2).await;
    assert_eq!(
        (committed.counts.teams, committed.counts.apps),
        (0, 2),
        "an app outlives what is known of its team"
    );
    coverage.cover_orphans(Kind::App);
    let committed = commit(&store, &Estate::default(), &coverage, 3).await;
    assert_eq!((committed.counts.apps, committed.counts.grants), (0, 0));
    assert_eq!(committed.counts.users, 2);
}

async fn an_unknown_reference_becomes_an_object_when_it_is_listed(database: Database) {
    let store = database.open().await;
    let mut app = App::new("app".into());
    (app.name, app.owner, app.team) = (Some("app".into()), Some("owner".into()), Some("team".into()));
    let mut estate = Estate { apps: vec![app.clone()].into(), ..Estate::default() };
    let first = commit(&store, &estate, &Coverage::default(), 1).await;
    assert_eq!((first.counts.users, first.counts.teams, first.changes.added), (0, 0, 1));
    let mut snapshot = store.snapshot(None).await.unwrap().unwrap();
    assert_eq!(snapshot.objects::<App>(&Select::All).await.unwrap()[0].record, app);
    for select in [Select::All, Select::Id("owner".into())] {
        assert!(snapshot.objects::<User>(&select).await.unwrap().is_empty());
    }
    drop(snapshot);

    let mut owner = User::new("owner".into());
    owner.email = Some("owner@example.com".into());
    estate.users.push(owner.clone());
    let second = commit(&store, &estate, &Coverage::default(), 2).await;
    assert_eq!((second.counts.users, second.changes), (1, Changes { added: 1, ..Changes::default() }));
    let log = store.changes(Version(1), Version(2)).await.unwrap();
    assert_eq!((log.len(), log[0].change), (1, ChangeKind::Added));
    let mut snapshot = store.snapshot(None).await.unwrap().unwrap();
    let found = snapshot.objects::<User>(&Select::Named("OWNER@example.com".into())).await.unwrap();
    assert_eq!((&found[0].record, found[0].since), (&owner, Version(2)));
    let apps = snapshot.objects::<App>(&Select::OwnedBy(vec![found[0].dense])).await.unwrap();
    assert_eq!(apps[0].record, app);
    drop(snapshot);
    let mut old = store.snapshot(Some(AsOf::Version(Version(1)))).await.unwrap().unwrap();
    assert!(old.objects::<User>(&Select::All).await.unwrap().is_empty(), "it was not there then");
}

async fn what_vanishes_and_returns_is_the_same_object(database: Database) {
    let store = database.open().await;
    let estate = small();
    commit(&store, &estate, &whole(&estate), 1).await;
    let before = read(&store, None).await;
    let mut less = estate.clone();
    less.apps.edit(|apps| drop(apps.remove(0)));
    less.access.retain(|row| row.resource != 1);
    let gone = commit(&store, &less, &whole(&less), 2).await;
    assert_eq!((gone.changes.removed, gone.counts.apps), (5, 1));
    let mut back = estate.clone();
    back.apps.edit(|apps| apps[0].name = Some("renamed meanwhile".into()));
    back.access.retain(|row| (row.resource, row.principal) != (1, 1));
    let returned = commit(&store, &back, &whole(&back), 3).await;
    assert_eq!(returned.changes, Changes { added: 3, ..Changes::default() });
    let mut snapshot = store.snapshot(None).await.unwrap().unwrap();
    let app = snapshot.objects::<App>(&Select::Id("app-0".into())).await.unwrap().remove(0);
    assert_eq!((app.since, app.record.name.as_deref()), (Version(1), Some("renamed meanwhile")));
    drop(snapshot);
    read(&store, Some(AsOf::Version(Version(1)))).await.assert_is(&before, "before it went");
    let without = read(&store, Some(AsOf::Version(Version(2)))).await;
    assert!(!without.has(Kind::App, &HerokuId::new("app-0")));
    let log = store.changes(Version(1), Version(3)).await.unwrap();
    let app = |changed: &Changed| matches!(changed, Changed::Object { kind: Kind::App, .. });
    let kinds: Vec<ChangeKind> =
        log.iter().filter(|change| app(&change.changed)).map(|change| change.change).collect();
    assert_eq!(kinds, [ChangeKind::Removed, ChangeKind::Added]);
}

async fn a_hint_never_overwrites_what_is_known(database: Database) {
    let store = database.open().await;
    let estate = small();
    commit(&store, &estate, &whole(&estate), 1).await;
    let before = read(&store, None).await;
    let mut app = App::new("app-0".into());
    app.name = Some("as a permissions listing spells it".into());
    let mut team = Team::new("team".into());
    team.name = Some("as an app spells it".into());
    let mut hints = Estate { teams: vec![team].into(), hinted_apps: vec![app].into(), ..Estate::default() };
    let coverage = {
        let mut coverage = Coverage::default();
        coverage.cover_kind(Kind::Team);
        coverage.cover_kind(Kind::App);
        coverage
    };
    let second = commit(&store, &hints, &coverage, 2).await;
    assert_eq!(second.changes.changed, 0);
    let after = read(&store, None).await;
    for (kind, id) in [(Kind::Team, "team"), (Kind::App, "app-0")] {
        let key = (kind, HerokuId::new(id));
        assert_eq!(after.objects[&key], before.objects[&key], "a hint proves that it is there, no more");
    }
    assert!(!after.has(Kind::App, &"app-1".into()), "neither listed nor hinted, and the kind is covered");
    hints.hinted_apps.edit(|apps| apps[0].id = "new".into());
    let third = commit(&store, &hints, &Coverage::default(), 3).await;
    assert_eq!(third.changes, Changes { added: 1, ..Changes::default() });
    let mut real = App::new("new".into());
    real.name = Some("its real name".into());
    let estate = Estate { apps: vec![real].into(), ..Estate::default() };
    assert_eq!(commit(&store, &estate, &Coverage::default(), 4).await.changes.changed, 1);
}

async fn gaps_in_what_is_told_of_people_keep_what_is_known(database: Database) {
    let store = database.open().await;
    let mut user = User::new("ann".into());
    (user.email, user.name, user.two_factor) =
        (Some("Ann@example.com".into()), Some("Ann".into()), Some(true));
    user.properties = r#"{"identity_provider":"x"}"#.into();
    let known = Estate { users: vec![user.clone()].into(), ..Estate::default() };
    commit(&store, &known, &whole(&known), 1).await;
    let mut less = User::new("ann".into());
    less.email = Some("ann@EXAMPLE.com".into());
    let told = Estate { users: vec![less.clone()].into(), ..Estate::default() };
    assert_eq!(commit(&store, &told, &Coverage::default(), 2).await.changes, Changes::default());
    less.name = Some("Anne".into());
    let told = Estate { users: vec![less.clone()].into(), ..Estate::default() };
    assert_eq!(commit(&store, &told, &Coverage::default(), 3).await.changes.changed, 1);
    let found = store.snapshot(None).await.unwrap().unwrap().objects::<User>(&Select::All).await.unwrap();
    assert_eq!(found[0].record, User { name: Some("Anne".into()), ..user });
    assert_eq!(commit(&store, &told, &whole(&told), 4).await.changes.changed, 1);
    let found = store.snapshot(None).await.unwrap().unwrap().objects::<User>(&Select::All).await.unwrap();
    assert_eq!(found[0].record, less, "where everything was read, what is not told is not so");
}

async fn unknown_entitlements_come_and_go_with_their_row(database: Database) {
    let store = database.open().await;
    let mut estate = small();
    estate.access[2].mask = Entitlement::DEPLOY.mask().with(Mask::OTHER);
    estate.other_access = vec![(1, 0, "debug".into()), (1, 0, "audit".into())];
    let first = commit(&store, &estate, &whole(&estate), 1).await;
    assert_eq!((first.counts.grants, first.changes.added), (2 + 3 + 6, 2 + 1 + 2 + 11), "unknown ones count");
    estate.other_access.pop();
    estate.other_access.push((1, 0, "review".into()));
    let second = commit(&store, &estate, &Coverage::default(), 2).await;
    assert_eq!(
        (second.changes.added, second.changes.removed),
        (1, 1),
        "the pair was listed: it has lost `audit`"
    );
    estate.access.remove(2);
    estate.other_access.clear();
    assert_eq!(commit(&store, &estate, &Coverage::default(), 3).await.changes, Changes::default());
    let third = commit(&store, &estate, &whole(&estate), 4).await;
    assert_eq!((third.changes.removed, third.counts.grants), (3, 2 + 6));
}

/// JSON may hold it, and PostgreSQL's texts may not: nobody may stop every sync by what he calls himself.
async fn a_nul_in_a_text_does_not_stop_a_sync(database: Database) {
    let store = database.open().await;
    let mut user = User::new("ann".into());
    (user.email, user.name) = (Some("ann@example.com".into()), Some("Ann\0 Other".into()));
    user.properties = r#"{"note":"a\u0000b"}"#.into();
    let estate = Estate { users: vec![user].into(), ..Estate::default() };
    commit(&store, &estate, &whole(&estate), 1).await;
    let again = commit(&store, &estate, &whole(&estate), 2).await;
    assert_eq!(again.changes, Changes::default());
    let mut snapshot = store.snapshot(None).await.unwrap().unwrap();
    let found = snapshot.objects::<User>(&Select::Named("ann@example.com".into())).await.unwrap();
    assert!(found[0].record.name.as_deref().unwrap().ends_with(" Other"), "{found:?}");
}

on_both_engines!(
    a_nul_in_a_text_does_not_stop_a_sync,
    nothing_is_gone_where_nothing_was_covered,
    only_the_covered_listing_takes_away,
    orphans_go_with_their_team_where_that_is_said,
    an_unknown_reference_becomes_an_object_when_it_is_listed,
    what_vanishes_and_returns_is_the_same_object,
    a_hint_never_overwrites_what_is_known,
    gaps_in_what_is_told_of_people_keep_what_is_known,
    unknown_entitlements_come_and_go_with_their_row,
);
