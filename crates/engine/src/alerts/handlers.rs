//! The jobs of alerts: evaluating a version, and delivering what is due.
//!
//! Invariant: a version that was evaluated has a job that delivers what came of it, whatever crashes in between; what waits for
//! later has a job for later.

use std::collections::{BTreeSet, HashMap};
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
use crate::findings::{Asked, Summary, Watched, Which, evaluate_with, watched};
use crate::jobs::{Done, EVALUATE, Handler, NewJob, Stop, Work, backoff};
use crate::rules::{Limits, Memory, Period};
use crate::schedule::Polling;

/// The kind of job that delivers what is due.
pub const DELIVER: &str = "deliver";
/// How many bytes are remembered of all estates together, as far as they can be counted.
const MOST_REMEMBERED: usize = 64 * 1024 * 1024;
/// How long to wait after a first failure.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The key of the one job that delivers what is due later.
const LATER: &str = "later";

/// The member of a document that says from which moment on intervals of rules are looked at.
const DUE: &str = "due";

/// Evaluates versions; with a document without a version, what was evaluated last, for what is over by the clock alone; with
/// a moment, the rules of which a moment of their own interval has come since then.
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
            keep(&mut locked(), own.connector, memory);
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

/// Keeps what is remembered of an estate, and forgets the largest of the others while all of them are too large.
fn keep(memories: &mut HashMap<Option<ConnectorId>, Memory>, of: Option<ConnectorId>, memory: Memory) {
    memories.insert(of, memory);
    while memories.values().map(Memory::bytes).sum::<usize>() > MOST_REMEMBERED {
        let others = memories.iter().filter(|(other, _)| **other != of);
        let Some(largest) = others.max_by_key(|(_, memory)| memory.bytes()).map(|(other, _)| *other) else {
            return;
        };
        memories.remove(&largest);
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
    let due = work.job.document.get(DUE).and_then(Json::as_i64).map(Moment);
    let version = match work.version() {
        Some(version) => Some(version),
        None => work.store.evaluated_version().await?,
    };
    let Some(version) = version else { return Ok(Json::Null) };
    let rules = rules(work).await?;
    let now = work.installation.now();
    let these: BTreeSet<String> = match due {
        Some(due) => {
            rules.iter().filter(|rule| rule.is_due(due, now)).map(|rule| rule.key().into()).collect()
        }
        None => BTreeSet::new(),
    };
    plan(work, now).await?;
    if due.is_some() && these.is_empty() {
        return Ok(json!({ "version": version, "rules": 0 }));
    }
    let of = if due.is_some() { Which::These(&these) } else { Which::Following };
    let summary = summary(work, (&rules, of), version, memory).await?;
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

/// Puts the next look at the rules' own intervals into the queue. Every interval's moments are among those of the
/// shortest one, so that a rule that is set meanwhile is looked at in time.
async fn plan(work: &Work, now: Moment) -> Result<(), EngineError> {
    let Some(next) = Polling::Every(Period::FifteenMinutes.length()).next_after(now, Moment(0)) else {
        return Ok(());
    };
    let id = JobId::new(now, work.installation.chance()?);
    let (dedup, document) = (Some(format!("{DUE} {}", next.0)), json!({ DUE: next.0 }));
    let job = NewJob { id, kind: EVALUATE, dedup, document, run_at: next, created_at: now };
    work.store.insert_job(&job).await?;
    Ok(())
}

/// The rules that are watched.
async fn rules(work: &Work) -> Result<Vec<Watched>, EngineError> {
    let (rules, wrong) = watched(&work.installation.main().rules().await?);
    for (rule, mistakes) in wrong {
        let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
        tracing::warn!(rule, first, "a rule cannot be read, and is not evaluated");
    }
    Ok(rules)
}

async fn summary(
    work: &Work,
    (rules, of): (&[Watched], Which<'_>),
    version: Version,
    memory: &mut Memory,
) -> Result<Summary, EngineError> {
    let installation = &work.installation;
    let channels = open_channels(installation).await?;
    let connector = connector(work).await?;
    let settings = stored_settings(&work.store).await?;
    let account_name = settings.as_ref().and_then(|(settings, _)| settings.tag_account_name.as_deref());
    let folder = tempfile::tempdir()
        .map_err(|source| EngineError::ExportFolder { folder: std::env::temp_dir(), source })?;
    let asked = Asked {
        store: &work.store,
        rules,
        of,
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
