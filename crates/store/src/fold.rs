//! Earlier versions: what the log says of them is folded back from the newest one.
//!
//! Whoever looks at an earlier version asks for much of it, page after page. So what the log says since that version is read once and kept,
//! unless it is too much; then it is read anew each time, from the log.
//!
//! Invariant: what is kept is of one earlier version and one newest one, which are both committed and so never change; and folding it
//! back gives what folding the log back gives.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use metsuke_model::{Kind, Record, Version};

use crate::checkpoint::{key, parts};
use crate::connection::Connection;
use crate::dense::KIND_MASK;
use crate::history::{ChangeKind, read_document};
use crate::objects::{Found, Select, find, name_column, parent_column, patched};
use crate::{AccessSelect, Snapshot, Store, StoreError, dense};

/// Earlier versions of which what differs is kept.
const KEPT: usize = 2;
/// So much of each is kept at most: rows of the access log, and bytes of the log of objects.
const MOST_ROWS: usize = 200_000;
const MOST_BYTES: usize = 16 << 20;
/// Of so many objects the log is read by their ids, of more from end to end.
const FEW: usize = 1_000;

const OBJECTS: &str = "folding objects back";
const ACCESS: &str = "reading access";

/// What differs between earlier versions and the newest; all clones of a store share it.
#[derive(Clone, Debug)]
pub(crate) struct Folds {
    kept: Arc<Mutex<Vec<Kept>>>,
    most: usize,
}

/// Of an earlier version and the newest: what differs; none where that is too much.
type Kept = ((Version, Version), Arc<Option<Fold>>);

impl Default for Folds {
    fn default() -> Self {
        Self { kept: Arc::default(), most: MOST_ROWS }
    }
}

impl Folds {
    fn known(&self, of: (Version, Version)) -> Option<Arc<Option<Fold>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(known, _)| *known == of)?;
        let found = kept.remove(at);
        let fold = Arc::clone(&found.1);
        kept.push(found);
        Some(fold)
    }

    fn keep(&self, of: (Version, Version), fold: Arc<Option<Fold>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| *known != of);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((of, fold));
    }
}

impl Store {
    /// The same, which reads the log anew for each question about a version that differs from the newest in more rows than these.
    #[must_use]
    pub fn folding_at_most(self, most: usize) -> Self {
        Self { folds: Folds { most, ..Folds::default() }, ..self }
    }
}

/// Everything that an earlier version had otherwise than the newest.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    /// The masks that were held, by key.
    access: Vec<(u64, u32)>,
    /// Entitlements of no known name, and whether they were held, by key.
    other: Vec<(u64, Box<str>, bool)>,
    /// What happened to each object since, the newest first.
    objects: HashMap<i64, Vec<Past>>,
}

/// What happened to an object, and the properties before that, as JSON.
#[derive(Debug)]
struct Past {
    change: ChangeKind,
    before: Box<str>,
}

