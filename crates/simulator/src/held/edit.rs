//! Changes who is in an estate by hand, past all manners: what others do behind the client's back.
//!
//! Not the write endpoints, though they end here; apps are in `edit_apps`, whole teams in `edit_teams`.
//!
//! Invariant: a name that leads nowhere changes nothing, and the method says so.

use super::{Invitation, Member, Owner, Person, World, find};
use crate::value::Id;

impl World {
    /// The person with this address, made if there is none.
    pub fn add_person(&mut self, email: &str) -> Id {
        if let Some(person) = self.person(email) {
            return person.id;
        }
        let (id, created) = (self.chance.id(), self.tick());
        self.people.insert(id, Person::newcomer(id, email, created));
        id
    }

    /// Switches a person's second factor on or off.
    pub fn set_two_factor(&mut self, person: &str, on: bool) -> bool {
        self.change_person(person, |person| person.two_factor = on)
    }

    /// Binds a person to the identity provider, or frees them of it.
    pub fn set_federated(&mut self, person: &str, federated: bool) -> bool {
        self.change_person(person, |person| person.federated = federated)
    }

    fn change_person(&mut self, person: &str, change: impl FnOnce(&mut Person)) -> bool {
        let id = self.person(person).map(|person| person.id);
        id.and_then(|id| self.people.get_mut(&id)).map(change).is_some()
    }

    /// Ends an account: the person leaves every team, app, space, invitation and enterprise account. The caller
    /// and owners of personal apps stay.
    pub fn remove_person(&mut self, person: &str) -> bool {
        let Some(id) = self.person(person).map(|person| person.id) else { return false };
        if id == self.caller || self.apps.values().any(|app| app.owner == Owner::Person(id)) {
            return false;
        }
        for team in self.teams.values_mut() {
            team.members.retain(|_, row| row.user != Some(id));
            team.invitations.retain(|_, row| row.user != id && row.by != id);
        }
        for app in self.apps.values_mut() {
            app.collaborators.retain(|_, row| row.user != id);
        }
        for space in self.spaces.values_mut() {
            space.members.retain(|(_, user, _)| *user != id);
        }
        for enterprise in self.enterprises.values_mut() {
            enterprise.members.retain(|_, row| row.user != Some(id));
        }
        self.pipelines.retain(|_, pipeline| pipeline.owner != Some(Owner::Person(id)));
        let pipelines = &self.pipelines;
        self.couplings.retain(|_, row| pipelines.contains_key(&row.pipeline));
        self.people.remove(&id).is_some()
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

    /// Gives a person a role in a team, as a new row or in the one that is there; `None` is a null role. A row
    /// without a person and with this address becomes theirs.
    pub fn set_member(&mut self, team: &str, email: &str, role: Option<&str>) -> Option<Id> {
        let team = self.team(team)?.id;
        let user = self.add_person(email);
        let (id, now) = (self.chance.id(), self.tick());
        let members = &mut self.teams.get_mut(&team)?.members;
        let role = role.map(ToOwned::to_owned);
        let theirs = |member: &&mut Member| match member.user {
            Some(id) => id == user,
            None => member.email.eq_ignore_ascii_case(email),
        };
        if let Some(member) = members.values_mut().find(theirs) {
            (member.user, member.role, member.updated) = (Some(user), role, now);
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

    /// Gives somebody who is in a team, by address or by the id of the row, another role there and on its apps.
    pub fn set_role(&mut self, team: &str, member: &str, role: Option<&str>) -> bool {
        let found = self.team(team).and_then(|team| Some((team.id, find::member(team, member)?)));
        let Some((team, row, user)) = found.map(|(team, member)| (team, member.id, member.user)) else {
            return false;
        };
        let (role, now) = (role.map(ToOwned::to_owned), self.tick());
        let members = self.teams.get_mut(&team).map(|team| &mut team.members);
        if let Some(member) = members.and_then(|members| members.get_mut(&row)) {
            (member.role, member.updated) = (role.clone(), now);
        }
        let apps = self.apps.values_mut().filter(|app| app.team() == Some(team));
        let rows = apps.flat_map(|app| app.collaborators.values_mut());
        for row in rows.filter(|row| Some(row.user) == user) {
            row.role.clone_from(&role);
        }
        true
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

    /// Makes somebody of a row without a person: its invitee has accepted.
    pub fn accept_membership(&mut self, team: &str, member: &str) -> Option<Id> {
        let (team, row) = self.team(team).and_then(|team| Some((team.id, find::member(team, member)?)))?;
        let (row, email) = (row.id, row.email.clone());
        let (user, now) = (self.add_person(&email), self.tick());
        let member = self.teams.get_mut(&team)?.members.get_mut(&row)?;
        (member.user, member.updated) = (Some(user), now);
        Some(user)
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
        let found = self.team(team).and_then(|team| Some((team.id, find::invitation(team, invitation)?.id)));
        let Some((team, row)) = found else { return false };
        self.teams.get_mut(&team).is_some_and(|team| team.invitations.remove(&row).is_some())
    }

    /// Makes a member of an invitation, found by its id or address: its invitee has accepted.
    pub fn accept_invitation(&mut self, team: &str, invitation: &str) -> Option<Id> {
        let team_found = self.team(team)?;
        let (team, row) = (team_found.id.to_string(), find::invitation(team_found, invitation)?);
        let Invitation { id, user, email, role, .. } = row.clone();
        if self.person(&email).is_none() {
            let created = self.tick();
            self.people.insert(user, Person::newcomer(user, &email, created));
        }
        self.withdraw_invitation(&team, &id.to_string());
        self.set_member(&team, &email, role.as_deref())
    }
}
