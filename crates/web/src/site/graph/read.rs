//! What a picture is made of: the neighbourhood of one thing, the way from one to another, an answer, or the estate at large.
//!
//! Invariant: a line is drawn for what Heroku has a row for, and on a way for what follows from that.

use metsuke_engine::EngineError;
use metsuke_engine::access::{Reason, allowed, clauses};
use metsuke_engine::desk::{Browse, Reading, Single};
use metsuke_engine::lists::{AppLine, EnterpriseAccountLine, TeamLine};
use metsuke_engine::query::{Answer, Data};
use metsuke_model::{Grant, ResourceType};

use super::hand::Hand;
use super::reached::person;
use super::scene::{Kind, Scene};
use crate::call::Call;
use crate::error::ApiError;
use crate::site::frame::Frame;
use crate::site::query::{name_of, type_of, verb, word};
use crate::site::words::{count, listed, reasons};

/// What was found for a picture.
pub(super) struct Found {
    pub(super) scene: Scene,
    /// The thing in the middle.
    pub(super) middle: Option<usize>,
    pub(super) title: String,
    /// What is to be said of it in words.
    pub(super) told: Vec<String>,
    pub(super) readings: Vec<Reading>,
}

fn missing(error: &EngineError) -> bool {
    matches!(error, EngineError::NotFound { .. } | EngineError::Unknown { .. })
}

/// What surrounds the thing of this id or name.
///
/// Of very many apps that are alike, those that `folded` leaves together are one node from the start.
pub(super) async fn around(
    call: &Call,
    frame: &Frame,
    of: &str,
    folded: Option<&Hand>,
) -> Result<Found, ApiError> {
    let (list, id) = of.split_once('~').unwrap_or(("", of));
    let desk = &call.state.desk;
    let is = |kind: Kind| list.is_empty() || list == kind.word();
    let mut wrong =
        EngineError::Unknown { what: "person, team, app or Enterprise account", asked: id.into() };
    if is(Kind::App) {
        match app(call, frame, id).await {
            Ok(found) => return Ok(found),
            Err(error) if missing(&error) => wrong = error,
            Err(error) => return Err(error.into()),
        }
    }
    if is(Kind::Team) {
        match desk.team(frame.single(id)).await {
            Ok(found) => return Ok(team(call, frame, found).await?),
            Err(error) if missing(&error) => wrong = error,
            Err(error) => return Err(error.into()),
        }
    }
    if is(Kind::Person) {
        match desk.reach(frame.single(id)).await {
            Ok(found) => return Ok(person(&found, folded)),
            Err(error) if missing(&error) => wrong = error,
            Err(error) => return Err(error.into()),
        }
    }
    if is(Kind::Account) {
        return Ok(account(call, frame, id).await?);
    }
    Err(wrong.into())
}

async fn app(call: &Call, frame: &Frame, id: &str) -> Result<Found, EngineError> {
    let Single { reading, found } = call.state.desk.app(frame.single(id)).await?;
    let mut scene = Scene::default();
    let access = found.access;
    let middle = scene.node(Kind::App, &access.app.id.to_string(), &access.app.name);
    let team = access.team.as_ref().map(|team| {
        let place = scene.node(Kind::Team, &team.id.to_string(), &team.name);
        scene.join(place, middle, "owns");
        place
    });
    for person in &access.people {
        let name = person.principal.email.as_deref().unwrap_or("no address");
        let place = scene.node(Kind::Person, &person.principal.id.to_string(), name);
        for clause in clauses(&person.held) {
            match (&clause.reason, team) {
                (Reason::Role { role, .. }, Some(team)) => scene.join(place, team, role),
                (Reason::Owner, _) => scene.join(place, middle, "owner"),
                _ => {
                    let words: Vec<&str> = clause.entitlements.iter().map(|one| &**one).collect();
                    scene.join(place, middle, &words.join(", "));
                }
            }
        }
    }
    for addon in &access.addons {
        let place = scene.node(Kind::AddOn, &addon.name, &addon.name);
        scene.say(place, addon.service.to_string());
        scene.join(middle, place, "config vars");
    }
    let title = access.app.name.to_string();
    let told = vec![format!("{} hold something on it.", count(access.people.len(), "person", "people"))];
    Ok(Found { scene, middle: Some(middle), title, told, readings: vec![reading] })
}

