//! Writes a sync into a file: a new one, or one that holds syncs already.
//!
//! What the rows are is the caller's to decide; how pages are laid out is [`database`](super::database)'s; which old syncs stay is
//! decided by [`keep`](super::keep).
//!
//! Invariant: a file is only made of rows that fit together, and its counts are those of its rows.

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use prost::Message;

use super::container::{self, Found};
use super::database::{Database, TableName, Value};
use super::known::{Granted, Integrity, expansion, resource_key};
use super::seal::{self, Unsealed};
use super::{C1z, C1zError, Offence, ReadOptions, RowKind, Rows, Sink, Stats, SyncHead, SyncId, SyncType};
use super::{keep, wall};
use crate::any;
use crate::proto::connector::{Entitlement, Grant, GrantExpandable, Resource, ResourceId, ResourceType};

/// The longest database that readers of 2025 take.
pub const OLD_READERS_TAKE: u64 = 3 << 30;

/// How a sync is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// What is said of the sync.
    pub head: SyncHead,
    /// What becomes of the syncs that the file holds.
    pub keep: Keep,
    /// Where keys wait to be sorted, which takes about as much room as the file; its folder by default.
    pub temp_dir: Option<PathBuf>,
    /// What is allowed of the file that is there.
    pub read: ReadOptions,
}

impl WriteOptions {
    /// The new sync, and the newest full one before it.
    #[must_use]
    pub fn of(head: SyncHead) -> Self {
        Self { head, keep: Keep::default(), temp_dir: None, read: ReadOptions::default() }
    }
}

/// Which syncs stay in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The newest of them, the new one counted.
    Newest(NonZeroUsize),
    /// All of them.
    All,
    /// The new one; the file is not even read.
    OnlyNew,
}

impl Default for Keep {
    /// The newest two.
    fn default() -> Self {
        Self::Newest(NonZeroUsize::MIN.saturating_add(1))
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The new sync.
    pub sync: SyncId,
    /// How many rows it has.
    pub stats: Stats,
    /// Syncs that were there and still are.
    pub kept: Vec<SyncId>,
    /// Syncs that were there and are not any more.
    pub dropped: Vec<SyncId>,
    /// Length of the file.
    pub file_bytes: u64,
    /// Length of the database inside; readers of 2025 take [`OLD_READERS_TAKE`].
    pub decoded_bytes: u64,
}

/// Writes a sync into the file; where there is none, or an empty one, it is made.
///
/// Blocks until the file is durable. Takes memory for the ids of resources and entitlements, and none for grants.
///
/// # Errors
///
/// [`C1zError::Unfit`] where rows do not fit together, [`C1zError::Invalid`] where something else stands under the name,
/// [`C1zError::Newer`] where the file holds what would be lost. After every error the file is as it was.
pub fn write(path: &Path, rows: &mut dyn Rows, options: &WriteOptions) -> Result<Written, C1zError> {
    let (path, folder) = seal::place(path)?;
    let old = match (container::look(&path)?, options.keep) {
        (Found::Nothing, _) | (Found::First(_), Keep::OnlyNew) => None,
        (Found::First(file), _) => Some(C1z::decoded(&path, file, &options.read)?),
    };
    let scratch = options.temp_dir.as_deref().unwrap_or(&folder);
    let unsealed = Unsealed::begin(&path, &folder)?;
    let failed = |error| build_failed(&path, error);
    let mut database = Database::begin(unsealed.file()?, scratch).map_err(failed)?;
    let kept = match &old {
        Some(old) => keep::carry_over(old, options, &mut database)?,
        None => keep::Kept::default(),
    };
    drop(old);
    let mut writer = Writer::new(&path, options, database);
    rows.visit(&mut writer)?;
    let (decoded_bytes, stats) = writer.finish()?;
    let file_bytes = unsealed.seal()?;
    let (kept, dropped) = (kept.kept, kept.dropped);
    Ok(Written { sync: options.head.id.clone(), stats, kept, dropped, file_bytes, decoded_bytes })
}

/// What the database cannot take was in the file before.
pub(super) fn build_failed(path: &Path, error: io::Error) -> C1zError {
    match error.kind() {
        io::ErrorKind::InvalidData => C1zError::invalid(path, error.to_string()),
        _ => C1zError::io("building the database of", path)(error),
    }
}

/// Takes rows, looks at them, counts them and puts them into tables.
struct Writer<'a> {
    path: &'a Path,
    head: &'a SyncHead,
    database: Database,
    integrity: Integrity,
    stats: Stats,
    /// When the rows were seen, as it is written.
    seen: String,
    message: Vec<u8>,
    expansion: Vec<u8>,
    key: String,
}

impl<'a> Writer<'a> {
    fn new(path: &'a Path, options: &'a WriteOptions, database: Database) -> Self {
        let head = &options.head;
        Self {
            path,
            head,
            database,
            integrity: Integrity::of(&head.sync_type),
            stats: Stats::default(),
            seen: wall::text(head.started_at),
            message: Vec::new(),
            expansion: Vec::new(),
            key: String::new(),
        }
    }

