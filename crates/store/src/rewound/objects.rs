//! The objects of an earlier version: rows as they are, and folded back where they differ.
//!
//! Invariant: a row that nothing happened to since is copied without being looked into.

use std::collections::HashMap;

use metsuke_model::record::{
    AddOn, App, Attachment, Authorization, Coupling, EnterpriseAccount, Invitation, Key, Pipeline, Space,
    Team, UnresolvedMember, User,
};
use metsuke_model::{Cell, ColumnType, HerokuId, Kind, Record};
use rustc_hash::FxHashMap;

use super::past::Standing;
use super::{AT_ONCE, REWINDING, Rewinding};
use crate::StoreError;
use crate::commit::properties_hash;
use crate::connection::{Bind, Row};
use crate::objects::{patched, read};

/// The first number of a document that the original does not have.
const MADE: i64 = 1 << 40;

/// One row on its way.
struct Raw {
    id: i64,
    uuid: Vec<u8>,
    standing: Standing,
    properties: i64,
    cells: Vec<Bind>,
}

fn raw(kind: Kind, row: Row<'_>) -> Result<Raw, StoreError> {
    let mut cells = Vec::with_capacity(kind.columns().len());
    for (column, index) in kind.columns().iter().zip(7..) {
        cells.push(match column.column_type {
            ColumnType::Text => Bind::Text(row.text(index)?),
            _ => Bind::Int(row.int(index)?),
        });
    }
    let standing =
        Standing { since: row.number(2)?, gone: row.int(3)?, begun: row.number(4)?, edition: row.number(5)? };
    let uuid = row.bytes(1)?.unwrap_or_default();
    Ok(Raw { id: row.number(0)?, uuid, standing, properties: row.number(6)?, cells })
}

impl Raw {
    /// Its values in the order of the columns that are read and written.
    fn values(self) -> Vec<Bind> {
        let Standing { since, gone, begun, edition } = self.standing;
        let mut values = vec![
            self.id.into(),
            Bind::Bytes(self.uuid),
            since.into(),
            Bind::Int(gone),
            begun.into(),
            edition.into(),
            self.properties.into(),
        ];
        values.extend(self.cells);
        values
    }
}

