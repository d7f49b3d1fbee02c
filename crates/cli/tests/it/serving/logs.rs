//! What the server logs of requests.

use metsuke_simulator::Size;
use serde_json::{Value, json};

use super::client::Served;

/// What must not be found.
const CANARY: &str = "canary-7f3a";

#[tokio::test]
async fn a_request_is_one_line_that_can_be_filtered_and_holds_no_secret() {
    let served = Served::with(Size::Small, &["--log-level", "info", "--log-format", "json"], &[]).await;
    let admin = served.token("admin", &[]).await;
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    let own = served.get(&admin, "/api/v1/me").await.json()["token_id"].as_str().unwrap().to_owned();
    let headers = [("x-request-id", "mine-7"), ("cookie", "metsuke_session=canary-7f3a")];
    let path = format!("/api/v1/people?email={CANARY}@example.com");
    served.send(("GET", &path), Some(&admin), &headers, None).await;
    let body = json!({ "query": format!("FIND User WITH email = '{CANARY}'") });
    served.post(&admin, "/api/v1/query", &body).await;
    served.send(("POST", "/setup?link=canary-7f3a"), None, &[], None).await;
    served.get(&format!("mtk_{CANARY}"), "/api/v1/me").await;
    served.get(&admin, &format!("/{CANARY}")).await;

    let log = served.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = lines.iter().find(|line| line["span"]["request.id"] == "mine-7").unwrap();
    let expected = json!({
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/api/v1/people",
        "actor.id": format!("token:{own}"),
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&line["span"][name], value, "{name}: {line}");
    }
    assert!(line["fields"]["duration_ms"].is_u64() && line["fields"]["http.status"] == 200, "{line}");
    let refused = lines.iter().find(|line| line["fields"]["http.status"] == 401).unwrap();
    assert!(refused["span"].get("actor.id").is_none(), "{refused}");
    for secret in [admin.as_str(), served.house.heroku.token(), CANARY, "ann@example.com"] {
        assert!(!log.contains(secret), "{secret}");
    }
}
