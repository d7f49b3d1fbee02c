//! Fills empty stores with what a copy holds, checks every table against the manifest, and only then lets them be seen.
//!
//! Invariant: whoever opens the database finds nothing, or all of the copy.

use metsuke_model::Moment;
use metsuke_model::audit::{Actor, EventCode, NewEvent};

use super::copy::sums;
use super::form::{Values, no_backup};
use super::shape::{Shape, shapes};
use super::target::Target;
use super::{Frame, Head, Holds, Manifest, Part, TableSum};
use crate::connection::{Bind, Connection};
use crate::dialect::Pool;
use crate::query::Datum;
use crate::{Store, StoreError, audit, migrate, restored};

const FILLING: &str = "writing what a backup holds";

/// A restore on its way; dropped before its end, it leaves the database as it was.
#[derive(Debug)]
pub struct Restoring {
    target: Target,
    actor: Actor,
    now: Moment,
    head: Option<Head>,
    part: Option<Filling>,
    sums: Vec<TableSum>,
    manifest: Option<Manifest>,
}

/// A store that is being filled.
#[derive(Debug)]
struct Filling {
    part: Part,
    connection: Connection,
    shapes: Vec<Shape>,
    /// The table whose rows come.
    table: Option<usize>,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// What the copy held.
    pub manifest: Manifest,
    /// What was there before and was put aside.
    pub aside: Vec<std::path::PathBuf>,
}

impl Store {
    /// Begins to restore into an address where nothing is; with `replace`, also where a stopped installation is, which is
    /// put aside (SQLite) or goes in the same transaction (PostgreSQL).
    ///
    /// # Errors
    ///
    /// [`StoreError::NotEmpty`], [`StoreError::Busy`] where somebody uses what would be replaced, and what the database said.
    pub async fn restoring(
        url: &str,
        replace: bool,
        actor: Actor,
        now: Moment,
    ) -> Result<Restoring, StoreError> {
        let target = Target::open(url, replace).await?;
        Ok(Restoring { target, actor, now, head: None, part: None, sums: Vec::new(), manifest: None })
    }
}

impl Restoring {
    /// Takes the next frame of a copy.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoBackup`] for what does not fit together, and what the database said.
    pub async fn take(&mut self, frame: Frame) -> Result<(), StoreError> {
        match frame {
            Frame::Head(head) => {
                if head.schema > Store::schema() {
                    return Err(no_backup("a newer metsuke wrote it, with a schema that is not known here"));
                }
                self.head = Some(head);
            }
            Frame::Table(table) => {
                if self.part.as_ref().is_none_or(|filling| filling.part != table.part) {
                    self.close_part().await?;
                    self.open_part(table.part).await?;
                }
                let filling = self.part.as_mut().ok_or_else(unordered)?;
                let same = |shape: &Shape| shape.head == table;
                let place = filling.shapes.iter().position(same);
                filling.table = Some(place.ok_or_else(|| no_backup("it holds a table that is not known"))?);
            }
            Frame::Rows(bytes) => self.part.as_mut().ok_or_else(unordered)?.fill(&bytes).await?,
            Frame::End(manifest) => {
                self.close_part().await?;
                self.check(&manifest)?;
                self.manifest = Some(manifest);
            }
        }
        Ok(())
    }

    /// Lets the restored installation be seen, if it is whole.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoBackup`] where the end is missing, and what the database or the folder said.
    pub async fn finish(self) -> Result<Loaded, StoreError> {
        let manifest = self.manifest.ok_or_else(|| no_backup("it ends too early"))?;
        let aside = self.target.finish().await?;
        Ok(Loaded { manifest, aside })
    }

