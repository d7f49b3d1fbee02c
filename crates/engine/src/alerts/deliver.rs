//! Delivers what is due: takes up a message, sends it, records what came of it.
//!
//! Whoever calls it says when; it waits for nothing but receivers.
//!
//! Invariant: a message is recorded as taken only after its receiver said so; a crash before that sends it again, with the
//! same id. A channel that fails is tried again for as long as it is there, and shown as a finding.

use metsuke_clients::deliver::{Failed, FailedKind, Outside};
use metsuke_model::finding::{FindingEvent, FindingState};
use metsuke_model::{Clock, Moment, Version};
use metsuke_store::{
    ClaimedMessage, Evaluated, FindingRow, Happened, MessageClaim, MessageOutcome, Recorded, Store,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::send::{Sending, send};
use super::{Alert, Channel, News, route};
use crate::EngineError;
use crate::findings::{Evidence, Ourselves, hash};

/// The rule of findings about channels that fail.
pub const FAILING: &str = "metsuke:delivery-failing";
/// Times between tries, in seconds; the last one stays.
const RETRIES: [i64; 6] = [5, 5 * 60, 30 * 60, 2 * 3_600, 5 * 3_600, 10 * 3_600];
/// Tries after which a message that others pass by is given up.
const MOST_TRIES: i64 = 7;
/// Failures after which a channel is shown as failing.
const SHOWN_AFTER: i64 = 4;
/// The longest pause of a channel that has begun to fail, and of one that keeps failing, in seconds.
const PAUSES: (i64, i64) = (5 * 60, 3_600);
/// Failures after which a channel keeps failing: about two hours.
const KEEPS_FAILING: i64 = 24;
/// The longest that a receiver may ask to wait, in seconds.
const LONGEST_ASKED: u64 = 10 * 3_600;
const SECOND: i64 = 1_000_000;

/// How much is delivered in a go.
#[derive(Clone, Copy, Debug)]
pub struct DeskSettings {
    /// How long a worker holds a message, in microseconds: longer than any receiver may take.
    pub lease: i64,
    /// More than this many for one channel at once go together.
    pub burst: usize,
    /// The most that go together.
    pub most: usize,
    /// The most messages of one channel in a go.
    pub messages: usize,
}

impl Default for DeskSettings {
    fn default() -> Self {
        Self { lease: 120 * SECOND, burst: 10, most: 40, messages: 50 }
    }
}

/// What delivering takes.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'d> {
    /// The estate's store.
    pub store: &'d Store,
    /// The channels.
    pub channels: &'d [Channel],
    /// The way out.
    pub outside: &'d Outside,
    /// The connector's name.
    pub connector: Option<&'d str>,
    /// How much is delivered.
    pub settings: DeskSettings,
}

/// What a go came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Messages that were taken.
    pub sent: usize,
    /// Messages that are tried again.
    pub retried: usize,
    /// Messages that were given up.
    pub dead: usize,
    /// Messages that somebody else holds by now.
    pub lost: usize,
    /// When something is due next; none where nothing waits.
    pub next: Option<Moment>,
}

/// Delivers what is due, channel after channel, until nothing is or somebody asks to stop.
///
/// # Errors
///
/// What the database said; what was sent before is recorded.
pub async fn deliver_due(
    desk: &Desk<'_>,
    clock: &dyn Clock,
    cancel: &CancellationToken,
) -> Result<Pass, EngineError> {
    let mut pass = Pass::default();
    for channel in desk.channels.iter().filter(|channel| channel.enabled) {
        for _ in 0..desk.settings.messages {
            if cancel.is_cancelled() {
                return Ok(pass);
            }
            let Some(claimed) = claim(desk, channel, clock.now()).await? else { break };
            let span = tracing::info_span!(
                "delivery",
                message.id = %claimed.message,
                channel.id = %channel.id,
                delivery.count = claimed.deliveries.len(),
                delivery.attempt = claimed.attempt,
            );
            if !deliver(desk, channel, &claimed, clock, &mut pass).instrument(span).await? {
                break;
            }
        }
        let next = next(desk, channel, clock.now()).await?;
        pass.next = [pass.next, next].into_iter().flatten().min();
    }
    Ok(pass)
}

