//! Findings, what came of each rule, and which version was evaluated.
//!
//! What opens, resolves and re-opens a finding is decided by whoever evaluates; deliveries that follow are in
//! [`deliveries`](crate::deliveries).
//!
//! Invariant: an evaluation and all that follows from it is stored in one transaction, against the very state that it
//! was worked out from, or not at all.

mod document;
mod ground;
mod rows;
mod tally;

use std::collections::HashMap;

use metsuke_model::audit::NewEvent;
use metsuke_model::finding::{AlertStatus, FindingEvent, FindingState};
use metsuke_model::{Moment, Version};
use serde_json::Value as Json;

use crate::connection::{Bind, Connection};
use crate::deliveries::{self, NewDelivery};
use crate::{Store, StoreError, audit, settings};
pub use document::Document;
pub use ground::{FindingGround, FindingStanding, OpenFindings, Said, WantedFindings};
use rows::{event_row, finding_row, state_row};
pub(crate) use tally::Tally;

/// A finding.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingRow {
    /// What tells it from every other, of rule and subject.
    pub fingerprint: String,
    /// Its number in the order of finding; 0 before it is stored.
    pub number: i64,
    /// The rule's id.
    pub rule: String,
    /// The rule's name.
    pub rule_name: String,
    /// What it is about.
    pub subject: String,
    /// How far it has come.
    pub state: FindingState,
    /// How bad it is.
    pub level: String,
    /// When it was opened, the last time of several.
    pub opened_at: Moment,
    /// The version that it was opened with.
    pub opened: Version,
    /// When anything of it changed.
    pub changed_at: Moment,
    /// The newest version whose evaluation changed it.
    pub seen: Version,
    /// Since which version it was not found, though nothing proves it gone.
    pub missing: Option<Version>,
    /// How often it was opened.
    pub times: i64,
    /// Until when somebody takes the risk.
    pub until: Option<Moment>,
    /// The reason that somebody gave.
    pub reason: Option<String>,
    /// Who said so.
    pub person: Option<String>,
    /// What tells whether the document changed.
    pub print: String,
    /// What was found.
    pub document: Document,
}

/// Something that happened to a finding, to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// To which.
    pub fingerprint: String,
    /// What.
    pub what: FindingEvent,
    /// With which version, where it was an evaluation.
    pub version: Option<Version>,
    /// By whom, where it was a person.
    pub person: Option<String>,
    /// Why, where somebody or something said so.
    pub reason: Option<String>,
}

/// Something that happened to a finding, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingEventRow {
    /// When.
    pub at: Moment,
    /// What; `None` for a word of a newer version.
    pub what: Option<FindingEvent>,
    /// With which version.
    pub version: Option<Version>,
    /// By whom.
    pub person: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What came of a rule last, and its alert.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleStateRow {
    /// The rule's id.
    pub rule: String,
    /// Its name.
    pub name: String,
    /// What tells whether its text changed.
    pub revision: String,
    /// Which version was evaluated; changes after it are still to be looked at.
    pub version: Version,
    /// What came of it, in a word.
    pub state: String,
    /// Why, where it could not be judged.
    pub why: Option<String>,
    /// How bad it is.
    pub level: Option<String>,
    /// Its alert.
    pub alert: AlertStatus,
    /// Since when the alert is as it is.
    pub alert_at: Moment,
    /// When anything of this changed.
    pub updated_at: Moment,
    /// Why the alert ended.
    pub ended: Option<String>,
    /// What was told of the evaluation.
    pub document: Json,
}

/// What an evaluation came to.
#[derive(Clone, Debug, Default)]
pub struct Evaluated {
    /// The ground that it was worked out from.
    pub edition: i64,
    /// The version, where one was evaluated.
    pub version: Option<Version>,
    /// When.
    pub at: Option<Moment>,
    /// What came of rules that is not as before.
    pub rules: Vec<RuleStateRow>,
    /// Findings that are new or not as before.
    pub findings: Vec<FindingRow>,
    /// Whom new ones are about: fingerprint and e-mail address.
    pub who: Vec<(String, String)>,
    /// What happened to them.
    pub happened: Vec<Happened>,
    /// What is to be told.
    pub deliveries: Vec<NewDelivery>,
}

