//! One version of the estate, read in one transaction: the newest, or an earlier one by folding the log back.
//!
//! Invariant: all reads of one [`Snapshot`] see the same version, whatever is committed meanwhile.

use std::collections::HashMap;

use metsuke_model::access::Mask;
use metsuke_model::{AsOf, HerokuId, Record, ScopeReport, Version};

use crate::checkpoint::key;
use crate::connection::{Connection, Row};
use crate::fold::Folds;
use crate::objects::{Found, Select, Stored, find, find_with, heroku_ids, name_column};
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
    folds: Folds,
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
        Ok(Some(Snapshot { connection, sync, newest, folds: self.folds.clone() }))
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

    pub(crate) fn folds(&self) -> &Folds {
        &self.folds
    }

    /// The newest version, as far as this transaction sees.
    pub(crate) fn newest(&self) -> Version {
        self.newest
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
            self.connection.each_bytes("paging through objects", (&head, &tail), &[after], take).await?;
            return Ok(keys);
        }
        let objects = self.objects::<T>(&Select::All).await?;
        keys.extend(objects.into_iter().map(|stored| (stored.dense, stored.record.id().clone())));
        keys.retain(|(_, id)| id.to_bytes() > after);
        keys.sort_by_cached_key(|(_, id)| id.to_bytes());
        keys.truncate(count as usize);
        Ok(keys)
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
            self.fold_other(select, &mut held).await?;
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
        Select::All | Select::Dense(_) | Select::Id(_) | Select::Ids(_) => true,
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
