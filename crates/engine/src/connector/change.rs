//! Grants and revokes as a connector asks for them: one entitlement of one person, by ids.
//!
//! What is allowed, and the calls themselves, are [`provision`]'s; here names become ids, and outcomes words.
//!
//! Invariant: a person is given to Heroku by an address that Heroku told, never by one that was guessed.

use metsuke_model::grant::PrincipalKind;
use metsuke_model::plan::{Plan, PlanStatus, State};
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

/// How often a change is planned anew where somebody else changed the same row meanwhile.
const TRIES: u32 = 3;

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
        let afresh = self.know(&target).await?;
        let Some(user) = self.person(&target, user, (true, afresh)).await? else {
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
        let afresh = self.know(&target).await?;
        let Some(user) = self.person(&target, user, (false, afresh)).await? else {
            return Ok(Revoked::AlreadyRevoked);
        };
        let ask = Ask::Revoke { user, on: on(&target, slug)? };
        match self.carry_out(&ask, reason).await? {
            Came::Unchanged => Ok(Revoked::AlreadyRevoked),
            Came::Applied(_, applied) => Ok(Revoked::Done { removed: applied.removed }),
        }
    }

    /// Plans and applies, one change after the other. What somebody else changed between a plan and its turn is read and
    /// planned anew.
    async fn carry_out(&self, ask: &Ask, reason: Option<&str>) -> Result<Came, EngineError> {
        let _turn = self.turn.lock().await;
        let mut tries = 1;
        loop {
            match self.try_once(ask, reason).await {
                Err(Stopped::Superseded(_)) if tries < TRIES => tries += 1,
                Err(Stopped::Superseded(error) | Stopped::For(error)) => return Err(error),
                Ok(came) => return Ok(came),
            }
        }
    }

    /// Plans and applies, and turns everything that is not done into an error.
    async fn try_once(&self, ask: &Ask, reason: Option<&str>) -> Result<Came, Stopped> {
        let super::Settings { provision, clock, .. } = &self.settings;
        let provisioner = Provisioner::new(&self.heroku, &self.store, provision.clone(), &**clock, &())?;
        let plan = match provisioner.plan(ask, reason).await? {
            Planned::Unchanged(_) => return Ok(Came::Unchanged),
            Planned::Refused(Refusal { rule, reason, hint }) => {
                let rule = rule.map(|rule| format!("{rule}: ")).unwrap_or_default();
                return Err(EngineError::Refused { reason: format!("{rule}{reason}"), hint }.into());
            }
            Planned::Plan(plan) => plan,
        };
        let applied = provisioner.apply(&plan.id(), None).await;
        for step in &plan.steps {
            self.touch(&step.resource);
            step.team.iter().for_each(|team| self.touch(team));
        }
        let applied = applied?;
        let reason = applied.reason.clone().unwrap_or_default();
        match applied.outcome {
            Outcome::Applied => Ok(Came::Applied(plan, applied)),
            Outcome::Unchanged => Ok(Came::Unchanged),
            Outcome::Frozen | Outcome::Unapproved | Outcome::RefusedByRule => {
                let row = self.store.plan(&plan.id()).await.map_err(EngineError::from)?;
                let error = EngineError::Refused { reason, hint: applied.hint };
                Err(match row.map(|row| row.status) {
                    Some(PlanStatus::Superseded) => Stopped::Superseded(error),
                    _ => Stopped::For(error),
                })
            }
            Outcome::RefusedByHeroku => {
                Err(EngineError::RefusedByHeroku { status: applied.refused_with, reason }.into())
            }
            Outcome::NotSent => Err(EngineError::NotSent { reason }.into()),
            Outcome::Unknown => Err(EngineError::InDoubt { reason }.into()),
        }
    }

    /// Sees that the last version has the resource, so that what is done to it is in the next one; true where it was
    /// read for that.
    async fn know(&self, target: &Target) -> Result<bool, EngineError> {
        if self.has(target).await? {
            return Ok(false);
        }
        if self.read_afresh(target).await? {
            return Ok(true);
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
    /// Heroku: among the people of the resource, unless it was just read; then, where `everywhere` is to be looked,
    /// among those of its team, of the team's Enterprise account, and at last of the whole estate. None where nobody has
    /// the id.
    async fn person(
        &self,
        target: &Target,
        user: &str,
        (everywhere, afresh): (bool, bool),
    ) -> Result<Option<String>, EngineError> {
        let user = user.trim();
        if user.contains('@') {
            return Ok(Some(user.into()));
        }
        let id = HerokuId::new(user);
        if self.has_address(&id).await? {
            return Ok(Some(user.into()));
        }
        if !afresh {
            self.read_afresh(target).await?;
        }
        let found = self.has_address(&id).await?;
        if found || !everywhere {
            return Ok(found.then(|| user.into()));
        }
        Ok(self.is_found_elsewhere(target, &id).await?.then(|| user.into()))
    }

    /// Looks for a person beyond the resource; whether the last version has them now.
    async fn is_found_elsewhere(&self, target: &Target, id: &HerokuId) -> Result<bool, EngineError> {
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
            if self.has_address(id).await? {
                return Ok(true);
            }
        }
        Box::pin(self.sync(&(), &CancellationToken::new())).await?;
        self.has_address(id).await
    }

    /// Whether the last version has the person. One whose address Heroku does not tell cannot be given to it.
    async fn has_address(&self, id: &HerokuId) -> Result<bool, EngineError> {
        match self.object::<User>(id).await? {
            None => Ok(false),
            Some(user) if user.email.is_some() => Ok(true),
            Some(_) => Err(EngineError::Refused {
                reason: format!("Heroku tells no address of user `{id}`, and changes access by address"),
                hint: None,
            }),
        }
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

/// Why a change was not made.
enum Stopped {
    /// Somebody else changed the same row meanwhile.
    Superseded(EngineError),
    /// Anything else.
    For(EngineError),
}

impl From<EngineError> for Stopped {
    fn from(error: EngineError) -> Self {
        Self::For(error)
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
