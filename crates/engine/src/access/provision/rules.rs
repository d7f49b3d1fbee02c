//! What is never done, and how much is done at most.
//!
//! Source: the safety rules R1 to R13 of the design's reliability chapter.
//!
//! Invariant: a rule that cannot be evaluated counts as broken.

use std::collections::{BTreeSet, HashSet};

use metsuke_clients::heroku::{ScopeCheck, WriteTarget, item, wire};
use metsuke_model::plan::{Person, Plan, State, Step};
use metsuke_model::{HerokuId, Moment};
use metsuke_store::{CapCounts, Store};

use super::fresh::{Roster, of_member, upstream};
use super::{Provisioner, Refusal, Settings};
use crate::EngineError;

/// How much may be done before a plan freezes (R4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Removals of one plan: at least so many are always allowed.
    pub plan_removals: u64,
    /// Removals of one plan, in percent of the people of the estate.
    pub plan_percent: u64,
    /// People taken out of one team in an hour: at least so many are always allowed.
    pub team_removals: u64,
    /// The same in percent of the team.
    pub team_percent: u64,
    /// Removals in an hour, of all workers.
    pub hour_removals: u64,
    /// Grants of `admin` and `manage` in an hour, of all workers.
    pub hour_elevations: u64,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            plan_removals: 5,
            plan_percent: 2,
            team_removals: 1,
            team_percent: 20,
            hour_removals: 50,
            hour_elevations: 5,
        }
    }
}

impl Caps {
    /// The people that may be taken out of a team of this size in an hour.
    pub(super) fn of_team(&self, members: u64) -> u64 {
        self.team_removals.max(members * self.team_percent / 100)
    }
}

/// The account that the token belongs to.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    id: Option<HerokuId>,
    email: Option<String>,
}

impl Identity {
    fn is(&self, person: &Person) -> bool {
        let same_id = self.id.is_some() && self.id == person.id;
        same_id || self.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(&person.email))
    }
}

