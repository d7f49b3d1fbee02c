//! The store of each connector: a file or a schema of its own beside the main store, and its end.
//!
//! It does not say which connectors there are; the registry of the main store does.
//!
//! Invariant: what a connector had is wiped in one transaction, which also writes down the proof that it was there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use metsuke_model::audit::NewEvent;
use metsuke_model::{ConnectorId, Moment};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;

use crate::connection::Connection;
use crate::dialect::Pool;
use crate::query::{Datum, Reader};
use crate::{OpenMode, Store, StoreError, audit, open, settings};

/// How long a connection to a connector's schema is kept without use.
const IDLE: Duration = Duration::from_secs(30);
/// What stays of a connector: its audit trail, what the schema is, and the note of its end.
const KEPT: [&str; 5] = ["audit_event", "audit_frontier", "audit_checkpoint", "metsuke_schema", "setting"];
/// The setting that holds the note of a connector's end.
const REMOVAL: &str = "removal";
const WIPING: &str = "removing a connector";

/// What went with a connector, and the proof that it was there.
#[derive(Clone, Debug, PartialEq)]
pub struct Wiped {
    /// When.
    pub at: Moment,
    /// Rows by table, those without any left out.
    pub rows: BTreeMap<String, u64>,
    /// How many versions of the estate there were.
    pub versions: u64,
    /// The last one's number.
    pub last_version: Option<i64>,
    /// A hash (BLAKE3, hexadecimal) of all syncs, of all changes and of what the last version held.
    pub fingerprint: String,
}

impl Wiped {
    /// As it is kept and told.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({
            "at": self.at,
            "rows": self.rows,
            "history": {
                "versions": self.versions,
                "last_version": self.last_version,
                "fingerprint": self.fingerprint,
            },
        })
    }

    fn read(document: &Value) -> Option<Self> {
        let history = document.get("history")?;
        Some(Self {
            at: Moment::parse(document.get("at")?.as_str()?)?,
            rows: serde_json::from_value(document.get("rows")?.clone()).ok()?,
            versions: history.get("versions")?.as_u64()?,
            last_version: history.get("last_version")?.as_i64(),
            fingerprint: history.get("fingerprint")?.as_str()?.to_owned(),
        })
    }
}

impl Store {
    /// The store of a connector, beside this one: a file in `FILE.connectors`, or a schema of the same database.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub async fn estate(&self, id: ConnectorId, mode: OpenMode) -> Result<Self, StoreError> {
        let store = match &self.pool {
            Pool::Sqlite(_) => match self.estate_file(id) {
                Some(file) => {
                    let shown = format!("sqlite:{}", file.display());
                    if mode == OpenMode::Create {
                        let folder = file.parent().map_or(Ok(()), private_folder);
                        folder.map_err(|source| StoreError::Open {
                            url: shown.clone(),
                            source: source.into(),
                        })?;
                    }
                    open::sqlite(SqliteConnectOptions::new().filename(&file), mode, shown, false).await?
                }
                None => Self::open("sqlite::memory:", mode).await?,
            },
            Pool::Postgres(pool) => {
                let schema = schema(id);
                let shown = format!("{}#{schema}", self.url);
                if mode == OpenMode::Create {
                    self.make_room(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await?;
                } else if !self.has_schema(&schema).await? {
                    let missing = format!("there is no schema `{schema}`");
                    return Err(StoreError::Open { url: shown, source: missing.into() });
                }
                let options = (*pool.connect_options()).clone().options([("search_path", &*schema)]);
                open::postgres(options, shown, Some(IDLE)).await?
            }
        };
        Ok(store.acting_as(self.actor.clone()).braked(self.brake))
    }

    /// Takes away the store of a connector that was never finished, with all that is in it.
    ///
    /// # Errors
    ///
    /// What the database or the folder said.
    pub async fn drop_estate(&self, id: ConnectorId) -> Result<(), StoreError> {
        match &self.pool {
            Pool::Sqlite(_) => {
                let Some(file) = self.estate_file(id) else { return Ok(()) };
                for ending in ["", "-wal", "-shm", "-journal", ".lock"] {
                    let mut name = file.clone().into_os_string();
                    name.push(ending);
                    match std::fs::remove_file(PathBuf::from(name)) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                            return Err(StoreError::Database { doing: WIPING, source: Box::new(error) });
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            Pool::Postgres(_) => {
                self.make_room(&format!("DROP SCHEMA IF EXISTS {} CASCADE", schema(id))).await
            }
        }
    }

    /// Wipes all that the connector of this store had but its audit trail, and tells it there: `event` gets the proof
    /// of what was there as details. Done once; asked again, it tells what went then.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is wiped then.
    pub async fn wipe(&self, now: Moment, event: NewEvent) -> Result<Wiped, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        if let Some(wiped) = removal(&mut connection).await? {
            return Ok(wiped);
        }
        let (versions, last_version, fingerprint) = history(&mut connection).await?;
        let mut rows = BTreeMap::new();
        let mut tables = Pool::tables(&mut connection).await?;
        tables.retain(|table| !KEPT.contains(&&**table));
        Pool::defer_references(&mut connection).await?;
        for table in &tables {
            let mut count = 0;
            let each = |row: crate::connection::Row<'_>| {
                count = row.count(0)?;
                Ok(())
            };
            connection.each_of(WIPING, &format!("SELECT COUNT(*) FROM {table}"), each).await?;
            if count > 0 {
                rows.insert(table.clone(), count);
            }
        }
        Pool::empty(&mut connection, &tables).await?;
        let wiped = Wiped { at: now, rows, versions, last_version, fingerprint };
        let document = wiped.document();
        settings::put(&mut connection, WIPING, REMOVAL, &document.to_string()).await?;
        let event = event.detail("rows", document["rows"].clone());
        audit::append(&mut connection, event.detail("history", document["history"].clone())).await?;
        connection.commit().await?;
        self.shrink().await;
        Ok(wiped)
    }

