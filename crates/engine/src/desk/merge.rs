//! Lists of all estates as one, the newest rows first.
//!
//! Each estate's own list is in its own order; here the newest of their next rows comes next.
//!
//! Invariant: read on from the place of each page, no row comes twice and none is left out, whatever is added meanwhile.

use std::collections::{BTreeMap, VecDeque};

use metsuke_model::Moment;

use super::{Estate, Listing, Place, Placed};
use crate::EngineError;

/// A list whose rows have a time.
pub trait Timed: Listing {
    /// When a row was written.
    fn at(&self, row: &Self::Row) -> Moment;
}

/// Part of a list of all estates.
#[derive(Clone, Debug)]
pub struct Merged<R, K> {
    /// Its rows.
    pub rows: Vec<Placed<R>>,
    /// How far each estate was read; none at the end.
    pub next: Option<Vec<Place<K>>>,
}

/// What is left of one estate's rows.
struct Source<R, K> {
    estate: Estate,
    rows: VecDeque<R>,
    /// Behind which row it goes on.
    key: Option<K>,
}

/// At most `count` rows of all these estates behind the places of an earlier page.
///
/// # Errors
///
/// What the database said.
pub async fn merged<L: Timed>(
    listing: &L,
    estates: Vec<Estate>,
    after: Vec<Place<L::Key>>,
    count: usize,
) -> Result<Merged<L::Row, L::Key>, EngineError> {
    let mut after: BTreeMap<String, L::Key> =
        after.into_iter().map(|place| (place.connector, place.key)).collect();
    let mut sources = Vec::new();
    for estate in estates {
        let key = after.remove(estate.place());
        // One more than asked for tells whether there is more.
        let (_, rows) = listing.read(&estate, key.as_ref(), count + 1).await?;
        sources.push(Source { estate, rows: rows.into(), key });
    }
    sources.sort_by(|one, other| one.estate.place().cmp(other.estate.place()));
    let mut rows = Vec::new();
    while rows.len() < count {
        let ahead = |source: &Source<L::Row, L::Key>| source.rows.front().map(|row| listing.at(row));
        let best = sources.iter().map(ahead).max().flatten();
        let Some(source) = sources.iter_mut().find(|source| best.is_some() && ahead(source) == best) else {
            break;
        };
        if let Some(row) = source.rows.pop_front() {
            source.key = Some(listing.key(&row));
            rows.push(Placed { connector: source.estate.connector.clone(), version: None, row });
        }
    }
    let more = sources.iter().any(|source| !source.rows.is_empty());
    let places = sources.into_iter().filter_map(|source| {
        let connector = source.estate.place().to_owned();
        source.key.map(|key| Place { connector, key })
    });
    Ok(Merged { rows, next: more.then(|| places.collect()) })
}
