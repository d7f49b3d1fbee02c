//! What may be held on a resource, and how a set of it is kept in one number.
//!
//! Who holds it is [`grant`](crate::grant); what follows from it is [`derive`](mod@crate::derive).
//!
//! Invariant: the bit of an entitlement never changes, for databases hold it.

use serde::{Deserialize, Serialize};

use crate::Kind;

/// A kind of object on which access is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceType {
    /// A team; its entitlements are roles.
    Team,
    /// An Enterprise account.
    EnterpriseAccount,
    /// An app.
    App,
    /// A private space.
    Space,
}

impl ResourceType {
    /// The name that the command line prints and reads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.kind().as_str()
    }

    /// The kind of object that the resource is.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Team => Kind::Team,
            Self::EnterpriseAccount => Kind::EnterpriseAccount,
            Self::App => Kind::App,
            Self::Space => Kind::Space,
        }
    }

    /// The resource type of a kind; `None` for kinds on which nothing is held.
    #[must_use]
    pub const fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Team => Some(Self::Team),
            Kind::EnterpriseAccount => Some(Self::EnterpriseAccount),
            Kind::App => Some(Self::App),
            Kind::Space => Some(Self::Space),
            _ => None,
        }
    }

    /// The entitlements that the type is known to offer, in order of their bits.
    #[must_use]
    pub const fn entitlements(self) -> &'static [Entitlement] {
        match self {
            Self::Team => &[
                Entitlement::ADMIN,
                Entitlement::MEMBER,
                Entitlement::VIEWER,
                Entitlement::TEAM_COLLABORATOR,
                Entitlement::OWNER,
                Entitlement::UNKNOWN,
            ],
            Self::EnterpriseAccount => &[
                Entitlement::ENTERPRISE_VIEW,
                Entitlement::CREATE,
                Entitlement::ENTERPRISE_MANAGE,
                Entitlement::BILLING,
            ],
            Self::App => &[
                Entitlement::COLLABORATOR,
                Entitlement::VIEW,
                Entitlement::DEPLOY,
                Entitlement::OPERATE,
                Entitlement::MANAGE,
            ],
            Self::Space => &[Entitlement::CREATE_APPS],
        }
    }

    /// The known entitlement of this type that Heroku spells `slug`.
    #[must_use]
    pub fn entitlement(self, slug: &str) -> Option<Entitlement> {
        self.entitlements().iter().copied().find(|entitlement| entitlement.slug == slug)
    }
}

/// A permission that a resource type is known to offer.
///
/// Source: `product.md` M2 to M4; the slugs are Heroku's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entitlement {
    bit: u8,
    slug: &'static str,
}

impl Entitlement {
    /// Team role: manages people, billing and settings, and holds everything on every app.
    pub const ADMIN: Self = Self::known(0, "admin");
    /// Team role: sees everything, works on unlocked apps as the team's type allows.
    pub const MEMBER: Self = Self::known(1, "member");
    /// Team role of Enterprise teams: reads everything.
    pub const VIEWER: Self = Self::known(2, "viewer");
    /// Team role of a person who only has access to chosen apps.
    pub const TEAM_COLLABORATOR: Self = Self::known(3, "collaborator");
    /// Team role of an owner.
    pub const OWNER: Self = Self::known(4, "owner");
    /// Stands for a role that Heroku sent as null.
    pub const UNKNOWN: Self = Self::known(5, "unknown");

    /// Enterprise permission: sees members and teams.
    pub const ENTERPRISE_VIEW: Self = Self::known(0, "view");
    /// Enterprise permission: makes teams.
    pub const CREATE: Self = Self::known(1, "create");
    /// Enterprise permission: manages members and settings, reads the audit trail.
    pub const ENTERPRISE_MANAGE: Self = Self::known(2, "manage");
    /// Enterprise permission: sees invoices.
    pub const BILLING: Self = Self::known(3, "billing");