/// Which findings are listed.
#[derive(Clone, Debug, Default)]
pub struct FindingFilter {
    /// Those in one of these states; all without.
    pub states: Vec<FindingState>,
    /// Those of this rule.
    pub rule: Option<String>,
    /// Those of one of these levels; all without.
    pub levels: Vec<String>,
    /// Those that are about the person of this e-mail address, whatever its case.
    pub who: Option<String>,
    /// Those with a number below this one, for the next page.
    pub before: Option<i64>,
    /// How many at most; 0 for all.
    pub limit: usize,
}

/// What somebody says of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingEdit {
    /// The state that it is to have.
    pub state: FindingState,
    /// What happens to it.
    pub what: FindingEvent,
    /// Until when the risk is taken.
    pub until: Option<Moment>,
    /// Why.
    pub reason: Option<String>,
    /// Who says so.
    pub person: Option<String>,
}

const READING: &str = "reading findings";
const WRITING: &str = "keeping findings";
const EDITION: &str = "finding_edition";
const EVALUATED: &str = "evaluated_version";
/// So many rows are made ready to be written at once.
const AT_ONCE: usize = 1_000;

/// The columns of a finding, with what follows.
macro_rules! finding_columns {
    ($tail:literal) => {
        concat!(
            "SELECT fingerprint, number, rule, rule_name, subject, state, level, opened_at, opened, changed_at,
                    seen, missing, times, until, reason, person, print, document
               FROM finding ",
            $tail
        )
    };
}
use finding_columns;

