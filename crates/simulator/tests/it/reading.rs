//! The truth and the wire say the same.

use std::collections::BTreeSet;

use metsuke_simulator::{Manners, Options, Simulator, Size};

use crate::probe::{Probe, text};

const ALL: [Size; 7] = [
    Size::Small,
    Size::Enterprise,
    Size::Standard,
    Size::Personal,
    Size::Mixed,
    Size::Awkward,
    Size::Company { teams: 12, people: 150, apps: 120 },
];

#[tokio::test]
async fn every_grant_on_the_wire_is_true_and_every_truth_is_on_the_wire() {
    for size in ALL {
        for seed in [1, 2, 77] {
            let options = Options { rate_limit: false, ..Options::of(size).seed(seed) };
            let probe = Probe::new(options).await;
            let (read, truth) = (probe.grants().await, probe.simulator.truth().grant_set());
            let missing: Vec<_> = truth.difference(&read).take(3).collect();
            let extra: Vec<_> = read.difference(&truth).take(3).collect();
            assert!(missing.is_empty() && extra.is_empty(), "{size:?} {seed}: {missing:?} {extra:?}");
            assert!(!truth.is_empty());
        }
    }
}

#[tokio::test]
async fn permission_listings_agree_with_the_apps_own() {
    let probe = Probe::new(Options::of(Size::Awkward)).await;
    let truth = probe.simulator.truth().grant_set();
    let mut teams = 0;
    for team in probe.all("/teams").await {
        let id = text(&team, "id");
        let Some(rows) = probe.try_all(&format!("/teams/{id}/permissions")).await else { continue };
        teams += 1;
        for row in rows.iter().filter(|row| row["type"] == "app") {
            let app = text(row, "id");
            let listed: BTreeSet<String> =
                row["users"].as_array().expect("users").iter().map(|user| text(user, "id")).collect();
            let known: BTreeSet<String> = truth
                .iter()
                .filter(|grant| grant.resource_id == app && grant.entitlement == "collaborator")
                .map(|grant| grant.principal_id.clone())
                .collect();
            assert_eq!(listed, known);
        }
    }
    assert!(teams >= 3);
}

#[tokio::test]
async fn implicit_listings_name_people_whom_no_row_names() {
    let manners = Manners { implicit_listing: true, ..Manners::default() };
    let probe = Probe::new(Options::of(Size::Enterprise).manners(manners)).await;
    let team = text(&probe.all("/teams").await[0], "id");
    let rows = probe.all(&format!("/teams/{team}/permissions")).await;
    let mut implied = 0;
    for row in rows.iter().filter(|row| row["type"] == "app") {
        let own = probe.all(&format!("/apps/{}/collaborators", text(row, "id"))).await;
        implied += usize::from(row["users"].as_array().map_or(0, Vec::len) > own.len());
    }
    assert!(implied > 0);
}

#[tokio::test]
async fn awkward_estates_have_every_awkward_row() {
    let probe = Probe::new(Options::of(Size::Awkward)).await;
    let truth = probe.simulator.truth();
    let grants = truth.grant_set();
    let has = |kind: &str, name: &str| {
        grants.iter().any(|grant| grant.resource_type == kind && grant.entitlement == name)
    };
    for role in ["auditor", "unknown", "owner", "viewer", "collaborator"] {
        assert!(has("team", role), "{role}");
    }
    assert!(has("app", "debug"));
    assert!(truth.unresolved().count() >= 2);
    assert!(truth.invitations().count() > 0);
    let apps = probe.all("/apps").await;
    assert!(apps.iter().any(|app| app["owner"].is_null()));
    assert!(apps.iter().any(|app| text(app, "name").len() == 30));
    let teams = probe.all("/teams").await;
    let known: BTreeSet<String> = teams.iter().map(|team| text(team, "id")).collect();
    let foreign = |app: &&serde_json::Value| app["team"]["id"].as_str().is_some_and(|id| !known.contains(id));
    assert!(apps.iter().any(|app| foreign(&app)));
    let mut addresses: std::collections::BTreeMap<String, BTreeSet<String>> =
        std::collections::BTreeMap::default();
    for team in teams {
        let path = format!("/teams/{}/members", text(&team, "id"));
        for row in probe.try_all(&path).await.unwrap_or_default() {
            if let Some(id) = row["user"]["id"].as_str() {
                addresses.entry(id.to_owned()).or_default().insert(text(&row, "email"));
            }
        }
    }
    assert!(addresses.values().any(|spellings| spellings.len() > 1));
}

