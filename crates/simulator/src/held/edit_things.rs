//! Changes add-ons, pipelines, spaces, owners and dates by hand, past all manners.
//!
//! Not who is in teams or on apps: `edit` and `edit_apps`.
//!
//! Invariant: a name that leads nowhere changes nothing, and the method says so.

use super::{AddOn, App, Attachment, Coupling, Owner, Pipeline, Space, World, find};
use crate::catalogue::SERVICES;
use crate::value::{EPOCH, Id, Stamp};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// So many days before the moment at which every estate begins.
const fn ago(days: u64) -> Stamp {
    Stamp(EPOCH.0.saturating_sub(days * DAY))
}

impl World {
    /// The moment at which every estate begins, in seconds since 1970.
    #[must_use]
    pub const fn epoch() -> u64 {
        EPOCH.0
    }

    /// Says how many days before the estate's beginning a person signed in last, or that they never did.
    pub fn set_last_login(&mut self, person: &str, days: Option<u64>) -> bool {
        let id = self.person(person).map(|person| person.id);
        let found = id.and_then(|id| self.people.get_mut(&id));
        found.map(|person| person.last_login = days.map(ago)).is_some()
    }

    /// Gives an enterprise account an identity provider, another one, or none.
    pub fn set_identity_provider(&mut self, enterprise: &str, on: bool) -> bool {
        let provider = on.then(|| self.chance.id());
        let id = self.enterprise(enterprise).map(|enterprise| enterprise.id);
        let found = id.and_then(|id| self.enterprises.get_mut(&id));
        found.map(|enterprise| enterprise.provider = provider).is_some()
    }

    /// Says how many days before the estate's beginning an invitation was sent.
    pub fn set_invitation_age(&mut self, team: &str, invitation: &str, days: u64) -> bool {
        let found = self.team(team).and_then(|team| Some((team.id, find::invitation(team, invitation)?.id)));
        let Some((team, row)) = found else { return false };
        let row = self.teams.get_mut(&team).and_then(|team| team.invitations.get_mut(&row));
        row.map(|row| (row.created, row.updated) = (ago(days), ago(days))).is_some()
    }

    /// Adds an app that belongs to a person.
    pub fn add_personal_app(&mut self, owner: &str, name: &str) -> Option<Id> {
        let owner = self.add_person(owner);
        let id = self.add_app(None, name)?;
        self.apps.get_mut(&id)?.owner = Owner::Person(owner);
        Some(id)
    }

    /// Gives an app to a person; every row on it stays.
    pub fn give_app(&mut self, app: &str, person: &str) -> bool {
        let (Some(app), Some(person)) = (self.app(app).map(|app| app.id), self.person(person)) else {
            return false;
        };
        let owner = Owner::Person(person.id);
        let now = self.tick();
        let give = |app: &mut App| (app.owner, app.updated) = (owner, now);
        self.apps.get_mut(&app).map(give).is_some()
    }

    /// Adds an add-on of a service to an app, attached to it; `None` for a service that is not known.
    pub fn add_addon(&mut self, app: &str, service: &str, name: &str) -> Option<Id> {
        let app = self.app(app)?.id;
        let service = SERVICES.iter().position(|known| known.name == service)?;
        let (id, created) = (self.chance.id(), self.tick());
        let addon = AddOn { id, name: name.to_owned(), app, service, plan: 0, priced: true, created };
        self.addons.insert(id, addon);
        self.attach(id, app, "MAIN");
        Some(id)
    }

    /// Attaches an add-on to another app.
    pub fn attach_addon(&mut self, addon: &str, app: &str, name: &str) -> Option<Id> {
        let (addon, app) = (self.addon(addon)?.id, self.app(app)?.id);
        Some(self.attach(addon, app, name))
    }

    fn attach(&mut self, addon: Id, app: Id, name: &str) -> Id {
        let (id, created) = (self.chance.id(), self.tick());
        self.attachments.insert(id, Attachment { id, name: name.to_owned(), addon, app, created });
        id
    }

    /// Puts an app into a stage of a team's pipeline, which is made where there is none of that name.
    pub fn couple(&mut self, team: &str, pipeline: &str, app: &str, stage: &'static str) -> Option<Id> {
        let (team, app) = (self.team(team)?.id, self.app(app)?.id);
        let known = self.pipelines.values().find(|known| known.name == pipeline).map(|known| known.id);
        let pipeline = known.unwrap_or_else(|| {
            let (id, created) = (self.chance.id(), self.tick());
            let owner = Some(Owner::Team(team));
            self.pipelines.insert(id, Pipeline { id, name: pipeline.to_owned(), owner, created });
            id
        });
        let (id, created) = (self.chance.id(), self.tick());
        self.couplings.insert(id, Coupling { id, pipeline, app, stage, created });
        Some(id)
    }

    /// Adds a private space to a team.
    pub fn add_space(&mut self, team: &str, name: &str, shield: bool) -> Option<Id> {
        let team = self.team(team)?.id;
        let (id, created) = (self.chance.id(), self.tick());
        self.spaces
            .insert(id, Space { id, name: name.to_owned(), team, shield, members: Vec::new(), created });
        Some(id)
    }

    /// Lets a person create apps in a private space.
    pub fn add_space_member(&mut self, space: &str, person: &str) -> Option<Id> {
        let space = self.spaces.values().find(|known| known.name == space).map(|known| known.id)?;
        let (user, row) = (self.add_person(person), self.chance.id());
        self.spaces.get_mut(&space)?.members.push((row, user, vec!["create_apps".to_owned()]));
        Some(row)
    }
}
