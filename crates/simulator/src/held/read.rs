//! Answers the reads.
//!
//! Not the manners around them (scopes, pool, `Range` grammar): those are settled before this is asked.
//!
//! Invariant: nothing here changes the estate.

use std::collections::BTreeMap;

use serde_json::json;

use super::find;
use super::rows::pipeline_row;
use super::{App, Owner, Team, World};
use crate::call::Call;
use crate::catalogue;
use crate::options::Denial;
use crate::page::{Answer, Page};
use crate::range::Range;
use crate::refusal::Refusal;
use crate::routes::Route;
use crate::value::Id;
use crate::wire::{self, Row};

/// The answer to a call that reads.
pub(crate) fn read(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let range = &call.range;
    let (first, second) = (call.param(0), call.param(1));
    match call.route {
        Route::Account | Route::OwnAccount => {
            let person = world.people.get(&world.caller).ok_or(Refusal::not_found("user"))?;
            let row = world.account_row(person);
            Answer::one(200, &row, Some(row.updated_at))
        }
        Route::OtherAccount => match world.person(first) {
            Some(person) if person.id == world.caller => {
                Answer::one(200, &world.account_row(person), Some(person.created))
            }
            Some(_) => Err(Refusal::forbidden("You do not have access to the user.")),
            None => Err(Refusal::not_found("user")),
        },
        Route::Enterprises => {
            Answer::page(world.own_enterprises().map(|row| world.enterprise_row(row)).collect(), range)
        }
        Route::Enterprise => Answer::row(&world.enterprise_row(world.open_enterprise(first)?)),
        Route::EnterpriseMembers => {
            let enterprise = world.open_enterprise(first)?;
            let rows = enterprise.members.values();
            let row = |member| world.enterprise_member_row(enterprise, member, call.sdk());
            Answer::page(rows.map(row).collect(), range)
        }
        Route::EnterpriseTeams => {
            let enterprise = world.open_enterprise(first)?;
            let teams = world.teams.values().filter(|team| team.enterprise == Some(enterprise.id));
            Answer::page(teams.map(|team| world.team_row(team)).collect(), range)
        }
        Route::EnterpriseEvents => world.events(call),
        Route::PermissionNames => Answer::whole(&catalogue::app_permissions()),
        Route::Teams => Answer::page(world.own_teams().map(|team| world.team_row(team)).collect(), range),
        Route::Team
        | Route::Features
        | Route::Feature
        | Route::Preferences
        | Route::Members
        | Route::MemberApps
        | Route::Invitations
        | Route::Permissions
        | Route::TeamApps
        | Route::TeamAddOns
        | Route::TeamSpaces
        | Route::TeamCouplings
        | Route::IdentityProviders => in_team(world, call, first, second),
        Route::Apps => app_page(world, call, |app| world.lists(app)),
        Route::OwnApps | Route::OtherApps => {
            if call.route == Route::OtherApps && world.person(first).map(|p| p.id) != Some(world.caller) {
                return Err(Refusal::forbidden("You do not have access to the user."));
            }
            app_page(world, call, |app| app.team().is_none() && world.sees(app))
        }
        Route::FilterApps => filter(world, call),
        Route::App | Route::TeamApp => {
            let app = world.open_app(first)?;
            if call.route == Route::TeamApp && app.team().is_none() {
                return Err(Refusal::not_found("app"));
            }
            Answer::row(&world.app_row(app, call.sdk()))
        }
        Route::Collaborators | Route::TeamAppCollaborators => {
            let app = world.open_app(first)?;
            let rows = app.collaborators.values().map(|row| world.collaborator_row(app, row));
            Answer::page(rows.chain(world.owner_row(app)).collect(), range)
        }
        Route::Collaborator | Route::TeamAppCollaborator => {
            let app = world.open_app(first)?;
            let row = find::collaborator(app, second).map(|row| world.collaborator_row(app, row));
            let owner = || world.owner_row(app).filter(|row| row.is_of(second));
            Answer::row(&row.or_else(owner).ok_or(Refusal::not_found("user"))?)
        }
        Route::Webhooks => world.webhooks_of(first),
        Route::Webhook => world.webhook_of(first, second),
        _ => extras(world, call, first, range),
    }
}

fn app_page(world: &World, call: &Call, wanted: impl Fn(&App) -> bool) -> Result<Answer, Refusal> {
    let apps = world.apps.values().filter(|app| wanted(app));
    Answer::page(apps.map(|app| world.app_row(app, call.sdk())).collect(), &call.range)
}

/// `POST /filters/apps`: rows for the ids in the body, those that the caller may see.
fn filter(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let wanted = call.filter_ids()?;
    app_page(world, call, |app| wanted.contains(&app.id) && world.sees(app))
}

