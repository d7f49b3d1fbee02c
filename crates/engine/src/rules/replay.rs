//! How often a rule would have fired, had it been there all the while: asked of the versions that are kept.
//!
//! A rule for changes is held against every entry of the change log of that time. Any other is evaluated on some versions, for
//! laying out an earlier one takes time; what came and went between two of them is not seen.
//!
//! Invariant: what could not be looked at is told, and is never taken for a time at which the rule was clear.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use metsuke_model::{AsOf, Changes, Moment, Version};
use metsuke_store::{Store, SyncRow};
use serde::Serialize;
use tokio::time::{Instant, timeout};

use super::evaluate::{changes_found, evaluate};
use super::shipped::{Detection, Values};
use super::{Ground, Instance, Limits, Since, State};
use crate::EngineError;
use crate::query::Settings;

/// Names that are told of one version.
const NAMED: usize = 5;

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How far one looks back, in days.
    pub days: u32,
    /// The most versions that are laid out.
    pub versions: usize,
    /// The most entries of the change log that a rule for changes is held against.
    pub changes: u64,
    /// The longest time that it takes.
    pub time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { days: 90, versions: 12, changes: 200_000, time: Duration::from_secs(10) }
    }
}

/// What is looked back on.
#[derive(Debug)]
pub enum Replayed<'r> {
    /// A shipped detection with these values.
    Shipped(&'static Detection, &'r Values),
    /// A rule of somebody's own, kept or not.
    Own(&'r Instance),
}

/// How often a rule would have fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// How far one looked back, in days.
    pub days: u32,
    /// The moment that one looked back to.
    pub since: Moment,
    /// Versions of that time that are kept.
    pub kept: usize,
    /// How many of them were looked at.
    pub looked_at: usize,
    /// The most that are looked at; null for a rule for changes, which is held against all of them.
    pub most: Option<usize>,
    /// There was no time for more.
    pub out_of_time: bool,
    /// How often it would have fired: once for each subject that was found where it was not found before.
    pub fired: usize,
    /// How many of them were there in the first version that was looked at.
    pub at_first: usize,
    /// What was found in each version that was looked at, newest first; of a rule for changes, where anything was.
    pub versions: Vec<Seen>,
    /// Why it could not be judged, where it could not.
    pub why: Option<String>,
}

/// What was found in one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The version.
    pub version: Version,
    /// When it was read.
    pub at: Moment,
    /// How many subjects were found; null where it could not be judged.
    pub found: Option<usize>,
    /// How many of them were not found in the version before that was looked at.
    pub new: usize,
    /// The names of the first of these.
    pub names: Vec<String>,
    /// Why it could not be judged.
    pub why: Option<String>,
}

/// Looks back on a store's versions; nothing is kept and nobody is told.
///
/// # Errors
///
/// [`EngineError::NoVersion`], and what the database said.
pub async fn replay(
    store: &Store,
    rule: Replayed<'_>,
    bounds: Bounds,
    settings: &Settings,
) -> Result<Replay, EngineError> {
    let since = Moment(settings.now.0 - i64::from(bounds.days) * 86_400_000_000);
    let oldest = store.oldest_version().await?;
    let mut runs = store.syncs(u32::MAX).await?;
    runs.retain(|run| run.status.is_version() && run.version >= oldest);
    runs.sort_by_key(|run| run.version);
    // What was so at the beginning is that of the version that was the newest then.
    let first = runs.iter().rposition(|run| run.finished_at < since).unwrap_or(0);
    runs.drain(..first);
    let Some(newest) = runs.last() else { return Err(EngineError::NoVersion) };
    let end = Instant::now() + bounds.time;
    let mut told = Replay {
        days: bounds.days,
        since,
        kept: runs.len(),
        looked_at: 0,
        most: None,
        out_of_time: false,
        fired: 0,
        at_first: 0,
        versions: Vec::new(),
        why: None,
    };
    let of_changes = match rule {
        Replayed::Shipped(detection, _) => detection.change().is_some(),
        Replayed::Own(rule) => {
            let from = &rule.subject.from;
            rule.change.is_some() && (from.is_empty() || from.iter().any(|name| **name == *"changes"))
        }
    };
    if of_changes {
        let begun = begins(&runs, bounds.changes);
        let newest = newest.version;
        let runs = runs.split_off(begun);
        let before = runs.first().map_or(newest, |run| run.version);
        let found = timeout(bounds.time, in_changes(store, &rule, (before, newest), settings)).await;
        match found {
            Ok(found) => told.take_changes(&runs, found?),
            Err(_) => told.out_of_time = true,
        }
        return Ok(told);
    }
    told.most = Some(bounds.versions);
    let chosen = spread(&runs, bounds.versions);
    let mut sets: Vec<(&SyncRow, Result<Found, String>)> = Vec::new();
    // The newest first, so that what there is no time for is the oldest.
    for run in chosen.iter().rev() {
        let left = end.saturating_duration_since(Instant::now());
        match timeout(left, on_version(store, &rule, run.version, settings)).await {
            Ok(found) => sets.push((run, found?)),
            Err(_) => {
                told.out_of_time = true;
                break;
            }
        }
    }
    told.take_versions(sets);
    Ok(told)
}

/// What a rule found, by the subjects' fingerprints with their names.
type Found = Vec<(String, String)>;

