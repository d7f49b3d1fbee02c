//! Grants and revokes as a connector asks for them: one entitlement of one person, by ids.
//!
//! What is allowed, and the calls themselves, are [`provision`]'s; here names become ids, and outcomes words.
//!
//! Invariant: a person is given to Heroku by an address that Heroku told, never by one that was guessed.

use metsuke_model::grant::PrincipalKind;
use metsuke_model::plan::{Plan, State};
use metsuke_model::record::{App, EnterpriseAccount, Team, User};
use metsuke_model::{Entitlement, Grant, HerokuId, Record, ResourceType};
use metsuke_store::Select;
use tokio_util::sync::CancellationToken;

use super::{Connector, Target};
use crate::access::provision::{Applied, Ask, On, Outcome, Planned, Provisioner, Refusal};
use crate::{EngineError, ErrorKind};

/// What came of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// Done, and read back.
    Done {
        /// Every direct grant that is there now and was not: a permission on an app brings `collaborator` and `view`
        /// with it. An invitation's principal is of that kind.
        added: Vec<Grant>,
        /// The role in the team that the new one replaced.
        replaced: Option<Box<str>>,
        /// The person was invited, and holds nothing before accepting.
        pending: bool,
    },
    /// Nothing was to be done: it is held, or an invitation offers it.
    AlreadyExists,
}

/// What came of a revoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// Done, and read back.
    Done {
        /// Every direct grant that is no more: whoever loses `view` or `collaborator` on an app loses all on it.
        removed: Vec<Grant>,
    },
    /// Nothing was to be done: Heroku has no row that says so. What follows from a role may still be held.
    AlreadyRevoked,
}

/// What came of asking.
enum Came {
    Unchanged,
    Applied(Box<Plan>, Applied),
}

impl Connector {
    /// Gives a person, by id or e-mail address, one entitlement. A role in a team replaces the one before; a permission
    /// on an app joins those that are held.
    ///
    /// # Errors
    ///
    /// [`EngineError::Refused`] where a rule forbids it or it cannot be given, [`EngineError::RefusedByHeroku`],
    /// [`EngineError::NotAtHeroku`] for a resource or person that Heroku does not show, [`EngineError::NotSent`],
    /// [`EngineError::InDoubt`] where it may or may not have been done, [`EngineError::Upstream`], and what the database said.
    pub async fn grant(
        &self,
        resource: &(ResourceType, HerokuId),
        slug: &str,
        user: &str,
        reason: Option<&str>,
    ) -> Result<Granted, EngineError> {
        let target = writable(resource)?;
        self.know(&target).await?;
        let Some(user) = self.person(&target, user, true).await? else {
            return Err(EngineError::NotAtHeroku { what: "user", asked: user.into() });
        };
        let ask = Ask::Grant { user, on: on(&target, slug)? };
        match self.carry_out(&ask, reason).await? {
            Came::Unchanged => Ok(Granted::AlreadyExists),
            Came::Applied(plan, applied) => {
                let replaced = plan.steps.iter().find_map(|step| match (&step.expected, &step.wished) {
                    (State::Member { role }, State::Member { .. }) => Some(role.clone()),
                    _ => None,
                });
                let invited = |grant: &Grant| grant.principal.kind == PrincipalKind::Invitation;
                let pending = applied.added.iter().any(invited);
                Ok(Granted::Done { added: applied.added, replaced, pending })
            }
        }
    }

    /// Takes one entitlement from a person, by id or e-mail address.
    ///
    /// # Errors
    ///
    /// As [`grant`](Self::grant).
    pub async fn revoke(
        &self,
        resource: &(ResourceType, HerokuId),
        slug: &str,
        user: &str,
        reason: Option<&str>,
    ) -> Result<Revoked, EngineError> {
        let target = writable(resource)?;
        self.know(&target).await?;
        let Some(user) = self.person(&target, user, false).await? else {
            return Ok(Revoked::AlreadyRevoked);
        };
        let ask = Ask::Revoke { user, on: on(&target, slug)? };
        match self.carry_out(&ask, reason).await? {
            Came::Unchanged => Ok(Revoked::AlreadyRevoked),
            Came::Applied(_, applied) => Ok(Revoked::Done { removed: applied.removed }),
        }
    }

    /// Plans and applies, and turns everything that is not done into an error.
    async fn carry_out(&self, ask: &Ask, reason: Option<&str>) -> Result<Came, EngineError> {
        let super::Settings { provision, clock, .. } = &self.settings;
        let provisioner = Provisioner::new(&self.heroku, &self.store, provision.clone(), &**clock, &())?;
        let plan = match provisioner.plan(ask, reason).await? {
            Planned::Unchanged(_) => return Ok(Came::Unchanged),
            Planned::Refused(Refusal { rule, reason, hint }) => {
                let rule = rule.map(|rule| format!("{rule}: ")).unwrap_or_default();
                return Err(EngineError::Refused { reason: format!("{rule}{reason}"), hint });
            }
            Planned::Plan(plan) => plan,
        };
        let applied = provisioner.apply(&plan.id(), None).await?;
        let reason = applied.reason.clone().unwrap_or_default();
        match applied.outcome {
            Outcome::Applied => Ok(Came::Applied(plan, applied)),
            Outcome::Unchanged => Ok(Came::Unchanged),
            Outcome::Frozen | Outcome::RefusedByRule => {
                Err(EngineError::Refused { reason, hint: applied.hint })
            }
            Outcome::RefusedByHeroku => {
                Err(EngineError::RefusedByHeroku { status: applied.refused_with, reason })
            }
            Outcome::NotSent => Err(EngineError::NotSent { reason }),
            Outcome::Unknown => Err(EngineError::InDoubt { reason }),
        }
    }

