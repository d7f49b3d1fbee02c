//! Assistants: the Model Context Protocol as its clients speak it, over plain HTTP.

use metsuke_simulator::Size;
use serde_json::{Value, json};

use super::client::{Reply, Served};

const MODERN: &str = "2026-07-28";
const LEGACY: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];
const BOTH: (&str, &str) = ("accept", "application/json, text/event-stream");

/// A client of a revision with a handshake.
async fn ask(served: &Served, token: &str, method: &str, params: Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    let headers = [BOTH, ("mcp-protocol-version", LEGACY[0])];
    let reply = served.send(("POST", "/mcp"), Some(token), &headers, Some(&body)).await;
    assert_eq!((reply.status, &reply.json()["id"]), (200, &json!(7)), "{}", reply.text());
    reply.json()
}

/// What a tool answers, where it answers.
async fn tool(served: &Served, token: &str, name: &str, arguments: Value) -> Value {
    let told = ask(served, token, "tools/call", json!({ "name": name, "arguments": arguments })).await;
    assert_eq!(told["result"]["isError"], false, "{name}: {told}");
    let text = told["result"]["content"][0]["text"].as_str().unwrap();
    let structured = told["result"]["structuredContent"].clone();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), structured);
    assert!(structured["notice"].as_str().unwrap().contains("data"), "{name}");
    structured
}

/// The code with which a tool refuses.
async fn refused(served: &Served, token: &str, name: &str, arguments: Value) -> String {
    let told = ask(served, token, "tools/call", json!({ "name": name, "arguments": arguments })).await;
    assert_eq!(told["result"]["isError"], true, "{name}: {told}");
    assert!(told["result"].get("structuredContent").is_none());
    let error: Value = serde_json::from_str(told["result"]["content"][0]["text"].as_str().unwrap()).unwrap();
    error["code"].as_str().unwrap().to_owned()
}

async fn names(served: &Served, token: &str) -> Vec<String> {
    let listed = ask(served, token, "tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap().clone();
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

async fn connected() -> (Served, String) {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    (served, admin)
}

#[tokio::test]
async fn a_session_goes_as_each_revision_has_it() {
    let served = Served::new(Size::Small).await;
    let viewer = served.token("viewer", &[]).await;
    let send = async |headers: &[(&str, &str)], body: Value| {
        let headers = [&[BOTH], headers].concat();
        served.send(("POST", "/mcp"), Some(&viewer), &headers, Some(&body)).await
    };
    for revision in LEGACY {
        let params = json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        let begun =
            send(&[], json!({ "jsonrpc": "2.0", "id": "a", "method": "initialize", "params": params })).await;
        assert_eq!(begun.header("content-type"), Some("application/json"));
        let begun = begun.json();
        assert_eq!((&begun["id"], &begun["result"]["protocolVersion"]), (&json!("a"), &json!(revision)));
        assert_eq!(begun["result"]["serverInfo"]["name"], "metsuke");
        assert!(begun["result"]["capabilities"]["tools"].is_object());
        let own = [("mcp-protocol-version", revision)];
        let told = send(&own, json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        assert_eq!((told.status, told.body.len()), (202, 0));
        let pong = send(&own, json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })).await;
        assert_eq!(pong.json(), json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
        let listed = send(&own, json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" })).await;
        assert!(listed.json()["result"]["tools"].as_array().unwrap().len() > 10);
    }
    let params = json!({ "protocolVersion": "2024-11-05", "capabilities": {} });
    let other =
        send(&[], json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })).await;
    assert_eq!(other.json()["result"]["protocolVersion"], LEGACY[0]);

    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    for method in ["server/discover", "tools/list"] {
        let own = [("mcp-protocol-version", MODERN), ("mcp-method", method)];
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "_meta": meta } });
        let result = send(&own, body).await.json()["result"].take();
        assert_eq!((&result["resultType"], &result["cacheScope"]), (&json!("complete"), &json!("private")));
        assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "metsuke");
    }
    let own = [("mcp-protocol-version", MODERN), ("mcp-method", "tools/call"), ("mcp-name", "graph_types")];
    let params = json!({ "name": "graph_types", "_meta": meta });
    let called =
        send(&own, json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })).await;
    assert_eq!(called.json()["result"]["resultType"], "complete");
    assert!(called.json()["result"]["structuredContent"]["entities"].as_array().unwrap().len() > 5);
}

