//! One app: who can view, deploy, operate and manage it, and why; what its config vars reach; what happened to it.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::access::{AppAccess, PersonOnApp, ReachedAddOn, clauses};
use metsuke_engine::changes::EventFilter;
use metsuke_engine::desk::{AppShown, Single};
use metsuke_engine::identity::Operation;

use super::cell::{Badge, Cell, Figure, Head, Table, Tone};
use super::feed::{Bit, Entry, recent};
use super::frame::{Frame, Read, page as shown};
use super::provisioning::planning;
use super::words::{Name, When, count, reasons};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;

/// People who are shown at once.
const PAGE: usize = 100;
/// Changes that are shown.
const RECENT: u32 = 12;
/// What an app offers, with the name of the figure.
const RIGHTS: [(&str, &str); 4] =
    [("view", "can view"), ("deploy", "can deploy"), ("operate", "can operate"), ("manage", "can manage")];

#[derive(Template)]
#[template(path = "app.html")]
struct View {
    frame: Frame,
    read: Vec<Read>,
    kicker: String,
    badges: Vec<Badge>,
    lead: String,
    facts: Vec<(&'static str, Cell)>,
    figures: Vec<Figure>,
    /// Where access to it is planned; empty for whoever may not plan.
    give: String,
    people: Table,
    tally: String,
    text: String,
    can: String,
    next: String,
    all: String,
    addons: Table,
    pending: Table,
    history: Vec<Entry>,
    more: String,
    /// The app's whole name, where it is too long for the head.
    whole: String,
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id").to_owned();
    let frame = Frame::of(&call, "App").await?;
    let Single { reading, found } = call.state.desk.app(frame.single(&id)).await?;
    let AppShown { line, access } = found;
    let name = access.app.name.to_string();
    let mut frame = frame.below("Apps", "/apps").here(&name);
    frame.title = Name::new(&name).cut;
    let connector = reading.connector.as_deref();
    let own_id = line.id.to_string();
    let history = if frame.may(&call, Operation::ListChanges) {
        let about = EventFilter { resource: Some(own_id.clone()), ..EventFilter::default() };
        recent(&call, &frame, &reading, about, RECENT).await?
    } else {
        Vec::new()
    };
    let can = frame.asked.get("can").unwrap_or_default().to_owned();
    let text = frame.asked.get("q").unwrap_or_default().to_lowercase();
    let meant: Vec<&PersonOnApp> = access.people.iter().filter(|person| fits(person, &can, &text)).collect();
    let (from, next) = frame.part(meant.len(), PAGE);
    let rows = meant.iter().skip(from).take(PAGE).map(|person| row(&frame, person, connector)).collect();
    let here = frame.asked.without(&["from"]);
    let view = View {
        read: frame.read(std::slice::from_ref(&reading)),
        kicker: match (&access.team, &access.owner) {
            (Some(team), _) => format!("App of team {}", Name::new(&team.name).cut),
            (None, Some(_)) => "Personal app".to_owned(),
            (None, None) => "App".to_owned(),
        },
        badges: badges(&line, &access),
        lead: lead(&access),
        facts: facts(&frame, &line, &access, connector),
        figures: figures(&frame, &access, &can),
        give: planning(&call, &frame, connector, &[("action", "grant"), ("on", "app"), ("app", &name)]),
        people: Table {
            caption: "People and what they can do".to_owned(),
            heads: std::iter::once(Head::plain("Person"))
                .chain(RIGHTS.map(|(right, _)| Head::plain(capital(right))))
                .chain([Head::plain("Why")])
                .collect(),
            rows,
        },
        tally: count(meant.len(), "person", "people"),
        next,
        all: if can.is_empty() && text.is_empty() {
            String::new()
        } else {
            here.without(&["can", "q"]).at(&frame.path)
        },
        addons: addons(&access.addons),
        pending: pending(&access),
        history,
        more: frame.asked.only(&["as_of", "connector"]).with("resource", &own_id).at("/changes"),
        whole: if Name::new(&name).title.is_empty() { String::new() } else { name },
        text,
        can,
        frame,
    };
    shown(StatusCode::OK, &view)
}

fn capital(right: &str) -> &'static str {
    match right {
        "view" => "View",
        "deploy" => "Deploy",
        "operate" => "Operate",
        _ => "Manage",
    }
}

fn holds(person: &PersonOnApp, right: &str) -> bool {
    person.held.iter().any(|held| &*held.entitlement == right)
}

fn fits(person: &PersonOnApp, can: &str, text: &str) -> bool {
    let right = match can {
        "" => true,
        "config" => person.reads_config(),
        right => holds(person, right),
    };
    let named = |words: Option<&str>| words.is_some_and(|words| words.to_lowercase().contains(text));
    right && (text.is_empty() || named(person.principal.email.as_deref()) || named(person.name.as_deref()))
}

fn row(frame: &Frame, person: &PersonOnApp, connector: Option<&str>) -> Vec<Cell> {
    let href = frame.object("people", &person.principal.id, connector);
    let email = Name::or(person.principal.email.as_deref(), "no address");
    let mut cells = vec![Cell::Link(email, href, person.name.as_deref().map(Name::new))];
    cells.extend(RIGHTS.map(|(right, _)| Cell::Mark(holds(person, right))));
    cells.push(Cell::Word(reasons(&clauses(&person.held))));
    cells
}

