//! The life of a connector through the API, from the token to the last trace.

use std::time::Duration;

use metsuke_baton::c1z::{C1z, ReadOptions};
use metsuke_engine::retention::PRUNE;
use metsuke_simulator::Size;
use metsuke_store::{JobSelect, JobStatus, OpenMode, Store};
use serde_json::{Value, json};

use super::client::{PATIENCE, Served};

#[tokio::test]
async fn a_connector_is_made_synced_read_and_removed_and_only_its_trail_stays() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let made =
        served.post(&admin, "/api/v1/connectors", &served.new_connector("acme", "ann@example.com")).await;
    assert_eq!(made.status, 201);
    let shown = made.json();
    let id = shown["id"].as_str().unwrap();
    assert_eq!(shown["state"], "syncing", "its first sync is asked for, though its schedule starts none");
    let path = format!("/api/v1/connectors/{id}");
    assert_eq!(made.header("location"), Some(path.as_str()));
    let connected = served.until(&admin, id, "connected").await;
    assert!(connected["reason"].as_str().unwrap().contains("read completely"), "{connected}");

    let runs = served.get(&admin, &format!("{path}/runs")).await.rows();
    assert_eq!((runs.len(), runs[0]["status"].as_str()), (1, Some("complete")));
    let run = served.get(&admin, &format!("{path}/runs/{}", runs[0]["id"].as_str().unwrap())).await.json();
    assert!(run["scopes"].as_array().unwrap().len() > 3, "{run}");
    // The last line may come a moment after the state; who follows waits for it.
    let followed = served.first_events(&admin, &format!("{path}/logs"), 2).await;
    let lines = served.get(&admin, &format!("{path}/logs")).await.rows();
    let read: Vec<serde_json::Value> =
        followed.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, lines[..2], "who follows sees the same lines");
    let again = served.send(("POST", &format!("{path}/sync")), Some(&admin), &[], None).await;
    assert_eq!(again.status, 202);

    let people = served.get(&admin, "/api/v1/people?limit=1000").await.rows();
    assert!(!people.is_empty() && people.iter().all(|person| person["connector"] == id));
    let question = json!({ "query": "FIND User", "max_rows": 1000 });
    let found = served.post(&admin, "/api/v1/query", &question).await.json();
    assert_eq!(found["totalCount"], people.len());

    served.until(&admin, id, "connected").await;
    let removed = served.send(("DELETE", &path), Some(&admin), &[], None).await;
    assert_eq!(removed.status, 200, "{}", removed.text());
    assert!(removed.json()["entities"].as_u64().unwrap() > 0);
    assert_eq!(served.get(&admin, &path).await.status, 404);
    assert_eq!(served.get(&admin, "/api/v1/connectors").await.rows().len(), 0);
    assert_eq!(served.get(&admin, "/api/v1/people").await.rows().len(), 0);
    let events = served.get(&admin, "/api/v1/audit?limit=1000").await.rows();
    for code in
        ["token.created", "connector.created", "connector.sync_asked", "sync.completed", "connector.removed"]
    {
        assert!(events.iter().any(|event| event["code"] == code), "{code}");
    }
}

