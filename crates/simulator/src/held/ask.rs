//! What a test may ask of an estate without going through HTTP.
//!
//! Not what the caller can see of it: that is the truth.
//!
//! Invariant: nothing here changes anything.

use super::{App, Owner, World, find};
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

    /// E-mail and role of the invitations to a team.
    #[must_use]
    pub fn invitations_of(&self, team: &str) -> Vec<(String, Option<String>)> {
        let rows = self.team(team).into_iter().flat_map(|team| team.invitations.values());
        rows.map(|row| (row.email.clone(), row.role.clone())).collect()
    }

    /// Somebody's role in a team, by address or by the id of the row; `unknown` where it is null, `None` where
    /// there is no such row.
    #[must_use]
    pub fn role_in(&self, team: &str, member: &str) -> Option<String> {
        let member = find::member(self.team(team)?, member)?;
        Some(member.role.clone().unwrap_or_else(|| "unknown".to_owned()))
    }

    /// What somebody may do on an app, by address or id; `None` where they are not named on it.
    #[must_use]
    pub fn permissions_on(&self, app: &str, person: &str) -> Option<Vec<String>> {
        Some(find::collaborator(self.app(app)?, person)?.permissions.clone())
    }

    /// The id of a team, by its name.
    #[must_use]
    pub fn team_id(&self, team: &str) -> Option<Id> {
        self.team(team).map(|team| team.id)
    }

    /// The id of an app, by its name.
    #[must_use]
    pub fn app_id(&self, app: &str) -> Option<Id> {
        self.app(app).map(|app| app.id)
    }

    /// The id of a person, by address.
    #[must_use]
    pub fn person_id(&self, person: &str) -> Option<Id> {
        self.person(person).map(|person| person.id)
    }
}
