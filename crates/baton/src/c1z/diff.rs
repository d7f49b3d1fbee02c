//! What differs between two syncs, of one file or of two.
//!
//! Resource types are left out: they say what a connector can do, and not who has what.
//!
//! Invariant: a row that differs is told once, and two rows of the same meaning never are: times and the order of fields
//! do not count.

use std::cmp::Ordering;

use rusqlite::types::ValueRef;
use rusqlite::{Row as SqlRow, Rows as SqlRows, Statement};

use super::database::TableName;
use super::read::text;
use super::{C1z, C1zError, Row, RowKind, SyncId};

/// One row that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its id.
    pub id: String,
    /// What became of it.
    pub change: Change,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is only in the later sync.
    Added(Row),
    /// It is only in the earlier sync.
    Removed(Row),
    /// It is in both, and not the same: as it was, and as it is.
    Changed(Box<(Row, Row)>),
}

/// How many rows of one kind differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows of the later sync alone.
    pub added: u64,
    /// Rows of the earlier sync alone.
    pub removed: u64,
    /// Rows of both that are not the same.
    pub changed: u64,
}

/// How many rows differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiffCounts {
    /// Resources.
    pub resources: Changes,
    /// Entitlements.
    pub entitlements: Changes,
    /// Grants.
    pub grants: Changes,
}

/// Hands over every row that differs: resources, entitlements, grants, each by ascending id.
///
/// # Errors
///
/// When a row cannot be read; and what `take` says.
pub fn diff(
    before: (&C1z, &SyncId),
    after: (&C1z, &SyncId),
    mut take: impl FnMut(Difference) -> Result<(), C1zError>,
) -> Result<DiffCounts, C1zError> {
    Ok(DiffCounts {
        resources: of_table(before, after, RowKind::Resource, &mut take)?,
        entitlements: of_table(before, after, RowKind::Entitlement, &mut take)?,
        grants: of_table(before, after, RowKind::Grant, &mut take)?,
    })
}

fn of_table(
    before: (&C1z, &SyncId),
    after: (&C1z, &SyncId),
    kind: RowKind,
    take: &mut dyn FnMut(Difference) -> Result<(), C1zError>,
) -> Result<Changes, C1zError> {
    let mut changes = Changes::default();
    let (mut listed, mut whole) = statements(before.0, kind)?;
    let mut before = Cursor::begin(before, kind, &mut listed, &mut whole)?;
    let (mut listed, mut whole) = statements(after.0, kind)?;
    let mut after = Cursor::begin(after, kind, &mut listed, &mut whole)?;
    while let Some(order) = order(before.at.as_ref(), after.at.as_ref()) {
        let change = match order {
            Ordering::Less => {
                changes.removed += 1;
                Some(Change::Removed(before.row()?))
            }
            Ordering::Greater => {
                changes.added += 1;
                Some(Change::Added(after.row()?))
            }
            Ordering::Equal => {
                let change = changed(&mut before, &mut after)?;
                changes.changed += u64::from(change.is_some());
                change
            }
        };
        let id = if order == Ordering::Greater { after.step()? } else { before.step()? };
        if order == Ordering::Equal {
            after.step()?;
        }
        if let Some(change) = change {
            take(Difference { id, change })?;
        }
    }
    Ok(changes)
}

/// Which of two rows comes first; `None` where there is none any more.
fn order(before: Option<&(i64, String)>, after: Option<&(i64, String)>) -> Option<Ordering> {
    match (before, after) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some((_, before)), Some((_, after))) => Some(before.cmp(after)),
    }
}

fn changed(before: &mut Cursor<'_, '_>, after: &mut Cursor<'_, '_>) -> Result<Option<Change>, C1zError> {
    if before.bytes()? == after.bytes()? {
        return Ok(None);
    }
    let (before, after) = (before.row()?, after.row()?);
    Ok((before != after).then_some(Change::Changed(Box::new((before, after)))))
}

