//! Grants, answers and lists: what is printed is what Heroku holds.

use std::collections::BTreeSet;
use std::process::Stdio;

use metsuke_simulator::{Grant, Size};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::house::{House, bare, run};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn grant(line: &Value) -> Grant {
    let resource_type = match line["resource"]["type"].as_str().unwrap() {
        "team" => "team",
        "enterprise_account" => "enterprise_account",
        "app" => "app",
        other => panic!("unexpected resource type {other}"),
    };
    Grant {
        resource_type,
        resource_id: text(&line["resource"]["id"]),
        entitlement: text(&line["entitlement"]),
        principal_id: text(&line["principal"]["id"]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_are_exactly_what_heroku_holds() {
    for size in [Size::Mixed, Size::Awkward, Size::Personal] {
        let house = House::of(size).await;
        house.run(&["sync", "--quiet"]).await;
        let lines = house.lines(&["grants"]).await;
        let (users, invitations): (Vec<_>, Vec<_>) =
            lines.iter().partition(|line| line["principal"]["kind"] == "user");
        let found: BTreeSet<Grant> = users.iter().map(|line| grant(line)).collect();
        assert_eq!(found.len(), users.len(), "each once");
        assert_eq!(found, house.heroku.truth().grant_set());
        let pending: BTreeSet<_> = invitations
            .iter()
            .map(|line| {
                (text(&line["principal"]["id"]), text(&line["resource"]["id"]), text(&line["entitlement"]))
            })
            .collect();
        let truth: BTreeSet<_> = house
            .heroku
            .truth()
            .invitations()
            .map(|invitation| (invitation.invitation_id, invitation.team_id, invitation.role))
            .collect();
        assert_eq!(pending, truth);
        assert!(lines.iter().all(|line| line["direct"] == true && line["path"] == serde_json::json!([])));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_grants_has_its_fields_in_order() {
    let house = House::synced(Size::Mixed).await;
    let ran = house.run(&["grants", "--effective", "--format", "jsonl"]).await;
    let derived = ran.stdout.lines().find(|line| line.contains("\"direct\":false")).unwrap();
    let mut rest = derived;
    for field in [
        "{\"principal\":{\"kind\":\"user\",\"id\":\"",
        "\"email\":",
        "},\"resource\":{\"type\":\"app\",\"id\":\"",
        "\"name\":",
        "},\"entitlement\":\"",
        "\"direct\":false,\"path\":[{\"type\":\"",
        "\"id\":\"",
        "\"name\":\"",
        "\"entitlement\":\"",
    ] {
        let at = rest.find(field).unwrap_or_else(|| panic!("{field} is missing in {derived}"));
        rest = &rest[at + field.len()..];
    }
    let line: Value = serde_json::from_str(derived).unwrap();
    let last = line["path"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["id"], &last["entitlement"]), (&line["resource"]["id"], &line["entitlement"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_formats_hold_the_same_rows() {
    let house = House::synced(Size::Small).await;
    let lines = house.lines(&["grants", "--effective"]).await;
    let array = house.json(&["grants", "--effective"]).await;
    assert_eq!(array.as_array().unwrap(), &lines);
    let csv = house.run(&["grants", "--effective", "--format", "csv"]).await;
    assert_eq!(csv.stdout.lines().count(), lines.len() + 1);
    assert!(csv.stdout.starts_with("principal_kind,principal_id,principal_email,entitlement,resource_type,"));
    let table = house.run(&["grants", "--effective"]).await;
    assert_eq!(table.stdout.lines().count(), lines.len() + 1, "{table:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_is_no_error() {
    let house = House::synced(Size::COMPANY).await;
    let mut command = house.command(&["grants", "--format", "jsonl"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next_line().await.unwrap().is_some());
    drop(lines);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_explained_by_its_paths() {
    let house = House::of(Size::Small).await;
    let app = house.heroku.edit(|world| {
        let team = world.standard_team_names().swap_remove(0);
        world.set_member(&team, "ann@example.com", Some("admin")).unwrap();
        world.invite(&team, "zoe@example.com", "member").unwrap();
        world.add_app(Some(&team), "told-app").unwrap();
        team
    });
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 0);
    let told = house.run(&["access", "app", "told-app", "--all"]).await.stdout.replace("\n    ", " ");
    let team = app.unwrap();
    let because = format!(
        "ann@example.com can view, deploy to, operate and manage `told-app` because they are an admin of team `{team}`, \
         which owns the app"
    );
    assert!(told.contains(&because), "{told}");
    assert!(told.contains("zoe@example.com has a pending invitation to team"), "{told}");
    assert!(told.trim_end().ends_with("UTC: complete."), "{told}");
    let person = house.run(&["access", "user", "ANN@example.com"]).await;
    assert!(person.stdout.contains(&format!("admin of team `{team}`")), "{person:?}");
    let answer = house.json(&["access", "app", "told-app"]).await;
    assert_eq!(answer["app"]["name"], "told-app");
    let missing = house.run(&["access", "app", "no-such-app"]).await;
    assert_eq!((missing.code, missing.stdout.as_str()), (1, ""));
    assert!(
        missing.stderr.starts_with("error: there is no app `no-such-app` in version 1\nhint: "),
        "{missing:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_hold_what_the_counts_say() {
    let house = House::of(Size::Awkward).await;
    let counts = house.json(&["sync", "--quiet"]).await["sync"]["counts"].clone();
    for (what, count) in [
        ("users", "users"),
        ("teams", "teams"),
        ("apps", "apps"),
        ("enterprise-accounts", "enterprise_accounts"),
        ("addons", "addons"),
        ("invitations", "invitations"),
    ] {
        assert_eq!(
            house.lines(&["list", what]).await.len() as u64,
            counts[count].as_u64().unwrap(),
            "{what}"
        );
    }
    let unresolved = house.lines(&["list", "users", "--unresolved"]).await;
    let truth = house.heroku.truth();
    assert_eq!(unresolved.len(), truth.unresolved().filter(|row| row.resource_type == "team").count());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_a_summary_and_three_answers_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bare(&folder, &["demo", "--once", "--quiet"]);
    command.env("TMPDIR", folder.path());
    let ran = run(command).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for told in
        ["Version 1: complete", "$ metsuke access app ", "$ metsuke access user ", "$ metsuke list users"]
    {
        assert!(ran.stdout.contains(told), "{told} is missing in {}", ran.stdout);
    }
    assert!(ran.stdout.matches(" because ").count() >= 3, "{}", ran.stdout);
    assert!(
        ran.stdout.replace("\n  ", " ").ends_with(" shows the first steps with a real token.\n"),
        "{ran:?}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_stays_out_of_a_real_database() {
    let house = House::synced(Size::Small).await;
    let ran = house.run(&["demo", "--once", "--database", "sqlite:metsuke.db"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.contains("holds an estate that is not the demo's\nhint: "), "{ran:?}");
}
