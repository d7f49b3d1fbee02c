//! The list of Enterprise accounts, and one account: who holds which permission, and its teams.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::changes::EventFilter;
use metsuke_engine::desk::{EnterpriseAccountShown, Placed, Single};
use metsuke_engine::identity::Operation;
use metsuke_engine::lists::{EnterpriseAccountLine, TeamLine};
use metsuke_model::Grant;

use super::cell::{Cell, Figure, Head, Table};
use super::feed::{Bit, Entry, recent};
use super::frame::{Frame, Read, page as shown};
use super::list::{Column, Spec, answer};
use super::words::{Name, When, count, number};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::handlers::ACCOUNTS;

/// Changes that are shown.
const RECENT: u32 = 12;
/// People who are shown at once.
const PEOPLE: usize = 200;
/// What an account offers.
const PERMISSIONS: [&str; 4] = ["view", "create", "manage", "billing"];

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    answer(call, &LIST).await
}

static LIST: Spec<EnterpriseAccountLine> = Spec {
    path: "/enterprise-accounts",
    title: "Enterprise accounts",
    lead: "Accounts above the teams: whoever manages one can make themselves admin of any team in it.",
    seek: "Find by name",
    beside: None,
    columns: &[
        Column { key: "name", label: "Account", number: false, usual: true, cell: name },
        Column { key: "people", label: "People", number: true, usual: true, cell: people },
        Column { key: "teams", label: "Teams", number: true, usual: true, cell: teams },
        Column { key: "created_at", label: "Made", number: false, usual: true, cell: created },
    ],
    facets: &[],
    csv: ACCOUNTS,
    empty: "No Enterprise account was read. Everything else works without one.",
};

fn name(row: &Placed<EnterpriseAccountLine>, frame: &Frame) -> Cell {
    let href = frame.object("enterprise-accounts", &row.row.id, row.connector.as_deref());
    Cell::Link(Name::or(row.row.name.as_deref(), "unnamed"), href, None)
}

fn people(row: &Placed<EnterpriseAccountLine>, frame: &Frame) -> Cell {
    Cell::tally(row.row.people, frame.object("enterprise-accounts", &row.row.id, row.connector.as_deref()))
}

fn teams(row: &Placed<EnterpriseAccountLine>, frame: &Frame) -> Cell {
    let account = frame.object("enterprise-accounts", &row.row.id, row.connector.as_deref());
    Cell::tally(row.row.teams, format!("{account}#teams"))
}

fn created(row: &Placed<EnterpriseAccountLine>, frame: &Frame) -> Cell {
    row.row.created_at.map_or(Cell::Nothing, |at| Cell::When(When::day(at, frame.now)))
}

#[derive(Template)]
#[template(path = "enterprise.html")]
struct One {
    frame: Frame,
    read: Vec<Read>,
    lead: String,
    figures: Vec<Figure>,
    people: Table,
    next: String,
    teams: Table,
    history: Vec<Entry>,
    more: String,
}

pub(super) async fn one(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id").to_owned();
    let frame = Frame::of(&call, "Enterprise account").await?;
    let Single { reading, found } = call.state.desk.enterprise_account(frame.single(&id)).await?;
    let EnterpriseAccountShown { line, permissions, teams } = found;
    let name = line.name.as_deref().unwrap_or("unnamed").to_owned();
    let mut frame = frame.below("Enterprise accounts", "/enterprise-accounts").here(&name);
    frame.title = Name::new(&name).cut;
    let connector = reading.connector.as_deref();
    let own_id = line.id.to_string();
    let history = if frame.may(&call, Operation::ListChanges) {
        let about = EventFilter { resource: Some(own_id.clone()), ..EventFilter::default() };
        recent(&call, &frame, &reading, about, RECENT).await?
    } else {
        Vec::new()
    };
    let chosen = frame.asked.get("permission").unwrap_or_default().to_owned();
    let managers = permissions.iter().filter(|grant| &*grant.entitlement == "manage").count();
    let (people, next) = table(&frame, &permissions, &chosen, connector);
    let view = One {
        read: frame.read(std::slice::from_ref(&reading)),
        lead: format!(
            "{} manage its members and settings, and with them every one of its {}.",
            count(managers, "person can", "people can"),
            count(teams.len(), "team", "teams")
        ),
        figures: figures(&frame, &permissions, &chosen, teams.len()),
        people,
        next,
        teams: of_account(&frame, &teams, connector),
        history,
        more: frame.asked.only(&["as_of", "connector"]).with("resource", &own_id).at("/changes"),
        frame,
    };
    shown(StatusCode::OK, &view)
}

fn figures(frame: &Frame, grants: &[Grant], chosen: &str, teams: usize) -> Vec<Figure> {
    let here = frame.asked.without(&["permission", "from"]);
    let figure = |name: &'static str| Figure {
        current: name == chosen,
        ..Figure::new(
            grants.iter().filter(|grant| &*grant.entitlement == name).count() as u64,
            name,
            Some(here.with("permission", name).at(&frame.path)),
        )
    };
    let mut figures: Vec<Figure> = PERMISSIONS.into_iter().map(figure).collect();
    figures.push(Figure::new(teams as u64, "teams", Some("#teams".to_owned())));
    figures
}

/// One row for each person, with a mark for each permission; and where the next part is.
fn table(frame: &Frame, grants: &[Grant], chosen: &str, connector: Option<&str>) -> (Table, String) {
    let mut people: Vec<(&Grant, Vec<&str>)> = Vec::new();
    let mut sorted: Vec<&Grant> = grants.iter().collect();
    sorted.sort_by(|one, other| {
        (&one.principal.email, &one.principal.id).cmp(&(&other.principal.email, &other.principal.id))
    });
    for grant in sorted {
        match people.last_mut() {
            Some((last, held)) if last.principal.id == grant.principal.id => held.push(&grant.entitlement),
            _ => people.push((grant, vec![&grant.entitlement])),
        }
    }
    people.retain(|(_, held)| chosen.is_empty() || held.contains(&chosen));
    let row = |(grant, held): &(&Grant, Vec<&str>)| {
        let href = frame.object("people", &grant.principal.id, connector);
        let name = Name::or(grant.principal.email.as_deref(), "no address");
        let mut cells = vec![Cell::Link(name, href, None)];
        cells.extend(PERMISSIONS.map(|permission| Cell::Mark(held.contains(&permission))));
        cells
    };
    let (from, next) = frame.part(people.len(), PEOPLE);
    let table = Table {
        caption: "People and their permissions".to_owned(),
        heads: ["Person", "View", "Create", "Manage", "Billing"].map(Head::plain).to_vec(),
        rows: people.iter().skip(from).take(PEOPLE).map(row).collect(),
    };
    (table, next)
}

fn of_account(frame: &Frame, teams: &[TeamLine], connector: Option<&str>) -> Table {
    let row = |team: &TeamLine| {
        let href = frame.object("teams", &team.id, connector);
        vec![
            Cell::Link(Name::or(team.name.as_deref(), "unnamed"), href.clone(), None),
            Cell::Tally(number(team.people), href.clone()),
            Cell::Tally(number(team.apps), format!("{href}#apps")),
        ]
    };
    Table {
        caption: "Teams".to_owned(),
        heads: vec![Head::plain("Team"), Head::number("People"), Head::number("Apps")],
        rows: teams.iter().map(row).collect(),
    }
}
