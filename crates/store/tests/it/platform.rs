//! Connectors' stores, the queue and runs: one worker at a time, and nothing left of a connector but its trail.

use std::time::Duration;

use metsuke_model::audit::{Actor, EventCode};
use metsuke_model::{Clock as _, ConnectorId, FixedClock, JobId, Moment, RunId};
use metsuke_store::{
    Ask, Claim, ConnectorStatus, Credential, Datum, Job, JobSelect, JobStatus, NewJob, NewLogLine, OpenMode,
    RunEnd, RunStatus, ScheduleRow, Settled, Store, StoreError,
};
use serde_json::json;

use crate::database::{Database, commit, report};
use crate::generated::{Generator, Reading};
use crate::tables::rows;

on_both_engines!(
    a_name_is_taken_once_and_free_again,
    each_connector_has_a_store_of_its_own,
    a_job_has_one_worker_at_a_time,
    a_worker_that_lost_its_job_writes_nothing,
    of_one_key_there_is_one_open_job,
    jobs_are_tried_again_given_up_and_put_back,
    jobs_that_were_given_up_are_counted_and_struck_and_no_others,
    whoever_asks_for_a_job_gets_the_one_that_is_open,
    a_version_brings_its_follow_ups_with_it,
    one_run_is_open_at_a_time,
    a_run_whose_worker_went_away_is_told_as_interrupted,
    two_that_serve_a_schedule_ask_once,
    what_a_connector_had_is_wiped_but_its_trail,
);

const LEASE: Duration = Duration::from_secs(30);

fn clock() -> FixedClock {
    FixedClock::at(Moment(1_795_000_000_000_000))
}

fn chance(number: u8) -> [u8; 10] {
    [number; 10]
}

fn connector(number: u8) -> ConnectorId {
    ConnectorId::new(Moment(1_795_000_000_000_000), chance(number))
}

fn new_job(number: u8, kind: &'static str, dedup: Option<&str>) -> NewJob {
    let now = clock().now();
    let id = JobId::new(now, chance(number));
    NewJob { id, kind, dedup: dedup.map(Into::into), document: json!({}), run_at: now, created_at: now }
}

fn claim(job: &Job) -> Claim {
    Claim { job: job.id, fence: job.fence, lease: LEASE }
}

fn ask(number: u8, clock: &FixedClock) -> Ask {
    let now = clock.now();
    Ask {
        run: RunId::new(now, chance(number)),
        job: JobId::new(now, chance(number)),
        kind: "sync",
        cause: "asked",
        asked_by: "ann".into(),
        now,
    }
}

fn ended(status: RunStatus) -> RunEnd {
    RunEnd { status, version: None, reason: "so it was".into(), document: json!({}) }
}

async fn take(store: &Store, clock: &FixedClock) -> Option<Job> {
    store.claim_job(&["sync", "upload"], "worker", LEASE, clock).await.unwrap()
}

async fn a_name_is_taken_once_and_free_again(database: Database) {
    let store = database.open().await;
    let now = clock().now();
    assert!(store.register_connector(connector(1), "Core", now).await.unwrap());
    assert!(!store.register_connector(connector(2), "cORE", now).await.unwrap());
    let event = store.event(now, EventCode::ConnectorRemoved);
    let gone = Some((now, &json!({ "rows": {} })));
    store.mark_connector(connector(1), ConnectorStatus::Removed, gone, Some(event)).await.unwrap();
    assert!(store.register_connector(connector(2), "core", now).await.unwrap());
    let kept = store.connectors().await.unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!((kept[0].name.as_str(), kept[0].removed_at), ("Core", Some(now)));
    let event = store.event(now, EventCode::ConnectorEdited);
    assert!(store.register_connector(connector(3), "other", now).await.unwrap());
    assert!(!store.rename_connector(connector(3), "CORE", event.clone()).await.unwrap());
    assert!(store.rename_connector(connector(3), "Other", event).await.unwrap());
}

