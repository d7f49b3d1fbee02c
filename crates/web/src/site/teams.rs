//! The list of teams, and one team: its people by role, who is invited, its apps, what happened to it.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::changes::EventFilter;
use metsuke_engine::desk::{Placed, Single, TeamShown};
use metsuke_engine::identity::Operation;
use metsuke_engine::lists::{InvitationLine, TeamLine};
use metsuke_model::Grant;

use super::apps::OF_TEAM;
use super::cell::{Badge, Cell, Figure, Head, Table, Tone};
use super::feed::{Bit, Entry, recent};
use super::frame::{Frame, Read, page as shown};
use super::list::{Column, Listed, Spec, answer, listed, whole_csv};
use super::provisioning::planning;
use super::words::{Name, When, count};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::handlers::TEAMS;

/// Changes that are shown.
const RECENT: u32 = 12;
/// Members that are shown at once.
const MEMBERS: usize = 200;
/// Roles in the order in which they are shown, with the name of the figure.
const ROLES: [(&str, &str); 5] = [
    ("owner", "owners"),
    ("admin", "admins"),
    ("member", "members"),
    ("viewer", "viewers"),
    ("collaborator", "collaborators"),
];

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    answer(call, &LIST).await
}

static LIST: Spec<TeamLine> = Spec {
    path: "/teams",
    title: "Teams",
    lead: "Every team that a connector can list, with how many people hold a role in it and how many apps it owns.",
    seek: "Find by name or Enterprise account",
    beside: None,
    columns: &[
        Column { key: "name", label: "Team", number: false, usual: true, cell: name },
        Column { key: "type", label: "Type", number: false, usual: true, cell: kind },
        Column {
            key: "enterprise_account",
            label: "Enterprise account",
            number: false,
            usual: true,
            cell: account,
        },
        Column { key: "people", label: "People", number: true, usual: true, cell: people },
        Column { key: "apps", label: "Apps", number: true, usual: true, cell: apps },
        Column { key: "created_at", label: "Made", number: false, usual: true, cell: created },
    ],
    facets: &[("", "All"), ("enterprise", "Enterprise"), ("standard", "Standard")],
    csv: TEAMS,
    empty: "No team was read. A token sees the teams that its account is in; a personal account may be in none.",
};

fn name(row: &Placed<TeamLine>, frame: &Frame) -> Cell {
    let href = frame.object("teams", &row.row.id, row.connector.as_deref());
    Cell::Link(Name::or(row.row.name.as_deref(), "unnamed"), href, None)
}

fn kind(row: &Placed<TeamLine>, _: &Frame) -> Cell {
    match row.row.team_type.as_deref() {
        Some("team") => Cell::Word("standard".into()),
        Some(other) => Cell::Word(other.to_owned()),
        None => Cell::Nothing,
    }
}

fn account(row: &Placed<TeamLine>, frame: &Frame) -> Cell {
    let Some(id) = &row.row.enterprise_account_id else { return Cell::Nothing };
    let href = frame.object("enterprise-accounts", id, row.connector.as_deref());
    Cell::Link(Name::or(row.row.enterprise_account.as_deref(), "unnamed"), href, None)
}

fn people(row: &Placed<TeamLine>, frame: &Frame) -> Cell {
    Cell::tally(row.row.people, frame.object("teams", &row.row.id, row.connector.as_deref()))
}

fn apps(row: &Placed<TeamLine>, frame: &Frame) -> Cell {
    let team = frame.object("teams", &row.row.id, row.connector.as_deref());
    Cell::tally(row.row.apps, format!("{team}#apps"))
}

fn created(row: &Placed<TeamLine>, frame: &Frame) -> Cell {
    row.row.created_at.map_or(Cell::Nothing, |at| Cell::When(When::day(at, frame.now)))
}

