//! Reads that lag behind writes: the state before is shown for a while, and then never again.

use std::time::{Duration, Instant};

use metsuke_simulator::{Delay, Options, Size};
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::House;
use crate::probe::text;

const NEW: &str = "new@example.com";
const LAG: Duration = Duration::from_millis(1_500);

async fn lagging() -> House {
    House::with(Options::of(Size::Mixed).settling(Delay::exactly(LAG))).await
}

fn role(rows: &[Value], email: &str) -> Option<String> {
    rows.iter().find(|row| row["email"] == email).map(|row| text(row, "role"))
}

async fn shown(house: &House) -> Option<String> {
    role(&house.probe.all(&house.members()).await, NEW)
}

/// Asks until it is not there any more, as a patient client does.
async fn gone(house: &House, path: &str) {
    while house.probe.status(path).await != 404 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn reads_show_the_state_before_a_write_and_then_the_one_after() {
    let house = lagging().await;
    let started = Instant::now();
    assert_eq!(house.put(NEW, "member").await.expect("an answer").status(), 201);
    assert_eq!(house.put(NEW, "viewer").await.expect("an answer").status(), 200);
    assert_eq!(house.role(NEW).as_deref(), Some("viewer"));
    let mut seen = Vec::new();
    while seen.last() != Some(&Some("viewer".to_owned())) {
        let now = shown(&house).await;
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(started.elapsed() >= LAG);
    assert_eq!(seen.first(), Some(&None));
    // The first write may be seen alone for a moment, but nothing is seen twice.
    assert!(seen.len() <= 3, "{seen:?}");
    house.agrees().await;
}

#[tokio::test]
async fn what_a_write_did_not_change_is_shown_as_it_is() {
    let house = lagging().await;
    assert_eq!(house.put(NEW, "member").await.expect("an answer").status(), 201);
    house.edit(|world| world.set_collaborator(&house.app, NEW, &["view"]));
    let rows = house.probe.all(&format!("/apps/{}/collaborators", house.app)).await;
    assert!(rows.iter().any(|row| row["user"]["email"] == NEW));
    assert_eq!(shown(&house).await, None);
}

#[tokio::test]
async fn a_removed_collaborator_cannot_be_added_again_at_once() {
    let house = lagging().await;
    house.edit(|world| world.set_member(&house.team, NEW, Some("member")));
    house.edit(|world| world.set_collaborator(&house.app, NEW, &["view"]));
    let path = format!("/teams/apps/{}/collaborators", house.app);
    let one = format!("{path}/{NEW}");
    let body = json!({"user": NEW, "permissions": ["deploy"]});
    assert_eq!(house.write(Method::DELETE, &one, json!({})).await.0, 200);
    assert_eq!(house.probe.status(&one).await, 200);
    let (status, answer) = house.write(Method::POST, &path, body.clone()).await;
    assert_eq!(status, 422);
    assert!(text(&answer, "message").contains("is already a collaborator on app"));
    gone(&house, &one).await;
    assert_eq!(house.write(Method::POST, &path, body).await.0, 201);
}

#[tokio::test]
async fn removing_a_member_lags_on_the_apps_too() {
    let house = lagging().await;
    house.edit(|world| world.set_member(&house.team, NEW, Some("member")));
    house.edit(|world| world.set_collaborator(&house.app, NEW, &["view"]));
    let one = format!("/apps/{}/collaborators/{NEW}", house.app);
    assert_eq!(house.write(Method::DELETE, &format!("{}/{NEW}", house.members()), json!({})).await.0, 200);
    assert_eq!((house.probe.status(&one).await, shown(&house).await.as_deref()), (200, Some("member")));
    gone(&house, &one).await;
    assert_eq!(shown(&house).await, None);
}

#[tokio::test]
async fn nothing_lags_unless_told_to() {
    let house = House::new().await;
    assert_eq!(house.put(NEW, "member").await.expect("an answer").status(), 201);
    assert_eq!(shown(&house).await.as_deref(), Some("member"));
    let path = format!("/teams/apps/{}/collaborators", house.app);
    for status in [201, 201] {
        assert_eq!(house.write(Method::POST, &path, json!({"user": NEW})).await.0, status);
        assert_eq!(house.write(Method::DELETE, &format!("{path}/{NEW}"), json!({})).await.0, 200);
    }
    house.probe.simulator.set_settling(Delay::exactly(LAG));
    assert_eq!(house.put(NEW, "viewer").await.expect("an answer").status(), 200);
    assert_eq!(shown(&house).await.as_deref(), Some("member"));
}
