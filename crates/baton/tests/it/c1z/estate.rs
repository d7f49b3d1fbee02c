//! Rows of a small made-up estate, and files of them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use metsuke_baton::any;
use metsuke_baton::c1z::{
    self, C1z, C1zError, ReadOptions, Row, Rows as _, SyncHead, SyncType, WriteOptions, Written,
};
use metsuke_baton::proto::connector::{
    Entitlement, Grant, GrantExpandable, GrantImmutable, RawId, Resource, ResourceId, ResourceType,
};
use metsuke_model::{Moment, Version};
use tempfile::TempDir;

/// 2026-11-22 06:42:00 UTC.
pub(crate) const BEGAN: i64 = 1_795_329_720_000_000;

pub(crate) fn resource_type(id: &str) -> Row {
    Row::ResourceType(ResourceType {
        id: id.into(),
        display_name: id.to_uppercase(),
        ..ResourceType::default()
    })
}

pub(crate) fn id(kind: &str, id: &str) -> ResourceId {
    ResourceId { resource_type: kind.into(), resource: id.into(), baton_resource: false }
}

pub(crate) fn bare(kind: &str, name: &str) -> Resource {
    Resource { id: Some(id(kind, name)), ..Resource::default() }
}

pub(crate) fn resource(kind: &str, name: &str, parent: Option<(&str, &str)>) -> Row {
    Row::Resource(Resource {
        parent_resource_id: parent.map(|(kind, name)| id(kind, name)),
        display_name: format!("{kind} {name}"),
        annotations: vec![any::pack(&RawId { id: name.into() })],
        ..bare(kind, name)
    })
}

pub(crate) fn entitlement(kind: &str, name: &str, slug: &str) -> Row {
    Row::Entitlement(Entitlement {
        resource: Some(bare(kind, name)),
        id: format!("{kind}:{name}:{slug}"),
        display_name: slug.into(),
        slug: slug.into(),
        ..Entitlement::default()
    })
}

pub(crate) fn grant_of(on: (&str, &str, &str), to: (&str, &str)) -> Grant {
    let entitlement = format!("{}:{}:{}", on.0, on.1, on.2);
    Grant {
        id: format!("{entitlement}:{}:{}", to.0, to.1),
        entitlement: Some(Entitlement {
            resource: Some(bare(on.0, on.1)),
            id: entitlement,
            ..Entitlement::default()
        }),
        principal: Some(bare(to.0, to.1)),
        ..Grant::default()
    }
}

pub(crate) fn grant(on: (&str, &str, &str), to: (&str, &str)) -> Row {
    Row::Grant(Box::new(grant_of(on, to)))
}

/// A grant that is passed on from these entitlements.
pub(crate) fn passed_on(on: (&str, &str, &str), to: (&str, &str), from: &[&str]) -> Row {
    let expansion = GrantExpandable {
        entitlement_ids: from.iter().map(|id| (*id).to_owned()).collect(),
        shallow: true,
        ..GrantExpandable::default()
    };
    let annotations = vec![any::pack(&GrantImmutable::default()), any::pack(&expansion)];
    Row::Grant(Box::new(Grant { annotations, ..grant_of(on, to) }))
}

/// Three people, a team, two apps; a role, two permissions and one that is passed on.
pub(crate) fn small() -> Vec<Row> {
    let mut rows =
        vec![resource_type("user"), resource_type("team"), resource_type("app"), resource_type("space")];
    rows.extend(["ann", "bob", "cid"].map(|name| resource("user", name, None)));
    rows.push(resource("team", "core", None));
    rows.extend(["api", "web"].map(|name| resource("app", name, Some(("team", "core")))));
    rows.push(entitlement("team", "core", "admin"));
    rows.extend(["api", "web"].map(|name| entitlement("app", name, "deploy")));
    rows.push(grant(("team", "core", "admin"), ("user", "ann")));
    rows.push(grant(("app", "api", "deploy"), ("user", "bob")));
    rows.push(grant(("app", "web", "deploy"), ("user", "ann")));
    rows.push(passed_on(("app", "api", "deploy"), ("team", "core"), &["team:core:admin"]));
    rows
}

/// The rows without those that this names.
pub(crate) fn without(rows: &[Row], goes: impl Fn(&Row) -> bool) -> Vec<Row> {
    rows.iter().filter(|row| !goes(row)).cloned().collect()
}

pub(crate) fn is_grant_to(row: &Row, user: &str) -> bool {
    let principal = |grant: &Grant| grant.principal.clone().and_then(|principal| principal.id);
    matches!(row, Row::Grant(grant) if principal(grant).is_some_and(|id| id.resource == user))
}

pub(crate) fn head(version: i64, sync_type: SyncType) -> SyncHead {
    let began = Moment(BEGAN + version * 3_600_000_000);
    SyncHead::of(Version(version), began, Moment(began.0 + 1_500_000), sync_type)
}

/// A folder with a file in it.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) file: PathBuf,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sync.c1z");
        Self { folder, file }
    }

    /// One whose file holds these rows as version 1.
    pub(crate) fn with(rows: &[Row]) -> Self {
        let house = Self::new();
        house.write(1, rows).unwrap();
        house
    }

    pub(crate) fn write(&self, version: i64, rows: &[Row]) -> Result<Written, C1zError> {
        self.write_as(&WriteOptions::of(head(version, SyncType::Full)), rows)
    }

    pub(crate) fn write_as(&self, options: &WriteOptions, rows: &[Row]) -> Result<Written, C1zError> {
        c1z::write(&self.file, &mut rows.to_vec(), options)
    }

    pub(crate) fn open(&self) -> C1z {
        C1z::open(&self.file, &ReadOptions::default()).unwrap()
    }

    /// The rows of the newest sync.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let file = self.open();
        let mut rows = Vec::new();
        file.rows(&file.newest().unwrap().id).visit(&mut rows).unwrap();
        rows
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.file).unwrap()
    }

    /// Everything in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }

    /// The database inside, as a file of its own.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        let path = self.folder.path().join("inside.db");
        std::fs::write(&path, decoded(&self.bytes())).unwrap();
        rusqlite::Connection::open(path).unwrap()
    }

    /// Makes the file of this database.
    pub(crate) fn put(&self, database: &[u8]) {
        std::fs::write(&self.file, encoded(database)).unwrap();
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What is inside a file.
pub(crate) fn decoded(file: &[u8]) -> Vec<u8> {
    let mut inside = Vec::new();
    zstd::stream::read::Decoder::new(file.strip_prefix(b"C1ZF\0").unwrap())
        .unwrap()
        .read_to_end(&mut inside)
        .unwrap();
    inside
}

/// A file with this inside.
pub(crate) fn encoded(inside: &[u8]) -> Vec<u8> {
    let mut file = b"C1ZF\0".to_vec();
    file.extend(zstd::stream::encode_all(inside, 3).unwrap());
    file
}