fn in_team(world: &World, call: &Call, key: &str, second: &str) -> Result<Answer, Refusal> {
    if call.route == Route::Team {
        let team = world.known_teams().find(|team| team.name == key || Some(team.id) == Id::parse(key));
        return Answer::row(&world.team_row(team.ok_or(Refusal::not_found("team"))?));
    }
    let range = &call.range;
    let team = world.open_team(key)?;
    let own = |app: &&App| app.team() == Some(team.id);
    match call.route {
        Route::Features => Answer::whole(&features(team)),
        Route::Feature => {
            let features = features(team);
            let wanted = Id::parse(second);
            let found = features.iter().find(|row| row.name == second || Some(row.id) == wanted);
            Answer::row(found.ok_or(Refusal::not_found("feature"))?)
        }
        Route::Preferences => {
            let preferences = json!({ "default-permission": "member", "addons-controls": false });
            Answer::one(200, &preferences, None)
        }
        Route::Members => {
            Answer::page(team.members.values().map(|member| world.member_row(team, member)).collect(), range)
        }
        Route::MemberApps => {
            let member = find::member(team, second).ok_or(Refusal::not_found("member"))?;
            let on = |app: &&App| app.collaborators.values().any(|row| Some(row.user) == member.user);
            let apps = world.apps.values().filter(own).filter(on);
            Answer::whole(&apps.map(|app| world.app_row(app, call.sdk())).collect::<Vec<_>>())
        }
        Route::Invitations => {
            let rows = team.invitations.values().map(|row| world.invitation_row(team, row));
            Answer::page(rows.collect(), range)
        }
        Route::Permissions => permissions(world, team, range),
        Route::TeamApps => app_page(world, call, |app| app.team() == Some(team.id)),
        Route::TeamAddOns => {
            let rows = world.addons.values();
            let rows = rows.filter(|addon| world.apps.get(&addon.app).is_some_and(|app| own(&app)));
            Answer::page(rows.filter_map(|row| world.addon_row(row, call.expands_plan())).collect(), range)
        }
        Route::TeamSpaces => {
            let rows = world.spaces.values().filter(|space| space.team == team.id);
            Answer::page(rows.filter_map(|row| world.space_row(row)).collect(), range)
        }
        Route::TeamCouplings => {
            let rows = world.couplings.values();
            let rows = rows.filter(|row| world.apps.get(&row.app).is_some_and(|app| own(&app)));
            Answer::page(rows.filter_map(|row| world.coupling_row(row)).collect(), range)
        }
        _ => Answer::whole::<wire::OnlyId>(&[]),
    }
}

fn features(team: &Team) -> Vec<wire::Feature> {
    catalogue::features(team.id, team.enterprise.is_some(), team.wants_invitations)
}

/// `GET /teams/{t}/permissions`: paged only when `Range` is sent.
fn permissions(world: &World, team: &Team, range: &Range) -> Result<Answer, Refusal> {
    if team.enterprise.is_none() {
        return match world.manners.standard_permissions {
            Denial::Forbidden => Err(Refusal::no_access("team", &team.name)),
            Denial::NotFound => Err(Refusal::no_such_route()),
            Denial::Empty => Ok(Answer::Page(Page { body: b"[]".to_vec(), ..Page::default() })),
        };
    }
    if world.manners.permissions_need_admin && world.own_role(team) != Some("admin") {
        return Err(Refusal::no_access("team", &team.name));
    }
    let apps = world.apps.values().filter(|app| app.team() == Some(team.id));
    let spaces = world.spaces.values().filter(|space| space.team == team.id);
    let mut rows: Vec<wire::Entity<'_>> = apps
        .map(|app| wire::Entity {
            id: app.id,
            name: app.name.as_str().into(),
            team_id: team.id,
            kind: "app",
            users: app_users(world, team, app),
        })
        .collect();
    rows.extend(spaces.map(|space| {
        wire::Entity {
            id: space.id,
            name: space.name.as_str().into(),
            team_id: team.id,
            kind: "space",
            users: space
                .members
                .iter()
                .filter_map(|(_, user, permissions)| {
                    let person = world.people.get(user)?;
                    Some(wire::EntityUser {
                        email: person.email.as_str().into(),
                        id: person.id,
                        permissions: permissions.iter().map(|name| name.as_str().into()).collect(),
                    })
                })
                .collect(),
        }
    }));
    if range.explicit {
        return Answer::page(rows, range);
    }
    rows.sort_by_key(Row::id);
    Answer::whole(&rows)
}

