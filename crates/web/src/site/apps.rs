//! The list of apps.

use metsuke_engine::desk::Placed;
use metsuke_engine::lists::AppLine;

use super::cell::{Badge, Cell, Tone};
use super::frame::Frame;
use super::list::{Column, Spec, answer};
use super::words::{Name, When};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::handlers::APPS;

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    answer(call, &LIST).await
}

/// The list, which a team's page shows a part of.
pub(super) static LIST: Spec<AppLine> = Spec {
    path: "/apps",
    title: "Apps",
    lead: "Every app that a connector can see, of teams and of people. Open one to see who can view, deploy, operate and manage it, and why.",
    seek: "Find by name, team, owner or space",
    beside: None,
    columns: &[
        Column { key: "name", label: "App", number: false, usual: true, cell: name },
        Column { key: "team", label: "Owned by", number: false, usual: true, cell: team },
        Column { key: "owner", label: "Owner", number: false, usual: false, cell: owner },
        Column { key: "addons", label: "Add-ons", number: true, usual: true, cell: addons },
        Column { key: "space", label: "Space", number: false, usual: false, cell: space },
        Column { key: "locked", label: "State", number: false, usual: true, cell: state },
        Column { key: "created_at", label: "Made", number: false, usual: false, cell: created },
        Column { key: "released_at", label: "Last release", number: false, usual: true, cell: released },
    ],
    facets: &[
        ("", "All"),
        ("personal", "Personal"),
        ("locked", "Locked"),
        ("with-addons", "With add-ons"),
        ("archived", "Archived"),
    ],
    csv: APPS,
    empty: "No app was read. An app appears here once a connector whose token can see it has synced.",
};

/// The columns of a list within a team's page.
pub(super) static OF_TEAM: Spec<AppLine> = Spec {
    columns: &[
        Column { key: "name", label: "App", number: false, usual: true, cell: name },
        Column { key: "addons", label: "Add-ons", number: true, usual: true, cell: addons },
        Column { key: "locked", label: "State", number: false, usual: true, cell: state },
        Column { key: "released_at", label: "Last release", number: false, usual: true, cell: released },
    ],
    facets: &[],
    empty: "No app of this team was read.",
    seek: "Find an app of this team",
    beside: None,
    ..LIST
};

fn name(row: &Placed<AppLine>, frame: &Frame) -> Cell {
    let href = frame.object("apps", &row.row.id, row.connector.as_deref());
    Cell::Link(Name::or(row.row.name.as_deref(), "unnamed"), href, None)
}

fn team(row: &Placed<AppLine>, frame: &Frame) -> Cell {
    let Some(id) = &row.row.team_id else { return personal(row, frame) };
    let href = frame.object("teams", id, row.connector.as_deref());
    Cell::Link(Name::or(row.row.team.as_deref(), "unnamed"), href, None)
}

/// The owner of a personal app.
fn personal(row: &Placed<AppLine>, frame: &Frame) -> Cell {
    let Some(id) = &row.row.owner_id else { return Cell::Nothing };
    let href = frame.object("people", id, row.connector.as_deref());
    Cell::Link(Name::or(row.row.owner.as_deref(), "no address"), href, Some(Name::new("personal app")))
}

fn owner(row: &Placed<AppLine>, frame: &Frame) -> Cell {
    let Some(id) = &row.row.owner_id else { return Cell::Nothing };
    let href = frame.object("people", id, row.connector.as_deref());
    Cell::Link(Name::or(row.row.owner.as_deref(), "unnamed"), href, None)
}

fn addons(row: &Placed<AppLine>, _: &Frame) -> Cell {
    Cell::number(row.row.addons)
}

fn space(row: &Placed<AppLine>, _: &Frame) -> Cell {
    Cell::text(row.row.space.as_deref())
}

fn state(row: &Placed<AppLine>, _: &Frame) -> Cell {
    let (tone, word) = match &row.row {
        AppLine { archived_at: Some(_), .. } => (Tone::Calm, "archived"),
        AppLine { locked: Some(true), .. } => (Tone::Warn, "locked"),
        AppLine { maintenance: Some(true), .. } => (Tone::Warn, "maintenance"),
        _ => return Cell::Nothing,
    };
    Cell::Badge(Badge::new(tone, word))
}

fn created(row: &Placed<AppLine>, frame: &Frame) -> Cell {
    row.row.created_at.map_or(Cell::Nothing, |at| Cell::When(When::day(at, frame.now)))
}

fn released(row: &Placed<AppLine>, frame: &Frame) -> Cell {
    row.row.released_at.map_or(Cell::Nothing, |at| Cell::When(When::day(at, frame.now)))
}
