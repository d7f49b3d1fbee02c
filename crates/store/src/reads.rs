//! One version of the estate, read in one transaction: the newest, or an earlier one by folding the log back.
//!
//! Invariant: all reads of one [`Snapshot`] see the same version, whatever is committed meanwhile.

use std::collections::{HashMap, HashSet};

use metsuke_model::access::Mask;
use metsuke_model::{AsOf, HerokuId, Record, ScopeReport, Version};

use crate::checkpoint::key;
use crate::connection::{Connection, Row};
use crate::dense::KIND_MASK;
use crate::history::{ChangeKind, read_document};
use crate::objects::{Found, Select, Stored, find, find_with, heroku_ids, name_column, patched};
use crate::{Store, StoreError, SyncRow, prune, syncs};

/// Whose access, or on what, is meant.
#[derive(Clone, Debug)]
pub enum AccessSelect {
    /// All of it.
    All,
    /// On these resources, by dense ids.
    On(Vec<i64>),
    /// Of these users, by dense ids.
    Of(Vec<i64>),
}

/// One principal's direct access to one resource, in dense ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessEntry {
    /// The resource.
    pub resource: i64,
    /// The user.
    pub principal: i64,
    /// The known entitlements.
    pub mask: Mask,
    /// The others, verbatim.
    pub other: Vec<Box<str>>,
}

/// One version, open for reading.
#[derive(Debug)]
pub struct Snapshot {
    connection: Connection,
    sync: SyncRow,
    newest: Version,
}

impl Store {
    /// Opens the newest version, or the one asked for; `None` where nothing was ever synced.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoVersion`] for a version or time before the first, and what the database said.
    pub async fn snapshot(&self, as_of: Option<AsOf>) -> Result<Option<Snapshot>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let Some(newest) = syncs::newest(&mut connection, true).await? else { return Ok(None) };
        let sync = syncs::resolve(&mut connection, as_of.unwrap_or(AsOf::Version(newest))).await?;
        self.keeps(&mut connection, &sync).await?;
        Ok(Some(Snapshot { connection, sync, newest }))
    }

    /// Refuses a version whose past was left behind.
    pub(crate) async fn keeps(&self, connection: &mut Connection, sync: &SyncRow) -> Result<(), StoreError> {
        if sync.version < self.oldest || sync.version < prune::oldest(connection).await? {
            return Err(StoreError::NoVersion { asked: sync.version.to_string() });
        }
        Ok(())
    }
}

impl Snapshot {
    pub(crate) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The run that made the version.
    #[must_use]
    pub fn sync(&self) -> &SyncRow {
        &self.sync
    }

