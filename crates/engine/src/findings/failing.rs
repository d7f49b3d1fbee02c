//! The finding that a rule cannot be evaluated, for rules that say that somebody is to be told.
//!
//! Nothing is read or written here.
//!
//! Invariant: it stands for as long as the rule cannot be evaluated, and is told once.

use metsuke_model::finding::{FindingEvent, FindingState};
use metsuke_model::{Moment, Version};
use metsuke_store::{FindingGround, FindingRow, Happened};
use serde_json::json;

use super::compare::{Judged, Outcome};
use super::evidence::{Evidence, hash};
use super::ourselves::Ourselves;
use crate::rules::State;

/// The rule of findings about rules that cannot be evaluated.
pub const UNJUDGED: &str = "metsuke:rule-failing";

/// Opens the finding of each rule that cannot be evaluated, and ends that of each that can again.
pub(super) fn tell(
    outcome: &mut Outcome,
    judged: &[Judged<'_>],
    ground: &FindingGround,
    (version, now): (Version, Moment),
) {
    for one in judged.iter().filter(|one| one.rule.tells_of_failure()) {
        let fingerprint = print_of(one.rule.key());
        let known = ground.findings.iter().find(|finding| finding.fingerprint == fingerprint);
        let open = known.is_some_and(|known| known.state != FindingState::Resolved);
        match (&one.evaluation.state, known) {
            (State::Failed { why }, _) if !open => {
                let what = if known.is_some() { FindingEvent::Reopened } else { FindingEvent::Opened };
                write(outcome, row(one, known, why, (version, now)), what, Some(why.clone()));
            }
            (State::Failed { .. }, _) => {}
            (_, Some(known)) if open => end(outcome, known, now, "it is evaluated again"),
            _ => {}
        }
    }
}

/// What tells the finding about a rule.
pub(super) fn print_of(rule: &str) -> String {
    hash(&[UNJUDGED, rule])
}

/// Ends such a finding.
pub(super) fn end(outcome: &mut Outcome, known: &FindingRow, now: Moment, why: &str) {
    let state = FindingState::Resolved;
    let row = FindingRow { state, until: None, missing: None, changed_at: now, ..known.clone() };
    write(outcome, row, FindingEvent::Resolved, Some(why.to_owned()));
}

fn write(outcome: &mut Outcome, row: FindingRow, what: FindingEvent, reason: Option<String>) {
    let (fingerprint, version) = (row.fingerprint.clone(), Some(row.seen));
    outcome.evaluated.happened.push(Happened { fingerprint, what, version, person: None, reason });
    outcome.news.push((outcome.evaluated.findings.len(), what));
    outcome.evaluated.findings.push(row);
}

fn row(
    one: &Judged<'_>,
    known: Option<&FindingRow>,
    why: &str,
    (version, now): (Version, Moment),
) -> FindingRow {
    let evidence = Evidence {
        title: "A rule cannot be evaluated".into(),
        explanation: "What it looks for is not found while that is so; what it found before stays.".into(),
        fix: "Mend the rule, or turn it off.".into(),
        rows: vec![json!({ "rule": one.rule.key(), "name": one.rule.name(), "why": why })],
        ..Evidence::default()
    };
    Ourselves { rule: UNJUDGED, name: "rule-failing", fingerprint: print_of(one.rule.key()) }.row(
        format!("rule {}: {why}", one.rule.name()),
        &evidence,
        known,
        (version, now),
    )
}
