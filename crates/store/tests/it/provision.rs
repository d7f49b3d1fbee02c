//! Plans, intents and turns: what is written down holds over all workers, and what cannot be written is not done.

use std::time::Duration;

use metsuke_model::audit::EventCode;
use metsuke_model::plan::{Person, Plan, PlanStatus, PlannedCall, State, Step, StepStatus};
use metsuke_model::{Moment, ResourceRef, ResourceType};
use metsuke_store::{CapCounts, KillSwitch, ProvisioningLock, StepMark, Store, StoreError};

use crate::database::Database;

const HOUR: i64 = 3_600_000_000;

fn named(resource_type: ResourceType, id: &str) -> ResourceRef {
    ResourceRef { resource_type, id: id.into(), name: id.into() }
}

fn removal(ordinal: u32, team: &str) -> Step {
    let team = named(ResourceType::Team, team);
    Step {
        ordinal,
        resource: team.clone(),
        team: Some(team),
        person: Person { id: None, email: "ann@example.com".into() },
        expected: State::Member { role: "member".into() },
        row: None,
        wished: State::Absent,
        call: PlannedCall { method: "DELETE".into(), path: "/x".into(), body: None },
        removes: true,
        elevates: false,
    }
}

fn plan(title: &str, steps: Vec<Step>) -> Plan {
    Plan {
        title: title.into(),
        reason: None,
        actor: "ann".into(),
        asked_by: metsuke_model::approval::Party::Nobody,
        created_at: Moment(1),
        expires_at: Moment(2),
        version: 1,
        steps,
        effects: serde_json::Value::Null,
        warnings: Vec::new(),
    }
}

async fn keep(store: &Store, plan: &Plan) -> String {
    let event = store.event(Moment(1), EventCode::PlanCreated);
    store.keep_plan(plan, event).await.unwrap();
    plan.id()
}

async fn intend(
    store: &Store,
    lock: &ProvisioningLock,
    key: (&str, u32),
    now: i64,
    allowed: impl FnOnce(CapCounts) -> bool,
) -> Result<bool, StoreError> {
    let event = store.event(Moment(now), EventCode::IntentWritten);
    store.intend(lock, key, Moment(now), "core", allowed, event).await
}

async fn turn(store: &Store) -> ProvisioningLock {
    store.provisioning_lock(Duration::from_secs(5)).await.unwrap()
}

async fn a_plan_is_read_back_as_it_was_stored(database: Database) {
    let store = database.open().await;
    let first = plan("first", vec![removal(1, "core"), removal(2, "web")]);
    let id = keep(&store, &first).await;
    keep(&store, &plan("second", vec![removal(1, "core")])).await;
    let row = store.plan(&id[..8]).await.unwrap().unwrap();
    assert_eq!((row.plan.hash(), row.status), (first.hash(), PlanStatus::Planned));
    assert_eq!(row.plan, first);
    assert_eq!(row.steps.len(), 2);
    assert_eq!(store.plans(10).await.unwrap().len(), 2);
    assert_eq!(store.plan("").await.unwrap(), None, "no beginning is every beginning");
    assert!(store.keep_plan(&first, store.event(Moment(1), EventCode::PlanCreated)).await.is_err());
}

