//! The job that syncs a connector: begins a run, reads, commits, and ends the run with its job.
//!
//! What a sync reads and commits is [`sync`](crate::sync)'s business.
//!
//! Invariant: a run that has begun ends in words, or is given back, or is told as interrupted by whoever takes the job
//! up next.

use std::time::Duration;

use futures::future::BoxFuture;
use metsuke_model::{ConnectorId, RunId, ScopeReport, SyncReport, SyncStatus, Version};
use metsuke_store::{NewLogLine, RunEnd, RunRow, RunStatus, Settled, StoreError};
use serde_json::json;
use tracing::Instrument as _;

use super::gauge::Gauge;
use super::tell::Teller;
use crate::EngineError;
use crate::connectors::stored_settings;
use crate::jobs::{Done, Handler, SYNC, Stop, Work, backoff, later};
use crate::sync::{self, SyncFailure, SyncSummary};

/// How often a sync that failed for a passing reason is tried again before the next planned one.
const RETRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_mins(1);
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// Gaps that are named in a run's log.
const NAMED_GAPS: usize = 200;

/// Syncs connectors.
#[derive(Debug)]
pub(super) struct SyncHandler;

impl Handler for SyncHandler {
    fn kind(&self) -> &'static str {
        SYNC
    }

    /// A sync is never given up: its schedule would ask for it anyway.
    fn attempts(&self) -> u32 {
        u32::MAX
    }

    fn carry_out<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Done> {
        Box::pin(carry_out(work))
    }
}

/// How a sync ended.
type Ended = Result<SyncSummary, Box<SyncFailure>>;

async fn carry_out(work: &Work) -> Done {
    let again = |error: &StoreError| Done::Retry {
        after: backoff(work.job.attempt, FIRST_WAIT, LONGEST_WAIT),
        why: error.to_string(),
    };
    let Some(id) = work.connector else {
        return Done::Dead { why: "a sync belongs to a connector".to_owned() };
    };
    let now = work.installation.now();
    let fresh = match work.installation.chance() {
        Ok(chance) => RunId::new(now, chance),
        Err(error) => return Done::Retry { after: FIRST_WAIT, why: error.to_string() },
    };
    let run = match work.store.begin_run(&work.claim, fresh, now).await {
        Ok(run) => run,
        Err(StoreError::LeaseLost) => return Done::Settled,
        Err(error) => return again(&error),
    };
    let (teller, gauge) = (Teller::new(work.installation.clock()), Gauge::new());
    teller.line("info", format!("the sync begins ({})", cause(&run.cause)));
    work.installation.wake();
    let ended = {
        let writing = teller.write(&work.installation, &work.store, run.id);
        let span = tracing::info_span!("sync", run.id = %run.id, connector.id = %id);
        let reading = read(work, id, &teller, &gauge).instrument(span);
        tokio::pin!(writing, reading);
        tokio::select! {
            ended = &mut reading => ended,
            () = &mut writing => return Done::Settled,
        }
    };
    match conclude(work, &run, ended, &teller, &gauge).await {
        Ok(()) | Err(StoreError::LeaseLost) => Done::Settled,
        Err(error) => again(&error),
    }
}

/// Reads the estate and commits it.
fn read<'a>(
    work: &'a Work,
    id: ConnectorId,
    teller: &'a Teller<'a>,
    gauge: &'a Gauge,
) -> BoxFuture<'a, Ended> {
    Box::pin(read_estate(work, id, teller, gauge))
}

async fn read_estate(work: &Work, id: ConnectorId, teller: &Teller<'_>, gauge: &Gauge) -> Ended {
    let installation = &work.installation;
    let failed = |error: EngineError| {
        let now = installation.now();
        let report = SyncReport {
            status: SyncStatus::Failed,
            started_at: now,
            finished_at: now,
            requests: 0,
            waited_ms: 0,
            error: Some(error.to_string().into()),
            scopes: Vec::new(),
        };
        Box::new(SyncFailure { error, version: None, report })
    };
    let settings = async {
        let gone = || EngineError::NoConnector { asked: id.to_string() };
        let (settings, _) = stored_settings(&work.store).await?.ok_or_else(gone)?;
        Ok((settings, installation.client(id, &work.store).await?))
    };
    let cancelled = work.cancel.run_until_cancelled(settings).await;
    let (settings, heroku) = cancelled.unwrap_or(Err(EngineError::Cancelled)).map_err(failed)?;
    let what = sync::Settings { skip: settings.skip };
    let (clock, cancel) = (installation.clock(), &work.cancel);
    let reading = Box::pin(sync::run(&heroku, &work.store, &what, clock, teller, cancel));
    let ended = tokio::select! {
        ended = reading => ended,
        never = gauge.follow(heroku.budget(), clock) => never,
    };
    gauge.note(heroku.budget(), clock);
    ended
}

