//! What differs between two syncs, and between a sync and a version of the estate, by names.
//!
//! Files are read in [`c1z`](crate::c1z), versions in [`shape`](crate::shape); how differences are laid out is up to
//! whoever asked.
//!
//! In reading order:
//!
//! * [`Subject`]: what a difference is about.
//! * [`syncs()`]: what differs between two syncs, row by row and word by word.
//! * [`with_view`] and [`contents`]: what one side has and the other has not, whatever ids either uses.
//!
//! Invariant: nothing is written anywhere; names are as they came, and may hold anything.

mod counterparts;
mod facts;
mod sides;
mod syncs;

use serde::{Deserialize, Serialize};

pub use sides::{Comparison, Count, Difference, LoneType, Side, contents, with_view};
pub use syncs::{Changed, Detail, Verb, syncs};

use crate::c1z::{Manner, RowKind};
use crate::id::ResourceKey;

/// A resource, as a person knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub struct Named {
    /// Its type's id.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Its id.
    pub id: String,
    /// Its name; empty where none is known.
    pub name: String,
}

impl Named {
    /// A resource of which the name is not known yet.
    #[must_use]
    pub fn unnamed(key: &ResourceKey) -> Self {
        Self { resource_type: key.resource_type.clone(), id: key.resource.clone(), name: String::new() }
    }

    /// Its name, or its id where it has none.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

/// What a difference is about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// A resource.
    Resource {
        /// Which.
        resource: Named,
        /// What it is in.
        parent: Option<Named>,
    },
    /// What a resource offers.
    Entitlement {
        /// Its short name, or its id where it has none.
        entitlement: String,
        /// Which resource.
        resource: Named,
    },
    /// Who holds it.
    Grant {
        /// Who.
        principal: Named,
        /// What, as for entitlements.
        entitlement: String,
        /// On which resource.
        resource: Named,
        /// How; none where the rows differ in that, which is told beside.
        #[serde(skip_serializing_if = "Option::is_none")]
        manner: Option<Manner>,
    },
}

impl Subject {
    /// What kind of row it is.
    #[must_use]
    pub const fn kind(&self) -> RowKind {
        match self {
            Self::Resource { .. } => RowKind::Resource,
            Self::Entitlement { .. } => RowKind::Entitlement,
            Self::Grant { .. } => RowKind::Grant,
        }
    }

    /// The resource that it is, or is on.
    #[must_use]
    pub const fn resource(&self) -> &Named {
        match self {
            Self::Resource { resource, .. }
            | Self::Entitlement { resource, .. }
            | Self::Grant { resource, .. } => resource,
        }
    }

    /// What is offered or held; none for resources.
    #[must_use]
    pub fn entitlement(&self) -> Option<&str> {
        match self {
            Self::Resource { .. } => None,
            Self::Entitlement { entitlement, .. } | Self::Grant { entitlement, .. } => Some(entitlement),
        }
    }

    /// Who holds it; none where it is no grant.
    #[must_use]
    pub const fn principal(&self) -> Option<&Named> {
        match self {
            Self::Grant { principal, .. } => Some(principal),
            Self::Resource { .. } | Self::Entitlement { .. } => None,
        }
    }

    /// Every resource that it names.
    fn named_mut(&mut self) -> impl Iterator<Item = &mut Named> {
        let (first, second) = match self {
            Self::Resource { resource, parent } => (resource, parent.as_mut()),
            Self::Entitlement { resource, .. } => (resource, None),
            Self::Grant { principal, resource, .. } => (resource, Some(principal)),
        };
        std::iter::once(first).chain(second)
    }
}
