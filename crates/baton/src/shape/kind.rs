//! The resource types: what each is called, which trait its resources carry, and what it is.
//!
//! Which resources there are is not known here.
//!
//! Invariant: the ids are a contract with C1, which keeps configuration under them.

use metsuke_model::ResourceType as Held;

use crate::any::pack;
use crate::proto::connector::{
    CapabilityPermission, CapabilityPermissions, ResourceType, SkipEntitlementsAndGrants, V1Identifier,
    resource_type::Trait,
};
use crate::shape::Options;

/// A resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// A person with a Heroku account.
    User,
    /// A Heroku Enterprise account.
    EnterpriseAccount,
    /// A team.
    Team,
    /// An app.
    App,
}

impl Type {
    /// All of them; what is a parent comes before its children.
    pub const ALL: [Self; 4] = [Self::User, Self::EnterpriseAccount, Self::Team, Self::App];

    /// The type of this id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == id)
    }

    /// The id.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::EnterpriseAccount => "enterprise_account",
            Self::Team => "team",
            Self::App => "app",
        }
    }

    /// The engine's word for it; none for users, on whom nothing is held.
    #[must_use]
    pub const fn held(self) -> Option<Held> {
        match self {
            Self::User => None,
            Self::EnterpriseAccount => Some(Held::EnterpriseAccount),
            Self::Team => Some(Held::Team),
            Self::App => Some(Held::App),
        }
    }

    /// The type of what access is held on; none for spaces, which are not shown.
    #[must_use]
    pub const fn of(held: Held) -> Option<Self> {
        match held {
            Held::EnterpriseAccount => Some(Self::EnterpriseAccount),
            Held::Team => Some(Self::Team),
            Held::App => Some(Self::App),
            Held::Space => None,
        }
    }

    /// Whether grants on resources of this type can be given and taken.
    #[must_use]
    pub const fn is_provisioned(self) -> bool {
        matches!(self, Self::Team | Self::App)
    }

    const fn display_name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::EnterpriseAccount => "Enterprise account",
            Self::Team => "Team",
            Self::App => "App",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::User => "A person with a Heroku account",
            Self::EnterpriseAccount => "A Heroku Enterprise account, which holds Enterprise teams",
            Self::Team => "A Heroku team, of an Enterprise account or standing alone",
            Self::App => "A Heroku app, of a team or of a person",
        }
    }

    const fn trait_of(self) -> Trait {
        match self {
            Self::User => Trait::User,
            Self::EnterpriseAccount | Self::Team => Trait::Group,
            Self::App => Trait::App,
        }
    }

    /// The scope that a token needs to read resources of this type and what is held on them.
    ///
    /// Source: facts of the Platform API, section 1.1 (scopes).
    const fn scope(self) -> &'static str {
        match self {
            Self::App => "read",
            Self::User | Self::EnterpriseAccount | Self::Team => "global",
        }
    }

    /// As the type stands in the list of types.
    #[must_use]
    pub fn message(self, options: Options) -> ResourceType {
        let mut annotations = vec![pack(&V1Identifier { id: self.as_str().to_owned() })];
        if self == Self::User {
            annotations.push(pack(&SkipEntitlementsAndGrants {}));
        }
        if options.newer_annotations {
            let permission = CapabilityPermission { permission: self.scope().to_owned() };
            annotations.push(pack(&CapabilityPermissions { permissions: vec![permission] }));
        }
        ResourceType { annotations, description: self.description().to_owned(), ..self.named() }
    }

    /// As the type stands inside other messages, of which there are many: id, name and trait.
    pub(super) fn named(self) -> ResourceType {
        ResourceType {
            id: self.as_str().to_owned(),
            display_name: self.display_name().to_owned(),
            traits: vec![self.trait_of().into()],
            ..ResourceType::default()
        }
    }
}

/// All resource types.
#[must_use]
pub fn resource_types(options: Options) -> Vec<ResourceType> {
    Type::ALL.into_iter().map(|kind| kind.message(options)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::any;

    #[test]
    fn every_type_is_found_by_its_id() {
        for kind in Type::ALL {
            assert_eq!(Type::parse(kind.as_str()), Some(kind));
            assert_eq!(kind.held().and_then(Type::of), Some(kind).filter(|kind| *kind != Type::User));
        }
        assert_eq!(Type::parse("space"), None);
    }

    #[test]
    fn only_users_are_skipped_and_newer_annotations_are_asked_for() {
        for (kind, message) in Type::ALL.into_iter().zip(resource_types(Options::default())) {
            let skipped = message.annotations.iter().any(any::is::<SkipEntitlementsAndGrants>);
            assert_eq!(skipped, kind == Type::User);
            assert!(!message.annotations.iter().any(any::is::<CapabilityPermissions>));
            assert!(!message.display_name.is_empty() && !message.description.is_empty());
        }
        let newer = Options { newer_annotations: true };
        for message in resource_types(newer) {
            assert!(message.annotations.iter().any(any::is::<CapabilityPermissions>));
        }
    }
}
