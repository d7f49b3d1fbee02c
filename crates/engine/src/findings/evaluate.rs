//! Evaluates a version: runs the rules, compares with the findings that are known, and stores all of it at once.
//!
//! Invariant: findings, states of rules, the mark of the version and the deliveries that follow are stored in one
//! transaction; evaluating a version again changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use metsuke_model::finding::{FindingEvent, FindingState};
use metsuke_model::{AsOf, Clock, Version};
use metsuke_store::{
    Change, FindingGround, FindingStanding, RuleStateRow, Store, StoreError, WantedFindings,
};

use super::compare::{Judged, Outcome, compare};
use super::enrich::enrich;
use super::failing::UNJUDGED;
use super::watched::{Pace, Watched};
use crate::EngineError;
use crate::alerts::{Channel, News, route};
use crate::query::Settings;
use crate::rules::{Again, Evaluation, Ground, Limits, Memory, Since, State};

/// How often an evaluation is compared anew because somebody wrote of findings meanwhile.
const MOST_TRIES: usize = 8;

/// What is evaluated, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The estate's store.
    pub store: &'a Store,
    /// Every rule that is watched; findings of others end.
    pub rules: &'a [Watched],
    /// Which of them are evaluated.
    pub of: Which<'a>,
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

/// Which rules are evaluated.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// Those that follow a version: all but those that wait until somebody asks.
    Following,
    /// These, by their keys, and no others; nothing is said of a version as a whole.
    These(&'a BTreeSet<String>),
}

impl Which<'_> {
    fn wants(self, rule: &Watched) -> bool {
        match self {
            Self::Following => rule.pace() != Pace::Asked,
            Self::These(keys) => keys.contains(rule.key()),
        }
    }
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
    for _ in 0..MOST_TRIES {
        let standing = asked.store.finding_standing().await?;
        if standing.evaluated.is_some_and(|evaluated| evaluated > version) {
            return Ok(Summary::nothing(version));
        }
        let runs = runs(asked, &standing, version, memory, clock).await?;
        let (mut judged, mut same) = (Vec::new(), Vec::new());
        for (changes, run) in &runs {
            judged.extend(run.judged.iter().map(|(rule, found, touched)| Judged {
                rule,
                evaluation: found,
                changes,
                touched: touched.as_ref(),
            }));
            same.extend(run.same.iter().copied());
        }
        let found = Found { judged: &judged, same: &same, standing: &standing };
        if let Some((summary, edition)) = settle(asked, &found, version, clock).await? {
            edition.into_iter().for_each(|edition| memory.stored_with(edition));
            return Ok(summary);
        }
    }
    Err(StoreError::Busy { doing: "keeping findings" }.into())
}

/// What came of rules that look at the same changes.
#[derive(Default)]
struct Run<'r> {
    /// Rules that were worked out; the last: the subjects of which it tells, where that is not all.
    judged: Vec<(&'r Watched, Evaluation, Option<HashSet<String>>)>,
    /// Rules that find what they found when they were stored.
    same: Vec<&'r Watched>,
}

/// Evaluates every rule, those together that look at the same changes.
async fn runs<'r>(
    asked: &Asked<'r>,
    standing: &FindingStanding,
    version: Version,
    memory: &mut Memory,
    clock: &dyn Clock,
) -> Result<Vec<(Vec<Change>, Run<'r>)>, EngineError> {
    let states: HashMap<&str, &RuleStateRow> =
        standing.rules.iter().map(|state| (&*state.rule, state)).collect();
    let mut groups: BTreeMap<Option<Version>, Vec<&'r Watched>> = BTreeMap::new();
    for rule in asked.rules.iter().filter(|rule| asked.of.wants(rule)) {
        let state = states.get(rule.key());
        let since = state.map(|state| state.version).or(standing.evaluated).filter(|since| *since <= version);
        if state.is_some_and(|state| state.version >= version) && rule.looks_at_changes() {
            // It has seen them.
            continue;
        }
        groups.entry(since).or_default().push(rule);
    }
    let mut runs = Vec::new();
    for (since, rules) in groups {
        runs.push(run(asked, (standing, &states), (version, since), &rules, memory, clock).await?);
    }
    Ok(runs)
}

/// Evaluates rules that look at the same changes.
async fn run<'r>(
    asked: &Asked<'r>,
    (standing, states): (&FindingStanding, &HashMap<&str, &RuleStateRow>),
    (version, since): (Version, Option<Version>),
    rules: &[&'r Watched],
    memory: &mut Memory,
    clock: &dyn Clock,
) -> Result<(Vec<Change>, Run<'r>), EngineError> {
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
    let mut run = Run::default();
    for rule in rules {
        let state = states.get(rule.key()).copied();
        let known = state.is_some_and(|state| is_known(rule, state, standing, &ground));
        let previous = match state {
            Some(_) if rule.new_only() => Some(asked.store.found_last(rule.key()).await?),
            _ => None,
        };
        match rule.again(&ground, previous.as_ref(), known).await? {
            Again::Same => run.same.push(*rule),
            Again::Touched(evaluation, touched) => run.judged.push((*rule, evaluation, Some(touched))),
            Again::Whole(evaluation) => run.judged.push((*rule, evaluation, None)),
        }
    }
    let changes = ground.changes().to_vec();
    *memory = ground.into_memory();
    Ok((changes, run))
}

