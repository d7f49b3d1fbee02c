//! What carries jobs out: retries and dead letters, lost workers, and a clean stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use metsuke_engine::connectors::{RunStatus, State};
use metsuke_engine::jobs::{Done, Handler, JobSelect, JobStatus, NewJob, Work};
use metsuke_model::audit::EventCode;
use metsuke_model::{Clock as _, JobId, RunId};
use metsuke_store::Claim;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::on_both_engines;
use super::site::{Site, ann, supervisor};

on_both_engines!(
    a_job_that_keeps_failing_becomes_a_dead_letter_and_is_put_back,
    a_sync_whose_program_went_away_is_begun_again,
    a_stop_gives_back_what_does_not_end,
    two_asks_are_one_run,
    a_running_sync_is_ended_when_somebody_asks,
    a_connector_removed_in_the_middle_of_its_sync_stays_removed,
    a_failed_reading_is_tried_again_with_patience,
);

/// Fails for as long as it is told to.
struct Stubborn {
    fails: AtomicU32,
    tried: AtomicU32,
}

impl Handler for Stubborn {
    fn kind(&self) -> &'static str {
        "stubborn"
    }

    fn carry_out<'a>(&'a self, _: &'a Work) -> BoxFuture<'a, Done> {
        Box::pin(async {
            self.tried.fetch_add(1, Ordering::SeqCst);
            if self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
            {
                return Done::Retry { after: Duration::from_mins(1), why: "not today".to_owned() };
            }
            Done::Finished(Some(json!("well")))
        })
    }
}

async fn a_job_that_keeps_failing_becomes_a_dead_letter_and_is_put_back(site: Site) {
    let id = site.synced("core").await.id;
    let store = site.installation.estate(id).await.unwrap();
    let now = site.clock.now();
    let job = JobId::new(now, site.installation.chance().unwrap());
    let new =
        NewJob { id: job, kind: "stubborn", dedup: None, document: json!({}), run_at: now, created_at: now };
    store.insert_job(&new).await.unwrap();
    let stubborn = Arc::new(Stubborn { fails: AtomicU32::new(8), tried: AtomicU32::new(0) });
    let supervisor = site.supervisor().with(Arc::clone(&stubborn) as Arc<dyn Handler>);
    for tried in 1..=8 {
        supervisor.drain(None).await.unwrap();
        assert_eq!(stubborn.tried.load(Ordering::SeqCst), tried);
        site.clock.advance(60_000_000);
    }
    let dead = JobSelect { status: Some(JobStatus::Dead), limit: 5, ..JobSelect::default() };
    let letters = store.jobs(&dead).await.unwrap();
    assert_eq!((letters.len(), letters[0].why.as_deref()), (1, Some("not today")));
    supervisor.drain(None).await.unwrap();
    assert_eq!(stubborn.tried.load(Ordering::SeqCst), 8);
    let event = store.event(site.clock.now(), EventCode::JobRetried).about("job", job);
    assert!(store.retry_job(job, site.clock.now(), event).await.unwrap());
    supervisor.drain(None).await.unwrap();
    let done = store.job(job).await.unwrap().unwrap();
    assert_eq!((done.status, done.result), (JobStatus::Finished, Some(json!("well"))));
}

async fn a_sync_whose_program_went_away_is_begun_again(site: Site) {
    let id = site.create("core").await.id;
    let lost = site.another().await;
    let store = lost.estate(id).await.unwrap();
    let lease = Duration::from_secs(30);
    let job = store.claim_job(&["sync"], "lost", lease, lost.clock()).await.unwrap().unwrap();
    let claim = Claim { job: job.id, fence: job.fence, lease };
    let now = site.clock.now();
    let run = store.begin_run(&claim, RunId::new(now, [1; 10]), now).await.unwrap();
    site.drain().await;
    assert_eq!(site.installation.connector(id).await.unwrap().state, State::Syncing, "it may be at it");
    site.clock.advance(30_000_000);
    site.drain().await;
    let connector = site.installation.connector(id).await.unwrap();
    assert_eq!(connector.state, State::Connected, "{}", connector.reason);
    let runs = site.installation.runs(id, None, 10).await.unwrap();
    let told: Vec<_> = runs.iter().map(|run| (run.status, run.cause.as_str())).collect();
    assert_eq!(told, [(RunStatus::Complete, "again"), (RunStatus::Interrupted, "created")]);
    assert_eq!(runs[1].id, run.id);
}

