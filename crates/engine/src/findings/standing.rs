//! What is stored of a rule beside its findings: what came of it, and its alert.
//!
//! Nothing is read or written here.

use metsuke_model::Moment;
use metsuke_model::finding::AlertStatus;
use metsuke_store::RuleStateRow;
use serde_json::json;

use super::compare::Judged;
use crate::rules::State;

/// What came of a rule.
pub(super) fn state(
    one: &Judged<'_>,
    before: Option<&RuleStateRow>,
    (opened, standing): (bool, usize),
    (now, edition): (Moment, i64),
) -> RuleStateRow {
    let evaluation = &one.evaluation;
    let (word, why) = match &evaluation.state {
        State::Fired => ("fired", None),
        State::Clear => ("clear", None),
        State::NotObservable { why } => ("not_observable", Some(why.clone())),
        State::Unsettled { why } => ("unsettled", Some(why.clone())),
        State::Failed { why } => ("failed", Some(why.clone())),
    };
    // What could not be judged has not looked at the changes; they are looked at when it can.
    let looked = matches!(word, "fired" | "clear" | "not_observable") || before.is_none();
    let version =
        if looked { evaluation.version } else { before.map_or(evaluation.version, |was| was.version) };
    let was = before.map_or(AlertStatus::Inactive, |before| before.alert);
    let active = standing > 0 || word == "fired";
    let alert = match (active, was) {
        (true, AlertStatus::Dismissed) if !opened => AlertStatus::Dismissed,
        (true, _) => AlertStatus::Active,
        (false, _) => AlertStatus::Inactive,
    };
    let kept = before.filter(|before| before.alert == alert);
    RuleStateRow {
        rule: one.rule.key().to_owned(),
        name: one.rule.name().to_owned(),
        revision: one.rule.revision(),
        version,
        state: word.to_owned(),
        why,
        level: evaluation.level.map(|level| level.as_str().to_owned()),
        alert,
        alert_at: kept.map_or(now, |before| before.alert_at),
        updated_at: before.map_or(now, |before| before.updated_at),
        ended: (alert == AlertStatus::Inactive && was != alert)
            .then(|| "it finds nothing any more".to_owned())
            .or_else(|| kept.and_then(|before| before.ended.clone())),
        document: json!({ "outputs": evaluation.outputs, "notes": evaluation.notes, "findings": standing, "edition": edition }),
    }
}

/// Whether two differ in nothing but the edition that they were written with.
pub(super) fn same_but_edition(was: &RuleStateRow, is: &RuleStateRow) -> bool {
    let mut document = is.document.clone();
    if let (Some(edition), Some(members)) = (was.document.get("edition"), document.as_object_mut()) {
        members.insert("edition".to_owned(), edition.clone());
    }
    RuleStateRow { document, ..is.clone() } == *was
}

/// Whether two differ in nothing but the version and that edition.
pub(super) fn same_but_version(was: &RuleStateRow, is: &RuleStateRow) -> bool {
    same_but_edition(&RuleStateRow { version: is.version, ..was.clone() }, is)
}