async fn team(
    call: &Call,
    frame: &Frame,
    single: Single<metsuke_engine::desk::TeamShown>,
) -> Result<Found, EngineError> {
    let Single { reading, found } = single;
    let mut scene = Scene::default();
    let id = found.line.id.to_string();
    let title = found.line.name.as_deref().unwrap_or("unnamed").to_owned();
    let middle = scene.node(Kind::Team, &id, &title);
    if let Some(account) = &found.line.enterprise_account_id {
        let name = found.line.enterprise_account.as_deref().unwrap_or("unnamed");
        let place = scene.node(Kind::Account, &account.to_string(), name);
        scene.join(place, middle, "has");
    }
    people(&mut scene, middle, &found.roles);
    let asked = Browse {
        connector: reading.connector.clone(),
        as_of: frame.at(),
        filters: vec![("team".to_owned(), id)],
        ..Browse::default()
    };
    let apps = call.state.desk.browse::<AppLine>(&asked, None, usize::MAX).await?;
    for app in &apps.rows {
        let name = app.row.name.as_deref().unwrap_or("unnamed");
        let place = scene.node(Kind::App, &app.row.id.to_string(), name);
        scene.join(middle, place, "owns");
    }
    let told = vec![format!(
        "{} and {}.",
        count(found.roles.len(), "role", "roles"),
        count(apps.rows.len(), "app", "apps")
    )];
    Ok(Found { scene, middle: Some(middle), title, told, readings: vec![reading] })
}

fn people(scene: &mut Scene, at: usize, grants: &[Grant]) {
    for grant in grants {
        let name = grant.principal.email.as_deref().unwrap_or("no address");
        let place = scene.node(Kind::Person, &grant.principal.id.to_string(), name);
        scene.join(place, at, &grant.entitlement);
    }
}

/// A role's place and what it is called.
pub(super) fn role(scene: &mut Scene, role: &Grant) -> usize {
    let kind = match role.resource.resource_type {
        ResourceType::EnterpriseAccount => Kind::Account,
        ResourceType::Team => Kind::Team,
        ResourceType::App => Kind::App,
        ResourceType::Space => Kind::Other,
    };
    scene.node(kind, &role.resource.id.to_string(), &role.resource.name)
}

async fn account(call: &Call, frame: &Frame, id: &str) -> Result<Found, EngineError> {
    let Single { reading, found } = call.state.desk.enterprise_account(frame.single(id)).await?;
    let mut scene = Scene::default();
    let title = found.line.name.as_deref().unwrap_or("unnamed").to_owned();
    let middle = scene.node(Kind::Account, &found.line.id.to_string(), &title);
    people(&mut scene, middle, &found.permissions);
    for team in &found.teams {
        let place = scene.node(Kind::Team, &team.id.to_string(), team.name.as_deref().unwrap_or("unnamed"));
        scene.say(place, sizes(team));
        scene.join(middle, place, "has");
    }
    let told = vec![format!("{}.", count(found.teams.len(), "team", "teams"))];
    Ok(Found { scene, middle: Some(middle), title, told, readings: vec![reading] })
}

fn sizes(team: &TeamLine) -> String {
    let of = |value: u64, one, many| count(usize::try_from(value).unwrap_or(usize::MAX), one, many);
    format!("{}, {}", of(team.apps, "app", "apps"), of(team.people, "person", "people"))
}

/// Enterprise accounts and teams of all that was read.
pub(super) async fn estate(call: &Call, frame: &Frame) -> Result<Found, ApiError> {
    let asked = Browse {
        connector: frame.connector().map(ToOwned::to_owned),
        as_of: frame.at(),
        ..Browse::default()
    };
    let accounts = call.state.desk.browse::<EnterpriseAccountLine>(&asked, None, usize::MAX).await?;
    let teams = call.state.desk.browse::<TeamLine>(&asked, None, usize::MAX).await?;
    let mut scene = Scene::default();
    for account in &accounts.rows {
        scene.node(
            Kind::Account,
            &account.row.id.to_string(),
            account.row.name.as_deref().unwrap_or("unnamed"),
        );
    }
    for team in &teams.rows {
        let place =
            scene.node(Kind::Team, &team.row.id.to_string(), team.row.name.as_deref().unwrap_or("unnamed"));
        scene.say(place, sizes(&team.row));
        if let Some(account) = &team.row.enterprise_account_id {
            let name = team.row.enterprise_account.as_deref().unwrap_or("unnamed");
            let from = scene.node(Kind::Account, &account.to_string(), name);
            scene.join(from, place, "has");
        }
    }
    let told = vec![format!("{} in all.", count(teams.rows.len(), "team", "teams"))];
    Ok(Found { scene, middle: None, title: "The estate".to_owned(), told, readings: teams.readings })
}