async fn each_connector_has_a_store_of_its_own(database: Database) {
    let main = database.open().await;
    assert!(main.estate(connector(1), OpenMode::Existing).await.is_err());
    let one = main.estate(connector(1), OpenMode::Create).await.unwrap();
    let other = main.estate(connector(2), OpenMode::Create).await.unwrap();
    let mut generator = Generator::new(7);
    let Reading { estate, coverage, .. } = generator.next();
    commit(&one, &estate, &coverage, 1).await;
    assert!(one.snapshot(None).await.unwrap().is_some());
    assert!(other.snapshot(None).await.unwrap().is_none());
    assert!(main.snapshot(None).await.unwrap().is_none());
    one.close().await;
    let again = main.estate(connector(1), OpenMode::Existing).await.unwrap();
    assert!(again.snapshot(None).await.unwrap().is_some());
    #[cfg(unix)]
    if database.is_sqlite() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = again.file().unwrap();
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    }
    again.close().await;
    main.drop_estate(connector(1)).await.unwrap();
    assert!(main.estate(connector(1), OpenMode::Existing).await.is_err());
    assert!(other.snapshot(None).await.unwrap().is_none());
}

async fn a_job_has_one_worker_at_a_time(database: Database) {
    let (store, clock) = (database.open().await, clock());
    for number in 0..40 {
        store.insert_job(&new_job(number, "sync", None)).await.unwrap();
    }
    let other = database.open().await;
    let all = async |store: &Store| {
        let mut taken = Vec::new();
        while let Some(job) = take(store, &clock).await {
            taken.push(job.id);
        }
        taken
    };
    let (mut taken, others) = tokio::join!(all(&store), all(&other));
    taken.extend(others);
    taken.sort_unstable();
    let count = taken.len();
    taken.dedup();
    assert_eq!((count, taken.len()), (40, 40));
}

async fn a_worker_that_lost_its_job_writes_nothing(database: Database) {
    let (store, clock) = (database.open().await, clock());
    store.insert_job(&new_job(1, "sync", None)).await.unwrap();
    let first = take(&store, &clock).await.unwrap();
    assert_eq!(take(&store, &clock).await, None);
    clock.advance(31_000_000);
    let second = take(&store, &clock).await.unwrap();
    assert_eq!((second.id, second.attempt, second.fence), (first.id, 2, first.fence + 1));

    let mut generator = Generator::new(3);
    let Reading { estate, coverage, .. } = generator.next();
    let late = store.clone().held_by(claim(&first));
    let write =
        async |store: &Store, second| store.commit(estate.clone(), &coverage, &report(second), &clock).await;
    assert!(matches!(write(&late, 1).await, Err(StoreError::LeaseLost)));
    assert!(matches!(
        late.log_run(RunId::new(clock.now(), chance(1)), &[]).await,
        Err(StoreError::LeaseLost)
    ));
    let settled = Settled::Finished(None);
    let refused = store.settle_job(&claim(&first), &settled, clock.now()).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)));
    assert!(matches!(store.renew_job(&claim(&first), &clock).await, Err(StoreError::LeaseLost)));
    assert!(store.snapshot(None).await.unwrap().is_none());

    // The same write without the fence goes through: it is the fence that refuses it.
    assert!(write(&store, 2).await.is_ok());
    assert!(write(&store.clone().held_by(claim(&second)), 3).await.is_ok());
    store.settle_job(&claim(&second), &settled, clock.now()).await.unwrap();
    assert!(matches!(write(&store.clone().held_by(claim(&second)), 4).await, Err(StoreError::LeaseLost)));
}

async fn of_one_key_there_is_one_open_job(database: Database) {
    let (store, clock) = (database.open().await, clock());
    let mut late = new_job(1, "sync", Some("x"));
    late.run_at = Moment(late.run_at.0 + 60_000_000);
    let (id, new) = store.insert_job(&late).await.unwrap();
    assert!(new);
    assert_eq!(take(&store, &clock).await, None);
    // The second one is not there, but the first one need not wait for longer than it would.
    assert_eq!(store.insert_job(&new_job(2, "sync", Some("x"))).await.unwrap(), (id, false));
    assert!(store.insert_job(&new_job(3, "upload", Some("x"))).await.unwrap().1);
    assert!(store.insert_job(&new_job(4, "sync", Some("y"))).await.unwrap().1);
    let job = take(&store, &clock).await.unwrap();
    assert_eq!(job.id, id);
    assert_eq!(store.insert_job(&new_job(5, "sync", Some("x"))).await.unwrap(), (id, false));
    store.settle_job(&claim(&job), &Settled::Finished(Some(json!(7))), clock.now()).await.unwrap();
    assert!(store.insert_job(&new_job(6, "sync", Some("x"))).await.unwrap().1);
    assert_eq!(store.job(id).await.unwrap().unwrap().result, Some(json!(7)));
}

