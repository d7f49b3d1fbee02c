//! What Heroku holds at this moment, read for a decision and never from a cache.
//!
//! Invariant: a list that could not be read to its end is an error, never a shorter list.

use std::collections::BTreeSet;

use metsuke_clients::ClientError;
use metsuke_clients::heroku::{endpoint, item, wire};
use metsuke_model::HerokuId;
use metsuke_model::plan::{Person, State, Step};
use metsuke_model::{ResourceRef, ResourceType};

use super::Provisioner;
use crate::EngineError;

/// How a person stands to a resource at this moment.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) state: State,
    /// Which row says so; see [`Step::row`].
    pub(super) row: Option<Box<str>>,
    /// The team's people, where the resource is a team.
    pub(super) roster: Option<Roster>,
}

impl Found {
    /// Whether it is what the step expects, the very row included.
    pub(super) fn is_expected(&self, step: &Step) -> bool {
        self.state == step.expected && (step.row.is_none() || self.row == step.row)
    }
}

/// A team's people.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    pub(super) members: Vec<wire::TeamMember>,
    pub(super) invitations: Vec<wire::Invitation>,
}

/// A team, and what it makes use of.
#[derive(Clone, Debug)]
pub(super) struct FreshTeam {
    pub(super) resource: ResourceRef,
    pub(super) enterprise: bool,
    pub(super) invites: bool,
    pub(super) roster: Roster,
}

/// An app with its team and its people.
#[derive(Clone, Debug)]
pub(super) struct FreshApp {
    pub(super) resource: ResourceRef,
    pub(super) team: Option<ResourceRef>,
    /// Its people hold single permissions.
    pub(super) fine: bool,
    pub(super) owner: Option<wire::Owner>,
    pub(super) people: Vec<wire::Collaborator>,
}

/// Whether the two name the same person: by id, or by the address, which is what a call names people by.
fn is(person: &Person, id: Option<&str>, email: Option<&str>) -> bool {
    let same_id = person.id.is_some() && person.id == id.map(HerokuId::new);
    same_id || email.is_some_and(|email| email.eq_ignore_ascii_case(&person.email))
}

pub(super) fn of_member(person: &Person, row: &wire::TeamMember) -> bool {
    let user = row.user.as_ref();
    let email = row.email.as_deref().or_else(|| user.and_then(|user| user.email.as_deref()));
    is(person, user.and_then(|user| user.id.as_deref()), email)
}

fn of_invitation(person: &Person, row: &wire::Invitation) -> bool {
    let email = row.user.as_ref().and_then(|user| user.email.as_deref());
    email.is_some_and(|email| email.eq_ignore_ascii_case(&person.email))
}

fn of_collaborator(person: &Person, row: &wire::Collaborator) -> bool {
    let user = row.user.as_ref();
    is(person, user.and_then(|user| user.id.as_deref()), user.and_then(|user| user.email.as_deref()))
}

impl Roster {
    /// How the person stands to the team.
    pub(super) fn state(&self, person: &Person) -> State {
        if let Some(row) = self.membership(person) {
            return State::Member { role: role(row.role.as_deref()) };
        }
        match self.invitations.iter().find(|row| of_invitation(person, row)) {
            Some(row) => State::Invited { role: role(row.role.as_deref()) },
            None => State::Absent,
        }
    }

    /// What the person's row says, whatever invitation stands beside it.
    pub(super) fn row_state(&self, person: &Person) -> State {
        let row = self.members.iter().find(|row| of_member(person, row));
        row.map_or(State::Absent, |row| State::Member { role: role(row.role.as_deref()) })
    }

    /// The person with the id that Heroku's row has: the rules know people by it, too.
    pub(super) fn known(&self, person: &Person) -> Person {
        let row = self.members.iter().find(|row| of_member(person, row));
        with_id(person, row.and_then(|row| row.user.as_ref()))
    }

    /// Which row says how the person stands.
    pub(super) fn row(&self, person: &Person) -> Option<Box<str>> {
        if let Some(row) = self.membership(person) {
            return Some(mark(&row.id, row.created_at.as_deref()));
        }
        self.invitation(person).map(|row| mark(&row.id, row.created_at.as_deref()))
    }

    /// The person's membership. A row that only says that somebody works on apps of the team is none while they are invited:
    /// the invitation is what stands between them and the team.
    fn membership(&self, person: &Person) -> Option<&wire::TeamMember> {
        let row = self.members.iter().find(|row| of_member(person, row))?;
        let of_apps = State::Member { role: role(row.role.as_deref()) }.is_of_apps();
        (!of_apps || self.invitation(person).is_none()).then_some(row)
    }

    /// The person's pending invitation.
    pub(super) fn invitation(&self, person: &Person) -> Option<&wire::Invitation> {
        self.invitations.iter().find(|row| of_invitation(person, row))
    }
}

fn with_id(person: &Person, user: Option<&wire::User>) -> Person {
    let id = user.and_then(|user| user.id.as_deref()).map(HerokuId::new);
    Person { id: id.or_else(|| person.id.clone()), email: person.email.clone() }
}

fn mark(id: &str, created_at: Option<&str>) -> Box<str> {
    format!("{id} {}", created_at.unwrap_or_default()).trim_end().into()
}

fn role(role: Option<&str>) -> Box<str> {
    role.unwrap_or("unknown").into()
}

impl FreshApp {
    /// How the person stands to the app.
    pub(super) fn state(&self, person: &Person) -> State {
        collaborator_state(&self.people, person)
    }

    /// The person with the id that Heroku's row has; see [`Roster::known`].
    pub(super) fn known(&self, person: &Person) -> Person {
        with_id(person, collaborator_row(&self.people, person).and_then(|row| row.user.as_ref()))
    }

