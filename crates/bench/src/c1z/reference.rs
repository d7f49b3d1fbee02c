//! The obvious way to write a file: through SQLite, prepared statements in one transaction, journal off; then the same
//! compression. The indexes are made before the rows, or after them; nothing else differs.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use metsuke_baton::any;
use metsuke_baton::c1z::{C1zError, Rows, Sink, SyncHead};
use metsuke_baton::proto::connector::{
    Entitlement, Grant, GrantExpandable, Resource, ResourceId, ResourceType,
};
use prost::Message;
use rusqlite::{Connection, Statement};

const TABLES: &str = "
    CREATE TABLE v1_resource_types (id integer primary key, external_id text not null, data blob not null,
        sync_id text not null, discovered_at datetime not null);
    CREATE TABLE v1_resources (id integer primary key, resource_type_id text not null, external_id text not null,
        parent_resource_type_id text, parent_resource_id text, data blob not null, sync_id text not null,
        discovered_at datetime not null);
    CREATE TABLE v1_entitlements (id integer primary key, resource_type_id text not null, resource_id text not null,
        external_id text not null, data blob not null, sync_id text not null, discovered_at datetime not null);
    CREATE TABLE v1_grants (id integer primary key, resource_type_id text not null, resource_id text not null,
        entitlement_id text not null, principal_resource_type_id text not null, principal_resource_id text not null,
        external_id text not null, expansion blob, needs_expansion integer not null default 0, data blob not null,
        sync_id text not null, discovered_at datetime not null);
    CREATE TABLE v1_sync_runs (id integer primary key, sync_id text not null, started_at datetime not null,
        ended_at datetime, sync_token text not null, sync_type text not null default 'full',
        parent_sync_id text not null default '', linked_sync_id text not null default '',
        supports_diff integer not null default 0, grants_backfilled integer not null default 0, stats text);";

const INDEXES: &str = "
    CREATE UNIQUE INDEX idx_resource_types_external_sync_v1 ON v1_resource_types (external_id, sync_id);
    CREATE INDEX idx_resources_resource_type_id_v1 ON v1_resources (resource_type_id);
    CREATE INDEX idx_resources_external_sync_v1 ON v1_resources (parent_resource_type_id, parent_resource_id);
    CREATE UNIQUE INDEX idx_resources_parent_resource_id_v1 ON v1_resources (external_id, sync_id);
    CREATE INDEX idx_entitlements_resource_id_v1 ON v1_entitlements (resource_type_id, resource_id);
    CREATE UNIQUE INDEX idx_entitlements_external_sync_v1 ON v1_entitlements (external_id, sync_id);
    CREATE INDEX idx_grants_resource_type_id_resource_id_v1 ON v1_grants (resource_type_id, resource_id);
    CREATE INDEX idx_grants_principal_id_v1 ON v1_grants (principal_resource_type_id, principal_resource_id);
    CREATE INDEX idx_grants_entitlement_id_principal_id_v1
        ON v1_grants (entitlement_id, principal_resource_type_id, principal_resource_id);
    CREATE UNIQUE INDEX idx_grants_external_sync_v1 ON v1_grants (external_id, sync_id);
    CREATE INDEX idx_grants_entitlement_sync_grant_v1 ON v1_grants (entitlement_id, sync_id, id);
    CREATE INDEX idx_grants_sync_expansion_v1 ON v1_grants (sync_id) WHERE expansion IS NOT NULL;
    CREATE INDEX idx_grants_sync_needs_expansion_v1 ON v1_grants (sync_id) WHERE needs_expansion = 1;";

/// When the indexes are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Indexes {
    First,
    Last,
}

/// Writes the rows.
pub(crate) fn write(
    path: &Path,
    rows: &mut dyn Rows,
    head: &SyncHead,
    indexes: Indexes,
) -> anyhow::Result<()> {
    let database = path.with_extension("db");
    let connection = Connection::open(&database)?;
    connection.execute_batch(
        "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -131072; PRAGMA temp_store = FILE; PRAGMA threads = 2;",
    )?;
    connection.execute_batch(TABLES)?;
    if indexes == Indexes::First {
        connection.execute_batch(INDEXES)?;
    }
    connection.execute_batch("BEGIN")?;
    rows.visit(&mut Inserting::new(&connection, head)?)?;
    connection.execute(
        "INSERT INTO v1_sync_runs (sync_id, started_at, ended_at, sync_token, supports_diff, grants_backfilled)
              VALUES (?1, ?2, ?2, '', 1, 1)",
        (head.id.as_str(), SEEN),
    )?;
    if indexes == Indexes::Last {
        connection.execute_batch(INDEXES)?;
    }
    connection.execute_batch("COMMIT")?;
    drop(connection);
    compress(&database, path)?;
    std::fs::remove_file(database)?;
    Ok(())
}

