//! The tables and indexes of a file, as the newest readers of the ecosystem make them.
//!
//! What stands in the columns is decided where rows are written.
//!
//! Invariant: names, columns and their order are the format's; two of the names of resources' indexes are swapped, and
//! stay so.

use super::record::Value;

/// A table.
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// The statement that makes it.
    pub(super) sql: &'static str,
    /// Its columns behind the number of the row.
    pub(crate) columns: &'static [&'static str],
    /// Its indexes.
    pub(super) indexes: &'static [Index],
}

/// What stands for a column that a file from before it lacks; `None` where no file can do without.
pub(crate) fn default_of(column: &str) -> Option<&'static str> {
    match column {
        "parent_resource_type_id" | "parent_resource_id" | "expansion" | "ended_at" | "stats" => Some("NULL"),
        "needs_expansion" | "supports_diff" | "grants_backfilled" => Some("0"),
        "sync_type" => Some("'full'"),
        "sync_id"
        | "external_id"
        | "data"
        | "key"
        | "value"
        | "resource_type_id"
        | "resource_id"
        | "entitlement_id"
        | "principal_resource_type_id"
        | "principal_resource_id" => None,
        _ => Some("''"),
    }
}

/// An index.
pub(crate) struct Index {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
    /// Places of its columns in the table.
    pub(super) columns: &'static [usize],
    /// Whether the number of the row is the last of its columns.
    pub(super) with_row: bool,
    pub(super) is_unique: bool,
    /// Which rows it has; all where there is none.
    pub(super) only: Option<fn(&[Value<'_>]) -> bool>,
}

macro_rules! index {
    ($unique:literal, $name:literal, $table:literal, $on:literal, $columns:expr, $with_row:literal) => {
        index!($unique, $name, $table, $on, "", $columns, $with_row, None)
    };
    ($unique:literal, $name:literal, $table:literal, $on:literal, $only_sql:literal, $columns:expr, $with_row:literal,
     $only:expr) => {
        Index {
            name: $name,
            sql: concat!("CREATE ", $unique, "INDEX ", $name, " ON ", $table, " (", $on, ")", $only_sql),
            columns: &$columns,
            with_row: $with_row,
            is_unique: !$unique.is_empty(),
            only: $only,
        }
    };
}

/// All tables, in the order of [`TableName`].
pub(crate) const TABLES: [Table; 7] =
    [RESOURCE_TYPES, RESOURCES, ENTITLEMENTS, GRANTS, ASSETS, CONNECTOR_SESSIONS, SYNC_RUNS];

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableName {
    ResourceTypes,
    Resources,
    Entitlements,
    Grants,
    Assets,
    ConnectorSessions,
    SyncRuns,
}

impl TableName {
    /// All of them, in the order of [`TABLES`].
    pub(crate) const ALL: [Self; 7] = [
        Self::ResourceTypes,
        Self::Resources,
        Self::Entitlements,
        Self::Grants,
        Self::Assets,
        Self::ConnectorSessions,
        Self::SyncRuns,
    ];

    /// The table of this name.
    pub(crate) const fn table(self) -> &'static Table {
        match self {
            Self::ResourceTypes => &RESOURCE_TYPES,
            Self::Resources => &RESOURCES,
            Self::Entitlements => &ENTITLEMENTS,
            Self::Grants => &GRANTS,
            Self::Assets => &ASSETS,
            Self::ConnectorSessions => &CONNECTOR_SESSIONS,
            Self::SyncRuns => &SYNC_RUNS,
        }
    }
}

const RESOURCE_TYPES: Table = Table {
    name: "v1_resource_types",
    sql: "CREATE TABLE v1_resource_types (
    id integer primary key,
    external_id text not null,
    data blob not null,
    sync_id text not null,
    discovered_at datetime not null
)",
    columns: &["external_id", "data", "sync_id", "discovered_at"],
    indexes: &[index!(
        "UNIQUE ",
        "idx_resource_types_external_sync_v1",
        "v1_resource_types",
        "external_id, sync_id",
        [0, 2],
        false
    )],
};

const RESOURCES: Table = Table {
    name: "v1_resources",
    sql: "CREATE TABLE v1_resources (
    id integer primary key,
    resource_type_id text not null,
    external_id text not null,
    parent_resource_type_id text,
    parent_resource_id text,
    data blob not null,
    sync_id text not null,
    discovered_at datetime not null
)",
    columns: &[
        "resource_type_id",
        "external_id",
        "parent_resource_type_id",
        "parent_resource_id",
        "data",
        "sync_id",
        "discovered_at",
    ],
    indexes: &[
        index!("", "idx_resources_resource_type_id_v1", "v1_resources", "resource_type_id", [0], false),
        index!(
            "",
            "idx_resources_external_sync_v1",
            "v1_resources",
            "parent_resource_type_id, parent_resource_id",
            [2, 3],
            false
        ),
        index!(
            "UNIQUE ",
            "idx_resources_parent_resource_id_v1",
            "v1_resources",
            "external_id, sync_id",
            [1, 5],
            false
        ),
    ],
};

