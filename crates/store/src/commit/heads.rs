//! What the database knows of every object, in short: its dense id, its content's hash, whether it is still there.
//!
//! It is kept packed, a document for each kind, so that a sync need not read every object's row to learn that nothing changed.
//!
//! Invariant: the packed lines say the same as the `object` table.

use std::collections::{BTreeSet, HashMap};

use metsuke_model::{HerokuId, Kind};

use rustc_hash::FxHashMap;

use crate::StoreError;
use crate::connection::{Bind, Connection};
use crate::packed::{Reader, put};

/// One object's line.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) id: i64,
    pub(super) uuid: HerokuId,
    pub(super) hash: u64,
    /// The version since which it is no more; 0: only ever referred to.
    pub(super) gone: Option<i64>,
    /// This sync listed it.
    pub(super) seen: bool,
}

/// The lines of one kind.
#[derive(Debug, Default)]
struct Lines {
    /// Sorted by Heroku's id, but for stubs that were added since.
    list: Vec<Head>,
    places: FxHashMap<HerokuId, u32>,
    sorted: bool,
    touched: bool,
}

/// Every object's line, found by kind and Heroku's id.
#[derive(Debug, Default)]
pub(super) struct Heads {
    kinds: FxHashMap<Kind, Lines>,
    next_id: i64,
}

impl Lines {
    fn of_sorted(list: Vec<Head>) -> Self {
        let mut lines = Self { list, ..Self::default() };
        lines.index();
        lines
    }

    fn index(&mut self) {
        self.sorted = true;
        self.places = self.list.iter().zip(0..).map(|(head, place)| (head.uuid.clone(), place)).collect();
    }

    fn place(&self, id: &HerokuId) -> Option<usize> {
        self.places.get(id).map(|place| *place as usize)
    }

    fn sort(&mut self) {
        if !self.sorted {
            self.list.sort_by(|left, right| left.uuid.cmp(&right.uuid));
            self.index();
        }
    }
}

impl Heads {
    /// Reads all lines.
    pub(super) async fn load(connection: &mut Connection) -> Result<Self, StoreError> {
        let mut heads = Self { next_id: 1, ..Self::default() };
        let mut packed = Vec::new();
        connection
            .each("reading known objects", "SELECT kind, packed FROM heads", &[], |row| {
                packed.push((row.number(0)?, row.bytes(1)?.unwrap_or_default()));
                Ok(())
            })
            .await?;
        for (number, packed) in packed {
            let damaged = || StoreError::Damaged { what: format!("the packed objects of kind {number}") };
            let kind = Kind::from_number(number).ok_or_else(damaged)?;
            let sorted = unpack(&packed).ok_or_else(damaged)?;
            let highest = sorted.iter().map(|head| head.id).max().unwrap_or(0);
            heads.next_id = heads.next_id.max(highest + 1);
            heads.kinds.insert(kind, Lines::of_sorted(sorted));
        }
        Ok(heads)
    }

    pub(super) fn find(&self, kind: Kind, id: &HerokuId) -> Option<&Head> {
        let lines = self.kinds.get(&kind)?;
        lines.list.get(lines.place(id)?)
    }

    pub(super) fn find_mut(&mut self, kind: Kind, id: &HerokuId) -> Option<&mut Head> {
        let lines = self.kinds.get_mut(&kind)?;
        let place = lines.place(id)?;
        lines.list.get_mut(place)
    }

    /// The dense id of an object that is known, listed or not.
    pub(super) fn dense(&self, kind: Kind, id: &HerokuId) -> Option<i64> {
        self.find(kind, id).map(|head| head.id)
    }

    /// Gives a new object the next dense id.
    pub(super) fn add(&mut self, kind: Kind, id: HerokuId, hash: u64, gone: Option<i64>) -> i64 {
        let dense = self.next_id;
        self.next_id += 1;
        let lines = self.kinds.entry(kind).or_default();
        lines.touched = true;
        lines.sorted = false;
        lines.places.insert(id.clone(), u32::try_from(lines.list.len()).unwrap_or(u32::MAX));
        lines.list.push(Head { id: dense, uuid: id, hash, gone, seen: gone.is_none() });
        dense
    }

