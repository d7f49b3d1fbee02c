//! Evaluates a version: runs the rules, compares with the findings that are known, and stores what follows.
//!
//! Rules that find much are stored before the next ones are looked at, and a rule that finds more than that in parts, so that
//! not everything is held at once.
//!
//! Invariant: a finding, its rule's state and the deliveries that follow are stored in one transaction, the mark of the version
//! with the last of them; evaluating a version again changes nothing, and ends what was begun.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use metsuke_model::{AsOf, Clock, Version};
use metsuke_store::{FindingStanding, RuleStateRow, Store, StoreError};

use super::compare::{Judged, Part};
use super::enrich::MOST_PATHS;
use super::settle::{Found, Settled, settle};
use super::touch::Log;
use super::watched::{Pace, Watched};
use crate::EngineError;
use crate::alerts::Channel;
use crate::query::Settings;
use crate::rules::{Again, Ground, Limits, Memory, Since};

/// How often an evaluation is begun anew because somebody else evaluated meanwhile.
const MOST_TRIES: usize = 8;
/// Findings that may be written, on the way and at the end, before the database is tidied up.
const UNTIDY: usize = 10_000;
const UNTIDY_AT_LAST: usize = 1_000;

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
    /// That of a version of which nothing is evaluated yet, or any more.
    pub(super) const fn nothing(version: Version) -> Self {
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

    /// What the next part of the same evaluation came to as well.
    fn and(self, next: Self) -> Self {
        Self {
            version: next.version,
            rules: self.rules + next.rules,
            unjudged: self.unjudged.into_iter().chain(next.unjudged).collect(),
            opened: self.opened + next.opened,
            resolved: self.resolved + next.resolved,
            standing: next.standing,
            deliveries: self.deliveries + next.deliveries,
            stored: self.stored || next.stored,
        }
    }
}

/// Evaluates a version. An older one than was evaluated before gives nothing.
///
/// # Errors
///
/// [`EngineError::NoVersion`], and what the database said; what was found by rules that were stored before stays.
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
        let mut run = Run::new(asked, &standing, version, clock);
        match run.all(memory).await? {
            Settled::Stored(summary, _) => return Ok(summary),
            Settled::Outdated => return Ok(Summary::nothing(version)),
            Settled::Otherwise => {}
        }
    }
    Err(StoreError::Busy { doing: "keeping findings" }.into())
}

/// One go at all rules.
pub(super) struct Run<'r> {
    pub(super) asked: &'r Asked<'r>,
    pub(super) standing: &'r FindingStanding,
    states: HashMap<&'r str, &'r RuleStateRow>,
    version: Version,
    clock: &'r dyn Clock,
    /// What is not stored yet.
    found: Found<'r>,
    /// What was stored.
    pub(super) summary: Summary,
    /// Of how many more findings that are news the paths are looked up.
    paths_left: usize,
    /// The entries that the rules looked at last.
    log: Arc<Log>,
    /// Findings that were written since the database was last tidied up.
    untidy: usize,
}

impl<'r> Run<'r> {
    fn new(
        asked: &'r Asked<'r>,
        standing: &'r FindingStanding,
        version: Version,
        clock: &'r dyn Clock,
    ) -> Self {
        let states = standing.rules.iter().map(|state| (&*state.rule, state)).collect();
        let (found, summary) = (Found::upon(standing), Summary::nothing(version));
        let log = Arc::new(Log::of(Arc::default()));
        Self {
            asked,
            standing,
            states,
            version,
            clock,
            found,
            summary,
            paths_left: MOST_PATHS,
            log,
            untidy: 0,
        }
    }

    /// Evaluates every rule, those together that look at the same changes, and stores what they find.
    async fn all(&mut self, memory: &mut Memory) -> Result<Settled, EngineError> {
        for (since, rules) in self.groups() {
            let ground = self.ground(since).await?.remembering(std::mem::take(memory)).await?;
            for rule in rules {
                self.judge(rule, &ground).await?;
                if self.found.subjects() <= self.asked.limits.most_held {
                    continue;
                }
                match self.store_much(&ground).await? {
                    Settled::Stored(..) => {}
                    other => {
                        *memory = ground.into_memory();
                        return Ok(other);
                    }
                }
            }
            *memory = ground.into_memory();
        }
        let settled = self.store(true).await?;
        if let Settled::Stored(_, edition) = settled {
            memory.stored_with(edition);
        }
        self.tidy_up(UNTIDY_AT_LAST).await;
        Ok(settled)
    }

