//! Syncs: the order, the heart, the file and its way.

use std::time::Duration;

use metsuke_baton::tasks::Failed;
use metsuke_simulator::c1::proto::tasks::task::{SyncFullTask, TaskType};
use metsuke_simulator::c1::{C1Call, C1Fault, C1Options};

use super::hand::{Hand, Play, content};
use super::house::{SHORT, c1, called, calls, finished, in_order, replica, resource, settings, sync, until};

const PART: usize = 512 << 10;

#[tokio::test]
async fn a_sync_is_uploaded_in_parts_and_finished_without_a_response() {
    let c1 = c1(C1Options::default()).await;
    let size = 2 * PART + 17;
    let (hand, temp) = (Hand::quick(size), tempfile::tempdir().unwrap());
    let mut settings = settings("pod-1");
    settings.temp_dir = Some(temp.path().to_owned());
    let replica = replica(&c1, &hand, settings);
    let id = c1.give(sync("user"));
    let finished = finished(&c1, 1).await.remove(0);
    assert_eq!((finished.task_id.as_str(), finished.code, finished.response), (id.as_str(), 0, None));
    let upload = c1.uploads().remove(0);
    assert_eq!((upload.task_id, upload.host_id.as_str()), (id, "pod-1"));
    assert_eq!(upload.parts, [PART, PART, 17]);
    assert!(upload.bytes == content(size));
    let order: Vec<C1Call> = c1.calls().iter().map(|called| called.call).collect();
    let at = |call| order.iter().position(|called| *called == call).unwrap();
    assert!(at(C1Call::Heartbeat) < at(C1Call::UploadAsset));
    assert!(at(C1Call::UploadAsset) < at(C1Call::FinishTask));
    replica.stop().await.unwrap();
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "nothing of it is left");
    in_order(&c1);
}

#[tokio::test]
async fn a_file_of_whole_parts_and_one_of_none_arrive_as_well() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::quick(PART);
    let replica = replica(&c1, &hand, settings("pod-1"));
    c1.give(sync("a"));
    finished(&c1, 1).await;
    hand.play(Play::Done(Duration::ZERO, 0));
    c1.give(sync("b"));
    finished(&c1, 2).await;
    let parts: Vec<Vec<usize>> = c1.uploads().into_iter().map(|upload| upload.parts).collect();
    assert_eq!(parts, [vec![PART], vec![]]);
    replica.stop().await.unwrap();
    in_order(&c1);
}

#[tokio::test]
async fn what_the_task_wishes_arrives_at_the_worker() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::quick(1);
    let replica = replica(&c1, &hand, settings("pod-1"));
    c1.give(TaskType::SyncFull(SyncFullTask::default()));
    finished(&c1, 1).await;
    c1.give(TaskType::SyncFull(SyncFullTask {
        skip_expand_grants: true,
        skip_entitlements_and_grants: true,
        targeted_sync_resources: vec![resource("team", "t1")],
        sync_resource_type_ids: vec!["team".to_owned()],
        skip_grants: true,
        storage_engine: "pebble".to_owned(),
        annotations: Vec::new(),
    }));
    finished(&c1, 2).await;
    replica.stop().await.unwrap();
    let orders = hand.orders.lock().unwrap().clone();
    let plain = &orders[0];
    assert!(plain.expand && !plain.resources_only && !plain.skip_grants && plain.resources.is_empty());
    let wished = &orders[1];
    assert!(!wished.expand && wished.resources_only && wished.skip_grants);
    assert_eq!(wished.resources[0].id.as_ref().unwrap().resource, "t1");
    assert_eq!(
        (wished.resource_types.as_slice(), wished.storage_engine.as_str()),
        (&["team".to_owned()][..], "pebble")
    );
}

#[tokio::test]
async fn a_connection_that_is_cut_within_an_upload_does_not_lose_it() {
    let c1 = c1(C1Options::default()).await;
    let size = 4 * PART;
    c1.fail(C1Call::UploadAsset, &[C1Fault::Cut(2 * PART), C1Fault::Refused(14)]);
    let hand = Hand::quick(size);
    let replica = replica(&c1, &hand, settings("pod-1"));
    c1.give(sync("user"));
    assert_eq!(finished(&c1, 1).await[0].code, 0);
    assert!(c1.uploads()[0].bytes == content(size));
    assert_eq!((c1.uploads().len(), calls(&c1, C1Call::UploadAsset).len(), hand.runs().len()), (1, 3, 1));
    replica.stop().await.unwrap();
    in_order(&c1);
}

#[tokio::test]
async fn an_upload_is_tried_three_times() {
    let c1 = c1(C1Options::default()).await;
    c1.fail(C1Call::UploadAsset, &[C1Fault::Refused(14); 3]);
    let replica = replica(&c1, &Hand::quick(10), settings("pod-1"));
    c1.give(sync("user"));
    let finished = finished(&c1, 1).await.remove(0);
    assert_eq!(
        (finished.code, finished.message.as_str(), finished.non_retryable),
        (14, "as asked for", false)
    );
    assert_eq!(calls(&c1, C1Call::UploadAsset).len(), 3);
    replica.stop().await.unwrap();
}

#[tokio::test]
async fn an_upload_whose_token_was_forgotten_goes_on_with_a_new_one() {
    let c1 = c1(C1Options::default()).await;
    c1.fail(C1Call::UploadAsset, &[C1Fault::Refused(16)]);
    let replica = replica(&c1, &Hand::quick(PART + 1), settings("pod-1"));
    c1.give(sync("user"));
    assert_eq!(finished(&c1, 1).await[0].code, 0);
    assert!(c1.uploads()[0].bytes == content(PART + 1));
    assert_eq!(c1.tokens_given(), 2);
    replica.stop().await.unwrap();
}

#[tokio::test]
async fn a_sync_that_fails_uploads_nothing() {
    let c1 = c1(C1Options::default()).await;
    let mut failed = Failed::new(14, "Heroku is away");
    let hand = Hand::new(Play::Fail(failed.clone()));
    let replica = replica(&c1, &hand, settings("pod-1"));
    c1.give(sync("a"));
    let told = finished(&c1, 1).await.remove(0);
    assert_eq!((told.code, told.non_retryable), (14, false), "it may go better another time");
    failed.non_retryable = true;
    hand.play(Play::Fail(failed));
    c1.give(sync("b"));
    assert!(finished(&c1, 2).await[1].non_retryable);
    replica.stop().await.unwrap();
    assert_eq!(c1.uploads().len(), 0);
}

#[tokio::test]
async fn one_sync_runs_at_a_time_and_the_heart_of_the_next_beats_meanwhile() {
    let c1 = c1(C1Options { next_heartbeat: Duration::from_millis(20), ..C1Options::default() }).await;
    let hand = Hand::new(Play::Done(SHORT, 1));
    let ids = ["a", "b"].map(|key| c1.give(sync(key)));
    let replica = replica(&c1, &hand, settings("pod-1"));
    until(|| !hand.runs().is_empty()).await;
    called(&c1, C1Call::Heartbeat, 8).await;
    assert_eq!(hand.runs().len(), 1);
    for id in &ids {
        let beats = calls(&c1, C1Call::Heartbeat).iter().filter(|called| called.task_id == *id).count();
        assert!(beats >= 2, "{beats}");
    }
    finished(&c1, 2).await;
    assert_eq!(hand.most_at_once(), 1);
    replica.stop().await.unwrap();
    in_order(&c1);
}
