//! The command line through a server: what it prints, and what it does, is what it prints and does on the database.

use std::collections::BTreeSet;

use metsuke_simulator::Size;
use serde_json::{Value, json};

use super::client::{PATIENCE, Served};
use crate::house::{Ran, bare, run};

/// A server with one connector, and a token for it.
pub(super) struct Way {
    pub(super) served: Served,
    token: String,
}

impl Way {
    pub(super) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A server that was started with these variables.
    pub(super) async fn with(variables: &[(&str, &str)]) -> Self {
        let served = Served::with(Size::Small, &[], variables).await;
        let token = served.token("admin", &[]).await;
        let id = served.connector(&token, "acme", "ann@example.com").await;
        served.until(&token, &id, "connected").await;
        Self { served, token }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The command through the server, in a folder without a database.
    pub(super) async fn remote(&self, arguments: &[&str]) -> Ran {
        let folder = tempfile::tempdir().unwrap();
        let mut command = bare(&folder, arguments);
        command
            .env("METSUKE_SERVER", format!("http://{}", self.served.address))
            .env("METSUKE_TOKEN", &self.token)
            .env("METSUKE_HEROKU_TOKEN", self.served.house.heroku.token());
        let ran = run(command).await;
        assert!(!folder.path().join("metsuke.db").exists(), "{arguments:?}");
        ran
    }

    pub(super) async fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.remote(&[&["--format", "json"], arguments].concat()).await;
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {ran:?}"))
    }

    /// The same command on the database.
    pub(super) async fn local(&self, arguments: &[&str]) -> Ran {
        self.served.house.run(arguments).await
    }
}

#[tokio::test]
async fn what_is_read_through_a_server_is_what_the_database_says_in_every_format() {
    let way = Way::new().await;
    let apps = way.json(&["list", "apps"]).await;
    let app = apps[0]["name"].as_str().unwrap();
    let users = way.json(&["list", "users"]).await;
    let user = users[0]["email"].as_str().unwrap();
    let table = "FIND User AS u RETURN u.email, u.displayName ORDER BY u.email";
    let commands: &[&[&str]] = &[
        &["list", "users"],
        &["list", "users", "--without-second-factor"],
        &["list", "users", "--unresolved"],
        &["list", "teams"],
        &["list", "apps", "--as-of", "1"],
        &["list", "enterprise-accounts"],
        &["list", "addons"],
        &["list", "invitations"],
        &["grants"],
        &["grants", "--effective", "--app", app],
        &["access", "app", app],
        &["access", "user", user],
        &["syncs"],
        &["syncs", "show", "1"],
        &["query", table],
        &["connectors", "list"],
        &["connectors", "show", "acme"],
        &["connectors", "runs", "acme"],
        &["jobs", "list"],
        &["findings", "list", "--all"],
        &["plans"],
        &["kill-switch", "show"],
        &["protect", "list"],
        &["people", "list"],
        &["people", "unmatched"],
        &["webhooks", "list"],
        &["accounts", "list"],
        &["changes"],
        &["channels", "list"],
        &["rules", "run"],
        &["rules", "run", "D09", "--param", "days=30", "--since", "1", "--exit-code"],
        &["audit", "list", "--code", "sync", "--connector", "acme"],
        &["audit", "list", "--actor", "metsuke", "--outcome", "done", "--connector", "acme"],
        &["audit", "list", "--subject", "run", "--connector", "acme"],
    ];
    for command in commands {
        for format in ["json", "jsonl", "csv", "table"] {
            let arguments = [&["--format", format], *command].concat();
            let (remote, local) = (way.remote(&arguments).await, way.local(&arguments).await);
            if arguments.contains(&"query") && format == "json" {
                // It tells how long it took.
                assert!(remote.stdout.contains("totalCount"), "{remote:?}");
                continue;
            }
            if arguments.contains(&"grants") {
                // Which of them comes first is nobody's promise.
                let lines = |ran: &Ran| {
                    let lines = ran.stdout.lines().map(|line| line.trim_end_matches(',').to_owned());
                    lines.collect::<BTreeSet<_>>()
                };
                assert_eq!(lines(&remote), lines(&local), "{arguments:?}");
                continue;
            }
            assert_eq!(remote.stdout, local.stdout, "{arguments:?}: {}{}", remote.stderr, local.stderr);
            assert_eq!(remote.code, local.code, "{arguments:?}: {}", remote.stderr);
        }
    }
}