#[derive(Template)]
#[template(path = "team.html")]
struct One {
    frame: Frame,
    read: Vec<Read>,
    kicker: String,
    lead: String,
    figures: Vec<Figure>,
    /// Where a role in it is planned; empty for whoever may not plan.
    give: String,
    members: Table,
    next: String,
    invitations: Table,
    listed: Listed,
    facts: Vec<(&'static str, Cell)>,
    history: Vec<Entry>,
    more: String,
}

pub(super) async fn one(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id").to_owned();
    let frame = Frame::of(&call, "Team").await?;
    let Single { reading, found } = call.state.desk.team(frame.single(&id)).await?;
    let TeamShown { line, mut roles, invitations } = found;
    let name = line.name.as_deref().unwrap_or("unnamed").to_owned();
    let mut frame = frame.below("Teams", "/teams").here(&name);
    frame.title = Name::new(&name).cut;
    let connector = reading.connector.as_deref();
    let own_id = line.id.to_string();
    let apps = [("team", own_id.clone())];
    if frame.asked.get("format") == Some("csv") {
        return whole_csv(&call, &frame, &OF_TEAM, &apps).await;
    }
    let history = if frame.may(&call, Operation::ListChanges) {
        let about = EventFilter { resource: Some(own_id.clone()), ..EventFilter::default() };
        recent(&call, &frame, &reading, about, RECENT).await?
    } else {
        Vec::new()
    };
    roles.retain(|grant| grant.principal.kind == metsuke_model::grant::PrincipalKind::User);
    let role = frame.asked.get("role").unwrap_or_default().to_owned();
    let figures = figures(&frame, &roles, &role, line.apps);
    let admins = roles.iter().filter(|grant| &*grant.entitlement == "admin").count();
    let lead = lead(admins, roles.len());
    roles.retain(|grant| role.is_empty() || *grant.entitlement == *role);
    roles.sort_by_key(|grant| (rank(&grant.entitlement), grant.principal.email.clone()));
    let (from, next) = frame.part(roles.len(), MEMBERS);
    let view = One {
        read: frame.read(std::slice::from_ref(&reading)),
        kicker: match line.team_type.as_deref() {
            Some("enterprise") => "Enterprise team".to_owned(),
            _ => "Team".to_owned(),
        },
        lead,
        figures,
        give: planning(&call, &frame, connector, &[("action", "grant"), ("on", "team"), ("team", &name)]),
        members: members(&frame, roles.get(from..).unwrap_or_default(), connector),
        next,
        invitations: invited(&frame, &invitations),
        listed: listed(&call, &frame, &OF_TEAM, &apps).await?,
        facts: facts(&frame, &line, connector),
        history,
        more: frame.asked.only(&["as_of", "connector"]).with("resource", &own_id).at("/changes"),
        frame,
    };
    shown(StatusCode::OK, &view)
}

fn rank(role: &str) -> usize {
    ROLES.iter().position(|(known, _)| *known == role).unwrap_or(ROLES.len())
}

fn lead(admins: usize, people: usize) -> String {
    match (admins, people) {
        (_, 0) => "Nobody whom Heroku names holds a role in it.".to_owned(),
        (0, people) => format!("{}, and no admin among them.", count(people, "role", "roles")),
        (1, _) => "One admin alone: if that account is lost, nobody can manage the team.".to_owned(),
        (admins, people) => format!(
            "{} of {} administer it: an admin holds everything on every app, locked ones too.",
            admins,
            count(people, "person", "people")
        ),
    }
}

fn figures(frame: &Frame, roles: &[Grant], chosen: &str, apps: u64) -> Vec<Figure> {
    let here = frame.asked.without(&["role", "cursor", "from"]);
    let of = |role: &str| roles.iter().filter(|grant| &*grant.entitlement == role).count() as u64;
    let figure = |(role, name): &(&str, &'static str)| Figure {
        current: *role == chosen,
        ..Figure::new(of(role), name, Some(here.with("role", role).at(&frame.path)))
    };
    let mut figures: Vec<Figure> = ROLES.iter().filter(|(role, _)| of(role) > 0).map(figure).collect();
    figures.push(Figure::new(apps, "apps", Some("#apps".to_owned())));
    figures
}

pub(super) fn members(frame: &Frame, grants: &[Grant], connector: Option<&str>) -> Table {
    let row = |grant: &Grant| {
        let href = frame.object("people", &grant.principal.id, connector);
        let tone =
            if matches!(&*grant.entitlement, "admin" | "owner" | "manage") { Tone::Warn } else { Tone::Calm };
        vec![
            Cell::Link(Name::or(grant.principal.email.as_deref(), "no address"), href, None),
            Cell::Badge(Badge::new(tone, Name::new(&grant.entitlement).cut)),
        ]
    };
    Table {
        caption: "People and their roles".to_owned(),
        heads: ["Person", "Role"].map(Head::plain).to_vec(),
        rows: grants.iter().take(MEMBERS).map(row).collect(),
    }
}

fn invited(frame: &Frame, invitations: &[InvitationLine]) -> Table {
    let row = |invitation: &InvitationLine| {
        vec![
            Cell::Text(Name::or(invitation.email.as_deref(), "no address")),
            Cell::Text(Name::new(&invitation.role)),
            Cell::text(invitation.invited_by.as_deref()),
            invitation.created_at.map_or(Cell::Nothing, |at| Cell::When(When::day(at, frame.now))),
        ]
    };
    Table {
        caption: "Pending invitations".to_owned(),
        heads: ["Invited", "As", "By", "Sent"].map(Head::plain).to_vec(),
        rows: invitations.iter().map(row).collect(),
    }
}

fn facts(frame: &Frame, line: &TeamLine, connector: Option<&str>) -> Vec<(&'static str, Cell)> {
    let mut facts = vec![(
        "Type",
        match line.team_type.as_deref() {
            Some("team") => Cell::Text(Name::new("standard")),
            other => Cell::text(other),
        },
    )];
    if let Some(id) = &line.enterprise_account_id {
        let href = frame.object("enterprise-accounts", id, connector);
        let name = Name::or(line.enterprise_account.as_deref(), "unnamed");
        facts.push(("Enterprise account", Cell::Link(name, href, None)));
    }
    facts.extend(line.created_at.map(|at| ("Made", Cell::When(When::day(at, frame.now)))));
    facts.push(("Heroku’s id", Cell::Text(Name::new(&line.id.to_string()))));
    facts
}