#[tokio::test]
async fn tools_tell_what_the_api_tells_and_how_complete_it_is() {
    let (served, admin) = connected().await;
    let apps = served.get(&admin, "/api/v1/apps?limit=500").await.rows();
    let told = tool(&served, &admin, "list_apps", json!({ "limit": 500 })).await;
    assert_eq!(told["data"].as_array().unwrap(), &apps);
    assert_eq!(
        (&told["sources"][0]["name"], &told["sources"][0]["complete"]),
        (&json!("acme"), &json!(true))
    );
    for (name, path) in [
        ("list_people", "people"),
        ("list_teams", "teams"),
        ("list_changes", "changes"),
        ("list_findings", "findings"),
    ] {
        let rows = served.get(&admin, &format!("/api/v1/{path}?limit=50")).await;
        let told = tool(&served, &admin, name, json!({})).await;
        assert_eq!(
            (&told["data"], &told["next_cursor"]),
            (&rows.json()["data"], &rows.json()["next_cursor"]),
            "{name}"
        );
    }
    let (app, access) =
        (apps[0]["name"].as_str().unwrap(), served.get(&admin, "/api/v1/access?limit=1000").await);
    let lines = tool(&served, &admin, "who_can_access", json!({ "app": app, "limit": 500 })).await;
    let lines = lines["data"].as_array().unwrap();
    let expected = access.rows().into_iter().filter(|line| line["resource"]["name"] == app).count();
    assert!(expected > 0 && lines.len() >= expected, "{lines:?}");
    assert!(lines.iter().all(|line| line["direct"] == true || !line["path"].as_array().unwrap().is_empty()));
    let person = lines[0]["principal"]["email"].as_str().unwrap();
    let reached =
        tool(&served, &admin, "what_person_reaches", json!({ "person": person, "limit": 500 })).await;
    assert!(reached["data"].as_array().unwrap().iter().all(|line| line["principal"]["email"] == person));
    let asked = json!({ "query": "FIND heroku_application AS a RETURN a.name AS name", "max_rows": 500 });
    let answer = tool(&served, &admin, "query", asked).await;
    assert_eq!(answer["answer"]["data"].as_array().unwrap().len(), apps.len());
    let found = tool(&served, &admin, "search", json!({ "kind": "app", "text": &app[..4] })).await;
    assert!(found["answer"]["data"].as_array().unwrap().iter().any(|row| row["name"] == app), "{found}");
    for kind in ["person", "team"] {
        tool(&served, &admin, "search", json!({ "kind": kind, "text": "a" })).await;
    }
    let ready = tool(&served, &admin, "list_questions", json!({ "tag": "leavers" })).await;
    assert!(!ready["questions"].as_array().unwrap().is_empty());
    let all = tool(&served, &admin, "list_questions", json!({})).await;
    for question in all["questions"].as_array().unwrap().iter().take(5) {
        let example = |one: &Value| {
            (
                one["name"].as_str().unwrap().to_owned(),
                one.get("example").or(one.get("default")).cloned().unwrap_or_else(|| "x".into()),
            )
        };
        let values: serde_json::Map<_, _> =
            question["variables"].as_array().unwrap().iter().map(example).collect();
        tool(&served, &admin, "ask_question", json!({ "id": question["id"], "variables": values })).await;
    }
    let connectors = tool(&served, &admin, "list_connectors", json!({})).await;
    let newest = &connectors["connectors"][0]["newest_version"];
    assert!(newest["complete"] == true && newest["listings"].as_u64().unwrap() > 3, "{newest}");
    let page = tool(&served, &admin, "list_people", json!({ "limit": 2 })).await;
    let next = json!({ "limit": 2, "cursor": page["next_cursor"] });
    assert_ne!(tool(&served, &admin, "list_people", next).await["data"], page["data"]);
}