    /// What came of each scope of that run.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn scopes(&mut self) -> Result<Vec<ScopeReport>, StoreError> {
        syncs::scopes(&mut self.connection, self.sync.version).await
    }

    /// Whether no version is newer, as far as this transaction sees.
    #[must_use]
    pub fn is_newest(&self) -> bool {
        self.sync.version == self.newest
    }

    /// The objects of a kind that were there.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn objects<T: Record>(&mut self, select: &Select) -> Result<Vec<Stored<T>>, StoreError> {
        if self.is_newest() {
            let found = find::<T>(&mut self.connection, select, true).await?;
            return Ok(found.into_iter().map(|found| found.stored).collect());
        }
        let mut found = self.candidates::<T>(select).await?;
        found.retain(|found| found.stored.since <= self.sync.version);
        self.fold_objects(&mut found).await?;
        let mut wanted = match select {
            Select::Within(ids) | Select::OwnedBy(ids) => {
                heroku_ids(&mut self.connection, ids).await?.into_values().collect()
            }
            _ => Vec::new(),
        };
        wanted.sort();
        let chosen = found.into_iter().filter(|found| found.present && selects(select, &wanted, found));
        Ok(chosen.map(|found| found.stored).collect())
    }

    /// The same objects, of which no more is wanted than the columns: what Heroku sent beyond them may be left out.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn columns<T: Record>(&mut self, select: &Select) -> Result<Vec<Stored<T>>, StoreError> {
        if !self.is_newest() {
            return self.objects(select).await;
        }
        let found = find_with::<T>(&mut self.connection, select, true, false).await?;
        Ok(found.into_iter().map(|found| found.stored).collect())
    }

    /// Dense ids and Heroku's ids of at most `count` objects of a kind, in order of the latter's bytes, behind `after`.
    ///
    /// Of the newest version it reads no more than it gives; of an earlier one the whole kind.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn keys<T: Record>(
        &mut self,
        after: Option<&HerokuId>,
        count: u32,
    ) -> Result<Vec<(i64, HerokuId)>, StoreError> {
        let after = after.map(HerokuId::to_bytes).unwrap_or_default();
        let mut keys = Vec::new();
        if self.is_newest() {
            let head = format!("SELECT id, uuid FROM {} WHERE gone IS NULL AND uuid > (", T::KIND.table());
            let tail = format!(") ORDER BY uuid LIMIT {count}");
            let take = |row: Row<'_>| {
                keys.push((row.number(0)?, HerokuId::from_bytes(&row.bytes(1)?.unwrap_or_default())));
                Ok(())
            };
            self.connection.each_bytes("paging through objects", (&head, &tail), after, take).await?;
            return Ok(keys);
        }
        let objects = self.objects::<T>(&Select::All).await?;
        keys.extend(objects.into_iter().map(|stored| (stored.dense, stored.record.id().clone())));
        keys.retain(|(_, id)| id.to_bytes() > after);
        keys.sort_by_cached_key(|(_, id)| id.to_bytes());
        keys.truncate(count as usize);
        Ok(keys)
    }

    /// Objects that may have been meant at this version: those that are meant now, gone ones included, and whatever has
    /// changed since.
    async fn candidates<T: Record>(&mut self, select: &Select) -> Result<Vec<Found<T>>, StoreError> {
        let mut found = find::<T>(&mut self.connection, select, false).await?;
        // An object keeps its ids.
        if matches!(select, Select::All | Select::Dense(_) | Select::Id(_)) {
            return Ok(found);
        }
        let mut changed = Vec::new();
        let sql = "SELECT DISTINCT object_id
                     FROM object_change
                    WHERE version > $1 AND (object_id & $2) = $3";
        let binds = [self.sync.version.0.into(), KIND_MASK.into(), T::KIND.number().into()];
        self.connection
            .each("folding objects back", sql, &binds, |row| {
                changed.push(row.number(0)?);
                Ok(())
            })
            .await?;
        let known: HashSet<i64> = found.iter().map(|found| found.stored.dense).collect();
        changed.retain(|id| !known.contains(id));
        found.extend(find::<T>(&mut self.connection, &Select::Dense(changed), false).await?);
        Ok(found)
    }

    async fn fold_objects<T: Record>(&mut self, found: &mut [Found<T>]) -> Result<(), StoreError> {
        let doing = "folding objects back";
        let places: HashMap<i64, usize> =
            found.iter().enumerate().map(|(place, found)| (found.stored.dense, place)).collect();
        let few: Option<Vec<i64>> = (found.len() <= FEW).then(|| places.keys().copied().collect());
        let fold = |row: Row<'_>| {
            let Some(found) = places.get(&row.number(0)?).and_then(|place| found.get_mut(*place)) else {
                return Ok(());
            };
            let change = ChangeKind::from_number(row.number(1)?);
            let before = read_document(row.text(2)?)?;
            if !before.is_empty() {
                found.stored.record = patched(&found.stored.record, &before);
            }
            match change {
                ChangeKind::Added => found.present = false,
                ChangeKind::Removed => found.present = true,
                ChangeKind::Changed => {}
            }
            Ok(())
        };
        let version = self.sync.version.0;
        if let Some(few) = few {
            let head = format!(
                "SELECT object_id, change, before FROM object_change WHERE version > {version} AND object_id IN ("
            );
            return self.connection.each_in(doing, (&head, ") ORDER BY version DESC"), &few, fold).await;
        }
        let sql = "SELECT object_id, change, before
                     FROM object_change
                    WHERE version > $1 AND (object_id & $2) = $3
                    ORDER BY version DESC";
        let binds = [version.into(), KIND_MASK.into(), T::KIND.number().into()];
        self.connection.each(doing, sql, &binds, fold).await
    }

    /// Direct access, ordered by resource and principal.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn access(&mut self, select: &AccessSelect) -> Result<Vec<AccessEntry>, StoreError> {
        let mut rows = HashMap::new();
        let mut ordered = Vec::new();
        let take = |row: crate::connection::Row<'_>| {
            let mask = u32::try_from(row.number(2)?).unwrap_or(0);
            ordered.push((key(row.number(0)?, row.number(1)?)?, mask));
            Ok(())
        };
        // The same rows stand once by resource and once by principal.
        let columns = match select {
            AccessSelect::Of(_) => "SELECT resource_id, principal_id, mask FROM held",
            AccessSelect::All | AccessSelect::On(_) => "SELECT resource_id, principal_id, mask FROM access",
        };
        filtered(&mut self.connection, columns, select, take).await?;
        if !self.is_newest() {
            rows.extend(ordered.drain(..));
            self.fold_access(select, &mut rows).await?;
            ordered.extend(rows.into_iter().filter(|(_, mask)| *mask != 0));
        }
        ordered.sort_unstable();
        let mut other = self.other_access(select).await?;
        Ok(ordered
            .into_iter()
            .map(|(key, mask)| {
                let (resource, principal) = crate::checkpoint::parts(key);
                AccessEntry {
                    resource,
                    principal,
                    mask: Mask(mask),
                    other: other.remove(&key).unwrap_or_default(),
                }
            })
            .collect())
    }

    async fn fold_access(
        &mut self,
        select: &AccessSelect,
        rows: &mut HashMap<u64, u32>,
    ) -> Result<(), StoreError> {
        let version = self.sync.version.0;
        // The log is read from its end, so that what it said first after the version stays.
        let mut earliest: HashMap<u64, u32> = HashMap::new();
        let meant = Meant::of(select);
        let sql = "SELECT resource_id, principal_id, before
                     FROM access_change
                    WHERE version > $1
                    ORDER BY version DESC";
        self.connection
            .each("reading access", sql, &[version.into()], |row| {
                let (resource, principal) = (row.number(0)?, row.number(1)?);
                if meant.has(resource, principal) {
                    let before = u32::try_from(row.number(2)?).unwrap_or(0);
                    earliest.insert(key(resource, principal)?, before);
                }
                Ok(())
            })
            .await?;
        rows.extend(earliest);
        Ok(())
    }

    async fn other_access(
        &mut self,
        select: &AccessSelect,
    ) -> Result<HashMap<u64, Vec<Box<str>>>, StoreError> {
        let mut held: HashMap<(u64, Box<str>), bool> = HashMap::new();
        let columns = "SELECT resource_id, principal_id, slug FROM access_other";
        filtered(&mut self.connection, columns, select, |row| {
            let slug = row.text(2)?.unwrap_or_default();
            held.insert((key(row.number(0)?, row.number(1)?)?, slug.into()), true);
            Ok(())
        })
        .await?;
        if !self.is_newest() {
            let version = self.sync.version.0;
            let mut earliest: HashMap<(u64, Box<str>), bool> = HashMap::new();
            let meant = Meant::of(select);
            let sql = "SELECT resource_id, principal_id, slug, added
                         FROM access_other_change
                        WHERE version > $1
                        ORDER BY version DESC";
            self.connection
                .each("reading access", sql, &[version.into()], |row| {
                    let (resource, principal) = (row.number(0)?, row.number(1)?);
                    if meant.has(resource, principal) {
                        let slug: Box<str> = row.text(2)?.unwrap_or_default().into();
                        earliest.insert((key(resource, principal)?, slug), row.number(3)? != 0);
                    }
                    Ok(())
                })
                .await?;
            held.extend(earliest.into_iter().map(|(key, added)| (key, !added)));
        }
        let mut slugs: HashMap<u64, Vec<Box<str>>> = HashMap::new();
        for ((key, slug), _) in held.into_iter().filter(|(_, held)| *held) {
            slugs.entry(key).or_default().push(slug);
        }
        for list in slugs.values_mut() {
            list.sort();
        }
        Ok(slugs)
    }

    /// Which roles each team's permissions listing shows implicitly, as settled by earlier syncs.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn listing_manners(&mut self) -> Result<HashMap<HerokuId, Mask>, StoreError> {
        let mut manners = HashMap::new();
        let sql = "SELECT team.uuid, listing_manner.implicit_roles
                     FROM listing_manner
                     JOIN team ON team.id = listing_manner.team_id";
        self.connection
            .each("reading listing manners", sql, &[], |row| {
                let team = HerokuId::from_bytes(&row.bytes(0)?.unwrap_or_default());
                manners.insert(team, Mask(u32::try_from(row.number(1)?).unwrap_or(0)));
                Ok(())
            })
            .await?;
        Ok(manners)
    }
}

