//! Several replicas with one credential.
//!
//! What must hold: no task runs at two places at one moment, and none is finished twice. Both are looked at from outside,
//! in what the workers did and in what C1 heard; the twins of the test take a safety away and must be caught.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use metsuke_baton::tasks::Settings;
use metsuke_simulator::c1::{C1, C1Call, C1Fault, C1Options};

use super::hand::{Hand, Play, Run};
use super::house::{LONG, c1, grant, in_order, replica, settings, sync, until};

/// The tasks that ran at two places at one moment, and those that were finished twice.
fn doubled(c1: &C1, hands: &[&Arc<Hand>]) -> Vec<String> {
    let mut runs: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    for run in hands.iter().flat_map(|hand| hand.runs()) {
        runs.entry(run.key.clone()).or_default().push(run);
    }
    let mut doubled = Vec::new();
    for (key, mut runs) in runs {
        runs.sort_by_key(|run| run.began);
        if runs.windows(2).any(|pair| pair[0].ended.is_none_or(|end| end > pair[1].began)) {
            doubled.push(format!("{key} ran twice at one moment"));
        }
    }
    let mut finished: Vec<String> = c1.finished().into_iter().map(|finished| finished.task_id).collect();
    finished.sort();
    let twice = finished.windows(2).filter(|pair| pair[0] == pair[1]);
    doubled.extend(twice.map(|pair| format!("{} was finished twice", pair[0])));
    doubled
}

/// Two replicas, thirty tasks, and calls that go wrong where these are given; what was doubled.
async fn busy_day(options: C1Options, batches: bool, faults: &[C1Fault]) -> Vec<String> {
    let c1 = c1(C1Options { next_poll: Duration::ZERO, ..options }).await;
    let play = || Play::Done(Duration::from_millis(30), 2_000);
    let hands = [Hand::new(play()), Hand::new(play())];
    for number in 0..30 {
        c1.give(if number % 3 == 0 { sync(&format!("t{number}")) } else { grant(&format!("t{number}")) });
    }
    for call in
        [C1Call::GetTask, C1Call::GetTasks, C1Call::Heartbeat, C1Call::UploadAsset, C1Call::FinishTask]
    {
        c1.fail(call, faults);
    }
    let replicas = ["pod-1", "pod-2"].into_iter().zip(&hands).map(|(host, hand)| {
        let settings = Settings { batches, ..settings(host) };
        replica(&c1, hand, settings)
    });
    let replicas: Vec<_> = replicas.collect();
    let all = c1
        .until(LONG, |c1| {
            let mut ids: Vec<String> = c1.finished().into_iter().map(|finished| finished.task_id).collect();
            ids.sort();
            ids.dedup();
            ids.len() == 30
        })
        .await;
    assert!(all, "{:?}", c1.finished().len());
    for replica in replicas {
        replica.stop().await.unwrap();
    }
    in_order(&c1);
    assert!(hands.iter().all(|hand| !hand.runs().is_empty()), "both had work");
    doubled(&c1, &[&hands[0], &hands[1]])
}

#[tokio::test]
async fn two_replicas_never_run_one_task_twice() {
    // An answer that is lost takes its task along until the lease ends; every task is quicker than that.
    let options = C1Options { lease: Duration::from_millis(1_500), ..C1Options::default() };
    let faults = [C1Fault::Refused(14), C1Fault::LostAnswer, C1Fault::Cut(100), C1Fault::LostAnswer];
    for batches in [false, true] {
        let doubled = busy_day(options.clone(), batches, &faults).await;
        assert_eq!(doubled, Vec::<String>::new(), "batches: {batches}");
    }
}

#[tokio::test]
async fn the_twin_without_leases_is_caught() {
    // Without faults: an answer that is lost is never given again by such a C1.
    let doubled = busy_day(C1Options { leases: false, ..C1Options::default() }, false, &[]).await;
    assert!(!doubled.is_empty(), "without leases, tasks must be seen to run twice");
}

/// A replica that C1 hears no more, while another one is there to take its task; what was doubled.
async fn silence(failed_heartbeats: u32) -> Vec<String> {
    let options = C1Options {
        lease: Duration::from_millis(600),
        next_heartbeat: Duration::from_millis(20),
        ..C1Options::default()
    };
    let c1 = c1(options).await;
    let (silenced, other) = (Hand::new(Play::Hold), Hand::new(Play::Done(Duration::from_millis(100), 10)));
    let mut settings_of_first = settings("pod-1");
    settings_of_first.times.failed_heartbeats = failed_heartbeats;
    let first = replica(&c1, &silenced, settings_of_first);
    c1.give(sync("a"));
    until(|| silenced.runs().len() == 1).await;
    let second = replica(&c1, &other, settings("pod-2"));
    c1.deafen("pod-1", true);
    assert!(c1.until(LONG, |c1| c1.finished().len() == 1).await);
    let doubled = doubled(&c1, &[&silenced, &other]);
    c1.deafen("pod-1", false);
    first.stop().await.unwrap();
    second.stop().await.unwrap();
    assert_eq!(c1.finished().len(), 1, "the one that was silenced cannot end it as well");
    doubled
}

#[tokio::test]
async fn a_replica_that_c1_does_not_hear_stops_before_another_begins() {
    assert_eq!(silence(10).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_twin_that_bears_silence_for_ever_is_caught() {
    assert_eq!(silence(u32::MAX).await, ["a ran twice at one moment"]);
}
