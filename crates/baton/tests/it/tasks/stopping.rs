//! The wish to stop.

use std::time::{Duration, Instant};

use metsuke_baton::tasks::{Concurrency, Settings};
use metsuke_simulator::c1::{C1Call, C1Fault, C1Options};

use super::hand::{Hand, Play};
use super::house::{SHORT, c1, called, finished, grant, in_order, replica, settings, sync, until};

/// A second to stop in, half of it to hand back in.
fn hasty() -> Settings {
    let mut settings = settings("pod-1");
    settings.times.grace = Duration::from_secs(1);
    settings.times.hand_back = Duration::from_millis(500);
    settings
}

#[tokio::test]
async fn what_can_be_finished_in_time_is_finished() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::new(Play::Done(SHORT, 5));
    let replica = replica(&c1, &hand, hasty());
    c1.give(sync("a"));
    c1.give(grant("b"));
    until(|| hand.runs().len() == 2).await;
    replica.stop().await.unwrap();
    assert_eq!(c1.finished().iter().map(|finished| finished.code).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(c1.uploads().len(), 1);
    in_order(&c1);
}

#[tokio::test]
async fn what_takes_longer_is_stopped_and_handed_back_for_another_replica() {
    for play in [Play::Hold, Play::Stubborn] {
        let c1 = c1(C1Options::default()).await;
        let hand = Hand::new(play);
        let replica = replica(&c1, &hand, hasty());
        c1.give(sync("a"));
        c1.give(grant("b"));
        until(|| hand.runs().len() == 2).await;
        let begin = Instant::now();
        replica.stop().await.unwrap();
        assert!(begin.elapsed() < Duration::from_millis(1_500), "{:?}", begin.elapsed());
        let told: Vec<(i32, bool)> =
            c1.finished().iter().map(|finished| (finished.code, finished.non_retryable)).collect();
        assert_eq!(told, [(14, false), (14, false)]);
        assert_eq!(c1.uploads().len(), 0);
        in_order(&c1);
    }
}

#[tokio::test]
async fn a_stop_ends_in_time_even_where_c1_does_not_answer() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::new(Play::Stubborn);
    let replica = replica(&c1, &hand, hasty());
    c1.give(sync("a"));
    until(|| hand.runs().len() == 1).await;
    c1.fail(C1Call::FinishTask, &[C1Fault::Slow(Duration::from_mins(1))]);
    let begin = Instant::now();
    replica.stop().await.unwrap();
    assert!(begin.elapsed() < Duration::from_millis(1_500), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn what_waits_its_turn_is_handed_back_and_not_begun() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::new(Play::Hold);
    let mut settings = hasty();
    (settings.batches, settings.concurrency) = (true, Concurrency::new(1).unwrap());
    let replica = replica(&c1, &hand, settings);
    let ids = ["a", "b"].map(|key| c1.give(grant(key)));
    until(|| hand.runs().len() == 1).await;
    if c1.deliveries(&ids[1]) == 0 {
        // It came with the poll after the first; then there is nothing to hand back.
        replica.stop().await.unwrap();
        return;
    }
    replica.stop().await.unwrap();
    let ended: Vec<String> = c1.finished().into_iter().map(|finished| finished.task_id).collect();
    assert_eq!(ended, [ids[1].clone(), ids[0].clone()]);
    assert_eq!(hand.runs().len(), 1);
}

#[tokio::test]
async fn a_task_that_arrives_with_the_wish_to_stop_is_not_lost() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::quick(0);
    let replica = replica(&c1, &hand, hasty());
    called(&c1, C1Call::GetTask, 1).await;
    c1.fail(C1Call::GetTask, &[C1Fault::Slow(SHORT)]);
    c1.give(grant("a"));
    tokio::time::sleep(SHORT / 3).await;
    replica.stop().await.unwrap();
    let told = finished(&c1, 1).await;
    assert!(matches!(told[0].code, 0 | 14), "done, or handed back");
}

#[tokio::test]
async fn a_service_that_could_not_greet_c1_yet_stops_at_once() {
    let c1 = c1(C1Options::default()).await;
    c1.fail(C1Call::Hello, &[C1Fault::Refused(14)]);
    let mut settings = settings("pod-1");
    settings.times.first_hello = Duration::from_mins(1);
    let replica = replica(&c1, &Hand::quick(0), settings);
    called(&c1, C1Call::Hello, 1).await;
    let begin = Instant::now();
    replica.stop().await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_poll_that_hangs_does_not_keep_a_stop_waiting() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::new(Play::Stubborn);
    let replica = replica(&c1, &hand, hasty());
    c1.give(sync("a"));
    until(|| hand.runs().len() == 1).await;
    c1.fail(C1Call::GetTask, &[C1Fault::Slow(Duration::from_mins(1))]);
    tokio::time::sleep(SHORT).await;
    let begin = Instant::now();
    replica.stop().await.unwrap();
    assert!(begin.elapsed() < Duration::from_millis(1_500), "{:?}", begin.elapsed());
    assert_eq!(c1.finished()[0].code, 14, "there was time to hand the sync back");
}
