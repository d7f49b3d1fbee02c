//! `metsuke sync`: its one object, its exit codes, and what it never shows.

use std::time::Duration;

use metsuke_simulator::{Fault, FaultKind, Options, Size};
use serde_json::{Value, json};

use crate::house::{House, run, starting};

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_sync_is_one_object_and_exit_code_0() {
    let house = House::of(Size::Small).await;
    let ran = house.run(&["sync", "--format", "json"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&document), ["sync"]);
    let sync = &document["sync"];
    let mut expected = [
        "version",
        "status",
        "started_at",
        "finished_at",
        "duration_ms",
        "requests",
        "waited_ms",
        "counts",
        "changes",
        "incomplete",
    ];
    expected.sort_unstable();
    assert_eq!(names(sync), expected);
    assert_eq!(
        (&sync["version"], &sync["status"], &sync["incomplete"]),
        (&json!(1), &json!("complete"), &json!([]))
    );
    let truth = house.heroku.truth();
    assert_eq!(
        sync["counts"],
        json!({
            "users": truth.users().count(),
            "teams": truth.teams().count(),
            "enterprise_accounts": truth.enterprise_accounts().count(),
            "apps": truth.apps().count(),
            "addons": truth.addons().count(),
            "invitations": truth.invitations().count(),
            "grants": truth.grant_count(),
        })
    );
    assert_eq!(names(&sync["changes"]), ["added", "changed", "removed"]);
    assert_eq!(sync["requests"], json!(house.heroku.stats().requests));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_team_makes_a_partial_version_with_exit_code_4() {
    let fault = Fault::always(FaultKind::Forbidden403).on("/teams/*/members").times(1);
    let house = House::new(Options::of(Size::Small).seed(3).fault(fault)).await;
    let ran = house.run(&["sync", "--format", "json"]).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["sync"]["status"], "partial");
    let gaps = document["sync"]["incomplete"].as_array().unwrap();
    assert!(gaps.iter().any(|gap| gap["scope"].as_str().unwrap().contains("/members")), "{gaps:?}");
    // Whoever reads that version is told, on stderr.
    let ran = house.run(&["list", "teams"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.starts_with("note: version 1 is partial: 1 gap: "), "{ran:?}");
    assert!(house.run(&["list", "teams", "--quiet"]).await.stderr.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_are_told_by_scope_and_kept_from_the_second_version_on() {
    let fault = Fault::always(FaultKind::Forbidden403).on("/teams/*/members");
    let house = House::new(Options::of(Size::Small).seed(3).fault(fault)).await;
    for kept in ["is missing from this version", "is kept as it was, and never reported as gone"] {
        let ran = house.run(&["sync", "--quiet"]).await;
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(ran.stdout.contains(&format!(" gaps: what could not be read {kept}\n")), "{ran:?}");
        assert!(ran.stdout.contains("`:\n    GET /") && !ran.stdout.contains(".`:"), "{ran:?}");
        let scopes = starting(&ran.stdout, "    GET /");
        assert!(scopes.len() > 1 && scopes.is_sorted(), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_one_error_with_a_hint_and_loses_nothing() {
    let house = House::synced(Size::Small).await;
    let mut command = house.command(&["sync", "--format", "json", "--quiet"]);
    command.env("METSUKE_HEROKU_TOKEN", "HRKU-wrong-and-not-to-be-shown");
    let ran = run(command).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["sync"]["status"], "failed");
    assert_eq!(starting(&ran.stderr, "error: ").len(), 1, "{ran:?}");
    assert_eq!(starting(&ran.stderr, "hint: ").len(), 1, "{ran:?}");
    assert!(!format!("{ran:?}").contains("HRKU-wrong"), "{ran:?}");
    assert!(!house.lines(&["grants"]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_summary_names_what_changed() {
    let house = House::synced(Size::Small).await;
    let app = house.heroku.edit(|world| world.app_names(None).swap_remove(0)).unwrap();
    assert!(house.heroku.edit(|world| world.rename_app(&app, "renamed-app")).unwrap());
    let ran = house.run(&["sync", "--quiet"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("Version 2: complete\n"), "{ran:?}");
    assert!(ran.stdout.contains("0 added, 0 removed, 1 changed"), "{ran:?}");
    let changes = house.lines(&["changes"]).await;
    assert_eq!(changes.len(), 1, "{changes:?}");
    let change = &changes[0];
    assert_eq!((&change["change"], &change["kind"]), (&json!("changed"), &json!("app")));
    assert_eq!((&change["before"]["name"], &change["after"]["name"]), (&json!(app), &json!("renamed-app")));
    // The version before still knows it by its old name.
    assert_eq!(house.run(&["access", "app", &app, "--as-of", "1"]).await.code, 0);
    assert_eq!(house.run(&["access", "app", &app]).await.code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_shown_nowhere() {
    let house = House::of(Size::Small).await;
    let token = house.heroku.token();
    for arguments in [
        &["sync", "--log-level", "trace"][..],
        &["doctor", "--log-level", "trace", "--log-format", "json"],
        &["sync", "--heroku-url", "http://127.0.0.1:1", "--attempts", "1", "--log-level", "trace"],
    ] {
        let ran = house.run(arguments).await;
        assert!(!ran.stdout.contains(token) && !ran.stderr.contains(token), "{ran:?}");
    }
    for file in std::fs::read_dir(house.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_beats_the_environment() {
    let house = House::of(Size::Small).await;
    let file = house.folder.path().join("token");
    std::fs::write(&file, format!("{}\n", house.heroku.token())).unwrap();
    let mut command = house.command(&["sync", "--quiet", "--token-file", "token"]);
    command.env("METSUKE_HEROKU_TOKEN", "HRKU-wrong");
    assert_eq!(run(command).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_stops_a_sync_cleanly() {
    let house = House::new(Options::of(Size::Small).seed(3).latency(Duration::from_millis(700))).await;
    let mut command = house.command(&["sync", "--quiet"]);
    let child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    while house.heroku.stats().requests == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let id = child.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the last version is untouched"), "{said}");
    assert_eq!(house.run(&["list", "apps"]).await.code, 1, "no version came of it");
}
