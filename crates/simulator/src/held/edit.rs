//! Changes an estate by hand, past all manners: what a test does behind the client's back.
//!
//! Not the write endpoints, though they end here.
//!
//! Invariant: a name that leads nowhere changes nothing, and the method says so.

use std::collections::BTreeMap;

use super::{App, Collaborator, EnterpriseMember, Invitation, Member, Owner, Person, Team, World, find};
use crate::value::Id;

impl World {
    /// The address of the one account that every token belongs to.
    #[must_use]
    pub fn caller_email(&self) -> String {
        self.people.get(&self.caller).map(|person| person.email.clone()).unwrap_or_default()
    }

    /// Names of all teams, visible or not.
    #[must_use]
    pub fn team_names(&self) -> Vec<String> {
        self.teams.values().map(|team| team.name.clone()).collect()
    }

    /// Names of the teams of enterprise accounts in which the caller is admin.
    #[must_use]
    pub fn enterprise_team_names(&self) -> Vec<String> {
        let teams = self.own_teams().filter(|team| team.enterprise.is_some());
        teams.filter(|team| self.own_role(team) == Some("admin")).map(|team| team.name.clone()).collect()
    }

    /// Names of the standard teams that the caller is in.
    #[must_use]
    pub fn standard_team_names(&self) -> Vec<String> {
        let teams = self.own_teams().filter(|team| team.enterprise.is_none());
        teams.map(|team| team.name.clone()).collect()
    }

    /// Names of the enterprise accounts.
    #[must_use]
    pub fn enterprise_names(&self) -> Vec<String> {
        self.enterprises.values().map(|enterprise| enterprise.name.clone()).collect()
    }

    /// Names of the apps of a team, by its id or name; of the caller's own apps when there is no team.
    #[must_use]
    pub fn app_names(&self, team: Option<&str>) -> Vec<String> {
        let wanted = team.and_then(|key| self.team(key)).map(|team| team.id);
        let own = |app: &&App| match team {
            Some(_) => app.team().is_some() && app.team() == wanted,
            None => app.owner == Owner::Person(self.caller),
        };
        self.apps.values().filter(own).map(|app| app.name.clone()).collect()
    }

    /// E-mail and role of the members of a team.
    #[must_use]
    pub fn members_of(&self, team: &str) -> Vec<(String, Option<String>)> {
        let members = self.team(team).into_iter().flat_map(|team| team.members.values());
        members.map(|member| (member.email.clone(), member.role.clone())).collect()
    }

    /// E-mail and permissions of the people named on an app.
    #[must_use]
    pub fn collaborators_of(&self, app: &str) -> Vec<(String, Vec<String>)> {
        let rows = self.app(app).into_iter().flat_map(|app| app.collaborators.values());
        rows.map(|row| (row.email.clone(), row.permissions.clone())).collect()
    }

    /// The person with this address, made if there is none.
    pub fn add_person(&mut self, email: &str) -> Id {
        if let Some(person) = self.person(email) {
            return person.id;
        }
        let (id, created) = (self.chance.id(), self.tick());
        let person = Person {
            id,
            email: email.to_owned(),
            name: None,
            federated: false,
            two_factor: false,
            last_login: None,
            created,
        };
        self.people.insert(id, person);
        id
    }

    /// Changes the address of a person everywhere it is shown.
    pub fn set_email(&mut self, person: &str, email: &str) -> bool {
        let Some(id) = self.person(person).map(|person| person.id) else { return false };
        if let Some(person) = self.people.get_mut(&id) {
            email.clone_into(&mut person.email);
        }
        let members = self.teams.values_mut().flat_map(|team| team.members.values_mut());
        for member in members.filter(|member| member.user == Some(id)) {
            email.clone_into(&mut member.email);
        }
        let rows = self.apps.values_mut().flat_map(|app| app.collaborators.values_mut());
        for row in rows.filter(|row| row.user == id) {
            email.clone_into(&mut row.email);
        }
        let members = self.enterprises.values_mut().flat_map(|account| account.members.values_mut());
        for member in members.filter(|member| member.user == Some(id)) {
            email.clone_into(&mut member.email);
        }
        true
    }

    /// Gives a person a role in a team, as a new row or in the one that is there; `None` is a null role.
    pub fn set_member(&mut self, team: &str, email: &str, role: Option<&str>) -> Option<Id> {
        let team = self.team(team)?.id;
        let user = self.add_person(email);
        let (id, now) = (self.chance.id(), self.tick());
        let members = &mut self.teams.get_mut(&team)?.members;
        let role = role.map(ToOwned::to_owned);
        if let Some(member) = members.values_mut().find(|member| member.user == Some(user)) {
            (member.role, member.updated) = (role, now);
            return Some(member.id);
        }
        let email = email.to_owned();
        members.insert(id, Member { id, user: Some(user), email, role, created: now, updated: now });
        Some(id)
    }

    /// Adds a member row whose `user` is null.
    pub fn add_pending_member(&mut self, team: &str, email: &str, role: &str) -> Option<Id> {
        let team = self.team(team)?.id;
        let (id, now) = (self.chance.id(), self.tick());
        let (email, role) = (email.to_owned(), Some(role.to_owned()));
        let member = Member { id, user: None, email, role, created: now, updated: now };
        self.teams.get_mut(&team)?.members.insert(id, member);
        Some(id)
    }

    /// Takes a member out of a team, and off the team's apps.
    pub fn remove_member(&mut self, team: &str, member: &str) -> bool {
        let found = self.team(team).and_then(|team| Some((team.id, find::member(team, member)?)));
        let Some((team, row, user)) = found.map(|(team, member)| (team, member.id, member.user)) else {
            return false;
        };
        if let Some(team) = self.teams.get_mut(&team) {
            team.members.remove(&row);
        }
        for app in self.apps.values_mut().filter(|app| app.team() == Some(team)) {
            app.collaborators.retain(|_, row| Some(row.user) != user);
        }
        true
    }

