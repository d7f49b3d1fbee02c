//! Changes whole teams, and who is in enterprise accounts, by hand, past all manners.
//!
//! Not who is in a team: `edit`.
//!
//! Invariant: a name that leads nowhere changes nothing, and the method says so.

use std::collections::BTreeMap;

use super::{EnterpriseMember, Team, World};
use crate::value::Id;

impl World {
    /// Adds an empty team with the caller as admin, to an enterprise account or standard.
    pub fn add_team(&mut self, enterprise: Option<&str>, name: &str) -> Option<Id> {
        let enterprise = match enterprise {
            Some(key) => Some(self.enterprise(key)?.id),
            None => None,
        };
        let (id, now) = (self.chance.id(), self.tick());
        let team = Team {
            id,
            name: name.to_owned(),
            enterprise,
            wants_invitations: enterprise.is_none() && self.manners.standard_teams_invite,
            members: BTreeMap::new(),
            invitations: BTreeMap::new(),
            created: now,
            updated: now,
        };
        self.teams.insert(id, team);
        let own = self.caller_email();
        self.set_member(name, &own, Some("admin"))?;
        Some(id)
    }

    /// Renames a team.
    pub fn rename_team(&mut self, team: &str, name: &str) -> bool {
        let now = self.tick();
        let Some(id) = self.team(team).map(|team| team.id) else { return false };
        let Some(team) = self.teams.get_mut(&id) else { return false };
        name.clone_into(&mut team.name);
        team.updated = now;
        true
    }

    /// Says whether new members of a team must be invited, as its feature `team-invite-acceptance` shows.
    pub fn set_invite_acceptance(&mut self, team: &str, on: bool) -> bool {
        let Some(id) = self.team(team).map(|team| team.id) else { return false };
        self.teams.get_mut(&id).map(|team| team.wants_invitations = on).is_some()
    }

    /// Deletes a team with its apps and spaces.
    pub fn remove_team(&mut self, team: &str) -> bool {
        let Some(id) = self.team(team).map(|team| team.id) else { return false };
        let apps: Vec<Id> =
            self.apps.values().filter(|app| app.team() == Some(id)).map(|app| app.id).collect();
        for app in apps {
            self.remove_app(&app.to_string());
        }
        self.spaces.retain(|_, space| space.team != id);
        self.teams.remove(&id);
        true
    }

    /// Gives a person these permissions in an enterprise account.
    pub fn set_enterprise_member(
        &mut self,
        enterprise: &str,
        email: &str,
        permissions: &[&str],
    ) -> Option<Id> {
        let enterprise = self.enterprise(enterprise)?.id;
        let user = self.add_person(email);
        let (id, now) = (self.chance.id(), self.tick());
        let enterprise = self.enterprises.get_mut(&enterprise)?;
        enterprise.updated = now;
        let permissions: Vec<String> = permissions.iter().map(|name| (*name).to_owned()).collect();
        if let Some(row) = enterprise.members.values_mut().find(|row| row.user == Some(user)) {
            row.permissions = permissions;
            return Some(row.id);
        }
        let email = email.to_owned();
        enterprise.members.insert(id, EnterpriseMember { id, user: Some(user), email, permissions });
        Some(id)
    }

    /// Takes a person out of an enterprise account.
    pub fn remove_enterprise_member(&mut self, enterprise: &str, person: &str) -> bool {
        let Some(user) = self.person(person).map(|person| person.id) else { return false };
        let Some(enterprise) = self.enterprise(enterprise).map(|enterprise| enterprise.id) else {
            return false;
        };
        let Some(enterprise) = self.enterprises.get_mut(&enterprise) else { return false };
        let before = enterprise.members.len();
        enterprise.members.retain(|_, row| row.user != Some(user));
        enterprise.members.len() < before
    }
}
