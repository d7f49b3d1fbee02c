//! Judges whether a caller may do an operation: the role's row, then the token's scopes, then who owns the thing.
//!
//! Who the caller is, and whether they own the thing, is found out by others.
//!
//! Invariant: a policy that says nothing of a role refuses it.

use metsuke_model::approval::Party;
use metsuke_model::audit::{Actor, ActorKind};

use super::operation::Operation;
use super::role::{Role, Scope};

/// Who may ask for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Everybody, without a token.
    Public,
    /// Whoever signs what it sends: the operation itself looks at the signature, and at no token.
    Signed,
    /// Those with one of these roles; and the owner of the thing, whatever their role, where it says so.
    Of {
        /// The roles.
        roles: &'static [Role],
        /// Whether owning the thing is enough.
        owner: bool,
    },
}

use Role::{Admin, Auditor, Operator, Reviewer, Viewer};

/// Without a token.
pub(super) const PUBLIC: Policy = Policy::Public;
/// Without a token, by a signature.
pub(super) const SIGNED: Policy = Policy::Signed;
/// Sees the estate.
pub(super) const SEEING: Policy = of(&[Viewer, Auditor, Reviewer, Operator, Admin], false);
/// Does something about oneself, or with what is one's own.
pub(super) const ONESELF: Policy = of(&[Viewer, Auditor, Reviewer, Operator, Admin], false);
/// Sees how things went, or went with one's own.
pub(super) const TRACING: Policy = of(&[Auditor, Reviewer, Operator, Admin], true);
/// Sees what is planned.
pub(super) const FOLLOWING: Policy = of(&[Auditor, Reviewer, Operator, Admin], false);
/// Sees who did what.
pub(super) const AUDITING: Policy = of(&[Auditor, Admin], false);
/// Says what is to become of findings.
pub(super) const DECIDING: Policy = of(&[Reviewer, Operator, Admin], false);
/// Sees where alerts go.
pub(super) const WATCHING: Policy = of(&[Auditor, Operator, Admin], false);
/// Runs things.
pub(super) const OPERATING: Policy = of(&[Operator, Admin], false);
/// Runs things, or one's own.
pub(super) const OPERATING_OR_OWNING: Policy = of(&[Operator, Admin], true);
/// Sets things up.
pub(super) const ADMINISTERING: Policy = of(&[Admin], false);
/// Sets things up, or one's own.
pub(super) const ADMINISTERING_OR_OWNING: Policy = of(&[Admin], true);

const fn of(roles: &'static [Role], owner: bool) -> Policy {
    Policy::Of { roles, owner }
}

/// By what a caller is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A program's token.
    Token,
    /// The session of a person who has signed in.
    Session,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// By what it is known.
    pub credential: Credential,
    /// The id of the token, or of the person's account.
    pub token: String,
    /// What the token, or the person, is called.
    pub name: String,
    /// The role.
    pub role: Role,
    /// What it is narrowed to; empty where it is not.
    pub scopes: Vec<Scope>,
    /// The e-mail address of the person it acts for, in small letters.
    pub person: Option<String>,
}

/// Whether the thing that an operation is about belongs to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owned {
    /// It does.
    Yes,
    /// It does not, or there is no such thing.
    No,
}

/// Why an operation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The role does not allow it.
    Role,
    /// The token's scopes do not cover it.
    Scope,
}

impl Caller {
    /// How the audit trail names the caller.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let (kind, name) = match self.credential {
            Credential::Token => (ActorKind::ApiKey, &self.name),
            Credential::Session => (ActorKind::Person, self.person.as_ref().unwrap_or(&self.name)),
        };
        Actor { kind, name: format!("{name} ({})", self.token).into() }
    }

    /// Which person it is, for rule R7: that of the account, or the one for whom the token acts.
    #[must_use]
    pub fn party(&self) -> Party {
        self.person.as_deref().map_or(Party::Nobody, Party::person)
    }

    /// Who it is, for logs: by what it is known, and its id; no name and no address.
    #[must_use]
    pub fn id(&self) -> String {
        let kind = match self.credential {
            Credential::Token => "token",
            Credential::Session => "account",
        };
        format!("{kind}:{}", self.token)
    }

    /// Whether one of these addresses is the caller's.
    #[must_use]
    pub fn is_one_of<'a>(&self, mut people: impl Iterator<Item = &'a str>) -> bool {
        let person = self.person.as_deref();
        person.is_some_and(|person| people.any(|one| one.to_lowercase() == person))
    }
}

impl Operation {
    /// Whether a caller may do this.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn permits(self, caller: &Caller, owned: Owned) -> Result<(), Denied> {
        let Policy::Of { roles, owner } = self.policy() else { return Ok(()) };
        let by_owning = owner && owned == Owned::Yes;
        if !by_owning && !roles.contains(&caller.role) {
            return Err(Denied::Role);
        }
        // Whatever an assistant's tools ask is judged where they ask it.
        if self == Self::Assist {
            return Ok(());
        }
        let covered = |scope: &Scope| scope.covers(self.area(), self.writes());
        if !caller.scopes.is_empty() && !caller.scopes.iter().any(covered) {
            return Err(Denied::Scope);
        }
        Ok(())
    }

    /// Whether it matters who owns the thing.
    #[must_use]
    pub fn asks_for_owner(self, caller: &Caller) -> bool {
        self.permits(caller, Owned::No) == Err(Denied::Role) && self.permits(caller, Owned::Yes).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Role, scopes: &[&str]) -> Caller {
        let scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
        let credential = Credential::Token;
        let person = Some("ann@example.com".into());
        Caller { credential, token: "1".into(), name: "t".into(), role, scopes, person }
    }

    #[test]
    fn an_admin_may_do_everything_and_an_auditor_changes_nothing() {
        for operation in Operation::ALL {
            assert_eq!(operation.permits(&caller(Admin, &[]), Owned::No), Ok(()), "{operation}");
            let about_others =
                matches!(operation.policy(), Policy::Of { .. }) && operation.policy() != ONESELF;
            if operation.writes() && about_others {
                assert_eq!(operation.permits(&caller(Auditor, &[]), Owned::No), Err(Denied::Role));
            } else {
                assert_eq!(operation.permits(&caller(Auditor, &[]), Owned::No), Ok(()), "{operation}");
            }
        }
    }

    #[test]
    fn a_scope_takes_away_from_owners_and_admins_alike() {
        let narrow = caller(Admin, &["estate:read"]);
        assert_eq!(Operation::ListApps.permits(&narrow, Owned::No), Ok(()));
        assert_eq!(Operation::SyncConnector.permits(&narrow, Owned::Yes), Err(Denied::Scope));
    }

    #[test]
    fn an_owner_runs_the_own_connector_and_no_other() {
        let viewer = caller(Viewer, &[]);
        assert!(Operation::SyncConnector.asks_for_owner(&viewer));
        assert_eq!(Operation::SyncConnector.permits(&viewer, Owned::Yes), Ok(()));
        assert_eq!(Operation::SyncConnector.permits(&viewer, Owned::No), Err(Denied::Role));
        assert!(!Operation::DeleteConnector.asks_for_owner(&viewer));
        assert!(viewer.is_one_of(["Ann@Example.com"].into_iter()));
    }
}
