//! One-shot syncs into a file.

use std::collections::BTreeSet;

use metsuke_baton::any;
use metsuke_baton::c1z::{Row, SyncType};
use metsuke_baton::proto::connector::{Grant, GrantExpandable, GrantImmutable};
use metsuke_simulator::Size;

use crate::house::{House, open, principal};

fn is_immutable(grant: &Grant) -> bool {
    any::find::<GrantImmutable>(&grant.annotations).is_some()
}

fn is_expandable(grant: &Grant) -> bool {
    any::find::<GrantExpandable>(&grant.annotations).is_some()
}

/// Entitlements and users, of what Heroku itself has rows for.
fn direct(house: &House, file: &str) -> BTreeSet<(String, String)> {
    let grants = house.grants(file).into_iter().filter(|grant| !is_immutable(grant));
    grants
        .map(|grant| (grant.entitlement.as_ref().unwrap().id.clone(), principal(&grant).resource.clone()))
        .collect()
}

fn truth(house: &House) -> BTreeSet<(String, String)> {
    let truth = house.heroku.truth();
    let grants = truth.grants().map(|grant| {
        (format!("{}:{}:{}", grant.resource_type, grant.resource_id, grant.entitlement), grant.principal_id)
    });
    grants.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_direct_grants_of_a_file_are_herokus_rows() {
    for size in [Size::Small, Size::Enterprise, Size::Standard, Size::Personal, Size::Mixed] {
        let house = House::of(size).await;
        house.done(&[]).await;
        assert_eq!(direct(&house, "sync.c1z"), truth(&house), "{size:?}");
        let people: BTreeSet<String> = house.resources("sync.c1z", "user").into_iter().collect();
        let known: BTreeSet<String> = house.heroku.truth().users().collect();
        assert!(people.is_superset(&known), "{size:?}");
        assert!(house.is_tidy());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expanded_file_adds_what_follows_and_keeps_what_it_follows_from() {
    let house = House::of(Size::Small).await;
    house.done(&["-f", "all.c1z"]).await;
    house.done(&["-f", "few.c1z", "--expand", "never"]).await;
    let ids = |file| house.grants(file).into_iter().map(|grant| grant.id).collect::<BTreeSet<_>>();
    let (all, few) = (ids("all.c1z"), ids("few.c1z"));
    assert!(all.is_superset(&few) && all.len() > few.len(), "{} and {}", all.len(), few.len());
    assert_eq!(direct(&house, "all.c1z"), direct(&house, "few.c1z"));
    let expandable = |file| house.grants(file).iter().filter(|grant| is_expandable(grant)).count();
    assert!(expandable("all.c1z") > 0);
    assert_eq!(expandable("all.c1z"), expandable("few.c1z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_joins_the_first_and_a_third_takes_its_place() {
    let house = House::of(Size::Small).await;
    for count in [1, 2, 2] {
        house.done(&[]).await;
        let file = open(&house.file("sync.c1z"));
        assert_eq!(file.syncs().len(), count);
        assert!(file.syncs().iter().all(|run| run.is_finished && run.sync_type == SyncType::Full));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_types_are_alone_in_the_file() {
    let house = House::of(Size::Small).await;
    house.done(&["--sync-resource-types", "user,team"]).await;
    let types: Vec<String> = house
        .rows("sync.c1z")
        .into_iter()
        .filter_map(|row| match row {
            Row::ResourceType(row) => Some(row.id),
            _ => None,
        })
        .collect();
    assert_eq!(types, ["user", "team"]);
    let grants = house.grants("sync.c1z");
    assert!(!grants.is_empty() && grants.iter().all(|grant| grant.id.starts_with("team:")));
    house.done(&["--sync-resource-types", "app"]).await;
    let grants = house.grants("sync.c1z");
    assert!(grants.iter().all(|grant| principal(grant).resource_type == "app"), "users are not in the file");
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_resources_are_a_partial_sync_on_top_of_the_full_one() {
    let house = House::of(Size::Small).await;
    house.done(&[]).await;
    let full = open(&house.file("sync.c1z")).syncs()[0].id.clone();
    let app = house.resources("sync.c1z", "app").remove(0);
    let bids = format!("bid:r:app/{app},bid:r:app/no-such-app");
    let ran = house.done(&["--sync-resources", &bids]).await;
    assert!(ran.stderr.contains("there is no such resource"), "{ran:?}");
    let file = open(&house.file("sync.c1z"));
    let partial = file.syncs().iter().find(|run| run.sync_type == SyncType::Partial).unwrap();
    assert_eq!(partial.parent.as_ref(), Some(&full));
    let grants = house.grants("sync.c1z");
    let of_app = format!("app:{app}:");
    assert!(!grants.is_empty() && grants.iter().all(|grant| grant.id.starts_with(&of_app)));
    house.done(&["--sync-resources", &bids, "--skip-grants"]).await;
    assert!(house.grants("sync.c1z").is_empty());
    assert!(house.is_tidy());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_be_chosen_without_a_sync_before() {
    let house = House::of(Size::Small).await;
    let user = house.heroku.truth().users().next().unwrap();
    house.done(&["--sync-resources", &format!("bid:r:user/{user}")]).await;
    assert_eq!(house.resources("sync.c1z", "user"), [user]);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_can_be_left_out() {
    let house = House::of(Size::Small).await;
    house.done(&["--skip-entitlements-and-grants"]).await;
    let rows = house.rows("sync.c1z");
    assert!(rows.iter().any(|row| matches!(row, Row::Resource(_))));
    assert!(!rows.iter().any(|row| matches!(row, Row::Entitlement(_) | Row::Grant(_))));
    assert_eq!(open(&house.file("sync.c1z")).syncs()[0].sync_type, SyncType::ResourcesOnly);
    let before = house.heroku.stats().requests;
    house.done(&["--skip-full-sync", "-f", "empty.c1z"]).await;
    assert!(house.heroku.stats().requests <= before + 1, "the token is checked, and nothing is read");
    assert!(house.resources("empty.c1z", "user").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_named_stays_and_is_read_by_the_next_run() {
    let house = House::of(Size::Small).await;
    let database = format!("sqlite:{}", house.file("kept.db").display());
    house.done(&["--database", &database]).await;
    house.done(&["--database", &database]).await;
    assert!(house.file("kept.db").exists() && house.is_tidy());
    assert_eq!(open(&house.file("sync.c1z")).syncs().len(), 2);
}