    fn encode<M: Message>(&mut self, row: &M) -> Result<(), C1zError> {
        self.message.clear();
        row.encode(&mut self.message).map_err(C1zError::source_failed)
    }

    /// Counts the rows, builds the indexes, and says whether everything fits together.
    fn finish(mut self) -> Result<(u64, Stats), C1zError> {
        self.add_sync_run()?;
        let (path, mut integrity) = (self.path, self.integrity);
        let twice = |table, id| {
            // The other tables' were told when they came.
            if table == TableName::Grants {
                integrity.add(Offence::Twice(RowKind::Grant, id));
            }
        };
        let length = self.database.finish(twice).map_err(|error| build_failed(path, error))?;
        let offences = integrity.into_offences();
        if offences.count() > 0 {
            return Err(C1zError::Unfit(offences));
        }
        Ok((length, self.stats))
    }

    fn add_sync_run(&mut self) -> Result<(), C1zError> {
        let head = self.head;
        let stats = serde_json::to_string(&self.stats).map_err(C1zError::source_failed)?;
        let ended = wall::text(head.ended_at);
        // What is passed on is known where all of it was read.
        let is_full = head.sync_type == SyncType::Full;
        let text = Value::text;
        let values = [
            text(head.id.as_str()),
            text(&self.seen),
            text(&ended),
            text(""),
            text(head.sync_type.as_str()),
            text(head.parent.as_ref().map_or("", SyncId::as_str)),
            text(""),
            Value::Int(i64::from(is_full)),
            Value::Int(1),
            text(&stats),
            text(""),
            text(""),
            text(""),
        ];
        self.database.insert(TableName::SyncRuns, &values).map_err(|error| build_failed(self.path, error))
    }
}

impl Sink for Writer<'_> {
    fn resource_type(&mut self, row: &ResourceType) -> Result<(), C1zError> {
        self.integrity.resource_type(row)?;
        self.encode(row)?;
        self.stats.add_type(&row.id);
        let text = Value::text;
        let values =
            [text(&row.id), Value::Blob(&self.message), text(self.head.id.as_str()), text(&self.seen)];
        self.database
            .insert(TableName::ResourceTypes, &values)
            .map_err(|error| build_failed(self.path, error))
    }

    fn resource(&mut self, row: &Resource) -> Result<(), C1zError> {
        let Some(id) = self.integrity.resource(row)? else { return Ok(()) };
        self.encode(row)?;
        self.stats.resources += 1;
        Stats::count(&mut self.stats.resources_by_resource_type, &id.resource_type);
        let text = Value::text;
        let parent = row.parent_resource_id.as_ref();
        let part = |part: fn(&ResourceId) -> &str| parent.map_or(Value::Null, |parent| text(part(parent)));
        let values = [
            text(&id.resource_type),
            text(resource_key(id, &mut self.key)),
            part(|parent| &parent.resource_type),
            part(|parent| &parent.resource),
            Value::Blob(&self.message),
            text(self.head.id.as_str()),
            text(&self.seen),
        ];
        self.database.insert(TableName::Resources, &values).map_err(|error| build_failed(self.path, error))
    }

    fn entitlement(&mut self, row: &Entitlement) -> Result<(), C1zError> {
        let Some(resource) = self.integrity.entitlement(row)? else { return Ok(()) };
        self.encode(row)?;
        self.stats.entitlements += 1;
        Stats::count(&mut self.stats.entitlements_by_resource_type, &resource.resource_type);
        let text = Value::text;
        let values = [
            text(&resource.resource_type),
            text(&resource.resource),
            text(&row.id),
            Value::Blob(&self.message),
            text(self.head.id.as_str()),
            text(&self.seen),
        ];
        self.database.insert(TableName::Entitlements, &values).map_err(|error| build_failed(self.path, error))
    }

    fn grant(&mut self, row: &Grant) -> Result<(), C1zError> {
        let passed_on = expansion(row);
        let Some(granted) = self.integrity.grant(row, passed_on.as_ref())? else { return Ok(()) };
        if row.annotations.iter().any(any::is::<GrantExpandable>) {
            // What it is passed on from stands in a column of its own.
            let mut row = row.clone();
            row.annotations.retain(|packed| !any::is::<GrantExpandable>(packed));
            self.encode(&row)?;
        } else {
            self.encode(row)?;
        }
        self.expansion.clear();
        if let Some(passed_on) = &passed_on {
            passed_on.encode(&mut self.expansion).map_err(C1zError::source_failed)?;
        }
        self.stats.grants += 1;
        let Granted { entitlement, resource, principal } = granted;
        Stats::count(&mut self.stats.grants_by_resource_type, &resource.resource_type);
        let text = Value::text;
        let values = [
            text(&resource.resource_type),
            text(&resource.resource),
            text(&entitlement.id),
            text(&principal.resource_type),
            text(&principal.resource),
            text(&row.id),
            passed_on.as_ref().map_or(Value::Null, |_| Value::Blob(&self.expansion)),
            Value::Int(i64::from(passed_on.is_some())),
            Value::Blob(&self.message),
            text(self.head.id.as_str()),
            text(&self.seen),
        ];
        self.database.insert(TableName::Grants, &values).map_err(|error| build_failed(self.path, error))
    }
}
