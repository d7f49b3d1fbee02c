//! Lists kept in memory for as long as somebody browses them: sorted by any column, narrowed as one types, begun at any row.
//!
//! What a line says, and by what it is found, is [`lists`](crate::lists)'s to say.
//!
//! Invariant: a shelf holds the lines of fixed versions and is never changed; another version is another shelf. At most
//! [`KEPT`] are kept, the least used one goes first.

use std::any::{Any, TypeId};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use metsuke_model::{AsOf, Counts, HerokuId, Moment, ScopeReport, Version};
use serde::{Deserialize, Serialize};

use super::ready::Wants;
use super::{Desk, Estate, Placed};
use crate::EngineError;
use crate::lists::{BrowsedLine, Narrowing, Rank};

/// Shelves that are kept.
const KEPT: usize = 8;

/// Which version of an estate was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// The connector's id; none for what was synced into the main database by hand.
    pub connector: Option<String>,
    /// What the connector is called.
    pub name: String,
    /// The version.
    pub version: Version,
    /// When its sync ended.
    pub at: Moment,
    /// Listings that could not be read.
    pub gaps: u64,
    /// Whether it is the newest one.
    pub newest: bool,
    /// What is in it.
    pub counts: Counts,
}

/// What is looked for in a list.
#[derive(Clone, Debug, Default)]
pub struct Browse {
    /// The connector, by name or id; none for all.
    pub connector: Option<String>,
    /// The version or time; none for the newest.
    pub as_of: Option<AsOf>,
    /// Words that must all occur, whatever their case.
    pub text: String,
    /// Filters and the value of each.
    pub filters: Vec<(String, String)>,
    /// The column to sort by; empty for the usual one.
    pub sort: String,
    /// The last ones first.
    pub descending: bool,
}

/// Where a browsed list goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    rank: Rank,
    connector: String,
    id: HerokuId,
}

/// Part of a browsed list.
#[derive(Clone, Debug)]
pub struct Browsed<L> {
    /// Its rows.
    pub rows: Vec<Placed<L>>,
    /// Where it goes on; none at its end.
    pub next: Option<Bookmark>,
    /// Its first row; the rows before it are those behind it in the other order.
    pub first: Option<Bookmark>,
    /// How many rows fit what is looked for.
    pub fitting: usize,
    /// How many rows there are.
    pub all: usize,
    /// The versions that it stands in.
    pub readings: Vec<Reading>,
}

/// The shelves of an installation.
#[derive(Clone, Default)]
pub(super) struct Shelves {
    kept: Arc<Mutex<Kept>>,
    /// Held while a shelf is filled, so that many who come at once fill it once.
    filling: Arc<tokio::sync::Mutex<()>>,
    gaps: Arc<Mutex<HashMap<(String, Version), u64>>>,
    /// What was browsed of newest versions.
    pub(super) asked: Wants,
}

type Label = (TypeId, Vec<(String, Version)>);

#[derive(Default)]
struct Kept {
    shelves: Vec<(Label, Arc<dyn Any + Send + Sync>)>,
}

impl fmt::Debug for Shelves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelves").finish_non_exhaustive()
    }
}

impl Kept {
    /// The shelf with this label, which is then the last to go.
    fn take<L: BrowsedLine>(&mut self, label: &Label) -> Option<Arc<Shelf<L>>> {
        let place = self.shelves.iter().position(|(kept, _)| kept == label)?;
        let found = self.shelves.remove(place);
        let lines = Arc::clone(&found.1).downcast().ok();
        self.shelves.push(found);
        lines
    }

    fn put(&mut self, label: Label, lines: Arc<dyn Any + Send + Sync>) {
        // What was newest and is no more is hardly asked for again.
        if self.shelves.len() >= KEPT {
            self.shelves.remove(0);
        }
        self.shelves.push((label, lines));
    }
}

