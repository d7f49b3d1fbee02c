//! A version of the estate in the ecosystem's words: resources, entitlements and grants as messages.
//!
//! It reads a [`View`] and nothing else; what may be changed, and how messages travel, is decided elsewhere.
//!
//! All lists are flat: an app names its team as parent and a team its Enterprise account, but neither is listed beneath it,
//! so that a reader meets each resource once, personal apps and teams that stand alone included.
//!
//! Invariant: the same version gives the same messages in the same order, and every id that a message names is one of the
//! same version's resources or entitlements.

mod entitlement;
mod grant;
mod kind;
mod profile;
mod resource;
mod rows;
mod text;

use std::borrow::Cow;
use std::ops::Range;

use metsuke_engine::connector::{At, View};
use metsuke_model::HerokuId;

pub use grant::Grants;
pub use kind::{Type, resource_types};

use crate::id::{self, ResourceKey};
use crate::proto::connector::{Entitlement, Grant, Resource, ResourceId};

/// What readers are known to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Annotations, too, that the ecosystem's tools of 2025 cannot resolve.
    pub newer_annotations: bool,
}

/// A resource of a view, by its place in the list of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The type.
    pub kind: Type,
    /// The place in the list.
    pub at: usize,
}

impl Place {
    /// A place in the list of a type.
    #[must_use]
    pub const fn new(kind: Type, at: usize) -> Self {
        Self { kind, at }
    }

    /// The engine's word for it; none for users.
    #[must_use]
    pub const fn held(self) -> Option<At> {
        match self.kind {
            Type::User => None,
            Type::EnterpriseAccount => Some(At::EnterpriseAccount(self.at)),
            Type::Team => Some(At::Team(self.at)),
            Type::App => Some(At::App(self.at)),
        }
    }
}

impl From<At> for Place {
    fn from(at: At) -> Self {
        match at {
            At::Team(at) => Self::new(Type::Team, at),
            At::EnterpriseAccount(at) => Self::new(Type::EnterpriseAccount, at),
            At::App(at) => Self::new(Type::App, at),
        }
    }
}

/// A view in the ecosystem's words. It borrows the view, costs nothing to make and can be copied.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'v> {
    view: &'v View,
    options: Options,
}

impl<'v> Shape<'v> {
    /// Shows this view.
    #[must_use]
    pub const fn new(view: &'v View, options: Options) -> Self {
        Self { view, options }
    }