    /// Which row says how the person stands.
    pub(super) fn row(&self, person: &Person) -> Option<Box<str>> {
        collaborator_row(&self.people, person).map(|row| mark(&row.id, row.created_at.as_deref()))
    }

    /// Whether the person owns it.
    pub(super) fn owned_by(&self, person: &Person) -> bool {
        let owner = self.owner.as_ref().filter(|_| self.team.is_none());
        owner.is_some_and(|owner| is(person, owner.id.as_deref(), owner.email.as_deref()))
    }
}

fn collaborator_row<'r>(people: &'r [wire::Collaborator], person: &Person) -> Option<&'r wire::Collaborator> {
    people.iter().find(|row| of_collaborator(person, row) && row.role.as_deref() != Some("owner"))
}

/// How a person stands to an app whose rows these are; its owner is no collaborator.
pub(super) fn collaborator_state(people: &[wire::Collaborator], person: &Person) -> State {
    let row = collaborator_row(people, person);
    row.map_or(State::Absent, |row| State::Collaborator {
        permissions: Some(row.permissions.iter().map(|slug| slug.as_ref().into()).collect::<BTreeSet<_>>()),
    })
}

/// The user that a row names.
pub(super) fn user_of(user: Option<&wire::User>) -> Option<(HerokuId, Option<Box<str>>)> {
    let user = user?;
    Some((HerokuId::new(user.id.as_deref()?), user.email.as_deref().map(Into::into)))
}

impl Provisioner<'_> {
    /// The team of this name or id, with its people.
    pub(super) async fn fresh_team(&self, name: &str) -> Result<FreshTeam, EngineError> {
        let team = self.door.one(&item::team(name)).await.map_err(upstream)?;
        let enterprise = team.kind.as_deref() == Some("enterprise")
            || (team.kind.is_none() && team.enterprise_account.is_some());
        let resource = named(ResourceType::Team, &team.id, team.name.as_deref());
        let features = if enterprise {
            metsuke_clients::heroku::TeamFeatures::default()
        } else {
            self.door.team_features(&team.id).await.map_err(upstream)?
        };
        let invites = features.wants_invitations();
        let roster = self.roster(&resource, !enterprise).await?;
        Ok(FreshTeam { resource, enterprise, invites, roster })
    }

    /// A team's members and, where it may have them, its invitations.
    pub(super) async fn roster(&self, team: &ResourceRef, invitations: bool) -> Result<Roster, EngineError> {
        let members = self.door.all(endpoint::team_members(&team.id.to_string())).await.map_err(upstream)?;
        let invitations = if invitations {
            let listed = self.door.all(endpoint::team_invitations(&team.name)).await;
            match listed {
                Ok(rows) => rows,
                // Heroku: teams without invitations have no such list.
                Err(error) if matches!(status(&error), Some(403 | 404)) => Vec::new(),
                Err(error) => return Err(upstream(error)),
            }
        } else {
            Vec::new()
        };
        Ok(Roster { members, invitations })
    }

    /// The app of this name or id, with its people.
    pub(super) async fn fresh_app(&self, name: &str) -> Result<FreshApp, EngineError> {
        let app = self.door.one(&item::app(name)).await.map_err(upstream)?;
        let resource = named(ResourceType::App, &app.id, app.name.as_deref());
        let team = app.team.as_ref().and_then(|team| {
            let id = team.id.as_deref().or(team.name.as_deref())?;
            Some(named(ResourceType::Team, id, team.name.as_deref()))
        });
        let (team, fine) = match team {
            None => (None, false),
            Some(team) => {
                let found = self.door.one(&item::team(&team.id.to_string())).await.map_err(upstream)?;
                let enterprise = found.kind.as_deref() == Some("enterprise")
                    || (found.kind.is_none() && found.enterprise_account.is_some());
                (Some(named(ResourceType::Team, &found.id, found.name.as_deref())), enterprise)
            }
        };
        let people = self.collaborators(&resource).await?;
        let owner = app.owner;
        Ok(FreshApp { resource, team, fine, owner, people })
    }

    /// The people that an app names.
    pub(super) async fn collaborators(
        &self,
        app: &ResourceRef,
    ) -> Result<Vec<wire::Collaborator>, EngineError> {
        self.door.all(endpoint::collaborators(&app.id.to_string())).await.map_err(upstream)
    }

    /// How the person of a step stands to its resource.
    pub(super) async fn fresh_state(&self, step: &Step) -> Result<Found, EngineError> {
        if step.resource.resource_type == ResourceType::Team {
            let invited = |state: &State| matches!(state, State::Invited { .. });
            let invitations = invited(&step.expected) || invited(&step.wished);
            let roster = self.roster(&step.resource, invitations).await?;
            let (mut state, row) = (roster.state(&step.person), roster.row(&step.person));
            // Behind an invitation that is taken back there may stand the row of somebody who works on apps of the team.
            if invited(&step.expected) && step.wished == State::Absent && state.is_of_apps() {
                state = State::Absent;
            }
            return Ok(Found { state, row, roster: Some(roster) });
        }
        let people = self.collaborators(&step.resource).await?;
        let row = collaborator_row(&people, &step.person);
        let row = row.map(|row| mark(&row.id, row.created_at.as_deref()));
        Ok(Found { state: collaborator_state(&people, &step.person), row, roster: None })
    }
}

fn named(resource_type: ResourceType, id: &str, name: Option<&str>) -> ResourceRef {
    ResourceRef { resource_type, id: HerokuId::new(id), name: name.unwrap_or(id).into() }
}

fn status(error: &ClientError) -> Option<u16> {
    error.answer().map(|answer| answer.status)
}

pub(super) fn upstream(source: ClientError) -> EngineError {
    EngineError::Upstream { source }
}