#[tokio::test]
async fn an_assistant_sees_and_does_what_the_api_would_let_its_token() {
    let (served, admin) = connected().await;
    let (viewer, operator) = (served.token("viewer", &[]).await, served.token("operator", &[]).await);
    let narrow = served.token("admin", &["--scope", "estate:read"]).await;
    let reader = served.token("admin", &["--scope", "read"]).await;
    assert!(!names(&served, &viewer).await.iter().any(|name| name.contains("plan")));
    assert_eq!(names(&served, &operator).await, names(&served, &admin).await);
    assert!(
        !names(&served, &admin).await.iter().any(|name| name.contains("apply") || name.contains("approve"))
    );
    assert!(!names(&served, &reader).await.contains(&"propose_plan".to_owned()));
    let seen = names(&served, &narrow).await;
    assert!(
        seen.contains(&"list_apps".to_owned()) && !seen.contains(&"list_findings".to_owned()),
        "{seen:?}"
    );
    assert_eq!(tool(&served, &narrow, "list_apps", json!({})).await["sources"], Value::Null);
    for (name, arguments) in [("list_findings", json!({})), ("list_connectors", json!({}))] {
        assert_eq!(refused(&served, &narrow, name, arguments).await, "scope_missing", "{name}");
    }
    let team = served.get(&admin, "/api/v1/teams").await.rows()[0]["name"].clone();
    let plan = json!({
        "action": "grant", "user": "new@example.com", "team": team, "role": "member", "reason": "she starts on Monday",
    });
    assert_eq!(refused(&served, &viewer, "propose_plan", plan.clone()).await, "forbidden");
    assert_eq!(refused(&served, &reader, "propose_plan", plan.clone()).await, "scope_missing");
    let planned = tool(&served, &operator, "propose_plan", plan).await;
    assert_eq!(
        (&planned["outcome"], &planned["plan"]["status"]),
        (&json!("planned"), &json!("planned")),
        "{planned}"
    );
    assert!(served.house.heroku.journal().writes.is_empty(), "planning only reads");
    let id = planned["plan"]["id"].as_str().unwrap();
    let shown = tool(&served, &operator, "get_plan", json!({ "id": id })).await;
    assert_eq!(shown["plan"], served.get(&admin, &format!("/api/v1/plans/{id}")).await.json());
    assert_eq!(refused(&served, &viewer, "get_plan", json!({ "id": id })).await, "forbidden");
}

#[tokio::test]
async fn what_cannot_be_done_says_why_so_that_it_can_be_done_better() {
    let (served, admin) = connected().await;
    for (name, arguments, code) in [
        ("query", json!({ "query": "FIND User\nRETRN x" }), "query_invalid"),
        ("query", json!({}), "invalid"),
        ("query", json!({ "query": "FIND User", "max_rows": 501 }), "invalid"),
        ("list_apps", json!({ "colour": "red" }), "invalid"),
        ("list_apps", json!({ "limit": "many" }), "invalid"),
        ("list_apps", json!({ "name": ["x"] }), "invalid"),
        ("who_can_access", json!({ "app": "no-such-app" }), "not_found"),
        ("who_can_access", json!({ "app": "x", "team": "y" }), "invalid"),
        ("get_finding", json!({ "id": "nothing" }), "not_found"),
        ("get_plan", json!({ "id": "../apps" }), "not_found"),
        ("ask_question", json!({ "id": "leavers-with-acess" }), "not_found"),
        ("list_connectors", json!({ "connector": "nothing" }), "not_found"),
        ("propose_plan", json!({ "action": "apply", "user": "x", "reason": "y" }), "invalid"),
    ] {
        assert_eq!(refused(&served, &admin, name, arguments).await, code, "{name}");
    }
    let told = ask(&served, &admin, "tools/call", json!({ "name": "apply_plan" })).await;
    assert_eq!(told["error"]["code"], -32_602);
    let told = ask(&served, &admin, "resources/list", json!({})).await;
    assert_eq!(told["error"]["code"], -32_601);
}