async fn an_intent_is_counted_for_an_hour_and_a_refused_one_is_not(database: Database) {
    let store = database.open().await;
    let id = keep(&store, &plan("a", vec![removal(1, "core"), removal(2, "core")])).await;
    let other = keep(&store, &plan("b", vec![removal(1, "core")])).await;
    let lock = turn(&store).await;
    assert!(intend(&store, &lock, (&id, 1), 10, |done| done == CapCounts::default()).await.unwrap());
    assert!(
        intend(&store, &lock, (&id, 2), 20, |done| done.of_team == 1 && done.removals == 1).await.unwrap()
    );
    // Two people of one team in one plan are one removal of the hour, and two of the team.
    assert!(!intend(&store, &lock, (&other, 1), 30, |done| done.of_team < 2).await.unwrap());
    let row = store.plan(&other).await.unwrap().unwrap();
    assert_eq!(row.steps[0].status, StepStatus::Planned, "what is not allowed is not written");
    let event = store.event(Moment(40), EventCode::CallRefused);
    store
        .mark_step(&lock, (&id, 2), StepStatus::Refused, Moment(40), StepMark::default(), event)
        .await
        .unwrap();
    let counts = store.cap_counts(Moment(5), "core").await.unwrap();
    assert_eq!((counts.removals, counts.of_team, counts.elevations), (1, 1, 0));
    let later = store.cap_counts(Moment(10 + HOUR), "core").await.unwrap();
    assert_eq!(later, CapCounts::default());
    let open = store.open_steps().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].plan.as_str(), open[0].step.status), (id.as_str(), StepStatus::Intent));
}

async fn a_worker_that_lost_its_turn_writes_nothing(database: Database) {
    let store = database.open().await;
    let id = keep(&store, &plan("a", vec![removal(1, "core")])).await;
    let old = turn(&store).await;
    // Somebody takes over without the lock, as after a partition.
    database.sql("UPDATE fence SET number = number + 1").await;
    let error = intend(&store, &old, (&id, 1), 10, |_| true).await.unwrap_err();
    assert!(matches!(error, StoreError::Fenced), "{error}");
    let event = store.event(Moment(1), EventCode::CallSent);
    let marked =
        store.mark_step(&old, (&id, 1), StepStatus::Sent, Moment(1), StepMark::default(), event).await;
    assert!(matches!(marked, Err(StoreError::Fenced)));
    assert!(store.open_steps().await.unwrap().is_empty());
}

async fn a_turn_is_waited_for_and_ends_with_its_holder(database: Database) {
    let store = database.open().await;
    let first = turn(&store).await;
    let second = database.open().await;
    let refused = second.provisioning_lock(Duration::from_millis(120)).await;
    assert!(matches!(refused, Err(StoreError::Busy { .. } | StoreError::Database { .. })), "{refused:?}");
    let number = first.fence();
    drop(first);
    assert!(turn(&second).await.fence() > number);
}

async fn switches_and_protected_people_are_kept_with_their_events(database: Database) {
    let store = database.open().await;
    assert!(!store.kill_switch().await.unwrap());
    assert_eq!(store.kill_switch_turned().await.unwrap(), KillSwitch::default());
    store.set_kill_switch(true, store.event(Moment(1), EventCode::KillSwitchOn)).await.unwrap();
    assert!(store.kill_switch().await.unwrap());
    let turned = store.kill_switch_turned().await.unwrap();
    assert_eq!((turned.on, turned.at), (true, Some(Moment(1))));
    assert_eq!(turned.by.as_deref(), Some(&*store.actor().name));
    store.set_kill_switch(false, store.event(Moment(2), EventCode::KillSwitchOff)).await.unwrap();
    assert!(!store.kill_switch().await.unwrap());
    let event = || store.event(Moment(3), EventCode::ProtectedPrincipalAdded);
    assert!(store.protect("Ann@Example.com", true, Moment(3), event()).await.unwrap());
    assert!(!store.protect("ann@example.COM", true, Moment(4), event()).await.unwrap());
    assert_eq!(store.protected_principals().await.unwrap(), [("ann@example.com".to_owned(), Moment(3))]);
    assert!(store.protect("ann@example.com", false, Moment(5), event()).await.unwrap());
    assert!(store.protected_principals().await.unwrap().is_empty());
    // Two turns of the switch, one protection and its end; what changed nothing has no event.
    assert_eq!(store.audit_rows_before(None, 100).await.unwrap().len(), 4);
}

on_both_engines!(
    a_plan_is_read_back_as_it_was_stored,
    an_intent_is_counted_for_an_hour_and_a_refused_one_is_not,
    a_worker_that_lost_its_turn_writes_nothing,
    a_turn_is_waited_for_and_ends_with_its_holder,
    switches_and_protected_people_are_kept_with_their_events,
);
