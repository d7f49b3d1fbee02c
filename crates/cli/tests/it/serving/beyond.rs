//! What the command line can do beyond connectors and lists, done over the API.

use metsuke_simulator::{Options, Size};
use serde_json::json;

use super::client::Served;
use crate::house::House;

async fn connected() -> (Served, String, String) {
    let served = Served::in_house(House::of(Size::Small).await).await;
    let admin = served.token("admin", &[]).await;
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    (served, admin, id)
}

#[tokio::test]
async fn addons_invitations_access_and_syncs_are_what_the_command_line_shows() {
    let (served, admin, id) = connected().await;
    for (list, what) in [("addons", "addons"), ("invitations", "invitations"), ("people", "users")] {
        let rows = served.get(&admin, &format!("/api/v1/{list}?limit=1000")).await.rows();
        let local = served.house.json(&["list", what]).await;
        assert_eq!(rows.len(), local.as_array().unwrap().len(), "{list}");
        let ids = |rows: &[serde_json::Value]| {
            let mut ids: Vec<String> = rows.iter().map(|row| row["id"].to_string()).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ids(&rows), ids(local.as_array().unwrap()));
    }
    let weak = served.get(&admin, "/api/v1/people?without_second_factor=true&limit=1000").await.rows();
    assert!(weak.iter().all(|person| person["two_factor"] == false), "{weak:?}");
    assert_eq!(served.get(&admin, "/api/v1/unresolved-members").await.status, 200);

    let app = served.get(&admin, "/api/v1/apps").await.rows()[0]["name"].as_str().unwrap().to_owned();
    let mut access = served.get(&admin, &format!("/api/v1/apps/{app}/access")).await.json();
    let local = served.house.json(&["access", "app", &app]).await;
    assert_eq!((&access["connector"], &access["version"]), (&json!(id), &json!(1)));
    for member in ["connector", "version"] {
        access.as_object_mut().unwrap().remove(member);
    }
    assert_eq!(access, local);
    let person = access["people"][0]["principal"]["email"].as_str().unwrap();
    let own = served.get(&admin, &format!("/api/v1/people/{person}/access")).await.json();
    assert!(own["apps"].as_array().unwrap().iter().any(|one| one["app"]["name"] == app.as_str()));
    assert_eq!(served.get(&admin, "/api/v1/apps/no-such-app/access").await.status, 404);

    let syncs = served.get(&admin, "/api/v1/syncs").await.rows();
    assert_eq!((syncs.len(), &syncs[0]["status"]), (1, &json!("complete")));
    let one = served.get(&admin, "/api/v1/syncs/1").await.json();
    assert!(one["scopes"].as_array().unwrap().len() > 3);
    assert_eq!(served.get(&admin, "/api/v1/syncs/7").await.status, 404);
    let accepted = served.send(("POST", "/api/v1/syncs/1/accept"), Some(&admin), &[], None).await;
    assert!(accepted.status >= 400 && accepted.status < 500, "it is a version already: {}", accepted.text());
}

