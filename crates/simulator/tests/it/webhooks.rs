//! Webhooks of apps: asked for, told, taken away; and an audit trail that tells what went.

use std::time::Duration;

use metsuke_simulator::{Delivered, Options, Size};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::probe::{Probe, text};

/// Answers every request with this status.
async fn listener(status: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?x=1", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 65_536];
            let _read = stream.read(&mut bytes).await.unwrap();
            let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

async fn delivered(probe: &Probe, count: usize) -> Vec<Delivered> {
    for _ in 0..200 {
        let told = probe.simulator.delivered();
        if told.len() >= count {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing was delivered");
}

#[tokio::test]
async fn a_webhook_tells_of_its_app_alone_with_a_signature_until_it_is_taken_away() {
    let probe = Probe::new(Options::of(Size::Small)).await;
    let apps = probe.simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.app_names(Some(&team))
    });
    let (app, other) = (apps.clone().unwrap().remove(0), apps.unwrap().remove(1));
    let path = format!("/apps/{app}/webhooks");
    let body = json!({
        "include": ["api:collaborator"], "level": "notify", "secret": "s3cret", "url": listener(200).await,
    });
    let (status, row) = probe.write(Method::POST, &path, &body).await;
    assert_eq!((status, row["level"].as_str()), (201, Some("notify")));
    assert!(row.get("secret").is_none());
    assert_eq!(probe.all(&path).await.len(), 1);
    probe.simulator.edit(|world| {
        world.set_collaborator(&other, "new@example.com", &["view"]);
        world.lock_app(&app, true);
        world.set_collaborator(&app, "new@example.com", &["view"]);
    });
    let told = delivered(&probe, 1).await;
    assert_eq!((told.len(), told[0].status), (1, Some(200)), "what is not subscribed to is not told");
    let event: Value = serde_json::from_slice(&told[0].body).unwrap();
    assert_eq!(
        (event["resource"].as_str(), event["action"].as_str()),
        (Some("collaborator"), Some("create"))
    );
    assert_eq!(event["data"]["user"]["email"], "new@example.com");
    assert_eq!(event["webhook_metadata"]["webhook"]["id"], row["id"]);
    assert!(told[0].signature.len() == 44 && told[0].url.ends_with("/hook?x=1"));
    let (status, _) = probe.write(Method::DELETE, &format!("{path}/{}", text(&row, "id")), &json!({})).await;
    assert_eq!(status, 200);
    probe.simulator.edit(|world| world.remove_collaborator(&app, "new@example.com"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(probe.simulator.delivered().len(), 1);
}

#[tokio::test]
async fn what_is_not_taken_is_told_again_where_the_level_says_so() {
    let probe = Probe::new(Options::of(Size::Small)).await;
    let app = probe.simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.app_names(Some(&team)).remove(0)
    });
    let (app, url) = (app.unwrap(), listener(500).await);
    let path = format!("/apps/{app}/webhooks");
    for bad in [
        json!({}),
        json!({"include": [], "level": "sync", "url": url}),
        json!({"include": ["api:x"], "level": "sync", "url": url}),
    ] {
        assert_eq!(probe.write(Method::POST, &path, &bad).await.0, 422);
    }
    let body = json!({ "include": ["api:app"], "level": "sync", "url": url });
    assert_eq!(probe.write(Method::POST, &path, &body).await.0, 201);
    probe.simulator.edit(|world| world.rename_app(&app, "renamed"));
    assert_eq!(delivered(&probe, 1).await[0].status, Some(500));
}

#[tokio::test]
async fn the_trail_tells_what_went_by_whom_and_from_where() {
    let probe = Probe::new(Options::of(Size::Enterprise)).await;
    let account = text(&probe.all("/enterprise-accounts").await.remove(0), "name");
    probe.simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.act_as("mallory@example.com", "198.51.100.9");
        let (member, _) =
            world.members_of(&team).into_iter().find(|(email, _)| *email != world.caller_email()).unwrap();
        world.remove_member(&team, &member);
        let app = world.app_names(Some(&team)).remove(0);
        world.remove_app(&app);
        world.act_as_caller();
        world.set_member(&team, "new@example.com", Some("member"));
    });
    let day = probe.one(&format!("/enterprise-accounts/{account}/events")).await;
    let events = day["data"].as_array().unwrap();
    for (kind, action) in [("team_membership", "destroy"), ("app", "destroy")] {
        let found = events.iter().find(|event| event["type"] == kind && event["action"] == action);
        assert!(found.is_some_and(|event| event["team"].is_object()), "{kind}.{action}");
    }
}
