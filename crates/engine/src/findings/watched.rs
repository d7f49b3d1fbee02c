//! The rules that are watched: the shipped ones, with what people set of them, and rules of their own.
//!
//! Invariant: a shipped rule is watched unless somebody turned it off. A rule that is only evaluated when somebody asks is
//! watched: what it found stays.

use std::collections::BTreeSet;

use metsuke_model::Moment;
use metsuke_store::RuleRow;
use serde_json::Value as Json;

use super::evidence::hash;
use crate::EngineError;
use crate::rules::shipped::{self, Detection, Values};
use crate::rules::{
    Again, Evaluation, Ground, Instance, Level, Mistake, Period, PollingInterval, Subject, evaluate,
    evaluate_again,
};
use crate::schedule::Polling;

/// A rule that is watched.
#[derive(Clone, Debug)]
pub enum Watched {
    /// A shipped detection, with values of its parameters.
    Shipped(&'static Detection, Values),
    /// Somebody's own.
    Own(Box<Instance>),
}

/// When a rule is evaluated of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pace {
    /// With each version, and of the newest one at the moments of this interval.
    Each(Polling),
    /// With each version; its interval is none that is known here.
    Version,
    /// Never: only when somebody asks.
    Asked,
}

/// The rules that are watched under these settings, and what is wrong with those that cannot be read.
#[must_use]
pub fn watched(rows: &[RuleRow]) -> (Vec<Watched>, Vec<(String, Vec<Mistake>)>) {
    let (mut rules, mut wrong) = (Vec::new(), Vec::new());
    for detection in shipped::all() {
        let row = rows.iter().find(|row| row.kind == "shipped" && row.id == *detection.id);
        if row.is_none_or(|row| row.enabled) {
            let values = row.and_then(|row| serde_json::from_value(row.document.clone()).ok());
            rules.push(Watched::Shipped(detection, values.unwrap_or_default()));
        }
    }
    for row in rows.iter().filter(|row| row.kind == "own" && row.enabled) {
        match Instance::read(&row.document) {
            Ok(rule) => rules.push(Watched::Own(Box::new(rule))),
            Err(mistakes) => wrong.push((row.id.clone(), mistakes)),
        }
    }
    (rules, wrong)
}

impl Watched {
    /// What tells it from every other.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Shipped(detection, _) => &detection.id,
            Self::Own(rule) => rule.key(),
        }
    }

    /// When it is evaluated of itself.
    #[must_use]
    pub fn pace(&self) -> Pace {
        let interval = match self {
            Self::Shipped(..) => &PollingInterval::Every(Period::OneDay),
            Self::Own(rule) => &rule.polling_interval,
        };
        match interval {
            PollingInterval::Disabled => Pace::Asked,
            PollingInterval::Other(_) => Pace::Version,
            PollingInterval::Every(Period::OneDay) => Pace::Each(Polling::Daily { hour: None }),
            PollingInterval::Every(Period::OneWeek) => Pace::Each(Polling::Weekly { day: None, hour: None }),
            PollingInterval::Every(period) => Pace::Each(Polling::Every(period.length())),
        }
    }

    /// Whether a moment of its interval lies between these, both included.
    #[must_use]
    pub fn is_due(&self, from: Moment, to: Moment) -> bool {
        let Pace::Each(polling) = self.pace() else { return false };
        // Moments are those of the day and the week, so that any two looks agree on them.
        polling.next_after(Moment(from.0 - 1), Moment(0)).is_some_and(|next| next <= to)
    }

    /// Whether somebody is told when it cannot be evaluated.
    pub(super) fn tells_of_failure(&self) -> bool {
        matches!(self, Self::Own(rule) if rule.notify_on_failure)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Shipped(detection, _) => &detection.name,
            Self::Own(rule) => &rule.name,
        }
    }

    /// What it finds, in words.
    pub(super) fn title(&self) -> &str {
        match self {
            Self::Shipped(detection, _) => &detection.title,
            Self::Own(rule) => rule.description.as_deref().unwrap_or(&rule.name),
        }
    }

    /// Why that matters.
    pub(super) fn explanation(&self) -> &str {
        match self {
            Self::Shipped(detection, _) => &detection.explanation,
            Self::Own(_) => "",
        }
    }

    /// What to do, in words.
    pub(super) fn fix(&self) -> &str {
        match self {
            Self::Shipped(detection, _) => &detection.fix.words,
            Self::Own(rule) => {
                rule.document().get("remediationSteps").and_then(Json::as_str).unwrap_or_default()
            }
        }
    }

    /// The command that plans the fix.
    pub(super) fn command(&self, subject: &Subject) -> Option<String> {
        match self {
            Self::Shipped(detection, _) => detection.command(subject),
            Self::Own(_) => None,
        }
    }

    /// The controls that it bears on.
    pub(super) fn controls(&self) -> Json {
        match self {
            Self::Shipped(detection, _) => serde_json::to_value(&detection.controls).unwrap_or_default(),
            Self::Own(_) => Json::Null,
        }
    }

    /// How bad a subject is.
    pub(super) fn level(&self, evaluation: &Evaluation, subject: &Subject) -> Level {
        let usual = match self {
            Self::Shipped(detection, _) => detection.severity,
            Self::Own(_) => Level::Info,
        };
        subject.level.or(evaluation.level).unwrap_or(usual)
    }

    /// What is not new does not count, so that finding nothing new is not finding nothing.
    pub(super) fn new_only(&self) -> bool {
        matches!(self, Self::Own(rule) if rule.new_entities_only)
    }

    /// It looks at the change log, so that each entry is for it to be looked at once.
    pub(crate) fn looks_at_changes(&self) -> bool {
        match self {
            Self::Shipped(detection, _) => detection.change().is_some(),
            Self::Own(rule) => rule.change.is_some(),
        }
    }

    /// What tells whether its text changed.
    pub(super) fn revision(&self) -> String {
        match self {
            Self::Shipped(detection, values) => hash(&[
                &serde_json::to_string(detection).unwrap_or_default(),
                &serde_json::to_string(values).unwrap_or_default(),
            ]),
            Self::Own(rule) => hash(&[&serde_json::to_string(rule.document()).unwrap_or_default()]),
        }
    }

    /// Evaluates it; `known`: only as far as it is not known from a run that is remembered.
    pub(super) async fn again(
        &self,
        ground: &Ground,
        previous: Option<&BTreeSet<String>>,
        known: bool,
    ) -> Result<Again, EngineError> {
        let settled = match self {
            Self::Shipped(detection, values) => match detection.settled(ground, values).await? {
                Ok(settled) => settled,
                Err(state) => return Ok(Again::Whole(detection.ended(ground, state))),
            },
            Self::Own(rule) => return Ok(again(rule, ground, previous, known).await),
        };
        let (rule, notes) = settled;
        let mut came = again(&rule, ground, previous, known).await;
        if let Again::Touched(evaluation, _) | Again::Whole(evaluation) = &mut came {
            evaluation.notes.extend(notes);
        }
        Ok(came)
    }
}

async fn again(rule: &Instance, ground: &Ground, previous: Option<&BTreeSet<String>>, known: bool) -> Again {
    if known {
        evaluate_again(rule, ground, previous).await
    } else {
        Again::Whole(evaluate(rule, ground, previous).await)
    }
}