impl Fold {
    /// Reads what differs; none where that is too much.
    async fn read(
        connection: &mut Connection,
        since: Version,
        most: usize,
    ) -> Result<Option<Self>, StoreError> {
        let mut fold = Self::default();
        // One more than is kept tells that there is more.
        let limit = most.saturating_add(1);
        let sql = format!(
            "SELECT object_id, change, before FROM object_change WHERE version > {since}
              ORDER BY version DESC LIMIT {limit}"
        );
        let (mut rows, mut bytes) = (0, 0);
        let each = |row: crate::connection::Row<'_>| {
            let before: Box<str> = row.text(2)?.unwrap_or_default().into();
            (rows, bytes) = (rows + 1, bytes + before.len());
            if bytes <= MOST_BYTES {
                let past = Past { change: ChangeKind::from_number(row.number(1)?), before };
                fold.objects.entry(row.number(0)?).or_default().push(past);
            }
            Ok(())
        };
        connection.each_of(OBJECTS, &sql, each).await?;
        if rows > most || bytes > MOST_BYTES {
            return Ok(None);
        }
        // The log is read from its end, so that what it said first after the version stays.
        let sql = format!(
            "SELECT resource_id, principal_id, before FROM access_change WHERE version > {since}
              ORDER BY version DESC LIMIT {limit}"
        );
        let (mut rows, mut access) = (0, HashMap::new());
        let each = |row: crate::connection::Row<'_>| {
            rows += 1;
            access.insert(key(row.number(0)?, row.number(1)?)?, u32::try_from(row.number(2)?).unwrap_or(0));
            Ok(())
        };
        connection.each_of(ACCESS, &sql, each).await?;
        if rows > most {
            return Ok(None);
        }
        fold.access = access.into_iter().collect();
        fold.access.sort_unstable();
        let mut other = HashMap::new();
        let sql = format!(
            "SELECT resource_id, principal_id, slug, added FROM access_other_change WHERE version > {since}
              ORDER BY version DESC LIMIT {limit}"
        );
        let mut rows = 0;
        let each = |row: crate::connection::Row<'_>| {
            rows += 1;
            let slug: Box<str> = row.text(2)?.unwrap_or_default().into();
            other.insert((key(row.number(0)?, row.number(1)?)?, slug), row.number(3)? == 0);
            Ok(())
        };
        connection.each_of(ACCESS, &sql, each).await?;
        if rows > most {
            return Ok(None);
        }
        fold.other = other.into_iter().map(|((key, slug), held)| (key, slug, held)).collect();
        Ok(Some(fold))
    }

    /// The objects of a kind that had another value in a column, or came or went.
    fn moved(&self, kind: Kind, column: &str) -> Vec<i64> {
        let named = format!("\"{column}\":");
        let of_kind = self.objects.iter().filter(|(id, _)| dense::kind(**id) == Some(kind));
        let moved = of_kind.filter(|(_, pasts)| pasts.iter().any(|past| past.before.contains(&named)));
        moved.map(|(id, _)| *id).collect()
    }

    fn access<'f>(&'f self, select: &'f AccessSelect) -> Box<dyn Iterator<Item = (u64, u32)> + Send + 'f> {
        let meant = Meant::of(select);
        match select {
            AccessSelect::All => Box::new(self.access.iter().copied()),
            // By resource first: what is on one stands together.
            AccessSelect::On(ids) => Box::new(ids.iter().flat_map(move |id| {
                let from = self.access.partition_point(|(key, _)| parts(*key).0 < *id);
                self.access.iter().skip(from).take_while(move |(key, _)| parts(*key).0 == *id).copied()
            })),
            AccessSelect::Of(_) => {
                Box::new(self.access.iter().copied().filter(move |(key, _)| meant.has(parts(*key))))
            }
        }
    }
}

impl Snapshot {
    /// What this version had otherwise than the newest, if that is kept.
    async fn fold(&mut self) -> Result<Arc<Option<Fold>>, StoreError> {
        let of = (self.sync().version, self.newest());
        let folds = self.folds().clone();
        if let Some(known) = folds.known(of) {
            return Ok(known);
        }
        let fold = Arc::new(Fold::read(self.connection_mut(), of.0, folds.most).await?);
        folds.keep(of, Arc::clone(&fold));
        Ok(fold)
    }

