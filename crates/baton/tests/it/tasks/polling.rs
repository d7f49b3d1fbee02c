//! How tasks are asked for.

use std::time::{Duration, Instant};

use metsuke_baton::tasks::Concurrency;
use metsuke_simulator::c1::{C1Call, C1Fault, C1Options};

use super::hand::{Hand, Play};
use super::house::{SHORT, c1, called, calls, finished, grant, in_order, replica, settings};

#[tokio::test]
async fn an_idle_connector_does_not_ask_without_rest() {
    let c1 = c1(C1Options { next_poll: Duration::ZERO, ..C1Options::default() }).await;
    let mut settings = settings("pod-1");
    settings.times.idle_poll = Duration::from_millis(100);
    let replica = replica(&c1, &Hand::quick(0), settings);
    called(&c1, C1Call::GetTask, 1).await;
    let begin = Instant::now();
    tokio::time::sleep(SHORT * 2).await;
    let (polls, most) = (calls(&c1, C1Call::GetTask).len(), begin.elapsed().as_millis() / 100 + 2);
    assert!(polls as u128 <= most, "{polls} polls where {most} are the most");
    replica.stop().await.unwrap();
}

#[tokio::test]
async fn c1_is_asked_again_when_it_says_so() {
    let c1 = c1(C1Options { next_poll: Duration::from_millis(400), ..C1Options::default() }).await;
    let replica = replica(&c1, &Hand::quick(0), settings("pod-1"));
    for key in ["a", "b"] {
        c1.give(grant(key));
    }
    finished(&c1, 2).await;
    replica.stop().await.unwrap();
    let polls = calls(&c1, C1Call::GetTask);
    for pair in polls.windows(2) {
        let apart = pair[1].at - pair[0].at;
        assert!(apart >= Duration::from_millis(390), "{apart:?}, with a task and without");
    }
}

#[tokio::test]
async fn failed_polls_are_made_ever_more_seldom() {
    let c1 = c1(C1Options::default()).await;
    c1.fail(C1Call::GetTask, &[C1Fault::Refused(14); 5]);
    let mut settings = settings("pod-1");
    settings.times.failed_poll = Duration::from_millis(10);
    let replica = replica(&c1, &Hand::quick(0), settings);
    called(&c1, C1Call::GetTask, 6).await;
    replica.stop().await.unwrap();
    let polls = calls(&c1, C1Call::GetTask);
    for (number, pair) in polls.windows(2).take(5).enumerate() {
        let (apart, least) = (pair[1].at - pair[0].at, 10 * (number as u64 + 1).pow(2));
        assert!(apart >= Duration::from_millis(least), "{apart:?} after {} failures", number + 1);
    }
}

#[tokio::test]
async fn no_more_tasks_run_than_may_and_none_is_asked_for_without_a_place() {
    for batches in [false, true] {
        let c1 = c1(C1Options { next_poll: Duration::ZERO, ..C1Options::default() }).await;
        let hand = Hand::new(Play::Done(Duration::from_millis(60), 0));
        for number in 0..9 {
            c1.give(grant(&format!("e{number}")));
        }
        let mut settings = settings("pod-1");
        (settings.concurrency, settings.batches) = (Concurrency::new(3).unwrap(), batches);
        let replica = replica(&c1, &hand, settings);
        finished(&c1, 9).await;
        replica.stop().await.unwrap();
        assert_eq!(hand.most_at_once(), 3, "batches: {batches}");
        assert_eq!(hand.runs().len(), 9);
        let (single, several) = (calls(&c1, C1Call::GetTask).len(), calls(&c1, C1Call::GetTasks).len());
        assert!((single == 0) == batches && (several == 0) != batches);
        in_order(&c1);
    }
}

#[tokio::test]
async fn a_batch_brings_what_can_be_done_next() {
    let c1 = c1(C1Options { next_poll: Duration::from_secs(3), ..C1Options::default() }).await;
    let hand = Hand::quick(0);
    for number in 0..6 {
        c1.give(grant(&format!("e{number}")));
    }
    let mut settings = settings("pod-1");
    settings.batches = true;
    let begin = Instant::now();
    let replica = replica(&c1, &hand, settings);
    finished(&c1, 6).await;
    assert!(begin.elapsed() < Duration::from_secs(3), "six tasks came with one poll");
    assert_eq!(calls(&c1, C1Call::GetTasks).len(), 1);
    replica.stop().await.unwrap();
    in_order(&c1);
}

#[tokio::test]
async fn a_task_that_is_handed_out_again_while_it_runs_is_done_once() {
    // The lease ends long before the work.
    for batches in [false, true] {
        let options = C1Options { lease: Duration::from_millis(30), ..C1Options::default() };
        let c1 = c1(options).await;
        let hand = Hand::new(Play::Done(SHORT, 0));
        let id = c1.give(grant("a"));
        let mut settings = settings("pod-1");
        settings.batches = batches;
        let replica = replica(&c1, &hand, settings);
        finished(&c1, 1).await;
        replica.stop().await.unwrap();
        assert_eq!(hand.runs().len(), 1);
        assert!(batches || c1.deliveries(&id) > 1, "it was handed out again");
    }
}

#[tokio::test]
async fn connections_that_are_cut_are_made_anew() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::quick(0);
    let replica = replica(&c1, &hand, settings("pod-1"));
    for number in 0..5 {
        called(&c1, C1Call::GetTask, calls(&c1, C1Call::GetTask).len() + 1).await;
        c1.cut();
        c1.give(grant(&format!("e{number}")));
        finished(&c1, number + 1).await;
    }
    replica.stop().await.unwrap();
    assert_eq!(hand.runs().len(), 5);
    assert_eq!(c1.tokens_given(), 1, "a token outlives a connection");
}

#[tokio::test]
async fn a_call_that_hangs_ends_in_its_time_and_the_next_goes_another_way() {
    let c1 = c1(C1Options::default()).await;
    c1.fail(C1Call::GetTask, &[C1Fault::Slow(Duration::from_mins(1))]);
    let mut settings = settings("pod-1");
    settings.times.call = Duration::from_millis(200);
    let replica = replica(&c1, &Hand::quick(0), settings);
    c1.give(grant("a"));
    finished(&c1, 1).await;
    replica.stop().await.unwrap();
}
