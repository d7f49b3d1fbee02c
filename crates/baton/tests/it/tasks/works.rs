//! What becomes of each kind of task.

use std::time::Duration;

use metsuke_baton::any;
use metsuke_baton::proto::connector::{
    Grant, GrantAlreadyExists, GrantManagerServiceGrantResponse, GrantManagerServiceRevokeResponse,
    ListEventFeedsResponse, ListEventsResponse,
};
use metsuke_baton::proto::rpc;
use metsuke_baton::tasks::Failed;
use metsuke_simulator::c1::proto::connector as there;
use metsuke_simulator::c1::proto::tasks::task::{self, TaskType};
use metsuke_simulator::c1::{C1Call, C1Options, TaskState};

use super::hand::{Hand, Play};
use super::house::{LONG, c1, calls, finished, grant, in_order, replica, settings};

#[tokio::test]
async fn a_grant_is_answered_with_its_response_and_its_annotations() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::quick(0);
    let answer = GrantManagerServiceGrantResponse {
        annotations: vec![any::pack(&GrantAlreadyExists {})],
        grants: vec![Grant { id: "app:a1:view:user:u1".to_owned(), ..Grant::default() }],
    };
    *hand.granted.lock().unwrap() = answer.clone();
    let replica = replica(&c1, &hand, settings("pod-1"));
    let id = c1.give(grant("app:a1:view"));
    let finished = finished(&c1, 1).await.remove(0);
    assert_eq!((finished.task_id.as_str(), finished.code), (id.as_str(), 0));
    let response = finished.response.unwrap();
    assert_eq!(response.type_url, "type.googleapis.com/c1.connector.v2.GrantManagerServiceGrantResponse");
    assert_eq!(any::find::<GrantManagerServiceGrantResponse>(&[response]), Some(answer.clone()));
    assert_eq!(finished.annotations, answer.annotations);
    let asked = hand.grants.lock().unwrap()[0].clone();
    assert_eq!(asked.entitlement.unwrap().id, "app:a1:view");
    assert_eq!(asked.principal.unwrap().id.unwrap().resource, "u1");
    replica.stop().await.unwrap();
    assert_eq!(calls(&c1, C1Call::Heartbeat).len(), 0, "only syncs have a heartbeat");
    in_order(&c1);
}

#[tokio::test]
async fn a_refused_grant_keeps_its_code_and_details_and_is_not_tried_again() {
    let c1 = c1(C1Options::default()).await;
    let info = rpc::ErrorInfo {
        reason: "grant_cancelled".to_owned(),
        domain: "github.com/conductorone/baton-sdk".to_owned(),
        ..rpc::ErrorInfo::default()
    };
    let details = vec![any::pack(&info)];
    let status = rpc::Status { code: 7, message: "not yours to give".to_owned(), details: details.clone() };
    let hand = Hand::new(Play::Fail(status.into()));
    let replica = replica(&c1, &hand, settings("pod-1"));
    c1.give(grant("app:a1:view"));
    let finished = finished(&c1, 1).await.remove(0);
    assert_eq!((finished.code, finished.message.as_str()), (7, "not yours to give"));
    assert_eq!(finished.details, details);
    assert!(finished.non_retryable && finished.response.is_none());
    replica.stop().await.unwrap();
    in_order(&c1);
}

#[tokio::test]
async fn a_revoke_is_answered_with_its_response() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::quick(0);
    let replica = replica(&c1, &hand, settings("pod-1"));
    let revoked = there::Grant { id: "g1".to_owned(), ..there::Grant::default() };
    c1.give(TaskType::Revoke(task::RevokeTask { grant: Some(revoked), ..Default::default() }));
    let finished = finished(&c1, 1).await.remove(0);
    assert!(any::is::<GrantManagerServiceRevokeResponse>(&finished.response.unwrap()));
    assert_eq!(hand.revokes.lock().unwrap()[0].grant.as_ref().unwrap().id, "g1");
    replica.stop().await.unwrap();
    in_order(&c1);
}

#[tokio::test]
async fn feeds_and_events_are_listed() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::quick(0);
    let replica = replica(&c1, &hand, settings("pod-1"));
    c1.give(TaskType::ListEventFeeds(task::ListEventFeedsTask::default()));
    finished(&c1, 1).await;
    c1.give(TaskType::ListEvents(task::ListEventsTask {
        cursor: "here".to_owned(),
        event_feed_id: "audit-trail".to_owned(),
        page_size: 7,
        start_at: Some(prost_types::Timestamp { seconds: 5, nanos: 0 }),
        ..Default::default()
    }));
    let responses: Vec<_> =
        finished(&c1, 2).await.into_iter().map(|finished| finished.response.unwrap()).collect();
    assert!(any::is::<ListEventFeedsResponse>(&responses[0]));
    let events: ListEventsResponse = any::find(&responses).unwrap();
    assert_eq!((events.cursor.as_str(), events.has_more), ("next", true));
    let asked = hand.asked_events.lock().unwrap()[0].clone();
    assert_eq!(
        (asked.cursor.as_str(), asked.event_feed_id.as_str(), asked.page_size),
        ("here", "audit-trail", 7)
    );
    assert_eq!(asked.start_at.unwrap().seconds, 5);
    replica.stop().await.unwrap();
    in_order(&c1);
}