fn badges(line: &metsuke_engine::lists::AppLine, access: &AppAccess) -> Vec<Badge> {
    let mut badges = Vec::new();
    if line.archived_at.is_some() {
        badges.push(Badge::new(Tone::Calm, "archived"));
    }
    if access.locked == Some(true) {
        badges.push(Badge::new(Tone::Warn, "locked"));
    }
    if line.maintenance == Some(true) {
        badges.push(Badge::new(Tone::Warn, "maintenance"));
    }
    badges
}

/// Who can deploy, in one sentence.
fn lead(access: &AppAccess) -> String {
    let deploy = access.people.iter().filter(|person| holds(person, "deploy")).count();
    let team = access.people.iter().filter(|person| holds(person, "deploy") && by_team(person)).count();
    let who = match (deploy, team) {
        (0, _) => return "Nobody whom Heroku names can deploy this app.".to_owned(),
        (all, part) if all == part => " by a role in the team that owns it",
        (_, 0) => ", each by a grant on the app itself or by owning it",
        _ => "",
    };
    let sentence = format!("{} can deploy it{who}", count(deploy, "person", "people"));
    if who.is_empty() {
        let others = deploy - team;
        return format!(
            "{sentence}: {team} by a role in the team that owns it, {others} by a grant on the app itself."
        );
    }
    format!("{sentence}.")
}

fn by_team(person: &PersonOnApp) -> bool {
    person.held.iter().any(|held| {
        &*held.entitlement == "deploy" && !held.direct && held.path.len() == 2 && {
            let types: Vec<_> = held.path.iter().map(|step| step.resource.resource_type).collect();
            types.first() != types.last()
        }
    })
}

fn facts(
    frame: &Frame,
    line: &metsuke_engine::lists::AppLine,
    access: &AppAccess,
    connector: Option<&str>,
) -> Vec<(&'static str, Cell)> {
    let day = |at| Cell::When(When::day(at, frame.now));
    let mut facts = Vec::new();
    if let Some(team) = &access.team {
        let href = frame.object("teams", &team.id, connector);
        facts.push(("Team", Cell::Link(Name::new(&team.name), href, None)));
    }
    if let Some(owner) = &access.owner {
        let href = frame.object("people", &owner.id, connector);
        facts.push(("Owner", Cell::Link(Name::or(owner.email.as_deref(), "no address"), href, None)));
    }
    facts.extend(line.space.as_deref().map(|space| ("Space", Cell::Text(Name::new(space)))));
    facts.push((
        "Locked",
        match access.locked {
            Some(true) => Cell::Text(Name::new("yes: plain members get nothing")),
            Some(false) => Cell::Text(Name::new("no")),
            None => Cell::Word("not shown".into()),
        },
    ));
    facts.extend(line.created_at.map(|at| ("Made", day(at))));
    facts.extend(line.released_at.map(|at| ("Last release", day(at))));
    facts.extend(line.archived_at.map(|at| ("Archived", day(at))));
    facts.push(("Heroku’s id", Cell::Text(Name::new(&line.id.to_string()))));
    facts
}

fn figures(frame: &Frame, access: &AppAccess, can: &str) -> Vec<Figure> {
    let here = frame.asked.without(&["from", "can"]);
    let figure = |right: &str, name, value: usize| Figure {
        current: right == can,
        ..Figure::new(value as u64, name, Some(here.with("can", right).at(&frame.path)))
    };
    let mut figures: Vec<Figure> = RIGHTS
        .iter()
        .map(|(right, name)| {
            let holders = access.people.iter().filter(|person| holds(person, right)).count();
            figure(right, name, holders)
        })
        .collect();
    let readers = access.people.iter().filter(|person| person.reads_config()).count();
    figures.push(figure("config", "read its config vars", readers));
    figures
}

pub(super) fn addons(reached: &[ReachedAddOn]) -> Table {
    let row = |addon: &ReachedAddOn| {
        vec![
            Cell::Text(Name::new(&addon.name)),
            Cell::Text(Name::new(&addon.service)),
            addon.attached_as.as_deref().map_or(Cell::Nothing, |name| Cell::Text(Name::new(name))),
            if addon.shared { Cell::Badge(Badge::new(Tone::Warn, "of another app")) } else { Cell::Nothing },
        ]
    };
    Table {
        caption: "Add-ons".to_owned(),
        heads: ["Add-on", "Service", "Attached as", ""].map(Head::plain).to_vec(),
        rows: reached.iter().map(row).collect(),
    }
}

fn pending(access: &AppAccess) -> Table {
    let row = |grant: &metsuke_model::Grant| {
        vec![
            Cell::Text(Name::or(grant.principal.email.as_deref(), "no address")),
            Cell::Text(Name::new(&grant.entitlement)),
            Cell::Text(Name::new(&grant.resource.name)),
        ]
    };
    Table {
        caption: "Pending invitations".to_owned(),
        heads: ["Invited", "As", "To team"].map(Head::plain).to_vec(),
        rows: access.pending.iter().map(row).collect(),
    }
}
