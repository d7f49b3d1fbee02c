//! What people say of findings: seen, accepted until a date, open again; and alerts that are put aside.
//!
//! Who may say so is decided by the doors.
//!
//! Invariant: what is said is stored with its event in the audit trail; a risk is accepted for a reason and a time.

use std::fmt;

use metsuke_model::audit::EventCode;
use metsuke_model::finding::{FindingEvent, FindingState};
use metsuke_model::{Clock, JobId, Moment};
use metsuke_store::{FindingEdit, FindingRow, NewJob, RuleRow, Store};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value as Json, json};

use crate::EngineError;
use crate::jobs::EVALUATE;
use crate::rules::shipped::{self, Values};
use crate::rules::{Instance, Mistake};

/// The longest time for which a risk is accepted: a year.
const LONGEST: i64 = 366 * 86_400 * 1_000_000;

/// Why something that was said of a finding is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No finding of that number or fingerprint, or several begin so.
    Unknown,
    /// It is resolved; there is nothing to say.
    Resolved,
    /// It is open already.
    Open,
    /// No reason was given.
    NoReason,
    /// The time is over already, or further away than a year.
    Time,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such finding, or more than one begins so",
            Self::Resolved => "the finding is resolved",
            Self::Open => "the finding is open",
            Self::NoReason => "a risk is accepted for a reason",
            Self::Time => "a risk is accepted until a moment within the next year",
        })
    }
}

/// Somebody has seen a finding.
///
/// # Errors
///
/// What the database said; a refusal is the inner error.
pub async fn acknowledge(
    store: &Store,
    asked: &str,
    person: Option<&str>,
    reason: Option<&str>,
    clock: &dyn Clock,
) -> Result<Result<FindingRow, Refusal>, EngineError> {
    let edit = FindingEdit {
        state: FindingState::Acknowledged,
        what: FindingEvent::Acknowledged,
        until: None,
        reason: reason.map(ToOwned::to_owned),
        person: person.map(ToOwned::to_owned),
    };
    say(store, asked, edit, EventCode::FindingAcknowledged, clock).await
}

/// Somebody takes the risk of a finding until a moment.
///
/// # Errors
///
/// What the database said; a refusal is the inner error.
pub async fn accept(
    store: &Store,
    asked: &str,
    person: Option<&str>,
    (until, reason): (Moment, &str),
    clock: &dyn Clock,
) -> Result<Result<FindingRow, Refusal>, EngineError> {
    let now = clock.now();
    if reason.trim().is_empty() {
        return Ok(Err(Refusal::NoReason));
    }
    if until <= now || until.0 - now.0 > LONGEST {
        return Ok(Err(Refusal::Time));
    }
    let edit = FindingEdit {
        state: FindingState::Accepted,
        what: FindingEvent::Accepted,
        until: Some(until),
        reason: Some(reason.trim().to_owned()),
        person: person.map(ToOwned::to_owned),
    };
    let said = say(store, asked, edit, EventCode::FindingAccepted, clock).await?;
    if let Ok(row) = &said {
        // Where jobs are carried out, it lapses on time; elsewhere with the next evaluation.
        let mut chance = [0; 10];
        SystemRandom::new().fill(&mut chance).map_err(|_| EngineError::NoChance)?;
        let job = NewJob {
            id: JobId::new(now, chance),
            kind: EVALUATE,
            dedup: Some(format!("lapse {}", row.fingerprint)),
            document: json!({}),
            run_at: until,
            created_at: now,
        };
        store.insert_job(&job).await?;
    }
    Ok(said)
}

/// Takes back what was said of a finding.
///
/// # Errors
///
/// What the database said; a refusal is the inner error.
pub async fn reopen(
    store: &Store,
    asked: &str,
    person: Option<&str>,
    reason: Option<&str>,
    clock: &dyn Clock,
) -> Result<Result<FindingRow, Refusal>, EngineError> {
    let edit = FindingEdit {
        state: FindingState::Open,
        what: FindingEvent::Returned,
        until: None,
        reason: reason.map(ToOwned::to_owned),
        person: person.map(ToOwned::to_owned),
    };
    say(store, asked, edit, EventCode::FindingReopened, clock).await
}

/// Puts a rule's alert aside until the rule finds something new; `false` where it is not active.
///
/// # Errors
///
/// What the database said.
pub async fn dismiss(store: &Store, rule: &str, clock: &dyn Clock) -> Result<bool, EngineError> {
    let now = clock.now();
    let event = store.event(now, EventCode::AlertDismissed).about("rule", rule);
    Ok(store.dismiss_alert(rule, now, event).await?)
}

/// Turns a shipped rule on or off, with values of its parameters, in the installation's store; `false` where no such
/// rule is shipped.
///
/// # Errors
///
/// What the database said.
pub async fn turn(
    main: &Store,
    rule: &str,
    enabled: bool,
    values: &Values,
    clock: &dyn Clock,
) -> Result<bool, EngineError> {
    let Some(detection) = shipped::find(rule) else { return Ok(false) };
    let row = RuleRow {
        id: detection.id.to_string(),
        kind: "shipped".into(),
        enabled,
        revision: 1,
        updated_at: clock.now(),
        document: json!(values),
    };
    let event = main.event(row.updated_at, EventCode::RuleSaved).about("rule", &row.id);
    main.put_rule(&row, event.detail("enabled", enabled)).await?;
    Ok(true)
}

/// Keeps a rule of somebody's own in the installation's store, by its id.
///
/// # Errors
///
/// What the database said; mistakes in the rule are the inner error.
pub async fn keep_rule(
    main: &Store,
    document: &Json,
    enabled: bool,
    clock: &dyn Clock,
) -> Result<Result<Instance, Vec<Mistake>>, EngineError> {
    let rule = match Instance::read(document) {
        Ok(rule) => rule,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let row = RuleRow {
        id: rule.key().to_owned(),
        kind: "own".into(),
        enabled,
        revision: 1,
        updated_at: clock.now(),
        document: document.clone(),
    };
    let event = main.event(row.updated_at, EventCode::RuleSaved).about("rule", &row.id);
    main.put_rule(&row, event.detail("enabled", enabled)).await?;
    Ok(Ok(rule))
}

async fn say(
    store: &Store,
    asked: &str,
    edit: FindingEdit,
    code: EventCode,
    clock: &dyn Clock,
) -> Result<Result<FindingRow, Refusal>, EngineError> {
    let Some(found) = store.finding(asked).await? else { return Ok(Err(Refusal::Unknown)) };
    let now = clock.now();
    let mut refusal = None;
    let allowed = |row: &FindingRow| {
        refusal = match row.state {
            FindingState::Resolved => Some(Refusal::Resolved),
            FindingState::Open if edit.state == FindingState::Open => Some(Refusal::Open),
            _ => None,
        };
        refusal.is_none()
    };
    let event = store
        .event(now, code)
        .about("finding", &found.fingerprint)
        .detail("rule", found.rule)
        .detail("subject", found.subject)
        .detail("until", json!(edit.until))
        .detail("reason", json!(edit.reason))
        .detail("person", json!(edit.person));
    let row = store.edit_finding(&found.fingerprint, &edit, now, allowed, event).await?;
    Ok(match (row, refusal) {
        (_, Some(refusal)) => Err(refusal),
        (Some(row), None) => Ok(row),
        (None, None) => Err(Refusal::Unknown),
    })
}