    /// The view that is shown.
    #[must_use]
    pub const fn view(self) -> &'v View {
        self.view
    }

    /// What readers are known to take.
    #[must_use]
    pub const fn options(self) -> Options {
        self.options
    }

    /// How many resources of the type there are.
    #[must_use]
    pub fn count(self, kind: Type) -> usize {
        match kind {
            Type::User => self.view.users().len(),
            Type::EnterpriseAccount => self.view.enterprise_accounts().len(),
            Type::Team => self.view.teams().len(),
            Type::App => self.view.apps().len(),
        }
    }

    /// The places of every resource, type by type in the order of [`Type::ALL`].
    pub fn places(self) -> impl Iterator<Item = Place> + use<'v> {
        Type::ALL.into_iter().flat_map(move |kind| (0..self.count(kind)).map(move |at| Place::new(kind, at)))
    }

    /// The resources of a type at these places; places behind the end give nothing.
    pub fn resources(self, kind: Type, places: Range<usize>) -> impl Iterator<Item = Resource> + use<'v> {
        let places = places.start..places.end.min(self.count(kind));
        places.filter_map(move |at| self.resource(Place::new(kind, at)))
    }

    /// The places of the resources of a type whose parent this is; it goes through all of the type.
    pub fn children(self, kind: Type, parent: Place) -> impl Iterator<Item = Place> + use<'v> {
        (0..self.count(kind))
            .map(move |at| Place::new(kind, at))
            .filter(move |at| self.parent(*at) == Some(parent))
    }

    /// Where a resource is; none for one that the view does not have.
    #[must_use]
    pub fn find(self, key: &ResourceKey) -> Option<Place> {
        let kind = Type::parse(&key.resource_type)?;
        let id = HerokuId::new(&key.resource);
        let found = match kind.held() {
            None => self.view.user(&id).map(|at| Place::new(kind, at)),
            Some(held) => self.view.find(held, &id).map(Place::from),
        };
        let encoded = || {
            let mut places = (0..self.count(kind)).map(|at| Place::new(kind, at));
            places.find(|place| self.part(*place).as_deref() == Some(&*key.resource))
        };
        let known = found.filter(|place| self.part(*place).as_deref() == Some(&*key.resource));
        known.or_else(|| if key.resource.contains('%') { encoded() } else { None })
    }

    /// The type and the id of a resource; none for a place behind the end.
    #[must_use]
    pub fn key(self, place: Place) -> Option<ResourceKey> {
        Some(ResourceKey { resource_type: place.kind.as_str().to_owned(), resource: self.part(place)? })
    }

    /// Heroku's id of a resource; none for a place behind the end.
    #[must_use]
    pub fn heroku_id(self, place: Place) -> Option<&'v HerokuId> {
        match place.held() {
            None => self.view.users().get(place.at).map(|user| &user.id),
            Some(at) => self.view.id(at),
        }
    }

    /// What a resource belongs to: an app to its team, a team to its Enterprise account.
    #[must_use]
    pub fn parent(self, place: Place) -> Option<Place> {
        match place.kind {
            Type::User | Type::EnterpriseAccount => None,
            Type::Team => self.view.account_of(place.at).map(|at| Place::new(Type::EnterpriseAccount, at)),
            Type::App => self.view.team_of(place.at).map(|at| Place::new(Type::Team, at)),
        }
    }

    /// A resource; none for a place behind the end.
    #[must_use]
    pub fn resource(self, place: Place) -> Option<Resource> {
        resource::resource(self, place)
    }

    /// What a resource offers, in the order of its slugs.
    #[must_use]
    pub fn entitlements(self, place: Place) -> Vec<Entitlement> {
        entitlement::entitlements(self, place)
    }

    /// An entitlement by its id: its resource, and its slug as Heroku spells it; none where the view has none of that id.
    #[must_use]
    pub fn entitlement(self, entitlement: &str) -> Option<(Place, &'v str)> {
        let (key, wanted) = id::parse_entitlement(entitlement).ok()?;
        let place = self.find(&key)?;
        let slugs = self.view.slugs(place.held()?);
        slugs.into_iter().find(|slug| text::part(slug) == wanted).map(|slug| (place, slug))
    }

    /// The grants on a resource as an unexpanded file has them: the direct ones, those that tell of inheritance, and those
    /// that follow from neither.
    #[must_use]
    pub fn grants(self, place: Place) -> Grants<'v> {
        Grants::new(self, place, false)
    }

    /// The grants on a resource as an expanded file has them: the same with their sources, and one for everything that
    /// somebody inherits.
    #[must_use]
    pub fn expanded(self, place: Place) -> Grants<'v> {
        Grants::new(self, place, true)
    }

    /// How many grants there are on a resource, without making messages of them.
    #[must_use]
    pub fn count_grants(self, place: Place, expanded: bool) -> usize {
        rows::Rows::new(self.view, place, expanded).list.len()
    }

    fn part(self, place: Place) -> Option<String> {
        let id = self.heroku_id(place)?.to_string();
        Some(match text::part(&id) {
            Cow::Borrowed(_) => id,
            Cow::Owned(part) => part,
        })
    }
}

/// A direct grant of a user by ids, for what was just given or taken and no view shows.
///
/// The slug is Heroku's.
#[must_use]
pub fn direct_grant(resource: &ResourceKey, slug: &str, principal: &ResourceKey) -> Grant {
    let entitlement = id::entitlement(resource, &text::part(slug));
    grant::bare(&entitlement, resource, principal)
}

/// A resource's id as a message.
#[must_use]
pub fn resource_id(key: &ResourceKey) -> ResourceId {
    ResourceId {
        resource_type: key.resource_type.clone(),
        resource: key.resource.clone(),
        baton_resource: false,
    }
}
