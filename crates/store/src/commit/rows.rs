//! Writes the objects that are new, changed or back, with their change log.
//!
//! Of an object that changed only the columns that differ are written: an index on any other is left alone.
//!
//! Invariant: the change log holds every property that a statement here overwrites.

use std::collections::{BTreeMap, HashMap};

use metsuke_model::{Cell, ColumnType, HerokuId, Kind, Record};
use rustc_hash::FxHashMap;

use super::Writer;
use crate::StoreError;
use crate::connection::{Bind, Connection};
use crate::history::{ChangeKind, differing};
use crate::objects::{document, read};

/// How a listed object stands to what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Never seen.
    New,
    /// Only ever referred to.
    Stub,
    /// It was gone.
    Back,
    /// There, with other properties.
    Changed,
}

impl Standing {
    fn change(self) -> ChangeKind {
        if self == Self::Changed { ChangeKind::Changed } else { ChangeKind::Added }
    }
}

/// One record that has to be written.
#[derive(Debug)]
pub(super) struct Written {
    /// Its place among the records.
    pub(super) index: usize,
    pub(super) dense: i64,
    pub(super) standing: Standing,
}

/// A set of columns, one bit for each and one for the properties.
type Columns = u64;

impl Writer {
    /// Writes records of one kind.
    pub(super) async fn write<T: Record>(
        &mut self,
        records: &[T],
        written: &[Written],
    ) -> Result<(), StoreError> {
        if written.is_empty() {
            return Ok(());
        }
        let references = self.resolve(records, written).await?;
        let differs = self.log_changes(records, written).await?;
        for entry in written {
            match entry.standing.change() {
                ChangeKind::Changed if !differs.contains_key(&entry.dense) => {}
                ChangeKind::Changed => self.changes.changed += 1,
                _ => self.changes.added += 1,
            }
        }
        let properties = self.intern_all(records, written).await?;
        let rows = Rows { version: self.version, records, written, references, properties };
        let connection = &mut self.connection;
        let doing = "writing objects";
        let (head, tail) = insert(T::KIND);
        connection.insert(doing, (&head, ""), rows.whole(|standing| standing == Standing::New)).await?;
        let known = |standing| matches!(standing, Standing::Stub | Standing::Back);
        connection.insert(doing, (&head, &tail), rows.whole(known)).await?;
        let mut sets: BTreeMap<Columns, Vec<usize>> = BTreeMap::new();
        for (place, entry) in written.iter().enumerate() {
            if let Some(columns) = differs.get(&entry.dense) {
                sets.entry(*columns).or_default().push(place);
            }
        }
        for (columns, places) in sets {
            let (head, tail) = update(T::KIND, columns);
            connection.insert(doing, (&head, &tail), rows.parts(columns, &places)).await?;
        }
        Ok(())
    }

    /// Finds what the records refer to, in the order of their reference cells. What was never listed gets an id.
    async fn resolve<T: Record>(
        &mut self,
        records: &[T],
        written: &[Written],
    ) -> Result<Vec<i64>, StoreError> {
        let columns = T::KIND.columns();
        let kinds: Vec<(usize, Kind)> = columns
            .iter()
            .enumerate()
            .filter_map(|(place, column)| match column.column_type {
                ColumnType::Reference(kind) => Some((place, kind)),
                _ => None,
            })
            .collect();
        let mut found = Vec::with_capacity(written.len() * kinds.len());
        let mut stubs: BTreeMap<Kind, Vec<(i64, HerokuId)>> = BTreeMap::new();
        if kinds.is_empty() {
            return Ok(found);
        }
        for record in written.iter().filter_map(|entry| records.get(entry.index)) {
            let cells = record.cells();
            for (place, kind) in &kinds {
                found.push(match cells.get(*place) {
                    Some(Cell::Reference(id)) => self.heads.dense(*kind, id).unwrap_or_else(|| {
                        let dense = self.heads.add(*kind, (*id).clone(), 0, Some(0));
                        stubs.entry(*kind).or_default().push((dense, (*id).clone()));
                        dense
                    }),
                    _ => 0,
                });
            }
        }
        for (kind, stubs) in stubs {
            let head = format!("INSERT INTO {} (id, uuid, since, gone, properties) ", kind.table());
            let rows = stubs.into_iter().map(|(dense, id)| {
                [dense.into(), Bind::Bytes(id.to_bytes()), self.version.into(), 0.into(), 0.into()]
            });
            self.connection.insert("writing objects", (&head, ""), rows).await?;
        }
        Ok(found)
    }