/// Of so many objects the log is read by their ids, of more from end to end.
const FEW: usize = 1_000;

/// Which rows of the access log are meant: it is kept by version, and has no other order.
enum Meant {
    All,
    On(HashSet<i64>),
    Of(HashSet<i64>),
}

impl Meant {
    fn of(select: &AccessSelect) -> Self {
        match select {
            AccessSelect::All => Self::All,
            AccessSelect::On(ids) => Self::On(ids.iter().copied().collect()),
            AccessSelect::Of(ids) => Self::Of(ids.iter().copied().collect()),
        }
    }

    fn has(&self, resource: i64, principal: i64) -> bool {
        match self {
            Self::All => true,
            Self::On(ids) => ids.contains(&resource),
            Self::Of(ids) => ids.contains(&principal),
        }
    }
}

/// Runs a query over one of the access tables for the rows that are meant.
async fn filtered(
    connection: &mut Connection,
    columns: &'static str,
    select: &AccessSelect,
    each: impl FnMut(crate::connection::Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let doing = "reading access";
    match select {
        AccessSelect::All => connection.each(doing, columns, &[], each).await,
        AccessSelect::On(ids) => {
            let head = format!("{columns} WHERE resource_id IN (");
            connection.each_in(doing, (&head, ")"), ids, each).await
        }
        AccessSelect::Of(ids) => {
            let head = format!("{columns} WHERE principal_id IN (");
            connection.each_in(doing, (&head, ")"), ids, each).await
        }
    }
}

/// Whether an object of an earlier version is one of those that are meant.
fn selects<T: Record>(select: &Select, wanted: &[HerokuId], found: &Found<T>) -> bool {
    let record = &found.stored.record;
    let cell = |name: &str| {
        let columns = T::KIND.columns();
        let place = columns.iter().position(|column| column.name == name);
        place.and_then(|place| record.cells().get(place).copied())
    };
    let refers = |name: &str| match cell(name) {
        Some(metsuke_model::Cell::Reference(id)) => wanted.binary_search(id).is_ok(),
        _ => false,
    };
    match select {
        // Those alone were read.
        Select::All | Select::Dense(_) | Select::Id(_) => true,
        Select::Named(name) => match cell(name_column(T::KIND)) {
            Some(metsuke_model::Cell::Text(text)) if name_column(T::KIND) == "email" => {
                text.to_lowercase() == name.to_lowercase()
            }
            Some(metsuke_model::Cell::Text(text)) => text == name,
            _ => false,
        },
        Select::Within(_) => refers(crate::objects::parent_column(T::KIND)),
        Select::OwnedBy(_) => refers("owner"),
    }
}
