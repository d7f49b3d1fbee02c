//! Saved questions over the API and through the command line: whose they are, who sees and changes them, and that they are asked.

use metsuke_simulator::Size;
use serde_json::{Value, json};

use super::client::Served;
use crate::house::{Ran, bare, run};

const TEXT: &str = "FIND heroku_team AS t RETURN t.name AS name";

fn new(title: &str, shared: bool) -> Value {
    json!({ "title": title, "text": TEXT, "explanation": "Every team.", "tags": ["teams"], "shared": shared })
}

async fn change(served: &Served, token: &str, id: &str, body: &Value) -> u16 {
    let path = format!("/api/v1/questions/{id}");
    served.send(("PATCH", &path), Some(token), &[], Some(body)).await.status
}

async fn listed(served: &Served, token: &str, more: &str) -> Vec<String> {
    let rows = served.get(token, &format!("/api/v1/questions?limit=1000{more}")).await.rows();
    rows.iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_question_is_its_owners_alone_until_it_is_shared_and_changed_by_owner_or_admin() {
    let served = Served::new(Size::Small).await;
    let ann = served.token("viewer", &["--person", "ann@example.com"]).await;
    let bob = served.token("operator", &["--person", "bob@example.com"]).await;
    let admin = served.token("admin", &[]).await;
    let made = served.post(&ann, "/api/v1/questions", &new("Which teams are there?", false)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let place = format!("/api/v1/questions/{id}");
    assert_eq!(made.header("location"), Some(place.as_str()));
    let own = served.get(&ann, &place).await.json();
    assert_eq!((&own["source"], &own["owner"]), (&json!("own"), &json!("ann@example.com")));
    assert_eq!((&own["may_change"], &own["text"]), (&json!(true), &json!(TEXT)));
    for other in [&bob, &admin] {
        assert_eq!(served.get(other, &place).await.status, 404);
        assert_eq!(change(&served, other, &id, &json!({ "title": "Mine" })).await, 404);
        assert_eq!(served.send(("DELETE", &place), Some(other), &[], None).await.status, 404);
        assert_eq!(served.post(other, "/api/v1/query", &json!({ "question": id })).await.status, 404);
        assert!(listed(&served, other, "&source=shared,own").await.is_empty());
    }
    assert_eq!(listed(&served, &ann, "&source=own").await, ["Which teams are there?"]);

    assert_eq!(change(&served, &ann, &id, &json!({ "shared": true })).await, 200);
    assert_eq!(listed(&served, &bob, "&source=shared").await, ["Which teams are there?"]);
    assert_eq!(change(&served, &bob, &id, &json!({ "title": "Mine" })).await, 403);
    assert_eq!(served.send(("DELETE", &place), Some(&bob), &[], None).await.status, 403);
    assert_eq!(change(&served, &admin, &id, &json!({ "title": "Which teams?" })).await, 200);
    let seen = served.get(&bob, &place).await.json();
    assert_eq!((&seen["title"], &seen["owner"]), (&json!("Which teams?"), &json!("ann@example.com")));
    assert_eq!((&seen["explanation"], &seen["may_change"]), (&json!("Every team."), &json!(false)));

    assert_eq!(served.send(("DELETE", &place), Some(&ann), &[], None).await.status, 200);
    assert_eq!(served.get(&ann, &place).await.status, 404);
    let events = served.get(&admin, "/api/v1/audit?code=question").await.rows();
    let told: Vec<&Value> = events.iter().map(|event| &event["code"]).collect();
    assert_eq!(told, ["question.removed", "question.saved", "question.saved", "question.saved"]);
    assert!(events[3]["details"]["title"].is_null(), "what was one's own is not told: {}", events[3]);
}

#[tokio::test]
async fn what_is_no_question_or_belongs_to_the_library_is_refused_with_its_place() {
    let served = Served::new(Size::Small).await;
    let ann = served.token("viewer", &["--person", "ann@example.com"]).await;
    let wrong = json!({ "title": "What?", "text": "FIND heroku_team\nWHIT name = 1" });
    let refused = served.post(&ann, "/api/v1/questions", &wrong).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "query_invalid"), "{}", refused.text());
    assert_eq!(refused.json()["error"]["fields"][0]["line"], 2);
    for (member, value) in [
        ("title", json!(" ")),
        ("title", json!("x".repeat(121))),
        ("tags", json!(["a,b"])),
        ("explanation", json!("x".repeat(4_001))),
        ("text", json!("")),
    ] {
        let mut body = new("What?", false);
        body[member] = value;
        let refused = served.post(&ann, "/api/v1/questions", &body).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "invalid"), "{}", refused.text());
        assert_eq!(refused.json()["error"]["fields"][0]["name"], member);
    }
    assert_eq!(change(&served, &ann, "old-invitations", &json!({ "shared": true })).await, 409);
    let path = "/api/v1/questions/old-invitations";
    assert_eq!(served.send(("DELETE", path), Some(&ann), &[], None).await.status, 409);
    assert_eq!(served.get(&ann, "/api/v1/questions?source=mine").await.status, 422);
}

