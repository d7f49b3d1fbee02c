//! Finds things by whatever a path may name them: id, name or e-mail.
//!
//! Not whether the caller may see them: `sight`.
//!
//! Invariant: e-mails are compared without case, names and ids exactly.

use super::{AddOn, App, Collaborator, Enterprise, Invitation, Member, Person, Team, World};
use crate::value::Id;

impl World {
    pub(crate) fn person(&self, key: &str) -> Option<&Person> {
        if key == "~" {
            return self.people.get(&self.caller);
        }
        match Id::parse(key) {
            Some(id) => self.people.get(&id),
            None => self.people.values().find(|person| person.email.eq_ignore_ascii_case(key)),
        }
    }

    pub(crate) fn team(&self, key: &str) -> Option<&Team> {
        Id::parse(key)
            .and_then(|id| self.teams.get(&id))
            .or_else(|| self.teams.values().find(|team| team.name == key))
    }

    pub(crate) fn enterprise(&self, key: &str) -> Option<&Enterprise> {
        Id::parse(key)
            .and_then(|id| self.enterprises.get(&id))
            .or_else(|| self.enterprises.values().find(|enterprise| enterprise.name == key))
    }

    pub(crate) fn app(&self, key: &str) -> Option<&App> {
        Id::parse(key)
            .and_then(|id| self.apps.get(&id))
            .or_else(|| self.apps.values().find(|app| app.name == key))
    }

    pub(crate) fn addon(&self, key: &str) -> Option<&AddOn> {
        Id::parse(key)
            .and_then(|id| self.addons.get(&id))
            .or_else(|| self.addons.values().find(|addon| addon.name == key))
    }

    /// Whether somebody is named on an app of a team.
    pub(crate) fn on_team_apps(&self, team: Id, user: Id) -> bool {
        let apps = self.apps.values().filter(|app| app.team() == Some(team));
        apps.flat_map(|app| app.collaborators.values()).any(|row| row.user == user)
    }
}

/// A member by e-mail or by the id of the row.
pub(crate) fn member<'a>(team: &'a Team, key: &str) -> Option<&'a Member> {
    match Id::parse(key) {
        Some(id) => team.members.get(&id),
        None => team.members.values().find(|member| member.email.eq_ignore_ascii_case(key)),
    }
}

/// An invitation by its id or e-mail.
pub(crate) fn invitation<'a>(team: &'a Team, key: &str) -> Option<&'a Invitation> {
    match Id::parse(key) {
        Some(id) => team.invitations.get(&id),
        None => team.invitations.values().find(|row| row.email.eq_ignore_ascii_case(key)),
    }
}

/// A collaborator by e-mail or by the id of the row or of the person.
pub(crate) fn collaborator<'a>(app: &'a App, key: &str) -> Option<&'a Collaborator> {
    match Id::parse(key) {
        Some(id) => {
            app.collaborators.get(&id).or_else(|| app.collaborators.values().find(|row| row.user == id))
        }
        None => app.collaborators.values().find(|row| row.email.eq_ignore_ascii_case(key)),
    }
}