/// When a channel has something to do next.
async fn next(desk: &Desk<'_>, channel: &Channel, now: Moment) -> Result<Option<Moment>, EngineError> {
    let Some(due) = desk.store.next_delivery(&channel.id, now).await? else { return Ok(None) };
    let health = desk.store.channel_health(&channel.id).await?;
    let due = health.retry_at.map_or(due, |retry_at| due.max(retry_at));
    // Held for a digest or by quiet hours: a minute from now is soon enough to look again.
    Ok(Some(if due <= now { Moment(now.0 + 60 * SECOND) } else { due }))
}

async fn claim(
    desk: &Desk<'_>,
    channel: &Channel,
    now: Moment,
) -> Result<Option<ClaimedMessage>, EngineError> {
    let settings = &channel.settings;
    let quiet = settings.quiet.as_ref().is_some_and(|quiet| quiet.is_quiet(now));
    let window = (settings.digest_minutes > 0).then(|| i64::from(settings.digest_minutes) * 60 * SECOND);
    let all = MessageClaim {
        channel: &channel.id,
        now,
        lease: desk.settings.lease,
        only_critical: false,
        digest: window,
        burst: desk.settings.burst,
        most: desk.settings.most,
    };
    if settings.critical_passes && (quiet || window.is_some()) {
        let critical = MessageClaim { only_critical: true, digest: None, ..all };
        if let Some(claimed) = desk.store.claim_message(&critical).await? {
            return Ok(Some(claimed));
        }
    }
    if quiet { Ok(None) } else { Ok(desk.store.claim_message(&all).await?) }
}

/// Sends one message and records what came of it; whether the channel is worth another one now.
async fn deliver(
    desk: &Desk<'_>,
    channel: &Channel,
    claimed: &ClaimedMessage,
    clock: &dyn Clock,
    pass: &mut Pass,
) -> Result<bool, EngineError> {
    let read = |row: &metsuke_store::DeliveryRow| serde_json::from_value(row.document.clone()).ok();
    let alerts: Vec<Alert> = claimed.deliveries.iter().filter_map(read).collect();
    let subject = claimed.deliveries.first().map(|row| &*row.subject).unwrap_or_default();
    let receipt = desk.store.last_receipt(&channel.id, subject).await?;
    let again = claimed.attempt > 1;
    let sending = Sending { id: &claimed.message, alerts: &alerts, again, receipt };
    let sent = send(desk.outside, channel, &sending, clock).await;
    let now = clock.now();
    let outcome = match sent {
        Ok(receipt) => MessageOutcome::Sent { receipt },
        Err(failed) => after_failure(claimed, &failed, now),
    };
    let follows = follows(desk, channel, claimed, &outcome, now).await?;
    let recorded = Recorded { outcome, at: now, follows };
    if !desk.store.record_message(claimed, &recorded).await? {
        pass.lost += 1;
        return Ok(true);
    }
    match &recorded.outcome {
        MessageOutcome::Sent { .. } => pass.sent += 1,
        MessageOutcome::Retry { .. } => pass.retried += 1,
        MessageOutcome::Dead { .. } => pass.dead += 1,
    }
    Ok(!matches!(recorded.outcome, MessageOutcome::Retry { channel: true, .. }))
}

