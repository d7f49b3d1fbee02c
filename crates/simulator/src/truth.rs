//! What is true of the estate, computed from its state and not through HTTP.
//!
//! Not derived access: only direct grants, as the product defines them.
//!
//! Invariant: one grant per (principal, resource, entitlement).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::scale::Scale;
use crate::value::Id;

/// Somebody holding an entitlement on a resource, because a row of Heroku's says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Grant {
    /// `team`, `enterprise_account` or `app`.
    pub resource_type: &'static str,
    /// Heroku's id of it.
    pub resource_id: String,
    /// The bare slug, as Heroku spells it.
    pub entitlement: String,
    /// Heroku's id of the person.
    pub principal_id: String,
}

/// A pending invitation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PendingInvitation {
    /// The team.
    pub team_id: String,
    /// The invitation.
    pub invitation_id: String,
    /// The address as the invitation spells it.
    pub email: String,
    /// The role; `unknown` when Heroku shows null.
    pub role: String,
}

/// A membership row that names nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Unresolved {
    /// `team` or `enterprise_account`.
    pub resource_type: &'static str,
    /// Heroku's id of it.
    pub resource_id: String,
    /// Heroku's id of the row.
    pub row_id: String,
    /// The address that the row shows, if it shows one.
    pub email: Option<String>,
    /// The role, where the row has one.
    pub role: Option<String>,
}

/// The part that is held in full.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) grants: BTreeSet<Grant>,
    pub(crate) users: BTreeSet<String>,
    pub(crate) invitees: BTreeSet<String>,
    pub(crate) teams: BTreeSet<String>,
    pub(crate) apps: BTreeSet<String>,
    pub(crate) enterprises: BTreeSet<String>,
    pub(crate) addons: BTreeSet<String>,
    pub(crate) invitations: BTreeSet<PendingInvitation>,
    pub(crate) unresolved: BTreeSet<Unresolved>,
}

/// The truth at one moment: held in full for small estates, made on demand for scale.
#[derive(Clone, Debug)]
pub struct Truth(pub(crate) Source);

#[derive(Clone, Debug)]
pub(crate) enum Source {
    Held(Arc<Held>),
    Scale(Arc<Scale>, u64),
}

/// Anything that can be walked once.
pub type Walk<'a, T> = Box<dyn Iterator<Item = T> + 'a>;

impl Truth {
    /// Every direct grant; in order for held estates, by resource for scale.
    #[must_use]
    pub fn grants(&self) -> Walk<'_, Grant> {
        match &self.0 {
            Source::Held(held) => Box::new(held.grants.iter().cloned()),
            Source::Scale(scale, generation) => Box::new(scale.grants(*generation)),
        }
    }

    /// The number of direct grants, without walking them.
    #[must_use]
    pub fn grant_count(&self) -> u64 {
        match &self.0 {
            Source::Held(held) => held.grants.len() as u64,
            Source::Scale(scale, _) => scale.grant_count(),
        }
    }

    /// Every direct grant as a set: for estates that fit.
    #[must_use]
    pub fn grant_set(&self) -> BTreeSet<Grant> {
        self.grants().collect()
    }

    /// Ids of every person seen anywhere: the caller, members, collaborators, owners of personal apps, people in
    /// spaces, and invitees with who invited them. Team pseudo-users are not people.
    #[must_use]
    pub fn users(&self) -> Walk<'_, String> {
        match &self.0 {
            Source::Held(held) => Box::new(held.users.iter().cloned()),
            Source::Scale(scale, _) => Box::new(ids(scale.user_ids())),
        }
    }

    /// The users that only an invitation shows; part of [`users`](Self::users).
    #[must_use]
    pub fn invitee_only(&self) -> Walk<'_, String> {
        match &self.0 {
            Source::Held(held) => Box::new(held.invitees.iter().cloned()),
            Source::Scale(..) => Box::new(std::iter::empty()),
        }
    }

    /// Ids of the teams that the caller learns of, those without a role of its own included.
    #[must_use]
    pub fn teams(&self) -> Walk<'_, String> {
        match &self.0 {
            Source::Held(held) => Box::new(held.teams.iter().cloned()),
            Source::Scale(scale, _) => Box::new(ids(scale.team_ids())),
        }
    }

    /// Ids of the apps that the caller can open.
    #[must_use]
    pub fn apps(&self) -> Walk<'_, String> {
        match &self.0 {
            Source::Held(held) => Box::new(held.apps.iter().cloned()),
            Source::Scale(scale, _) => Box::new(ids(scale.app_ids())),
        }
    }

    /// Ids of the caller's enterprise accounts.
    #[must_use]
    pub fn enterprise_accounts(&self) -> Walk<'_, String> {
        match &self.0 {
            Source::Held(held) => Box::new(held.enterprises.iter().cloned()),
            Source::Scale(scale, _) => Box::new(ids(scale.enterprise_ids())),
        }
    }

    /// Ids of the add-ons of those apps.
    #[must_use]
    pub fn addons(&self) -> Walk<'_, String> {
        match &self.0 {
            Source::Held(held) => Box::new(held.addons.iter().cloned()),
            Source::Scale(scale, _) => Box::new(ids(scale.addon_ids())),
        }
    }

    /// Pending invitations to standard teams that the caller is inside.
    #[must_use]
    pub fn invitations(&self) -> Walk<'_, PendingInvitation> {
        match &self.0 {
            Source::Held(held) => Box::new(held.invitations.iter().cloned()),
            Source::Scale(..) => Box::new(std::iter::empty()),
        }
    }

    /// Membership rows that name nobody.
    #[must_use]
    pub fn unresolved(&self) -> Walk<'_, Unresolved> {
        match &self.0 {
            Source::Held(held) => Box::new(held.unresolved.iter().cloned()),
            Source::Scale(..) => Box::new(std::iter::empty()),
        }
    }
}

fn ids<'a>(ids: impl Iterator<Item = Id> + 'a) -> impl Iterator<Item = String> + 'a {
    ids.map(|id| id.to_string())
}
