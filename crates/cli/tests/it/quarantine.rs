//! A sync that would take away too much: exit codes, texts, and how a person makes it current.

use std::process::Stdio;

use metsuke_simulator::Size;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::house::{House, Ran, run, starting};

/// A synced house whose Heroku has lost a whole team since; and the team's name.
async fn bereft() -> (House, String) {
    let house = House::synced(Size::Small).await;
    let team = house.heroku.edit(|world| world.enterprise_team_names().swap_remove(0)).unwrap();
    assert!(house.heroku.edit(|world| world.remove_team(&team)).unwrap());
    (house, team)
}

async fn team_names(house: &House) -> Vec<Value> {
    house.lines(&["list", "teams"]).await.into_iter().map(|mut team| team["name"].take()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_team_waits_in_quarantine_with_exit_code_4() {
    let (house, team) = bereft().await;
    let ran = house.run(&["sync", "--format", "json"]).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let sync = &document["sync"];
    assert_eq!(
        (&sync["version"], &sync["status"], &sync["incomplete"]),
        (&json!(2), &json!("quarantined"), &json!([]))
    );
    let reasons = sync["quarantine"]["reasons"].as_array().unwrap();
    let told = format!("nobody would be left on team `{team}`, which had ");
    assert!(reasons.iter().any(|reason| reason.as_str().unwrap().starts_with(&told)), "{reasons:?}");

    let ran = house.run(&["sync", "--quiet"]).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stdout.starts_with("Sync 3: quarantined\n"), "{ran:?}");
    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("In quarantine: too much would go at once, so the last version stays current"),
        "{said}"
    );
    assert!(said.contains(&told) && said.contains("`metsuke syncs accept 3` makes it current"), "{said}");
    assert!(said.contains("against the last version 0 added, "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_stay_those_of_the_last_version_and_say_that_a_newer_one_waits() {
    let (house, team) = bereft().await;
    let before = house.lines(&["grants"]).await;
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 4);
    assert_eq!(house.lines(&["grants"]).await, before);
    assert!(team_names(&house).await.contains(&json!(team)));
    for arguments in [&["grants"][..], &["list", "apps"], &["changes"]] {
        let ran = house.run(arguments).await;
        let notes = starting(&ran.stderr, "note: sync 2 is newer and waits in quarantine: ");
        assert_eq!((ran.code, notes.len()), (0, 1), "{ran:?}");
        assert!(house.run(&[arguments, &["--quiet"]].concat()).await.stderr.is_empty());
    }
    assert!(!house.run(&["list", "apps", "--as-of", "1"]).await.stderr.contains("quarantine"));
    let ran = house.run(&["list", "apps", "--as-of", "2"]).await;
    assert!(ran.code == 1 && ran.stderr.starts_with("error: there is no version 2"), "{ran:?}");
    let ran = house.run(&["doctor"]).await;
    let told = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("sync 2 is newer and waits in quarantine"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_lists_it_and_show_says_why() {
    let (house, _) = bereft().await;
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 4);
    let syncs = house.lines(&["syncs"]).await;
    assert_eq!((&syncs[0]["version"], &syncs[0]["status"]), (&json!(2), &json!("quarantined")));
    let shown = house.json(&["syncs", "show", "2"]).await;
    assert_eq!(
        (&shown["quarantine"]["status"], &shown["quarantine"]["waits"]),
        (&json!("complete"), &json!(true))
    );
    let reason = shown["quarantine"]["reasons"][0].as_str().unwrap().to_owned();
    assert!(!shown["scopes"].as_array().unwrap().is_empty());
    let ran = house.run(&["syncs", "show", "2"]).await;
    assert!(ran.stdout.starts_with("Sync 2: quarantined\n"), "{ran:?}");
    assert!(ran.stdout.contains(&reason) && ran.stdout.contains("`metsuke syncs accept 2`"), "{ran:?}");
    assert!(house.json(&["syncs", "show", "1"]).await.get("quarantine").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_makes_it_current_without_asking_heroku() {
    let (house, team) = bereft().await;
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 4);
    house.heroku.reset_stats();
    let ran = house.run(&["syncs", "accept", "2"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "nobody is there to be asked: {ran:?}");
    let ran = house.run(&["syncs", "accept", "2", "--yes"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert!(ran.stdout.starts_with("Sync 2: quarantined\n"), "it is shown first: {ran:?}");
    assert!(ran.stdout.contains("\nVersion 2 is current: 0 added, "), "{ran:?}");
    assert_eq!(house.heroku.stats().requests, 0);
    assert!(!team_names(&house).await.contains(&json!(team)));
    assert_eq!(house.heroku.truth().grant_count(), house.json(&["syncs"]).await[0]["counts"]["grants"]);
    assert!(!house.lines(&["changes"]).await.is_empty());
    let ran = house.run(&["sync", "--quiet"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("nothing changed since the version before"), "{ran:?}");
    let shown = house.run(&["syncs", "show", "2"]).await;
    assert!(shown.stdout.contains("It was put into quarantine, and then accepted."), "{shown:?}");
    for (version, reason) in [("2", "it is a version already"), ("9", "there is no such sync")] {
        let ran = house.run(&["syncs", "accept", version, "--yes"]).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
        let error = format!("error: sync {version} cannot be accepted: {reason}\nhint: ");
        assert!(ran.stderr.starts_with(&error), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_the_accepted_sync_as_one_object() {
    let (house, _) = bereft().await;
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 4);
    let accepted = house.json(&["syncs", "accept", "2", "--yes"]).await;
    assert_eq!((&accepted["sync"]["version"], &accepted["sync"]["status"]), (&json!(2), &json!("complete")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_sync_is_judged_anew_and_outdates_the_one_that_waits() {
    let house = House::synced(Size::Small).await;
    let role = |role: &'static str| {
        house.heroku.edit(move |world| {
            let team = world.enterprise_team_names().swap_remove(0);
            let (member, _) = world.members_of(&team).into_iter().rfind(|(_, held)| held.is_some()).unwrap();
            world.set_role(&team, &member, Some(role))
        })
    };
    assert_eq!(role("viewer"), Some(true));
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 0);
    assert_eq!(role("member"), Some(true));
    let ran = house.run(&["sync", "--quiet", "--brake-percent", "0"]).await;
    assert!(ran.code == 4 && ran.stdout.contains("1 of "), "{ran:?}");
    assert_eq!(role("viewer"), Some(true));
    let ran = house.run(&["sync", "--quiet"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("Version 4: complete\n"), "{ran:?}");
    assert!(ran.stdout.contains("nothing changed since the version before"), "{ran:?}");
    assert!(!house.run(&["list", "apps"]).await.stderr.contains("quarantine"));
    let ran = house.run(&["syncs", "accept", "3", "--yes"]).await;
    assert!(ran.code == 1 && ran.stderr.contains("a later one has taken its place"), "{ran:?}");
    assert_eq!(house.lines(&["changes", "--since", "2"]).await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brake_is_a_setting() {
    let (house, _) = bereft().await;
    for wrong in [["--brake-percent", "101"], ["--brake-from", "-1"]] {
        assert_eq!(house.run(&[&["sync"], &wrong[..]].concat()).await.code, 2);
    }
    let ran = house.run(&["sync", "--quiet", "--brake-percent", "100"]).await;
    assert_eq!(ran.code, 4, "a whole team is held up still: {ran:?}");
    let ran = house.run(&["sync", "--quiet", "--brake-from", "1000000"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// Answers the question of a program that runs on a terminal.
const ON_A_TERMINAL: &str = "
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
os.write(terminal, (sys.argv[1] + '\\n').encode())
told = b''
try:
    while data := os.read(terminal, 4096):
        told += data
except OSError:
    pass
sys.stdout.buffer.write(told)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";

async fn answering(house: &House, answer: &str, arguments: &[&str]) -> Ran {
    let mut command = Command::new("python3");
    command.args(["-c", ON_A_TERMINAL, answer, env!("CARGO_BIN_EXE_metsuke")]).args(arguments);
    command.current_dir(house.folder.path()).stdin(Stdio::null()).kill_on_drop(true);
    run(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_one_is_asked_and_only_yes_is_agreement() {
    let (house, _) = bereft().await;
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 4);
    for arguments in [&["syncs", "accept", "2"][..], &["syncs", "accept", "2", "--format", "json"]] {
        let ran = answering(&house, "y", arguments).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.contains("Make sync 2 the newest version? Type yes to go on: "), "{ran:?}");
        assert!(ran.stdout.contains("note: nothing was changed"), "{ran:?}");
    }
    assert_eq!(house.lines(&["syncs"]).await[0]["status"], "quarantined");
    let ran = answering(&house, "yes", &["syncs", "accept", "2"]).await;
    assert!(ran.code == 0 && ran.stdout.contains("Version 2 is current"), "{ran:?}");
    assert_eq!(house.lines(&["syncs"]).await[0]["status"], "complete");
}
