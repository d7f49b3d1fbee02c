//! Turns what is asked for into a plan: the calls, what must hold before them, and what they do to access.
//!
//! Invariant: a step's state was read from Heroku for this plan, and its call leads from there to the wish.

use std::collections::BTreeSet;
use std::time::Duration;

use metsuke_clients::heroku::WriteTarget;
use metsuke_model::audit::EventCode;
use metsuke_model::plan::{Person, Plan, State, Step};
use metsuke_model::record::{App, EnterpriseAccount, Invitation, Team};
use metsuke_model::{HerokuId, Moment};
use metsuke_store::{AccessSelect, Select, Snapshot};
use serde_json::json;

use super::draft::{Drafted, change_app, grant_role, leave, revoke_all, revoke_role, turn};
use super::rules::last_admin;
use super::{Planned, Provisioner, Refusal};
use crate::EngineError;
use crate::access::effects::{Turn, effects, warnings};
use crate::access::lookup::find_user;

/// How long a plan may wait (R6).
const KEEPS: Duration = Duration::from_hours(24);

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Give a person something.
    Grant {
        /// The person's e-mail address or id.
        user: String,
        /// What.
        on: On,
    },
    /// Take something from a person.
    Revoke {
        /// The person's e-mail address or id.
        user: String,
        /// What.
        on: On,
    },
    /// Take everything from a person.
    Remove {
        /// The person's e-mail address or id.
        user: String,
    },
}

/// What is given or taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum On {
    /// A role in a team.
    Team {
        /// The team's name or id.
        team: String,
        /// The role.
        role: String,
    },
    /// Permissions on an app; none means being a collaborator.
    App {
        /// The app's name or id.
        app: String,
        /// The permissions, as Heroku spells them.
        permissions: Vec<String>,
    },
}

