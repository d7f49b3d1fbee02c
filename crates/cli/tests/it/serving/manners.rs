//! The manners of answers: pages, tags, keys, errors, headers, and the server's end.

use std::time::Instant;

use metsuke_simulator::Size;
use serde_json::{Value, json};

use super::client::{PATIENCE, Served};

async fn connected(size: Size) -> (Served, String) {
    let served = Served::new(size).await;
    let admin = served.token("admin", &[]).await;
    for name in ["acme", "globex"] {
        let id = served.connector(&admin, name, "ann@example.com").await;
        served.until(&admin, &id, "connected").await;
    }
    (served, admin)
}

#[tokio::test]
async fn a_list_is_the_same_in_small_pages_and_in_large_ones_and_as_csv() {
    let (served, admin) = connected(Size::Small).await;
    for list in ["people", "teams", "apps", "enterprise-accounts", "grants", "access", "audit"] {
        let whole = served.get(&admin, &format!("/api/v1/{list}?limit=1000")).await.rows();
        let mut walked = Vec::new();
        let mut path = format!("/api/v1/{list}?limit=17");
        loop {
            let page = served.get(&admin, &path).await;
            walked.extend(page.rows());
            let Some(next) = page.json()["next_cursor"].as_str().map(ToOwned::to_owned) else { break };
            path = format!("/api/v1/{list}?limit=17&cursor={next}");
        }
        assert_eq!(walked, whole, "{list}");
        let csv = served
            .send(
                ("GET", &format!("/api/v1/{list}?limit=1000")),
                Some(&admin),
                &[("accept", "text/csv")],
                None,
            )
            .await;
        assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
        assert!(csv.text().lines().count() > whole.len(), "{list}");
    }
    let connectors = served.get(&admin, "/api/v1/connectors").await.rows();
    let one = connectors[0]["id"].as_str().unwrap();
    let all = served.get(&admin, "/api/v1/people?limit=1000").await.rows();
    let own = served.get(&admin, &format!("/api/v1/people?limit=1000&connector={one}")).await.rows();
    assert_eq!(own.len() * 2, all.len(), "both read the same estate");
    let several = served.post(&admin, "/api/v1/query", &json!({ "query": "FIND User" })).await;
    assert_eq!(
        (several.status, several.json()["error"]["fields"][0]["name"].as_str()),
        (422, Some("connector"))
    );
}

#[tokio::test]
async fn filters_find_what_they_name_with_its_path() {
    let (served, admin) = connected(Size::Small).await;
    let apps = served.get(&admin, "/api/v1/apps").await.rows();
    let app = apps[0]["name"].as_str().unwrap();
    let access = served.get(&admin, &format!("/api/v1/access?app={app}&limit=1000")).await.rows();
    assert!(!access.is_empty() && access.iter().all(|line| line["resource"]["name"] == app));
    assert!(access.iter().all(|line| line["direct"] == true || !line["path"].as_array().unwrap().is_empty()));
    let user = access[0]["principal"]["email"].as_str().unwrap();
    let own = served.get(&admin, &format!("/api/v1/access?user={user}&limit=1000")).await.rows();
    assert!(own.iter().all(|line| line["principal"]["email"] == user));
    assert_eq!(served.get(&admin, "/api/v1/access?app=no-such-app").await.status, 404);
    for wrong in ["limit=0", "limit=x", "limit=1001", "cursor=x", "colour=red", "as_of=yesterday"] {
        let refused = served.get(&admin, &format!("/api/v1/access?{wrong}")).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "invalid"), "{wrong}");
    }
    let cursor =
        served.get(&admin, "/api/v1/people?limit=1").await.json()["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(
        served.get(&admin, &format!("/api/v1/teams?cursor={cursor}")).await.status,
        422,
        "a cursor of another list"
    );
}

