//! Deliveries: one holder at a time, in order for a subject, the same together each time.

use metsuke_model::Moment;
use metsuke_model::finding::DeliveryState;
use metsuke_store::{
    ClaimedMessage, DeliveryFilter, Evaluated, MessageClaim, MessageOutcome, NewDelivery, Recorded, Store,
};

use crate::database::Database;
use crate::findings::delivery;

const LEASE: i64 = 100;

async fn add(store: &Store, at: i64, deliveries: Vec<NewDelivery>) {
    let edition = store.finding_edition().await.unwrap();
    let evaluated = Evaluated { edition, at: Some(Moment(at)), deliveries, ..Evaluated::default() };
    assert!(store.keep_evaluation(&evaluated).await.unwrap());
}

fn at(now: i64) -> MessageClaim<'static> {
    let now = Moment(now);
    MessageClaim { channel: "c", now, lease: LEASE, only_critical: false, digest: None, burst: 10, most: 20 }
}

async fn claim(store: &Store, claim: MessageClaim<'_>) -> Option<ClaimedMessage> {
    store.claim_message(&claim).await.unwrap()
}

fn ids(claimed: Option<&ClaimedMessage>) -> Vec<&str> {
    claimed.iter().flat_map(|claimed| &claimed.deliveries).map(|row| &*row.id).collect()
}

async fn record(store: &Store, claimed: &ClaimedMessage, outcome: MessageOutcome, now: i64) -> bool {
    let recorded = Recorded { outcome, at: Moment(now), follows: None };
    store.record_message(claimed, &recorded).await.unwrap()
}

fn sent() -> MessageOutcome {
    MessageOutcome::Sent { receipt: Some("r".into()) }
}

fn retry(at: i64, channel: bool) -> MessageOutcome {
    MessageOutcome::Retry { at: Moment(at), channel, told: "no".into() }
}

async fn one_worker_holds_a_message_until_its_lease_is_over(database: Database) {
    let store = database.open().await;
    let other = database.open().await;
    add(&store, 0, vec![delivery("a1", "c", "a", false), delivery("b1", "c", "b", false)]).await;
    add(&store, 0, vec![delivery("a1", "c", "a", false)]).await;
    let first = claim(&store, at(1)).await.unwrap();
    assert_eq!((first.message.as_str(), first.attempt), ("a1", 1));
    let second = claim(&other, at(1)).await.unwrap();
    assert_eq!(second.message, "b1");
    assert!(claim(&store, at(1)).await.is_none());
    let taken_over = claim(&other, at(1 + LEASE)).await.unwrap();
    assert_eq!((taken_over.message.as_str(), taken_over.attempt), ("a1", 2));
    assert!(!record(&store, &first, sent(), 2 + LEASE).await, "it is somebody else's by now");
    assert!(record(&other, &taken_over, sent(), 2 + LEASE).await);
    assert!(
        record(&other, &second, sent(), 2 + LEASE).await,
        "a lease that is over is good until somebody takes it"
    );
    let all = store.deliveries(&DeliveryFilter::default()).await.unwrap();
    assert!(all.iter().all(|row| row.state == DeliveryState::Sent && row.receipt.as_deref() == Some("r")));
    assert_eq!(store.last_receipt("c", "a").await.unwrap().as_deref(), Some("r"));
    assert_eq!(store.next_delivery("c", Moment(1)).await.unwrap(), None);
}

async fn a_later_one_waits_for_the_earlier_one_of_its_subject(database: Database) {
    let store = database.open().await;
    let three = ["a1", "a2", "b1"].map(|id| delivery(id, "c", &id[..1], id == "a2"));
    add(&store, 0, three.to_vec()).await;
    let first = claim(&store, at(1)).await.unwrap();
    let b = claim(&store, at(1)).await;
    assert_eq!((first.message.as_str(), ids(b.as_ref())), ("a1", vec!["b1"]));
    assert!(record(&store, &first, retry(50, false), 2).await);
    assert!(claim(&store, at(3)).await.is_none(), "a2 waits for a1");
    assert_eq!(store.next_delivery("c", Moment(3)).await.unwrap(), Some(Moment(0)));
    let again = claim(&store, at(50)).await.unwrap();
    assert_eq!((again.message.as_str(), again.attempt), ("a1", 2));
    assert!(record(&store, &again, sent(), 51).await);
    assert_eq!(ids(claim(&store, at(51)).await.as_ref()), ["a2"]);
}

