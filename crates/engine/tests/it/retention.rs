//! The job that removes what is not to be kept: once a day, in every store, and what went is told.

use std::sync::Arc;
use std::time::Duration;

use metsuke_engine::connectors::Installation;
use metsuke_engine::retention::{Keep, PRUNE, Pruner, plan_today};
use metsuke_engine::seal::SealFile;
use metsuke_engine::supervisor::Supervisor;
use metsuke_model::SystemClock;
use metsuke_store::{JobSelect, JobStatus, OpenMode, Store};

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_a_day_prunes_and_puts_the_next_days_into_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
    let main = Store::open(&url, OpenMode::Create).await.unwrap();
    let seal = SealFile::at(folder.path().join("metsuke.key"));
    let installation = Installation::open(main.clone(), seal, Arc::new(SystemClock)).await.unwrap();
    plan_today(&installation).await.unwrap();
    plan_today(&installation).await.unwrap();
    let keep = Keep { versions: Some(Duration::from_hours(24)), ..Keep::default() };
    let supervisor = Supervisor::new(installation).unwrap().with(Arc::new(Pruner { keep }));
    supervisor.drain(None).await.unwrap();
    let jobs = |status| JobSelect { status: Some(status), kind: Some(PRUNE.into()), before: None, limit: 10 };
    let finished = main.jobs(&jobs(JobStatus::Finished)).await.unwrap();
    assert_eq!(finished.len(), 1, "{finished:?}");
    let waiting = main.jobs(&jobs(JobStatus::Waiting)).await.unwrap();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert!(waiting[0].run_at > finished[0].run_at);
}