    /// Sees that the last version has the resource, so that what is done to it is in the next one.
    async fn know(&self, target: &Target) -> Result<(), EngineError> {
        if self.has(target).await? || self.read_afresh(target).await? {
            return Ok(());
        }
        let (what, id) = words(target);
        Err(EngineError::NotAtHeroku { what, asked: id.to_string() })
    }

    async fn has(&self, target: &Target) -> Result<bool, EngineError> {
        Ok(match target {
            Target::User(id) => self.object::<User>(id).await?.is_some(),
            Target::Team(id) => self.object::<Team>(id).await?.is_some(),
            Target::EnterpriseAccount(id) => self.object::<EnterpriseAccount>(id).await?.is_some(),
            Target::App(id) => self.object::<App>(id).await?.is_some(),
        })
    }

    /// The object of this id in the last version.
    async fn object<T: Record>(&self, id: &HerokuId) -> Result<Option<T>, EngineError> {
        let Some(mut snapshot) = self.store.snapshot(None).await? else { return Ok(None) };
        let found = snapshot.objects::<T>(&Select::Id(id.clone())).await?;
        Ok(found.into_iter().next().map(|stored| stored.record))
    }

    /// The person as provisioning takes them. Somebody who is known by an id that no version holds is looked for at
    /// Heroku: among the people of the resource, then of its team, then of the team's Enterprise account; and for a grant,
    /// at last in the whole estate. None where nobody has the id.
    async fn person(
        &self,
        target: &Target,
        user: &str,
        everywhere: bool,
    ) -> Result<Option<String>, EngineError> {
        let user = user.trim();
        if user.contains('@') {
            return Ok(Some(user.into()));
        }
        let id = HerokuId::new(user);
        if self.has_address(&id).await? {
            return Ok(Some(user.into()));
        }
        self.read_afresh(target).await?;
        if !everywhere || self.has_address(&id).await? {
            return Ok(self.has_address(&id).await?.then(|| user.into()));
        }
        let team = match target {
            Target::App(app) => self.object::<App>(app).await?.and_then(|app| app.team),
            Target::Team(team) => Some(team.clone()),
            _ => None,
        };
        let account = match &team {
            Some(team) => self.object::<Team>(team).await?.and_then(|team| team.enterprise_account),
            None => None,
        };
        let team = team.map(Target::Team).filter(|team| team != target);
        for place in team.into_iter().chain(account.map(Target::EnterpriseAccount)) {
            match self.read_afresh(&place).await {
                Ok(_) => {}
                // Who may not see these people may still see the person elsewhere.
                Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => {}
                Err(error) => return Err(error),
            }
            if self.has_address(&id).await? {
                return Ok(Some(user.into()));
            }
        }
        self.sync(&(), &CancellationToken::new()).await?;
        Ok(self.has_address(&id).await?.then(|| user.into()))
    }

    /// Whether the last version has the person, with an address.
    async fn has_address(&self, id: &HerokuId) -> Result<bool, EngineError> {
        Ok(self.object::<User>(id).await?.is_some_and(|user| user.email.is_some()))
    }
}

/// What a grant or revoke is about; Enterprise accounts and spaces are read only.
fn writable((resource_type, id): &(ResourceType, HerokuId)) -> Result<Target, EngineError> {
    match resource_type {
        ResourceType::Team => Ok(Target::Team(id.clone())),
        ResourceType::App => Ok(Target::App(id.clone())),
        ResourceType::EnterpriseAccount | ResourceType::Space => Err(EngineError::Refused {
            reason: format!("access to a {} is read only here", resource_type.as_str()),
            hint: Some("change it at Heroku".into()),
        }),
    }
}

/// What is given or taken, in provisioning's words.
fn on(target: &Target, slug: &str) -> Result<On, EngineError> {
    let id = words(target).1.to_string();
    match target {
        Target::Team(_) => Ok(On::Team { team: id, role: slug.into() }),
        Target::App(_) if slug == Entitlement::COLLABORATOR.slug() => {
            Ok(On::App { app: id, permissions: Vec::new() })
        }
        Target::App(_) => Ok(On::App { app: id, permissions: vec![slug.into()] }),
        Target::User(_) | Target::EnterpriseAccount(_) => {
            let reason = "only access to teams and apps can be changed".into();
            Err(EngineError::Refused { reason, hint: None })
        }
    }
}

fn words(target: &Target) -> (&'static str, &HerokuId) {
    match target {
        Target::User(id) => ("user", id),
        Target::Team(id) => ("team", id),
        Target::EnterpriseAccount(id) => ("enterprise account", id),
        Target::App(id) => ("app", id),
    }
}