impl Store {
    /// The newest version that was evaluated.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn evaluated_version(&self) -> Result<Option<Version>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        Ok(settings::number(&mut connection, READING, EVALUATED).await?.map(Version))
    }

    /// Stores what an evaluation came to; `false`, and nothing stored, where somebody wrote of findings since it was
    /// worked out.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is stored then.
    pub async fn keep_evaluation(&self, evaluated: &Evaluated) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        if settings::number(&mut connection, READING, EDITION).await?.unwrap_or(0) != evaluated.edition {
            return Ok(false);
        }
        let at = evaluated.at.unwrap_or(Moment(0));
        write(&mut connection, evaluated, at).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// What came of rules last, by rule.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn rule_states(&self) -> Result<Vec<RuleStateRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        states(&mut connection).await
    }

    /// Findings, the newest first.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn findings(&self, filter: &FindingFilter) -> Result<Vec<FindingRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut found = Vec::new();
        let sql = finding_columns!(
            "WHERE number IN (SELECT number
                                FROM finding
                               WHERE number < $1 AND ($2 = '' OR rule = $2)
                                 AND ($3 = '' OR $3 LIKE '%,' || state || ',%')
                                 AND ($4 = '' OR $4 LIKE '%,' || level || ',%')
                               ORDER BY number DESC
                               LIMIT $5)
              ORDER BY number DESC"
        );
        let of_person = finding_columns!(
            "WHERE fingerprint IN (SELECT fingerprint FROM finding_who WHERE email = $6)
                AND number < $1 AND ($2 = '' OR rule = $2)
                AND ($3 = '' OR $3 LIKE '%,' || state || ',%') AND ($4 = '' OR $4 LIKE '%,' || level || ',%')
              ORDER BY number DESC
              LIMIT $5"
        );
        let list = |words: Vec<&str>| match &*words {
            [] => String::new(),
            words => format!(",{},", words.join(",")),
        };
        let limit =
            if filter.limit == 0 { i64::MAX } else { i64::try_from(filter.limit).unwrap_or(i64::MAX) };
        let mut binds = vec![
            filter.before.unwrap_or(i64::MAX).into(),
            Bind::from(filter.rule.as_deref().unwrap_or_default()),
            Bind::from(&*list(filter.states.iter().map(|state| state.as_str()).collect())),
            Bind::from(&*list(filter.levels.iter().map(String::as_str).collect())),
            limit.into(),
        ];
        binds.extend(filter.who.as_deref().map(|email| Bind::from(&*email.to_lowercase())));
        let sql = if filter.who.is_some() { of_person } else { sql };
        connection
            .each(READING, sql, &binds, |row| {
                found.push(finding_row(row)?);
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// The finding with this number, or whose fingerprint begins so, if only one does.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn finding(&self, asked: &str) -> Result<Option<FindingRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        find(&mut connection, asked).await
    }

    /// What happened to a finding, in order.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn finding_events(&self, fingerprint: &str) -> Result<Vec<FindingEventRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut events = Vec::new();
        let sql = "SELECT at, what, version, person, reason
                     FROM finding_event
                    WHERE fingerprint = $1
                    ORDER BY ordinal";
        connection
            .each(READING, sql, &[fingerprint.into()], |row| {
                events.push(event_row(row)?);
                Ok(())
            })
            .await?;
        Ok(events)
    }

    /// Keeps what somebody says of a finding, with the event that tells of it, if `allowed` says yes to how it stands;
    /// gives the finding as it then is.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn edit_finding(
        &self,
        asked: &str,
        edit: &FindingEdit,
        now: Moment,
        allowed: impl FnOnce(&FindingRow) -> bool,
        event: NewEvent,
    ) -> Result<Option<FindingRow>, StoreError> {
        let mut connection = self.begin_write().await?;
        let Some(mut row) = find(&mut connection, asked).await? else { return Ok(None) };
        if !allowed(&row) {
            return Ok(Some(row));
        }
        (row.state, row.until, row.changed_at) = (edit.state, edit.until, now);
        (row.reason, row.person) = (edit.reason.clone(), edit.person.clone());
        let happened = Happened {
            fingerprint: row.fingerprint.clone(),
            what: edit.what,
            version: None,
            person: edit.person.clone(),
            reason: edit.reason.clone(),
        };
        let findings = vec![row.clone()];
        let written = Evaluated { findings, happened: vec![happened], ..Evaluated::default() };
        write(&mut connection, &written, now).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(Some(row))
    }

    /// Puts a rule's alert aside, with the event that tells of it; `false` where it is not active.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn dismiss_alert(&self, rule: &str, now: Moment, event: NewEvent) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE rule_state SET alert = 'DISMISSED', alert_at = $1, updated_at = $1
                    WHERE rule = $2 AND alert = 'ACTIVE'";
        if connection.execute(WRITING, sql, &[now.0.into(), rule.into()]).await? == 0 {
            return Ok(false);
        }
        advance(&mut connection).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }
}

/// Writes findings and all that follows inside a transaction.
pub(crate) async fn write(
    connection: &mut Connection,
    evaluated: &Evaluated,
    at: Moment,
) -> Result<(), StoreError> {
    let mut next = 0;
    let sql = "SELECT COALESCE(MAX(number), 0) FROM finding";
    connection
        .each(WRITING, sql, &[], |row| {
            next = row.number(0)?;
            Ok(())
        })
        .await?;
    let tail = " ON CONFLICT (fingerprint) DO UPDATE SET
        rule_name = excluded.rule_name, subject = excluded.subject, state = excluded.state, level = excluded.level,
        opened_at = excluded.opened_at, opened = excluded.opened, changed_at = excluded.changed_at,
        seen = excluded.seen, missing = excluded.missing, times = excluded.times, until = excluded.until,
        reason = excluded.reason, person = excluded.person, print = excluded.print, document = excluded.document";
    let head = "INSERT INTO finding
        (fingerprint, number, rule, rule_name, subject, state, level, opened_at, opened, changed_at, seen, missing,
         times, until, reason, person, print, document) ";
    for findings in evaluated.findings.chunks(AT_ONCE) {
        let mut rows = Vec::with_capacity(findings.len());
        for finding in findings {
            next += i64::from(finding.number == 0);
            let number = if finding.number == 0 { next } else { finding.number };
            rows.push(rows::finding_binds(finding, number));
        }
        connection.insert(WRITING, (head, tail), rows).await?;
    }
    for who in evaluated.who.chunks(AT_ONCE) {
        let rows: Vec<[Bind; 2]> = who
            .iter()
            .map(|(fingerprint, email)| [Bind::from(&**email), Bind::from(&**fingerprint)])
            .collect();
        let head = "INSERT INTO finding_who (email, fingerprint) ";
        connection.insert(WRITING, (head, " ON CONFLICT (email, fingerprint) DO NOTHING"), rows).await?;
    }
    happened(connection, evaluated, at).await?;
    let head = "INSERT INTO rule_state
        (rule, name, revision, version, state, why, level, alert, alert_at, updated_at, ended, document) ";
    let tail = " ON CONFLICT (rule) DO UPDATE SET
        name = excluded.name, revision = excluded.revision, version = excluded.version, state = excluded.state,
        why = excluded.why, level = excluded.level, alert = excluded.alert, alert_at = excluded.alert_at,
        updated_at = excluded.updated_at, ended = excluded.ended, document = excluded.document";
    let states: Vec<_> = evaluated.rules.iter().map(rows::state_binds).collect();
    connection.insert(WRITING, (head, tail), states).await?;
    deliveries::add(connection, &evaluated.deliveries, at).await?;
    if let Some(version) = evaluated.version {
        settings::put(connection, WRITING, EVALUATED, &version.to_string()).await?;
    }
    advance(connection).await
}