const ENTITLEMENTS: Table = Table {
    name: "v1_entitlements",
    sql: "CREATE TABLE v1_entitlements (
    id integer primary key,
    resource_type_id text not null,
    resource_id text not null,
    external_id text not null,
    data blob not null,
    sync_id text not null,
    discovered_at datetime not null
)",
    columns: &["resource_type_id", "resource_id", "external_id", "data", "sync_id", "discovered_at"],
    indexes: &[
        index!(
            "",
            "idx_entitlements_resource_id_v1",
            "v1_entitlements",
            "resource_type_id, resource_id",
            [0, 1],
            false
        ),
        index!(
            "UNIQUE ",
            "idx_entitlements_external_sync_v1",
            "v1_entitlements",
            "external_id, sync_id",
            [2, 4],
            false
        ),
    ],
};

const GRANTS: Table = Table {
    name: "v1_grants",
    sql: "CREATE TABLE v1_grants (
    id integer primary key,
    resource_type_id text not null,
    resource_id text not null,
    entitlement_id text not null,
    principal_resource_type_id text not null,
    principal_resource_id text not null,
    external_id text not null,
    expansion blob,
    needs_expansion integer not null default 0,
    data blob not null,
    sync_id text not null,
    discovered_at datetime not null
)",
    columns: &[
        "resource_type_id",
        "resource_id",
        "entitlement_id",
        "principal_resource_type_id",
        "principal_resource_id",
        "external_id",
        "expansion",
        "needs_expansion",
        "data",
        "sync_id",
        "discovered_at",
    ],
    indexes: &[
        index!(
            "",
            "idx_grants_resource_type_id_resource_id_v1",
            "v1_grants",
            "resource_type_id, resource_id",
            [0, 1],
            false
        ),
        index!(
            "",
            "idx_grants_principal_id_v1",
            "v1_grants",
            "principal_resource_type_id, principal_resource_id",
            [3, 4],
            false
        ),
        index!(
            "",
            "idx_grants_entitlement_id_principal_id_v1",
            "v1_grants",
            "entitlement_id, principal_resource_type_id, principal_resource_id",
            [2, 3, 4],
            false
        ),
        index!("UNIQUE ", "idx_grants_external_sync_v1", "v1_grants", "external_id, sync_id", [5, 9], false),
        index!(
            "",
            "idx_grants_entitlement_sync_grant_v1",
            "v1_grants",
            "entitlement_id, sync_id, id",
            [2, 9],
            true
        ),
        index!(
            "",
            "idx_grants_sync_expansion_v1",
            "v1_grants",
            "sync_id",
            " WHERE expansion IS NOT NULL",
            [9],
            false,
            Some(|values| values.get(6).is_some_and(|expansion| *expansion != Value::Null))
        ),
        index!(
            "",
            "idx_grants_sync_needs_expansion_v1",
            "v1_grants",
            "sync_id",
            " WHERE needs_expansion = 1",
            [9],
            false,
            Some(|values| values.get(7) == Some(&Value::Int(1)))
        ),
    ],
};

const ASSETS: Table = Table {
    name: "v1_assets",
    sql: "CREATE TABLE v1_assets (
    id integer primary key,
    external_id text not null,
    content_type text not null,
    data blob not null,
    sync_id text not null,
    discovered_at datetime not null
)",
    columns: &["external_id", "content_type", "data", "sync_id", "discovered_at"],
    indexes: &[index!(
        "UNIQUE ",
        "idx_assets_external_sync_v1",
        "v1_assets",
        "external_id, sync_id",
        [0, 3],
        false
    )],
};

const CONNECTOR_SESSIONS: Table = Table {
    name: "v1_connector_sessions",
    sql: "CREATE TABLE v1_connector_sessions (
    id integer primary key,
    sync_id text not null,
    key TEXT NOT NULL,
    value BLOB NOT NULL
)",
    columns: &["sync_id", "key", "value"],
    indexes: &[index!(
        "UNIQUE ",
        "idx_session_store_sync_key_v1",
        "v1_connector_sessions",
        "sync_id, key",
        [0, 1],
        false
    )],
};

const SYNC_RUNS: Table = Table {
    name: "v1_sync_runs",
    sql: "CREATE TABLE v1_sync_runs (
    id integer primary key,
    sync_id text not null,
    started_at datetime not null,
    ended_at datetime,
    sync_token text not null,
    sync_type text not null default 'full',
    parent_sync_id text not null default '',
    linked_sync_id text not null default '',
    supports_diff integer not null default 0,
    grants_backfilled integer not null default 0,
    stats text,
    ingest_invariant_generation text not null default '',
    ingest_invariant_coverage text not null default '',
    ingest_invariant_mode text not null default ''
)",
    columns: &[
        "sync_id",
        "started_at",
        "ended_at",
        "sync_token",
        "sync_type",
        "parent_sync_id",
        "linked_sync_id",
        "supports_diff",
        "grants_backfilled",
        "stats",
        "ingest_invariant_generation",
        "ingest_invariant_coverage",
        "ingest_invariant_mode",
    ],
    indexes: &[index!("UNIQUE ", "idx_sync_runs_sync_id_v1", "v1_sync_runs", "sync_id", [0], false)],
};