    /// Objects that may have been meant at this version: those that are meant now, gone ones included, and whatever has
    /// changed since.
    pub(crate) async fn candidates<T: Record>(
        &mut self,
        select: &Select,
    ) -> Result<Vec<Found<T>>, StoreError> {
        let mut found = find::<T>(self.connection_mut(), select, false).await?;
        let column = match select {
            // An object keeps its ids.
            Select::All | Select::Dense(_) | Select::Id(_) | Select::Ids(_) => return Ok(found),
            Select::Named(_) => name_column(T::KIND),
            Select::Within(_) => parent_column(T::KIND),
            Select::OwnedBy(_) => "owner",
        };
        let mut changed = Vec::new();
        if let Some(fold) = &*self.fold().await? {
            changed = fold.moved(T::KIND, column);
        } else {
            let sql = "SELECT DISTINCT object_id
                         FROM object_change
                        WHERE version > $1 AND (object_id & $2) = $3";
            let binds = [self.sync().version.0.into(), KIND_MASK.into(), T::KIND.number().into()];
            let each = |row: crate::connection::Row<'_>| {
                changed.push(row.number(0)?);
                Ok(())
            };
            self.connection_mut().each(OBJECTS, sql, &binds, each).await?;
        }
        let known: HashSet<i64> = found.iter().map(|found| found.stored.dense).collect();
        changed.retain(|id| !known.contains(id));
        if !changed.is_empty() {
            found.extend(find::<T>(self.connection_mut(), &Select::Dense(changed), false).await?);
        }
        Ok(found)
    }

    /// Makes of objects as they are what they were.
    pub(crate) async fn fold_objects<T: Record>(&mut self, found: &mut [Found<T>]) -> Result<(), StoreError> {
        if let Some(fold) = &*self.fold().await? {
            for found in found {
                for past in fold.objects.get(&found.stored.dense).into_iter().flatten() {
                    turn_back(found, past.change, (*past.before).to_owned())?;
                }
            }
            return Ok(());
        }
        let places: HashMap<i64, usize> =
            found.iter().enumerate().map(|(place, found)| (found.stored.dense, place)).collect();
        let few: Option<Vec<i64>> = (found.len() <= FEW).then(|| places.keys().copied().collect());
        let each = |row: crate::connection::Row<'_>| {
            let Some(found) = places.get(&row.number(0)?).and_then(|place| found.get_mut(*place)) else {
                return Ok(());
            };
            turn_back(found, ChangeKind::from_number(row.number(1)?), row.text(2)?.unwrap_or_default())
        };
        let version = self.sync().version.0;
        if let Some(few) = few {
            let head = format!(
                "SELECT object_id, change, before FROM object_change WHERE version > {version} AND object_id IN ("
            );
            return self
                .connection_mut()
                .each_in(OBJECTS, (&head, ") ORDER BY version DESC"), &few, each)
                .await;
        }
        let sql = "SELECT object_id, change, before
                     FROM object_change
                    WHERE version > $1 AND (object_id & $2) = $3
                    ORDER BY version DESC";
        let binds = [version.into(), KIND_MASK.into(), T::KIND.number().into()];
        self.connection_mut().each(OBJECTS, sql, &binds, each).await
    }

    /// Makes of access as it is what it was; a mask of 0 says that nothing was held.
    pub(crate) async fn fold_access(
        &mut self,
        select: &AccessSelect,
        rows: &mut HashMap<u64, u32>,
    ) -> Result<(), StoreError> {
        if let Some(fold) = &*self.fold().await? {
            rows.extend(fold.access(select));
            return Ok(());
        }
        let mut earliest: HashMap<u64, u32> = HashMap::new();
        let meant = Meant::of(select);
        let sql = "SELECT resource_id, principal_id, before
                     FROM access_change
                    WHERE version > $1
                    ORDER BY version DESC";
        let version = self.sync().version.0;
        let each = |row: crate::connection::Row<'_>| {
            let (resource, principal) = (row.number(0)?, row.number(1)?);
            if meant.has((resource, principal)) {
                earliest.insert(key(resource, principal)?, u32::try_from(row.number(2)?).unwrap_or(0));
            }
            Ok(())
        };
        self.connection_mut().each(ACCESS, sql, &[version.into()], each).await?;
        rows.extend(earliest);
        Ok(())
    }

    /// The same of entitlements of no known name, each with whether it is held.
    pub(crate) async fn fold_other(
        &mut self,
        select: &AccessSelect,
        held: &mut HashMap<(u64, Box<str>), bool>,
    ) -> Result<(), StoreError> {
        let meant = Meant::of(select);
        if let Some(fold) = &*self.fold().await? {
            let meant = fold.other.iter().filter(|(key, ..)| meant.has(parts(*key)));
            held.extend(meant.map(|(key, slug, held)| ((*key, slug.clone()), *held)));
            return Ok(());
        }
        let mut earliest: HashMap<(u64, Box<str>), bool> = HashMap::new();
        let sql = "SELECT resource_id, principal_id, slug, added
                     FROM access_other_change
                    WHERE version > $1
                    ORDER BY version DESC";
        let version = self.sync().version.0;
        let each = |row: crate::connection::Row<'_>| {
            let (resource, principal) = (row.number(0)?, row.number(1)?);
            if meant.has((resource, principal)) {
                let slug: Box<str> = row.text(2)?.unwrap_or_default().into();
                earliest.insert((key(resource, principal)?, slug), row.number(3)? == 0);
            }
            Ok(())
        };
        self.connection_mut().each(ACCESS, sql, &[version.into()], each).await?;
        held.extend(earliest);
        Ok(())
    }
}

/// Makes of an object what it was before something happened to it.
fn turn_back<T: Record>(found: &mut Found<T>, change: ChangeKind, before: String) -> Result<(), StoreError> {
    let before = read_document(Some(before))?;
    if !before.is_empty() {
        found.stored.record = patched(&found.stored.record, &before);
    }
    match change {
        ChangeKind::Added => found.present = false,
        ChangeKind::Removed => found.present = true,
        ChangeKind::Changed => {}
    }
    Ok(())
}

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

    fn has(&self, (resource, principal): (i64, i64)) -> bool {
        match self {
            Self::All => true,
            Self::On(ids) => ids.contains(&resource),
            Self::Of(ids) => ids.contains(&principal),
        }
    }
}
