//! The jobs of alerts: evaluating a version, and delivering what is due.
//!
//! Invariant: a version that was evaluated has a job that delivers what came of it, whatever crashes in between; what waits for
//! later has a job for later.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use metsuke_clients::deliver::Outside;
use metsuke_model::{ConnectorId, JobId, Moment, Version};
use serde_json::{Value as Json, json};

use super::deliver::{Desk, DeskSettings, Pass, deliver_due};
use super::registry::open_channels;
use crate::EngineError;
use crate::connectors::stored_settings;
use crate::findings::{Asked, Summary, evaluate_with, watched};
use crate::jobs::{Done, EVALUATE, Handler, NewJob, Stop, Work, backoff};
use crate::rules::{Limits, Memory};

/// The kind of job that delivers what is due.
pub const DELIVER: &str = "deliver";
/// How long to wait after a first failure.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The key of the one job that delivers what is due later.
const LATER: &str = "later";

/// Evaluates versions; with a document without a version, what was evaluated last, for what is over by the clock alone.
#[derive(Debug, Default)]
pub struct Evaluator {
    /// What is remembered of each estate.
    memories: Arc<Mutex<HashMap<Option<ConnectorId>, Memory>>>,
}

impl Handler for Evaluator {
    fn kind(&self) -> &'static str {
        EVALUATE
    }

    fn carry_out<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Done> {
        // On a thread of its own: rules keep a processor busy, and their futures stay on the thread that they began on.
        let (own, runtime) = (work.clone(), tokio::runtime::Handle::current());
        let memories = Arc::clone(&self.memories);
        let evaluating = tokio::task::spawn_blocking(move || {
            let locked = || memories.lock().unwrap_or_else(PoisonError::into_inner);
            let mut memory = locked().remove(&own.connector).unwrap_or_default();
            let result = runtime.block_on(evaluated(&own, &mut memory));
            locked().insert(own.connector, memory);
            result
        });
        Box::pin(async move {
            match evaluating.await {
                Ok(Ok(result)) => Done::Finished(Some(result)),
                Ok(Err(error)) => failed(work, &error),
                Err(ended) => {
                    Done::Retry { after: FIRST_WAIT, why: format!("the evaluation broke off: {ended}") }
                }
            }
        })
    }
}

/// Delivers what is due.
#[derive(Debug)]
pub struct Courier {
    outside: Outside,
}

impl Courier {
    /// One that sends through this way out.
    #[must_use]
    pub const fn new(outside: Outside) -> Self {
        Self { outside }
    }
}

impl Handler for Courier {
    fn kind(&self) -> &'static str {
        DELIVER
    }

    /// What waits for a receiver waits for as long as it takes.
    fn attempts(&self) -> u32 {
        u32::MAX
    }

    fn carry_out<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Done> {
        Box::pin(async move {
            match delivered(work, &self.outside).await {
                Ok(done) => done,
                Err(error) => failed(work, &error),
            }
        })
    }
}

async fn evaluated(work: &Work, memory: &mut Memory) -> Result<Json, EngineError> {
    let version = match work.version() {
        Some(version) => Some(version),
        None => work.store.evaluated_version().await?,
    };
    let Some(version) = version else { return Ok(Json::Null) };
    let summary = summary(work, version, memory).await?;
    let now = work.installation.now();
    let job = job(work, Some(format!("version {version}")), now)?;
    work.store.insert_job(&job).await?;
    work.installation.wake();
    Ok(json!({
        "version": summary.version,
        "rules": summary.rules,
        "unjudged": summary.unjudged.len(),
        "opened": summary.opened,
        "resolved": summary.resolved,
        "standing": summary.standing,
        "deliveries": summary.deliveries,
    }))
}

async fn summary(work: &Work, version: Version, memory: &mut Memory) -> Result<Summary, EngineError> {
    let installation = &work.installation;
    let (rules, wrong) = watched(&installation.main().rules().await?);
    for (rule, mistakes) in wrong {
        let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
        tracing::warn!(rule, first, "a rule cannot be read, and is not evaluated");
    }
    let channels = open_channels(installation).await?;
    let connector = connector(work).await?;
    let settings = stored_settings(&work.store).await?;
    let account_name = settings.as_ref().and_then(|(settings, _)| settings.tag_account_name.as_deref());
    let folder = tempfile::tempdir()
        .map_err(|source| EngineError::ExportFolder { folder: std::env::temp_dir(), source })?;
    let asked = Asked {
        store: &work.store,
        rules: &rules,
        channels: &channels,
        connector: connector.as_deref(),
        account_name,
        limits: Limits::default(),
        folder: folder.path(),
    };
    evaluate_with(&asked, version, memory, installation.clock()).await
}

async fn delivered(work: &Work, outside: &Outside) -> Result<Done, EngineError> {
    let channels = open_channels(&work.installation).await?;
    let connector = connector(work).await?;
    let desk = Desk {
        store: &work.store,
        channels: &channels,
        outside,
        connector: connector.as_deref(),
        settings: DeskSettings::default(),
    };
    let Pass { sent, retried, dead, lost, next } =
        deliver_due(&desk, work.installation.clock(), &work.cancel).await?;
    if work.stopped() == Some(Stop::Program) {
        return Ok(Done::GivenBack);
    }
    let Some(next) = next else {
        let result = json!({ "sent": sent, "retried": retried, "dead": dead, "lost": lost });
        return Ok(Done::Finished(Some(result)));
    };
    if work.job.dedup.as_deref() == Some(LATER) {
        let after = Duration::from_micros(next.since(work.installation.now())).max(Duration::from_secs(1));
        return Ok(Done::Retry { after, why: "more is waiting".into() });
    }
    // One job for all that is due later; it is not in hand, for there is one of its kind at a time.
    work.store.insert_job(&job(work, Some(LATER.into()), next)?).await?;
    Ok(Done::Finished(Some(
        json!({ "sent": sent, "retried": retried, "dead": dead, "lost": lost, "next": next }),
    )))
}

fn job(work: &Work, dedup: Option<String>, run_at: Moment) -> Result<NewJob, EngineError> {
    let now = work.installation.now();
    let id = JobId::new(now, work.installation.chance()?);
    Ok(NewJob { id, kind: DELIVER, dedup, document: json!({}), run_at, created_at: now })
}

async fn connector(work: &Work) -> Result<Option<String>, EngineError> {
    let Some(id) = work.connector else { return Ok(None) };
    let rows = work.installation.live().await?;
    Ok(rows.into_iter().find(|row| row.id == id).map(|row| row.name))
}

fn failed(work: &Work, error: &EngineError) -> Done {
    if work.stopped() == Some(Stop::Program) {
        return Done::GivenBack;
    }
    let why = match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    Done::Retry { after: backoff(work.job.attempt, FIRST_WAIT, Duration::from_mins(10)), why }
}