async fn jobs_are_tried_again_given_up_and_put_back(database: Database) {
    let (store, clock) = (database.open().await, clock());
    store.insert_job(&new_job(1, "sync", Some("x"))).await.unwrap();
    let job = take(&store, &clock).await.unwrap();
    let run_at = Moment(clock.now().0 + 5_000_000);
    let again = Settled::Again { run_at, why: "it rained".into() };
    store.settle_job(&claim(&job), &again, clock.now()).await.unwrap();
    assert_eq!(take(&store, &clock).await, None);
    assert_eq!(store.next_job(&["sync"]).await.unwrap(), Some(run_at));
    clock.advance(5_000_000);
    let job = take(&store, &clock).await.unwrap();
    assert_eq!((job.attempt, job.why.as_deref()), (2, Some("it rained")));
    store.settle_job(&claim(&job), &Settled::GivenBack, clock.now()).await.unwrap();
    let job = take(&store, &clock).await.unwrap();
    assert_eq!(job.attempt, 2);
    store.settle_job(&claim(&job), &Settled::Dead { why: "enough".into() }, clock.now()).await.unwrap();

    let select = JobSelect { status: Some(JobStatus::Dead), limit: 10, ..JobSelect::default() };
    let dead = store.jobs(&select).await.unwrap();
    assert_eq!((dead.len(), dead[0].why.as_deref()), (1, Some("enough")));
    let event = || store.event(clock.now(), EventCode::JobRetried).about("job", dead[0].id);
    assert!(store.retry_job(dead[0].id, clock.now(), event()).await.unwrap());
    assert!(!store.retry_job(dead[0].id, clock.now(), event()).await.unwrap());
    assert_eq!(take(&store, &clock).await.unwrap().attempt, 1);
    assert!(store.jobs(&select).await.unwrap().is_empty());
}

async fn jobs_that_were_given_up_are_counted_and_struck_and_no_others(database: Database) {
    let (store, clock) = (database.open().await, clock());
    store.insert_job(&new_job(1, "sync", Some("x"))).await.unwrap();
    let job = take(&store, &clock).await.unwrap();
    let event = || store.event(clock.now(), EventCode::JobDropped).about("job", job.id);
    assert!(!store.drop_job(job.id, event()).await.unwrap());
    store.settle_job(&claim(&job), &Settled::Dead { why: "enough".into() }, clock.now()).await.unwrap();
    store.insert_job(&new_job(2, "sync", Some("x"))).await.unwrap();
    store.insert_job(&new_job(3, "sync", Some("y"))).await.unwrap();
    let counted: Vec<_> = store.count_jobs().await.unwrap().into_iter().collect();
    assert_eq!(counted, [(JobStatus::Waiting, 2), (JobStatus::Dead, 1)]);
    let retried = store.event(clock.now(), EventCode::JobRetried).about("job", job.id);
    assert!(!store.retry_job(job.id, clock.now(), retried).await.unwrap(), "an open one has its key");
    assert!(store.drop_job(job.id, event()).await.unwrap());
    assert!(!store.drop_job(job.id, event()).await.unwrap());
    assert_eq!(store.job(job.id).await.unwrap(), None);
}

