//! Changes apps and who is named on them by hand, past all manners.
//!
//! Not the write endpoints, though they end here.
//!
//! Invariant: a name that leads nowhere changes nothing, and the method says so.

use std::collections::BTreeMap;

use super::{App, Collaborator, Owner, World, find};
use crate::value::Id;

impl World {
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
}