#[tokio::test]
async fn a_hello_task_is_another_greeting_and_nothing_else() {
    let c1 = c1(C1Options::default()).await;
    let replica = replica(&c1, &Hand::quick(0), settings("pod-1"));
    let id = c1.give(TaskType::Hello(task::HelloTask::default()));
    assert!(c1.until(LONG, |c1| c1.state(&id) == Some(TaskState::Finished)).await);
    replica.stop().await.unwrap();
    assert_eq!(
        c1.hellos().iter().map(|hello| hello.task_id.clone()).collect::<Vec<_>>(),
        [String::new(), id]
    );
    assert_eq!(calls(&c1, C1Call::FinishTask).len(), 0);
    in_order(&c1);
}

#[tokio::test]
async fn what_is_not_supported_is_finished_as_such() {
    let kinds = vec![
        TaskType::EventFeed(task::EventFeedTask::default()),
        TaskType::CreateSyncDiff(task::CreateSyncDiffTask::default()),
        TaskType::CompactSyncs(task::CompactSyncs::default()),
        TaskType::CreateAccount(task::CreateAccountTask::default()),
        TaskType::CreateResource(task::CreateResourceTask::default()),
        TaskType::DeleteResource(task::DeleteResourceTask::default()),
        TaskType::RotateCredentials(task::RotateCredentialsTask::default()),
        TaskType::IssueCredential(task::IssueCredentialTask::default()),
        TaskType::CreateTicketTask(task::CreateTicketTask::default()),
        TaskType::GetTicket(task::GetTicketTask::default()),
        TaskType::ListTicketSchemas(task::ListTicketSchemasTask::default()),
        TaskType::BulkCreateTickets(task::BulkCreateTicketsTask::default()),
        TaskType::BulkGetTickets(task::BulkGetTicketsTask::default()),
        TaskType::ActionListSchemas(task::ActionListSchemasTask::default()),
        TaskType::ActionGetSchema(task::ActionGetSchemaTask::default()),
        TaskType::ActionInvoke(task::ActionInvokeTask::default()),
        TaskType::ActionStatus(task::ActionStatusTask::default()),
    ];
    let c1 = c1(C1Options { next_poll: Duration::ZERO, ..C1Options::default() }).await;
    let count = kinds.len() + 1;
    for kind in kinds {
        c1.give(kind);
    }
    // A kind that is too new for us comes as a task without one.
    c1.give_task(metsuke_simulator::c1::proto::tasks::Task::default());
    let replica = replica(&c1, &Hand::quick(0), settings("pod-1"));
    for finished in finished(&c1, count).await {
        assert_eq!((finished.code, finished.message.as_str()), (12, "unsupported task type"));
        assert!(finished.non_retryable);
    }
    replica.stop().await.unwrap();
    in_order(&c1);
}

#[tokio::test]
async fn a_malformed_task_is_told_of_and_not_done() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::quick(0);
    c1.give(TaskType::Grant(task::GrantTask::default()));
    c1.give(TaskType::Revoke(task::RevokeTask::default()));
    let replica = replica(&c1, &hand, settings("pod-1"));
    for finished in finished(&c1, 2).await {
        assert_eq!((finished.code, finished.non_retryable), (3, true));
        assert!(finished.message.starts_with("malformed task: "), "{}", finished.message);
    }
    replica.stop().await.unwrap();
    assert_eq!(hand.runs().len(), 0);
}

#[tokio::test]
async fn a_task_that_panics_fails_and_the_next_one_is_done() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::new(Play::Panic);
    let replica = replica(&c1, &hand, settings("pod-1"));
    c1.give(grant("app:a1:view"));
    assert_eq!(finished(&c1, 1).await[0].code, 13);
    hand.play(Play::Done(Duration::ZERO, 0));
    c1.give(grant("app:a1:deploy"));
    assert_eq!(finished(&c1, 2).await[1].code, 0);
    replica.stop().await.unwrap();
}

#[tokio::test]
async fn a_failure_without_a_code_is_a_failure_nevertheless() {
    let c1 = c1(C1Options::default()).await;
    let long = "é".repeat(20_000);
    let hand = Hand::new(Play::Fail(Failed::new(0, long)));
    let replica = replica(&c1, &hand, settings("pod-1"));
    c1.give(grant("app:a1:view"));
    let finished = finished(&c1, 1).await.remove(0);
    assert_eq!(finished.code, 2);
    assert!(finished.message.len() <= 8 << 10);
    replica.stop().await.unwrap();
}