const fn table(kind: RowKind) -> TableName {
    match kind {
        RowKind::ResourceType => TableName::ResourceTypes,
        RowKind::Resource => TableName::Resources,
        RowKind::Entitlement => TableName::Entitlements,
        RowKind::Grant => TableName::Grants,
    }
}

/// The statement that lists a table by ascending id, and the one that reads a row of it; none where there is no table.
fn statements(file: &C1z, kind: RowKind) -> Result<(Option<Statement<'_>>, Option<Statement<'_>>), C1zError> {
    let table = table(kind).table();
    let Some(select) = file.select(table)? else { return Ok((None, None)) };
    // Read from the index alone, where there is one.
    let listed = format!(
        "SELECT rowid, external_id FROM {} WHERE sync_id = ?1 ORDER BY external_id COLLATE BINARY",
        table.name
    );
    let prepare = |sql: &str| file.connection.prepare(sql).map_err(C1zError::database(&file.path));
    Ok((Some(prepare(&listed)?), Some(prepare(&format!("{select} WHERE rowid = ?1"))?)))
}

/// Goes through the rows of a table.
struct Cursor<'file, 'a> {
    file: &'file C1z,
    kind: RowKind,
    listed: Option<SqlRows<'a>>,
    whole: &'a mut Option<Statement<'file>>,
    /// The number and the id of the row in hand.
    at: Option<(i64, String)>,
}

impl<'file, 'a> Cursor<'file, 'a> {
    fn begin(
        (file, sync): (&'file C1z, &SyncId),
        kind: RowKind,
        listed: &'a mut Option<Statement<'file>>,
        whole: &'a mut Option<Statement<'file>>,
    ) -> Result<Self, C1zError> {
        let listed = listed.as_mut().map(|listed| listed.query([sync.as_str()]));
        let listed = listed.transpose().map_err(C1zError::database(&file.path))?;
        let mut cursor = Self { file, kind, listed, whole, at: None };
        cursor.step()?;
        Ok(cursor)
    }

    /// Goes to the next row; the answer is the id of the one before.
    fn step(&mut self) -> Result<String, C1zError> {
        let error = C1zError::database(&self.file.path);
        let before = self.at.take();
        if let Some(listed) = &mut self.listed
            && let Some(row) = listed.next().map_err(&error)?
        {
            let number = row.get(0).map_err(&error)?;
            self.at = Some((number, text(row, "external_id").map_err(&error)?));
        }
        Ok(before.map(|(_, id)| id).unwrap_or_default())
    }

    fn with_row<T>(
        &mut self,
        read: impl FnOnce(&C1z, &SqlRow<'_>) -> Result<T, C1zError>,
    ) -> Result<T, C1zError> {
        let error = C1zError::database(&self.file.path);
        let gone = || C1zError::invalid(&self.file.path, "its database is damaged");
        let (Some(whole), Some((number, _))) = (self.whole.as_mut(), &self.at) else { return Err(gone()) };
        let mut rows = whole.query([*number]).map_err(&error)?;
        read(self.file, rows.next().map_err(&error)?.ok_or_else(gone)?)
    }

    /// The message, and what a grant is passed on from, as they are stored.
    fn bytes(&mut self) -> Result<(Vec<u8>, Vec<u8>), C1zError> {
        let is_grant = self.kind == RowKind::Grant;
        self.with_row(|file, row| {
            let column = |name| match row.get_ref(name).map_err(C1zError::database(&file.path))? {
                ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Ok::<_, C1zError>(bytes.to_vec()),
                _ => Ok(Vec::new()),
            };
            Ok((column("data")?, if is_grant { column("expansion")? } else { Vec::new() }))
        })
    }

    fn row(&mut self) -> Result<Row, C1zError> {
        let kind = self.kind;
        self.with_row(|file, row| {
            Ok(match kind {
                RowKind::ResourceType => Row::ResourceType(file.resource_type(row)?),
                RowKind::Resource => Row::Resource(file.resource(row)?),
                RowKind::Entitlement => Row::Entitlement(file.entitlement(row)?),
                RowKind::Grant => Row::Grant(Box::new(file.grant(row)?)),
            })
        })
    }
}
