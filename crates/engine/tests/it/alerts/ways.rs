//! When what is told: in order, after a receiver was away, in digests and around quiet hours.

use std::collections::{BTreeMap, BTreeSet};

use metsuke_engine::alerts::FAILING;
use metsuke_model::finding::{DeliveryState, FindingState};
use metsuke_model::{Clock as _, Moment};
use metsuke_simulator::receivers::{Mood, Received, Receiver};
use metsuke_store::{DeliveryFilter, FindingFilter};
use serde_json::json;

use super::desk::{House, SECOND, webhook};

const PEOPLE: [&str; 4] = ["ann@x.example", "bob@x.example", "cleo@x.example", "dan@x.example"];
const MINUTE: i64 = 60 * SECOND;

fn set<'a>(people: &[&'a str]) -> BTreeSet<&'a str> {
    people.iter().copied().collect()
}

/// What was taken, as event and subject.
fn taken(received: &[Received]) -> Vec<String> {
    let one = |alert: &serde_json::Value| {
        format!("{} {}", alert["event"].as_str().unwrap(), alert["who"][0].as_str().unwrap_or("-"))
    };
    let mut told = Vec::new();
    for request in received.iter().filter(|request| request.taken) {
        let body = request.json();
        match body["data"]["alerts"].as_array() {
            Some(alerts) => told.extend(alerts.iter().map(one)),
            None => told.push(one(&body["data"])),
        }
    }
    told
}

async fn failing(house: &House) -> Option<FindingState> {
    let filter = FindingFilter { rule: Some(FAILING.into()), ..FindingFilter::default() };
    house.store.findings(&filter).await.unwrap().first().map(|row| row.state)
}