#[tokio::test]
async fn pages_of_questions_hold_each_once_in_their_order() {
    let served = Served::new(Size::Small).await;
    let ann = served.token("viewer", &["--person", "ann@example.com"]).await;
    let bob = served.token("viewer", &["--person", "bob@example.com"]).await;
    for title in ["b", "A", "c"] {
        served.post(&ann, "/api/v1/questions", &new(title, false)).await;
        served.post(&bob, "/api/v1/questions", &new(&format!("bob's {title}"), true)).await;
    }
    let whole = listed(&served, &ann, "").await;
    assert_eq!(whole[..6], ["A", "b", "c", "bob's A", "bob's b", "bob's c"]);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = served.get(&ann, &format!("/api/v1/questions?limit=7{cursor}")).await.json();
        let rows = page["data"].as_array().unwrap();
        paged.extend(rows.iter().map(|row| row["title"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, whole);
}

/// The command through the server, as whoever has the token.
async fn remote(served: &Served, token: &str, arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bare(&folder, arguments);
    command.env("METSUKE_SERVER", format!("http://{}", served.address)).env("METSUKE_TOKEN", token);
    run(command).await
}

#[tokio::test]
async fn the_command_line_saves_shows_asks_and_removes_questions_through_a_server() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let connector = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &connector, "connected").await;
    let ann = served.token("viewer", &["--person", "ann@example.com"]).await;
    let text = format!("{TEXT} LIMIT ${{most}}");
    let saved = remote(&served, &ann, &["questions", "save", "Which team?", &text]).await;
    assert_eq!(saved.code, 2, "LIMIT takes a number: {saved:?}");
    assert!(saved.stderr.contains("line 1, column"), "{saved:?}");
    let text = "FIND heroku_team WITH name ^= ${start} AS t RETURN t.name AS name";
    let saved = remote(&served, &ann, &["questions", "save", "Which team?", text, "--tag", "mine"]).await;
    assert_eq!(saved.code, 0, "{saved:?}");
    let id = saved.stdout.split(' ').next().unwrap();
    let list = remote(&served, &ann, &["questions", "--search", "which TEAM?", "--tag", "mine"]).await;
    assert!(list.stdout.contains(id), "{list:?}");
    let shown = remote(&served, &ann, &["questions", "show", id]).await;
    assert!(shown.stdout.contains("Saved by ann@example.com") && shown.stdout.contains("START"), "{shown:?}");
    let open = remote(&served, &ann, &["query", "--question", id]).await;
    assert_eq!((open.code, open.stderr.contains("${start}")), (2, true), "{open:?}");
    let asked = remote(&served, &ann, &["query", "--question", id, "--var", "start="]).await;
    assert!(asked.code == 0 && asked.stdout.lines().count() > 1, "{asked:?}");
    let other = remote(&served, &admin, &["questions", "show", id]).await;
    assert_eq!(other.code, 1, "{other:?}");
    let changed = remote(&served, &ann, &["questions", "save", "--id", id, "--share"]).await;
    assert_eq!(changed.stdout, format!("{id} Which team?\n"), "{changed:?}");
    assert_eq!(remote(&served, &admin, &["questions", "remove", id]).await.code, 0);
    assert_eq!(remote(&served, &ann, &["questions", "show", id]).await.code, 1);
}

#[tokio::test]
async fn an_overview_is_arranged_by_whose_it_is_and_holds_what_can_be_asked() {
    let served = Served::new(Size::Small).await;
    let ann = served.token("viewer", &["--person", "ann@example.com"]).await;
    let bob = served.token("auditor", &["--person", "bob@example.com"]).await;
    let admin = served.token("admin", &[]).await;
    let arrange = async |token: &str, ids: &[&str]| {
        let body = json!({ "questions": ids });
        served.send(("PUT", "/api/v1/overview/tiles"), Some(token), &[], Some(&body)).await
    };
    let tiles = async |token: &str| {
        let told = served.get(token, "/api/v1/overview/tiles").await.json();
        let ids =
            told["tiles"].as_array().unwrap().iter().map(|tile| tile["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let made = served.post(&ann, "/api/v1/questions", &new("Which teams?", true)).await.json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(arrange(&ann, &[id, "old-invitations"]).await.status, 200);
    assert_eq!(arrange(&ann, &["old-invitations", id]).await.status, 200);
    assert_eq!(tiles(&ann).await, ["old-invitations", id]);
    assert!(tiles(&bob).await.is_empty(), "it is one's own");
    for (wrong, why) in [
        (vec!["no-such-question"], "no question"),
        (vec![id, id], "twice"),
        (vec!["app-access"], "leaves something open"),
        (vec!["a", "b", "c", "d", "e", "f", "g", "h", "i"], "at most 8"),
    ] {
        let refused = arrange(&bob, &wrong).await;
        assert!(refused.status == 422 && refused.text().contains(why), "{}", refused.text());
    }
    assert_eq!(arrange(&bob, &[id]).await.status, 200);
    assert_eq!(change(&served, &ann, id, &json!({ "shared": false })).await, 200);
    let gone = served.get(&bob, "/api/v1/overview/tiles").await.json();
    assert!(gone["tiles"][0]["question"].is_null(), "it is shared no more: {gone}");
    assert_eq!(arrange(&bob, &["old-invitations", id]).await.status, 200, "what stands there may stay");
    assert_eq!(
        served.send(("DELETE", &format!("/api/v1/questions/{id}")), Some(&ann), &[], None).await.status,
        200
    );
    assert_eq!(tiles(&bob).await, ["old-invitations"]);
    assert_eq!(served.get(&admin, "/api/v1/audit?code=overview").await.rows().len(), 4);
}
