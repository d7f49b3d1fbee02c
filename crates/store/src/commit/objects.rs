//! Compares the listed objects with the known ones and writes what differs.
//!
//! Invariant: an object that was not listed is only marked gone where the coverage proves it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use metsuke_model::record::{App, Invitation, UnresolvedMember};
use metsuke_model::{Cell, ColumnType, Coverage, HerokuId, Kind, Record, Value};

use super::Writer;
use super::{hash, heads};
use crate::StoreError;
use crate::connection::Bind;
use crate::history::{ChangeKind, differing};
use crate::objects::{document, read};

impl Writer {
    /// Takes all listed objects of one kind. Hints are known by little more than their id: they say that the object is
    /// there, and are written only where it was not known.
    pub(super) async fn apply_objects<T: Record + Sync>(
        &mut self,
        mut records: Vec<T>,
        hints: Vec<T>,
        coverage: &Coverage,
    ) -> Result<(), StoreError> {
        for hint in hints {
            match self.heads.find_mut(T::KIND, hint.id()).filter(|head| head.gone.is_none()) {
                Some(head) => head.seen = true,
                None => records.push(hint),
            }
        }
        if T::KIND == Kind::User && !coverage.proves_gone(T::KIND, None) {
            self.fill_gaps(&mut records).await?;
        }
        let written = self.classify(&records);
        if !written.is_empty() {
            self.heads.touch(T::KIND);
            let references = self.resolve(&records, &written).await?;
            self.log_changes(&records, &written).await?;
            self.write_lines::<T>(&records, &written).await?;
            self.write_columns(&records, &written, &references).await?;
        }
        self.mark_gone(T::KIND, coverage).await
    }