    /// The rules that are evaluated, by the version after which they look at changes.
    fn groups(&self) -> BTreeMap<Option<Version>, Vec<&'r Watched>> {
        let mut groups: BTreeMap<Option<Version>, Vec<&'r Watched>> = BTreeMap::new();
        for rule in self.asked.rules.iter().filter(|rule| self.asked.of.wants(rule)) {
            let state = self.states.get(rule.key());
            let before = state.map(|state| state.version).or(self.standing.evaluated);
            let since = before.filter(|since| *since <= self.version);
            let has_seen_them = state.is_some_and(|state| state.version >= self.version);
            if !(has_seen_them && rule.looks_at_changes()) {
                groups.entry(since).or_default().push(rule);
            }
        }
        groups
    }

    /// The version, with the changes since another.
    async fn ground(&self, since: Option<Version>) -> Result<Ground, EngineError> {
        let Some(since) = since else { return self.open(Since::Before).await };
        match self.open(Since::After(AsOf::Version(since))).await {
            // That version is not kept any more; what is kept is looked at.
            Err(EngineError::Store(StoreError::NoVersion { .. })) => self.open(Since::Before).await,
            opened => opened,
        }
    }

    async fn open(&self, since: Since) -> Result<Ground, EngineError> {
        let asked = self.asked;
        let settings = Settings {
            as_of: Some(AsOf::Version(self.version)),
            account_name: asked.account_name.map(ToOwned::to_owned),
            ..Settings::at(self.clock.now())
        };
        Ground::open(asked.store, settings, since, asked.limits, asked.folder).await
    }

    /// The entries that a ground looks at, which all rules of it share.
    fn log_of(&mut self, ground: &Ground) -> Arc<Log> {
        let changes = ground.changes();
        if !self.log.is_of(&changes) {
            self.log = Arc::new(Log::of(changes));
        }
        Arc::clone(&self.log)
    }

    /// Evaluates a rule, as far as it is not known.
    async fn judge(&mut self, rule: &'r Watched, ground: &Ground) -> Result<(), EngineError> {
        let state = self.states.get(rule.key()).copied();
        let known = state.is_some_and(|state| is_known(rule, state, self.standing, ground));
        let previous = match state {
            Some(_) if rule.new_only() => Some(self.asked.store.found_last(rule.key()).await?),
            _ => None,
        };
        let (evaluation, touched) = match rule.again(ground, previous.as_ref(), known).await? {
            Again::Same => {
                self.found.same.push(rule);
                return Ok(());
            }
            Again::Touched(evaluation, touched) => (evaluation, Some(touched)),
            Again::Whole(evaluation) => (evaluation, None),
        };
        let log = self.log_of(ground);
        self.found.judged.push(Judged { rule, evaluation, log, touched, part: Part::All });
        Ok(())
    }

    /// Stores what was found since the last time, that of the last rule in parts where it is much by itself.
    async fn store_much(&mut self, ground: &Ground) -> Result<Settled, EngineError> {
        let much = self.found.take_much(self.asked.limits.most_held);
        let settled = self.store(false).await?;
        let Settled::Stored(_, edition) = settled else { return Ok(settled) };
        ground.stored(edition);
        let Some(much) = much else { return Ok(settled) };
        let rule = much.rule;
        let settled = self.in_parts(much).await?;
        if let Settled::Stored(_, edition) = settled {
            ground.stored_of(rule.key(), edition);
        }
        Ok(settled)
    }

    /// Stores what was found since the last time; `last`: nothing more of the version follows.
    async fn store(&mut self, last: bool) -> Result<Settled, EngineError> {
        let found = std::mem::replace(&mut self.found, Found::upon(self.standing));
        self.settled(&found, last).await
    }

    /// Stores what was found, and adds it up.
    pub(super) async fn settled(&mut self, found: &Found<'_>, last: bool) -> Result<Settled, EngineError> {
        let settled =
            settle(self.asked, found, (self.version, last), &mut self.paths_left, self.clock).await?;
        Ok(match settled {
            Settled::Stored(part, edition) => {
                self.untidy += part.opened + part.resolved;
                self.tidy_up(UNTIDY).await;
                let before = std::mem::replace(&mut self.summary, Summary::nothing(self.version));
                self.summary = before.and(part);
                Settled::Stored(self.summary.clone(), edition)
            }
            other => other,
        })
    }

    /// Tidies the database up if so much was written: what others read meanwhile may keep the database from doing so by itself,
    /// for as long as they follow one another, and everybody reads more slowly then.
    async fn tidy_up(&mut self, most: usize) {
        if self.untidy > most {
            self.untidy = 0;
            self.asked.store.settle().await;
        }
    }
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