/// The lines of some versions.
struct Shelf<L> {
    lines: Vec<Placed<L>>,
    /// What each line is found by, in small letters.
    words: Vec<Box<str>>,
    /// The lines' places in the order of each column that was asked for.
    orders: Mutex<HashMap<&'static str, Arc<[u32]>>>,
}

impl<L: BrowsedLine> Shelf<L> {
    fn of(lines: Vec<Placed<L>>) -> Self {
        let words = lines.iter().map(|line| line.row.words().join("\n").to_lowercase().into()).collect();
        Self { lines, words, orders: Mutex::default() }
    }

    fn key(line: &Placed<L>, column: &str) -> Bookmark {
        let connector = line.connector.clone().unwrap_or_default();
        Bookmark { rank: line.row.rank(column), connector, id: line.row.id().clone() }
    }

    fn order(&self, column: &'static str) -> Arc<[u32]> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let sorted = || {
            let count = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
            let keyed = self.lines.iter().zip(0..count).map(|(line, place)| (Self::key(line, column), place));
            let mut keyed: Vec<(Bookmark, u32)> = keyed.collect();
            keyed.sort_unstable_by(|one, other| ascending(&one.0, &other.0));
            keyed.into_iter().map(|(_, place)| place).collect()
        };
        Arc::clone(orders.entry(column).or_insert_with(sorted))
    }

    fn browse(&self, asked: &Browse, after: Option<&Bookmark>, count: usize) -> Browsed<L> {
        let usual = L::COLUMNS.first().copied().unwrap_or_default();
        let column = L::COLUMNS.iter().copied().find(|column| *column == asked.sort).unwrap_or(usual);
        let wanted: Vec<String> = asked.text.split_whitespace().map(str::to_lowercase).collect();
        let narrowings: Vec<Narrowing> =
            asked.filters.iter().map(|(filter, value)| Narrowing::new(filter, value)).collect();
        let fits = |place: &usize| {
            let words = self.words.get(*place).map_or("", |words| words);
            let line = self.lines.get(*place);
            wanted.iter().all(|wanted| words.contains(wanted.as_str()))
                && line.is_some_and(|line| narrowings.iter().all(|narrowing| line.row.fits(narrowing)))
        };
        let order = self.order(column);
        let in_order = order.iter().map(|place| *place as usize);
        let fitting: Vec<usize> = if asked.descending {
            in_order.rev().filter(fits).collect()
        } else {
            in_order.filter(fits).collect()
        };
        let behind = |place: &usize| {
            let (Some(after), Some(line)) = (after, self.lines.get(*place)) else { return true };
            let order = ascending(&Self::key(line, column), after);
            if asked.descending { order == Ordering::Less } else { order == Ordering::Greater }
        };
        let first = fitting.partition_point(|place| !behind(place));
        let shown = fitting.iter().skip(first).take(count).filter_map(|place| self.lines.get(*place));
        let rows: Vec<Placed<L>> = shown.cloned().collect();
        let more = first + rows.len() < fitting.len();
        let next = rows.last().filter(|_| more).map(|last| Self::key(last, column));
        let first = rows.first().map(|first| Self::key(first, column));
        Browsed { rows, next, first, fitting: fitting.len(), all: self.lines.len(), readings: Vec::new() }
    }
}

fn ascending(one: &Bookmark, other: &Bookmark) -> Ordering {
    let rest = || (&one.connector, one.id.to_bytes()).cmp(&(&other.connector, other.id.to_bytes()));
    one.rank.cmp(&other.rank).then_with(rest)
}

