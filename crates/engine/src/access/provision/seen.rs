//! What a write changed, as a read after it shows: for the store, and for whoever asked.
//!
//! Invariant: the store is told what was read, never what was meant.

use metsuke_clients::heroku::wire;
use metsuke_model::access::Access;
use metsuke_model::grant::PrincipalKind;
use metsuke_model::plan::{State, Step};
use metsuke_model::record::{App, Invitation, User};
use metsuke_model::{Grant, HerokuId, Moment, Principal, Resource, ResourceRef, ResourceType};
use metsuke_store::{AccessSelect, Amendment, Select};

use super::Provisioner;
use super::fresh::{Roster, collaborator_state, of_member, user_of};
use crate::EngineError;

impl Provisioner<'_> {
    /// Reads everything that a verified step may have touched.
    pub(super) async fn amendment(
        &self,
        step: &Step,
        roster: Option<Roster>,
    ) -> Result<Amendment, EngineError> {
        let mut seen = Amendment::default();
        let mut id = step.person.id.clone();
        if step.resource.resource_type == ResourceType::App {
            let people = self.collaborators(&step.resource).await?;
            see_app(&mut seen, step, &step.resource, &people, &mut id);
            // Somebody on a team's app appears among the team's people.
            if let Some(team) = &step.team {
                let roster = self.roster(team, false).await?;
                see_team(&mut seen, step, team, &roster, &mut id);
            }
            return Ok(seen);
        }
        let roster = match roster {
            Some(roster) => roster,
            None => self.roster(&step.resource, true).await?,
        };
        see_team(&mut seen, step, &step.resource, &roster, &mut id);
        self.see_invitation(&mut seen, step, &roster).await?;
        if step.removes_member() {
            for app in self.rows_in_team(step).await? {
                let people = self.collaborators(&app).await?;
                see_app(&mut seen, step, &app, &people, &mut id);
            }
        }
        Ok(seen)
    }

    /// The person's invitation to the team, where there is one, and the ones that are gone.
    async fn see_invitation(
        &self,
        seen: &mut Amendment,
        step: &Step,
        roster: &Roster,
    ) -> Result<(), EngineError> {
        let invited = |state: &State| matches!(state, State::Invited { .. });
        if !invited(&step.expected) && !invited(&step.wished) {
            return Ok(());
        }
        let pending = roster.invitation(&step.person).map(|row| invitation(row, &step.resource.id));
        let Some(mut snapshot) = self.store.snapshot(None).await? else { return Ok(()) };
        let known = snapshot.objects::<Invitation>(&Select::Named(step.person.email.to_string())).await?;
        let gone = known
            .into_iter()
            .map(|stored| stored.record)
            .filter(|known| known.team.as_ref() == Some(&step.resource.id))
            .filter(|known| pending.as_ref().is_none_or(|pending| pending.id != known.id));
        seen.withdrawn.extend(gone.map(|known| known.id));
        seen.invitations.extend(pending);
        Ok(())
    }

    /// The apps of a step's team that name the person, as far as the last version knows.
    async fn rows_in_team(&self, step: &Step) -> Result<Vec<ResourceRef>, EngineError> {
        let Some(id) = &step.person.id else { return Ok(Vec::new()) };
        let Some(mut snapshot) = self.store.snapshot(None).await? else { return Ok(Vec::new()) };
        let users = snapshot.objects::<User>(&Select::Id(id.clone())).await?;
        let users = users.into_iter().map(|stored| stored.dense).collect();
        let held = snapshot.access(&AccessSelect::Of(users)).await?;
        let held = held.into_iter().map(|entry| entry.resource).collect();
        let apps = snapshot.objects::<App>(&Select::Dense(held)).await?;
        Ok(apps
            .into_iter()
            .map(|stored| stored.record)
            .filter(|app| app.team.as_ref() == Some(&step.resource.id))
            .map(|app| ResourceRef {
                resource_type: ResourceType::App,
                name: app.name.unwrap_or_else(|| app.id.to_string().into()),
                id: app.id,
            })
            .collect())
    }
}

