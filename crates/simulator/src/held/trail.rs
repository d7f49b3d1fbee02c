//! The audit trail of an enterprise account: what others and writes did, day by day.
//!
//! What came to be is told from the rows that are there; what else happened has to be told by
//! [`World::tell_event`].
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

/// Something that was told by hand.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    id: Id,
    at: Stamp,
    enterprise: Id,
    kind: String,
    action: String,
    team: Option<Id>,
    app: Option<Id>,
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
        let team = team.and_then(|key| self.team(key)).map(|team| team.id);
        let team = team.or_else(|| app.and_then(App::team));
        let app = app.map(|app| app.id);
        let id = self.chance.id();
        let (kind, action) = (kind.to_owned(), action.to_owned());
        self.told.push(Told { id, at: Stamp(at), enterprise, kind, action, team, app });
        Some(id)
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
            let team = told.team.and_then(|team| self.teams.get(&team));
            let app = told.app.and_then(|app| self.apps.get(&app));
            let what = (told.kind.as_str(), told.action.as_str(), told.at);
            wire::AuditTrailEvent { id: told.id, ..self.event(enterprise, what, told.id, team, app) }
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
        wire::AuditTrailEvent {
            created_at: at,
            id: id_of(&format!("{kind}.{action}.{at}"), &key.to_string()),
            kind: kind.into(),
            action: action.into(),
            actor: actor.map(|own| wire::Mail { email: own.email.as_str().into(), id: own.id }),
            app: app.map(|app| wire::Named { id: app.id, name: app.name.as_str().into() }),
            enterprise_account: wire::Named { id: enterprise.id, name: enterprise.name.as_str().into() },
            team: team.map(|team| wire::Named { id: team.id, name: team.name.as_str().into() }),
            request: wire::Origin { ip_address: "192.0.2.7" },
            data: wire::Nothing {},
        }
    }
}

/// The day of a moment, such as `2026-11-21`.
fn day(at: Stamp) -> String {
    at.to_string().chars().take(10).collect()
}