impl Desk {
    /// The versions that a question of this connector, or of all, is answered from; an estate without one is left out.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn readings(
        &self,
        connector: Option<&str>,
        as_of: Option<AsOf>,
    ) -> Result<Vec<Reading>, EngineError> {
        let mut readings = Vec::new();
        for estate in self.estates(connector).await? {
            readings.extend(self.reading(&estate, as_of).await?);
        }
        Ok(readings)
    }

    pub(super) async fn reading(
        &self,
        estate: &Estate,
        as_of: Option<AsOf>,
    ) -> Result<Option<Reading>, EngineError> {
        let mut snapshot = match estate.version(as_of).await {
            Ok(Some(snapshot)) => snapshot,
            Ok(None) => return Ok(None),
            Err(error) if error.is_missing_version() => return Ok(None),
            Err(error) => return Err(error),
        };
        let (version, at, counts) =
            (snapshot.sync().version, snapshot.sync().finished_at, snapshot.sync().counts);
        let label = (estate.place().to_owned(), version);
        let known = self.shelves.gaps.lock().unwrap_or_else(PoisonError::into_inner).get(&label).copied();
        let gaps = if let Some(gaps) = known {
            gaps
        } else {
            let gaps = snapshot.scopes().await?.iter().filter(|scope| scope.gap).count() as u64;
            self.shelves.gaps.lock().unwrap_or_else(PoisonError::into_inner).insert(label, gaps);
            gaps
        };
        let newest = snapshot.is_newest();
        let (connector, name) = (estate.connector.clone(), estate.name.clone());
        Ok(Some(Reading { connector, name, version, at, gaps, newest, counts }))
    }

    /// At most `count` rows of what is looked for, behind a bookmark.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn browse<L: BrowsedLine>(
        &self,
        asked: &Browse,
        after: Option<&Bookmark>,
        count: usize,
    ) -> Result<Browsed<L>, EngineError> {
        let mut found = Vec::new();
        for estate in self.estates(asked.connector.as_deref()).await? {
            if let Some(reading) = self.reading(&estate, asked.as_of).await? {
                found.push((estate, reading));
            }
        }
        let lines = self.shelf::<L>(&found).await?;
        if asked.as_of.is_none() {
            self.shelves.asked.note::<L>(asked.connector.as_deref());
        }
        let readings = found.into_iter().map(|(_, reading)| reading).collect();
        Ok(Browsed { readings, ..lines.browse(asked, after, count) })
    }

    /// One version of an estate, and what came of each of its listings.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], [`EngineError::Unknown`] for a version that is not there, and what the database said.
    pub async fn listings(
        &self,
        connector: &str,
        version: Version,
    ) -> Result<(Reading, Vec<ScopeReport>), EngineError> {
        let estate = self.estate(Some(connector)).await?;
        let unknown = || EngineError::Unknown { what: "version", asked: version.to_string() };
        let reading = self.reading(&estate, Some(AsOf::Version(version))).await?.ok_or_else(unknown)?;
        let scopes = estate.store.scopes(reading.version).await?;
        Ok((reading, scopes))
    }

    async fn shelf<L: BrowsedLine>(&self, found: &[(Estate, Reading)]) -> Result<Arc<Shelf<L>>, EngineError> {
        let placed = |(estate, reading): &(Estate, Reading)| (estate.place().to_owned(), reading.version);
        let label: Label = (TypeId::of::<L>(), found.iter().map(placed).collect());
        let kept = || self.shelves.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lines) = kept().take(&label) {
            return Ok(lines);
        }
        let _filling = self.shelves.filling.lock().await;
        if let Some(lines) = kept().take(&label) {
            return Ok(lines);
        }
        let mut lines = Vec::new();
        for (estate, reading) in found {
            let Some(mut snapshot) = estate.version(Some(AsOf::Version(reading.version))).await? else {
                continue;
            };
            let (connector, version) = (estate.connector.clone(), Some(reading.version));
            let from = |row| Placed { connector: connector.clone(), version, row };
            lines.extend(L::all(&mut snapshot).await?.into_iter().map(from));
        }
        let filled = Arc::new(Shelf::of(lines));
        kept().put(label, Arc::clone(&filled) as Arc<dyn Any + Send + Sync>);
        Ok(filled)
    }
}