impl Rewinding {
    /// Copies all kinds; returns what came later, with its Heroku ids as they are stored.
    pub(super) async fn objects(&mut self) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let mut later = Vec::new();
        // What is referred to comes before what refers to it.
        self.kind::<User>(&mut later).await?;
        self.kind::<EnterpriseAccount>(&mut later).await?;
        self.kind::<Team>(&mut later).await?;
        self.kind::<Space>(&mut later).await?;
        self.kind::<App>(&mut later).await?;
        self.kind::<AddOn>(&mut later).await?;
        self.kind::<Attachment>(&mut later).await?;
        self.kind::<Pipeline>(&mut later).await?;
        self.kind::<Coupling>(&mut later).await?;
        self.kind::<Invitation>(&mut later).await?;
        self.kind::<UnresolvedMember>(&mut later).await?;
        self.kind::<Authorization>(&mut later).await?;
        self.kind::<Key>(&mut later).await?;
        Ok(later)
    }

    async fn kind<T: Record>(&mut self, later: &mut Vec<(i64, Vec<u8>)>) -> Result<(), StoreError> {
        let (kind, table) = (T::KIND, T::KIND.table());
        let columns: Vec<&str> = kind.columns().iter().map(|column| column.name).collect();
        let columns = format!("id, uuid, since, gone, begun, edition, properties, {}", columns.join(", "));
        let select = format!("SELECT {columns} FROM {table} WHERE id > (");
        let tail = format!(") ORDER BY id LIMIT {AT_ONCE}");
        let head = format!("INSERT INTO {table} ({columns}) ");
        let mut last = 0;
        loop {
            let mut page = Vec::new();
            self.from
                .each_in(REWINDING, (&select, &tail), &[last], |row| {
                    page.push(raw(kind, row)?);
                    Ok(())
                })
                .await?;
            let Some(end) = page.last() else { return Ok(()) };
            last = end.id;
            let mut rows = self.as_of_then(page, later);
            self.fold::<T>(&mut rows).await?;
            for raw in &rows {
                self.note(kind, raw);
            }
            self.to.insert(REWINDING, (&head, ""), rows.into_iter().map(Raw::values)).await?;
        }
    }

    /// Leaves out what came later, and sets what the rows say of the past.
    fn as_of_then(&self, raws: Vec<Raw>, later: &mut Vec<(i64, Vec<u8>)>) -> Vec<Raw> {
        let mut kept = Vec::with_capacity(raws.len());
        for mut raw in raws {
            if raw.standing.since > self.version {
                if raw.standing.gone != Some(0) {
                    later.push((raw.id, raw.uuid));
                }
                continue;
            }
            if let Some(then) = self.past.objects.get(&raw.id) {
                raw.standing = then.standing(raw.standing);
            }
            kept.push(raw);
        }
        kept
    }

    /// Notes what a row has and names.
    fn note(&mut self, kind: Kind, raw: &Raw) {
        self.meet(raw.id);
        self.properties.insert(raw.properties);
        for (column, cell) in kind.columns().iter().zip(&raw.cells) {
            if let (ColumnType::Reference(_), Bind::Int(Some(id))) = (column.column_type, cell) {
                self.meet(*id);
            }
        }
    }

    /// Gives the rows whose properties differ those that they had.
    async fn fold<T: Record>(&mut self, rows: &mut [Raw]) -> Result<(), StoreError> {
        let differs =
            |raw: &&mut Raw| self.past.objects.get(&raw.id).is_some_and(|then| !then.before.is_empty());
        let mut rows: FxHashMap<i64, &mut Raw> =
            rows.iter_mut().filter(differs).map(|raw| (raw.id, raw)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = rows.keys().copied().collect();
        let stored = read::<T>(&mut self.from, &ids).await?;
        let records: Vec<(i64, T)> = stored
            .into_iter()
            .filter_map(|stored| {
                let then = self.past.objects.get(&stored.dense)?;
                Some((stored.dense, patched(&stored.record, &then.before)))
            })
            .collect();
        for column in T::KIND.columns() {
            if let ColumnType::Reference(kind) = column.column_type {
                self.know(kind).await?;
            }
        }
        let properties = self.numbered(&records).await?;
        for (id, record) in &records {
            let Some(raw) = rows.get_mut(id) else { continue };
            raw.cells = cells(record, &self.known)?;
            if let Some(number) = properties.get(&**record.properties()) {
                raw.properties = *number;
            }
        }
        Ok(())
    }

    /// Learns the dense ids of a kind.
    async fn know(&mut self, kind: Kind) -> Result<(), StoreError> {
        if self.known.contains_key(&kind) {
            return Ok(());
        }
        let mut known = HashMap::new();
        let sql = format!("SELECT id, uuid FROM {}", kind.table());
        self.from
            .each_of(REWINDING, &sql, |row| {
                known.insert(HerokuId::from_bytes(&row.bytes(1)?.unwrap_or_default()), row.number(0)?);
                Ok(())
            })
            .await?;
        self.known.insert(kind, known);
        Ok(())
    }

    /// The numbers of records' properties, by their text. A document that folding back spells in another way than it
    /// was read (one with nulls) gets a number of its own.
    async fn numbered<T: Record>(
        &mut self,
        records: &[(i64, T)],
    ) -> Result<HashMap<Box<str>, i64>, StoreError> {
        let mut texts: HashMap<i64, &str> = HashMap::new();
        for (_, record) in records {
            texts.insert(properties_hash(record.properties()), record.properties());
        }
        let hashes: Vec<i64> = texts.keys().copied().collect();
        let mut numbers = HashMap::new();
        let select = ("SELECT id, hash FROM properties WHERE hash IN (", ")");
        self.from
            .each_in(REWINDING, select, &hashes, |row| {
                if let Some(text) = texts.remove(&row.number(1)?) {
                    numbers.insert(text.into(), row.number(0)?);
                }
                Ok(())
            })
            .await?;
        for text in texts.into_values() {
            // Far above any number that the original has given.
            let next = MADE + i64::try_from(self.made.len()).unwrap_or(0);
            numbers.insert(text.into(), *self.made.entry(text.into()).or_insert(next));
        }
        Ok(numbers)
    }
}

/// A record's values, with dense ids for what it refers to.
fn cells<T: Record>(
    record: &T,
    known: &HashMap<Kind, HashMap<HerokuId, i64>>,
) -> Result<Vec<Bind>, StoreError> {
    let columns = T::KIND.columns().iter().zip(record.cells());
    let cell = columns.map(|(column, cell)| {
        Ok(match (cell, column.column_type) {
            (Cell::Reference(id), ColumnType::Reference(kind)) => {
                let unknown = || StoreError::Damaged {
                    what: format!("an earlier version names {id}, which is unknown"),
                };
                (*known.get(&kind).and_then(|known| known.get(id)).ok_or_else(unknown)?).into()
            }
            (Cell::Int(number), _) => number.into(),
            (Cell::Text(text), _) => text.into(),
            (Cell::Null, ColumnType::Text) => Bind::Text(None),
            (Cell::Null | Cell::Reference(_), _) => Bind::Int(None),
        })
    });
    cell.collect()
}
