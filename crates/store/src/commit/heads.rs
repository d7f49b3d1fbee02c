//! What the database knows of every object, in short: its dense id, its content's hash, whether it is still there.
//!
//! It is kept packed so that a sync need not read every object's row to learn that nothing changed: a document for
//! each kind, and small ones with the lines that changed since, until they are worth a new one of all.
//!
//! Invariant: the packed lines say the same as the objects' tables.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher as _;
use std::thread;

use hashbrown::HashTable;
use metsuke_model::{HerokuId, Kind};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::connection::{Bind, Connection};
use crate::packed::{Reader, put};
use crate::{StoreError, dense};

/// Changed lines are kept apart until they are one in so many.
const WORTH_PACKING: usize = 8;

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
    /// It is not what the database has of it.
    pub(super) changed: bool,
}

/// The lines of one kind.
#[derive(Debug, Default)]
struct Lines {
    list: Vec<Head>,
    /// Where in the list an id stands.
    places: HashTable<u32>,
    /// How many changed lines stand in parts of their own.
    apart: usize,
    /// The highest number that was given.
    last: i64,
}

/// Every object's line, found by kind and Heroku's id.
#[derive(Debug, Default)]
pub(super) struct Heads {
    kinds: FxHashMap<Kind, Lines>,
}

fn hash(id: &HerokuId) -> u64 {
    FxBuildHasher.hash_one(id)
}

impl Lines {
    fn place(&self, id: &HerokuId) -> Option<usize> {
        let found = |place: &u32| self.list.get(*place as usize).is_some_and(|head| head.uuid == *id);
        self.places.find(hash(id), found).map(|place| *place as usize)
    }

    /// Adds a line whose id is not in the list.
    fn push(&mut self, head: Head) {
        let place = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let list = &self.list;
        let rehash = |place: &u32| list.get(*place as usize).map_or(0, |head| hash(&head.uuid));
        self.places.insert_unique(hash(&head.uuid), place, rehash);
        self.last = self.last.max(dense::number(head.id));
        self.list.push(head);
    }

    fn reserve(&mut self, more: usize) {
        self.list.reserve(more);
        let list = &self.list;
        self.places.reserve(more, |place| list.get(*place as usize).map_or(0, |head| hash(&head.uuid)));
    }

    /// Reads what was packed: all lines, then those that changed since.
    fn unpack(parts: &[Vec<u8>]) -> Option<Self> {
        let (all, later) = parts.split_first()?;
        let all = unpack(all)?;
        let mut lines = Self::default();
        lines.reserve(all.len());
        for head in all {
            lines.push(head);
        }
        for part in later {
            let part = unpack(part)?;
            lines.apart += part.len();
            for head in part {
                match lines.place(&head.uuid).and_then(|place| lines.list.get_mut(place)) {
                    Some(known) => *known = head,
                    None => lines.push(head),
                }
            }
        }
        Some(lines)
    }
}

impl Heads {
    /// Reads all lines.
    pub(super) async fn load(connection: &mut Connection) -> Result<Self, StoreError> {
        let mut parts: BTreeMap<i64, Vec<Vec<u8>>> = BTreeMap::new();
        let sql = "SELECT kind, packed FROM heads ORDER BY kind, part";
        connection
            .each("reading known objects", sql, &[], |row| {
                parts.entry(row.number(0)?).or_default().push(row.bytes(1)?.unwrap_or_default());
                Ok(())
            })
            .await?;
        // The kinds are unpacked side by side.
        let lines: Vec<_> = thread::scope(|scope| {
            let started: Vec<_> =
                parts.iter().map(|(kind, parts)| (*kind, scope.spawn(|| Lines::unpack(parts)))).collect();
            started.into_iter().map(|(kind, unpacking)| (kind, unpacking.join().ok().flatten())).collect()
        });
        let mut heads = Self::default();
        for (number, lines) in lines {
            let damaged = || StoreError::Damaged { what: format!("the packed objects of kind {number}") };
            let kind = Kind::from_number(number).ok_or_else(damaged)?;
            heads.kinds.insert(kind, lines.ok_or_else(damaged)?);
        }
        Ok(heads)
    }

    pub(super) fn find(&self, kind: Kind, id: &HerokuId) -> Option<&Head> {
        let lines = self.kinds.get(&kind)?;
        lines.list.get(lines.place(id)?)
    }

    /// The place of an object's line, for [`at_mut`](Self::at_mut).
    pub(super) fn place(&self, kind: Kind, id: &HerokuId) -> Option<u32> {
        self.kinds.get(&kind)?.place(id).and_then(|place| u32::try_from(place).ok())
    }

    /// The line at a place.
    pub(super) fn at_mut(&mut self, kind: Kind, place: u32) -> Option<&mut Head> {
        self.kinds.get_mut(&kind)?.list.get_mut(place as usize)
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
        let lines = self.kinds.entry(kind).or_default();
        let dense = dense::id(lines.last + 1, kind);
        lines.push(Head { id: dense, uuid: id, hash, gone, seen: gone.is_none(), changed: true });
        dense
    }

    /// Makes room for many new objects of a kind.
    pub(super) fn reserve(&mut self, kind: Kind, more: usize) {
        self.kinds.entry(kind).or_default().reserve(more);
    }

    /// The lines of the objects of a kind, gone ones included.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Head> {
        self.kinds.get(&kind).into_iter().flat_map(|lines| &lines.list)
    }

    /// The same, to be changed.
    pub(super) fn of_kind_mut(&mut self, kind: Kind) -> impl Iterator<Item = &mut Head> {
        self.kinds.get_mut(&kind).into_iter().flat_map(|lines| &mut lines.list)
    }

    /// Heroku's ids of all objects of a kind, by dense id.
    pub(super) fn heroku_ids(&self, kind: Kind) -> HashMap<i64, &HerokuId> {
        self.of_kind(kind).map(|head| (head.id, &head.uuid)).collect()
    }

    /// The objects of a kind that are there.
    pub(super) fn present(&self, kind: Kind) -> impl Iterator<Item = &Head> {
        self.of_kind(kind).filter(|head| head.gone.is_none())
    }

    /// Writes the lines that changed: as a part of this version, or all of a kind where many have.
    pub(super) async fn save(&self, connection: &mut Connection, version: i64) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for kind in Kind::ALL {
            let Some(lines) = self.kinds.get(&kind) else { continue };
            let changed: Vec<&Head> = lines.list.iter().filter(|head| head.changed).collect();
            if changed.is_empty() {
                continue;
            }
            let (part, packed) = if (lines.apart + changed.len()) * WORTH_PACKING > lines.list.len() {
                let sql = "DELETE FROM heads WHERE kind = $1";
                connection.execute("packing objects", sql, &[kind.number().into()]).await?;
                (0, pack(lines.list.iter()))
            } else {
                (version, pack(changed.into_iter()))
            };
            rows.push([Bind::from(kind.number()), part.into(), Bind::Bytes(packed)]);
        }
        connection.insert("packing objects", ("INSERT INTO heads (kind, part, packed) ", ""), rows).await
    }
}

/// Lines, packed: a length-prefixed id, the dense id, the hash, and 0 or 1 + the version since which it is gone.
fn pack<'h>(heads: impl ExactSizeIterator<Item = &'h Head>) -> Vec<u8> {
    let mut packed = Vec::with_capacity(heads.len() * 32 + 8);
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
        heads.push(Head { id, uuid, hash, gone, seen: false, changed: false });
    }
    reader.is_empty().then_some(heads)
}
