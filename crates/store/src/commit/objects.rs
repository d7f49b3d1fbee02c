//! Compares the listed objects with the known ones and writes what differs.
//!
//! Invariant: an object that was not listed is only marked gone where the coverage proves it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use metsuke_model::record::{App, Invitation, UnresolvedMember};
use metsuke_model::{Cell, ColumnType, Coverage, HerokuId, Kind, Record, Value};

use super::Writer;
use super::heads::{self, Head};
use crate::StoreError;
use crate::connection::Bind;
use crate::history::{ChangeKind, differing};
use crate::objects::{document, read};

impl Writer {
    /// Takes all listed objects of one kind. Hints are known by little more than their id: they say that the object is
    /// there, and are written only where it was not known.
    pub(super) async fn apply_objects<T: Record>(
        &mut self,
        mut records: Vec<T>,
        hints: Vec<T>,
        coverage: &Coverage,
    ) -> Result<(), StoreError> {
        for hint in hints {
            let place = self.heads.place(T::KIND, hint.id());
            match place.and_then(|place| self.heads.list.get_mut(place)).filter(|head| head.gone.is_none()) {
                Some(head) => head.seen = true,
                None => records.push(hint),
            }
        }
        records.sort_by(|left, right| left.id().cmp(right.id()));
        records.dedup_by(|left, right| left.id() == right.id());
        if !coverage.proves_gone(T::KIND, None) && T::KIND == Kind::User {
            self.fill_gaps(&mut records).await?;
        }
        let written = self.classify(&records);
        self.add_stubs(&records, &written).await?;
        self.log_changes(&records, &written).await?;
        self.write_lines(&records, &written).await?;
        self.write_columns(&records, &written).await?;
        self.mark_gone(T::KIND, coverage).await
    }

    /// Where not every source was read, a property that no source told keeps its known value.
    async fn fill_gaps<T: Record>(&mut self, records: &mut [T]) -> Result<(), StoreError> {
        let mut places = HashMap::new();
        for (index, record) in records.iter().enumerate() {
            let head = self.heads.place(T::KIND, record.id()).and_then(|place| self.heads.list.get(place));
            if let Some(head) = head.filter(|head| head.gone.is_none() && head.hash != content_hash(record)) {
                places.insert(head.id, index);
            }
        }
        let known: Vec<i64> = places.keys().copied().collect();
        for known in read::<T>(&mut self.connection, &known).await? {
            if let Some(record) = places.get(&known.dense).and_then(|index| records.get_mut(*index)) {
                *record = filled(record, &known.record);
            }
        }
        Ok(())
    }

