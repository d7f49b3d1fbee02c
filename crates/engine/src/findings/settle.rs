//! Compares what rules found with what is known of findings, and stores what follows.
//!
//! Invariant: what was worked out from a state of the findings is stored upon that very state, or not at all.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use metsuke_model::finding::{FindingEvent, FindingState};
use metsuke_model::{Clock, Version};
use metsuke_store::{
    FindingGround, FindingRow, FindingStanding, NewDelivery, RuleStateRow, StoreError, WantedFindings,
};

use super::compare::{About, Judged, Outcome, Part, compare};
use super::enrich::enrich;
use super::evaluate::{Asked, Summary, Which};
use super::failing::UNJUDGED;
use super::watched::Watched;
use crate::EngineError;
use crate::alerts::{News, route};
use crate::rules::State;

/// How often findings are compared anew because somebody wrote of findings meanwhile.
const MOST_TRIES: usize = 8;

/// What rules found, and what it was found upon.
pub(super) struct Found<'f> {
    /// Rules that were worked out.
    pub(super) judged: Vec<Judged<'f>>,
    /// Rules that find what they found when they were stored.
    pub(super) same: Vec<&'f Watched>,
    standing: &'f FindingStanding,
}

impl<'f> Found<'f> {
    /// Nothing yet.
    pub(super) const fn upon(standing: &'f FindingStanding) -> Self {
        Self { judged: Vec::new(), same: Vec::new(), standing }
    }

    /// How many subjects are held.
    pub(super) fn subjects(&self) -> usize {
        self.judged.iter().map(|one| one.evaluation.subjects.len()).sum()
    }

    /// The rule that was worked out last, where it found more than so many subjects and may be told in parts.
    pub(super) fn take_much(&mut self, most: usize) -> Option<Judged<'f>> {
        self.judged.pop_if(|last| last.is_told_in_parts(most))
    }

    /// Whether what was known of these rules is still so.
    fn holds(&self, now: &FindingStanding) -> bool {
        let keys = self.judged.iter().map(|one| one.rule.key());
        let keys: HashSet<&str> = keys.chain(self.same.iter().map(|rule| rule.key())).collect();
        let of = |standing: &'f FindingStanding| of_rules(standing, &keys);
        let open = |standing: &FindingStanding, rule: &Watched| standing.open.get(rule.key()).copied();
        of_rules(now, &keys).eq(of(self.standing))
            && self.same.iter().all(|rule| open(now, rule) == open(self.standing, rule))
    }
}

/// What came of some rules.
fn of_rules<'s>(
    standing: &'s FindingStanding,
    keys: &HashSet<&str>,
) -> impl Iterator<Item = &'s RuleStateRow> {
    standing.rules.iter().filter(|state| keys.contains(&*state.rule))
}

/// What came of storing.
pub(super) enum Settled {
    /// It is stored, or there was nothing to store; with the edition of the findings that are as the rules say.
    Stored(Summary, i64),
    /// A newer version was evaluated.
    Outdated,
    /// The rules are to be looked at once more, because somebody else evaluated meanwhile.
    Otherwise,
}

/// Compares and stores, anew where somebody wrote of findings in between. `last`: nothing more of the version follows;
/// `paths_left`: of how many more findings that are news the paths are looked up.
pub(super) async fn settle(
    asked: &Asked<'_>,
    found: &Found<'_>,
    (version, last): (Version, bool),
    paths_left: &mut usize,
    clock: &dyn Clock,
) -> Result<Settled, EngineError> {
    let watched: HashSet<&str> = asked.rules.iter().map(Watched::key).collect();
    for _ in 0..MOST_TRIES {
        let wanted = wanted(&found.judged, &watched, clock.now());
        let ground = asked.store.finding_ground(&wanted).await?;
        drop(wanted);
        if ground.standing.evaluated.is_some_and(|evaluated| evaluated > version) {
            return Ok(Settled::Outdated);
        }
        if !found.holds(&ground.standing) {
            return Ok(Settled::Otherwise);
        }
        let about = About { watched: &watched, version, now: clock.now(), last };
        let mut outcome = compare((&found.judged, &found.same), &ground, about);
        if matches!(asked.of, Which::These(_)) {
            outcome.evaluated.version = None;
        }
        let mut left = *paths_left;
        complete(asked, &found.judged, &mut outcome, (version, &mut left)).await?;
        outcome.evaluated.deliveries = deliveries(asked, &found.judged, &outcome, version, clock);
        let mut summary = summary(found, &ground, &outcome, version);
        let evaluated = &outcome.evaluated;
        if evaluated.version.is_none() && evaluated.findings.is_empty() && evaluated.rules.is_empty() {
            return Ok(Settled::Stored(summary, ground.standing.edition));
        }
        if asked.store.keep_evaluation(evaluated).await? {
            summary.stored = true;
            *paths_left = left;
            return Ok(Settled::Stored(summary, ground.standing.edition + 1));
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
    let (mut rules, mut part, mut fingerprints, mut said) = (Vec::new(), None, Vec::new(), HashMap::new());
    for one in judged {
        match &one.touched {
            Some(touched) if one.part == Part::All => fingerprints.extend(touched.iter().map(String::as_str)),
            touched => {
                rules.push(one.rule.key());
                said.extend(one.said());
                part = touched.as_ref().map(|touched| (one.rule.key(), touched)).or(part);
            }
        }
    }
    if judged.iter().any(|one| one.rule.tells_of_failure()) {
        rules.push(UNJUDGED);
    }
    WantedFindings { rules, part, fingerprints, said, watched, now }
}

/// Completes findings that came or came back.
async fn complete(
    asked: &Asked<'_>,
    judged: &[Judged<'_>],
    outcome: &mut Outcome,
    (version, paths_left): (Version, &mut usize),
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
            news.push((finding, of.map(|one| &*one.log)));
        }
    }
    outcome.evaluated.who = enrich(asked.store, version, news, paths_left).await?;
    Ok(())
}

/// What is to be told, and to whom.
fn deliveries(
    asked: &Asked<'_>,
    judged: &[Judged<'_>],
    outcome: &Outcome,
    version: Version,
    clock: &dyn Clock,
) -> Vec<NewDelivery> {
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

fn summary(found: &Found<'_>, ground: &FindingGround, outcome: &Outcome, version: Version) -> Summary {
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
    let before = |row: &&FindingRow| written.contains_key(&*row.fingerprint) && there(row.state);
    let stood: usize = ground.standing.open.values().map(|open| open.count).sum();
    let stood_of_these = ground.findings.iter().filter(before).count();
    let stand_of_these = written.values().filter(|state| there(**state)).count();
    Summary {
        version,
        rules: found.judged.iter().filter(|one| !matches!(one.part, Part::Further { .. })).count()
            + found.same.len(),
        unjudged: found.judged.iter().filter_map(why).collect(),
        opened: count(&[FindingEvent::Opened, FindingEvent::Reopened]),
        resolved: count(&[FindingEvent::Resolved]),
        standing: (stood + stand_of_these).saturating_sub(stood_of_these),
        deliveries: outcome.evaluated.deliveries.len(),
        stored: false,
    }
}