    /// Gives the room of what was wiped back, so that nothing of it lies in the file. Without harm where it fails.
    async fn shrink(&self) {
        if let Err(error) = self.pool.shrink().await {
            tracing::warn!(%error, "the connector is removed, but its file could not be made smaller");
        }
    }

    /// Closes all connections, once nobody uses the store any more.
    pub async fn close(&self) {
        match &self.reader {
            Reader::Sqlite(readers) => readers.close(),
            Reader::Postgres(pool) => pool.close().await,
        }
        match &self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }

    /// Whether nothing of the connector of this store is left but its audit trail.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn is_wiped(&self) -> Result<bool, StoreError> {
        Ok(removal(&mut self.pool.begin_read().await?).await?.is_some())
    }

    fn estate_file(&self, id: ConnectorId) -> Option<PathBuf> {
        Some(folder(&self.file()?).join(format!("{id}.db")))
    }

    async fn make_room(&self, sql: &str) -> Result<(), StoreError> {
        let mut connection = self.pool.begin_write().await?;
        connection.each_of("making room for a connector", sql, |_| Ok(())).await?;
        connection.commit().await
    }

    async fn has_schema(&self, schema: &str) -> Result<bool, StoreError> {
        let mut found = false;
        let sql = "SELECT CAST(1 AS BIGINT) FROM information_schema.schemata WHERE schema_name = $1";
        let mut connection = self.pool.begin_read().await?;
        connection
            .each("looking for a connector", sql, &[schema.into()], |_| {
                found = true;
                Ok(())
            })
            .await?;
        Ok(found)
    }
}

/// The folder of the connectors' files.
pub(crate) fn folder(file: &Path) -> PathBuf {
    let mut folder = file.as_os_str().to_owned();
    folder.push(".connectors");
    PathBuf::from(folder)
}

pub(crate) fn schema(id: ConnectorId) -> String {
    format!("connector_{}", id.digits())
}

/// Makes a folder into which only its owner may look.
pub(crate) fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The note of the connector's end.
async fn removal(connection: &mut Connection) -> Result<Option<Wiped>, StoreError> {
    let text = settings::text(connection, WIPING, REMOVAL).await?;
    let read = |text: String| {
        let document = serde_json::from_str(&text).ok();
        document
            .as_ref()
            .and_then(Wiped::read)
            .ok_or_else(|| StoreError::Damaged { what: "the note of a connector's end".to_owned() })
    };
    text.map(read).transpose()
}

/// How many versions there were, the last one's number, and a hash over all of them.
async fn history(connection: &mut Connection) -> Result<(u64, Option<i64>, String), StoreError> {
    let (mut versions, mut last) = (0, None);
    let sql = "SELECT COUNT(*), MAX(id) FROM sync WHERE status IN ('complete', 'partial')";
    connection
        .each(WIPING, sql, &[], |row| {
            (versions, last) = (row.count(0)?, row.int(1)?);
            Ok(())
        })
        .await?;
    let mut hasher = blake3::Hasher::new();
    for sql in [
        "SELECT id, status, started_at, finished_at, grants, added, removed, changed FROM sync ORDER BY id",
        "SELECT version, object_id, change, before, after FROM object_change ORDER BY version, object_id",
        "SELECT version, resource_id, principal_id, before, after
           FROM access_change
          ORDER BY version, resource_id, principal_id",
        "SELECT resource_id, principal_id, mask, since FROM access ORDER BY resource_id, principal_id",
    ] {
        connection
            .each(WIPING, sql, &[], |row| {
                let values = row.values().map_err(StoreError::database(WIPING))?;
                for value in &values {
                    match value {
                        Datum::Int(number) => hasher.update(&number.to_le_bytes()),
                        Datum::Text(text) => hasher.update(text.as_bytes()),
                        _ => hasher.update(&[]),
                    };
                    hasher.update(&[0]);
                }
                Ok(())
            })
            .await?;
    }
    Ok((versions, last, hasher.finalize().to_hex().to_string()))
}