    /// Finds out which records are new, changed or back, and gives the new ones their ids.
    fn classify<T: Record>(&mut self, records: &[T]) -> Vec<Written> {
        let mut written = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let hash = content_hash(record);
            match self.heads.place(T::KIND, record.id()).and_then(|place| self.heads.list.get_mut(place)) {
                None => {
                    self.heads.add(T::KIND, record.id().clone(), hash, None);
                    written.push(Written { index, change: ChangeKind::Added, had_columns: false });
                }
                Some(head) => {
                    head.seen = true;
                    let back = head.gone.take();
                    if back.is_some() || head.hash != hash {
                        let change = if back.is_some() { ChangeKind::Added } else { ChangeKind::Changed };
                        written.push(Written { index, change, had_columns: back != Some(0) });
                    }
                    head.hash = hash;
                }
            }
        }
        for entry in &written {
            match entry.change {
                ChangeKind::Added => self.changes.added += 1,
                ChangeKind::Changed => self.changes.changed += 1,
                ChangeKind::Removed => {}
            }
        }
        written
    }

    /// Gives ids to objects that are referred to and were never listed.
    async fn add_stubs<T: Record>(&mut self, records: &[T], written: &[Written]) -> Result<(), StoreError> {
        let mut stubs = Vec::new();
        for record in written.iter().filter_map(|entry| records.get(entry.index)) {
            for (column, cell) in T::KIND.columns().iter().zip(record.cells()) {
                if let (ColumnType::Reference(kind), Cell::Reference(id)) = (column.column_type, cell)
                    && self.heads.place(kind, id).is_none()
                {
                    self.heads.add(kind, id.clone(), 0, Some(0));
                    stubs.push((kind, id.clone()));
                }
            }
        }
        let rows: Vec<_> = stubs
            .iter()
            .filter_map(|(kind, id)| Some((self.heads.list.get(self.heads.place(*kind, id)?)?, id)))
            .map(|(head, id)| heads::row(head, id, self.version))
            .collect();
        self.connection.insert("adding objects", (OBJECT_HEAD, OBJECT_TAIL), rows).await
    }

    /// Writes the change rows; a first version needs none, for everything in it came with it.
    async fn log_changes<T: Record>(&mut self, records: &[T], written: &[Written]) -> Result<(), StoreError> {
        if self.first {
            return Ok(());
        }
        let known: Vec<i64> = written
            .iter()
            .filter(|entry| entry.had_columns)
            .filter_map(|entry| self.dense_of(records, entry))
            .collect();
        let before: HashMap<i64, _> = read::<T>(&mut self.connection, &known)
            .await?
            .into_iter()
            .map(|stored| (stored.dense, document(&stored.record)))
            .collect();
        let mut rows = Vec::with_capacity(written.len());
        for entry in written {
            let (Some(record), Some(dense)) = (records.get(entry.index), self.dense_of(records, entry)) else {
                continue;
            };
            let (before, after) = before
                .get(&dense)
                .map(|before| differing(before, &document(record)))
                .unwrap_or_default();
            rows.push(change_row(self.version, dense, entry.change, &before, &after));
        }
        self.connection.insert("logging changes", (CHANGE_HEAD, ""), rows).await
    }

    fn dense_of<T: Record>(&self, records: &[T], entry: &Written) -> Option<i64> {
        records.get(entry.index).and_then(|record| self.heads.dense(T::KIND, record.id()))
    }

    async fn write_lines<T: Record>(&mut self, records: &[T], written: &[Written]) -> Result<(), StoreError> {
        let (heads, version) = (&self.heads, self.version);
        let rows = written.iter().filter_map(|entry| {
            let record = records.get(entry.index)?;
            let head = heads.list.get(heads.place(T::KIND, record.id())?)?;
            Some(heads::row(head, record.id(), version))
        });
        self.connection.insert("writing objects", (OBJECT_HEAD, OBJECT_TAIL), rows).await
    }

    async fn write_columns<T: Record>(&mut self, records: &[T], written: &[Written]) -> Result<(), StoreError> {
        let documents = written.iter().filter_map(|entry| records.get(entry.index)).map(Record::properties);
        self.intern(documents.cloned().collect()).await?;
        let (heads, interned) = (&self.heads, &self.properties);
        let rows = written.iter().filter_map(|entry| {
            let record = records.get(entry.index)?;
            let mut row = vec![heads.dense(T::KIND, record.id())?.into()];
            for (column, cell) in T::KIND.columns().iter().zip(record.cells()) {
                row.push(match (cell, column.column_type) {
                    (Cell::Int(number), _) => number.into(),
                    (Cell::Text(text), _) => text.into(),
                    (Cell::Reference(id), ColumnType::Reference(kind)) => Bind::Int(heads.dense(kind, id)),
                    (Cell::Null, ColumnType::Text) => Bind::Text(None),
                    (Cell::Null | Cell::Reference(_), _) => Bind::Int(None),
                });
            }
            row.push(Bind::Int(interned.get(record.properties()).copied()));
            Some(row)
        });
        let (head, tail) = upsert(T::KIND);
        self.connection.insert("writing properties", (&head, &tail), rows).await
    }

    /// Gives every distinct document of properties an id, and writes the new ones.
    async fn intern(&mut self, documents: HashSet<Arc<str>>) -> Result<(), StoreError> {
        let unknown: HashMap<i64, Arc<str>> = documents
            .into_iter()
            .filter(|document| !self.properties.contains_key(document))
            .map(|document| (text_hash(&document), document))
            .collect();
        let mut hashes: Vec<i64> = unknown.keys().copied().collect();
        hashes.sort_unstable();
        let mut known = HashMap::new();
        let select = ("SELECT id, hash FROM properties WHERE hash IN (", ")");
        self.connection
            .each_in("looking up properties", select, &hashes, |row| {
                known.insert(row.number(1)?, row.number(0)?);
                Ok(())
            })
            .await?;
        let mut rows = Vec::new();
        for hash in hashes {
            let Some(document) = unknown.get(&hash) else { continue };
            let id = known.get(&hash).copied().unwrap_or_else(|| {
                self.next_properties += 1;
                rows.push(vec![self.next_properties.into(), hash.into(), (&**document).into()]);
                self.next_properties
            });
            self.properties.insert(Arc::clone(document), id);
        }
        self.connection.insert("writing properties", ("INSERT INTO properties (id, hash, document) ", ""), rows).await
    }

    /// Marks what was there, was not listed, and is proved to be no more.
    async fn mark_gone(&mut self, kind: Kind, coverage: &Coverage) -> Result<(), StoreError> {
        let unseen: Vec<i64> = self.heads.present(kind).filter(|head| !head.seen).map(|head| head.id).collect();
        if unseen.is_empty() {
            return Ok(());
        }
        let parents = self.parents(kind, &unseen).await?;
        let teams = self.heads.heroku_ids(Kind::Team);
        let gone: HashSet<i64> = unseen
            .into_iter()
            .filter(|id| {
                let parent = parents.get(id).and_then(|parent| teams.get(parent).copied());
                let orphaned = parent.is_some_and(|parent| self.is_gone(Kind::Team, parent));
                coverage.proves_gone(kind, parent) || (orphaned && coverage.proves_orphans_gone(kind))
            })
            .collect();
        let version = self.version;
        for head in self.heads.list.iter_mut().filter(|head| gone.contains(&head.id)) {
            head.gone = Some(version);
        }
        self.changes.removed += gone.len() as u64;
        let mut gone: Vec<i64> = gone.into_iter().collect();
        gone.sort_unstable();
        let change = gone.iter().map(|id| change_row(version, *id, ChangeKind::Removed, "{}", "{}"));
        self.connection.insert("logging changes", (CHANGE_HEAD, ""), change).await?;
        let rows = gone.iter().map(|id| vec![version.into(), Bind::from(*id)]);
        let head = "UPDATE object SET gone = listed.column1 FROM (";
        let tail = ") AS listed WHERE object.id = listed.column2";
        self.connection.insert("marking objects gone", (head, tail), rows).await
    }

    fn is_gone(&self, kind: Kind, id: &HerokuId) -> bool {
        let head: Option<&Head> = self.heads.place(kind, id).and_then(|place| self.heads.list.get(place));
        head.is_none_or(|head| head.gone.is_some())
    }

    /// The teams that apps, invitations and unresolved members belong to, by dense ids.
    async fn parents(&mut self, kind: Kind, ids: &[i64]) -> Result<HashMap<i64, i64>, StoreError> {
        let head = match kind {
            App::KIND => "SELECT id, team FROM app WHERE team IS NOT NULL AND id IN (",
            Invitation::KIND => "SELECT id, team FROM invitation WHERE team IS NOT NULL AND id IN (",
            UnresolvedMember::KIND => "SELECT id, team FROM unresolved_member WHERE team IS NOT NULL AND id IN (",
            _ => return Ok(HashMap::new()),
        };
        let mut parents = HashMap::new();
        self.connection
            .each_in("looking up teams", (head, ")"), ids, |row| {
                parents.insert(row.number(0)?, row.number(1)?);
                Ok(())
            })
            .await?;
        Ok(parents)
    }
}

