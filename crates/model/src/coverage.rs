//! How far absence can be trusted: what was read to its end, so that what is not in it is gone.
//!
//! Invariant: what was not read is never reported as gone; an empty coverage removes nothing.

use std::collections::{BTreeSet, HashSet};

use crate::{HerokuId, Kind, Resource};

/// What one sync read completely.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    whole: BTreeSet<Kind>,
    children: HashSet<(Kind, Option<HerokuId>)>,
    access: HashSet<Resource>,
    orphans: BTreeSet<Kind>,
}

impl Coverage {
    /// Every object of the kind was listed.
    pub fn cover_kind(&mut self, kind: Kind) {
        self.whole.insert(kind);
    }

    /// Every object of the kind that belongs to `parent` was listed (`None`: that belongs to nothing).
    pub fn cover_children(&mut self, kind: Kind, parent: Option<HerokuId>) {
        self.children.insert((kind, parent));
    }

    /// Everybody's direct access to the resource was listed.
    pub fn cover_access(&mut self, resource: Resource) {
        self.access.insert(resource);
    }

    /// Objects of the kind whose parent is gone are gone with it.
    pub fn cover_orphans(&mut self, kind: Kind) {
        self.orphans.insert(kind);
    }

    /// Whether an object that was not seen is gone because its parent is.
    #[must_use]
    pub fn proves_orphans_gone(&self, kind: Kind) -> bool {
        self.orphans.contains(&kind)
    }

    /// Whether an object that was not seen is gone. `parent` is the team of an app, an invitation or a member row.
    #[must_use]
    pub fn proves_gone(&self, kind: Kind, parent: Option<&HerokuId>) -> bool {
        self.whole.contains(&kind) || self.children.contains(&(kind, parent.cloned()))
    }

    /// Whether access to the resource that was not seen is gone.
    #[must_use]
    pub fn proves_access(&self, resource: &Resource) -> bool {
        self.access.contains(resource)
    }
}