fn compress(database: &Path, path: &Path) -> io::Result<()> {
    let mut database = File::open(database)?;
    let mut file = File::create(path)?;
    file.write_all(b"C1ZF\0")?;
    let mut encoder = zstd::stream::write::Encoder::new(&file, 1)?;
    encoder.set_pledged_src_size(Some(database.metadata()?.len()))?;
    encoder.include_checksum(true)?;
    encoder.multithread(2)?;
    io::copy(&mut database, &mut encoder)?;
    encoder.finish()?;
    file.sync_all()
}

/// As long as the time that is written by ours.
const SEEN: &str = "2026-11-22 06:42:00";

struct Inserting<'a> {
    resource_types: Statement<'a>,
    resources: Statement<'a>,
    entitlements: Statement<'a>,
    grants: Statement<'a>,
    sync: &'a str,
    message: Vec<u8>,
}

impl<'a> Inserting<'a> {
    fn new(connection: &'a Connection, head: &'a SyncHead) -> rusqlite::Result<Self> {
        Ok(Self {
            resource_types: connection.prepare(
                "INSERT INTO v1_resource_types (external_id, data, sync_id, discovered_at) VALUES (?1, ?2, ?3, ?4)",
            )?,
            resources: connection.prepare(
                "INSERT INTO v1_resources (resource_type_id, external_id, parent_resource_type_id, parent_resource_id,
                    data, sync_id, discovered_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?,
            entitlements: connection.prepare(
                "INSERT INTO v1_entitlements (resource_type_id, resource_id, external_id, data, sync_id, discovered_at)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            grants: connection.prepare(
                "INSERT INTO v1_grants (resource_type_id, resource_id, entitlement_id, principal_resource_type_id,
                    principal_resource_id, external_id, expansion, needs_expansion, data, sync_id, discovered_at)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?,
            sync: head.id.as_str(),
            message: Vec::new(),
        })
    }

    fn encode<M: Message>(&mut self, row: &M) -> Result<(), C1zError> {
        self.message.clear();
        row.encode(&mut self.message).map_err(C1zError::source_failed)
    }
}

fn part(resource: Option<&Resource>) -> Result<&ResourceId, C1zError> {
    resource.and_then(|resource| resource.id.as_ref()).ok_or_else(|| C1zError::source_failed("no resource"))
}

fn done(result: rusqlite::Result<usize>) -> Result<(), C1zError> {
    result.map(drop).map_err(C1zError::source_failed)
}

impl Sink for Inserting<'_> {
    fn resource_type(&mut self, row: &ResourceType) -> Result<(), C1zError> {
        self.encode(row)?;
        done(self.resource_types.execute((&row.id, &self.message, self.sync, SEEN)))
    }

    fn resource(&mut self, row: &Resource) -> Result<(), C1zError> {
        self.encode(row)?;
        let id = part(Some(row))?;
        let key = format!("{}:{}", id.resource_type, id.resource);
        let parent = row.parent_resource_id.as_ref();
        done(self.resources.execute((
            &id.resource_type,
            key,
            parent.map(|parent| &parent.resource_type),
            parent.map(|parent| &parent.resource),
            &self.message,
            self.sync,
            SEEN,
        )))
    }

    fn entitlement(&mut self, row: &Entitlement) -> Result<(), C1zError> {
        self.encode(row)?;
        let id = part(row.resource.as_ref())?;
        let values = (&id.resource_type, &id.resource, &row.id, &self.message, self.sync, SEEN);
        done(self.entitlements.execute(values))
    }

    fn grant(&mut self, row: &Grant) -> Result<(), C1zError> {
        let expansion = match any::find::<GrantExpandable>(&row.annotations) {
            None => {
                self.encode(row)?;
                None
            }
            Some(expansion) => {
                let mut row = row.clone();
                row.annotations.retain(|packed| !any::is::<GrantExpandable>(packed));
                self.encode(&row)?;
                Some(expansion.encode_to_vec())
            }
        };
        let entitlement =
            row.entitlement.as_ref().ok_or_else(|| C1zError::source_failed("no entitlement"))?;
        let (on, to) = (part(entitlement.resource.as_ref())?, part(row.principal.as_ref())?);
        done(self.grants.execute((
            &on.resource_type,
            &on.resource,
            &entitlement.id,
            &to.resource_type,
            &to.resource,
            &row.id,
            &expansion,
            expansion.is_some(),
            &self.message,
            self.sync,
            SEEN,
        )))
    }
}
