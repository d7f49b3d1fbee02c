//! The syncs of an open file, and their rows.
//!
//! Comparing is done elsewhere ([`diff`](super::diff)).
//!
//! Invariant: rows come as they were handed over when they were written: what a grant is passed on from is among its
//! annotations again, and both its ends are in it.

use metsuke_model::Moment;
use prost::Message;
use rusqlite::Row as SqlRow;
use rusqlite::types::ValueRef;

use super::database::TableName;
use super::{C1z, C1zError, RowKind, Rows, Sink, Stats, SyncId, SyncRun, SyncType, wall};
use crate::any;
use crate::id::ResourceKey;
use crate::proto::connector::{Entitlement, Grant, GrantExpandable, Resource, ResourceId, ResourceType};

impl C1z {
    /// All syncs, the oldest first.
    #[must_use]
    pub fn syncs(&self) -> &[SyncRun] {
        &self.syncs
    }

    /// The newest full sync that is finished; where there is none, the newest other one that is.
    ///
    /// # Errors
    ///
    /// [`C1zError::NoSync`] where no sync is finished.
    pub fn newest(&self) -> Result<&SyncRun, C1zError> {
        let finished = || self.syncs.iter().filter(|run| run.is_finished);
        let order = |run: &&SyncRun| (run.ended_at, run.id.clone());
        finished()
            .filter(|run| run.sync_type == SyncType::Full)
            .max_by_key(order)
            .or_else(|| finished().max_by_key(order))
            .ok_or_else(|| self.no_sync("finished sync"))
    }

    /// The two newest full syncs that are finished, the older one first.
    ///
    /// # Errors
    ///
    /// [`C1zError::NoSync`] where there are fewer.
    pub fn newest_two(&self) -> Result<(&SyncRun, &SyncRun), C1zError> {
        let mut full: Vec<&SyncRun> =
            self.syncs.iter().filter(|run| run.is_finished && run.sync_type == SyncType::Full).collect();
        full.sort_by_key(|run| (run.ended_at, run.id.clone()));
        match full.as_slice() {
            [.., before, after] => Ok((before, after)),
            _ => Err(self.no_sync("second full sync that is finished")),
        }
    }

    /// The sync of this id.
    ///
    /// # Errors
    ///
    /// [`C1zError::NoSync`] where there is none.
    pub fn sync(&self, id: &str) -> Result<&SyncRun, C1zError> {
        let found = self.syncs.iter().find(|run| run.id.as_str() == id);
        found.ok_or_else(|| self.no_sync(&format!("sync `{id}`")))
    }

    fn no_sync(&self, asked: &str) -> C1zError {
        C1zError::NoSync { path: self.path.clone(), asked: asked.to_owned() }
    }

    /// The rows of a sync, which can be written to another file.
    #[must_use]
    pub const fn rows<'a>(&'a self, sync: &'a SyncId) -> SyncRows<'a> {
        SyncRows { file: self, sync }
    }

    /// Hands over the resources of a sync and nothing else.
    ///
    /// # Errors
    ///
    /// When one cannot be read; and what `take` says.
    pub fn resources(
        &self,
        sync: &SyncId,
        mut take: impl FnMut(Resource) -> Result<(), C1zError>,
    ) -> Result<(), C1zError> {
        self.each(TableName::Resources, sync, |row| take(self.resource(row)?))
    }

    /// The entitlement of this id in the [newest](Self::newest) sync.
    ///
    /// # Errors
    ///
    /// [`C1zError::NoRow`] where there is none, [`C1zError::NoSync`] where no sync is finished.
    pub fn find_entitlement(&self, id: &str) -> Result<Entitlement, C1zError> {
        let found = self.find(TableName::Entitlements, id, |row| self.entitlement(row))?;
        found.ok_or_else(|| self.no_row(RowKind::Entitlement, id))
    }

    /// This resource in the [newest](Self::newest) sync.
    ///
    /// # Errors
    ///
    /// [`C1zError::NoRow`] where there is none, [`C1zError::NoSync`] where no sync is finished.
    pub fn find_resource(&self, key: &ResourceKey) -> Result<Resource, C1zError> {
        let id = format!("{}:{}", key.resource_type, key.resource);
        let found = self.find(TableName::Resources, &id, |row| self.resource(row))?;
        found.ok_or_else(|| self.no_row(RowKind::Resource, &id))
    }

