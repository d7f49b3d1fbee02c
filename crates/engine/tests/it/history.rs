//! Any version can be read again, and the change log says what came and went.

use metsuke_engine::access::GrantFilter;
use metsuke_model::record::App;
use metsuke_model::{AsOf, Version};
use metsuke_simulator::{Options, Size};
use metsuke_store::{ChangeKind, Changed, Select};

use crate::house::House;

async fn every_version_reads_as_it_was(house: House) {
    let mut versions = Vec::new();
    for round in 0..6_usize {
        let summary = house.sync().await;
        versions.push((summary.version, house.direct(None).await));
        house.simulator.edit(|world| {
            let teams = world.enterprise_team_names();
            let Some(team) = teams.get(round % teams.len().max(1)) else { return };
            world.set_member(team, &format!("joiner-{round}@example.com"), Some("viewer"));
            let members = world.members_of(team);
            if let Some((email, _)) = members.get(round + 1) {
                let role = if round % 2 == 0 { Some("auditor") } else { None };
                world.set_member(team, email, role);
            }
            let apps = world.app_names(Some(team));
            if let Some(app) = apps.first() {
                world.set_collaborator(
                    app,
                    &format!("joiner-{round}@example.com"),
                    &["view", "deploy", "debug"],
                );
                world.rename_app(app, &format!("renamed-{round}"));
            }
            if let Some(app) = apps.get(1) {
                world.remove_app(app);
            }
            world.add_app(Some(team), &format!("added-{round}"));
        });
    }
    for (version, direct) in &versions {
        assert_eq!(&house.direct(Some(AsOf::Version(*version))).await, direct, "version {version}");
    }
}

#[tokio::test]
async fn every_version_reads_as_it_was_on_sqlite() {
    every_version_reads_as_it_was(House::on_sqlite(Options::of(Size::Mixed).seed(11)).await).await;
}

#[tokio::test]
async fn every_version_reads_as_it_was_on_postgres() {
    every_version_reads_as_it_was(House::on_postgres(Options::of(Size::Mixed).seed(11)).await).await;
}

#[tokio::test]
async fn the_change_log_says_what_changed_from_what_to_what() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(2)).await;
    let first = house.sync().await.version;
    let app = house
        .simulator
        .edit(|world| {
            let team = world.enterprise_team_names().remove(0);
            let app = world.app_names(Some(&team)).remove(0);
            world.rename_app(&app, "renamed");
            world.set_collaborator("renamed", "newcomer@example.com", &["view", "operate"]);
            app
        })
        .unwrap();
    let second = house.sync().await.version;
    assert_eq!(second, Version(first.0 + 1));
    let changes = house.store.changes(first, second).await.unwrap();
    let renamed = changes.iter().find_map(|change| match &change.changed {
        Changed::Object { before, after, .. } if before.contains_key("name") => Some((before, after)),
        _ => None,
    });
    let (before, after) = renamed.unwrap();
    assert_eq!((&before["name"], &after["name"]), (&app.into(), &"renamed".into()));
    let mut granted: Vec<String> = changes
        .iter()
        .filter_map(|change| match &change.changed {
            Changed::Grant { email, entitlement, .. } if email == "newcomer@example.com" => {
                assert_eq!(change.change, ChangeKind::Added);
                Some(entitlement.clone())
            }
            _ => None,
        })
        .filter(|entitlement| entitlement != "member")
        .collect();
    granted.sort();
    assert!(["collaborator", "operate", "view"].iter().all(|slug| granted.iter().any(|held| held == slug)));
    let mut old = house.snapshot(Some(AsOf::Version(first))).await;
    assert!(old.objects::<App>(&Select::Named("renamed".into())).await.unwrap().is_empty());
    let filter = GrantFilter { app: Some("renamed".into()), ..GrantFilter::default() };
    assert!(!house.lines(&filter, None).await.is_empty());
}