/// One record that has to be written.
#[derive(Debug)]
pub(super) struct Written {
    index: usize,
    change: ChangeKind,
    /// An earlier version has columns of it.
    had_columns: bool,
}

const OBJECT_HEAD: &str = "INSERT INTO object (id, kind, uuid, hash, since, gone) ";
const OBJECT_TAIL: &str = " ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, gone = excluded.gone";
const CHANGE_HEAD: &str = "INSERT INTO object_change (version, object_id, change, before, after) ";

fn change_row(version: i64, id: i64, change: ChangeKind, before: &str, after: &str) -> Vec<Bind> {
    vec![version.into(), id.into(), change.number().into(), before.into(), after.into()]
}

/// The two ends of a kind's upsert, from the catalogue's words.
fn upsert(kind: Kind) -> (String, String) {
    let names: Vec<&str> = kind.columns().iter().map(|column| column.name).chain(["properties"]).collect();
    let head = format!("INSERT INTO {} (id, {}) ", kind.table(), names.join(", "));
    let assignments: Vec<String> = names.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    (head, format!(" ON CONFLICT (id) DO UPDATE SET {}", assignments.join(", ")))
}

/// The record, with the known value wherever it has none.
fn filled<T: Record>(record: &T, known: &T) -> T {
    let owned = |cell: Cell<'_>| match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => Value::Int(number),
        Cell::Text(text) => Value::Text(text.into()),
        Cell::Reference(id) => Value::Reference(id.clone()),
    };
    let values = record
        .cells()
        .into_iter()
        .zip(known.cells())
        .map(|(cell, known)| owned(if cell == Cell::Null { known } else { cell }))
        .collect();
    let bare = &**record.properties() == "{}";
    let properties = if bare { known.properties() } else { record.properties() };
    T::from_values(record.id().clone(), values, Arc::clone(properties))
}

/// A hash over everything that Heroku sent of an object; equal hashes mean that nothing changed.
fn content_hash<T: Record>(record: &T) -> i64 {
    let mut hasher = blake3::Hasher::new();
    for cell in record.cells() {
        match cell {
            Cell::Null => hasher.update(&[0]),
            Cell::Int(number) => hasher.update(&[1]).update(&number.to_le_bytes()),
            Cell::Text(text) => hasher.update(&[2]).update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes()),
            Cell::Reference(id) => {
                let bytes = id.to_bytes();
                hasher.update(&[3]).update(&(bytes.len() as u64).to_le_bytes()).update(&bytes)
            }
        };
    }
    hasher.update(record.properties().as_bytes());
    shortened(hasher.finalize())
}

fn text_hash(text: &str) -> i64 {
    shortened(blake3::hash(text.as_bytes()))
}

/// The first 64 bits of a hash.
fn shortened(hash: blake3::Hash) -> i64 {
    let bytes = hash.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
    i64::from_le_bytes(bytes)
}
