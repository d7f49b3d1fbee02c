//! Findings, their events and states of rules as rows.
//!
//! Invariant: what is read back is what was written; a word that this version does not know is damage, or `None`.

use metsuke_model::finding::{AlertStatus, FindingEvent, FindingState};
use metsuke_model::{Moment, Version};

use super::{Document, FindingEventRow, FindingRow, Happened, RuleStateRow, WRITING};
use crate::StoreError;
use crate::connection::{Bind, Connection, Row};

fn text(value: Option<&str>) -> Bind {
    value.map_or(Bind::Text(None), Bind::from)
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: format!("a finding's {what}") }
}

pub(super) fn finding_binds(finding: &FindingRow, number: i64) -> [Bind; 18] {
    [
        Bind::from(&*finding.fingerprint),
        number.into(),
        Bind::from(&*finding.rule),
        Bind::from(&*finding.rule_name),
        Bind::from(&*finding.subject),
        finding.state.as_str().into(),
        Bind::from(&*finding.level),
        finding.opened_at.0.into(),
        finding.opened.0.into(),
        finding.changed_at.0.into(),
        finding.seen.0.into(),
        Bind::Int(finding.missing.map(|version| version.0)),
        finding.times.into(),
        Bind::Int(finding.until.map(|until| until.0)),
        text(finding.reason.as_deref()),
        text(finding.person.as_deref()),
        Bind::from(&*finding.print),
        Bind::from(finding.document.as_str()),
    ]
}

pub(super) fn finding_row(row: Row<'_>) -> Result<FindingRow, StoreError> {
    let word = |index| row.text(index).map(Option::unwrap_or_default);
    Ok(FindingRow {
        fingerprint: word(0)?,
        number: row.number(1)?,
        rule: word(2)?,
        rule_name: word(3)?,
        subject: word(4)?,
        state: FindingState::parse(&word(5)?).ok_or_else(|| damaged("state"))?,
        level: word(6)?,
        opened_at: Moment(row.number(7)?),
        opened: Version(row.number(8)?),
        changed_at: Moment(row.number(9)?),
        seen: Version(row.number(10)?),
        missing: row.int(11)?.map(Version),
        times: row.number(12)?,
        until: row.int(13)?.map(Moment),
        reason: row.text(14)?,
        person: row.text(15)?,
        print: word(16)?,
        document: Document::stored(word(17)?).ok_or_else(|| damaged("document"))?,
    })
}

pub(super) fn event_binds(happened: &Happened, ordinal: i64, at: Moment) -> [Bind; 7] {
    [
        Bind::from(&*happened.fingerprint),
        ordinal.into(),
        at.0.into(),
        Bind::Int(happened.version.map(|version| version.0)),
        happened.what.as_str().into(),
        text(happened.person.as_deref()),
        text(happened.reason.as_deref()),
    ]
}

/// Writes an event behind those that are there.
pub(super) async fn insert_event(
    connection: &mut Connection,
    happened: &Happened,
    at: Moment,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO finding_event (fingerprint, ordinal, at, version, what, person, reason)
               SELECT $1, COALESCE(MAX(ordinal), 0) + 1, $2, $3, $4, $5, $6
                 FROM finding_event
                WHERE fingerprint = $1";
    let binds = [
        Bind::from(&*happened.fingerprint),
        at.0.into(),
        Bind::Int(happened.version.map(|version| version.0)),
        happened.what.as_str().into(),
        text(happened.person.as_deref()),
        text(happened.reason.as_deref()),
    ];
    connection.execute(WRITING, sql, &binds).await.map(|_| ())
}

pub(super) fn event_row(row: Row<'_>) -> Result<FindingEventRow, StoreError> {
    Ok(FindingEventRow {
        at: Moment(row.number(0)?),
        what: FindingEvent::parse(&row.text(1)?.unwrap_or_default()),
        version: row.int(2)?.map(Version),
        person: row.text(3)?,
        reason: row.text(4)?,
    })
}

pub(super) fn state_binds(state: &RuleStateRow) -> [Bind; 12] {
    [
        Bind::from(&*state.rule),
        Bind::from(&*state.name),
        Bind::from(&*state.revision),
        state.version.0.into(),
        Bind::from(&*state.state),
        text(state.why.as_deref()),
        text(state.level.as_deref()),
        state.alert.as_str().into(),
        state.alert_at.0.into(),
        state.updated_at.0.into(),
        text(state.ended.as_deref()),
        Bind::from(&*state.document.to_string()),
    ]
}

pub(super) fn state_row(row: Row<'_>) -> Result<RuleStateRow, StoreError> {
    let word = |index| row.text(index).map(Option::unwrap_or_default);
    let damaged = |what: &str| StoreError::Damaged { what: format!("the {what} of a rule's state") };
    Ok(RuleStateRow {
        rule: word(0)?,
        name: word(1)?,
        revision: word(2)?,
        version: Version(row.number(3)?),
        state: word(4)?,
        why: row.text(5)?,
        level: row.text(6)?,
        alert: AlertStatus::parse(&word(7)?).ok_or_else(|| damaged("alert"))?,
        alert_at: Moment(row.number(8)?),
        updated_at: Moment(row.number(9)?),
        ended: row.text(10)?,
        document: serde_json::from_str(&word(11)?).map_err(|_| damaged("document"))?,
    })
}