/// At most so many of these, the first and the last among them, and as far from each other as can be.
fn spread(runs: &[SyncRow], most: usize) -> Vec<&SyncRow> {
    let last = runs.len().saturating_sub(1);
    let steps = most.max(2) - 1;
    if last <= steps {
        return runs.iter().collect();
    }
    (0..=steps).filter_map(|step| runs.get((step * last + steps / 2) / steps)).collect()
}

/// Where the newest of these begin that have no more than so many changes together, behind the first of them.
fn begins(runs: &[SyncRow], most: u64) -> usize {
    let mut changes = 0_u64;
    let fits = |run: &&SyncRow| {
        let Changes { added, removed, changed } = run.changes;
        changes = changes.saturating_add(added).saturating_add(removed).saturating_add(changed);
        changes <= most
    };
    // The first one's own changes came before the time that is looked back on.
    let fitting = runs.iter().skip(1).rev().take_while(fits).count();
    runs.len().saturating_sub(fitting + 1)
}

async fn on_version(
    store: &Store,
    rule: &Replayed<'_>,
    version: Version,
    settings: &Settings,
) -> Result<Result<Found, String>, EngineError> {
    // An earlier version is laid out in a file, which goes before the next one comes.
    let folder = tempfile::tempdir().map_err(|source| EngineError::Scratch { source })?;
    let settings = Settings { as_of: Some(AsOf::Version(version)), ..settings.clone() };
    let ground = Ground::open(store, settings, Since::Before, Limits::default(), folder.path()).await?;
    let evaluation = match rule {
        Replayed::Shipped(detection, values) => detection.evaluate(&ground, values, None).await?,
        Replayed::Own(rule) => evaluate(rule, &ground, None).await,
    };
    Ok(match evaluation.state {
        State::Fired => {
            let subjects = evaluation.subjects.into_iter();
            Ok(subjects.map(|subject| (subject.fingerprint, subject.name)).collect())
        }
        State::Clear => Ok(Vec::new()),
        State::NotObservable { why } | State::Unsettled { why } | State::Failed { why } => Err(why),
    })
}

/// The entries that a rule for changes looks for, by their versions; or why it could not be judged.
async fn in_changes(
    store: &Store,
    rule: &Replayed<'_>,
    (before, newest): (Version, Version),
    settings: &Settings,
) -> Result<Result<Vec<(Version, String)>, String>, EngineError> {
    if before == newest {
        return Ok(Err("there is no earlier version to compare with yet".to_owned()));
    }
    let folder = tempfile::tempdir().map_err(|source| EngineError::Scratch { source })?;
    let since = Since::After(AsOf::Version(before));
    let ground = Ground::open(store, settings.clone(), since, Limits::default(), folder.path()).await?;
    Ok(match rule {
        Replayed::Own(rule) => changes_found(rule, &ground).await,
        Replayed::Shipped(detection, values) => match detection.settled(&ground, values).await? {
            Ok((rule, _)) => changes_found(&rule, &ground).await,
            Err(state) => Err(match state {
                State::NotObservable { why } | State::Unsettled { why } | State::Failed { why } => why,
                State::Fired | State::Clear => String::new(),
            }),
        },
    })
}

impl Replay {
    fn take_changes(&mut self, runs: &[SyncRow], found: Result<Vec<(Version, String)>, String>) {
        self.looked_at = runs.len();
        let found = match found {
            Ok(found) => found,
            Err(why) => {
                self.why = Some(why);
                return;
            }
        };
        self.fired = found.len();
        for run in runs.iter().rev() {
            let of: Vec<&String> =
                found.iter().filter(|(version, _)| *version == run.version).map(|(_, name)| name).collect();
            if of.is_empty() {
                continue;
            }
            self.versions.push(Seen {
                version: run.version,
                at: run.finished_at,
                found: Some(of.len()),
                new: of.len(),
                names: of.into_iter().take(NAMED).cloned().collect(),
                why: None,
            });
        }
    }

    /// Takes what was found in some versions, newest first.
    fn take_versions(&mut self, sets: Vec<(&SyncRow, Result<Found, String>)>) {
        self.looked_at = sets.len();
        let mut before: Option<BTreeSet<String>> = None;
        let mut lines = Vec::new();
        for (run, found) in sets.into_iter().rev() {
            let (found, why) = match found {
                Ok(found) => (Some(found), None),
                Err(why) => (None, Some(why)),
            };
            let news: Vec<&(String, String)> = found
                .iter()
                .flatten()
                .filter(|(print, _)| before.as_ref().is_none_or(|before| !before.contains(print)))
                .collect();
            let (new, names) = (news.len(), news.iter().take(NAMED).map(|(_, name)| name.clone()).collect());
            if found.is_some() && before.is_none() {
                self.at_first = new;
            }
            self.fired += new;
            lines.push(Seen {
                version: run.version,
                at: run.finished_at,
                found: found.as_ref().map(Vec::len),
                new,
                names,
                why,
            });
            if let Some(found) = found {
                before = Some(found.into_iter().map(|(print, _)| print).collect());
            }
        }
        if before.is_none() {
            self.why = lines.last().and_then(|line| line.why.clone());
        }
        lines.reverse();
        self.versions = lines;
    }
}
