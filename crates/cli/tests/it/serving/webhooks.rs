//! Webhooks over real HTTP: what is signed is read at once and told to those who follow; all else is refused.

use metsuke_simulator::{Delivered, Options, Size};
use serde_json::{Value, json};

use super::client::Served;
use crate::house::House;

/// A server with a connector, and an app of it that tells of its changes.
struct Told {
    served: Served,
    admin: String,
    connector: String,
    app: String,
    hook: Value,
}

impl Told {
    async fn new() -> Self {
        // Deliveries have a time, which must be ours.
        let house = House::new(Options::of(Size::Small).seed(3).live_clock()).await;
        let served = Served::in_house(house).await;
        let admin = served.token("admin", &[]).await;
        let connector = served.connector(&admin, "acme", "ann@example.com").await;
        served.until(&admin, &connector, "connected").await;
        let apps = served.get(&admin, "/api/v1/apps").await.rows();
        let app = apps[0]["name"].as_str().unwrap().to_owned();
        let wish = json!({ "app": app, "url": format!("http://{}", served.address) });
        let made = served.post(&admin, "/api/v1/webhooks", &wish).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let hook = made.json();
        assert_eq!((&hook["state"], &hook["connector"]), (&json!("active"), &json!(connector)));
        Self { served, admin, connector, app, hook }
    }

    /// The path at which deliveries of the webhook are taken.
    fn path(&self) -> String {
        let url = self.hook["url"].as_str().unwrap();
        url.strip_prefix(&format!("http://{}", self.served.address)).unwrap().to_owned()
    }

    fn grant(&self, person: &str) {
        let app = self.app.clone();
        self.served.house.heroku.edit(|world| world.set_collaborator(&app, person, &["view", "deploy"]));
    }

    /// The delivery of this number, as soon as it was sent.
    async fn delivery(&self, number: usize) -> Delivered {
        loop {
            if let Some(told) = self.served.house.heroku.delivered().get(number) {
                return told.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn what_a_webhook_tells_of_is_read_at_once_listed_and_told_to_those_who_follow() {
    let told = Told::new().await;
    let (served, admin) = (&told.served, &told.admin);
    let mut followed = served.follow(admin, "/api/v1/changes?kind=grant", None).await;
    told.grant("new@example.com");
    assert_eq!(told.delivery(0).await.status, Some(202));
    let (id, event) = followed.next().await;
    assert_eq!((&event["change"], &event["connector"]), (&json!("added"), &json!(told.connector)));
    assert_eq!(event["principal"]["email"], "new@example.com");
    assert_eq!(event["subject"]["name"], told.app.as_str());
    assert!(!event["gained"].as_array().unwrap().is_empty(), "{event}");

    let rows =
        served.get(admin, "/api/v1/changes?kind=grant&principal=new@example.com&limit=1000").await.rows();
    assert!(rows.contains(&event), "{rows:?}");
    let mut walked = Vec::new();
    let mut path = "/api/v1/changes?limit=1".to_owned();
    loop {
        let page = served.get(admin, &path).await;
        walked.extend(page.rows());
        let Some(next) = page.json()["next_cursor"].as_str().map(ToOwned::to_owned) else { break };
        path = format!("/api/v1/changes?limit=1&cursor={next}");
    }
    assert_eq!(walked, served.get(admin, "/api/v1/changes?limit=1000").await.rows());
    for (filter, count) in [("change=removed", 0), ("text=nothing-like-it", 0), ("by=nobody@example.com", 0)]
    {
        let rows = served.get(admin, &format!("/api/v1/changes?{filter}")).await.rows();
        assert_eq!(rows.len(), count, "{filter}");
    }
    for wrong in ["change=bent", "since=yesterday", "cursor=x"] {
        let refused = served.get(admin, &format!("/api/v1/changes?{wrong}")).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "invalid"), "{wrong}");
    }
    let csv = served.send(("GET", "/api/v1/changes"), Some(admin), &[("accept", "text/csv")], None).await;
    assert!(csv.text().contains("new@example.com"), "{}", csv.text());

    // Whoever was away misses nothing, and gets nothing again.
    let mut seen: Vec<Value> = vec![event];
    while seen.len() < rows.len() {
        seen.push(followed.next().await.1);
    }
    drop(followed);
    told.grant("other@example.com");
    told.delivery(1).await;
    let mut again = served.follow(admin, "/api/v1/changes?kind=grant", Some(&id)).await;
    loop {
        let (_, event) = again.next().await;
        assert_ne!(event["id"], seen[0]["id"]);
        if event["principal"]["email"] == "other@example.com" {
            break;
        }
    }
    let strange = [("accept", "text/event-stream"), ("last-event-id", "17")];
    assert_eq!(served.send(("GET", "/api/v1/changes"), Some(admin), &strange, None).await.status, 422);
}

#[tokio::test]
async fn a_delivery_that_is_forged_repeated_too_large_or_for_nobody_has_nothing_read() {
    let told = Told::new().await;
    let (served, admin, path) = (&told.served, &told.admin, told.path());
    told.grant("new@example.com");
    let first = told.delivery(0).await;
    assert_eq!(first.status, Some(202));
    assert_eq!(served.house.heroku.deliver_again(&first).await, Some(200), "it was there before");
    let mut forged = first.clone();
    forged.body.push(b' ');
    assert_eq!(served.house.heroku.deliver_again(&forged).await, Some(401));
    let mut elsewhere = first.clone();
    elsewhere.url = first.url.replace(&told.connector, "018f0000-0000-7000-8000-000000000000");
    assert_eq!(served.house.heroku.deliver_again(&elsewhere).await, Some(401));
    let unsigned = served.send(("POST", &path), None, &[], Some(&json!({}))).await;
    assert_eq!((unsigned.status, unsigned.code().as_str()), (401, "signature"));
    let by_token = served.send(("POST", &path), Some(admin), &[], Some(&json!({}))).await;
    assert_eq!(by_token.status, 401, "a token is no signature");
    let nowhere = served.send(("POST", "/api/v1/webhooks/heroku"), None, &[], Some(&json!({}))).await;
    assert_eq!(nowhere.status, 401);
    let large = json!({ "id": "x".repeat(1_100_000) });
    assert_eq!(served.send(("POST", &path), None, &[], Some(&large)).await.status, 413);

    let listed = served.get(admin, "/api/v1/webhooks").await;
    assert_eq!(listed.rows().len(), 1);
    assert!(!listed.text().contains("secret") && listed.rows()[0]["heard_at"].is_string());
    let one = format!("/api/v1/webhooks/{}", told.hook["id"].as_str().unwrap());
    assert_eq!(served.get(admin, &one).await.json()["app_name"], told.app.as_str());
    assert_eq!(served.send(("DELETE", &one), Some(admin), &[], None).await.status, 200);
    assert_eq!(served.get(admin, &one).await.status, 404);
    assert_eq!(served.house.heroku.deliver_again(&first).await, Some(401), "it is no webhook any more");
}
