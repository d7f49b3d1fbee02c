//! What the caller can see.
//!
//! Not what others can: the simulator has one account, whatever the token's scope.
//!
//! Invariant: the truth and the endpoints ask the same questions here, so they cannot disagree.

use super::{App, Enterprise, Owner, Pipeline, Space, Team, World};
use crate::options::Denial;
use crate::refusal::Refusal;
use crate::value::Id;

impl World {
    /// The caller's role in a team; `None` when the caller is not in it.
    pub(crate) fn own_role<'a>(&self, team: &'a Team) -> Option<&'a str> {
        team.members.values().find(|member| member.user == Some(self.caller))?.role.as_deref()
    }

    /// True when the caller is on the inside: admin, member or viewer, not a mere collaborator.
    pub(crate) fn inside(&self, team: &Team) -> bool {
        self.own_role(team).is_some_and(|role| role != "collaborator")
    }

    /// The enterprise accounts of which the caller is a member.
    pub(crate) fn own_enterprises(&self) -> impl Iterator<Item = &Enterprise> {
        self.enterprises.values().filter(|enterprise| self.in_enterprise(enterprise))
    }

    pub(crate) fn in_enterprise(&self, enterprise: &Enterprise) -> bool {
        enterprise.members.values().any(|member| member.user == Some(self.caller))
    }

    /// The teams that `/teams` lists.
    pub(crate) fn own_teams(&self) -> impl Iterator<Item = &Team> {
        self.teams.values().filter(|team| self.own_role(team).is_some())
    }

    /// Every team the caller learns of: its own, and those of its enterprise accounts.
    pub(crate) fn known_teams(&self) -> impl Iterator<Item = &Team> {
        self.teams.values().filter(|team| self.knows(team))
    }

    fn knows(&self, team: &Team) -> bool {
        self.own_role(team).is_some()
            || team
                .enterprise
                .and_then(|id| self.enterprises.get(&id))
                .is_some_and(|enterprise| self.in_enterprise(enterprise))
    }

    /// Whether the caller is named on the app itself.
    pub(crate) fn joined(&self, app: &App) -> bool {
        app.collaborators.values().any(|row| row.user == self.caller)
    }

    /// Whether the caller can open the app at all.
    pub(crate) fn sees(&self, app: &App) -> bool {
        app.owner == Owner::Person(self.caller)
            || self.joined(app)
            || app.team().and_then(|team| self.teams.get(&team)).is_some_and(|team| self.inside(team))
    }

    /// Whether `/apps` lists it.
    pub(crate) fn lists(&self, app: &App) -> bool {
        let hidden = self.manners.unjoined_hidden && app.shy && !self.joined(app);
        self.sees(app) && !hidden
    }

    /// The apps that the caller can open.
    pub(crate) fn seen_apps(&self) -> impl Iterator<Item = &App> {
        self.apps.values().filter(|app| self.sees(app))
    }

    pub(crate) fn sees_app(&self, id: Id) -> bool {
        self.apps.get(&id).is_some_and(|app| self.sees(app))
    }

    /// The pipelines with an app that the caller can open, and those of the caller or of an own team.
    pub(crate) fn seen_pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        self.pipelines.values().filter(|pipeline| {
            let owned = pipeline.owner.is_some_and(|owner| match owner {
                Owner::Person(id) => id == self.caller,
                Owner::Team(id) | Owner::Nobody(id) => {
                    self.teams.get(&id).is_some_and(|team| self.inside(team))
                }
            });
            let coupled =
                || self.couplings.values().any(|row| row.pipeline == pipeline.id && self.sees_app(row.app));
            owned || coupled()
        })
    }

    /// The spaces of the teams that the caller is inside.
    pub(crate) fn seen_spaces(&self) -> impl Iterator<Item = &Space> {
        self.spaces.values().filter(|space| self.teams.get(&space.team).is_some_and(|team| self.inside(team)))
    }

    /// A team by id or name, if the caller may make team-level calls on it.
    pub(crate) fn open_team(&self, key: &str) -> Result<&Team, Refusal> {
        let team = self.team(key).filter(|team| self.knows(team)).ok_or(Refusal::not_found("team"))?;
        if self.inside(team) {
            return Ok(team);
        }
        match self.manners.roleless_team {
            Denial::Forbidden => Err(Refusal::no_access("team", &team.name)),
            Denial::NotFound | Denial::Empty => Err(Refusal::not_found("team")),
        }
    }

    /// An app by id or name, if the caller can open it.
    pub(crate) fn open_app(&self, key: &str) -> Result<&App, Refusal> {
        let app = self.app(key).ok_or(Refusal::not_found("app"))?;
        if self.sees(app) { Ok(app) } else { Err(Refusal::no_access("app", &app.name)) }
    }

    /// An enterprise account by id or name, if the caller is a member of it.
    pub(crate) fn open_enterprise(&self, key: &str) -> Result<&Enterprise, Refusal> {
        self.enterprise(key)
            .filter(|enterprise| self.in_enterprise(enterprise))
            .ok_or(Refusal::not_found("enterprise account"))
    }
}
