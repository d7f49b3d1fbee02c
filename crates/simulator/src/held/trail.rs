//! The audit trail of an enterprise account: what others and writes did, day by day.
//!
//! What came to be is told from the rows that are there; what went or changed is told when it does, by comparing the
//! estate before with the estate after; what else happened has to be told by [`World::tell_event`].
//!
//! Invariant: an event keeps its id and its moment, and comes in the order of ids, which is none in time.

use serde_json::json;

use super::{App, Enterprise, Team, World};
use crate::call::Call;
use crate::catalogue::id_of;
use crate::page::Answer;
use crate::refusal::Refusal;
use crate::value::{Id, Stamp};
use crate::wire;

/// Something of which no row tells.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    id: Id,
    at: Stamp,
    enterprise: Id,
    kind: String,
    action: String,
    /// Id and name, as they were: what is told of may be gone.
    team: Option<(Id, String)>,
    app: Option<(Id, String)>,
    by: Option<Actor>,
}

/// Who does what is done by hand, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) id: Id,
    pub(crate) email: String,
    pub(crate) ip: String,
}

impl World {
    /// Tells the trail of an enterprise account that the caller did something at this second since 1970, such as
    /// `("code_release", "create")`; the team and the app are named by name or id.
    pub fn tell_event(
        &mut self,
        enterprise: &str,
        at: u64,
        (kind, action): (&str, &str),
        (team, app): (Option<&str>, Option<&str>),
    ) -> Option<Id> {
        let enterprise = self.enterprise(enterprise)?.id;
        let app = app.and_then(|key| self.app(key));
        let team = team.and_then(|key| self.team(key));
        let team = team.or_else(|| app.and_then(App::team).and_then(|team| self.teams.get(&team)));
        let team = team.map(|team| (team.id, team.name.clone()));
        let app = app.map(|app| (app.id, app.name.clone()));
        Some(self.tell(enterprise, Stamp(at), (kind, action), team, app))
    }

    fn tell(
        &mut self,
        enterprise: Id,
        at: Stamp,
        (kind, action): (&str, &str),
        team: Option<(Id, String)>,
        app: Option<(Id, String)>,
    ) -> Id {
        let (kind, action, id, by) =
            (kind.to_owned(), action.to_owned(), self.chance.id(), self.actor.clone());
        self.told.push(Told { id, at, enterprise, kind, action, team, app, by });
        id
    }

    /// Makes somebody else than the caller do what is done by hand from now on, from this address of the network.
    pub fn act_as(&mut self, email: &str, ip: &str) {
        let id = self.add_person(email);
        self.actor = Some(Actor { id, email: email.to_owned(), ip: ip.to_owned() });
    }

    /// Makes the caller do again what is done by hand.
    pub fn act_as_caller(&mut self) {
        self.actor = None;
    }

    /// Tells what went or changed since the estate was as `before`, and notes who made what came.
    pub(super) fn tell_since(&mut self, before: &Self) {
        let mut deeds = Vec::new();
        for team in before.teams.values() {
            let Some(enterprise) = team.enterprise else { continue };
            let named = Some((team.id, team.name.clone()));
            let now = self.teams.get(&team.id);
            let members = now.map(|now| &now.members);
            for row in team.members.keys().filter(|row| members.is_none_or(|now| !now.contains_key(*row))) {
                deeds.push((enterprise, *row, ("team_membership", "destroy"), named.clone(), None));
            }
            match now {
                None => deeds.push((enterprise, team.id, ("team", "destroy"), named, None)),
                Some(now) if now.name != team.name => {
                    deeds.push((enterprise, team.id, ("team", "update"), named, None));
                }
                Some(_) => {}
            }
        }
        for app in before.apps.values() {
            let team = app.team().and_then(|team| before.teams.get(&team));
            let Some((team, enterprise)) = team.and_then(|team| Some((team, team.enterprise?))) else {
                continue;
            };
            let (team, named) = (Some((team.id, team.name.clone())), Some((app.id, app.name.clone())));
            let now = self.apps.get(&app.id);
            let rows = now.map(|now| &now.collaborators);
            for row in app.collaborators.keys().filter(|row| rows.is_some_and(|now| !now.contains_key(*row)))
            {
                deeds.push((enterprise, *row, ("collaborator", "destroy"), team.clone(), named.clone()));
            }
            match now {
                None => deeds.push((enterprise, app.id, ("app", "destroy"), team, named)),
                Some(now) if now.owner != app.owner => {
                    deeds.push((enterprise, app.id, ("app_transfer", "update"), team, named));
                }
                Some(now) if now.name != app.name || now.locked != app.locked => {
                    deeds.push((enterprise, app.id, ("app", "update"), team, named));
                }
                Some(_) => {}
            }
        }
        for enterprise in before.enterprises.values() {
            let Some(now) = self.enterprises.get(&enterprise.id) else { continue };
            let mut changes = Vec::new();
            for (row, member) in &enterprise.members {
                match now.members.get(row) {
                    None => changes.push((*row, "destroy")),
                    Some(now) if now.permissions != member.permissions => changes.push((*row, "update")),
                    Some(_) => {}
                }
            }
            let came = now.members.keys().filter(|row| !enterprise.members.contains_key(*row));
            changes.extend(came.map(|row| (*row, "create")));
            for (row, action) in changes {
                deeds.push((enterprise.id, row, ("enterprise_account_membership", action), None, None));
            }
        }
        for (enterprise, _, what, team, app) in deeds {
            let at = self.tick();
            self.tell(enterprise, at, what, team, app);
        }
        if let Some(actor) = self.actor.clone() {
            self.note_makers(before, &actor);
        }
    }