    /// Invites an address to a team, or refreshes the invitation that is there.
    pub fn invite(&mut self, team: &str, email: &str, role: &str) -> Option<Id> {
        let team = self.team(team)?.id;
        let known = self.person(email).map(|person| person.id);
        let (id, stranger, now, by) = (self.chance.id(), self.chance.id(), self.tick(), self.caller);
        let invitations = &mut self.teams.get_mut(&team)?.invitations;
        let role = Some(role.to_owned());
        if let Some(invitation) = invitations.values_mut().find(|row| row.email.eq_ignore_ascii_case(email)) {
            (invitation.role, invitation.updated) = (role, now);
            return Some(invitation.id);
        }
        let (user, email) = (known.unwrap_or(stranger), email.to_owned());
        invitations.insert(id, Invitation { id, user, email, role, by, created: now, updated: now });
        Some(id)
    }

    /// Takes an invitation back, by its id or address.
    pub fn withdraw_invitation(&mut self, team: &str, invitation: &str) -> bool {
        let Some(team) = self.team(team).map(|team| team.id) else { return false };
        let Some(team) = self.teams.get_mut(&team) else { return false };
        let before = team.invitations.len();
        let wanted = Id::parse(invitation);
        team.invitations.retain(|id, row| Some(*id) != wanted && !row.email.eq_ignore_ascii_case(invitation));
        team.invitations.len() < before
    }

    /// Adds an app to a team, or to the caller when there is no team.
    pub fn add_app(&mut self, team: Option<&str>, name: &str) -> Option<Id> {
        let owner = match team {
            Some(key) => Owner::Team(self.team(key)?.id),
            None => Owner::Person(self.caller),
        };
        let (id, now) = (self.chance.id(), self.tick());
        let app = App {
            id,
            name: name.to_owned(),
            owner,
            space: None,
            locked: false,
            archived: None,
            shy: false,
            collaborators: BTreeMap::new(),
            created: now,
            updated: now,
        };
        self.apps.insert(id, app);
        Some(id)
    }

    /// Destroys an app and everything on it.
    pub fn remove_app(&mut self, app: &str) -> bool {
        let Some(id) = self.app(app).map(|app| app.id) else { return false };
        self.apps.remove(&id);
        self.addons.retain(|_, addon| addon.app != id);
        let addons = &self.addons;
        self.attachments.retain(|_, row| row.app != id && addons.contains_key(&row.addon));
        self.couplings.retain(|_, row| row.app != id);
        true
    }

    /// Renames an app.
    pub fn rename_app(&mut self, app: &str, name: &str) -> bool {
        self.change_app(app, |app| name.clone_into(&mut app.name))
    }

    /// Locks or unlocks an app.
    pub fn lock_app(&mut self, app: &str, locked: bool) -> bool {
        self.change_app(app, |app| app.locked = locked)
    }

    /// Moves an app to a team; every row on it stays.
    pub fn move_app(&mut self, app: &str, team: &str) -> bool {
        let Some(team) = self.team(team).map(|team| team.id) else { return false };
        self.change_app(app, |app| app.owner = Owner::Team(team))
    }

    fn change_app(&mut self, app: &str, change: impl FnOnce(&mut App)) -> bool {
        let now = self.tick();
        let Some(id) = self.app(app).map(|app| app.id) else { return false };
        let Some(app) = self.apps.get_mut(&id) else { return false };
        change(app);
        app.updated = now;
        true
    }

    /// Adds an empty team with the caller as admin, to an enterprise account or standard.
    pub fn add_team(&mut self, enterprise: Option<&str>, name: &str) -> Option<Id> {
        let enterprise = match enterprise {
            Some(key) => Some(self.enterprise(key)?.id),
            None => None,
        };
        let (id, now) = (self.chance.id(), self.tick());
        let name_owned = name.to_owned();
        let (members, invitations) = (BTreeMap::new(), BTreeMap::new());
        let team =
            Team { id, name: name_owned, enterprise, members, invitations, created: now, updated: now };
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

    /// Names a person on an app, or replaces what that person may do there; a new row takes its role from the team.
    pub fn set_collaborator(&mut self, app: &str, email: &str, permissions: &[&str]) -> Option<Id> {
        let found = self.app(app)?;
        let (app, team) = (found.id, found.team());
        let user = self.add_person(email);
        let members = team.and_then(|team| self.teams.get(&team)).map(|team| &team.members);
        let member = members.and_then(|rows| rows.values().find(|row| row.user == Some(user)));
        let role = member.map_or_else(|| Some("collaborator".to_owned()), |member| member.role.clone());
        let (id, now) = (self.chance.id(), self.tick());
        let permissions: Vec<String> = permissions.iter().map(|name| (*name).to_owned()).collect();
        let rows = &mut self.apps.get_mut(&app)?.collaborators;
        if let Some(row) = rows.values_mut().find(|row| row.user == user) {
            (row.permissions, row.updated) = (permissions, now);
            return Some(row.id);
        }
        let email = email.to_owned();
        rows.insert(id, Collaborator { id, user, email, role, permissions, created: now, updated: now });
        Some(id)
    }

    /// Takes a person off an app.
    pub fn remove_collaborator(&mut self, app: &str, person: &str) -> bool {
        let found = self.app(app).and_then(|app| Some((app.id, find::collaborator(app, person)?.id)));
        let Some((app, row)) = found else { return false };
        self.apps.get_mut(&app).is_some_and(|app| app.collaborators.remove(&row).is_some())
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