impl Provisioner<'_> {
    /// Whose account writes: as Heroku tells, else as the settings do (R2).
    pub(super) async fn identity(&self) -> Result<Result<Identity, Refusal>, EngineError> {
        match self.door.one(&item::account()).await {
            Ok(account) => {
                let wire::Account { id, email, .. } = account;
                Ok(Ok(Identity { id: Some(HerokuId::new(&id)), email }))
            }
            Err(error) if error.answer().is_some_and(|answer| answer.status == 403) => {
                let Some(named) = self.settings.connector_account.clone() else {
                    return Ok(Err(Refusal::rule(
                        "R2",
                        "Heroku does not tell this token whose account it is, so the connector's own account could not be kept safe",
                    )
                    .hint("name it with --connector-account EMAIL|ID")));
                };
                let is_email = named.contains('@');
                let id = (!is_email).then(|| HerokuId::new(&named.trim().to_lowercase()));
                Ok(Ok(Identity { id, email: is_email.then_some(named) }))
            }
            Err(error) if error.answer().is_some_and(|answer| answer.status == 401) => {
                Err(EngineError::WrongToken { source: error })
            }
            Err(error) => Err(upstream(error)),
        }
    }

    /// The rules that look at who and with what, before anything else is asked (R2, R3, R10, R11, R15, scope).
    pub(super) async fn standing_rules(&self, steps: &[Step]) -> Result<Option<Refusal>, EngineError> {
        if let Some(refusal) = self.writes_off().await? {
            return Ok(Some(refusal));
        }
        if let Some(refusal) = self.restored_first().await? {
            return Ok(Some(refusal));
        }
        // Any answer tells the token's scopes, a refusal as well.
        let identity = self.identity().await?;
        if let Some(refusal) = self.scope_short(steps) {
            return Ok(Some(refusal));
        }
        match identity {
            Ok(identity) => self.people_rules(&identity, steps).await,
            Err(refusal) => Ok(Some(refusal)),
        }
    }

    /// The connector's own account and protected principals are never touched (R2, R3).
    pub(super) async fn people_rules(
        &self,
        identity: &Identity,
        steps: &[Step],
    ) -> Result<Option<Refusal>, EngineError> {
        let protected = protected_names(self.store).await?;
        for step in steps {
            let person = &step.person;
            if identity.is(person) {
                return Ok(Some(
                    Refusal::rule(
                        "R2",
                        format!("{} is the connector's own account, which is never changed", person.email),
                    )
                    .hint("change it at Heroku, by hand"),
                ));
            }
            if is_protected(&protected, person) {
                return Ok(Some(
                    Refusal::rule("R3", format!("{} is a protected principal", person.email))
                        .hint("`metsuke protect remove` ends the protection, and is recorded"),
                ));
            }
        }
        Ok(None)
    }

    /// Whether the token's scope is known not to suffice.
    pub(super) fn scope_short(&self, steps: &[Step]) -> Option<Refusal> {
        steps.iter().find_map(|step| self.scope_short_for(target(step)))
    }

    /// The same for one kind of write.
    pub(super) fn scope_short_for(&self, target: WriteTarget) -> Option<Refusal> {
        let check = self.heroku.may_write(target);
        let ScopeCheck::Short { token_scopes, accepted_scopes } = &check else { return None };
        let refusal = Refusal::rule(
            "R10",
            format!(
                "the token's scope is `{}`, and this write needs `{}`",
                token_scopes.join(" "),
                accepted_scopes.join("` or `")
            ),
        );
        Some(match check.hint() {
            Some(hint) => refusal.hint(hint),
            None => refusal,
        })
    }

    /// Whether writes are switched off (R10, R11).
    pub(super) async fn writes_off(&self) -> Result<Option<Refusal>, EngineError> {
        writes_off(&self.settings, self.store).await
    }

    /// Whether the file of the kill switch is there.
    pub(super) fn killed_by_file(&self) -> bool {
        killed_by_file(&self.settings)
    }

    /// Which cap the plan would break together with what was done in the last hour (R4).
    pub(super) async fn over_cap(&self, plan: &Plan, now: Moment) -> Result<Option<String>, EngineError> {
        let people = match self.store.snapshot(None).await? {
            Some(snapshot) => snapshot.sync().counts.users,
            None => 0,
        };
        if let Some(over) = removals_over(&self.settings.caps, plan, people) {
            return Ok(Some(over));
        }
        let done = self.store.cap_counts(hour_before(now), "").await?;
        Ok(over_hour(&self.settings.caps, plan, done))
    }

    /// Whether one step stays below the caps of an hour, given what all workers have done in it.
    pub(super) fn step_allowed(&self, step: &Step, members: Option<u64>, done: CapCounts) -> bool {
        let caps = self.settings.caps;
        let of_team = members.map_or(u64::MAX, |members| caps.of_team(members));
        !(step.removes_member() && done.of_team + 1 > of_team
            || step.removes && done.removals + 1 > caps.hour_removals
            || step.elevates && done.elevations + 1 > caps.hour_elevations)
    }
}

/// The moment an hour before.
pub(super) fn hour_before(now: Moment) -> Moment {
    Moment(now.0 - 3_600_000_000)
}

/// What a step's call writes.
pub(super) fn target(step: &Step) -> WriteTarget {
    match (&step.expected, &step.wished) {
        (State::Invited { .. }, _) | (_, State::Invited { .. }) => WriteTarget::TeamInvitation,
        (State::Member { .. }, _) | (_, State::Member { .. }) => WriteTarget::TeamMember,
        _ => WriteTarget::Collaborator,
    }
}

/// Why the step would leave its team without an admin (R1), on a roster that was just read.
///
/// An invitation is no admin, nor is a row without a user. An admin who signs in without a second factor and
/// without an identity provider counts only where no other kind of admin exists.
pub(super) fn last_admin(step: &Step, roster: &Roster) -> Option<Refusal> {
    let is_admin = |state: &State| matches!(state, State::Member { role } if &**role == "admin");
    if !is_admin(&roster.state(&step.person)) || is_admin(&step.wished) {
        return None;
    }
    let admins: Vec<&wire::TeamMember> = roster
        .members
        .iter()
        .filter(|row| row.role.as_deref() == Some("admin") && row.user.is_some())
        .collect();
    let safe = |row: &&&wire::TeamMember| {
        row.federated == Some(true) || row.two_factor_authentication != Some(false)
    };
    let other = |row: &&&wire::TeamMember| !of_member(&step.person, row);
    let left = if admins.iter().any(|row| safe(&row)) {
        admins.iter().filter(safe).filter(other).count()
    } else {
        admins.iter().filter(other).count()
    };
    if left > 0 {
        return None;
    }
    let team = &step.resource.name;
    let rest = admins.iter().filter(other).count();
    let why = if rest == 0 {
        format!("{} is the last admin of team {team}", step.person.email)
    } else {
        format!("team {team} would be left with admins who have no second factor")
    };
    Some(Refusal::rule("R1", why).hint("make somebody else admin first"))
}