    /// The grant of this id in the [newest](Self::newest) sync.
    ///
    /// # Errors
    ///
    /// [`C1zError::NoRow`] where there is none, [`C1zError::NoSync`] where no sync is finished.
    pub fn find_grant(&self, id: &str) -> Result<Grant, C1zError> {
        let found = self.find(TableName::Grants, id, |row| self.grant(row))?;
        found.ok_or_else(|| self.no_row(RowKind::Grant, id))
    }

    fn no_row(&self, kind: RowKind, id: &str) -> C1zError {
        C1zError::NoRow { path: self.path.clone(), kind, id: id.to_owned() }
    }

    fn find<T>(
        &self,
        table: TableName,
        id: &str,
        read: impl Fn(&SqlRow<'_>) -> Result<T, C1zError>,
    ) -> Result<Option<T>, C1zError> {
        let sync = self.newest()?;
        let error = C1zError::database(&self.path);
        let Some(select) = self.select(table.table())? else { return Ok(None) };
        let sql = format!("{select} WHERE external_id = ?1 AND sync_id = ?2 LIMIT 1");
        let mut statement = self.connection.prepare(&sql).map_err(&error)?;
        let mut rows = statement.query([id, sync.id.as_str()]).map_err(&error)?;
        rows.next().map_err(&error)?.map(read).transpose()
    }

    /// Hands over the rows of one table of a sync, in the order in which they were written.
    pub(super) fn each(
        &self,
        table: TableName,
        sync: &SyncId,
        mut take: impl FnMut(&SqlRow<'_>) -> Result<(), C1zError>,
    ) -> Result<(), C1zError> {
        let error = C1zError::database(&self.path);
        let Some(select) = self.select(table.table())? else { return Ok(()) };
        let sql = format!("{select} WHERE sync_id = ?1 ORDER BY rowid");
        let mut statement = self.connection.prepare(&sql).map_err(&error)?;
        let mut rows = statement.query([sync.as_str()]).map_err(&error)?;
        while let Some(row) = rows.next().map_err(&error)? {
            take(row)?;
        }
        Ok(())
    }

    /// Reads the message of a row.
    fn message<M: Message + Default>(
        &self,
        kind: RowKind,
        row: &SqlRow<'_>,
        column: &str,
    ) -> Result<M, C1zError> {
        let error = C1zError::database(&self.path);
        let bytes = match row.get_ref(column).map_err(&error)? {
            ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes,
            _ => &[],
        };
        M::decode(bytes).map_err(|cause| {
            let id = text(row, "external_id").unwrap_or_default();
            C1zError::invalid(&self.path, format!("{kind} `{id}` cannot be read: {cause}"))
        })
    }

    pub(super) fn resource_type(&self, row: &SqlRow<'_>) -> Result<ResourceType, C1zError> {
        self.message(RowKind::ResourceType, row, "data")
    }

    pub(super) fn resource(&self, row: &SqlRow<'_>) -> Result<Resource, C1zError> {
        self.message(RowKind::Resource, row, "data")
    }

    pub(super) fn entitlement(&self, row: &SqlRow<'_>) -> Result<Entitlement, C1zError> {
        self.message(RowKind::Entitlement, row, "data")
    }

    /// A grant; some writers leave out what stands in the columns too.
    pub(super) fn grant(&self, row: &SqlRow<'_>) -> Result<Grant, C1zError> {
        let error = C1zError::database(&self.path);
        let mut grant: Grant = self.message(RowKind::Grant, row, "data")?;
        if grant.entitlement.is_none() {
            let resource = stub(row, "resource_type_id", "resource_id").map_err(&error)?;
            let id = text(row, "entitlement_id").map_err(&error)?;
            grant.entitlement = Some(Entitlement { resource: Some(resource), id, ..Entitlement::default() });
        }
        if grant.principal.is_none() {
            let principal = stub(row, "principal_resource_type_id", "principal_resource_id");
            grant.principal = Some(principal.map_err(&error)?);
        }
        if !matches!(row.get_ref("expansion").map_err(&error)?, ValueRef::Null) {
            let expansion: GrantExpandable = self.message(RowKind::Grant, row, "expansion")?;
            grant.annotations.retain(|packed| !any::is::<GrantExpandable>(packed));
            grant.annotations.push(any::pack(&expansion));
        }
        Ok(grant)
    }

    pub(super) fn count_assets(&self, sync: &SyncId) -> Result<u64, C1zError> {
        let mut count = 0;
        self.each(TableName::Assets, sync, |_| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }

    /// Grants of a sync whose id is there more than once.
    pub(super) fn grants_twice(&self, sync: &SyncId) -> Result<Vec<String>, C1zError> {
        if !self.columns.contains_key(TableName::Grants.table().name) {
            return Ok(Vec::new());
        }
        let sql = "SELECT external_id
             FROM v1_grants
            WHERE sync_id = ?1
            GROUP BY external_id
           HAVING COUNT(*) > 1";
        self.connection
            .prepare(sql)
            .and_then(|mut statement| {
                statement.query_map([sync.as_str()], |row| text(row, "external_id"))?.collect()
            })
            .map_err(C1zError::database(&self.path))
    }

    pub(super) fn read_syncs(&self) -> Result<Vec<SyncRun>, C1zError> {
        let error = C1zError::database(&self.path);
        let Some(select) = self.select(TableName::SyncRuns.table())? else {
            return Err(C1zError::invalid(&self.path, "it has no table `v1_sync_runs`"));
        };
        let mut statement = self.connection.prepare(&format!("{select} ORDER BY rowid")).map_err(&error)?;
        let read = statement.query_map([], sync_run).and_then(Iterator::collect);
        read.map_err(&error)
    }
}

/// A resource of which only the id is known.
fn stub(row: &SqlRow<'_>, kind: &str, resource: &str) -> rusqlite::Result<Resource> {
    let (resource_type, resource) = (text(row, kind)?, text(row, resource)?);
    let id = ResourceId { resource_type, resource, ..ResourceId::default() };
    Ok(Resource { id: Some(id), ..Resource::default() })
}

/// A text, whatever it was stored as.
pub(super) fn text(row: &SqlRow<'_>, column: &str) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    })
}

fn sync_run(row: &SqlRow<'_>) -> rusqlite::Result<SyncRun> {
    let id = |column| {
        let text = text(row, column)?;
        Ok::<_, rusqlite::Error>((!text.is_empty()).then(|| SyncId::from_text(text)))
    };
    let at = |column| Ok::<Option<Moment>, rusqlite::Error>(wall::moment(&text(row, column)?));
    let ended = text(row, "ended_at")?;
    Ok(SyncRun {
        id: SyncId::from_text(text(row, "sync_id")?),
        started_at: at("started_at")?,
        ended_at: wall::moment(&ended),
        is_finished: !ended.is_empty(),
        sync_type: SyncType::from_text(&text(row, "sync_type")?),
        parent: id("parent_sync_id")?,
        linked: id("linked_sync_id")?,
        supports_diff: text(row, "supports_diff")? == "1",
        stats: serde_json::from_str::<Stats>(&text(row, "stats")?).ok(),
    })
}

/// The rows of one sync of an open file.
#[derive(Clone, Copy, Debug)]
pub struct SyncRows<'a> {
    file: &'a C1z,
    sync: &'a SyncId,
}

impl Rows for SyncRows<'_> {
    fn visit(&mut self, sink: &mut dyn Sink) -> Result<(), C1zError> {
        let (file, sync) = (self.file, self.sync);
        file.each(TableName::ResourceTypes, sync, |row| sink.resource_type(&file.resource_type(row)?))?;
        file.each(TableName::Resources, sync, |row| sink.resource(&file.resource(row)?))?;
        file.each(TableName::Entitlements, sync, |row| sink.entitlement(&file.entitlement(row)?))?;
        file.each(TableName::Grants, sync, |row| sink.grant(&file.grant(row)?))
    }
}