#[tokio::test]
async fn an_answer_that_one_has_is_not_sent_again() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let first = served.get(&admin, "/api/v1/tokens").await;
    let tag = first.header("etag").unwrap();
    let second = served.send(("GET", "/api/v1/tokens"), Some(&admin), &[("if-none-match", tag)], None).await;
    assert_eq!((second.status, second.body.len()), (304, 0));
    served.token("viewer", &[]).await;
    let third = served.send(("GET", "/api/v1/tokens"), Some(&admin), &[("if-none-match", tag)], None).await;
    assert_eq!(third.status, 200);
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let ask = async |name: &str, key: &str| {
        let body = json!({ "name": name, "role": "viewer" });
        served.send(("POST", "/api/v1/tokens"), Some(&admin), &[("idempotency-key", key)], Some(&body)).await
    };
    let (first, again) = (ask("one", "k").await, ask("one", "k").await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!((again.header("idempotency-replayed"), &again.json()["token"]), (Some("true"), &Value::Null));
    let other = ask("two", "k").await;
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency_reused"));
    assert_eq!(ask("", "j").await.status, 422);
    assert_eq!(ask("three", "j").await.status, 201, "what was refused did not use the key up");
    assert_eq!(served.get(&admin, "/api/v1/tokens").await.rows().len(), 3);
}

#[tokio::test]
async fn errors_have_a_code_the_number_of_the_request_and_the_place_of_a_mistake() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let wrong = json!({ "query": "FIND User\nRETRN User.email" });
    let reply = served
        .send(("POST", "/api/v1/query"), Some(&admin), &[("x-request-id", "mine-1")], Some(&wrong))
        .await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (404, "no_version"),
        "there is no estate yet: {}",
        reply.text()
    );
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    let reply = served
        .send(("POST", "/api/v1/query"), Some(&admin), &[("x-request-id", "mine-1")], Some(&wrong))
        .await;
    assert_eq!((reply.status, reply.code().as_str()), (422, "query_invalid"));
    assert_eq!(
        (reply.json()["request_id"].as_str(), reply.header("x-request-id")),
        (Some("mine-1"), Some("mine-1"))
    );
    assert_eq!(reply.json()["error"]["fields"][0]["line"], 2, "{}", reply.text());
    assert_eq!(served.get(&admin, "/api/v1/nothing").await.code(), "not_found");
    assert_eq!(served.post(&admin, "/api/v1/people", &json!({})).await.code(), "method_not_allowed");
    let plain = served.send(("POST", "/api/v1/query"), Some(&admin), &[], None).await;
    assert_eq!((plain.status, plain.code().as_str()), (415, "unsupported_media_type"));
    let large = json!({ "query": "x".repeat(5_000_000) });
    assert_eq!(served.post(&admin, "/api/v1/query", &large).await.status, 413);
    for name in ["x-content-type-options", "content-security-policy", "cache-control", "referrer-policy"] {
        assert!(plain.header(name).is_some(), "{name}");
    }
    assert_eq!(plain.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn it_is_ready_without_set_up_and_stops_when_it_is_asked_to() {
    let mut served = Served::new(Size::Small).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(served.send(("GET", path), None, &[], None).await.status, 200, "{path}");
    }
    let figures = served.send(("GET", "/metrics"), None, &[], None).await.text();
    assert!(
        figures.contains("metsuke_http_requests_total{operation=\"getHealth\",status=\"2xx\"} 1"),
        "{figures}"
    );
    let began = Instant::now();
    let process = served.server.id().unwrap().to_string();
    let sent = std::process::Command::new("kill").args(["-TERM", &process]).status().unwrap();
    assert!(sent.success());
    let ended = tokio::time::timeout(PATIENCE, served.server.wait()).await.unwrap().unwrap();
    assert!(ended.success() && began.elapsed().as_secs() < 20, "{ended}");
}

#[tokio::test]
async fn nobody_revokes_the_token_they_ask_with() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let own = served.get(&admin, "/api/v1/me").await.json()["token_id"].as_str().unwrap().to_owned();
    let refused = served.send(("DELETE", &format!("/api/v1/tokens/{own}")), Some(&admin), &[], None).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "own_token"));
    let other = served.token("viewer", &[]).await;
    let id = served.get(&other, "/api/v1/me").await.json()["token_id"].as_str().unwrap().to_owned();
    assert_eq!(
        served.send(("DELETE", &format!("/api/v1/tokens/{id}")), Some(&admin), &[], None).await.status,
        200
    );
    assert_eq!(served.get(&other, "/api/v1/me").await.status, 401);
}
