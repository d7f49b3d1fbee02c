//! A sync in memory, small, for comparing it with what is known otherwise.
//!
//! Only names and who holds what; the messages themselves are read through [`Rows`](super::Rows).
//!
//! Invariant: a grant's numbers are places in the lists beside it.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::known::resource_key;
use super::{C1z, C1zError, ReadOptions, Rows, Sink, SyncRun};
use crate::any;
use crate::id::ResourceKey;
use crate::proto::connector::{Entitlement, Grant, Resource, ResourceId, ResourceType, UserTrait};

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
    /// Whether grants that follow from others were written out: at least one names another entitlement as what it comes
    /// from directly.
    pub is_expanded: bool,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRow {
    /// Its id.
    pub key: ResourceKey,
    /// Its name.
    pub name: String,
    /// The address, of users that have one.
    pub email: Option<String>,
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
    /// How it is held.
    pub manner: Manner,
}

/// How a grant is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// By itself: it names no source, or itself as a direct one.
    Direct,
    /// It follows from what it names as its sources.
    Inherited,
    /// By a group or the like, for whoever holds an entitlement of its.
    PassedOn,
}

impl Manner {
    /// How a grant is held.
    #[must_use]
    pub fn of(grant: &Grant) -> Self {
        if super::known::expansion(grant).is_some() {
            return Self::PassedOn;
        }
        let own = grant.entitlement.as_ref().map(|entitlement| entitlement.id.as_str()).unwrap_or_default();
        match &grant.sources {
            Some(all) if !all.sources.is_empty() => match all.sources.get(own) {
                Some(own) if own.is_direct => Self::Direct,
                _ => Self::Inherited,
            },
            _ => Self::Direct,
        }
    }

    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Inherited => "inherited",
            Self::PassedOn => "passed on",
        }
    }
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
        Self::of(run.clone(), &mut file.rows(&run.id))
    }

    /// Gathers rows from anywhere.
    ///
    /// # Errors
    ///
    /// As [`Rows::visit`].
    pub fn of(run: SyncRun, rows: &mut dyn Rows) -> Result<Self, C1zError> {
        let mut gathering = Gathering::of(run);
        rows.visit(&mut gathering)?;
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
            is_expanded: false,
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
        let row = ResourceRow { key, name: String::new(), email: None, parent: None, is_there: false };
        self.content.resources.push(row);
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

/// A user's address: the primary one, else any, else what they log in with, if it is one.
pub(crate) fn email(row: &Resource) -> Option<String> {
    let user: UserTrait = any::find(&row.annotations)?;
    let primary = user.emails.iter().find(|email| email.is_primary).or(user.emails.first());
    let address = primary.map_or(user.login.as_str(), |email| &email.address);
    address.contains('@').then(|| address.to_owned())
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
            known.email = email(row);
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
        let (own, manner) = (row.entitlement.as_ref().map_or("", |own| &own.id), Manner::of(row));
        let mut sources = row.sources.iter().flat_map(|all| &all.sources);
        self.content.is_expanded |= sources.any(|(id, source)| source.is_direct && id != own);
        self.content.grants.push(GrantRow { entitlement, principal, manner });
        Ok(())
    }
}