#[tokio::test]
async fn a_receiver_that_was_down_for_an_hour_is_told_everything_in_order() {
    let (receiver, other) = (Receiver::local().await.unwrap(), Receiver::local().await.unwrap());
    let channels = vec![webhook("ops", &receiver, &json!({})), webhook("other", &other, &json!({}))];
    let house = House::new(channels).await;
    receiver.set_mood(Mood::Down(503));
    let started = house.clock.now();
    for admins in [&["ann@x.example"][..], &["bob@x.example"], &["ann@x.example", "bob@x.example"], &[]] {
        house.version(&PEOPLE, &set(admins)).await;
        house.evaluate().await;
        let mut pass = house.deliver().await;
        assert!(pass.retried <= 1, "a channel that has failed rests");
        // A quarter of an hour goes by, with whatever is due in it.
        let quarter = Moment(house.clock.now().0 + 15 * MINUTE);
        while let Some(next) = pass.next.filter(|next| *next < quarter) {
            house.clock.advance((next.0 - house.clock.now().0).max(SECOND));
            pass = house.deliver().await;
        }
        house.clock.advance((quarter.0 - house.clock.now().0).max(0));
    }
    assert_eq!(house.clock.now().0 - started.0, 60 * MINUTE);
    assert_eq!((taken(&receiver.received()).len(), failing(&house).await), (0, Some(FindingState::Open)));
    let tries = receiver.received().len();
    assert!((4..40).contains(&tries), "{tries} tries in an hour");
    receiver.set_mood(Mood::Up);
    let mut passes = 0;
    while let Some(next) = house.deliver().await.next {
        house.clock.advance((next.0 - house.clock.now().0).max(SECOND));
        passes += 1;
        assert!(passes < 50, "it never ends");
    }
    assert!(house.clock.now().0 - started.0 < 70 * MINUTE, "it is noticed within minutes");
    let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for told in taken(&receiver.received()) {
        let (event, who) = told.split_once(' ').unwrap();
        of.entry(who.to_owned()).or_default().push(event.to_owned());
    }
    assert_eq!(of["ann@x.example"], ["opened", "resolved", "reopened", "resolved"]);
    assert_eq!(of["bob@x.example"], ["opened", "resolved"]);
    assert_eq!(failing(&house).await, Some(FindingState::Resolved));
    let told = taken(&other.received());
    assert!(told.contains(&"opened -".to_owned()) && told.contains(&"resolved -".to_owned()), "{told:?}");
    let waiting = DeliveryFilter { state: Some(DeliveryState::Waiting), ..DeliveryFilter::default() };
    assert!(house.store.deliveries(&waiting).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_message_that_is_refused_for_itself_holds_nobody_else_up() {
    let receiver = Receiver::local().await.unwrap();
    let house = House::new(vec![webhook("ops", &receiver, &json!({}))]).await;
    house.version(&PEOPLE, &set(&["ann@x.example"])).await;
    house.evaluate().await;
    receiver.set_mood(Mood::Down(422));
    assert_eq!(house.deliver().await.retried, 1);
    receiver.set_mood(Mood::Up);
    house.version(&PEOPLE, &set(&["ann@x.example", "bob@x.example"])).await;
    house.evaluate().await;
    assert_eq!(house.deliver().await.sent, 1, "bob's goes, ann's waits");
    receiver.set_mood(Mood::Down(422));
    for _ in 0..10 {
        house.clock.advance(11 * 60 * MINUTE);
        house.deliver().await;
    }
    let dead = DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() };
    let dead = house.store.deliveries(&dead).await.unwrap();
    assert_eq!(
        (dead.len(), dead[0].attempt, dead[0].told.as_deref()),
        (1, 7, Some("it was answered 422: told to be down"))
    );
    assert_eq!(failing(&house).await, Some(FindingState::Open));
    receiver.set_mood(Mood::Up);
    assert!(house.store.revive_delivery(&dead[0].id, house.clock.now()).await.unwrap());
    assert_eq!(house.deliver().await.sent, 1);
}

#[tokio::test]
async fn a_digest_holds_a_window_and_many_at_once_go_together() {
    let receiver = Receiver::local().await.unwrap();
    let many: Vec<String> = (0..15).map(|n| format!("p{n}@x.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let channels = vec![
        webhook("digest", &receiver, &json!({ "digestMinutes": 30 })),
        webhook("at-once", &receiver, &json!({})),
        webhook("critical", &receiver, &json!({ "level": "CRITICAL" })),
    ];
    let house = House::new(channels).await;
    house.version(&many, &set(&many[..3])).await;
    house.evaluate().await;
    let pass = house.deliver().await;
    assert_eq!((pass.sent, taken(&receiver.received()).len()), (3, 3));
    receiver.forget();
    house.clock.advance(10 * MINUTE);
    house.version(&many, &set(&many)).await;
    house.evaluate().await;
    assert_eq!(house.deliver().await.sent, 1, "twelve at once are one message");
    assert_eq!(taken(&receiver.received()).len(), 12);
    receiver.forget();
    house.clock.advance(20 * MINUTE);
    assert_eq!(house.deliver().await.sent, 1);
    let digest = receiver.received().pop().unwrap();
    assert_eq!(
        (digest.what.as_str(), digest.json()["type"].as_str()),
        ("POST /digest", Some("findings.digest"))
    );
    assert_eq!(digest.headers["webhook-id"], digest.json()["data"]["id"]);
    assert_eq!(taken(&receiver.received()).len(), 15);
}

#[tokio::test]
async fn quiet_hours_hold_everything_but_what_is_critical() {
    let receiver = Receiver::local().await.unwrap();
    let quiet = json!({ "quiet": { "from": "22:00", "to": "07:00", "timeZone": "Asia/Tokyo" } });
    let mut house = House::new(vec![webhook("ops", &receiver, &quiet)]).await;
    // Half past ten in the evening in Tokyo.
    house.clock.advance(Moment::parse("2026-11-20T13:30:00Z").unwrap().0 - house.clock.now().0);
    house.version(&PEOPLE, &set(&["ann@x.example"])).await;
    house.evaluate().await;
    assert_eq!(house.deliver().await.sent, 0);
    let critical = json!({ "id": "own-2", "name": "worst", "operations": [{ "actions": [
        { "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "CRITICAL" }, { "type": "CREATE_ALERT" }] }] });
    house.rules.push(crate::findings::admins(&critical));
    house.version(&PEOPLE, &set(&["ann@x.example"])).await;
    house.evaluate().await;
    assert_eq!(house.deliver().await.sent, 1);
    assert_eq!(receiver.received()[0].json()["data"]["level"], "CRITICAL");
    house.clock.advance(9 * 60 * MINUTE);
    assert_eq!((house.deliver().await.sent, taken(&receiver.received()).len()), (1, 2));
}

#[tokio::test]
async fn two_workers_at_once_send_nothing_twice() {
    let receiver = Receiver::local().await.unwrap();
    let house = House::new(vec![webhook("ops", &receiver, &json!({}))]).await;
    let mut wanted = 0;
    for round in 0..6 {
        let admins = if round % 2 == 0 { &PEOPLE[..] } else { &[] };
        house.version(&PEOPLE, &set(admins)).await;
        house.evaluate().await;
        wanted += PEOPLE.len();
        let (one, other, third) = tokio::join!(house.deliver(), house.deliver(), house.deliver());
        assert_eq!(one.sent + other.sent + third.sent, PEOPLE.len());
    }
    let ids: BTreeSet<String> =
        receiver.received().iter().map(|request| request.headers["webhook-id"].clone()).collect();
    assert_eq!((ids.len(), receiver.received().len()), (wanted, wanted));
}
