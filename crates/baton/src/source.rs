//! The rows of a sync: types, resources, entitlements and grants of one version or of a few resources.
//!
//! How a row looks is [`shape`](crate::shape)'s to say, and what becomes of it a [`Sink`]'s; here is which rows there are.
//!
//! Invariant: a row names no other that is not there, whatever was left out.

use std::collections::{BTreeSet, HashSet};

use metsuke_engine::EngineError;
use metsuke_engine::connector::{View, ViewSync};
use tokio_util::sync::CancellationToken;

use crate::c1z::{C1zError, Rows, Sink};
use crate::expand::Expand;
use crate::id::ResourceKey;
use crate::proto::connector::{Grant, ResourceId};
use crate::shape::{Options, Place, Shape, Type, resource_types};

/// Which rows are wished.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Whether grants that follow from others are written out; of single resources they never are.
    pub expand: Expand,
    /// Only resources of these types, unless empty.
    pub types: BTreeSet<Type>,
    /// What is left out.
    pub skip: Skip,
}

/// What a sync leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Skip {
    /// Nothing.
    #[default]
    Nothing,
    /// Grants.
    Grants,
    /// Entitlements and grants.
    EntitlementsAndGrants,
}

/// A version, or one resource with what belongs to it.
#[derive(Debug)]
pub struct Part {
    view: View,
    /// The resource whose grants are told; none for all.
    about: Option<ResourceKey>,
}

impl Part {
    /// All of a version.
    #[must_use]
    pub const fn whole(view: View) -> Self {
        Self { view, about: None }
    }

    /// One resource.
    #[must_use]
    pub const fn of(view: View, about: ResourceKey) -> Self {
        Self { view, about: Some(about) }
    }

    /// Whether it is all of a version.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.about.is_none()
    }

    /// Whether it is about this resource.
    #[must_use]
    pub fn is_about(&self, key: &ResourceKey) -> bool {
        self.about.as_ref() == Some(key)
    }

    /// Which version it is of, and what is missing from that.
    #[must_use]
    pub const fn sync(&self) -> &ViewSync {
        self.view.sync()
    }

    /// Where the resource is whose grants are told.
    fn focus(&self, shape: Shape<'_>) -> Option<Place> {
        self.about.as_ref().and_then(|key| shape.find(key))
    }
}

/// Where the rows come from.
#[derive(Debug)]
pub struct Source {
    parts: Vec<Part>,
    types: BTreeSet<Type>,
    skip: Skip,
    shape: Options,
    expanded: bool,
    left_out: bool,
    cancel: CancellationToken,
}

impl Source {
    /// The rows that are wished of these parts. It may count what expansion comes to.
    #[must_use]
    pub fn new(parts: Vec<Part>, choice: Choice, shape: Options, cancel: CancellationToken) -> Self {
        let Choice { expand, types, skip } = choice;
        // What follows from other grants is told of whole versions alone.
        let whole = parts.first().filter(|part| part.is_whole() && skip == Skip::Nothing);
        let expanded = whole.is_some_and(|part| expand.decide(Shape::new(&part.view, shape)));
        let left_out = whole.is_some() && !expanded && expand == Expand::Auto;
        let types = if types.is_empty() { Type::ALL.into() } else { types };
        Self { parts, types, skip, shape, expanded, left_out, cancel }
    }

    /// Whether grants that follow from others are among the rows.
    #[must_use]
    pub const fn is_expanded(&self) -> bool {
        self.expanded
    }

    /// Whether grants that follow from others were left out because they are too many.
    #[must_use]
    pub const fn left_out(&self) -> bool {
        self.left_out
    }

    fn shape<'v>(&self, part: &'v Part) -> Shape<'v> {
        Shape::new(&part.view, self.shape)
    }

    /// The places of a part whose types were chosen.
    fn places<'v>(&self, part: &'v Part) -> impl Iterator<Item = Place> + use<'v, '_> {
        self.shape(part).places().filter(|place| self.types.contains(&place.kind))
    }

    /// Whether a grant is told: what it is granted to is there.
    fn is_whole(&self, grant: &Grant) -> bool {
        let kind = |id: Option<&ResourceId>| id.and_then(|id| Type::parse(&id.resource_type));
        let principal = grant.principal.as_ref().and_then(|principal| principal.id.as_ref());
        kind(principal).is_some_and(|kind| self.types.contains(&kind))
    }

    fn go_on(&self) -> Result<(), C1zError> {
        if self.cancel.is_cancelled() {
            return Err(C1zError::source_failed(EngineError::Cancelled));
        }
        Ok(())
    }

    fn resources(&self, seen: &mut Seen, sink: &mut dyn Sink) -> Result<(), C1zError> {
        for part in &self.parts {
            let shape = self.shape(part);
            for place in self.places(part) {
                self.go_on()?;
                if let Some(resource) = shape.resource(place).filter(|_| seen.is_new(shape, place)) {
                    sink.resource(&resource)?;
                }
            }
        }
        Ok(())
    }

    fn entitlements(&self, seen: &mut Seen, sink: &mut dyn Sink) -> Result<(), C1zError> {
        for part in &self.parts {
            let shape = self.shape(part);
            for place in self.places(part) {
                self.go_on()?;
                if seen.is_new(shape, place) {
                    shape.entitlements(place).iter().try_for_each(|row| sink.entitlement(row))?;
                }
            }
        }
        Ok(())
    }

    fn grants(&self, sink: &mut dyn Sink) -> Result<(), C1zError> {
        for part in &self.parts {
            let shape = self.shape(part);
            let focus = part.focus(shape);
            for place in self.places(part).filter(|place| part.is_whole() || focus == Some(*place)) {
                self.go_on()?;
                let grants = if self.expanded { shape.expanded(place) } else { shape.grants(place) };
                let mut told = grants.range(0..grants.len()).filter(|grant| self.is_whole(grant));
                told.try_for_each(|grant| sink.grant(&grant))?;
            }
        }
        Ok(())
    }
}

impl Rows for Source {
    fn visit(&mut self, sink: &mut dyn Sink) -> Result<(), C1zError> {
        let types = resource_types(self.shape);
        let chosen = |id: &str| Type::parse(id).is_some_and(|kind| self.types.contains(&kind));
        types.iter().filter(|row| chosen(&row.id)).try_for_each(|row| sink.resource_type(row))?;
        self.resources(&mut Seen::of(&self.parts), sink)?;
        if self.skip != Skip::EntitlementsAndGrants {
            self.entitlements(&mut Seen::of(&self.parts), sink)?;
        }
        if self.skip == Skip::Nothing {
            self.grants(sink)?;
        }
        Ok(())
    }
}

/// Which resources were there, where several parts may hold the same one.
enum Seen {
    /// One part holds each once.
    NeverMind,
    These(HashSet<(String, String)>),
}

impl Seen {
    fn of(parts: &[Part]) -> Self {
        if parts.len() > 1 { Self::These(HashSet::new()) } else { Self::NeverMind }
    }

    fn is_new(&mut self, shape: Shape<'_>, place: Place) -> bool {
        match self {
            Self::NeverMind => true,
            Self::These(seen) => {
                shape.key(place).is_some_and(|key| seen.insert((key.resource_type, key.resource)))
            }
        }
    }
}