#[tokio::test]
async fn questions_are_ready_explained_and_asked() {
    let (served, admin, _) = connected().await;
    let all = served.get(&admin, "/api/v1/questions?limit=1000").await.rows();
    assert!(all.len() > 60, "{}", all.len());
    let tagged = served.get(&admin, "/api/v1/questions?tag=privileged&limit=1000").await.rows();
    assert!(!tagged.is_empty() && tagged.len() < all.len());
    let id = tagged[0]["id"].as_str().unwrap();
    let one = served.get(&admin, &format!("/api/v1/questions/{id}")).await.json();
    assert!(one["text"].as_str().unwrap().to_uppercase().contains("FIND"));
    let ready = all.iter().find(|one| one["variables"].as_array().unwrap().is_empty()).unwrap();
    let answer = served.post(&admin, "/api/v1/query", &json!({ "question": ready["id"] })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for wrong in [json!({}), json!({ "query": "FIND User", "question": "x" })] {
        assert_eq!(served.post(&admin, "/api/v1/query", &wrong).await.status, 422);
    }
    assert_eq!(served.post(&admin, "/api/v1/query", &json!({ "question": "x" })).await.status, 404);
    let explained =
        served.post(&admin, "/api/v1/query/explain", &json!({ "query": "FIND User" })).await.json();
    assert!(explained["sql"].as_str().unwrap().starts_with("SELECT"), "{explained}");
}

#[tokio::test]
async fn rules_are_tried_and_versions_evaluated_without_and_with_keeping_what_is_found() {
    let (served, admin, _) = connected().await;
    let rule = json!([{ "name": "everybody", "queries": [{ "name": "query0", "query": "FIND User" }] }]);
    let checked = served.post(&admin, "/api/v1/rules/check", &rule).await;
    assert_eq!((checked.status, &checked.json()["rules"][0]["name"]), (200, &json!("everybody")));
    let wrong = served.post(&admin, "/api/v1/rules/check", &json!([{ "name": "x" }])).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (422, "rule_invalid"));
    let ran = served.post(&admin, "/api/v1/rules/run", &json!({ "ids": ["D01"], "rules": rule })).await;
    assert_eq!(ran.status, 200, "{}", ran.text());
    assert_eq!(ran.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(served.post(&admin, "/api/v1/rules/run", &json!({ "ids": ["D99"] })).await.status, 404);
    assert_eq!(served.get(&admin, "/api/v1/rules").await.rows().len(), 28, "nothing was kept");
    let judged = served.send(("POST", "/api/v1/findings/evaluate"), Some(&admin), &[], None).await;
    assert_eq!((judged.status, &judged.json()["version"]), (200, &json!(1)), "{}", judged.text());
    assert_eq!(served.get(&admin, "/api/v1/alerts").await.rows().len(), 0, "there is no channel");
    let retried = served.send(("POST", "/api/v1/alerts/none/retry"), Some(&admin), &[], None).await;
    assert_eq!(retried.status, 404);
}

#[tokio::test]
async fn writes_are_stopped_and_people_protected_everywhere() {
    let (served, admin, id) = connected().await;
    let shown = served.get(&admin, "/api/v1/kill-switch").await.json();
    assert_eq!((&shown["on"], shown["estates"].as_array().unwrap().len()), (&json!(false), 2));
    let turn = |on: bool| json!({ "on": on });
    let turned =
        served.send(("PUT", "/api/v1/kill-switch"), Some(&admin), &[], Some(&turn(true))).await.json();
    assert_eq!(turned["on"], true, "{turned}");
    let ask = json!({ "action": "remove", "user": "nobody@example.com" });
    let apps = served.get(&admin, "/api/v1/apps").await.rows();
    let webhook = json!({ "app": apps[0]["name"], "url": "https://metsuke.example.com" });
    let refused = served.post(&admin, "/api/v1/webhooks", &webhook).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "refused"), "{}", refused.text());
    served.send(("PUT", "/api/v1/kill-switch"), Some(&admin), &[], Some(&turn(false))).await;
    assert_ne!(served.post(&admin, "/api/v1/plans", &ask).await.status, 500);

    let person = json!({ "person": "Ann@example.com" });
    let made = served.post(&admin, "/api/v1/protected", &person).await;
    assert_eq!((made.status, &made.json()["changed"]), (200, &json!(true)), "{}", made.text());
    assert_eq!(served.post(&admin, "/api/v1/protected", &person).await.json()["changed"], false);
    let listed = served.get(&admin, &format!("/api/v1/protected?connector={id}")).await.rows();
    assert_eq!(listed.len(), 1, "{listed:?}");
    let path = "/api/v1/protected/ann@example.com";
    assert_eq!(served.send(("DELETE", path), Some(&admin), &[], None).await.json()["changed"], true);
    assert_eq!(served.get(&admin, "/api/v1/protected").await.rows().len(), 0);
    let settled = served.send(("POST", "/api/v1/plans/reconcile"), Some(&admin), &[], None).await;
    assert_eq!((settled.status, &settled.json()["steps"]), (200, &json!([])), "{}", settled.text());
}

#[tokio::test]
async fn rosters_are_imported_and_accounts_matched() {
    let (served, admin, _) = connected().await;
    let people = served.get(&admin, "/api/v1/people?limit=1000").await.rows();
    let email = people[0]["email"].as_str().unwrap();
    let other = people[1]["email"].as_str().unwrap();
    let roster = format!("email,name,status\n{email},One Person,active\nelse@example.org,Else,active\n");
    let imported = served.put_text(&admin, "/api/v1/rosters/staff", "text/csv", &roster).await;
    assert_eq!(imported.status, 200, "{}", imported.text());
    assert_eq!(imported.json()["estates"][0]["people"], 2);
    let listed = served.get(&admin, "/api/v1/employees").await.rows();
    assert_eq!(listed.len(), 2);
    let matched = listed.iter().find(|one| one["name"] == "One Person").unwrap();
    assert_eq!(matched["accounts"][0]["email"], email);
    let said = json!({ "employee": "else@example.org" });
    let path = format!("/api/v1/people/{other}/employee");
    let matched = served.send(("PUT", &path), Some(&admin), &[], Some(&said)).await;
    assert_eq!((matched.status, &matched.json()["changed"]), (200, &json!(true)), "{}", matched.text());
    let open = served.get(&admin, "/api/v1/employees/unmatched?limit=1000").await.rows();
    assert!(open.iter().all(|line| line["email"] != other));
    assert_eq!(served.send(("DELETE", &path), Some(&admin), &[], None).await.json()["changed"], true);
    let wrong = served.put_text(&admin, "/api/v1/rosters/staff", "text/plain", &roster).await;
    assert_eq!(wrong.status, 415);
    let bad = served.put_text(&admin, "/api/v1/rosters/staff", "text/csv", "email\n\n").await;
    assert!([409, 422].contains(&bad.status), "{}", bad.text());
}