/// The addresses and ids of everybody who is protected, in small letters (R3).
///
/// Who is protected by id is also known by the address last seen: somebody who has left the estate is asked for by
/// address, and no row tells the id then.
pub(super) async fn protected_names(store: &Store) -> Result<HashSet<String>, EngineError> {
    let people = store.protected_principals().await?;
    let mut names: HashSet<String> = people.into_iter().map(|(name, _)| name).collect();
    let ids: Vec<HerokuId> = names.iter().map(|name| HerokuId::new(name)).collect();
    let seen = store.ever_seen(&ids).await?;
    names.extend(seen.iter().filter_map(|user| user.email.as_deref()).map(str::to_lowercase));
    Ok(names)
}

/// Whether somebody is among those who are protected.
pub(super) fn is_protected(names: &HashSet<String>, person: &Person) -> bool {
    let id = person.id.as_ref().map(ToString::to_string).unwrap_or_default().to_lowercase();
    names.contains(&person.email.to_lowercase()) || (!id.is_empty() && names.contains(&id))
}

/// How many teams and apps a plan takes somebody out of.
fn removals(plan: &Plan) -> u64 {
    let removals: BTreeSet<&HerokuId> =
        plan.steps.iter().filter(|step| step.removes).map(Step::capped).collect();
    removals.len() as u64
}

/// Why a plan is over the cap of one plan, in an estate of so many people (R4).
pub(super) fn removals_over(caps: &Caps, plan: &Plan, people: u64) -> Option<String> {
    let removals = removals(plan);
    let most = caps.plan_removals.max(people * caps.plan_percent / 100);
    (removals > most).then(|| {
        format!("it removes somebody from {removals} teams or apps, and {most} is the cap of one plan")
    })
}

/// Why a plan is over a cap of an hour, given what was done in it (R4).
pub(super) fn over_hour(caps: &Caps, plan: &Plan, done: CapCounts) -> Option<String> {
    let removals = removals(plan);
    let elevations = plan.steps.iter().filter(|step| step.elevates).count() as u64;
    if removals > 0 && done.removals + removals > caps.hour_removals {
        return Some(format!(
            "{} removals in the last hour and {removals} more are over the cap of {}",
            done.removals, caps.hour_removals
        ));
    }
    if elevations > 0 && done.elevations + elevations > caps.hour_elevations {
        return Some(format!(
            "{} grants of admin or manage in the last hour and {elevations} more are over the cap of {}",
            done.elevations, caps.hour_elevations
        ));
    }
    None
}

fn killed_by_file(settings: &Settings) -> bool {
    settings.kill_file.as_deref().is_some_and(std::path::Path::exists)
}

/// Whether nothing may be written to Heroku (R10, R11).
///
/// # Errors
///
/// What the database said.
pub(crate) async fn writes_off(settings: &Settings, store: &Store) -> Result<Option<Refusal>, EngineError> {
    if !settings.allow_writes {
        return Ok(Some(match &settings.connector {
            Some(name) => Refusal::rule("R10", format!("the connector `{name}` does not change access"))
                .hint(format!("`metsuke connectors edit \"{name}\" --provisioning true` lets it")),
            None => Refusal::rule("R10", "this installation is read only")
                .hint("set METSUKE_PROVISIONING=true, or add --allow-writes, once you want it to write"),
        }));
    }
    if killed_by_file(settings) {
        return Ok(Some(
            Refusal::rule("R11", "the kill switch is on: its file is there")
                .hint("remove the file to allow writes again"),
        ));
    }
    if store.kill_switch().await? {
        return Ok(Some(
            Refusal::rule("R11", "the kill switch is on")
                .hint("`metsuke kill-switch off` allows writes again"),
        ));
    }
    Ok(None)
}
