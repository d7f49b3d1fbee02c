//! Exports and uploads for JupiterOne at the command line.

use std::path::Path;

use metsuke_simulator::Size;
use metsuke_simulator::jupiterone::{JupiterOne, JupiterOneOptions};
use serde_json::Value;

use crate::house::{House, Ran, run};

async fn upload(house: &House, jupiterone: &JupiterOne, arguments: &[&str]) -> Ran {
    let mut command = house.command(&[&["jupiterone", "upload"], arguments].concat());
    command.env("METSUKE_JUPITERONE_URL", jupiterone.url()).env("JUPITERONE_ACCOUNT", jupiterone.account());
    command.env("JUPITERONE_API_KEY", jupiterone.api_key());
    run(command).await
}

fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn an_export_is_written_told_and_replaced() {
    let house = House::synced(Size::Small).await;
    let ran = house.run(&["export", "jupiterone", "--out", "out"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("version 1: ") && ran.stdout.ends_with(" in `out`\n"), "{ran:?}");
    let out = house.folder.path().join("out");
    assert!(summary(&out)["integrationStepResults"].as_array().unwrap().len() > 10);
    let told = house
        .json(&["export", "jupiterone", "--out", "out", "--only-original", "--profile", "current"])
        .await;
    assert_eq!(told["version"], 1);
    assert_eq!(summary(&out)["integrationStepResults"].as_array().unwrap().len(), 10);
    assert_eq!(summary(&out)["metsuke"]["profile"], "current");
}

#[tokio::test]
async fn a_strange_folder_and_a_tag_without_a_name_are_refused() {
    let house = House::synced(Size::Small).await;
    let mine = house.folder.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    std::fs::write(mine.join("diary"), "dear").unwrap();
    let ran = house.run(&["export", "jupiterone", "--out", "mine"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("hint: name another folder"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(mine.join("diary")).unwrap(), "dear");
    let ran = house.run(&["export", "jupiterone", "--out", "out", "--tag-account-name"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[tokio::test]
async fn an_upload_arrives_and_names_what_is_partial() {
    let house = House::of(Size::Small).await;
    house.heroku.faults().add("forbidden-403@/teams/*/members".parse().unwrap());
    house.run(&["sync", "--quiet"]).await;
    let jupiterone = JupiterOne::local(JupiterOneOptions::default()).await.unwrap();
    let ran = upload(&house, &jupiterone, &["--integration-instance-id", "instance-1"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("is FINISHED"), "{ran:?}");
    assert!(ran.stderr.contains("heroku_team_has_account_member"), "{ran:?}");
    assert!(jupiterone.graph("instance-1").count("heroku_application") > 0);
    assert!(jupiterone.jobs()[0].partial.contains(&"heroku_team_has_account_member".to_owned()));
    let told = upload(&house, &jupiterone, &["--scope", "mine", "--format", "json"]).await;
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["status"], "FINISHED");
    assert!(jupiterone.graph("mine").count("heroku_team") > 0);
}

#[tokio::test]
async fn a_key_comes_from_a_file_and_is_never_shown() {
    let house = House::synced(Size::Small).await;
    let jupiterone = JupiterOne::local(JupiterOneOptions::default()).await.unwrap();
    let key = house.folder.path().join("key");
    std::fs::write(&key, format!("{}\n", jupiterone.api_key())).unwrap();
    let arguments =
        ["jupiterone", "upload", "--scope", "s", "--account-id", "simulated", "--api-key-file", "key"];
    let url = jupiterone.url();
    let ran = house.run(&[&arguments[..], &["--jupiterone-url", &url]].concat()).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    std::fs::write(&key, "sesame-sesame").unwrap();
    let ran =
        house.run(&[&arguments[..], &["--jupiterone-url", &url, "--log-level", "trace"]].concat()).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("401") && ran.stderr.contains("hint: check the API key"), "{ran:?}");
    assert!(!ran.stderr.contains("sesame"), "{ran:?}");
    let ran = house.run(&["jupiterone", "upload", "--scope", "s", "--account-id", "x"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("JUPITERONE_API_KEY"), "{ran:?}");
}