#[tokio::test]
async fn the_audit_trail_is_signed_carried_off_and_verified() {
    let (served, admin, id) = connected().await;
    let signed = served.send(("POST", "/api/v1/audit/checkpoint"), Some(&admin), &[], None).await;
    assert_eq!(signed.status, 200, "{}", signed.text());
    let kept = json!({ "checkpoints": [signed.json()["note"]], "public_key": signed.json()["public_key"] });
    let verified = served.post(&admin, "/api/v1/audit/verify", &kept).await.json();
    assert_eq!(verified["clean"], true, "{verified}");
    assert!(verified["confirmed_elsewhere"].as_u64().unwrap() > 0, "{verified}");
    let trail = served.get(&admin, &format!("/api/v1/audit/export?connector={id}")).await;
    assert_eq!(trail.status, 200);
    let file = served.house.folder.path().join("audit.jsonl");
    std::fs::write(&file, trail.whole()).unwrap();
    let ran = served.house.run(&["audit", "verify", "audit.jsonl"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let wrong = served.post(&admin, "/api/v1/audit/verify", &json!({ "public_key": "x" })).await;
    assert_eq!(wrong.status, 422);
    // The newest first, of all trails together.
    let events = served.get(&admin, "/api/v1/audit?limit=1000").await.rows();
    let times: Vec<&str> = events.iter().map(|event| event["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
    assert!(events.iter().any(|event| event["connector"].is_null()));
    assert!(events.iter().any(|event| event["connector"] == id.as_str()));
}

#[tokio::test]
async fn a_version_is_carried_off_as_other_tools_read_it() {
    let (served, admin, _) = connected().await;
    let graph = served.get(&admin, "/api/v1/export/graph?form=json").await;
    assert!(graph.header("content-disposition").unwrap().contains("graph.json"));
    let local = served.house.run(&["export", "graph", "--format", "json"]).await;
    assert_eq!(String::from_utf8(graph.whole()).unwrap(), local.stdout);
    for form in ["jsonl", "graphml", "dot"] {
        let graph = served.get(&admin, &format!("/api/v1/export/graph?form={form}")).await;
        assert!(graph.status == 200 && graph.whole().len() > 1_000, "{form}");
    }
    let file = served.house.folder.path().join("estate.c1z");
    std::fs::write(&file, served.get(&admin, "/api/v1/export/c1z").await.whole()).unwrap();
    let inspected = served.house.run(&["c1z", "inspect", "estate.c1z"]).await;
    assert_eq!(inspected.code, 0, "{inspected:?}");
    let archive = served.get(&admin, "/api/v1/export/jupiterone").await;
    assert_eq!(archive.header("content-type"), Some("application/x-tar"));
    let archive = archive.whole();
    assert!(archive.len() > 10_000 && archive.len() % 512 == 0 && archive.starts_with(b".j1-integration/"));
    for wrong in ["graph?form=png", "c1z?expand=perhaps", "jupiterone?profile=none"] {
        assert_eq!(served.get(&admin, &format!("/api/v1/export/{wrong}")).await.status, 422, "{wrong}");
    }
}

#[tokio::test]
async fn without_an_estate_nothing_is_made_up() {
    let served = Served::in_house(House::new(Options::of(Size::Small).seed(3)).await).await;
    let admin = served.token("admin", &[]).await;
    for path in ["apps/x/access", "people/x/access", "export/graph", "syncs/1"] {
        assert_eq!(served.get(&admin, &format!("/api/v1/{path}")).await.status, 404, "{path}");
    }
    for list in ["addons", "syncs", "changes", "employees", "alerts", "protected", "webhooks"] {
        assert_eq!(served.get(&admin, &format!("/api/v1/{list}")).await.rows().len(), 0, "{list}");
    }
}