    async fn open_part(&mut self, part: Part) -> Result<(), StoreError> {
        let schema = self.head.as_ref().ok_or_else(unordered)?.schema;
        if self.sums.iter().any(|sum| sum.part == part) {
            return Err(no_backup("it holds a store twice"));
        }
        let mut connection = self.target.begin(part).await?;
        migrate::apply(&mut connection, 0, schema).await?;
        let shapes = shapes(&mut connection, part).await?;
        Pool::defer_references(&mut connection).await?;
        // Migrations put rows into some tables; here the copy says what is in them.
        let tables: Vec<String> = shapes.iter().map(|shape| shape.head.table.clone()).collect();
        Pool::empty(&mut connection, &tables).await?;
        self.part = Some(Filling { part, connection, shapes, table: None });
        Ok(())
    }

    /// Reads back what was written, brings the store to the newest schema, and marks it as restored.
    async fn close_part(&mut self) -> Result<(), StoreError> {
        let Some(Filling { part, mut connection, .. }) = self.part.take() else { return Ok(()) };
        self.sums.extend(sums(&mut connection, part).await?);
        let head = self.head.as_ref().ok_or_else(unordered)?;
        migrate::apply(&mut connection, head.schema, Store::schema()).await?;
        restored::mark(&mut connection, self.now, head.made_at).await?;
        restored::end_sessions(&mut connection).await?;
        let event = NewEvent::new(self.now, EventCode::InstallationRestored, self.actor.clone())
            .detail("made_at", head.made_at.to_string());
        audit::append(&mut connection, event).await?;
        self.target.end(part, connection).await
    }

    fn check(&self, manifest: &Manifest) -> Result<(), StoreError> {
        if self.head.as_ref() != Some(&manifest.head) {
            return Err(no_backup("its end does not belong to its beginning"));
        }
        let ordered = |sums: &[TableSum]| {
            let mut sums = sums.to_vec();
            sums.sort_by(|one, other| (one.part, &one.table).cmp(&(other.part, &other.table)));
            sums
        };
        let (found, told) = (ordered(&self.sums), ordered(&manifest.tables));
        if !told.iter().any(|sum| sum.part == Part::Main) {
            return Err(no_backup("it has no main store"));
        }
        match found.iter().zip(&told).find(|(found, told)| found != told) {
            Some((_, told)) => Err(no_backup(&format!(
                "what was written of table `{}` of store {} is not what the backup says",
                told.table, told.part
            ))),
            None if found.len() == told.len() => Ok(()),
            None => Err(no_backup("it does not hold all the tables that it names")),
        }
    }
}

fn unordered() -> StoreError {
    no_backup("its parts are in no order")
}

impl Filling {
    async fn fill(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let head = self.table.and_then(|table| self.shapes.get(table)).ok_or_else(unordered)?.head.clone();
        let mut values = Values(bytes);
        let mut rows: Vec<Vec<Bind>> = Vec::new();
        while !values.is_empty() {
            let row: Result<Vec<Bind>, StoreError> =
                head.columns.iter().map(|(_, holds)| bind(*holds, values.next()?)).collect();
            rows.push(row?);
        }
        let names: Vec<&str> = head.columns.iter().map(|(name, _)| name.as_str()).collect();
        // The names are the database's own: a table that it does not have so was refused.
        let insert = format!("INSERT INTO {} ({}) ", head.table, names.join(", "));
        self.connection.insert(FILLING, (&insert, ""), rows).await
    }
}

fn bind(holds: Holds, value: Datum) -> Result<Bind, StoreError> {
    Ok(match (holds, value) {
        (Holds::Int, Datum::Int(number)) => number.into(),
        (Holds::Int, Datum::Null) => Bind::Int(None),
        (Holds::Text, Datum::Text(text)) => text.as_str().into(),
        (Holds::Text, Datum::Null) => Bind::Text(None),
        (Holds::Bytes, Datum::Bytes(bytes)) => Bind::Bytes(bytes),
        (Holds::Bytes, Datum::Null) => Bind::NoBytes,
        _ => return Err(no_backup("a value in it does not fit its column")),
    })
}