#[tokio::test]
async fn a_channel_is_kept_tried_and_removed_through_a_server() {
    let way = Way::new().await;
    let made = way.remote(&["channels", "add", "ops", "--log", "--level", "HIGH"]).await;
    assert!(made.code == 0 && made.stdout.ends_with(" ops\n"), "{made:?}");
    let secret = way.served.house.folder.path().join("secret");
    std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let soc = ["channels", "add", "soc", "--webhook", "https://127.0.0.1:9/soc", "--secret-file"];
    assert_eq!(way.remote(&[&soc[..], &[secret.to_str().unwrap()]].concat()).await.code, 0);
    assert_eq!(way.remote(&["channels", "add", "soc", "--digest", "5", "--disabled"]).await.code, 0);
    for format in ["json", "table"] {
        let listed = ["--format", format, "channels", "list"];
        assert_eq!(way.remote(&listed).await.stdout, way.local(&listed).await.stdout);
    }
    let listed = way.json(&["channels", "list"]).await;
    assert_eq!(listed[0]["to"], "log");
    let soc = &listed[1];
    assert_eq!(
        (&soc["name"], &soc["enabled"], &soc["has_secret"]),
        (&json!("soc"), &json!(false), &json!(true))
    );
    assert_eq!((&soc["settings"]["digestMinutes"], &soc["waiting"]), (&json!(5), &json!(0)));
    let tried = way.remote(&["channels", "test", "ops"]).await;
    assert_eq!((tried.code, tried.stdout.as_str()), (0, "ops took it.\n"), "{tried:?}");
    let refused = way.remote(&["channels", "test", "soc"]).await;
    assert!(refused.code == 1 && refused.stderr.contains("soc did not take it"), "{refused:?}");
    let nobody = way.remote(&["channels", "remove", "nobody"]).await;
    assert!(nobody.code == 1 && nobody.stderr.contains("there is no channel `nobody`"), "{nobody:?}");
    assert_eq!(way.remote(&["channels", "retry", "alert_1"]).await.code, 1);
    let deliver = way.remote(&["channels", "deliver"]).await;
    assert!(deliver.code == 2 && deliver.stderr.contains("a server sends by itself"), "{deliver:?}");
    for name in ["ops", "soc"] {
        assert_eq!(way.remote(&["channels", "remove", name]).await.code, 0);
    }
    assert_eq!(way.json(&["channels", "list"]).await, json!([]));
}