/// What becomes of a message that was not taken.
fn after_failure(claimed: &ClaimedMessage, failed: &Failed, now: Moment) -> MessageOutcome {
    // What the receiver says of this one message is not said of the channel.
    let of_message = matches!(failed.kind, FailedKind::Answered(400 | 409 | 411 | 413 | 414 | 415 | 422));
    let first = claimed.deliveries.iter().filter_map(|row| row.first_at).min().unwrap_or(now);
    let others_pass = claimed.health.last_sent_at.is_some_and(|last| last > first);
    if claimed.attempt >= MOST_TRIES && (of_message || others_pass) {
        return MessageOutcome::Dead { told: failed.why.clone() };
    }
    let retry = |times: i64| {
        let nth = usize::try_from(times - 1).unwrap_or(0).min(RETRIES.len() - 1);
        RETRIES.get(nth).copied().unwrap_or(5)
    };
    let asked = failed.retry_after.map_or(0, |asked| asked.as_secs().min(LONGEST_ASKED));
    let asked = i64::try_from(asked).unwrap_or(0);
    let failures = claimed.health.failures + 1;
    let most = if failures < KEEPS_FAILING { PAUSES.0 } else { PAUSES.1 };
    // The channel is tried more often than a single message: it may be the message that is wrong.
    let pause = if of_message { retry(claimed.attempt) } else { retry(failures).min(most) };
    let at = Moment(now.0 + pause.max(asked) * SECOND);
    MessageOutcome::Retry { at, channel: !of_message, told: failed.why.clone() }
}

/// The finding that a channel fails, or does so no more.
async fn follows(
    desk: &Desk<'_>,
    channel: &Channel,
    claimed: &ClaimedMessage,
    outcome: &MessageOutcome,
    now: Moment,
) -> Result<Option<Evaluated>, EngineError> {
    let fingerprint = hash(&[FAILING, &channel.id]);
    let failing = match outcome {
        MessageOutcome::Sent { .. } if claimed.health.failures > 0 => false,
        MessageOutcome::Retry { channel: true, .. } if claimed.health.failures + 1 >= SHOWN_AFTER => true,
        MessageOutcome::Dead { .. } => true,
        _ => return Ok(None),
    };
    let known = desk.store.finding(&fingerprint).await?;
    let open = known.as_ref().is_some_and(|row| row.state != FindingState::Resolved);
    if open == failing {
        return Ok(None);
    }
    let told = match outcome {
        MessageOutcome::Retry { told, .. } | MessageOutcome::Dead { told } => told.clone(),
        MessageOutcome::Sent { .. } => String::new(),
    };
    let version = desk.store.evaluated_version().await?.unwrap_or(Version(0));
    let (row, event) = match (known, failing) {
        (Some(row), false) => {
            let row = FindingRow { state: FindingState::Resolved, until: None, changed_at: now, ..row };
            (row, FindingEvent::Resolved)
        }
        (None, false) => return Ok(None),
        (known, true) => {
            let event = if known.is_some() { FindingEvent::Reopened } else { FindingEvent::Opened };
            (failing_row(fingerprint.clone(), channel, known.as_ref(), &told, (version, now)), event)
        }
    };
    let others: Vec<Channel> = desk.channels.iter().filter(|other| other.id != channel.id).cloned().collect();
    let deliveries = route::finding(&others, &News { finding: &row, event }, (version, now, desk.connector));
    let happened = Happened {
        fingerprint,
        what: event,
        version: None,
        person: None,
        reason: Some(told).filter(|told| !told.is_empty()),
    };
    Ok(Some(Evaluated { findings: vec![row], happened: vec![happened], deliveries, ..Evaluated::default() }))
}

fn failing_row(
    fingerprint: String,
    channel: &Channel,
    known: Option<&FindingRow>,
    told: &str,
    (version, now): (Version, Moment),
) -> FindingRow {
    let evidence = Evidence {
        title: "Alerts cannot be delivered to a channel".into(),
        explanation:
            "Whoever reads this channel does not learn what was found; alerts wait until it works again."
                .into(),
        fix: "Look at what it answers, correct the channel, and try it.".into(),
        command: Some(format!("metsuke channels test {}", channel.id)),
        rows: vec![json!({ "channel": channel.id, "name": channel.name, "told": told })],
        ..Evidence::default()
    };
    let subject = format!("channel {}: {told}", channel.name);
    Ourselves { rule: FAILING, name: "delivery-failing", fingerprint }.row(
        subject,
        &evidence,
        known,
        (version, now),
    )
}