    /// Gives many new objects, sorted by Heroku's id, their dense ids; returns the first.
    pub(super) fn add_sorted(&mut self, kind: Kind, new: impl Iterator<Item = (HerokuId, u64)>) -> i64 {
        let first = self.next_id;
        let lines = self.kinds.entry(kind).or_default();
        for (uuid, hash) in new {
            lines.list.push(Head { id: self.next_id, uuid, hash, gone: None, seen: true });
            self.next_id += 1;
        }
        if self.next_id > first {
            lines.sorted = false;
            lines.sort();
        }
        first
    }

    /// The lines of a kind are to be written again.
    pub(super) fn touch(&mut self, kind: Kind) {
        self.kinds.entry(kind).or_default().touched = true;
    }

    /// The lines of the objects of a kind, gone ones included.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Head> {
        self.kinds.get(&kind).into_iter().flat_map(|lines| &lines.list)
    }

    /// The lines of a kind in the order of Heroku's ids, to be walked beside a sorted list.
    pub(super) fn sorted_mut(&mut self, kind: Kind) -> &mut [Head] {
        let lines = self.kinds.entry(kind).or_default();
        lines.sort();
        &mut lines.list
    }

    /// Heroku's ids of all objects of a kind, by dense id.
    pub(super) fn heroku_ids(&self, kind: Kind) -> HashMap<i64, &HerokuId> {
        self.of_kind(kind).map(|head| (head.id, &head.uuid)).collect()
    }

    /// The objects of a kind that are there.
    pub(super) fn present(&self, kind: Kind) -> impl Iterator<Item = &Head> {
        self.of_kind(kind).filter(|head| head.gone.is_none())
    }

    /// Writes the lines of the kinds that were touched.
    pub(super) async fn save(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        let touched: BTreeSet<Kind> =
            self.kinds.iter().filter(|(_, lines)| lines.touched).map(|(kind, _)| *kind).collect();
        let mut rows = Vec::new();
        for kind in touched {
            rows.push(vec![Bind::from(kind.number()), Bind::Bytes(pack(self.sorted_mut(kind)))]);
        }
        let tail = " ON CONFLICT (kind) DO UPDATE SET packed = excluded.packed";
        connection.insert("packing objects", ("INSERT INTO heads (kind, packed) ", tail), rows).await
    }
}

/// The line of an object as the `object` table takes it.
pub(super) fn row(kind: Kind, head: &Head, since: i64) -> Vec<Bind> {
    vec![
        head.id.into(),
        kind.number().into(),
        Bind::Bytes(head.uuid.to_bytes()),
        since.into(),
        Bind::Int(head.gone),
    ]
}

/// Lines, packed: a length-prefixed id, the dense id, the hash, and 0 or 1 + the version since which it is gone.
fn pack(heads: &[Head]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(heads.len() * 30 + 8);
    put(&mut packed, heads.len() as u64);
    for head in heads {
        let uuid = head.uuid.to_bytes();
        put(&mut packed, uuid.len() as u64);
        packed.extend_from_slice(&uuid);
        put(&mut packed, u64::try_from(head.id).unwrap_or(0));
        packed.extend_from_slice(&head.hash.to_le_bytes());
        put(&mut packed, head.gone.map_or(0, |version| u64::try_from(version).unwrap_or(0) + 1));
    }
    packed
}

fn unpack(packed: &[u8]) -> Option<Vec<Head>> {
    let mut reader = Reader::new(packed);
    let count = usize::try_from(reader.number()?).ok()?;
    let mut heads = Vec::with_capacity(count.min(packed.len()));
    for _ in 0..count {
        let length = usize::try_from(reader.number()?).ok()?;
        let uuid = HerokuId::from_bytes(reader.bytes(length)?);
        let id = i64::try_from(reader.number()?).ok()?;
        let hash = u64::from_le_bytes(reader.bytes(8)?.try_into().ok()?);
        let gone = match reader.number()? {
            0 => None,
            version => Some(i64::try_from(version - 1).ok()?),
        };
        heads.push(Head { id, uuid, hash, gone, seen: false });
    }
    reader.is_empty().then_some(heads)
}