async fn whoever_asks_for_a_job_gets_the_one_that_is_open(database: Database) {
    let (store, clock) = (database.open().await, clock());
    let event = |job| store.event(clock.now(), EventCode::ConnectorUploadAsked).about("job", job);
    let follow = NewJob { run_at: Moment(clock.now().0 + 9), ..new_job(1, "sync", Some("7")) };
    store.insert_job(&follow).await.unwrap();
    let asked = |number| new_job(number, "sync", Some("asked"));
    let ask = async |number, or| store.ask_job(&asked(number), or, event(asked(number).id)).await.unwrap();
    assert_eq!(ask(2, Some("7")).await, (follow.id, false));
    assert_eq!(take(&store, &clock).await.unwrap().id, follow.id, "it need not wait any longer");
    assert_eq!(ask(3, Some("8")).await, (asked(3).id, true));
    assert_eq!(ask(4, None).await, (asked(3).id, false));
}

async fn a_version_brings_its_follow_ups_with_it(database: Database) {
    let (store, clock) = (database.open().await, clock());
    let store = store.followed_by(&["evaluate", "upload"]);
    let mut generator = Generator::new(5);
    let Reading { estate, coverage, .. } = generator.next();
    store.commit(estate, &coverage, &report(1), &clock).await.unwrap();
    store.record_failure(&report(2)).await.unwrap();
    let jobs = store.jobs(&JobSelect { limit: 10, ..JobSelect::default() }).await.unwrap();
    let mut told: Vec<_> = jobs.iter().map(|job| (job.kind.as_str(), job.document.clone())).collect();
    told.sort_by_key(|(kind, _)| *kind);
    assert_eq!(told, [("evaluate", json!({ "version": 1 })), ("upload", json!({ "version": 1 }))]);
}

async fn one_run_is_open_at_a_time(database: Database) {
    let (store, clock) = (database.open().await, clock());
    let first = store.ask_run(&ask(1, &clock), None).await.unwrap();
    assert!(first.new);
    let second = store.ask_run(&ask(2, &clock), None).await.unwrap();
    assert_eq!((second.new, second.run.id), (false, first.run.id));
    let job = take(&store, &clock).await.unwrap();
    let begun = store.begin_run(&claim(&job), RunId::new(clock.now(), chance(9)), clock.now()).await.unwrap();
    assert_eq!((begun.id, begun.status), (first.run.id, RunStatus::Running));
    assert!(!store.ask_run(&ask(3, &clock), None).await.unwrap().new);
    let lines = [NewLogLine { at: clock.now(), level: "info", text: "a line".into() }];
    store.log_run(begun.id, &lines).await.unwrap();
    let settled = Settled::Finished(None);
    let end = ended(RunStatus::Complete);
    store.end_run(&claim(&job), begun.id, &end, &lines, &settled, clock.now()).await.unwrap();
    assert_eq!(
        store.run_log(metsuke_store::LogSelect { limit: 9, ..Default::default() }).await.unwrap().len(),
        2
    );
    assert!(store.ask_run(&ask(4, &clock), None).await.unwrap().new);
    let (open, last) = store.run_state().await.unwrap();
    assert_eq!(open.unwrap().status, RunStatus::Queued);
    assert_eq!(last.unwrap().id, first.run.id);
    let event = store.event(clock.now(), EventCode::ConnectorSyncCancelled);
    let open = RunId::new(clock.now(), chance(4));
    let cancelled = store.cancel_run(open, "sync", clock.now(), event).await.unwrap().unwrap();
    assert_eq!(cancelled.status, RunStatus::Cancelled);
    assert_eq!(take(&store, &clock).await, None);
}

async fn a_run_whose_worker_went_away_is_told_as_interrupted(database: Database) {
    let (store, clock) = (database.open().await, clock());
    let asked = store.ask_run(&ask(1, &clock), None).await.unwrap().run;
    let fresh = |number| RunId::new(Moment(1_795_000_100_000_000), chance(number));
    let lost = take(&store, &clock).await.unwrap();
    store.begin_run(&claim(&lost), fresh(1), clock.now()).await.unwrap();
    clock.advance(31_000_000);
    let taken = take(&store, &clock).await.unwrap();
    let begun = store.begin_run(&claim(&taken), fresh(2), clock.now()).await.unwrap();
    assert_eq!((begun.id, begun.cause.as_str(), begun.asked_by.as_str()), (fresh(2), "again", "ann"));
    let told = store.find_run(asked.id).await.unwrap().unwrap();
    assert_eq!(told.status, RunStatus::Interrupted);
    let refused = store.begin_run(&claim(&lost), fresh(3), clock.now()).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)));
    let end = ended(RunStatus::Failed);
    let refused =
        store.end_run(&claim(&lost), asked.id, &end, &[], &Settled::Finished(None), clock.now()).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)));
    let again = Settled::Again { run_at: clock.now(), why: "no answer".into() };
    store.end_run(&claim(&taken), begun.id, &end, &[], &again, clock.now()).await.unwrap();
    let retried = take(&store, &clock).await.unwrap();
    let begun = store.begin_run(&claim(&retried), fresh(4), clock.now()).await.unwrap();
    assert_eq!(begun.cause, "retry");
}