/// Whether what is stored of a rule's findings came of the very evaluation that is remembered, and nothing of it waits
/// for proof.
fn is_known(rule: &Watched, state: &RuleStateRow, standing: &FindingStanding, ground: &Ground) -> bool {
    let stored = state.document.get("edition").and_then(serde_json::Value::as_i64);
    let missing = standing.open.get(rule.key()).is_some_and(|open| open.missing > 0);
    !rule.new_only()
        && stored.is_some()
        && stored == ground.stored_with(rule.key())
        && !missing
        && state.revision == rule.revision()
        && matches!(&*state.state, "fired" | "clear")
}

async fn open(asked: &Asked<'_>, settings: &Settings, since: Since) -> Result<Ground, EngineError> {
    Ground::open(asked.store, settings.clone(), since, asked.limits, asked.folder).await
}

/// What rules found, and what it was found upon.
struct Found<'f, 'j> {
    judged: &'f [Judged<'j>],
    same: &'f [&'f Watched],
    standing: &'f FindingStanding,
}

/// Compares and stores, anew where somebody wrote of findings in between; with the edition of the findings that are as
/// the rules say. `None` where the rules are to be looked at once more, because somebody else evaluated meanwhile.
async fn settle(
    asked: &Asked<'_>,
    found: &Found<'_, '_>,
    version: Version,
    clock: &dyn Clock,
) -> Result<Option<(Summary, Option<i64>)>, EngineError> {
    let watched: HashSet<&str> = asked.rules.iter().map(Watched::key).collect();
    for _ in 0..MOST_TRIES {
        let wanted = wanted(found.judged, &watched, clock.now());
        let ground = asked.store.finding_ground(&wanted).await?;
        if ground.standing.evaluated.is_some_and(|evaluated| evaluated > version) {
            return Ok(Some((Summary::nothing(version), None)));
        }
        let open = |standing: &FindingStanding, rule: &Watched| standing.open.get(rule.key()).copied();
        let as_before = |rule: &&Watched| open(&ground.standing, rule) == open(found.standing, rule);
        if ground.standing.rules != found.standing.rules || !found.same.iter().all(as_before) {
            return Ok(None);
        }
        let mut outcome = compare((found.judged, found.same), &watched, &ground, version, clock.now());
        if matches!(asked.of, Which::These(_)) {
            outcome.evaluated.version = None;
        }
        complete(asked, found.judged, &mut outcome, version).await?;
        outcome.evaluated.deliveries = deliveries(asked, found.judged, &outcome, version, clock);
        let mut summary = summary(found, &ground, &outcome, version);
        let evaluated = &outcome.evaluated;
        if evaluated.version.is_none() && evaluated.findings.is_empty() && evaluated.rules.is_empty() {
            return Ok(Some((summary, Some(ground.standing.edition))));
        }
        if asked.store.keep_evaluation(evaluated).await? {
            summary.stored = true;
            return Ok(Some((summary, Some(ground.standing.edition + 1))));
        }
    }
    Err(StoreError::Busy { doing: "keeping findings" }.into())
}

/// Which findings are to be known.
fn wanted<'w>(
    judged: &'w [Judged<'w>],
    watched: &'w HashSet<&'w str>,
    now: metsuke_model::Moment,
) -> WantedFindings<'w> {
    let (mut rules, mut fingerprints, mut said) = (Vec::new(), Vec::new(), HashMap::new());
    for one in judged {
        match one.touched {
            Some(touched) => fingerprints.extend(touched.iter().map(String::as_str)),
            None => {
                rules.push(one.rule.key());
                said.extend(one.said());
            }
        }
    }
    if judged.iter().any(|one| one.rule.tells_of_failure()) {
        rules.push(UNJUDGED);
    }
    WantedFindings { rules, fingerprints, said, watched, now }
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

fn summary(found: &Found<'_, '_>, ground: &FindingGround, outcome: &Outcome, version: Version) -> Summary {
    let why = |one: &Judged<'_>| match &one.evaluation.state {
        State::NotObservable { why } | State::Unsettled { why } | State::Failed { why } => {
            Some((one.rule.key().to_owned(), why.clone()))
        }
        State::Fired | State::Clear => None,
    };
    let count =
        |wanted: &[FindingEvent]| outcome.news.iter().filter(|(_, event)| wanted.contains(event)).count();
    let there = |state: FindingState| state != FindingState::Resolved;
    let written: BTreeMap<&str, FindingState> =
        outcome.evaluated.findings.iter().map(|row| (&*row.fingerprint, row.state)).collect();
    let before =
        |row: &&metsuke_store::FindingRow| written.contains_key(&*row.fingerprint) && there(row.state);
    let stood: usize = ground.standing.open.values().map(|open| open.count).sum();
    let stood_of_these = ground.findings.iter().filter(before).count();
    let stand_of_these = written.values().filter(|state| there(**state)).count();
    Summary {
        version,
        rules: found.judged.len() + found.same.len(),
        unjudged: found.judged.iter().filter_map(why).collect(),
        opened: count(&[FindingEvent::Opened, FindingEvent::Reopened]),
        resolved: count(&[FindingEvent::Resolved]),
        standing: (stood + stand_of_these).saturating_sub(stood_of_these),
        deliveries: outcome.evaluated.deliveries.len(),
        stored: false,
    }
}
