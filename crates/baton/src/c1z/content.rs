//! A sync in memory, small, for comparing it with what is known otherwise.
//!
//! Only names and who holds what; the messages themselves are read through [`Rows`](super::Rows).
//!
//! Invariant: a grant's numbers are places in the lists beside it.

use std::collections::HashMap;
use std::path::Path;

use super::known::resource_key;
use super::{C1z, C1zError, ReadOptions, Rows, Sink, SyncRun};
use crate::id::ResourceKey;
use crate::proto::connector::{Entitlement, Grant, Resource, ResourceId, ResourceType};

/// The rows of one sync.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// What the file says of it.
    pub run: SyncRun,
    /// Resource types: id and name.
    pub resource_types: Vec<(String, String)>,
    /// Resources, and what is named without being there.
    pub resources: Vec<ResourceRow>,
    /// Entitlements, and what is granted without being there.
    pub entitlements: Vec<EntitlementRow>,
    /// Who holds what.
    pub grants: Vec<GrantRow>,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRow {
    /// Its id.
    pub key: ResourceKey,
    /// Its name.
    pub name: String,
    /// What it is in.
    pub parent: Option<ResourceKey>,
    /// Whether the sync has a row for it.
    pub is_there: bool,
}

/// An entitlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitlementRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its short name.
    pub slug: String,
    /// Place of the resource that offers it.
    pub resource: u32,
    /// Whether the sync has a row for it.
    pub is_there: bool,
}

/// A grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantRow {
    /// Place of the entitlement.
    pub entitlement: u32,
    /// Place of the principal among the resources.
    pub principal: u32,
    /// Whether something passes it on: it is expandable, or has sources.
    pub is_passed_on: bool,
}

impl Content {
    /// Reads the newest finished sync of a file, or the one of this id.
    ///
    /// # Errors
    ///
    /// As [`C1z::open`]; and [`C1zError::NoSync`] where there is no such sync.
    pub fn read(path: &Path, sync: Option<&str>, options: &ReadOptions) -> Result<Self, C1zError> {
        let file = C1z::open(path, options)?;
        let run = sync.map_or_else(|| file.newest(), |id| file.sync(id))?;
        let mut gathering = Gathering::of(run.clone());
        file.rows(&run.id).visit(&mut gathering)?;
        Ok(gathering.content)
    }
}

struct Gathering {
    content: Content,
    resources: HashMap<String, u32>,
    entitlements: HashMap<String, u32>,
    key: String,
}

impl Gathering {
    fn of(run: SyncRun) -> Self {
        let content = Content {
            run,
            resource_types: Vec::new(),
            resources: Vec::new(),
            entitlements: Vec::new(),
            grants: Vec::new(),
        };
        Self { content, resources: HashMap::new(), entitlements: HashMap::new(), key: String::new() }
    }

    /// The place of a resource, which is made where it has none.
    fn resource_place(&mut self, id: Option<&ResourceId>) -> Result<u32, C1zError> {
        let id = id.cloned().unwrap_or_default();
        if let Some(place) = self.resources.get(resource_key(&id, &mut self.key)) {
            return Ok(*place);
        }
        let place = place(self.content.resources.len())?;
        self.resources.insert(self.key.clone(), place);
        let key = key_of(&id);
        self.content.resources.push(ResourceRow { key, name: String::new(), parent: None, is_there: false });
        Ok(place)
    }

    /// The place of an entitlement, which is made where it has none.
    fn entitlement_place(&mut self, row: &Entitlement) -> Result<u32, C1zError> {
        if let Some(place) = self.entitlements.get(&row.id) {
            return Ok(*place);
        }
        let place = place(self.content.entitlements.len())?;
        let resource =
            self.resource_place(row.resource.as_ref().and_then(|resource| resource.id.as_ref()))?;
        self.entitlements.insert(row.id.clone(), place);
        let (id, name, slug) = (row.id.clone(), row.display_name.clone(), row.slug.clone());
        self.content.entitlements.push(EntitlementRow { id, name, slug, resource, is_there: false });
        Ok(place)
    }
}

fn place(length: usize) -> Result<u32, C1zError> {
    u32::try_from(length).map_err(C1zError::source_failed)
}

fn key_of(id: &ResourceId) -> ResourceKey {
    ResourceKey::new(&id.resource_type, &id.resource)
}

impl Sink for Gathering {
    fn resource_type(&mut self, row: &ResourceType) -> Result<(), C1zError> {
        self.content.resource_types.push((row.id.clone(), row.display_name.clone()));
        Ok(())
    }

    fn resource(&mut self, row: &Resource) -> Result<(), C1zError> {
        let place = self.resource_place(row.id.as_ref())?;
        if let Some(known) = self.content.resources.get_mut(place as usize) {
            known.name.clone_from(&row.display_name);
            known.parent = row.parent_resource_id.as_ref().map(key_of);
            known.is_there = true;
        }
        Ok(())
    }

    fn entitlement(&mut self, row: &Entitlement) -> Result<(), C1zError> {
        let place = self.entitlement_place(row)?;
        if let Some(known) = self.content.entitlements.get_mut(place as usize) {
            known.is_there = true;
        }
        Ok(())
    }

    fn grant(&mut self, row: &Grant) -> Result<(), C1zError> {
        let nothing = Entitlement::default();
        let entitlement = self.entitlement_place(row.entitlement.as_ref().unwrap_or(&nothing))?;
        let principal = self.resource_place(row.principal.as_ref().and_then(|one| one.id.as_ref()))?;
        let is_passed_on = super::known::expansion(row).is_some()
            || row.sources.as_ref().is_some_and(|sources| sources.sources.values().any(|one| !one.is_direct));
        self.content.grants.push(GrantRow { entitlement, principal, is_passed_on });
        Ok(())
    }
}