async fn a_digest_is_the_same_each_time(database: Database) {
    let store = database.open().await;
    let ids_of = |ids: &[&str]| ids.iter().map(|id| delivery(id, "c", &id[..1], false)).collect();
    add(&store, 0, ids_of(&["a1", "b1", "a2"])).await;
    let digest = |now| MessageClaim { digest: Some(10), ..at(now) };
    assert!(claim(&store, digest(9)).await.is_none());
    let first = claim(&store, digest(10)).await.unwrap();
    assert_eq!(first.deliveries.iter().map(|row| &*row.id).collect::<Vec<_>>(), ["a1", "b1", "a2"]);
    assert!(first.message.starts_with("digest_"));
    assert!(record(&store, &first, retry(20, false), 11).await);
    add(&store, 12, ids_of(&["b2", "d1"])).await;
    let again = claim(&store, digest(30)).await.unwrap();
    assert_eq!((&again.message, again.deliveries.len()), (&first.message, 3));
    let next = claim(&store, digest(30)).await;
    assert_eq!(ids(next.as_ref()), ["d1"], "b2 waits for the message with b1");
    assert!(record(&store, &again, sent(), 31).await);
    assert_eq!(ids(claim(&store, digest(31)).await.as_ref()), ["b2"]);
}

async fn many_at_once_go_together(database: Database) {
    let store = database.open().await;
    let many: Vec<NewDelivery> =
        (0..25).map(|n| delivery(&format!("x{n}"), "c", &n.to_string(), false)).collect();
    add(&store, 0, many).await;
    let sizes = [claim(&store, at(1)).await, claim(&store, at(1)).await, claim(&store, at(1)).await];
    assert_eq!(sizes.map(|claimed| ids(claimed.as_ref()).len()), [20, 1, 1]);
}

async fn what_is_critical_passes_with_what_came_before_it(database: Database) {
    let store = database.open().await;
    let three = [("a1", false), ("b1", false), ("b2", true)];
    add(&store, 0, three.map(|(id, critical)| delivery(id, "c", &id[..1], critical)).to_vec()).await;
    let critical = MessageClaim { only_critical: true, ..at(1) };
    for wanted in ["b1", "b2"] {
        let claimed = claim(&store, critical).await;
        assert_eq!(ids(claimed.as_ref()), [wanted]);
        assert!(record(&store, &claimed.unwrap(), sent(), 1).await);
    }
    assert!(claim(&store, critical).await.is_none());
    assert_eq!(ids(claim(&store, at(1)).await.as_ref()), ["a1"]);
}

async fn a_channel_that_fails_rests_and_is_released_by_a_success(database: Database) {
    let store = database.open().await;
    add(&store, 0, ["a1", "b1", "d1"].map(|id| delivery(id, "c", &id[..1], false)).to_vec()).await;
    let first = claim(&store, at(1)).await.unwrap();
    let second = claim(&store, at(1)).await.unwrap();
    assert!(record(&store, &second, retry(900, false), 2).await);
    assert!(record(&store, &first, retry(500, true), 2).await);
    let health = store.channel_health("c").await.unwrap();
    assert_eq!(
        (health.failures, health.failing_since, health.retry_at),
        (1, Some(Moment(2)), Some(Moment(500)))
    );
    assert!(claim(&store, at(499)).await.is_none(), "the channel rests");
    let again = claim(&store, at(500)).await.unwrap();
    assert_eq!((again.message.as_str(), again.health.failures), ("a1", 1));
    assert!(record(&store, &again, sent(), 501).await);
    assert_eq!(store.channel_health("c").await.unwrap().failures, 0);
    assert_eq!(ids(claim(&store, at(501)).await.as_ref()), ["b1"], "what rested need not rest any longer");
    let dead = claim(&store, at(501)).await.unwrap();
    assert!(record(&store, &dead, MessageOutcome::Dead { told: "never".into() }, 502).await);
    assert!(store.revive_delivery("d1", Moment(600)).await.unwrap());
    assert_eq!(ids(claim(&store, at(600)).await.as_ref()), ["d1"]);
    assert_eq!(store.end_channel("c", "removed").await.unwrap(), 2);
    assert!(claim(&store, at(9_999)).await.is_none());
}

on_both_engines!(
    one_worker_holds_a_message_until_its_lease_is_over,
    a_later_one_waits_for_the_earlier_one_of_its_subject,
    a_digest_is_the_same_each_time,
    many_at_once_go_together,
    what_is_critical_passes_with_what_came_before_it,
    a_channel_that_fails_rests_and_is_released_by_a_success,
);
