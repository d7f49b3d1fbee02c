//! Tasks that are taken from us: cancelled, or lost in silence.

use std::time::Duration;

use metsuke_simulator::c1::{C1Call, C1Fault, C1Options, TaskState};

use super::hand::{Hand, Play};
use super::house::{
    LONG, SHORT, c1, called, calls, finished, grant, in_order, replica, settings, sync, until,
};

fn quick_heart() -> C1Options {
    C1Options { next_heartbeat: Duration::from_millis(20), ..C1Options::default() }
}

#[tokio::test]
async fn a_cancelled_sync_stops_and_is_told_nothing_more_of() {
    let c1 = c1(quick_heart()).await;
    let hand = Hand::new(Play::Hold);
    let replica = replica(&c1, &hand, settings("pod-1"));
    let id = c1.give(sync("a"));
    until(|| hand.runs().len() == 1).await;
    c1.cancel(&id);
    assert!(c1.until(LONG, |c1| c1.state(&id) == Some(TaskState::Cancelled)).await);
    until(|| hand.runs()[0].cancelled).await;
    // The place is free again.
    hand.play(Play::Done(Duration::ZERO, 1));
    c1.give(grant("app:a1:view"));
    finished(&c1, 1).await;
    replica.stop().await.unwrap();
    assert_eq!((c1.uploads().len(), c1.finished().len()), (0, 1));
    in_order(&c1);
}

#[tokio::test]
async fn a_sync_that_is_cancelled_before_it_begins_is_not_begun() {
    let c1 = c1(quick_heart()).await;
    let hand = Hand::quick(1);
    c1.fail(C1Call::Heartbeat, &[C1Fault::Slow(SHORT)]);
    let replica = replica(&c1, &hand, settings("pod-1"));
    let id = c1.give(sync("a"));
    assert!(c1.until(LONG, |c1| matches!(c1.state(&id), Some(TaskState::Leased(_)))).await);
    c1.cancel(&id);
    assert!(c1.until(LONG, |c1| c1.state(&id) == Some(TaskState::Cancelled)).await);
    replica.stop().await.unwrap();
    assert_eq!((hand.runs().len(), c1.finished().len()), (0, 0));
}

#[tokio::test]
async fn a_sync_whose_worker_does_not_listen_is_ended_by_force_when_it_is_cancelled() {
    let c1 = c1(quick_heart()).await;
    let hand = Hand::new(Play::Stubborn);
    let mut settings = settings("pod-1");
    settings.times.hand_back = Duration::from_millis(50);
    settings.concurrency = metsuke_baton::tasks::Concurrency::new(1).unwrap();
    let replica = replica(&c1, &hand, settings);
    let id = c1.give(sync("a"));
    until(|| hand.runs().len() == 1).await;
    c1.cancel(&id);
    assert!(c1.until(LONG, |c1| c1.state(&id) == Some(TaskState::Cancelled)).await);
    hand.play(Play::Done(Duration::ZERO, 1));
    c1.give(sync("b"));
    assert_eq!(finished(&c1, 1).await[0].code, 0, "its place and its turn are free again");
    replica.stop().await.unwrap();
}

#[tokio::test]
async fn ten_heartbeats_in_a_row_that_nobody_hears_end_a_sync() {
    let c1 = c1(quick_heart()).await;
    let hand = Hand::new(Play::Hold);
    let replica = replica(&c1, &hand, settings("pod-1"));
    let id = c1.give(sync("a"));
    called(&c1, C1Call::Heartbeat, 1).await;
    let nine = [C1Fault::Refused(14); 9];
    c1.fail(C1Call::Heartbeat, &nine);
    called(&c1, C1Call::Heartbeat, 12).await;
    assert!(!hand.runs()[0].cancelled, "nine failures are borne");
    c1.fail(C1Call::Heartbeat, &[C1Fault::Refused(14); 10]);
    until(|| hand.runs()[0].cancelled).await;
    replica.stop().await.unwrap();
    let failed = calls(&c1, C1Call::Heartbeat).iter().filter(|called| called.code == 14).count();
    assert_eq!(failed, 19);
    assert_eq!((c1.uploads().len(), c1.finished().len()), (0, 0));
    assert_eq!(c1.state(&id), Some(TaskState::Leased("pod-1".to_owned())), "C1 will see that nobody has it");
}

#[tokio::test]
async fn a_first_heartbeat_that_is_not_heard_is_repeated_before_the_work() {
    let c1 = c1(quick_heart()).await;
    c1.fail(C1Call::Heartbeat, &[C1Fault::Refused(14), C1Fault::Cut(0)]);
    let hand = Hand::quick(1);
    let replica = replica(&c1, &hand, settings("pod-1"));
    c1.give(sync("a"));
    assert_eq!(finished(&c1, 1).await[0].code, 0);
    replica.stop().await.unwrap();
    let heard = c1.calls().into_iter().find(|called| called.call == C1Call::Heartbeat && called.code == 0);
    assert!(heard.unwrap().at <= hand.runs()[0].began);
}

#[tokio::test]
async fn a_task_whose_host_has_died_goes_to_another() {
    let options = C1Options { lease: Duration::from_millis(200), ..quick_heart() };
    let c1 = c1(options).await;
    let (dead, alive) = (Hand::new(Play::Hold), Hand::quick(1));
    let first = replica(&c1, &dead, settings("pod-1"));
    let id = c1.give(sync("a"));
    until(|| dead.runs().len() == 1).await;
    let second = replica(&c1, &alive, settings("pod-2"));
    tokio::time::sleep(SHORT).await;
    assert_eq!(alive.runs().len(), 0, "as long as its heart beats, it is the first one's");
    // As a killed process would: it says nothing more.
    drop(first);
    c1.deafen("pod-1", true);
    let finished = finished(&c1, 1).await.remove(0);
    assert_eq!((finished.task_id, finished.host_id.as_str()), (id.clone(), "pod-2"));
    assert_eq!(c1.deliveries(&id), 2);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_grant_that_takes_unusually_long_keeps_its_lease() {
    let c1 = c1(C1Options { lease: Duration::from_millis(200), ..quick_heart() }).await;
    let (slow, other) = (Hand::new(Play::Done(SHORT * 2, 0)), Hand::quick(0));
    let mut one = settings("pod-1");
    one.concurrency = metsuke_baton::tasks::Concurrency::new(1).unwrap();
    one.times.usual_heartbeat = Duration::from_millis(50);
    let first = replica(&c1, &slow, one);
    let id = c1.give(grant("a"));
    until(|| slow.runs().len() == 1).await;
    let second = replica(&c1, &other, settings("pod-2"));
    assert_eq!(finished(&c1, 1).await[0].host_id, "pod-1");
    assert_eq!((c1.deliveries(&id), other.runs().len()), (1, 0));
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_grant_that_c1_wants_no_more_is_stopped() {
    let c1 = c1(quick_heart()).await;
    let hand = Hand::new(Play::Hold);
    let mut settings = settings("pod-1");
    settings.times.usual_heartbeat = Duration::from_millis(20);
    let replica = replica(&c1, &hand, settings);
    let id = c1.give(grant("a"));
    until(|| hand.runs().len() == 1).await;
    c1.cancel(&id);
    until(|| hand.runs()[0].cancelled).await;
    replica.stop().await.unwrap();
    assert_eq!(c1.finished().len(), 0);
}
