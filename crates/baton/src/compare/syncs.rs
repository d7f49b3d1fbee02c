//! What differs between two syncs, with the names of what it is about and what changed in it.
//!
//! Which rows differ is found in [`c1z::diff`].
//!
//! Invariant: no more is kept in memory than the differences and the names that they need.

use std::collections::HashMap;

use serde::Serialize;

use super::facts::details;
use super::{Named, Subject};
use crate::c1z::{self, C1z, C1zError, Change, DiffCounts, Manner, Row, SyncId};
use crate::id::{self, ResourceKey};
use crate::proto::connector::{Entitlement, Resource, ResourceId};

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// It is only in the later sync.
    Added,
    /// It is only in the earlier sync.
    Removed,
    /// It is in both, and not the same.
    Changed,
}

impl Verb {
    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// A row that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// What became of it.
    pub change: Verb,
    /// Its id in the file.
    pub id: String,
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// What changed in it; empty where it came or went.
    pub details: Vec<Detail>,
}

/// One thing that a row says differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// Its name.
    pub field: String,
    /// What the earlier row says; none where it says nothing, or where that cannot be told.
    pub before: Option<String>,
    /// What the later row says, likewise.
    pub after: Option<String>,
}

/// Every row that differs: resources, entitlements, grants, each by ascending id; and how many.
///
/// # Errors
///
/// When a row cannot be read.
pub fn syncs(
    before: (&C1z, &SyncId),
    after: (&C1z, &SyncId),
) -> Result<(DiffCounts, Vec<Changed>), C1zError> {
    let mut found = Vec::new();
    let counts = c1z::diff(before, after, |difference| {
        let (change, row, details) = match &difference.change {
            Change::Added(row) => (Verb::Added, row, Vec::new()),
            Change::Removed(row) => (Verb::Removed, row, Vec::new()),
            Change::Changed(rows) => (Verb::Changed, &rows.1, details(&rows.0, &rows.1)),
        };
        if let Some(subject) = subject(row) {
            found.push(Changed { change, id: difference.id, subject, details });
        }
        Ok(())
    })?;
    // What is there later has its later name.
    for (file, sync) in [after, before] {
        name(file, sync, &mut found)?;
    }
    Ok((counts, found))
}

/// What a row is about; none for resource types, which are not compared.
fn subject(row: &Row) -> Option<Subject> {
    Some(match row {
        Row::ResourceType(_) => return None,
        Row::Resource(row) => {
            let parent = row.parent_resource_id.as_ref();
            Subject::Resource {
                resource: named(Some(row)),
                parent: parent.map(|parent| Named::unnamed(&key(parent))),
            }
        }
        Row::Entitlement(row) => {
            Subject::Entitlement { entitlement: word(row), resource: named(row.resource.as_ref()) }
        }
        Row::Grant(row) => Subject::Grant {
            principal: named(row.principal.as_ref()),
            entitlement: row.entitlement.as_ref().map(word).unwrap_or_default(),
            resource: named(row.entitlement.as_ref().and_then(|one| one.resource.as_ref())),
            manner: Some(Manner::of(row)),
        },
    })
}

fn key(id: &ResourceId) -> ResourceKey {
    ResourceKey::new(&id.resource_type, &id.resource)
}

fn named(resource: Option<&Resource>) -> Named {
    let id = resource.and_then(|resource| resource.id.clone()).unwrap_or_default();
    Named {
        resource_type: id.resource_type,
        id: id.resource,
        name: resource.map(known_as).unwrap_or_default(),
    }
}

/// What people know a resource by: users by their addresses.
fn known_as(resource: &Resource) -> String {
    c1z::email(resource).unwrap_or_else(|| resource.display_name.clone())
}

/// An entitlement in short: its slug, else what its id ends in, else its id.
fn word(row: &Entitlement) -> String {
    if !row.slug.is_empty() {
        return row.slug.clone();
    }
    id::parse_entitlement(&row.id).map_or_else(|_| row.id.clone(), |(_, slug)| slug.to_owned())
}

/// Gives names to what has none yet.
fn name(file: &C1z, sync: &SyncId, found: &mut [Changed]) -> Result<(), C1zError> {
    let mut wanted: HashMap<ResourceKey, String> = HashMap::new();
    let unnamed = |named: &&mut Named| named.name.is_empty();
    for one in found.iter_mut().flat_map(|changed| changed.subject.named_mut()).filter(unnamed) {
        wanted.insert(ResourceKey::new(&one.resource_type, &one.id), String::new());
    }
    if wanted.is_empty() {
        return Ok(());
    }
    file.resources(sync, |row| {
        if let Some(name) = row.id.as_ref().and_then(|id| wanted.get_mut(&key(id))) {
            *name = known_as(&row);
        }
        Ok(())
    })?;
    for one in found.iter_mut().flat_map(|changed| changed.subject.named_mut()).filter(unnamed) {
        if let Some(name) = wanted.get(&ResourceKey::new(&one.resource_type, &one.id)) {
            one.name.clone_from(name);
        }
    }
    Ok(())
}