/// What an answer holds.
pub(super) fn answer(found: &Answer, reading: &Reading) -> Found {
    let mut scene = Scene::default();
    let (vertices, edges) = match &found.data {
        Data::Tree { vertices, edges } => (&vertices[..], &edges[..]),
        Data::List(entities) => (&entities[..], &[][..]),
        Data::Table { .. } => (&[][..], &[][..]),
    };
    let mut places = std::collections::BTreeMap::new();
    for entity in vertices {
        let entity_type = type_of(entity);
        let kind = match entity_type.as_str() {
            "heroku_account" => Kind::Account,
            "heroku_account_member" => Kind::Person,
            "heroku_team" => Kind::Team,
            "heroku_application" => Kind::App,
            "heroku_addon" => Kind::AddOn,
            _ => Kind::Other,
        };
        let place = scene.node(kind, &entity.key, &name_of(entity));
        if kind == Kind::Other {
            scene.say(place, word(&entity_type).to_owned());
        }
        places.insert(entity.key.as_str(), place);
    }
    for edge in edges {
        if let (Some(from), Some(to)) = (places.get(edge.from.as_str()), places.get(edge.to.as_str())) {
            scene.join(*from, *to, &verb(edge));
        }
    }
    let mut told = vec![format!("{}.", count(vertices.len(), "entity", "entities"))];
    if found.truncated {
        told.push("There are more than were asked for.".to_owned());
    }
    Found { scene, middle: None, title: "An answer".to_owned(), told, readings: vec![reading.clone()] }
}

/// The way by which somebody comes to something.
pub(super) async fn way(call: &Call, frame: &Frame, from: &str, to: &str) -> Result<Found, ApiError> {
    let id = |text: &str| text.split_once('~').map_or(text, |(_, id)| id).to_owned();
    let (mut from, mut to) = (id(from), id(to));
    let single = match call.state.desk.person(frame.single(&from)).await {
        Err(error) if missing(&error) => {
            std::mem::swap(&mut from, &mut to);
            call.state.desk.person(frame.single(&from)).await
        }
        other => other,
    };
    let Single { reading, found } = single.map_err(|error| {
        if missing(&error) {
            return ApiError::not_found("neither end of the way is a person")
                .hint("A way leads from a person to a team, an app, an Enterprise account or an add-on.");
        }
        error.into()
    })?;
    let mut scene = Scene::default();
    let name = found.principal.email.as_deref().unwrap_or("no address").to_owned();
    let middle = scene.node(Kind::Person, &found.principal.id.to_string(), &name);
    let mut told = Vec::new();
    for grant in found.roles.iter().filter(|grant| is(&grant.resource, &to)) {
        let place = role(&mut scene, grant);
        scene.join(middle, place, &grant.entitlement);
        told.push(format!("{name} is {} on {}.", grant.entitlement, grant.resource.name));
    }
    let through: Vec<&str> =
        found.addons.iter().filter(|addon| *addon.name == *to).map(|addon| &*addon.app).collect();
    for app in found.apps.iter().filter(|app| is(&app.app, &to) || through.contains(&&*app.app.name)) {
        let place = scene.node(Kind::App, &app.app.id.to_string(), &app.app.name);
        let why = clauses(&app.held);
        for clause in &why {
            let words: Vec<&str> = clause.entitlements.iter().map(|one| &**one).collect();
            let own = match &clause.reason {
                Reason::Role { team, .. } => found.roles.iter().find(|grant| grant.resource.name == *team),
                _ => None,
            };
            let from = own.map(|grant| {
                let team = role(&mut scene, grant);
                scene.join(middle, team, &grant.entitlement);
                team
            });
            scene.join(from.unwrap_or(middle), place, &words.join(", "));
        }
        let able = allowed(&why);
        let can = if able.is_empty() {
            "is a collaborator on".to_owned()
        } else {
            format!("can {}", listed(&able))
        };
        told.push(format!("{name} {can} {}: {}.", app.app.name, reasons(&why)));
        for addon in found.addons.iter().filter(|addon| *addon.name == *to && addon.app == app.app.name) {
            let end = scene.node(Kind::AddOn, &addon.name, &addon.name);
            scene.join(place, end, "config vars");
            told.push(format!("The config vars of {} hold the credentials of {}.", addon.app, addon.name));
        }
    }
    if told.is_empty() {
        told.push(format!("No way that Heroku tells of leads from {name} to {to}."));
    }
    Ok(Found {
        scene, middle: Some(middle), title: format!("{name} → {to}"), told, readings: vec![reading]
    })
}

fn is(resource: &metsuke_model::ResourceRef, asked: &str) -> bool {
    *resource.name == *asked || resource.id.to_string() == asked
}