async fn two_that_serve_a_schedule_ask_once(database: Database) {
    let (store, clock) = (database.open().await, clock());
    let planned = ScheduleRow { next_at: Some(clock.now()), slot: None };
    assert!(store.replan(ScheduleRow::default(), planned).await.unwrap());
    let next = ScheduleRow { next_at: Some(Moment(clock.now().0 + 1)), slot: Some(clock.now()) };
    let (first, second) = (ask(1, &clock), ask(2, &clock));
    let (one, other) = tokio::join!(
        store.ask_planned_run(&first, planned, next),
        store.ask_planned_run(&second, planned, next)
    );
    let asked = [one.unwrap(), other.unwrap()];
    assert_eq!(asked.iter().flatten().count(), 1);
    assert_eq!(store.schedule().await.unwrap(), next);
    assert_eq!(store.runs(None, 10).await.unwrap().len(), 1);
}

async fn what_a_connector_had_is_wiped_but_its_trail(database: Database) {
    let (main, clock) = (database.open().await, clock());
    let store = main.estate(connector(1), OpenMode::Create).await.unwrap();
    let store = store.followed_by(&["evaluate"]).acting_as(Actor::operator("ann"));
    let event = store.event(clock.now(), EventCode::ConnectorCreated);
    let credential = Credential { sealed: b"sealed-canary".to_vec(), set_at: clock.now(), account: None };
    let settings = json!({ "description": "settings-canary" });
    store.set_up(&settings, &credential, ScheduleRow::default(), event).await.unwrap();
    store.ask_run(&ask(1, &clock), None).await.unwrap();
    let mut generator = Generator::new(11);
    for second in 1..4 {
        let Reading { estate, coverage, .. } = generator.next();
        commit(&store, &estate, &coverage, second).await;
    }
    let events = rows(&store, "SELECT COUNT(*) FROM audit_event").await;
    let event = store.event(clock.now(), EventCode::ConnectorRemoved).about("connector", connector(1));
    let wiped = store.wipe(clock.now(), event.clone()).await.unwrap();
    assert_eq!((wiped.versions, wiped.last_version), (3, Some(3)));
    assert_eq!(wiped.fingerprint.len(), 64);
    assert_eq!(wiped.rows.get("sync"), Some(&3));
    assert_eq!(wiped.rows.get("connector_credential"), Some(&1));
    assert_eq!(wiped.rows.get("run"), Some(&1));
    assert!(wiped.rows["job"] >= 2 && wiped.rows["person"] > 0);
    assert_eq!(store.wipe(clock.now(), event).await.unwrap(), wiped, "once only");

    assert!(store.is_wiped().await.unwrap());
    assert_eq!(store.settings().await.unwrap(), None);
    assert_eq!(store.credential().await.unwrap(), None);
    for table in wiped.rows.keys() {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(rows(&store, &sql).await, [[Datum::Int(0)]], "{table}");
    }
    let Datum::Int(before) = events[0][0] else { panic!("a count") };
    let after = rows(&store, "SELECT COUNT(*) FROM audit_event").await;
    assert_eq!(after, [[Datum::Int(before + 1)]]);
    if let Some(file) = store.file() {
        store.close().await;
        let bytes = std::fs::read(file).unwrap();
        for canary in [&b"sealed-canary"[..], b"settings-canary"] {
            assert!(!bytes.windows(canary.len()).any(|piece| piece == canary));
        }
    }
}