async fn a_stop_gives_back_what_does_not_end(site: Site) {
    let id = site.create("core").await.id;
    site.simulator.set_latency(Duration::from_secs(2));
    let (stop, supervisor) = (CancellationToken::new(), site.supervisor());
    let begun = std::time::Instant::now();
    let watch = async {
        let mut feed = site.installation.follow(id, None, 0).await.unwrap();
        feed.next().await.unwrap();
        stop.cancel();
    };
    let (ran, ()) = tokio::join!(supervisor.run(&stop), watch);
    ran.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20));
    let store = site.installation.estate(id).await.unwrap();
    let jobs = store.jobs(&JobSelect { limit: 5, ..JobSelect::default() }).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].status, jobs[0].attempt), (1, JobStatus::Waiting, 0));
    let runs = site.installation.runs(id, None, 5).await.unwrap();
    assert_eq!((runs.len(), runs[0].status), (1, RunStatus::Queued));
    site.simulator.set_latency(Duration::ZERO);
    site.drain().await;
    assert_eq!(site.installation.connector(id).await.unwrap().state, State::Connected);
    assert_eq!(site.installation.runs(id, None, 5).await.unwrap().len(), 1);
}

async fn two_asks_are_one_run(site: Site) {
    let id = site.synced("core").await.id;
    let another = site.another().await;
    let (by, other_by) = (ann(), ann());
    let asks = tokio::join!(site.installation.sync_now(&by, id), another.sync_now(&other_by, id));
    let (one, other) = (asks.0.unwrap(), asks.1.unwrap());
    assert_eq!(one.run.id, other.run.id);
    assert!(one.new != other.new);
    let (here, there) = (site.supervisor(), supervisor(&another));
    let (one, other) = tokio::join!(here.drain(None), there.drain(None));
    one.unwrap();
    other.unwrap();
    let store = another.estate(id).await.unwrap();
    assert_eq!(store.syncs(10).await.unwrap().len(), 2);
}

async fn a_running_sync_is_ended_when_somebody_asks(site: Site) {
    let id = site.create("core").await.id;
    site.simulator.set_latency(Duration::from_millis(200));
    let run = site.installation.runs(id, None, 1).await.unwrap()[0].id;
    let ending = async {
        let mut feed = site.installation.follow(id, Some(run), 0).await.unwrap();
        feed.next().await.unwrap();
        site.installation.cancel(&ann(), id, run).await.unwrap();
    };
    tokio::join!(site.drain(), ending);
    let (told, _) = site.installation.run(id, run).await.unwrap();
    assert_eq!(told.status, RunStatus::Cancelled);
    let store = site.installation.estate(id).await.unwrap();
    assert!(store.snapshot(None).await.unwrap().is_none());
    assert!(site.installation.cancel(&ann(), id, run).await.is_err());
}

async fn a_connector_removed_in_the_middle_of_its_sync_stays_removed(site: Site) {
    let id = site.create("core").await.id;
    site.simulator.set_latency(Duration::from_millis(100));
    let removing = async {
        let mut feed = site.installation.follow(id, None, 0).await.unwrap();
        feed.next().await.unwrap();
        drop(feed);
        site.installation.delete(&ann(), id).await.unwrap();
    };
    let (_, ()) = tokio::join!(async { site.supervisor().drain(None).await }, removing);
    let trail = site.installation.trail(id).await.unwrap();
    assert!(trail.is_wiped().await.unwrap() && trail.snapshot(None).await.unwrap().is_none());
    assert!(trail.runs(None, 5).await.unwrap().is_empty());
}

async fn a_failed_reading_is_tried_again_with_patience(site: Site) {
    let mut wish = site.wish("core");
    wish.settings.api_url = "http://127.0.0.1:9".to_owned();
    let id = site.installation.create(&ann(), wish).await.unwrap().id;
    for attempt in 1..=4_usize {
        site.drain().await;
        let connector = site.installation.connector(id).await.unwrap();
        assert_eq!(connector.state, State::Failing, "{}", connector.reason);
        assert_eq!(site.installation.runs(id, None, 10).await.unwrap().len(), attempt);
        site.clock.advance(15 * 60_000_000);
    }
    site.drain().await;
    assert_eq!(
        site.installation.runs(id, None, 10).await.unwrap().len(),
        4,
        "the next one is the planned one"
    );
    assert_eq!(site.supervisor().tick().await.unwrap().len(), 1);
}