/// Writes down how the run ended, with its job.
async fn conclude(
    work: &Work,
    run: &RunRow,
    ended: Ended,
    teller: &Teller<'_>,
    gauge: &Gauge,
) -> Result<(), StoreError> {
    let now = work.installation.now();
    let (mut end, settled) = match ended {
        Ok(summary) => (committed(&summary, teller), Settled::Finished(None)),
        Err(failure) => match (&failure.error, work.stopped()) {
            (_, Some(Stop::LeaseLost)) => return Err(StoreError::LeaseLost),
            (EngineError::Cancelled, Some(Stop::Program)) => {
                let text = "the program stops; the sync goes back into the queue".to_owned();
                let line = NewLogLine { at: now, level: "warn", text };
                return work.store.give_back_run(&work.claim, run.id, line, now).await;
            }
            (EngineError::Cancelled, _) => {
                let reason = "somebody ended it; the last version is untouched".to_owned();
                teller.line("warn", reason.as_str());
                let end = RunEnd {
                    status: RunStatus::Cancelled,
                    version: None,
                    reason,
                    document: told(&failure.report, None),
                };
                (end, Settled::Finished(None))
            }
            _ => failed(work, &failure, teller),
        },
    };
    if let (Some(members), Some(budget)) = (end.document.as_object_mut(), gauge.document()) {
        members.insert("budget".into(), budget);
    }
    let lines = teller.take();
    work.store.end_run(&work.claim, run.id, &end, &lines, &settled, now).await
}

fn committed(summary: &SyncSummary, teller: &Teller<'_>) -> RunEnd {
    let (report, changes) = (&summary.report, &summary.changes);
    let gaps: Vec<&ScopeReport> = report.scopes.iter().filter(|scope| scope.gap).collect();
    for gap in gaps.iter().take(NAMED_GAPS) {
        let why = gap.reason.as_deref().unwrap_or(gap.outcome.as_str());
        teller.line("warn", format!("{} could not be read: {why}", gap.scope));
    }
    let differs =
        format!("{} added, {} removed, {} changed", changes.added, changes.removed, changes.changed);
    let (status, reason) = match report.status {
        SyncStatus::Complete => {
            (RunStatus::Complete, format!("version {} was read completely: {differs}", summary.version))
        }
        SyncStatus::Quarantined => (
            RunStatus::Quarantined,
            format!("sync {} waits in quarantine: {}", summary.version, summary.quarantine.join("; ")),
        ),
        _ => (RunStatus::Partial, format!("version {} has {} gaps: {differs}", summary.version, gaps.len())),
    };
    let level = if status == RunStatus::Complete { "info" } else { "warn" };
    teller.line(level, reason.as_str());
    let mut document = told(report, Some(summary.version));
    if let Some(members) = document.as_object_mut() {
        members.insert("counts".into(), json!(summary.counts));
        members.insert("changes".into(), json!(changes));
        members.insert("quarantine".into(), json!(summary.quarantine));
    }
    RunEnd { status, version: Some(summary.version), reason, document }
}

fn failed(work: &Work, failure: &SyncFailure, teller: &Teller<'_>) -> (RunEnd, Settled) {
    let mut reason = failure.error.to_string();
    let mut cause = std::error::Error::source(&failure.error);
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    teller.line("error", reason.as_str());
    let passing = failure.error.retry_after().or(match &failure.error {
        EngineError::Store(_) => Some(Duration::ZERO),
        _ => None,
    });
    let settled = match passing {
        Some(least) if work.job.attempt <= RETRIES => {
            let wait = backoff(work.job.attempt, FIRST_WAIT, LONGEST_WAIT).max(least);
            teller.line("info", format!("it is tried again in {} s", wait.as_secs()));
            Settled::Again { run_at: later(work.installation.now(), wait), why: reason.clone() }
        }
        _ => Settled::Finished(None),
    };
    let document = told(&failure.report, failure.version);
    (RunEnd { status: RunStatus::Failed, version: failure.version, reason, document }, settled)
}

fn told(report: &SyncReport, version: Option<Version>) -> serde_json::Value {
    json!({
        "version": version.map(|version| version.0),
        "requests": report.requests,
        "waited_ms": report.waited_ms,
        "scopes": report.scopes.len(),
        "gaps": report.scopes.iter().filter(|scope| scope.gap).count(),
    })
}

/// A cause in words.
fn cause(word: &str) -> &str {
    match word {
        "created" => "the connector was added",
        "restored" => "it was restored from a backup",
        "asked" => "somebody asked for it",
        "schedule" => "it is due",
        "retry" => "the last attempt failed",
        "again" => "the last attempt was interrupted",
        other => other,
    }
}