/// Everybody named on the app, and with implicit listing everybody whose role reaches it.
fn app_users<'a>(world: &'a World, team: &'a Team, app: &'a App) -> Vec<wire::EntityUser<'a>> {
    let mut users: BTreeMap<Id, wire::EntityUser<'a>> = BTreeMap::new();
    let explicit = app.collaborators.values().filter(|row| row.role.as_deref() != Some("owner"));
    for row in explicit {
        let permissions = row.permissions.iter().map(|name| name.as_str().into()).collect();
        let user = wire::EntityUser { email: row.email.as_str().into(), id: row.user, permissions };
        users.insert(row.user, user);
    }
    if world.manners.implicit_listing {
        for member in team.members.values() {
            let Some(id) = member.user else { continue };
            let implied: &[&str] = match member.role.as_deref() {
                Some("admin") => &["view", "deploy", "operate", "manage"],
                Some("member" | "viewer") if !app.locked => &["view"],
                _ => continue,
            };
            let user = users.entry(id).or_insert_with(|| wire::EntityUser {
                email: member.email.as_str().into(),
                id,
                permissions: Vec::new(),
            });
            for name in implied {
                if !user.permissions.iter().any(|have| have == name) {
                    user.permissions.push((*name).into());
                }
            }
        }
    }
    users.into_values().collect()
}

fn extras(world: &World, call: &Call, first: &str, range: &Range) -> Result<Answer, Refusal> {
    let addons = |wanted: &dyn Fn(&App) -> bool| {
        let rows = world.addons.values();
        let rows = rows.filter(|row| world.apps.get(&row.app).is_some_and(wanted));
        Answer::page(rows.filter_map(|row| world.addon_row(row, call.expands_plan())).collect(), range)
    };
    let attachments = |wanted: &dyn Fn(&super::Attachment) -> bool| {
        let rows = world.attachments.values().filter(|row| wanted(row));
        Answer::page(rows.filter_map(|row| world.attachment_row(row)).collect(), range)
    };
    let couplings = |wanted: &dyn Fn(&super::Coupling) -> bool| {
        let rows = world.couplings.values().filter(|row| world.sees_app(row.app) && wanted(row));
        Answer::page(rows.filter_map(|row| world.coupling_row(row)).collect(), range)
    };
    match call.route {
        Route::AddOns => addons(&|app| world.sees(app)),
        Route::OwnAddOns => addons(&|app| app.owner == Owner::Person(world.caller)),
        Route::AppAddOns => {
            let id = world.open_app(first)?.id;
            addons(&|app| app.id == id)
        }
        Route::AddOn | Route::AddOnAttachments => {
            let addon = world.addon(first).filter(|addon| world.sees_app(addon.app));
            let addon = addon.ok_or(Refusal::not_found("add-on"))?;
            if call.route == Route::AddOnAttachments {
                return attachments(&|row| row.addon == addon.id);
            }
            Answer::row(&world.addon_row(addon, call.expands_plan()).ok_or(Refusal::not_found("add-on"))?)
        }
        Route::AppAttachments => {
            let id = world.open_app(first)?.id;
            attachments(&|row| row.app == id)
        }
        Route::Attachments => attachments(&|row| world.sees_app(row.app)),
        Route::AppCouplings => {
            let id = world.open_app(first)?.id;
            let row = world.couplings.values().find(|row| row.app == id);
            let row = row.and_then(|row| world.coupling_row(row));
            Answer::row(&row.ok_or(Refusal::not_found("pipeline coupling"))?)
        }
        Route::Couplings | Route::OwnCouplings => couplings(&|_| true),
        Route::Pipelines => {
            let rows = world.seen_pipelines();
            Answer::page(rows.map(pipeline_row).collect(), range)
        }
        Route::Pipeline | Route::PipelineCouplings => {
            let wanted = Id::parse(first);
            let found = world.seen_pipelines().find(|row| row.name == first || Some(row.id) == wanted);
            let found = found.ok_or(Refusal::not_found("pipeline"))?;
            if call.route == Route::PipelineCouplings {
                return couplings(&|row| row.pipeline == found.id);
            }
            Answer::row(&pipeline_row(found))
        }
        Route::Spaces => {
            Answer::page(world.seen_spaces().filter_map(|row| world.space_row(row)).collect(), range)
        }
        Route::Space | Route::SpaceMembers => {
            let wanted = Id::parse(first);
            let found = world.seen_spaces().find(|row| row.name == first || Some(row.id) == wanted);
            let found = found.ok_or(Refusal::not_found("space"))?;
            if call.route == Route::SpaceMembers {
                let rows = found.members.iter().filter_map(|row| world.space_member_row(found, row));
                return Answer::whole(&rows.collect::<Vec<_>>());
            }
            Answer::row(&world.space_row(found).ok_or(Refusal::not_found("space"))?)
        }
        _ => Err(Refusal::no_such_route()),
    }
}