fn see_app(
    seen: &mut Amendment,
    step: &Step,
    app: &ResourceRef,
    people: &[wire::Collaborator],
    id: &mut Option<HerokuId>,
) {
    let state = collaborator_state(people, &step.person);
    let user = people.iter().filter_map(|row| user_of(row.user.as_ref())).find(|(user, email)| {
        Some(user) == id.as_ref()
            || email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(&step.person.email))
    });
    if let Some((user, email)) = user {
        *id = Some(user.clone());
        seen.users.push(person(user, email));
    }
    if let Some(user) = id.clone() {
        let resource = Resource { resource_type: ResourceType::App, id: app.id.clone() };
        seen.access.push((resource, user, access_of(&state)));
    }
}

fn see_team(
    seen: &mut Amendment,
    step: &Step,
    team: &ResourceRef,
    roster: &Roster,
    id: &mut Option<HerokuId>,
) {
    let row = roster.members.iter().find(|row| of_member(&step.person, row));
    if let Some((user, email)) = row.and_then(|row| user_of(row.user.as_ref())) {
        *id = Some(user.clone());
        seen.users.push(person(user, email));
    }
    let state = roster.row_state(&step.person);
    if let Some(user) = id.clone() {
        let resource = Resource { resource_type: ResourceType::Team, id: team.id.clone() };
        seen.access.push((resource, user, access_of(&state)));
    }
}

fn person(id: HerokuId, email: Option<Box<str>>) -> User {
    let mut user = User::new(id);
    user.email = email;
    user
}

fn invitation(row: &wire::Invitation, team: &HerokuId) -> Invitation {
    let mut invitation = Invitation::new(HerokuId::new(&row.id));
    invitation.email = row.user.as_ref().and_then(|user| user.email.as_deref()).map(Into::into);
    invitation.team = Some(team.clone());
    invitation.role = row.role.as_deref().map(Into::into);
    invitation.invited_by = row.invited_by.as_ref().and_then(|user| user.id.as_deref()).map(HerokuId::new);
    invitation.created_at = row.created_at.as_deref().and_then(Moment::parse);
    invitation.updated_at = row.updated_at.as_deref().and_then(Moment::parse);
    invitation
}

fn access_of(state: &State) -> Access {
    match state {
        State::Absent | State::Invited { .. } => Access::default(),
        State::Member { role } => Access::from_slugs(ResourceType::Team, [&**role]),
        State::Collaborator { permissions } => {
            let slugs = permissions.iter().flatten().map(|slug| &**slug);
            Access::from_slugs(ResourceType::App, slugs.chain(["collaborator"]))
        }
    }
}

/// The direct and pending grants that differ between two states: what came, and what went.
pub(super) fn differing(step: &Step, before: &State, after: &State) -> (Vec<Grant>, Vec<Grant>) {
    let (old, new) = (lines(step, before), lines(step, after));
    let added = new.iter().filter(|grant| !old.contains(grant)).cloned().collect();
    let removed = old.iter().filter(|grant| !new.contains(grant)).cloned().collect();
    (added, removed)
}

fn lines(step: &Step, state: &State) -> Vec<Grant> {
    let kind = match state {
        State::Invited { .. } => PrincipalKind::Invitation,
        _ => PrincipalKind::User,
    };
    let slugs: Vec<Box<str>> = match state {
        State::Absent => Vec::new(),
        State::Member { role } | State::Invited { role } => vec![role.clone()],
        State::Collaborator { permissions } => {
            std::iter::once("collaborator".into()).chain(permissions.iter().flatten().cloned()).collect()
        }
    };
    let principal = Principal {
        kind,
        id: step.person.id.clone().unwrap_or_else(|| HerokuId::new(&step.person.email)),
        email: Some(step.person.email.clone()),
    };
    let line = |entitlement| Grant {
        principal: principal.clone(),
        resource: step.resource.clone(),
        entitlement,
        direct: true,
        path: Vec::new(),
    };
    slugs.into_iter().map(line).collect()
}
