//! Events, printed.

use metsuke_simulator::Size;
use serde_json::Value;

use crate::house::{COMPANY, House};

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_between_two_runs_is_printed_line_by_line() {
    let house = House::of(COMPANY).await;
    let database = format!("sqlite:{}", house.file("kept.db").display());
    house.done(&["--database", &database]).await;
    let grant = house.grants("sync.c1z").into_iter().find(|grant| {
        let id = &grant.id;
        id.starts_with("app:") && id.contains(":deploy:user:") && grant.annotations.is_empty()
    });
    house.done(&["--revoke-grant", &grant.unwrap().id, "--database", &database]).await;
    house.done(&["--database", &database]).await;
    let ran = house.run(&["--event-feed", "--event-feed-id", "changes", "--database", &database]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let events: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        events.iter().any(|event| event["createRevokeEvent"]["entitlement"]["slug"] == "deploy"),
        "{ran:?}"
    );
    assert!(events.iter().all(|event| event["id"].is_string() && event["occurredAt"].is_string()));
    let later =
        ["--event-feed=true", "--event-feed-id=changes", "--event-feed-start-at=2999-01-01T00:00:00Z"];
    assert_eq!(house.run(&later).await.stdout, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_feed_is_not_found() {
    let house = House::of(Size::Small).await;
    let ran = house.run(&["--event-feed", "--event-feed-id", "no-such-feed"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{ran:?}");
}
