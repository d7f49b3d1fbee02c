//! Rules run on a version without anything being kept, and a version evaluated so that it is.
//!
//! What a rule finds is [`rules`](crate::rules)'s to say, what becomes of it [`findings`](crate::findings)'s.

use std::collections::BTreeSet;

use metsuke_model::{AsOf, Moment};
use metsuke_store::Store;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Desk;
use super::apart::{apart, to_its_end};
use crate::EngineError;
use crate::alerts::open_channels;
use crate::connectors::stored_settings;
use crate::findings::{self, Asked, Which, watched};
use crate::identity::Caller;
use crate::query::Settings;
use crate::rules::shipped::{self, Detection, Values};
use crate::rules::{Ground, Instance, Limits, Since, evaluate, import};

/// Which rules are to be run, and on what.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Shipped detections, by id or name; all where neither these nor rules are named.
    pub ids: Vec<String>,
    /// Rules in JupiterOne's form: one, or a list.
    pub rules: Option<Value>,
    /// Values for parameters of the detections.
    pub parameters: Map<String, Value>,
    /// The version; none for the newest.
    pub as_of: Option<AsOf>,
    /// Rules for changes leave out this version and everything before; none for the version before.
    pub since: Option<AsOf>,
}

/// Rules as they were understood.
#[derive(Clone, Debug, Serialize)]
pub struct RulesRead {
    /// Their documents.
    pub rules: Vec<Map<String, Value>>,
    /// What is odd about them.
    pub notes: Vec<String>,
}

/// What evaluating a version came to.
#[derive(Clone, Debug, Serialize)]
pub struct VersionJudged {
    /// The version.
    pub version: metsuke_model::Version,
    /// Rules that were evaluated.
    pub rules: usize,
    /// Rules that could not be judged, each with why.
    pub unjudged: Vec<(String, String)>,
    /// Findings that came, or came back.
    pub opened: usize,
    /// Findings that are gone.
    pub resolved: usize,
    /// Findings that are there now.
    pub standing: usize,
    /// What is to be told.
    pub deliveries: usize,
}

impl Desk {
    /// Reads rules without keeping them: their documents, and what is odd about them.
    ///
    /// # Errors
    ///
    /// [`EngineError::Mistakes`].
    pub fn check_rules(rules: &Value) -> Result<RulesRead, EngineError> {
        let read = import(&rules.to_string()).map_err(EngineError::Mistakes)?;
        let rules = read.rules.iter().map(|rule| rule.document().clone()).collect();
        Ok(RulesRead { rules, notes: read.notes.iter().map(ToString::to_string).collect() })
    }

    /// Runs rules on a version; nothing is kept and nobody is told.
    ///
    /// # Errors
    ///
    /// [`EngineError::Mistakes`], [`EngineError::Unknown`] for a detection that is not there, [`EngineError::NoVersion`], and what
    /// the database said.
    pub async fn run_rules(&self, connector: Option<&str>, trial: Trial) -> Result<Vec<Value>, EngineError> {
        // What is wrong about it is told before an estate is looked for.
        chosen(&trial)?;
        let (estate, now) = (self.estate(connector).await?, self.installation().clock().now());
        apart(async move || run_rules(&estate.store, trial, now).await).await
    }