    /// App: named by the app's own listing.
    pub const COLLABORATOR: Self = Self::known(0, "collaborator");
    /// App permission: sees it.
    pub const VIEW: Self = Self::known(1, "view");
    /// App permission: code and config vars.
    pub const DEPLOY: Self = Self::known(2, "deploy");
    /// App permission: scaling, logs, add-ons, config vars.
    pub const OPERATE: Self = Self::known(3, "operate");
    /// App permission: its people, its lock, its name, its end.
    pub const MANAGE: Self = Self::known(4, "manage");

    /// Space permission: makes apps in it.
    pub const CREATE_APPS: Self = Self::known(0, "create_apps");

    const fn known(bit: u8, slug: &'static str) -> Self {
        Self { bit, slug }
    }

    /// The word that Heroku uses.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        self.slug
    }

    /// The set that holds this entitlement alone.
    #[must_use]
    pub const fn mask(self) -> Mask {
        Mask(1 << self.bit)
    }
}

/// A set of known entitlements of one resource type, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mask(pub u32);

impl Mask {
    /// The empty set.
    pub const NONE: Self = Self(0);
    /// Set beside the known bits where the holder also has entitlements that this version does not know.
    pub const OTHER: Self = Self(1 << 30);

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is in this set.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many known entitlements the set holds.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.without(Self::OTHER).0.count_ones()
    }

    /// The known entitlements of `resource_type` in this set, in order of their bits.
    pub fn entitlements(self, resource_type: ResourceType) -> impl Iterator<Item = Entitlement> {
        resource_type
            .entitlements()
            .iter()
            .copied()
            .filter(move |entitlement| self.contains(entitlement.mask()))
    }
}

/// What one principal directly holds on one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The known entitlements.
    pub mask: Mask,
    /// Slugs that this version does not know, verbatim, sorted, each once.
    pub other: Vec<Box<str>>,
}

impl Access {
    /// Reads slugs as Heroku sends them; a null role is the caller's to name (`unknown`).
    #[must_use]
    pub fn from_slugs<'a>(resource_type: ResourceType, slugs: impl IntoIterator<Item = &'a str>) -> Self {
        let mut access = Self::default();
        for slug in slugs {
            access.add(resource_type, slug);
        }
        access
    }

    /// Adds one slug.
    pub fn add(&mut self, resource_type: ResourceType, slug: &str) {
        if let Some(entitlement) = resource_type.entitlement(slug) {
            self.mask = self.mask.with(entitlement.mask());
        } else {
            if let Err(place) = self.other.binary_search_by(|held| (**held).cmp(slug)) {
                self.other.insert(place, slug.into());
            }
            self.mask = self.mask.with(Mask::OTHER);
        }
    }

    /// All slugs held: the known ones in order of their bits, then the others.
    pub fn slugs(&self, resource_type: ResourceType) -> impl Iterator<Item = &str> {
        self.mask
            .entitlements(resource_type)
            .map(|entitlement| -> &str { entitlement.slug() })
            .chain(self.other.iter().map(|slug| &**slug))
    }

    /// Whether `slug` is held.
    #[must_use]
    pub fn holds(&self, resource_type: ResourceType, slug: &str) -> bool {
        self.slugs(resource_type).any(|held| held == slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slug_of_a_type_is_found_again() {
        for resource_type in
            [ResourceType::Team, ResourceType::EnterpriseAccount, ResourceType::App, ResourceType::Space]
        {
            for entitlement in resource_type.entitlements() {
                assert_eq!(resource_type.entitlement(entitlement.slug()), Some(*entitlement));
            }
        }
    }

    #[test]
    fn unknown_slugs_are_kept_once_and_sorted() {
        let access = Access::from_slugs(ResourceType::App, ["debug", "view", "audit", "debug"]);
        assert_eq!(access.slugs(ResourceType::App).collect::<Vec<_>>(), ["view", "audit", "debug"]);
        assert_eq!(access.mask.count(), 1);
        assert!(access.holds(ResourceType::App, "audit"));
    }
}
