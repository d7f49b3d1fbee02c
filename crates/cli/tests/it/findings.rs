//! `metsuke findings` and `metsuke channels`, as a person and a program meet them.

use std::fs;
use std::process::Stdio;

use metsuke_simulator::Size;
use metsuke_simulator::receivers::{Mood, Receiver};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use crate::house::{House, Ran, run};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The program with receivers on this machine allowed.
async fn with_receivers(house: &House, arguments: &[&str]) -> Ran {
    let mut command = house.command(arguments);
    command.env("METSUKE_ALLOW_PRIVATE", "127.0.0.0/8").env("METSUKE_ALLOW_PLAIN", "1");
    run(command).await
}

/// A house in which somebody without a second factor became an admin of a team.
async fn changed() -> House {
    let house = House::synced(Size::Small).await;
    house.heroku.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, "new'; admin@evil.example", Some("admin")).unwrap();
    });
    house
}

#[tokio::test]
async fn a_finding_is_told_listed_shown_and_accepted() {
    let (house, receiver) = (changed().await, Receiver::local().await.unwrap());
    fs::write(house.folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
    let url = format!("{}/hook", receiver.url());
    let add = ["channels", "add", "ops", "--webhook", &url, "--secret-file", "secret", "--rule", "D01"];
    let added = house.run(&add).await;
    assert_eq!(added.code, 0, "{added:?}");
    let first = house.run(&["findings", "evaluate", "--quiet"]).await;
    assert!(first.code == 0 && first.stdout.starts_with("Version 1: 28 rules; "), "{first:?}");
    assert_eq!(house.run(&["sync", "--quiet"]).await.code, 0);
    let second = house.run(&["findings", "evaluate", "--exit-code", "--quiet"]).await;
    assert!(second.code == 3 && second.stdout.contains("1 to be told"), "{second:?}");
    let again = house.run(&["findings", "evaluate", "--exit-code", "--quiet"]).await;
    assert!(again.code == 0 && again.stdout.contains(" 0 came, 0 gone, "), "{again:?}");

    let refused = house.run(&["channels", "deliver"]).await;
    assert_eq!((refused.code, receiver.received().len()), (1, 0), "{refused:?}");
    let listed = house.run(&["channels", "list"]).await.stdout;
    assert!(listed.contains("plain http is not allowed") && !listed.contains("whsec"), "{listed}");
    tokio::time::sleep(std::time::Duration::from_millis(5_100)).await;
    let sent = with_receivers(&house, &["channels", "deliver"]).await;
    assert!(sent.code == 0 && sent.stdout.starts_with("1 sent, "), "{sent:?}");
    let body = receiver.received()[0].json();
    assert_eq!(body["data"]["who"][0], Value::Null, "a name that is no address is nobody's");
    assert!(body["data"]["subject"].as_str().unwrap().starts_with("new'; admin@evil.example"));

    let lines = house.lines(&["findings", "list", "--rule", "D01"]).await;
    let number = lines[0]["number"].to_string();
    assert_eq!((lines.len(), &lines[0]["state"], &lines[0]["level"]), (1, &"open".into(), &"HIGH".into()));
    let shown = house.run(&["findings", "show", &number]).await.stdout;
    for word in [
        "Rule      D01 new-team-admin",
        "Changed   ",
        "Undo      ",
        "Plan it   metsuke grant ",
        " opened with version 2",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let accept = ["findings", "accept", &number, "--reason", "known", "--until"];
    let past = house.run(&[&accept[..], &["2020-01-01"]].concat()).await;
    assert_eq!(past.code, 2, "{past:?}");
    let day =
        metsuke_model::Moment(metsuke_model::Clock::now(&metsuke_model::SystemClock).0 + 30 * 86_400_000_000);
    let accepted = house.json(&[&accept[..], &[&day.to_string()]].concat()).await;
    assert_eq!((&accepted[0]["state"], &accepted[0]["reason"]), (&"accepted".into(), &"known".into()));
    assert!(house.run(&["findings", "reopen", &number]).await.stdout.contains("State     open"));
    assert!(house.run(&["findings", "ack", &number]).await.stdout.contains("State     acknowledged"));
    let unknown = house.run(&["findings", "ack", "99999"]).await;
    assert!(unknown.code == 1 && unknown.stderr.contains("there is no finding `99999`"), "{unknown:?}");
    let told = house.run(&["audit", "list", "--format", "jsonl"]).await.stdout;
    for code in ["channel.saved", "finding.accepted", "finding.reopened", "finding.acknowledged"] {
        assert!(told.contains(code), "{code}");
    }
    assert!(!told.contains("whsec"));
}

#[tokio::test]
async fn a_channel_is_made_tried_changed_and_removed_and_its_secret_stands_nowhere() {
    let (house, receiver) = (House::synced(Size::Small).await, Receiver::local().await.unwrap());
    let url = receiver.url();
    let settings = format!(r#"{{ "way": {{ "kind": "webhook", "url": "{url}/a" }}, "digestMinutes": 5 }}"#);
    fs::write(house.folder.path().join("settings.json"), settings).unwrap();
    let mut command =
        house.command(&["channels", "add", "soc", "--settings", "settings.json", "--secret-file", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(SECRET.as_bytes()).await.unwrap();
    assert!(child.wait_with_output().await.unwrap().status.success());
    let tried = with_receivers(&house, &["channels", "test", "soc"]).await;
    assert_eq!((tried.code, tried.stdout.as_str()), (0, "soc took it.\n"), "{tried:?}");
    assert_eq!(receiver.received()[0].json()["type"], "finding.test");
    receiver.set_mood(Mood::Down(403));
    let refused = with_receivers(&house, &["channels", "test", "soc"]).await;
    assert!(refused.code == 1 && refused.stderr.contains("it was answered 403"), "{refused:?}");
    let guarded = house.run(&["channels", "test", "soc"]).await;
    assert!(guarded.code == 1 && guarded.stderr.contains("plain http is not allowed"), "{guarded:?}");
    assert_eq!(house.run(&["channels", "add", "soc", "--level", "HIGH", "--disabled"]).await.code, 0);
    let listed = house.lines(&["channels", "list"]).await;
    assert_eq!(
        (listed.len(), &listed[0]["enabled"], &listed[0]["has_secret"]),
        (1, &false.into(), &true.into())
    );
    assert_eq!(
        (&listed[0]["settings"]["level"], &listed[0]["settings"]["digestMinutes"]),
        (&"HIGH".into(), &5.into())
    );
    for file in ["metsuke.db", "metsuke.db-wal"] {
        let bytes = fs::read(house.folder.path().join(file)).unwrap_or_default();
        let secret = SECRET.as_bytes();
        assert!(!bytes.windows(12).any(|piece| piece == &secret[6..18]), "{file}");
    }
    for (wrong, told) in [
        (&["channels", "add", "x"][..], "it is not said how"),
        (&["channels", "add", "x", "--slack"], "the address of the incoming webhook"),
        (&["channels", "test", "nobody"], "there is no channel `nobody`"),
        (&["channels", "retry", "alert_1"], "no alert `alert_1` was given up"),
    ] {
        let ran = house.run(wrong).await;
        assert!(ran.code != 0 && ran.stderr.contains(told), "{ran:?}");
    }
    assert_eq!(house.run(&["channels", "remove", "soc"]).await.code, 0);
    assert!(house.run(&["channels", "list"]).await.stderr.contains("there is no channel"));
}