/// Writes what happened: to findings that are new, many at once, for nothing happened to them before.
async fn happened(connection: &mut Connection, evaluated: &Evaluated, at: Moment) -> Result<(), StoreError> {
    let new = evaluated.findings.iter().filter(|finding| finding.number == 0);
    let mut ordinals: HashMap<&str, i64> = new.map(|finding| (&*finding.fingerprint, 0)).collect();
    let mut first = Vec::new();
    for happened in &evaluated.happened {
        match ordinals.get_mut(&*happened.fingerprint) {
            Some(ordinal) => {
                *ordinal += 1;
                first.push((happened, *ordinal));
            }
            None => rows::insert_event(connection, happened, at).await?,
        }
    }
    let head = "INSERT INTO finding_event (fingerprint, ordinal, at, version, what, person, reason) ";
    for first in first.chunks(AT_ONCE) {
        let rows: Vec<_> =
            first.iter().map(|(happened, ordinal)| rows::event_binds(happened, *ordinal, at)).collect();
        connection.insert(WRITING, (head, ""), rows).await?;
    }
    Ok(())
}

/// Says that what is known of findings is not as it was.
async fn advance(connection: &mut Connection) -> Result<(), StoreError> {
    settings::advance(connection, WRITING, EDITION).await
}

async fn states(connection: &mut Connection) -> Result<Vec<RuleStateRow>, StoreError> {
    let mut states = Vec::new();
    let sql = "SELECT rule, name, revision, version, state, why, level, alert, alert_at, updated_at, ended, document
                 FROM rule_state
                ORDER BY rule";
    connection
        .each(READING, sql, &[], |row| {
            states.push(state_row(row)?);
            Ok(())
        })
        .await?;
    Ok(states)
}

async fn find(connection: &mut Connection, asked: &str) -> Result<Option<FindingRow>, StoreError> {
    let mut found = Vec::new();
    if let Ok(number) = asked.parse::<i64>() {
        let sql = finding_columns!("WHERE number = $1");
        connection
            .each(READING, sql, &[number.into()], |row| {
                found.push(finding_row(row)?);
                Ok(())
            })
            .await?;
    }
    if found.is_empty() {
        let sql = finding_columns!("WHERE fingerprint = $1");
        connection
            .each(READING, sql, &[asked.into()], |row| {
                found.push(finding_row(row)?);
                Ok(())
            })
            .await?;
    }
    // A fingerprint may be all digits, at least at its beginning.
    if found.is_empty() && asked.len() >= 4 {
        let sql = finding_columns!("WHERE substr(fingerprint, 1, length($1)) = $1 LIMIT 2");
        connection
            .each(READING, sql, &[asked.into()], |row| {
                found.push(finding_row(row)?);
                Ok(())
            })
            .await?;
    }
    Ok(found.pop().filter(|_| found.is_empty()))
}