#[tokio::test]
async fn requests_that_are_none_are_refused_as_the_protocol_says() {
    let served = Served::new(Size::Small).await;
    let viewer = served.token("viewer", &[]).await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let send = async |headers: &[(&str, &str)], body: &Value| -> Reply {
        served.send(("POST", "/mcp"), Some(&viewer), headers, Some(body)).await
    };
    for method in ["GET", "DELETE"] {
        assert_eq!(served.send((method, "/mcp"), Some(&viewer), &[], None).await.status, 405, "{method}");
    }
    assert_eq!(served.send(("POST", "/mcp"), None, &[], Some(&ping)).await.status, 401);
    for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
        let reply = send(&[("origin", origin)], &ping).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "foreign_origin"), "{origin}");
    }
    assert_eq!(send(&[("accept", "text/html")], &ping).await.status, 406);
    let event = send(&[("accept", "text/event-stream")], &ping).await;
    assert_eq!(event.header("content-type"), Some("text/event-stream"));
    assert!(event.text().starts_with("event: message\ndata: {"), "{}", event.text());
    assert_eq!(served.send(("POST", "/mcp"), Some(&viewer), &[], None).await.status, 415);

    let unknown = send(&[("mcp-protocol-version", "1900-01-01")], &ping).await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (400, &json!(-32_022)));
    assert_eq!(unknown.json()["error"]["data"]["supported"][0], MODERN);
    let bare = send(&[("mcp-protocol-version", MODERN)], &ping).await;
    assert_eq!((bare.status, &bare.json()["error"]["code"]), (400, &json!(-32_602)));
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let asked =
        |method: &str| json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "_meta": meta } });
    let own = [("mcp-protocol-version", MODERN), ("mcp-method", "tools/list")];
    let other = send(&own, &asked("server/discover")).await;
    assert_eq!((other.status, &other.json()["error"]["code"]), (400, &json!(-32_020)));
    assert_eq!(
        send(&[], &asked("tools/list")).await.json()["error"]["code"],
        -32_020,
        "the header is missing"
    );
    let own = [("mcp-protocol-version", MODERN), ("mcp-method", "ping")];
    let gone = send(&own, &asked("ping")).await;
    assert_eq!(
        (gone.status, &gone.json()["error"]["code"]),
        (404, &json!(-32_601)),
        "it went with this revision"
    );

    for body in [json!(1), json!("x"), json!({}), json!({ "jsonrpc": "2.0", "id": null, "method": "ping" })] {
        let reply = send(&[], &body).await;
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!(-32_600)), "{body}");
    }
    let both = json!([ping, { "jsonrpc": "2.0", "method": "notifications/initialized" }]);
    assert_eq!(send(&[], &both).await.json().as_array().unwrap().len(), 1);
    assert_eq!(send(&[("mcp-protocol-version", LEGACY[0])], &both).await.status, 400);
    assert_eq!(send(&[], &json!(vec![ping.clone(); 11])).await.status, 400);
    let deep = "[".repeat(10_000);
    assert_eq!(
        send(&[], &json!({ "jsonrpc": "2.0", "id": 1, "method": deep })).await.json()["error"]["code"],
        -32_601
    );
}

#[tokio::test]
async fn letters_that_hide_or_turn_a_text_do_not_reach_an_assistant() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let hostile = "acme\u{202e}x\u{200b}\u{e0041}";
    let mut new = served.new_connector(hostile, "ann@example.com");
    new["tag_account_name"] = json!("acme");
    let made = served.post(&admin, "/api/v1/connectors", &new).await;
    assert_eq!(made.status, 201, "{}", made.text());
    served.until(&admin, made.json()["id"].as_str().unwrap(), "connected").await;
    for name in ["list_connectors", "list_apps"] {
        let told = tool(&served, &admin, name, json!({})).await.to_string();
        assert!(
            told.contains("acme\u{fffd}x\u{fffd}\u{fffd}") && !told.contains('\u{202e}'),
            "{name}: {told}"
        );
    }
}
