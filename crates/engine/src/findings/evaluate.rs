//! Evaluates a version: runs the rules, compares with the findings that are known, and stores all of it at once.
//!
//! Invariant: findings, states of rules, the mark of the version and the deliveries that follow are stored in one
//! transaction; evaluating a version again changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use metsuke_model::finding::{FindingEvent, FindingState};
use metsuke_model::{AsOf, Clock, Version};
use metsuke_store::{Change, FindingGround, Store, StoreError};

use super::compare::{Judged, Outcome, compare};
use super::enrich::enrich;
use super::watched::Watched;
use crate::EngineError;
use crate::alerts::{Channel, News, route};
use crate::query::Settings;
use crate::rules::{Evaluation, Ground, Limits, Memory, Since, State};

/// How often an evaluation is compared anew because somebody wrote of findings meanwhile.
const MOST_TRIES: usize = 8;

/// What is evaluated, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The estate's store.
    pub store: &'a Store,
    /// Every rule that is watched; findings of others end.
    pub rules: &'a [Watched],
    /// The channels that are told.
    pub channels: &'a [Channel],
    /// The connector's name, for those who are told.
    pub connector: Option<&'a str>,
    /// The account name that entities are tagged with.
    pub account_name: Option<&'a str>,
    /// How large an evaluation may become.
    pub limits: Limits,
    /// A folder for what is laid out meanwhile; the caller removes it.
    pub folder: &'a Path,
}

/// What an evaluation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The version.
    pub version: Version,
    /// Rules that were evaluated.
    pub rules: usize,
    /// Rules that could not be judged, and why.
    pub unjudged: Vec<(String, String)>,
    /// Findings that came, or came back.
    pub opened: usize,
    /// Findings that are gone.
    pub resolved: usize,
    /// Findings that are there now and not resolved.
    pub standing: usize,
    /// What is to be told.
    pub deliveries: usize,
    /// Whether anything was stored.
    pub stored: bool,
}

impl Summary {
    /// That of a version that is evaluated no more.
    const fn nothing(version: Version) -> Self {
        let unjudged = Vec::new();
        Self {
            version,
            rules: 0,
            unjudged,
            opened: 0,
            resolved: 0,
            standing: 0,
            deliveries: 0,
            stored: false,
        }
    }
}

/// Evaluates a version. An older one than was evaluated before gives nothing.
///
/// # Errors
///
/// [`EngineError::NoVersion`], and what the database said; nothing is stored then.
pub async fn evaluate(
    asked: &Asked<'_>,
    version: Version,
    clock: &dyn Clock,
) -> Result<Summary, EngineError> {
    evaluate_with(asked, version, &mut Memory::default(), clock).await
}

/// The same with what is remembered of earlier versions, so that only what changed is asked again.
///
/// # Errors
///
/// As [`evaluate`]; nothing is remembered then.
pub async fn evaluate_with(
    asked: &Asked<'_>,
    version: Version,
    memory: &mut Memory,
    clock: &dyn Clock,
) -> Result<Summary, EngineError> {
    let ground = asked.store.finding_ground().await?;
    if ground.evaluated.is_some_and(|evaluated| evaluated > version) {
        return Ok(Summary::nothing(version));
    }
    let mut groups: BTreeMap<Option<Version>, Vec<&Watched>> = BTreeMap::new();
    for rule in asked.rules {
        let state = ground.rules.iter().find(|state| state.rule == rule.key());
        let since = state.map(|state| state.version).or(ground.evaluated).filter(|since| *since <= version);
        if state.is_some_and(|state| state.version >= version) && rule.looks_at_changes() {
            // It has seen them.
            continue;
        }
        groups.entry(since).or_default().push(rule);
    }
    let mut runs = Vec::new();
    for (since, rules) in groups {
        runs.push(run(asked, &ground, (version, since), &rules, memory, clock).await?);
    }
    let judged: Vec<Judged<'_>> = runs
        .iter_mut()
        .flat_map(|(changes, evaluations)| {
            let changes: &[Change] = changes;
            evaluations.drain(..).map(move |(rule, evaluation)| Judged { rule, evaluation, changes })
        })
        .collect();
    settle(asked, &judged, version, clock).await
}

type Run<'r> = (Vec<Change>, Vec<(&'r Watched, Evaluation)>);

/// Evaluates rules that look at the same changes.
async fn run<'r>(
    asked: &Asked<'_>,
    known: &FindingGround,
    (version, since): (Version, Option<Version>),
    rules: &[&'r Watched],
    memory: &mut Memory,
    clock: &dyn Clock,
) -> Result<Run<'r>, EngineError> {
    let settings = Settings {
        as_of: Some(AsOf::Version(version)),
        account_name: asked.account_name.map(ToOwned::to_owned),
        ..Settings::at(clock.now())
    };
    let ground = match since {
        None => open(asked, &settings, Since::Before).await?,
        Some(since) => match open(asked, &settings, Since::After(AsOf::Version(since))).await {
            // That version is not kept any more; what is kept is looked at.
            Err(EngineError::Store(StoreError::NoVersion { .. })) => {
                open(asked, &settings, Since::Before).await?
            }
            opened => opened?,
        },
    };
    let ground = ground.remembering(std::mem::take(memory)).await?;
    let changes = asked.store.changes(ground.since, version).await?;
    let mut evaluations = Vec::new();
    for rule in rules {
        let previous = previous(known, rule.key());
        evaluations.push((*rule, rule.evaluate(&ground, previous.as_ref()).await?));
    }
    *memory = ground.into_memory();
    Ok((changes, evaluations))
}

