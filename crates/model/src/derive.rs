//! The rules of derived access: what a role, a permission or ownership implies on an app.
//!
//! Pure functions over sets; which rows exist is the caller's to know.
//!
//! Source: `product.md` 3 (derived access), after Heroku's documentation of teams and Enterprise permissions.

use crate::access::{Entitlement, Mask};
use crate::record::Team;

/// Everything that an app's permissions offer.
pub const ALL: Mask = Mask(
    Entitlement::VIEW.mask().0
        | Entitlement::DEPLOY.mask().0
        | Entitlement::OPERATE.mask().0
        | Entitlement::MANAGE.mask().0,
);

/// What a person may do who works on an app without managing it.
const WORK: Mask =
    Mask(Entitlement::VIEW.mask().0 | Entitlement::DEPLOY.mask().0 | Entitlement::OPERATE.mask().0);

/// The permissions with which config vars, and so every attached add-on's credentials, can be read.
pub const READS_CONFIG: Mask =
    Mask(Entitlement::DEPLOY.mask().0 | Entitlement::OPERATE.mask().0 | Entitlement::MANAGE.mask().0);

/// Whom an app belongs to, as far as derived access cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A team of a Heroku Enterprise account: fine-grained permissions.
    EnterpriseTeam,
    /// A team of its own.
    StandardTeam,
    /// A team of which only the name is known, because no list of teams holds it.
    UnlistedTeam,
    /// A person.
    Person,
}

impl Owner {
    /// What kind of owner a team is. A team without a type that belongs to an Enterprise account is one of its teams.
    #[must_use]
    pub fn of_team(team: &Team) -> Self {
        if team.listed != Some(true) {
            Self::UnlistedTeam
        } else if team.team_type.as_deref() == Some("enterprise") || team.enterprise_account.is_some() {
            Self::EnterpriseTeam
        } else {
            Self::StandardTeam
        }
    }
}

/// What one team role gives on an app of the team.
#[must_use]
pub fn from_team_role(role: Entitlement, owner: Owner, locked: bool) -> Mask {
    match role {
        Entitlement::ADMIN => ALL,
        Entitlement::MEMBER if !locked && owner == Owner::EnterpriseTeam => Entitlement::VIEW.mask(),
        Entitlement::MEMBER if !locked => WORK,
        Entitlement::VIEWER if !locked => Entitlement::VIEW.mask(),
        _ => Mask::NONE,
    }
}

/// What one entitlement on an app gives beyond itself, for the person who holds all of `held` there.
///
/// On an unlisted team the row itself tells: rows of Enterprise teams name permissions, others name none.
#[must_use]
pub fn from_app_entitlement(entitlement: Entitlement, held: Mask, owner: Owner) -> Mask {
    match entitlement {
        Entitlement::COLLABORATOR => match owner {
            Owner::StandardTeam | Owner::Person => WORK,
            Owner::UnlistedTeam if !held.intersects(ALL.with(Mask::OTHER)) => WORK,
            Owner::UnlistedTeam | Owner::EnterpriseTeam => Mask::NONE,
        },
        Entitlement::VIEW => Mask::NONE,
        _ => Entitlement::VIEW.mask(),
    }
}

/// What owning a personal app gives on it.
#[must_use]
pub const fn from_ownership() -> Mask {
    ALL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admins_hold_everything_even_on_locked_apps() {
        for owner in [Owner::EnterpriseTeam, Owner::StandardTeam] {
            assert_eq!(from_team_role(Entitlement::ADMIN, owner, true), ALL);
        }
    }

    #[test]
    fn members_see_unlocked_enterprise_apps_and_work_on_unlocked_standard_ones() {
        let member = Entitlement::MEMBER;
        assert_eq!(from_team_role(member, Owner::EnterpriseTeam, false), Entitlement::VIEW.mask());
        assert_eq!(from_team_role(member, Owner::StandardTeam, false), WORK);
        assert_eq!(from_team_role(member, Owner::StandardTeam, true), Mask::NONE);
    }

    #[test]
    fn unknown_roles_and_team_collaborators_derive_nothing() {
        for role in [Entitlement::TEAM_COLLABORATOR, Entitlement::OWNER, Entitlement::UNKNOWN] {
            assert_eq!(from_team_role(role, Owner::StandardTeam, false), Mask::NONE);
        }
    }

    #[test]
    fn a_collaborator_works_on_standard_and_personal_apps_only() {
        let (entitlement, held) = (Entitlement::COLLABORATOR, Entitlement::COLLABORATOR.mask());
        assert_eq!(from_app_entitlement(entitlement, held, Owner::Person), WORK);
        assert_eq!(from_app_entitlement(entitlement, held, Owner::StandardTeam), WORK);
        assert_eq!(from_app_entitlement(entitlement, held, Owner::EnterpriseTeam), Mask::NONE);
        assert_eq!(from_app_entitlement(entitlement, held, Owner::UnlistedTeam), WORK);
        let permitted = held.with(Entitlement::VIEW.mask());
        assert_eq!(from_app_entitlement(entitlement, permitted, Owner::UnlistedTeam), Mask::NONE);
    }

    #[test]
    fn any_permission_implies_view() {
        for entitlement in [Entitlement::DEPLOY, Entitlement::OPERATE, Entitlement::MANAGE] {
            let derived = from_app_entitlement(entitlement, entitlement.mask(), Owner::EnterpriseTeam);
            assert_eq!(derived, Entitlement::VIEW.mask());
        }
    }
}
