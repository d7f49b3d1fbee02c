//! The audit trail at the command line: listed, let out, verified, and exit code 1 for what was tampered with.

use std::fs;

use metsuke_simulator::Size;
use serde_json::Value;

use crate::house::{House, Ran, bare, run};

/// A house with a synced estate and so many checkpoints recorded as exported.
async fn house(checkpoints: usize) -> (House, Vec<String>) {
    let house = House::synced(Size::Small).await;
    let mut notes = Vec::new();
    for _ in 0..checkpoints {
        let ran = house.run(&["audit", "checkpoint"]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        notes.push(ran.stdout);
    }
    (house, notes)
}

/// Changes the database past the program.
async fn tamper(house: &House, sql: &'static str) {
    metsuke_testkit::sqlite(&house.database(), sql).await.unwrap();
}

fn exported(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|event| event["code"] == "checkpoint.exported").collect()
}

#[tokio::test]
async fn events_are_listed_in_every_format_and_name_the_operator() {
    let (house, _) = house(2).await;
    let lines = house.lines(&["audit", "list"]).await;
    let left = exported(&lines);
    assert_eq!(left.len(), 2);
    assert_eq!(
        (&left[0]["actor"]["kind"], &left[0]["details"]["to"]),
        (&"operator".into(), &"stdout".into())
    );
    assert!(left[0]["sequence"].as_u64() > left[1]["sequence"].as_u64(), "newest first");
    let some = house.json(&["audit", "list", "--code", "checkpoint", "--limit", "1"]).await;
    assert_eq!(some.as_array().unwrap().len(), 1);
    let csv = house.run(&["audit", "list", "--format", "csv", "--since", "2020-01-01"]).await;
    assert!(csv.stdout.starts_with("sequence,at,code,actor_kind,actor,subject,details\n"), "{csv:?}");
    let table = house.run(&["audit", "list"]).await;
    assert!(table.stdout.contains("checkpoint.exported"), "{table:?}");
    let none = house.run(&["audit", "list", "--until", "2020-01-01"]).await;
    assert_eq!((none.code, none.stdout.as_str()), (0, ""));
    assert_eq!(house.run(&["audit", "list", "--since", "yesterday"]).await.code, 2);
}

#[tokio::test]
async fn an_untouched_log_verifies_and_tells_what_was_not_shown() {
    let (house, notes) = house(1).await;
    fs::write(house.folder.path().join("kept"), &notes[0]).unwrap();
    let ran = house.run(&["audit", "verify", "--checkpoint", "kept"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("Nothing was changed") && ran.stdout.contains("was not shown"), "{ran:?}");
    let told = house.json(&["audit", "verify"]).await;
    assert_eq!(told["clean"], true);
    assert!(!told["caveats"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn an_export_verifies_in_another_place_and_any_change_of_it_does_not() {
    let (house, _) = house(2).await;
    let ran = house.run(&["audit", "export", "audit.jsonl"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    let key = ran.stderr.lines().last().unwrap().strip_prefix("note: ").unwrap().to_owned();
    let text = fs::read_to_string(house.folder.path().join("audit.jsonl")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let verify = async |text: &str, key: &str| -> Ran {
        fs::write(elsewhere.path().join("log"), text).unwrap();
        run(bare(&elsewhere, &["audit", "verify", "log", "--public-key", key])).await
    };
    assert_eq!(verify(&text, &key).await.code, 0);
    let cut = &text[..=text.trim_end().rfind('\n').unwrap()];
    for changed in [text.replacen("stdout", "a safe", 1), cut.to_owned(), String::new()] {
        let ran = verify(&changed, &key).await;
        assert!(ran.code == 1 && ran.stdout.contains("does not verify"), "{ran:?}");
    }
    assert_eq!(verify(&text, "no key").await.code, 2);
    assert_eq!(run(bare(&elsewhere, &["audit", "verify", "nothing"])).await.code, 1);
    let piped = house.run(&["audit", "export"]).await;
    assert_eq!(verify(&piped.stdout, &key).await.code, 0, "{}", piped.stderr);
}

#[tokio::test]
async fn what_was_tampered_with_ends_with_exit_code_one_and_is_named() {
    let (house, notes) = house(3).await;
    fs::write(house.folder.path().join("kept"), &notes[2]).unwrap();
    tamper(&house, "UPDATE audit_event SET text = replace(text, 'stdout', 'nobody') WHERE sequence = 1")
        .await;
    let ran = house.run(&["audit", "verify", "--checkpoint", "kept"]).await;
    assert!(ran.code == 1 && ran.stdout.contains("event 1 is not as it was recorded"), "{ran:?}");
    let csv = house.run(&["audit", "verify", "--format", "csv"]).await;
    assert!(csv.code == 1 && csv.stdout.contains("\nedited,1,"), "{csv:?}");
    let refused = house.run(&["audit", "export", "audit.jsonl"]).await;
    assert!(refused.code == 1 && refused.stderr.contains("event 1"), "{refused:?}");
    let names = fs::read_dir(house.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| name.to_string_lossy() != "audit.jsonl"), "no half export");
}

#[tokio::test]
async fn a_database_that_is_no_file_needs_a_place_for_its_key() {
    let database = metsuke_testkit::fresh_database();
    let folder = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| {
        let mut command = bare(&folder, arguments);
        command.env("METSUKE_DATABASE_URL", &database.url);
        command
    };
    let ran = run(command(&["audit", "checkpoint"])).await;
    assert!(ran.code == 2 && ran.stderr.contains("METSUKE_AUDIT_KEY"), "{ran:?}");
    let mut named = command(&["audit", "checkpoint"]);
    let ran = run({
        named.env("METSUKE_AUDIT_KEY", "key");
        named
    })
    .await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = run(command(&["audit", "verify", "--audit-key", "key"])).await;
    assert_eq!(ran.code, 0, "{ran:?}");
}
