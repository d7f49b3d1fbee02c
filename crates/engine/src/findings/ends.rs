//! What ends without a rule that was evaluated: findings of rules that were turned off, and risks whose time is over.
//!
//! Nothing is read or written here.
//!
//! Invariant: a finding that was written already in this evaluation is not written a second time.

use std::collections::HashSet;

use metsuke_model::Moment;
use metsuke_model::finding::{AlertStatus, FindingEvent, FindingState};
use metsuke_store::{FindingGround, FindingRow, Happened, RuleStateRow};

use super::compare::Outcome;
use super::failing;

/// Ends the findings and the alerts of rules that are watched no more. Nobody is told: somebody turned them off.
pub(super) fn retire(outcome: &mut Outcome, ground: &FindingGround, watched: &HashSet<&str>, now: Moment) {
    let off = |rule: &str| !watched.contains(rule) && !rule.starts_with("metsuke:");
    let open = ground.findings.iter().filter(|finding| finding.state != FindingState::Resolved);
    for finding in open.filter(|finding| off(&finding.rule)) {
        let state = FindingState::Resolved;
        let row = FindingRow { state, until: None, missing: None, changed_at: now, ..finding.clone() };
        outcome.evaluated.happened.push(Happened {
            fingerprint: row.fingerprint.clone(),
            what: FindingEvent::Resolved,
            version: None,
            person: None,
            reason: Some(OFF.to_owned()),
        });
        outcome.evaluated.findings.push(row);
    }
    // Whether a rule that is off can be evaluated is nobody's business.
    let on: HashSet<String> = watched.iter().map(|rule| failing::print_of(rule)).collect();
    let failing = ground.findings.iter().filter(|finding| finding.rule == failing::UNJUDGED);
    for finding in failing
        .filter(|finding| finding.state != FindingState::Resolved && !on.contains(&finding.fingerprint))
    {
        failing::end(outcome, finding, now, OFF);
    }
    let ended = |state: &&RuleStateRow| {
        state.alert != AlertStatus::Inactive || state.document.get("edition").is_some()
    };
    let ended = ground.standing.rules.iter().filter(|state| off(&state.rule)).filter(ended);
    outcome.evaluated.rules.extend(ended.map(|state| off_row(state, now)));
}

/// What is stored of a rule that is off: nothing that is remembered of it holds any more.
fn off_row(state: &RuleStateRow, now: Moment) -> RuleStateRow {
    let mut row = state.clone();
    if let Some(members) = row.document.as_object_mut() {
        members.remove("edition");
    }
    if row.alert != AlertStatus::Inactive {
        (row.alert, row.alert_at, row.updated_at) = (AlertStatus::Inactive, now, now);
        row.ended = Some(OFF.to_owned());
    }
    row
}

/// Why the findings of a rule end that is watched no more.
const OFF: &str = "the rule is off";

/// Opens again what was accepted until now.
pub(super) fn lapse(outcome: &mut Outcome, ground: &FindingGround, written: &HashSet<String>, now: Moment) {
    let over = |finding: &&FindingRow| {
        finding.state == FindingState::Accepted && finding.until.is_some_and(|until| until <= now)
    };
    for place in 0..outcome.evaluated.findings.len() {
        let Some(row) = outcome.evaluated.findings.get_mut(place).filter(|row| over(&&**row)) else {
            continue;
        };
        (row.state, row.until) = (FindingState::Open, None);
        let fingerprint = row.fingerprint.clone();
        lapsed(outcome, fingerprint, place);
    }
    let left: Vec<&FindingRow> = ground.findings.iter().filter(over).collect();
    for finding in left {
        let again = |row: &FindingRow| row.fingerprint == finding.fingerprint;
        if written.contains(&finding.fingerprint) || outcome.evaluated.findings.iter().any(again) {
            continue;
        }
        let place = outcome.evaluated.findings.len();
        let row = FindingRow { state: FindingState::Open, until: None, changed_at: now, ..finding.clone() };
        outcome.evaluated.findings.push(row);
        lapsed(outcome, finding.fingerprint.clone(), place);
    }
}

fn lapsed(outcome: &mut Outcome, fingerprint: String, place: usize) {
    let what = FindingEvent::Lapsed;
    outcome.evaluated.happened.push(Happened {
        fingerprint,
        what,
        version: None,
        person: None,
        reason: None,
    });
    outcome.news.push((place, what));
}