    /// Notes who made the rows that came or changed.
    fn note_makers(&mut self, before: &Self, actor: &Actor) {
        let mut made = Vec::new();
        for team in self.teams.values() {
            let was = before.teams.get(&team.id);
            for row in team.members.values() {
                let same = was
                    .and_then(|was| was.members.get(&row.id))
                    .is_some_and(|was| was.updated == row.updated);
                if !same {
                    made.push((row.id, row.updated));
                }
            }
        }
        for app in self.apps.values() {
            let was = before.apps.get(&app.id);
            if was.is_none() {
                made.push((app.id, app.created));
            }
            let rows = app.collaborators.values();
            let new = rows.filter(|row| was.is_none_or(|was| !was.collaborators.contains_key(&row.id)));
            made.extend(new.map(|row| (row.id, row.created)));
        }
        self.makers.extend(made.into_iter().map(|deed| (deed, actor.clone())));
    }

    /// `GET /enterprise-accounts/{e}/events`: one day of the trail, in an object, never paged.
    pub(super) fn events(&self, call: &Call) -> Result<Answer, Refusal> {
        let enterprise = self.open_enterprise(call.param(0))?;
        let own = enterprise.members.values().find(|member| member.user == Some(self.caller));
        if !own.is_some_and(|own| own.permissions.iter().any(|permission| permission == "manage")) {
            return Err(Refusal::no_access("enterprise account", &enterprise.name));
        }
        let today = day(self.clock);
        let wanted = call.query("day").unwrap_or(&today);
        let is_day = wanted.len() == 10 && wanted.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
        if !is_day {
            return Err(Refusal::invalid("Invalid day."));
        }
        let mut rows = self.trail(enterprise);
        rows.retain(|row| {
            day(row.created_at) == wanted
                && call.query("type").is_none_or(|kind| kind == row.kind)
                && call.query("action").is_none_or(|action| action == row.action)
        });
        rows.sort_by_key(|row| row.id);
        Answer::one(200, &json!({ "data": rows }), None)
    }

    /// Everything that the trail holds.
    fn trail<'a>(&'a self, enterprise: &'a Enterprise) -> Vec<wire::AuditTrailEvent<'a>> {
        let mut rows = Vec::new();
        for team in self.teams.values().filter(|team| team.enterprise == Some(enterprise.id)) {
            let about =
                |kind, action, at, key: Id| self.event(enterprise, (kind, action, at), key, Some(team), None);
            for member in team.members.values() {
                rows.push(about("team_membership", "create", member.created, member.id));
                if member.updated > member.created {
                    rows.push(about("team_membership", "update", member.updated, member.id));
                }
            }
            for app in self.apps.values().filter(|app| app.team() == Some(team.id)) {
                let about = |kind, action, at, key: Id| {
                    self.event(enterprise, (kind, action, at), key, Some(team), Some(app))
                };
                rows.push(about("app", "create", app.created, app.id));
                let rows_of_app = app.collaborators.values();
                rows.extend(rows_of_app.map(|row| about("collaborator", "create", row.created, row.id)));
            }
        }
        let told = self.told.iter().filter(|told| told.enterprise == enterprise.id);
        rows.extend(told.map(|told| {
            let what = (told.kind.as_str(), told.action.as_str(), told.at);
            let row = self.event(enterprise, what, told.id, None, None);
            wire::AuditTrailEvent {
                id: told.id,
                team: named(told.team.as_ref()),
                app: named(told.app.as_ref()),
                ..row
            }
            .by(told.by.as_ref())
        }));
        rows
    }

    fn event<'a>(
        &'a self,
        enterprise: &'a Enterprise,
        (kind, action, at): (&'a str, &'a str, Stamp),
        key: Id,
        team: Option<&'a Team>,
        app: Option<&'a App>,
    ) -> wire::AuditTrailEvent<'a> {
        let actor = self.people.get(&self.caller);
        let row = wire::AuditTrailEvent {
            created_at: at,
            id: id_of(&format!("{kind}.{action}.{at}"), &key.to_string()),
            kind: kind.into(),
            action: action.into(),
            actor: actor.map(|own| wire::Mail { email: own.email.as_str().into(), id: own.id }),
            app: app.map(|app| wire::Named { id: app.id, name: app.name.as_str().into() }),
            enterprise_account: wire::Named { id: enterprise.id, name: enterprise.name.as_str().into() },
            team: team.map(|team| wire::Named { id: team.id, name: team.name.as_str().into() }),
            request: wire::Origin { ip_address: "192.0.2.7".into() },
            data: wire::Nothing {},
        };
        match self.makers.get(&(key, at)) {
            Some(maker) => row.made_by(maker),
            None => row,
        }
    }
}

impl<'a> wire::AuditTrailEvent<'a> {
    fn by(self, actor: Option<&'a Actor>) -> Self {
        match actor {
            Some(actor) => self.made_by(actor),
            None => self,
        }
    }

    fn made_by(self, actor: &'a Actor) -> Self {
        Self {
            actor: Some(wire::Mail { email: actor.email.as_str().into(), id: actor.id }),
            request: wire::Origin { ip_address: actor.ip.as_str().into() },
            ..self
        }
    }
}

fn named(thing: Option<&(Id, String)>) -> Option<wire::Named<'_>> {
    thing.map(|(id, name)| wire::Named { id: *id, name: name.as_str().into() })
}

/// The day of a moment, such as `2026-11-21`.
fn day(at: Stamp) -> String {
    at.to_string().chars().take(10).collect()
}