async fn open(asked: &Asked<'_>, settings: &Settings, since: Since) -> Result<Ground, EngineError> {
    Ground::open(asked.store, settings.clone(), since, asked.limits, asked.folder).await
}

/// What the evaluation before found; none where there was none.
fn previous(known: &FindingGround, rule: &str) -> Option<BTreeSet<String>> {
    known.rules.iter().find(|state| state.rule == rule)?;
    let there = known.findings.iter().filter(|finding| {
        finding.rule == rule && finding.missing.is_none() && finding.state != FindingState::Resolved
    });
    Some(there.map(|finding| finding.fingerprint.clone()).collect())
}

/// Compares and stores, anew where somebody wrote of findings in between.
async fn settle(
    asked: &Asked<'_>,
    judged: &[Judged<'_>],
    version: Version,
    clock: &dyn Clock,
) -> Result<Summary, EngineError> {
    let watched: HashSet<&str> = asked.rules.iter().map(Watched::key).collect();
    for _ in 0..MOST_TRIES {
        let ground = asked.store.finding_ground().await?;
        if ground.evaluated.is_some_and(|evaluated| evaluated > version) {
            return Ok(Summary::nothing(version));
        }
        let mut outcome = compare(judged, &watched, &ground, version, clock.now());
        complete(asked, judged, &mut outcome, version).await?;
        outcome.evaluated.deliveries = deliveries(asked, judged, &outcome, version, clock);
        let mut summary = summary(judged, &ground, &outcome, version);
        let evaluated = &outcome.evaluated;
        if evaluated.version.is_none() && evaluated.findings.is_empty() && evaluated.rules.is_empty() {
            return Ok(summary);
        }
        if asked.store.keep_evaluation(evaluated).await? {
            summary.stored = true;
            return Ok(summary);
        }
    }
    Err(StoreError::Busy { doing: "keeping findings" }.into())
}

/// Completes findings that came or came back.
async fn complete(
    asked: &Asked<'_>,
    judged: &[Judged<'_>],
    outcome: &mut Outcome,
    version: Version,
) -> Result<(), EngineError> {
    let opened: BTreeSet<usize> = outcome
        .news
        .iter()
        .filter(|(_, event)| matches!(event, FindingEvent::Opened | FindingEvent::Reopened))
        .map(|(place, _)| *place)
        .collect();
    let mut news = Vec::new();
    for (place, finding) in outcome.evaluated.findings.iter_mut().enumerate() {
        if opened.contains(&place) {
            let of = judged.iter().find(|one| one.rule.key() == finding.rule);
            news.push((finding, of.map_or(&[][..], |one| one.changes)));
        }
    }
    enrich(asked.store, version, news).await
}

/// What is to be told, and to whom.
fn deliveries(
    asked: &Asked<'_>,
    judged: &[Judged<'_>],
    outcome: &Outcome,
    version: Version,
    clock: &dyn Clock,
) -> Vec<metsuke_store::NewDelivery> {
    let at = outcome.evaluated.at.unwrap_or_else(|| clock.now());
    let told = (version, at, asked.connector);
    let mut deliveries = Vec::new();
    for (place, event) in &outcome.news {
        if let Some(finding) = outcome.evaluated.findings.get(*place) {
            deliveries.extend(route::finding(asked.channels, &News { finding, event: *event }, told));
        }
    }
    for one in outcome.acting.iter().filter_map(|place| judged.get(*place)) {
        if one.evaluation.state == State::Fired {
            deliveries.extend(route::actions(asked.channels, &one.evaluation, told));
        }
    }
    deliveries
}

fn summary(judged: &[Judged<'_>], ground: &FindingGround, outcome: &Outcome, version: Version) -> Summary {
    let why = |one: &Judged<'_>| match &one.evaluation.state {
        State::NotObservable { why } | State::Unsettled { why } | State::Failed { why } => {
            Some((one.rule.key().to_owned(), why.clone()))
        }
        State::Fired | State::Clear => None,
    };
    let count =
        |wanted: &[FindingEvent]| outcome.news.iter().filter(|(_, event)| wanted.contains(event)).count();
    let written: BTreeMap<&str, FindingState> =
        outcome.evaluated.findings.iter().map(|row| (&*row.fingerprint, row.state)).collect();
    let there = |state: FindingState| state != FindingState::Resolved;
    let kept =
        ground.findings.iter().filter(|row| !written.contains_key(&*row.fingerprint) && there(row.state));
    Summary {
        version,
        rules: judged.len(),
        unjudged: judged.iter().filter_map(why).collect(),
        opened: count(&[FindingEvent::Opened, FindingEvent::Reopened]),
        resolved: count(&[FindingEvent::Resolved]),
        standing: kept.count() + written.values().filter(|state| there(**state)).count(),
        deliveries: outcome.evaluated.deliveries.len(),
        stored: false,
    }
}
