//! Findings of all estates, and what people say of them.
//!
//! What a finding is, is [`findings`](crate::findings)'s to say.
//!
//! Invariant: what is said of a finding names who said it.

use std::collections::BTreeMap;

use metsuke_model::finding::{FindingEvent, FindingState};
use metsuke_model::{Moment, Version};
use metsuke_store::{FindingFilter, FindingRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Desk, Estate, Listing, Placed};
use crate::EngineError;
use crate::findings::{Refusal, accept, acknowledge, reopen};
use crate::identity::Caller;

/// Findings, newest first.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Those in one of these states; all without.
    pub states: Vec<FindingState>,
    /// Those of this rule.
    pub rule: Option<String>,
    /// Those of this level.
    pub level: Option<String>,
    /// Those that are about the person of this e-mail address.
    pub person: Option<String>,
}

/// A finding as it is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindingLine {
    /// What tells it from every other.
    pub id: String,
    /// Its number in its estate.
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
    /// When it was opened.
    pub opened_at: Moment,
    /// The version that it was opened with.
    pub opened: Version,
    /// When anything of it changed.
    pub changed_at: Moment,
    /// Since which version it was not seen, where that was not read whole.
    pub missing: Option<Version>,
    /// How often it was opened.
    pub times: i64,
    /// Until when somebody takes the risk.
    pub until: Option<Moment>,
    /// The reason that somebody gave.
    pub reason: Option<String>,
    /// Who said so.
    pub person: Option<String>,
    /// What was found.
    pub document: Value,
}

/// A finding with what happened to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindingShown {
    /// The connector's id.
    pub connector: Option<String>,
    /// The finding.
    #[serde(flatten)]
    pub finding: FindingLine,
    /// What happened to it, oldest first.
    pub events: Vec<FindingTold>,
}

/// One thing that happened to a finding.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FindingTold {
    /// When.
    pub at: Moment,
    /// What; null for a word of a newer version.
    pub what: Option<FindingEvent>,
    /// With which version.
    pub version: Option<Version>,
    /// By whom.
    pub person: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What somebody says of a finding.
#[derive(Clone, Debug)]
pub enum Saying {
    /// It was seen.
    Acknowledge {
        /// What there is to say.
        reason: Option<String>,
    },
    /// The risk is taken.
    Accept {
        /// Until when.
        until: Moment,
        /// Why.
        reason: String,
    },
    /// What was said is taken back.
    Reopen {
        /// Why.
        reason: Option<String>,
    },
}

impl Listing for Findings {
    type Row = FindingLine;
    type Key = i64;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&i64>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<FindingLine>), EngineError> {
        let filter = FindingFilter {
            states: self.states.clone(),
            rule: self.rule.clone(),
            levels: self.level.iter().cloned().collect(),
            who: self.person.clone(),
            before: after.copied(),
            limit: count,
        };
        Ok((None, estate.store.findings(&filter).await?.into_iter().map(line).collect()))
    }

    fn key(&self, row: &FindingLine) -> i64 {
        row.number
    }
}

/// Findings that nobody has settled, in short.
#[derive(Clone, Debug, Default)]
pub struct OpenFindings {
    /// How many there are of each level, as it is spelled.
    pub levels: BTreeMap<String, u64>,
    /// The worst: by level, then those that were opened last.
    pub worst: Vec<Placed<FindingLine>>,
}

impl Desk {
    /// What is open or acknowledged, of all estates or that of a connector, with at most `most` of the worst.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn open_findings(
        &self,
        connector: Option<&str>,
        most: usize,
    ) -> Result<OpenFindings, EngineError> {
        let mut open = OpenFindings::default();
        let mut estates = self.estates(connector).await?;
        estates.sort_by(|one, other| one.place().cmp(other.place()));
        for estate in estates {
            let states = [FindingState::Open, FindingState::Acknowledged];
            let (levels, worst) = estate.store.worst_findings(&states, most).await?;
            for (level, count) in levels {
                *open.levels.entry(level).or_default() += count;
            }
            let placed = |row| Placed { connector: estate.connector.clone(), version: None, row: line(row) };
            open.worst.extend(worst.iter().cloned().map(placed));
        }
        let known = ["CRITICAL", "HIGH", "MEDIUM", "LOW"];
        let rank = |level: &str| known.iter().position(|known| known.eq_ignore_ascii_case(level));
        open.worst.sort_by_key(|row| {
            (rank(&row.row.level).unwrap_or(known.len()), std::cmp::Reverse(row.row.opened_at))
        });
        open.worst.truncate(most);
        Ok(open)
    }

    /// One finding, in whichever estate it is.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], and what the database said.
    pub async fn finding(&self, id: &str) -> Result<FindingShown, EngineError> {
        let (estate, row) = self.found(id).await?;
        let told = estate.store.finding_events(&row.fingerprint).await?;
        let events = told.into_iter().map(|event| FindingTold {
            at: event.at,
            what: event.what,
            version: event.version,
            person: event.person,
            reason: event.reason,
        });
        Ok(FindingShown { connector: estate.connector, finding: line(row), events: events.collect() })
    }

    /// Keeps what somebody says of a finding.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`]; [`EngineError::Refused`] where it cannot be said, and what the database said.
    pub async fn say(&self, caller: &Caller, id: &str, saying: Saying) -> Result<FindingShown, EngineError> {
        let (estate, _) = self.found(id).await?;
        let store = estate.store.acting_as(caller.actor());
        let clock = self.installation().clock();
        let person = caller.person.as_deref().unwrap_or(&caller.name);
        let said = match &saying {
            Saying::Acknowledge { reason } => {
                acknowledge(&store, id, Some(person), reason.as_deref(), clock).await?
            }
            Saying::Accept { until, reason } => {
                accept(&store, id, Some(person), (*until, reason), clock).await?
            }
            Saying::Reopen { reason } => reopen(&store, id, Some(person), reason.as_deref(), clock).await?,
        };
        match said {
            Ok(_) => self.finding(id).await,
            Err(Refusal::NoReason) => Err(EngineError::field("reason", Refusal::NoReason.to_string())),
            Err(Refusal::Time) => Err(EngineError::field("until", Refusal::Time.to_string())),
            Err(refusal) => Err(EngineError::Refused { reason: refusal.to_string(), hint: None }),
        }
    }

    async fn found(&self, id: &str) -> Result<(Estate, FindingRow), EngineError> {
        for estate in self.estates(None).await? {
            // A beginning is enough at the command line; here it is not.
            if let Some(row) = estate.store.finding(id).await?.filter(|row| row.fingerprint == id) {
                return Ok((estate, row));
            }
        }
        Err(EngineError::Unknown { what: "finding", asked: id.into() })
    }
}

fn line(row: FindingRow) -> FindingLine {
    FindingLine {
        id: row.fingerprint,
        number: row.number,
        rule: row.rule,
        rule_name: row.rule_name,
        subject: row.subject,
        state: row.state,
        level: row.level,
        opened_at: row.opened_at,
        opened: row.opened,
        changed_at: row.changed_at,
        missing: row.missing,
        times: row.times,
        until: row.until,
        reason: row.reason,
        person: row.person,
        document: row.document.to_json(),
    }
}
