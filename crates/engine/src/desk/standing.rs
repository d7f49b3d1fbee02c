//! How the rules of an installation do: what each found last, when it was looked at, and when it is looked at next.
//!
//! Invariant: a rule that was never evaluated says so, and is never told as one that found nothing.

use std::collections::HashMap;

use metsuke_model::{AsOf, Moment, Version};
use metsuke_store::FindingStanding;
use serde::Serialize;

use super::{Desk, Estate, RuleShown};
use crate::EngineError;
use crate::findings::{Pace, Watched};
use crate::rules::shipped;
use crate::rules::{Instance, PollingInterval};

/// A rule with how it does.
#[derive(Clone, Debug, Serialize)]
pub struct RuleWatched {
    /// The rule.
    #[serde(flatten)]
    pub rule: RuleShown,
    /// How often it is evaluated beside each new version, in JupiterOne's word.
    pub interval: String,
    /// `question`, or `change` for one that looks into the change log.
    pub looks_for: &'static str,
    /// Findings of it that are not resolved.
    pub open_findings: usize,
    /// What came of it last: `fired`, `clear`, or a word for why it could not be judged; null where it was never evaluated.
    pub state: Option<String>,
    /// Why it could not be judged.
    pub why: Option<String>,
    /// The newest version that it was evaluated on.
    pub evaluated_version: Option<Version>,
    /// When that version was read.
    pub evaluated_at: Option<Moment>,
    /// When it is evaluated next beside new versions; null where it is off, or waits until somebody asks.
    pub next_at: Option<Moment>,
}

/// What one estate says of the rules.
struct OfEstate {
    standing: FindingStanding,
    read: HashMap<Version, Moment>,
}

impl Desk {
    /// Every rule with how it does, in all estates or in that of a connector.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates).
    pub async fn watched_rules(&self, connector: Option<&str>) -> Result<Vec<RuleWatched>, EngineError> {
        let mut estates = Vec::new();
        for estate in self.estates(connector).await? {
            estates.push(of_estate(&estate).await?);
        }
        let now = self.installation().clock().now();
        Ok(self.rules().await?.into_iter().map(|rule| watched(rule, &estates, now)).collect())
    }

    /// One rule with how it does.
    ///
    /// # Errors
    ///
    /// As [`watched_rules`](Self::watched_rules); [`EngineError::Unknown`].
    pub async fn watched_rule(&self, connector: Option<&str>, id: &str) -> Result<RuleWatched, EngineError> {
        let found = self.watched_rules(connector).await?.into_iter().find(|watched| watched.rule.id == id);
        found.ok_or_else(|| EngineError::Unknown { what: "rule", asked: id.into() })
    }
}

async fn of_estate(estate: &Estate) -> Result<OfEstate, EngineError> {
    let standing = estate.store.finding_standing().await?;
    let mut read = HashMap::new();
    let versions = standing.rules.iter().map(|state| state.version).chain(standing.evaluated);
    for version in versions {
        if read.contains_key(&version) {
            continue;
        }
        // One that is not kept any more has no moment to be told.
        if let Ok(Some(snapshot)) = estate.store.snapshot(Some(AsOf::Version(version))).await {
            read.insert(version, snapshot.sync().finished_at);
        }
    }
    Ok(OfEstate { standing, read })
}

fn watched(rule: RuleShown, estates: &[OfEstate], now: Moment) -> RuleWatched {
    let read = as_watched(&rule);
    let pace = read.as_ref().map(Watched::pace);
    let mut told = RuleWatched {
        interval: interval(read.as_ref()),
        looks_for: if read.as_ref().is_some_and(Watched::looks_at_changes) { "change" } else { "question" },
        open_findings: 0,
        state: None,
        why: None,
        evaluated_version: None,
        evaluated_at: None,
        next_at: None,
        rule,
    };
    let key = read.as_ref().map_or(&*told.rule.id, Watched::key).to_owned();
    for estate in estates {
        told.open_findings += estate.standing.open.get(&key).map_or(0, |open| open.count);
        let Some(state) = estate.standing.rules.iter().find(|state| state.rule == key) else { continue };
        // What finds what it found before is not written again.
        let follows = told.rule.enabled && pace.as_ref().is_some_and(|pace| *pace != Pace::Asked);
        let newest = estate.standing.evaluated.filter(|_| follows);
        let version = newest.map_or(state.version, |newest| newest.max(state.version));
        let at = estate.read.get(&version).copied();
        if told.state.is_none() || at > told.evaluated_at {
            (told.evaluated_version, told.evaluated_at) = (Some(version), at);
            (told.state, told.why) = (Some(state.state.clone()), state.why.clone());
        }
    }
    if let (true, Some(Pace::Each(polling))) = (told.rule.enabled, &pace) {
        told.next_at = polling.next_after(now, Moment(0));
    }
    told
}

fn interval(read: Option<&Watched>) -> String {
    match read {
        Some(Watched::Own(rule)) => rule.polling_interval.as_str().to_owned(),
        Some(Watched::Shipped(..)) | None => PollingInterval::default().as_str().to_owned(),
    }
}

/// The rule as it is evaluated; none for one that cannot be read.
pub(super) fn as_watched(rule: &RuleShown) -> Option<Watched> {
    if rule.kind == RuleShown::SHIPPED {
        let values = rule.parameters.clone().into_iter().collect();
        return shipped::find(&rule.id).map(|detection| Watched::Shipped(detection, values));
    }
    Instance::read(&rule.document).ok().map(|rule| Watched::Own(Box::new(rule)))
}