    /// Where not every source was read, a property that no source told keeps its known value.
    async fn fill_gaps<T: Record>(&mut self, records: &mut [T]) -> Result<(), StoreError> {
        let mut places = HashMap::new();
        for (index, record) in records.iter().enumerate() {
            let head = self.heads.find(T::KIND, record.id());
            if let Some(head) = head.filter(|head| head.gone.is_none() && head.hash != hash::content(record))
            {
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
    fn classify<T: Record + Sync>(&mut self, records: &[T]) -> Vec<Written> {
        let mut listed: Vec<(usize, &T, u64)> = records
            .iter()
            .enumerate()
            .zip(hash::contents(records))
            .map(|((index, record), hash)| (index, record, hash))
            .collect();
        listed.sort_by(|left, right| left.1.id().cmp(right.1.id()));
        listed.dedup_by(|left, right| left.1.id() == right.1.id());
        let mut written = Vec::new();
        let mut new = Vec::new();
        let mut heads = self.heads.sorted_mut(T::KIND).iter_mut().peekable();
        for (index, record, hash) in listed {
            while heads.next_if(|head| head.uuid < *record.id()).is_some() {}
            let Some(head) = heads.next_if(|head| head.uuid == *record.id()) else {
                new.push((index, hash));
                continue;
            };
            head.seen = true;
            let back = head.gone.take();
            if back.is_some() || head.hash != hash {
                let change = if back.is_some() { ChangeKind::Added } else { ChangeKind::Changed };
                written.push(Written { index, dense: head.id, change, had_columns: back != Some(0) });
            }
            head.hash = hash;
        }
        let ids = new.iter().filter_map(|(index, hash)| Some((records.get(*index)?.id().clone(), *hash)));
        let first = self.heads.add_sorted(T::KIND, ids);
        let change = ChangeKind::Added;
        let added = new.iter().zip(first..).map(|((index, _), dense)| Written {
            index: *index,
            dense,
            change,
            had_columns: false,
        });
        written.extend(added);
        for entry in &written {
            match entry.change {
                ChangeKind::Added => self.changes.added += 1,
                ChangeKind::Changed => self.changes.changed += 1,
                ChangeKind::Removed => {}
            }
        }
        written
    }

    /// Finds what the records refer to, in the order of their reference cells. What was never listed gets an id.
    async fn resolve<T: Record>(
        &mut self,
        records: &[T],
        written: &[Written],
    ) -> Result<Vec<i64>, StoreError> {
        let kinds = T::KIND.columns().iter().filter_map(|column| match column.column_type {
            ColumnType::Reference(kind) => Some(kind),
            _ => None,
        });
        let kinds: Vec<Kind> = kinds.collect();
        let (mut found, mut stubs) = (Vec::with_capacity(written.len() * kinds.len()), Vec::new());
        for record in
            written.iter().filter_map(|entry| records.get(entry.index)).filter(|_| !kinds.is_empty())
        {
            let mut kinds = kinds.iter();
            for (column, cell) in T::KIND.columns().iter().zip(record.cells()) {
                let ColumnType::Reference(_) = column.column_type else { continue };
                let Some(kind) = kinds.next() else { continue };
                found.push(match cell {
                    Cell::Reference(id) => self.heads.dense(*kind, id).unwrap_or_else(|| {
                        stubs.push((*kind, id.clone()));
                        self.heads.add(*kind, id.clone(), 0, Some(0))
                    }),
                    _ => 0,
                });
            }
        }
        let (heads, version) = (&self.heads, self.version);
        let rows =
            stubs.iter().filter_map(|(kind, id)| Some(heads::row(*kind, heads.find(*kind, id)?, version)));
        self.connection.insert("adding objects", (OBJECT_HEAD, OBJECT_TAIL), rows).await?;
        Ok(found)
    }

    /// Writes the change rows; a first version needs none, for everything in it came with it.
    async fn log_changes<T: Record>(&mut self, records: &[T], written: &[Written]) -> Result<(), StoreError> {
        if self.first {
            return Ok(());
        }
        let known: Vec<i64> =
            written.iter().filter(|entry| entry.had_columns).map(|entry| entry.dense).collect();
        let before: HashMap<i64, _> = read::<T>(&mut self.connection, &known)
            .await?
            .into_iter()
            .map(|stored| (stored.dense, document(&stored.record)))
            .collect();
        let mut rows = Vec::with_capacity(written.len());
        for entry in written {
            let Some(record) = records.get(entry.index) else { continue };
            let (before, after) = before
                .get(&entry.dense)
                .map(|before| differing(before, &document(record)))
                .unwrap_or_default();
            rows.push(change_row(self.version, entry.dense, entry.change, &before, &after));
        }
        self.connection.insert("logging changes", (CHANGE_HEAD, ""), rows).await
    }

    /// Writes the `object` rows of what is new or back.
    async fn write_lines<T: Record>(&mut self, records: &[T], written: &[Written]) -> Result<(), StoreError> {
        let (heads, version) = (&self.heads, self.version);
        let rows = written.iter().filter(|entry| entry.change == ChangeKind::Added).filter_map(|entry| {
            let head = heads.find(T::KIND, records.get(entry.index)?.id())?;
            Some(heads::row(T::KIND, head, version))
        });
        self.connection.insert("writing objects", (OBJECT_HEAD, OBJECT_TAIL), rows).await
    }

    async fn write_columns<T: Record>(
        &mut self,
        records: &[T],
        written: &[Written],
        references: &[i64],
    ) -> Result<(), StoreError> {
        // Equal documents are most often one shared text: its address finds it without comparing texts.
        let mut documents: HashMap<*const u8, &Arc<str>> = HashMap::new();
        for record in written.iter().filter_map(|entry| records.get(entry.index)) {
            documents.entry(record.properties().as_ptr()).or_insert_with(|| record.properties());
        }
        let interned = self.intern(documents.values().copied()).await?;
        let by_address: HashMap<*const u8, i64> = documents
            .iter()
            .filter_map(|(address, document)| Some((*address, *interned.get(&***document)?)))
            .collect();
        let mut references = references.iter().copied();
        let rows = written.iter().filter_map(|entry| {
            let record = records.get(entry.index)?;
            let mut row = Vec::with_capacity(T::KIND.columns().len() + 2);
            row.push(entry.dense.into());
            for (column, cell) in T::KIND.columns().iter().zip(record.cells()) {
                row.push(match (cell, column.column_type) {
                    (_, ColumnType::Reference(_)) => Bind::Int(references.next().filter(|id| *id != 0)),
                    (Cell::Int(number), _) => number.into(),
                    (Cell::Text(text), _) => text.into(),
                    (Cell::Null, ColumnType::Text) => Bind::Text(None),
                    (Cell::Null | Cell::Reference(_), _) => Bind::Int(None),
                });
            }
            row.push(Bind::Int(by_address.get(&record.properties().as_ptr()).copied()));
            Some(row)
        });
        let (head, tail) = upsert(T::KIND);
        self.connection.insert("writing properties", (&head, &tail), rows).await
    }

    /// Gives every distinct document of properties an id, and writes the new ones.
    async fn intern<'t>(
        &mut self,
        documents: impl Iterator<Item = &'t Arc<str>>,
    ) -> Result<HashMap<&'t str, i64>, StoreError> {
        let texts: HashSet<&str> = documents.map(|document| &**document).collect();
        let mut wanted: Vec<(i64, &str)> = texts.into_iter().map(|text| (hash::text(text), text)).collect();
        wanted.sort_unstable();
        let hashes: Vec<i64> = wanted.iter().map(|(hash, _)| *hash).collect();
        let mut known = HashMap::new();
        let select = ("SELECT id, hash FROM properties WHERE hash IN (", ")");
        self.connection
            .each_in("looking up properties", select, &hashes, |row| {
                known.insert(row.number(1)?, row.number(0)?);
                Ok(())
            })
            .await?;
        let (mut rows, mut ids) = (Vec::new(), HashMap::with_capacity(wanted.len()));
        for (hash, text) in wanted {
            let id = known.get(&hash).copied().unwrap_or_else(|| {
                self.next_properties += 1;
                rows.push(vec![self.next_properties.into(), hash.into(), text.into()]);
                self.next_properties
            });
            ids.insert(text, id);
        }
        let head = "INSERT INTO properties (id, hash, document) ";
        self.connection.insert("writing properties", (head, ""), rows).await?;
        Ok(ids)
    }

    /// Marks what was there, was not listed, and is proved to be no more.
    async fn mark_gone(&mut self, kind: Kind, coverage: &Coverage) -> Result<(), StoreError> {
        let unseen: Vec<i64> =
            self.heads.present(kind).filter(|head| !head.seen).map(|head| head.id).collect();
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
        for head in self.heads.sorted_mut(kind).iter_mut().filter(|head| gone.contains(&head.id)) {
            head.gone = Some(version);
        }
        if !gone.is_empty() {
            self.heads.touch(kind);
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
        self.heads.find(kind, id).is_none_or(|head| head.gone.is_some())
    }

    /// The teams that apps, invitations and unresolved members belong to, by dense ids.
    async fn parents(&mut self, kind: Kind, ids: &[i64]) -> Result<HashMap<i64, i64>, StoreError> {
        let head = match kind {
            App::KIND => "SELECT id, team FROM app WHERE team IS NOT NULL AND id IN (",
            Invitation::KIND => "SELECT id, team FROM invitation WHERE team IS NOT NULL AND id IN (",
            UnresolvedMember::KIND => {
                "SELECT id, team FROM unresolved_member WHERE team IS NOT NULL AND id IN ("
            }
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
    dense: i64,
    change: ChangeKind,
    /// An earlier version has columns of it.
    had_columns: bool,
}

const OBJECT_HEAD: &str = "INSERT INTO object (id, kind, uuid, since, gone) ";
/// What was only referred to (gone since 0) has been there since it was first listed.
const OBJECT_TAIL: &str = " ON CONFLICT (id) DO UPDATE
    SET since = CASE WHEN object.gone = 0 THEN excluded.since ELSE object.since END, gone = excluded.gone";
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

/// Sources spell one e-mail address in different cases; another source is no change of the address.
fn only_case_differs(cell: Cell<'_>, known: Cell<'_>) -> bool {
    matches!((cell, known), (Cell::Text(text), Cell::Text(known)) if text.contains('@') && text.eq_ignore_ascii_case(known))
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
        .map(|(cell, known)| {
            owned(if cell == Cell::Null || only_case_differs(cell, known) { known } else { cell })
        })
        .collect();
    let bare = &**record.properties() == "{}";
    let properties = if bare { known.properties() } else { record.properties() };
    T::from_values(record.id().clone(), values, Arc::clone(properties))
}
