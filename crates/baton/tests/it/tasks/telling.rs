//! How C1 is told of an ending, when it does not hear.

use std::time::Duration;

use metsuke_baton::tasks::{Concurrency, Settings};
use metsuke_simulator::c1::{C1Call, C1Fault, C1Options, TaskState};

use super::hand::{Hand, Play};
use super::house::{LONG, c1, called, calls, finished, grant, in_order, replica, settings, until};

#[tokio::test]
async fn an_ending_that_is_not_heard_is_told_again() {
    let c1 = c1(C1Options::default()).await;
    c1.fail(C1Call::FinishTask, &[C1Fault::Refused(14), C1Fault::Cut(0), C1Fault::LostAnswer]);
    let hand = Hand::quick(0);
    let replica = replica(&c1, &hand, settings("pod-1"));
    c1.give(grant("a"));
    called(&c1, C1Call::FinishTask, 4).await;
    replica.stop().await.unwrap();
    assert_eq!((c1.finished().len(), hand.runs().len()), (1, 1));
    let codes: Vec<i32> = calls(&c1, C1Call::FinishTask).iter().map(|called| called.code).collect();
    assert_eq!(codes, [14, 14, 14, 0]);
    in_order(&c1);
}

#[tokio::test]
async fn a_task_whose_ending_was_never_heard_is_not_done_again_when_it_comes_back() {
    let c1 = c1(C1Options { lease: Duration::from_millis(100), ..C1Options::default() }).await;
    c1.fail(C1Call::FinishTask, &[C1Fault::Refused(14); 5]);
    let hand = Hand::quick(0);
    let replica = replica(&c1, &hand, settings("pod-1"));
    let id = c1.give(grant("a"));
    assert_eq!(finished(&c1, 1).await[0].code, 0);
    replica.stop().await.unwrap();
    assert_eq!(hand.runs().len(), 1);
    assert!(c1.deliveries(&id) >= 2);
    assert_eq!(calls(&c1, C1Call::FinishTask).len(), 6);
}

#[tokio::test]
async fn an_ending_that_c1_could_not_take_is_kept_for_when_the_task_comes_back() {
    for code in [2, 7, 13] {
        let c1 = c1(C1Options { lease: Duration::from_millis(100), ..C1Options::default() }).await;
        c1.fail(C1Call::FinishTask, &[C1Fault::Refused(code)]);
        let hand = Hand::quick(0);
        let replica = replica(&c1, &hand, settings("pod-1"));
        c1.give(grant("a"));
        assert_eq!(finished(&c1, 1).await[0].code, 0);
        replica.stop().await.unwrap();
        assert_eq!((hand.runs().len(), calls(&c1, C1Call::FinishTask).len()), (1, 2));
    }
}

#[tokio::test]
async fn an_ending_that_c1_refuses_is_not_told_again() {
    let c1 = c1(C1Options::default()).await;
    c1.fail(C1Call::FinishTask, &[C1Fault::Refused(9)]);
    let hand = Hand::quick(0);
    let replica = replica(&c1, &hand, settings("pod-1"));
    c1.give(grant("a"));
    called(&c1, C1Call::FinishTask, 1).await;
    c1.give(grant("b"));
    finished(&c1, 1).await;
    replica.stop().await.unwrap();
    assert_eq!(calls(&c1, C1Call::FinishTask).len(), 2);
}

#[tokio::test]
async fn a_host_that_lost_its_task_cannot_end_it() {
    let options = C1Options { lease: Duration::from_millis(50), ..C1Options::default() };
    let c1 = c1(options).await;
    let (slow, quick) = (Hand::new(Play::Done(Duration::from_millis(400), 0)), Hand::quick(0));
    // It does not ask while it works; else it would be given its own task again.
    let one = Settings { concurrency: Concurrency::new(1).unwrap(), ..settings("pod-1") };
    let first = replica(&c1, &slow, one);
    let id = c1.give(grant("a"));
    until(|| slow.runs().len() == 1).await;
    let second = replica(&c1, &quick, settings("pod-2"));
    assert!(c1.until(LONG, |c1| c1.state(&id) == Some(TaskState::Finished)).await);
    called(&c1, C1Call::FinishTask, 2).await;
    first.stop().await.unwrap();
    second.stop().await.unwrap();
    assert_eq!(c1.finished().len(), 1);
    assert_eq!(c1.finished()[0].host_id, "pod-2");
}