#[tokio::test]
async fn the_same_seed_is_the_same_estate_and_another_is_not() {
    let read = async |seed| {
        let probe = Probe::new(Options::of(Size::Mixed).seed(seed)).await;
        probe.get("/apps").await.text().await.expect("a body")
    };
    assert_eq!(read(5).await, read(5).await);
    assert_ne!(read(5).await, read(6).await);
}

#[tokio::test]
async fn the_demo_company_has_the_size_it_promises() {
    let simulator = Simulator::local(Options::of(Size::COMPANY)).await.expect("the simulator starts");
    let truth = simulator.truth();
    assert_eq!(truth.teams().count(), 40);
    assert_eq!(truth.apps().count(), 1_200 + 6);
    assert!(truth.users().count() >= 800, "{}", truth.users().count());
    simulator.stop().await;
}

#[tokio::test]
async fn people_teams_apps_add_ons_and_invitations_are_those_on_the_wire() {
    for size in [Size::Mixed, Size::Awkward, Size::Personal, Size::Standard] {
        let probe = Probe::new(Options { rate_limit: false, ..Options::of(size) }).await;
        let truth = probe.simulator.truth();
        let ids =
            |rows: &[serde_json::Value]| rows.iter().map(|row| text(row, "id")).collect::<BTreeSet<_>>();
        let mut users = BTreeSet::from([text(&probe.one("/account").await, "id")]);
        let accounts = probe.all("/enterprise-accounts").await;
        let own = probe.all("/teams").await;
        let mut teams = ids(&own);
        for account in &accounts {
            let path = format!("/enterprise-accounts/{}", text(account, "id"));
            teams.extend(ids(&probe.all(&format!("{path}/teams")).await));
            users.extend(people(&probe.all(&format!("{path}/members")).await));
        }
        let (mut invitations, mut unresolved) = (BTreeSet::new(), 0);
        for team in &own {
            let path = format!("/teams/{}", text(team, "id"));
            let members = probe.try_all(&format!("{path}/members")).await.unwrap_or_default();
            unresolved += members.iter().filter(|row| row["user"].is_null()).count();
            users.extend(people(&members));
            if team["type"] == "team" {
                let rows = probe.try_all(&format!("{path}/invitations")).await.unwrap_or_default();
                invitations.extend(ids(&rows));
                users.extend(people(&rows));
            }
        }
        let apps = probe.all("/apps").await;
        for app in &apps {
            let rows = probe.all(&format!("/apps/{}/collaborators", text(app, "id"))).await;
            let manager = |row: &&serde_json::Value| {
                row["user"]["email"].as_str().is_some_and(|email| email.ends_with("@herokumanager.com"))
            };
            users.extend(people(&rows.iter().filter(|row| !manager(row)).cloned().collect::<Vec<_>>()));
        }
        assert_eq!(users, truth.users().collect(), "{size:?}");
        assert_eq!(teams, truth.teams().collect(), "{size:?}");
        assert_eq!(ids(&accounts), truth.enterprise_accounts().collect(), "{size:?}");
        assert_eq!(ids(&apps), truth.apps().collect(), "{size:?}");
        assert_eq!(ids(&probe.all("/addons").await), truth.addons().collect(), "{size:?}");
        assert_eq!(invitations, truth.invitations().map(|row| row.invitation_id).collect(), "{size:?}");
        assert_eq!(unresolved, truth.unresolved().filter(|row| row.resource_type == "team").count());
    }
}

/// Ids of the people that rows name.
fn people(rows: &[serde_json::Value]) -> BTreeSet<String> {
    rows.iter().filter_map(|row| row["user"]["id"].as_str().map(ToOwned::to_owned)).collect()
}
