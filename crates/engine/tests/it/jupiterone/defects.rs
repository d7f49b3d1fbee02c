//! What goes wrong in JupiterOne's own Heroku integration, one test a fault, on estates where it does.
//!
//! The faults that are no matter of what is exported are tested where they belong: retries after 429 and 5xx with the
//! client and the sync, exit codes with the command line, requests with the reading of an estate.

use metsuke_engine::jupiterone::Options;
use metsuke_simulator::{Options as Heroku, Size};
use serde_json::{Value, json};

use super::{exported, objects, of_type};
use crate::house::House;

async fn changed(size: Size, change: impl FnOnce(&mut metsuke_simulator::World)) -> House {
    let house = House::on_sqlite(Heroku::of(size).seed(5)).await;
    house.simulator.edit(change);
    house.sync().await;
    house
}

async fn graph(house: &House) -> std::collections::BTreeMap<String, Value> {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("out");
    exported(house, &Options::default(), &place).await;
    objects(&place)
}

fn named<'o>(list: &[&'o Value], name: &str) -> Vec<&'o Value> {
    list.iter().copied().filter(|object| object["name"] == name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_two_enterprise_accounts_comes_once_and_belongs_to_both() {
    let house = changed(Size::Mixed, |world| {
        for account in world.enterprise_names() {
            world.set_enterprise_member(&account, "both@example.com", &["view"]);
        }
    })
    .await;
    let graph = graph(&house).await;
    let accounts = of_type(&graph, "heroku_account");
    assert!(accounts.len() > 1);
    let members = of_type(&graph, "heroku_account_member");
    let member = named(&members, "both@example.com");
    assert_eq!(member.len(), 1);
    let of = of_type(&graph, "heroku_account_has_member");
    let both = of.iter().filter(|edge| edge["_toEntityKey"] == member[0]["_key"]).count();
    assert_eq!(both, accounts.len());
    for account in accounts {
        assert!(
            of.iter().any(|edge| edge["_fromEntityKey"] == account["_key"]),
            "nobody of one account is lost"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_member_outside_of_the_enterprise_account_hides_nobody() {
    let mut team = String::new();
    let house = changed(Size::Enterprise, |world| {
        team = world.team_names().remove(0);
        world.set_member(&team, "aaa.outsider@example.com", Some("member"));
    })
    .await;
    let expected = house.simulator.edit(|world| world.members_of(&team)).unwrap();
    let graph = graph(&house).await;
    let teams = of_type(&graph, "heroku_team");
    let key = &named(&teams, &team)[0]["_key"];
    let edges = of_type(&graph, "heroku_team_has_account_member");
    let held: Vec<_> = edges.iter().filter(|edge| edge["_fromEntityKey"] == *key).collect();
    assert_eq!(held.len(), expected.len());
    assert!(held.iter().all(|edge| edge["role"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_addon_without_an_address_and_an_app_without_an_owner_stop_nothing() {
    let house = changed(Size::Awkward, |_| {}).await;
    let graph = graph(&house).await;
    let addons = of_type(&graph, "heroku_addon");
    assert!(addons.len() > 1);
    for addon in &addons {
        let endpoints = addon["endpoints"].as_array().unwrap();
        assert!(endpoints.iter().all(Value::is_string), "{addon}");
    }
    assert!(
        addons.iter().any(|addon| addon["endpoints"] == json!([])),
        "the estate has one without an address"
    );
    for app in of_type(&graph, "heroku_application") {
        assert!(app.get("owner").is_none_or(Value::is_string), "{app}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_addon_that_several_apps_use_comes_once() {
    let house = changed(Size::Mixed, |_| {}).await;
    let graph = graph(&house).await;
    let uses = of_type(&graph, "heroku_application_uses_addon");
    let mut apps = std::collections::BTreeMap::<&str, Vec<&str>>::new();
    for edge in &uses {
        let end = |name: &str| edge[name].as_str().unwrap();
        apps.entry(end("_toEntityKey")).or_default().push(end("_fromEntityKey"));
    }
    let shared: Vec<_> = apps.iter().filter(|(_, apps)| apps.iter().any(|app| *app != apps[0])).collect();
    assert!(!shared.is_empty(), "the estate has one");
    for (addon, _) in shared {
        // Keys are unique already: what counts is that it is there, and belongs to one app.
        assert!(graph.contains_key(*addon));
        let owners = of_type(&graph, "heroku_application_has_addon");
        assert_eq!(owners.iter().filter(|edge| edge["_toEntityKey"] == **addon).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_enterprise_account_there_is_still_a_graph() {
    for size in [Size::Standard, Size::Personal] {
        let house = changed(size, |_| {}).await;
        let graph = graph(&house).await;
        assert!(!of_type(&graph, "heroku_application").is_empty(), "{size:?}");
        assert!(!of_type(&graph, "heroku_account_member").is_empty(), "{size:?}");
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("out");
        exported(&house, &Options::default(), &place).await;
        let summary: Value =
            serde_json::from_slice(&std::fs::read(place.join("summary.json")).unwrap()).unwrap();
        assert_eq!(summary["metadata"]["partialDatasets"]["types"], json!([]), "{size:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_governance_asks_for_stands_in_properties() {
    let house = changed(Size::Mixed, |_| {}).await;
    let graph = graph(&house).await;
    for (name, property) in [
        ("heroku_account_member", "mfaEnabled"),
        ("heroku_account_member", "federated"),
        ("heroku_account_member", "email"),
        ("heroku_account_has_member", "permissions"),
        ("heroku_account_member_assigned_application", "permissions"),
        ("heroku_team_has_account_member", "role"),
        ("heroku_account", "identityProvider"),
        ("heroku_application", "region"),
        ("heroku_application", "stack"),
        ("heroku_application", "maintenance"),
        ("heroku_application", "acm"),
        ("heroku_addon", "plan"),
        ("heroku_addon", "priceCents"),
    ] {
        assert!(
            of_type(&graph, name).iter().any(|object| !object[property].is_null()),
            "{property} of {name}"
        );
    }
}