#[tokio::test]
async fn settings_are_changed_in_place_and_by_tag_and_the_token_is_rotated() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    let path = format!("/api/v1/connectors/{id}");
    let shown = served.get(&admin, &path).await;
    let tag = shown.header("etag").unwrap().to_owned();
    let edit = json!({ "description": "another", "polling_interval": { "cron": "0 9 * * 1-5", "time_zone": "Europe/Berlin" } });
    let edited = served.send(("PATCH", &path), Some(&admin), &[("if-match", &tag)], Some(&edit)).await;
    assert_eq!(edited.status, 200, "{}", edited.text());
    assert_eq!(
        (&edited.json()["description"], &edited.json()["owner"]),
        (&json!("another"), &json!("ann@example.com"))
    );
    let stale = served.send(("PATCH", &path), Some(&admin), &[("if-match", &tag)], Some(&edit)).await;
    assert_eq!((stale.status, stale.code().as_str()), (412, "precondition_failed"));
    for wrong in
        [json!({ "polling_interval": "NOW" }), json!({ "owner": "nobody" }), json!({ "state": "new" })]
    {
        let refused = served.send(("PATCH", &path), Some(&admin), &[], Some(&wrong)).await;
        assert_eq!(refused.status, 422, "{wrong}: {}", refused.text());
    }
    let good = served.new_connector("other", "ann@example.com");
    for (name, value) in [
        ("owner", json!("nobody")),
        ("api_url", json!("http://heroku.example.com")),
        ("polling_interval", json!("SOMETIMES")),
        ("polling_interval", json!({ "cron": "61 * * * *" })),
        ("api_token", json!("with blanks")),
        ("owner", Value::Null),
        ("colour", json!("red")),
    ] {
        let mut wish = good.clone();
        wish[name] = value;
        if wish[name].is_null() {
            wish.as_object_mut().unwrap().remove(name);
        }
        let refused = served.post(&admin, "/api/v1/connectors", &wish).await;
        assert_eq!(refused.status, 422, "{wish}");
        assert_eq!(refused.json()["error"]["fields"][0]["name"], name, "{}", refused.text());
    }
    let rotation = json!({ "api_token": served.house.heroku.token() });
    let rotated = served.send(("PUT", &format!("{path}/token")), Some(&admin), &[], Some(&rotation)).await;
    assert_eq!(rotated.status, 200);
    let wrong = json!({ "api_token": "HRKU-wrong" });
    served.send(("PUT", &format!("{path}/token")), Some(&admin), &[], Some(&wrong)).await;
    let tried = served.send(("POST", &format!("{path}/test")), Some(&admin), &[], None).await.json();
    assert_eq!(tried["ok"], false, "{tried}");
    let paused = served.send(("POST", &format!("{path}/pause")), Some(&admin), &[], None).await.json();
    assert_eq!(paused["state"], "paused");
    let taken =
        served.post(&admin, "/api/v1/connectors", &served.new_connector("acme", "ann@example.com")).await;
    assert_eq!((taken.status, taken.code().as_str()), (409, "name_taken"));
}

#[tokio::test]
async fn no_token_stands_in_an_answer_a_log_or_a_database() {
    let mut served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let heroku = served.house.heroku.token().to_owned();
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    let made = served
        .send(
            ("POST", "/api/v1/tokens"),
            Some(&admin),
            &[("idempotency-key", "one")],
            Some(&json!({ "name": "x", "role": "viewer" })),
        )
        .await;
    let new = made.json()["token"].as_str().unwrap().to_owned();
    let mut answers = String::new();
    let document = served.send(("GET", "/api/v1/openapi.json"), None, &[], None).await.json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        if methods.get("get").is_some() {
            answers += &String::from_utf8_lossy(&served.get(&admin, &path.replace("{id}", &id)).await.body);
        }
    }
    let again = served
        .send(
            ("POST", "/api/v1/tokens"),
            Some(&admin),
            &[("idempotency-key", "one")],
            Some(&json!({ "name": "x", "role": "viewer" })),
        )
        .await;
    answers += &again.text();
    served.server.kill().await.unwrap();
    let mut files = vec![served.house.folder.path().to_path_buf()];
    let mut read = Vec::new();
    while let Some(file) = files.pop() {
        if file.is_dir() {
            files.extend(std::fs::read_dir(&file).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            read.extend(std::fs::read(&file).unwrap());
        }
    }
    let holds =
        |text: &[u8], secret: &str| text.windows(secret.len()).any(|piece| piece == secret.as_bytes());
    assert!(holds(&read, "serve.log") || holds(&read, "answered"), "the log was read");
    for secret in [&admin, &heroku, &new] {
        let piece = &secret[secret.len() - 20..];
        assert!(!holds(answers.as_bytes(), piece) && !holds(&read, piece), "a token stands where none may");
    }
}

#[tokio::test]
async fn rules_are_listed_written_turned_off_imported_and_exported() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let shipped = served.get(&admin, "/api/v1/rules?limit=1000").await.rows();
    assert_eq!(shipped.len(), 28);
    let off = served
        .send(("PATCH", "/api/v1/rules/D01"), Some(&admin), &[], Some(&json!({ "enabled": false })))
        .await;
    assert_eq!((off.status, &off.json()["enabled"]), (200, &json!(false)), "{}", off.text());
    let strange = json!({ "parameters": { "colour": "red" } });
    let refused = served.send(("PATCH", "/api/v1/rules/D01"), Some(&admin), &[], Some(&strange)).await;
    assert_eq!(refused.status, 422, "{}", refused.text());

    let pack = json!([{ "name": "members-without-mfa", "queries": [{ "name": "query0", "query": "FIND User WITH mfaEnabled = false" }] }]);
    let imported = served.post(&admin, "/api/v1/rules/import", &pack).await;
    assert_eq!(imported.status, 200, "{}", imported.text());
    let rule = imported.json()["rules"][0].clone();
    let path = format!("/api/v1/rules/{}", rule["id"].as_str().unwrap());
    assert_eq!(served.get(&admin, &path).await.json()["name"], "members-without-mfa");
    let again = served.post(&admin, "/api/v1/rules/import", &pack).await.json();
    assert_eq!(again["rules"][0]["id"], rule["id"], "the same rule, written anew");
    let wrong = served.post(&admin, "/api/v1/rules", &json!({ "rule": { "name": "x" } })).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (422, "rule_invalid"), "{}", wrong.text());
    let exported = served.get(&admin, "/api/v1/rules/export").await.json();
    assert_eq!(exported["rules"].as_array().unwrap().len(), 1);
    assert_eq!(served.send(("DELETE", &path), Some(&admin), &[], None).await.status, 200);
    assert_eq!(served.get(&admin, &path).await.status, 404);
    assert_eq!(served.send(("DELETE", "/api/v1/rules/D01"), Some(&admin), &[], None).await.status, 200);
    assert_eq!(served.get(&admin, "/api/v1/rules/D01").await.json()["enabled"], true, "as it was shipped");
}