    /// Writes the change rows, and tells which columns of the changed records differ. A first version needs no
    /// rows, for everything in it came with it.
    async fn log_changes<T: Record>(
        &mut self,
        records: &[T],
        written: &[Written],
    ) -> Result<HashMap<i64, Columns>, StoreError> {
        let mut differs = HashMap::new();
        if self.first {
            return Ok(differs);
        }
        let had_columns = |entry: &&Written| matches!(entry.standing, Standing::Back | Standing::Changed);
        let known: Vec<i64> = written.iter().filter(had_columns).map(|entry| entry.dense).collect();
        let known: HashMap<i64, T> = read::<T>(&mut self.connection, &known)
            .await?
            .into_iter()
            .map(|stored| (stored.dense, stored.record))
            .collect();
        let mut rows = Vec::with_capacity(written.len());
        for entry in written {
            let Some(record) = records.get(entry.index) else { continue };
            let known = known.get(&entry.dense);
            if entry.standing == Standing::Changed {
                let columns = known.map_or(Columns::MAX, |known| differing_columns(known, record));
                if columns == 0 {
                    continue;
                }
                differs.insert(entry.dense, columns);
            }
            let (before, after) =
                known.map(|known| differing(&document(known), &document(record))).unwrap_or_default();
            rows.push(change_row(self.version, entry.dense, entry.standing.change(), &before, &after));
        }
        self.connection.insert("logging changes", (CHANGE_HEAD, ""), rows).await?;
        Ok(differs)
    }
}

/// The rows of the records that are written, as statements take them.
struct Rows<'r, T> {
    version: i64,
    records: &'r [T],
    written: &'r [Written],
    references: Vec<i64>,
    properties: FxHashMap<usize, i64>,
}

impl<T: Record> Rows<'_, T> {
    /// The values of one record's columns and its properties, in the catalogue's order.
    fn values(&self, place: usize, record: &T) -> impl Iterator<Item = Bind> {
        let width = T::KIND.columns().iter().filter(|column| is_reference(column.column_type)).count();
        let mut references = self.references.iter().skip(place * width).copied();
        let properties = self.properties.get(&record.properties().as_ptr().addr()).copied();
        let cells = T::KIND.columns().iter().zip(record.cells()).map(move |(column, cell)| {
            match (cell, column.column_type) {
                (_, ColumnType::Reference(_)) => Bind::Int(references.next().filter(|id| *id != 0)),
                (Cell::Int(number), _) => number.into(),
                (Cell::Text(text), _) => text.into(),
                (Cell::Null, ColumnType::Text) => Bind::Text(None),
                (Cell::Null | Cell::Reference(_), _) => Bind::Int(None),
            }
        });
        cells.chain([Bind::Int(properties)])
    }

    /// Whole rows of the records that stand so.
    fn whole(&self, wanted: impl Fn(Standing) -> bool) -> impl Iterator<Item = Vec<Bind>> {
        self.written.iter().enumerate().filter(move |(_, entry)| wanted(entry.standing)).filter_map(
            |(place, entry)| {
                let record = self.records.get(entry.index)?;
                let mut row = Vec::with_capacity(T::KIND.columns().len() + 5);
                row.push(entry.dense.into());
                row.push(Bind::Bytes(record.id().to_bytes()));
                row.extend([self.version.into(), Bind::Int(None)]);
                row.extend(self.values(place, record));
                Some(row)
            },
        )
    }

    /// The ids of some records, those of their values that are in the set, and the version.
    fn parts(&self, columns: Columns, places: &[usize]) -> impl Iterator<Item = Vec<Bind>> {
        places.iter().filter_map(move |place| {
            let entry = self.written.get(*place)?;
            let record = self.records.get(entry.index)?;
            let mut row = vec![Bind::from(entry.dense)];
            row.extend(members(columns, self.values(*place, record)));
            row.push(self.version.into());
            Some(row)
        })
    }
}

