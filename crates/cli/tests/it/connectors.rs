//! Connectors at the command line: added, synced, read by name, removed.

use metsuke_simulator::Size;

use crate::house::{House, bare, run};

pub(crate) async fn added(house: &House, name: &str) {
    let token = house.folder.path().join("token");
    std::fs::write(&token, format!("{}\n", house.heroku.token())).unwrap();
    let url = house.heroku.url();
    let ran = house
        .run(&[
            "connectors",
            "add",
            name,
            "--owner",
            "ann@example.com",
            "--token-file",
            "token",
            "--api-url",
            &url,
            "--polling",
            "ONE_DAY",
            "--hour",
            "4",
        ])
        .await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("every day at 04:00 UTC"), "{ran:?}");
    assert!(!format!("{ran:?}").contains(house.heroku.token()));
}

#[tokio::test]
async fn a_connector_is_added_synced_read_and_removed() {
    let house = House::of(Size::Small).await;
    added(&house, "core").await;
    let ran = house.run(&["connectors", "sync", "core"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("the sync begins"), "{ran:?}");
    let listed = house.lines(&["connectors", "list"]).await;
    assert_eq!((listed.len(), listed[0]["state"].as_str()), (1, Some("connected")));
    // The only connector needs no name.
    let only = house.lines(&["grants"]).await;
    assert!(!only.is_empty());
    added(&house, "other").await;
    let ran = house.run(&["grants"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("`core`") && ran.stderr.contains("--connector"), "{ran:?}");
    assert_eq!(house.lines(&["grants", "--connector", "CORE"]).await, only);
    let runs = house.lines(&["connectors", "runs", "core"]).await;
    assert_eq!(runs[0]["status"], "complete");
    assert!(house.lines(&["connectors", "logs", "core"]).await.len() > 1);
    let tried = house.json(&["connectors", "test", "core"]).await;
    assert!(tried["problems"].as_array().unwrap().is_empty(), "{tried}");
    let paused = house.json(&["connectors", "pause", "core"]).await;
    assert_eq!(paused["state"], "paused");
    let edited = house.json(&["connectors", "edit", "core", "--name", "Core", "--skip", "spaces"]).await;
    assert_eq!((edited["name"].as_str(), edited["skip"][0].as_str()), (Some("Core"), Some("spaces")));

    assert_eq!(house.run(&["connectors", "delete", "core"]).await.code, 2, "nobody is there to be asked");
    let removal = house.json(&["connectors", "delete", "core", "--yes"]).await;
    assert_eq!((removal["versions"].as_u64(), removal["name"].as_str()), (Some(1), Some("Core")));
    assert_ne!(house.run(&["connectors", "show", "core"]).await.code, 0);
    assert_eq!(house.lines(&["connectors", "list"]).await.len(), 1);
}

#[tokio::test]
async fn an_estate_of_the_database_itself_needs_no_connector() {
    let house = House::synced(Size::Small).await;
    let before = house.lines(&["grants"]).await;
    added(&house, "core").await;
    assert_eq!(house.lines(&["grants"]).await, before);
    assert_ne!(house.run(&["grants", "--connector", "core"]).await.code, 0, "it was never synced");
    assert_ne!(house.run(&["grants", "--connector", "nobody"]).await.code, 0);
}

#[tokio::test]
async fn what_cannot_be_is_told_at_once() {
    let house = House::of(Size::Small).await;
    let ran =
        house.run(&["connectors", "add", "core", "--owner", "ann", "--api-url", "http://example.com"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("owner:") && ran.stderr.contains("api_url:"), "{ran:?}");
    let ran = house.run(&["connectors", "add", "core", "--owner", "a@b.c", "--polling", "OFTEN"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_says_itself_whether_access_is_changed_through_it() {
    let house = House::of(Size::Small).await;
    added(&house, "core").await;
    assert_eq!(house.run(&["connectors", "sync", "core"]).await.code, 0);
    let team = house.heroku.edit(|world| world.enterprise_team_names().remove(0)).unwrap();
    let person = "new.colleague@example.com";
    // Its own token is used: none stands in the environment.
    let change = async |verb: &str, more: &[&str]| {
        let ask =
            [verb, "--connector", "core", "--user", person, "--team", &team, "--role", "member", "--yes"];
        run(bare(&house.folder, &[&["--format", "json"], &ask[..], more].concat())).await
    };
    let ran = change("grant", &["--allow-writes"]).await;
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.stdout.contains("the connector `core` does not change access"), "{ran:?}");
    assert!(ran.stderr.contains("--provisioning true"), "{ran:?}");
    assert!(house.heroku.journal().writes.is_empty());
    house.json(&["connectors", "edit", "core", "--provisioning", "true"]).await;
    let ran = change("grant", &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(house.heroku.journal().writes.len(), 1);
    let ran = change("revoke", &[]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!format!("{ran:?}").contains(house.heroku.token()));
}