#[tokio::test]
async fn what_rules_find_is_listed_and_answered_and_channels_are_kept_without_their_secrets() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    let found = async {
        loop {
            let found = served.get(&admin, "/api/v1/findings?state=open&limit=1").await.rows();
            if let Some(finding) = found.into_iter().next() {
                return finding;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let finding = tokio::time::timeout(PATIENCE, found).await.unwrap();
    assert_eq!(finding["connector"], id.as_str());
    let path = format!("/api/v1/findings/{}", finding["id"].as_str().unwrap());
    let seen = served.send(("POST", &format!("{path}/acknowledge")), Some(&admin), &[], None).await.json();
    assert_eq!(seen["state"], "acknowledged", "{seen}");
    let never = json!({ "until": "2000-01-01T00:00:00Z", "reason": "we know" });
    assert_eq!(served.post(&admin, &format!("{path}/accept"), &never).await.status, 422);
    let reopened =
        served.post(&admin, &format!("{path}/reopen"), &json!({ "reason": "not so" })).await.json();
    assert_eq!(reopened["state"], "open");
    assert_eq!(reopened["events"].as_array().unwrap().len(), 3, "{reopened}");

    let channel = json!({
        "name": "team", "settings": { "way": { "kind": "slack" } }, "secret": "https://hooks.example.com/services/canary",
    });
    let made = served.post(&admin, "/api/v1/channels", &channel).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let path = format!("/api/v1/channels/{}", made.json()["id"].as_str().unwrap());
    let shown = served.get(&admin, &path).await;
    assert_eq!(shown.json()["has_secret"], true);
    assert!(!shown.text().contains("canary") && !made.text().contains("canary"));
    assert_eq!(served.post(&admin, "/api/v1/channels", &channel).await.code(), "name_taken");
    assert_eq!(served.send(("DELETE", &path), Some(&admin), &[], None).await.status, 200);
    assert_eq!(served.get(&admin, &path).await.status, 404);
}

#[tokio::test]
async fn each_version_is_written_as_a_c1z_file_where_its_connector_is_set_so() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let file = served.house.folder.path().join("estate.c1z");
    let mut wish = served.new_connector("acme", "ann@example.com");
    wish["after_sync"] = json!({ "c1z": { "file": file } });
    wish["tag_account_name"] = json!(true);
    let made = served.post(&admin, "/api/v1/connectors", &wish).await;
    assert_eq!((made.status, made.json()["tag_account_name"].as_str()), (201, Some("acme")));
    let written = async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, written).await.unwrap();
    let c1z = C1z::open(&file, &ReadOptions::default()).unwrap();
    assert_eq!(c1z.syncs().len(), 1, "the file is replaced, not added to");
}

#[tokio::test]
async fn a_server_puts_the_days_pruning_into_the_queue_and_carries_it_out() {
    let served = Served::new(Size::Small).await;
    let file = served.house.folder.path().join("metsuke.db");
    let store = Store::open(&format!("sqlite:{}", file.display()), OpenMode::Existing).await.unwrap();
    let select = JobSelect { status: None, kind: Some(PRUNE.into()), before: None, limit: 10 };
    let ended = async {
        loop {
            let jobs = store.jobs(&select).await.unwrap();
            if jobs.len() == 2 && jobs.iter().any(|job| job.status == JobStatus::Finished) {
                return jobs;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let jobs = tokio::time::timeout(PATIENCE, ended).await.unwrap();
    assert!(jobs.iter().any(|job| job.status == JobStatus::Waiting), "{jobs:?}");
}
