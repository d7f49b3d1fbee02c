//! What a write has changed, found by comparing the rows before with the rows after.
//!
//! Not by the code that makes the change: it could not be held against itself.
//!
//! Invariant: every row of people that a write can touch lies in what is compared.

use std::collections::BTreeMap;

use super::{App, Owner, World};
use crate::call::Call;
use crate::journal::Effect;
use crate::routes::Route;
use crate::value::Id;

/// Kind, resource and subject of a row, as in an [`Effect`].
type Key = (&'static str, Id, String);
/// The address and the value of a row.
type Row = (Option<String>, String);

/// The rows around the team, app or enterprise account that a call names.
#[derive(Debug)]
pub(super) struct Standing {
    team: Option<Id>,
    app: Option<Id>,
    enterprise: Option<Id>,
    rows: BTreeMap<Key, Row>,
}

impl Standing {
    /// The rows as they are; `None` when the call names nothing that there is.
    pub(super) fn of(world: &World, call: &Call) -> Option<Self> {
        let key = call.param(0);
        let mut standing = Self { team: None, app: None, enterprise: None, rows: BTreeMap::new() };
        match call.route {
            Route::AddCollaborator
            | Route::RemoveCollaborator
            | Route::AddTeamAppCollaborator
            | Route::ChangeTeamAppCollaborator
            | Route::RemoveTeamAppCollaborator
            | Route::ChangeTeamApp => {
                let app = world.app(key)?;
                (standing.app, standing.team) = (Some(app.id), app.team());
            }
            Route::AddEnterpriseMember | Route::ChangeEnterpriseMember | Route::RemoveEnterpriseMember => {
                standing.enterprise = Some(world.enterprise(key)?.id);
            }
            _ => standing.team = Some(world.team(key)?.id),
        }
        standing.rows = standing.look(world);
        Some(standing)
    }

    /// Every row that is no longer as it was.
    pub(super) fn changes(&self, world: &World) -> Vec<Effect> {
        let after = self.look(world);
        let gone = self.rows.iter().filter(|(key, _)| !after.contains_key(*key));
        let gone = gone.map(|(key, row)| effect(key, row, Some(&row.1), None));
        let made_or_changed = after.iter().filter_map(|(key, row)| {
            let before = self.rows.get(key).map(|(_, before)| before);
            (before != Some(&row.1)).then(|| effect(key, row, before, Some(&row.1)))
        });
        gone.chain(made_or_changed).collect()
    }

    fn look(&self, world: &World) -> BTreeMap<Key, Row> {
        let mut rows = BTreeMap::new();
        if let Some(team) = self.team.and_then(|id| world.teams.get(&id)) {
            for row in team.members.values() {
                let role = row.role.clone().unwrap_or_else(|| "unknown".to_owned());
                let subject = row.user.unwrap_or(row.id).to_string();
                rows.insert(("team", team.id, subject), (Some(row.email.clone()), role));
            }
            for row in team.invitations.values() {
                let role = row.role.clone().unwrap_or_else(|| "unknown".to_owned());
                let key = ("invitation", team.id, row.email.to_lowercase());
                rows.insert(key, (Some(row.email.clone()), role));
            }
        }
        if let Some(enterprise) = self.enterprise.and_then(|id| world.enterprises.get(&id)) {
            for row in enterprise.members.values() {
                let subject = row.user.unwrap_or(row.id).to_string();
                let value = row.permissions.join(",");
                rows.insert(("enterprise_account", enterprise.id, subject), (Some(row.email.clone()), value));
            }
        }
        let near = |app: &&App| Some(app.id) == self.app || (app.team().is_some() && app.team() == self.team);
        for app in world.apps.values().filter(near) {
            for row in app.collaborators.values() {
                let mut permissions: Vec<&str> = row.permissions.iter().map(String::as_str).collect();
                permissions.sort_unstable();
                let value = (Some(row.email.clone()), permissions.join(","));
                rows.insert(("app", app.id, row.user.to_string()), value);
            }
            let owner = match app.owner {
                Owner::Team(id) | Owner::Person(id) | Owner::Nobody(id) => id.to_string(),
            };
            for (name, value) in [("locked", app.locked.to_string()), ("owner", owner)] {
                rows.insert(("setting", app.id, name.to_owned()), (None, value));
            }
        }
        rows
    }
}

fn effect(
    (kind, resource, subject): &Key,
    (email, _): &Row,
    before: Option<&String>,
    after: Option<&String>,
) -> Effect {
    Effect {
        kind,
        resource: resource.to_string(),
        subject: subject.clone(),
        email: email.clone(),
        before: before.cloned(),
        after: after.cloned(),
    }
}