fn is_reference(column_type: ColumnType) -> bool {
    matches!(column_type, ColumnType::Reference(_))
}

/// Those of the items whose bit is in the set.
fn members<I>(columns: Columns, items: impl Iterator<Item = I>) -> impl Iterator<Item = I> {
    items.enumerate().filter(move |(place, _)| columns >> place & 1 == 1).map(|(_, item)| item)
}

/// The columns in which two records differ; the bit after the last is for the properties.
fn differing_columns<T: Record>(known: &T, record: &T) -> Columns {
    let (old, new) = (known.cells(), record.cells());
    let cells = old.iter().zip(&new).enumerate().filter(|(_, (old, new))| old != new);
    let columns: Columns = cells.map(|(place, _)| 1 << place).sum();
    columns | Columns::from(known.properties() != record.properties()) << new.len()
}

/// The names of a kind's columns, the properties last.
fn names(kind: Kind) -> impl Iterator<Item = &'static str> {
    kind.columns().iter().map(|column| column.name).chain(["properties"])
}

/// The two ends of a kind's insert, from the catalogue's words; the second is for what has a row already. What was
/// only referred to (gone since 0) has been there since it was first listed; what was gone begins anew.
fn insert(kind: Kind) -> (String, String) {
    let table = kind.table();
    let listed: Vec<&str> = names(kind).collect();
    let head = format!("INSERT INTO {table} (id, uuid, since, gone, {}) ", listed.join(", "));
    let assignments: Vec<String> = listed.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let tail = format!(
        " ON CONFLICT (id) DO UPDATE SET since = CASE WHEN {table}.gone = 0 THEN excluded.since ELSE {table}.since END,
          begun = CASE WHEN {table}.gone = 0 THEN {table}.begun ELSE excluded.since END,
          edition = CASE WHEN {table}.gone = 0 THEN {table}.edition ELSE {table}.edition + 1 END,
          gone = excluded.gone, {}",
        assignments.join(", ")
    );
    (head, tail)
}

/// The two ends of an update of some columns, from the catalogue's words. What the object is begins with the version.
fn update(kind: Kind, columns: Columns) -> (String, String) {
    let table = kind.table();
    let assigned = members(columns, names(kind)).chain(["begun"]).zip(2..);
    let assignments: Vec<String> =
        assigned.map(|(name, place)| format!("{name} = listed.column{place}")).collect();
    let head = format!("UPDATE {table} SET edition = {table}.edition + 1, {} FROM (", assignments.join(", "));
    (head, format!(") AS listed WHERE {table}.id = listed.column1"))
}

const CHANGE_HEAD: &str = "INSERT INTO object_change (version, object_id, change, before, after) ";

fn change_row(version: i64, id: i64, change: ChangeKind, before: &str, after: &str) -> [Bind; 5] {
    [version.into(), id.into(), change.number().into(), before.into(), after.into()]
}

/// Marks objects of a kind gone, with their change rows.
pub(super) async fn log_gone(
    connection: &mut Connection,
    kind: Kind,
    version: i64,
    gone: &[i64],
) -> Result<(), StoreError> {
    let changes =
        gone.iter().copied().map(move |id| change_row(version, id, ChangeKind::Removed, "{}", "{}"));
    connection.insert("logging changes", (CHANGE_HEAD, ""), changes).await?;
    let rows = gone.iter().copied().map(move |id| [version.into(), Bind::from(id)]);
    let table = kind.table();
    let head = format!("UPDATE {table} SET gone = listed.column1 FROM (");
    let tail = format!(") AS listed WHERE {table}.id = listed.column2");
    connection.insert("marking objects gone", (&head, &tail), rows).await
}