#[tokio::test]
async fn what_is_done_through_a_server_is_done_there() {
    let way = Way::new().await;
    let on = way.remote(&["kill-switch", "on"]).await;
    assert_eq!((on.code, on.stdout.contains("nothing is written")), (0, true), "{on:?}");
    assert_eq!(way.json(&["kill-switch", "show"]).await, json!({ "kill_switch": true }));
    assert_eq!(way.remote(&["kill-switch", "off"]).await.code, 0);
    assert_eq!(way.remote(&["protect", "add", "root@example.com"]).await.code, 0);
    assert!(way.remote(&["protect", "list"]).await.stdout.contains("root@example.com"));

    let apps = way.json(&["list", "apps"]).await;
    let personal = apps.as_array().unwrap().iter().find(|app| app["team"].is_null()).unwrap();
    let app = personal["name"].as_str().unwrap();
    let grant = ["grant", "--user", "new@example.com", "--app", app, "--collaborator"];
    let planned = way.json(&[&grant[..], &["--plan-only"]].concat()).await;
    assert_eq!(planned["outcome"], "planned", "{planned}");
    let id = planned["plan"]["id"].as_str().unwrap();
    assert!(way.remote(&["plans", "show", id]).await.stdout.contains("new@example.com"));
    let applied = way.json(&["apply", id, "--yes"]).await;
    assert_eq!(applied["outcome"], "applied", "{applied}");
    let other = ["grant", "--user", "other@example.com", "--app", app, "--collaborator", "--plan-only"];
    let planned = way.json(&other).await;
    let off = planned["plan"]["id"].as_str().unwrap();
    let cancelled = way.remote(&["plans", "cancel", &off[..8], "--reason", "asked for by mistake"]).await;
    assert!(cancelled.code == 0 && cancelled.stdout.contains("asked for by mistake"), "{cancelled:?}");
    assert_eq!(way.remote(&["apply", off, "--yes"]).await.code, 5);
    assert_ne!(way.local(&["plans", "cancel", off]).await.code, 0, "it is called off already");
    let planned = way.json(&other).await;
    let off = planned["plan"]["id"].as_str().unwrap();
    let cancelled = way.local(&["plans", "cancel", off]).await;
    assert!(cancelled.code == 0 && cancelled.stdout.contains("cancelled"), "{cancelled:?}");
    let told = way.json(&["audit", "list", "--subject", off, "--outcome", "done"]).await;
    assert!(!told.as_array().unwrap().is_empty(), "{told}");
    assert_eq!(way.json(&["audit", "list", "--actor", "nobody at all"]).await, json!([]));
    let again = way.json(&[&grant[..], &["--yes"]].concat()).await;
    assert_eq!(again["outcome"], "unchanged", "{again}");
    // A server records what a version changed a moment after it.
    let told = async {
        while way.json(&["changes", "--since", "1"]).await == json!([]) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap();
    let changes = way.json(&["changes", "--since", "1"]).await;
    assert!(changes.as_array().unwrap().iter().any(|line| line["kind"] == "grant"), "{changes}");

    let made = way.remote(&["token", "create", "--role", "viewer", "--name", "seen"]).await;
    assert!(made.stdout.lines().last().unwrap().starts_with("mtk_"), "{made:?}");
    let asked = way.remote(&["connectors", "sync", "acme"]).await;
    assert_eq!(asked.code, 0, "{asked:?}");
    let graph = way.remote(&["--format", "json", "export", "graph"]).await;
    assert_eq!(graph.stdout, way.local(&["--format", "json", "export", "graph"]).await.stdout);
    let signed = way.remote(&["audit", "checkpoint"]).await;
    assert!(signed.code == 0 && signed.stdout.starts_with("metsuke/"), "{signed:?}");
    assert_eq!(way.remote(&["audit", "verify"]).await.code, 0);
    let deleted = way.json(&["connectors", "delete", "acme", "--yes"]).await;
    assert_eq!(deleted["name"], "acme", "{deleted}");
    assert_eq!(way.json(&["connectors", "list"]).await, json!([]));
}

#[tokio::test]
async fn what_cannot_go_through_a_server_says_so_and_does_nothing() {
    let way = Way::new().await;
    for command in [&["sync"][..], &["restore", "x.age"], &["channels", "deliver"]] {
        let ran = way.remote(command).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains("does not go through a server"), "{ran:?}");
    }
    // What the program knows by itself needs nobody.
    assert_eq!(way.remote(&["questions"]).await.code, 0);
    assert_eq!(way.remote(&["rules"]).await.code, 0);
    let mistaken = way.remote(&["query", "FIND User\nRETRN x"]).await;
    assert_eq!(mistaken.code, 2, "{mistaken:?}");
    assert!(mistaken.stderr.contains("line 2"), "{mistaken:?}");
    let missing = way.remote(&["access", "app", "no-such-app"]).await;
    assert_eq!((missing.code, missing.stderr.contains("no-such-app")), (1, true), "{missing:?}");

    let folder = tempfile::tempdir().unwrap();
    let server = format!("http://{}", way.served.address);
    let without = run(bare(&folder, &["--server", &server, "list", "apps"])).await;
    assert_eq!((without.code, without.stderr.contains("METSUKE_TOKEN")), (2, true), "{without:?}");
    let file = folder.path().join("token");
    std::fs::write(&file, &way.token).unwrap();
    let mut by_file = bare(&folder, &["--server", &server, "list", "apps"]);
    by_file.env("METSUKE_TOKEN_FILE", &file);
    assert_eq!(run(by_file).await.code, 0);
    let mut wrong = bare(&folder, &["--server", &server, "list", "apps"]);
    wrong.env("METSUKE_TOKEN", "mtk_wrong");
    let wrong = run(wrong).await;
    assert_eq!((wrong.code, wrong.stderr.contains("not accepted")), (1, true), "{wrong:?}");
    let mut both = bare(&folder, &["--server", &server, "--database", "sqlite:x.db", "list", "apps"]);
    both.env("METSUKE_TOKEN", &way.token);
    assert_eq!(run(both).await.code, 2);
    let mut plain = bare(&folder, &["--server", "http://metsuke.example.com", "list", "apps"]);
    plain.env("METSUKE_TOKEN", &way.token);
    let plain = run(plain).await;
    assert_eq!((plain.code, plain.stderr.contains("https")), (2, true), "{plain:?}");
}
