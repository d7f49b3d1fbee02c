//! The rules that are watched: the shipped ones, with what people set of them, and rules of their own.
//!
//! Invariant: a shipped rule is watched unless somebody turned it off.

use std::collections::BTreeSet;

use metsuke_store::RuleRow;
use serde_json::Value as Json;

use super::evidence::hash;
use crate::EngineError;
use crate::rules::shipped::{self, Detection, Values};
use crate::rules::{Evaluation, Ground, Instance, Level, Mistake, PollingInterval, Subject, evaluate};

/// A rule that is watched.
#[derive(Clone, Debug)]
pub enum Watched {
    /// A shipped detection, with values of its parameters.
    Shipped(&'static Detection, Values),
    /// Somebody's own.
    Own(Box<Instance>),
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
            Ok(rule) if rule.polling_interval == PollingInterval::Disabled => {}
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
    pub(super) fn looks_at_changes(&self) -> bool {
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

    pub(super) async fn evaluate(
        &self,
        ground: &Ground,
        previous: Option<&BTreeSet<String>>,
    ) -> Result<Evaluation, EngineError> {
        match self {
            Self::Shipped(detection, values) => detection.evaluate(ground, values, previous).await,
            Self::Own(rule) => Ok(evaluate(rule, ground, previous).await),
        }
    }
}