impl Provisioner<'_> {
    /// Makes a plan and stores it.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotFound`], [`EngineError::Ambiguous`], [`EngineError::NoVersion`], and what Heroku or the
    /// database said.
    pub async fn plan(&self, ask: &Ask, reason: Option<&str>) -> Result<Planned, EngineError> {
        // Any answer tells the token's scopes, a refusal as well.
        let identity = self.identity().await?;
        let target = if matches!(
            ask,
            Ask::Grant { on: On::App { .. }, .. } | Ask::Revoke { on: On::App { .. }, .. }
        ) {
            WriteTarget::Collaborator
        } else {
            WriteTarget::TeamMember
        };
        if let Some(refusal) = self.scope_short_for(target) {
            return self.refused(ask, refusal).await;
        }
        let identity = match identity {
            Ok(identity) => identity,
            Err(refusal) => return self.refused(ask, refusal).await,
        };
        let mut snapshot = self.store.snapshot(None).await?.ok_or(EngineError::NoVersion)?;
        let mut noted = Vec::new();
        let drafted = match ask {
            Ask::Grant { user, on } => self.draft_one(&mut snapshot, user, on, true).await?,
            Ask::Revoke { user, on } => self.draft_one(&mut snapshot, user, on, false).await?,
            Ask::Remove { user } => self.draft_removal(&mut snapshot, user, &mut noted).await?,
        };
        let mut steps = match drafted {
            Drafted::Steps(steps) => steps,
            Drafted::Unchanged(why) => return Ok(Planned::Unchanged(why)),
            Drafted::Refused(refusal) => return self.refused(ask, refusal).await,
        };
        for (step, ordinal) in steps.iter_mut().zip(1..) {
            step.ordinal = ordinal;
        }
        if let Some(refusal) = self.people_rules(&identity, &steps).await? {
            return self.refused(ask, refusal).await;
        }
        let plan = self.describe(&mut snapshot, ask, reason, steps, noted).await?;
        let event = self
            .store
            .event(plan.created_at, EventCode::PlanCreated)
            .about("plan", plan.id())
            .detail("hash", plan.hash())
            .detail("title", plan.title.clone())
            .detail("reason", json!(plan.reason))
            .detail("steps", json!(plan.steps.len()));
        self.store.keep_plan(&plan, event).await?;
        Ok(Planned::Plan(Box::new(plan)))
    }

    /// Records that something was asked for and refused before there was a plan.
    async fn refused(&self, ask: &Ask, refusal: Refusal) -> Result<Planned, EngineError> {
        let event = self
            .store
            .event(self.clock.now(), EventCode::PlanRefused)
            .detail("title", title(ask))
            .detail("rule", json!(refusal.rule))
            .detail("reason", refusal.reason.clone());
        self.store.record(event).await?;
        Ok(Planned::Refused(refusal))
    }

    /// Who is meant; somebody unknown must be given by address.
    async fn person(&self, snapshot: &mut Snapshot, user: &str) -> Result<Person, EngineError> {
        match find_user(snapshot, user).await {
            Ok(stored) => {
                let email = stored.record.email.unwrap_or_else(|| user.into());
                Ok(Person { id: Some(stored.record.id), email })
            }
            Err(EngineError::NotFound { .. }) if user.contains('@') => {
                Ok(Person { id: None, email: user.trim().into() })
            }
            Err(error) => Err(error),
        }
    }

    async fn draft_one(
        &self,
        snapshot: &mut Snapshot,
        user: &str,
        on: &On,
        grant: bool,
    ) -> Result<Drafted, EngineError> {
        let person = self.person(snapshot, user).await?;
        match on {
            On::Team { team, role } => {
                let team = self.fresh_team(team).await?;
                let person = team.roster.known(&person);
                let drafted =
                    if grant { grant_role(&team, &person, role) } else { revoke_role(&team, &person, role) };
                let drafted = drafted.map_err(|source| EngineError::Upstream { source })?;
                Ok(match drafted {
                    Drafted::Steps(steps) => {
                        match steps.iter().find_map(|step| last_admin(step, &team.roster)) {
                            Some(refusal) => Drafted::Refused(refusal),
                            None => Drafted::Steps(steps),
                        }
                    }
                    other => other,
                })
            }
            On::App { app, permissions } => {
                let app = self.fresh_app(app).await?;
                let mut person = app.known(&person);
                // Somebody with a new address may be known to the team.
                if let (None, Some(team)) = (&person.id, &app.team) {
                    person = self.roster(team, false).await?.known(&person);
                }
                change_app(&app, &person, permissions, grant)
                    .map_err(|source| EngineError::Upstream { source })
            }
        }
    }

    /// Everything that one person holds: rows on apps first, then roles, then invitations (R9).
    async fn draft_removal(
        &self,
        snapshot: &mut Snapshot,
        user: &str,
        noted: &mut Vec<String>,
    ) -> Result<Drafted, EngineError> {
        let person = self.person(snapshot, user).await?;
        let mut steps = Vec::new();
        let mut teams: BTreeSet<HerokuId> = BTreeSet::new();
        if let Ok(stored) = find_user(snapshot, user).await {
            let held = snapshot.access(&AccessSelect::Of(vec![stored.dense])).await?;
            let held: Vec<i64> = held.into_iter().map(|entry| entry.resource).collect();
            for app in snapshot.objects::<App>(&Select::Dense(held.clone())).await? {
                let app = self.fresh_app(&app.record.id.to_string()).await?;
                match revoke_all(&app, &person).map_err(|source| EngineError::Upstream { source })? {
                    Drafted::Steps(more) => steps.extend(more),
                    Drafted::Unchanged(_) | Drafted::Refused(_) => {}
                }
            }
            for team in snapshot.objects::<Team>(&Select::Dense(held.clone())).await? {
                teams.insert(team.record.id);
            }
            for account in snapshot.objects::<EnterpriseAccount>(&Select::Dense(held)).await? {
                let name = account.record.name.unwrap_or_default();
                noted.push(format!(
                    "{} stays a member of Enterprise account {name}, which is read only here",
                    person.email
                ));
            }
            for app in snapshot.objects::<App>(&Select::OwnedBy(vec![stored.dense])).await? {
                let name = app.record.name.unwrap_or_default();
                noted.push(format!(
                    "{} owns the personal app {name}; it must be transferred first",
                    person.email
                ));
            }
        }
        for invitation in snapshot.objects::<Invitation>(&Select::Named(person.email.to_string())).await? {
            teams.extend(invitation.record.team);
        }
        for team in teams {
            let team = self.fresh_team(&team.to_string()).await?;
            let state = team.roster.state(&person);
            let role = match &state {
                State::Member { role } | State::Invited { role } => role.to_string(),
                _ => continue,
            };
            // A collaborator of a team is one by its apps, and leaves it with the last of them.
            if role == "collaborator" && matches!(state, State::Member { .. }) {
                continue;
            }
            let leaving = leave(&team, &person, &state).map_err(|source| EngineError::Upstream { source })?;
            if let Some(refusal) = last_admin(&leaving, &team.roster) {
                return Ok(Drafted::Refused(refusal));
            }
            steps.push(leaving);
        }
        if steps.is_empty() {
            return Ok(Drafted::Unchanged(format!(
                "{} holds nothing that could be taken here",
                person.email
            )));
        }
        Ok(Drafted::Steps(steps))
    }

    /// The plan with what it does to access.
    async fn describe(
        &self,
        snapshot: &mut Snapshot,
        ask: &Ask,
        reason: Option<&str>,
        steps: Vec<Step>,
        mut noted: Vec<String>,
    ) -> Result<Plan, EngineError> {
        let turns: Vec<Turn> = steps.iter().map(turn).collect();
        let told = match effects(snapshot, &turns).await {
            Ok(found) => {
                let more = warnings(snapshot, &turns, &found).await?;
                noted.extend(more.iter().map(ToString::to_string));
                let mut told = serde_json::to_value(&found).unwrap_or_default();
                if let Some(told) = told.as_object_mut() {
                    told.insert("sentences".into(), json!(found.sentences()));
                }
                told
            }
            // The resource came after the last sync: what follows from it cannot be told.
            Err(EngineError::NotFound { what, asked, version }) => {
                noted.push(format!(
                    "{what} {asked} is not in version {version}, so the effects are not known; sync to see them"
                ));
                json!({ "sentences": [] })
            }
            Err(error) => return Err(error),
        };
        let now = self.clock.now();
        let keeps = i64::try_from(KEEPS.as_micros()).unwrap_or(i64::MAX);
        for step in &steps {
            if let (State::Member { role: old }, State::Member { role: new }) = (&step.expected, &step.wished)
            {
                noted.push(format!("{new} replaces {old} in team {}", step.resource.name));
            }
            if matches!(step.wished, State::Invited { .. }) {
                noted.push(format!("{} is invited, and has no access before accepting", step.person.email));
            }
        }
        Ok(Plan {
            title: title(ask),
            reason: reason.map(Into::into),
            actor: self.store.actor().name.to_string(),
            asked_by: self.party.clone(),
            created_at: now,
            expires_at: Moment(now.0.saturating_add(keeps)),
            version: snapshot.sync().version.0,
            steps,
            effects: told,
            warnings: noted,
        })
    }
}

/// What is asked for, in words.
fn title(ask: &Ask) -> String {
    let on = |on: &On| match on {
        On::Team { team, role } => format!("{role} of team {team}"),
        On::App { app, permissions } if permissions.is_empty() => format!("collaborator on app {app}"),
        On::App { app, permissions } => format!("{} on app {app}", permissions.join(", ")),
    };
    match ask {
        Ask::Grant { user, on: what } => format!("make {user} {}", on(what)),
        Ask::Revoke { user, on: what } => format!("take {} from {user}", on(what)),
        Ask::Remove { user } => format!("remove {user} everywhere"),
    }
}