    /// Evaluates the newest version of an estate as after a sync, and keeps what is found; where rules are named by their ids,
    /// these alone, and those as well that wait until somebody asks.
    ///
    /// # Errors
    ///
    /// As [`findings::evaluate`]; [`EngineError::NoVersion`], and [`EngineError::Unknown`] for a rule that is not there or is off.
    pub async fn evaluate(
        &self,
        caller: &Caller,
        connector: Option<&str>,
        ids: Vec<String>,
    ) -> Result<VersionJudged, EngineError> {
        let estate = self.estate(connector).await?;
        let newest = estate.store.snapshot(None).await?.ok_or(EngineError::NoVersion)?.sync().version;
        let store = estate.store.acting_as(caller.actor());
        let installation = self.installation().clone();
        let name = estate.connector.as_ref().map(|_| estate.name.clone());
        to_its_end(async move || {
            let (rules, _) = watched(&installation.main().rules().await?);
            if let Some(id) = ids.iter().find(|id| rules.iter().all(|rule| rule.key() != id.as_str())) {
                return Err(EngineError::Unknown { what: "rule that is on", asked: id.clone() });
            }
            let ids: BTreeSet<String> = ids.into_iter().collect();
            let channels = open_channels(&installation).await?;
            let settings = stored_settings(&store).await?;
            let account = settings.as_ref().and_then(|(settings, _)| settings.tag_account_name.as_deref());
            let folder = tempfile::tempdir().map_err(|source| EngineError::Scratch { source })?;
            let asked = Asked {
                store: &store,
                rules: &rules,
                of: if ids.is_empty() { Which::Following } else { Which::These(&ids) },
                channels: &channels,
                connector: name.as_deref(),
                account_name: account,
                limits: Limits::default(),
                folder: folder.path(),
            };
            let summary = findings::evaluate(&asked, newest, installation.clock()).await?;
            Ok(VersionJudged {
                version: summary.version,
                rules: summary.rules,
                unjudged: summary.unjudged,
                opened: summary.opened,
                resolved: summary.resolved,
                standing: summary.standing,
                deliveries: summary.deliveries,
            })
        })
        .await
    }
}

/// Runs rules on a version of a database, and tells what came of each; nothing is kept.
///
/// # Errors
///
/// [`EngineError::Mistakes`], [`EngineError::Unknown`] for a detection that is not there, [`EngineError::NoVersion`], and what the
/// database said.
pub async fn run_rules(store: &Store, trial: Trial, now: Moment) -> Result<Vec<Value>, EngineError> {
    let (detections, rules) = chosen(&trial)?;
    let values: Values = trial.parameters.into_iter().collect();
    let settings = Settings { as_of: trial.as_of, ..Settings::at(now) };
    let since = trial.since.map_or(Since::Before, Since::After);
    let folder = tempfile::tempdir().map_err(|source| EngineError::Scratch { source })?;
    let ground = Ground::open(store, settings, since, Limits::default(), folder.path()).await?;
    let mut told = Vec::new();
    for detection in detections {
        told.push(judged(detection, &ground, &values).await?);
    }
    for rule in &rules {
        told.push(json!(evaluate(rule, &ground, None).await));
    }
    Ok(told)
}

fn chosen(trial: &Trial) -> Result<(Vec<&'static Detection>, Vec<Instance>), EngineError> {
    let rules = match &trial.rules {
        Some(rules) => import(&rules.to_string()).map_err(EngineError::Mistakes)?.rules,
        None => Vec::new(),
    };
    let unknown = |id: &String| EngineError::Unknown { what: "detection", asked: id.clone() };
    let detections = match (trial.ids.is_empty(), &trial.rules) {
        (true, Some(_)) => Vec::new(),
        (true, None) => shipped::all().iter().collect(),
        (false, _) => {
            let find = |id: &String| shipped::find(id).ok_or_else(|| unknown(id));
            trial.ids.iter().map(find).collect::<Result<_, _>>()?
        }
    };
    let takes = |name: &str| {
        detections.iter().any(|one| one.parameters.iter().any(|parameter| *parameter.name == *name))
    };
    if let Some(name) = trial.parameters.keys().find(|name| !takes(name)) {
        let told = format!("none of these detections has a parameter `{name}`");
        return Err(EngineError::field("parameters", told));
    }
    Ok((detections, rules))
}

async fn judged(
    detection: &'static Detection,
    ground: &Ground,
    values: &Values,
) -> Result<Value, EngineError> {
    let evaluation = detection.evaluate(ground, values, None).await?;
    let mut told = json!(evaluation);
    told["title"] = json!(detection.title);
    told["severity"] = json!(detection.severity);
    let subjects = told.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten();
    for (told, subject) in subjects.zip(&evaluation.subjects) {
        told["fix"] = json!(detection.command(subject));
    }
    Ok(told)
}
