//! The overview: what there is, what changed, what was found, how the connectors do, and who is privileged.

use std::collections::HashMap;

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::desk::{Browse, Browsed, Reading};
use metsuke_engine::identity::Operation;
use metsuke_engine::lists::PersonLine;

use super::cell::{Badge, Cell, Figure, Head, Table, Tone};
use super::connectors::{Health, health};
use super::feed::{Bit, Entry, from_where, recent, up_to};
use super::findings::{by_level, table as findings_table, titles};
use super::frame::{Frame, Read, page as shown};
use super::tiles::{Shown, tiles};
use super::words::{Name, count};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;

/// Changes, findings and people that are shown.
const RECENT: u32 = 8;
const NEWEST: usize = 6;
const PRIVILEGED: usize = 8;

#[derive(Template)]
#[template(path = "overview.html")]
struct View {
    frame: Frame,
    read: Vec<Read>,
    figures: Vec<Figure>,
    levels: Vec<Figure>,
    findings: Table,
    privileged: Table,
    privileged_all: String,
    history: Vec<Entry>,
    connectors: Vec<Health>,
    tiles: Vec<Shown>,
    /// Whether the tiles show what can be done with them, and where they do or do not.
    arranging: bool,
    arrange: String,
    may_add: bool,
    /// Nothing was ever read.
    fresh: bool,
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Overview").await?.here("Overview");
    let readings = if frame.may(&call, Operation::ListApps) {
        call.state.desk.readings(frame.connector(), frame.at()).await?
    } else {
        Vec::new()
    };
    let (levels, findings) = findings(&call, &frame).await?;
    let arranging = frame.asked.get("arrange").is_some();
    let view = View {
        read: frame.read(&readings),
        figures: figures(&frame, &readings),
        levels,
        findings,
        privileged: privileged(&call, &frame).await?,
        privileged_all: frame
            .asked
            .only(&["as_of", "connector"])
            .with("only", "admins")
            .with("sort", "-admin_of")
            .at("/people"),
        history: history(&call, &frame, &readings).await?,
        connectors: health(&call, &frame).await?,
        tiles: if readings.is_empty() { Vec::new() } else { tiles(&call, &frame, &readings).await? },
        arranging,
        arrange: frame.asked.with("arrange", if arranging { "" } else { "yes" }).at("/"),
        may_add: frame.may(&call, Operation::CreateConnector),
        fresh: readings.is_empty(),
        frame,
    };
    shown(StatusCode::OK, &view)
}

fn figures(frame: &Frame, readings: &[Reading]) -> Vec<Figure> {
    let sum = |of: fn(&Reading) -> u64| readings.iter().map(of).sum::<u64>();
    let to = |path: &str| Some(frame.to(path));
    vec![
        Figure::new(sum(|reading| reading.counts.users), "people", to("/people")),
        Figure::new(sum(|reading| reading.counts.teams), "teams", to("/teams")),
        Figure::new(sum(|reading| reading.counts.apps), "apps", to("/apps")),
        Figure::new(
            sum(|reading| reading.counts.enterprise_accounts),
            "Enterprise accounts",
            to("/enterprise-accounts"),
        ),
        Figure::new(sum(|reading| reading.counts.grants), "direct grants", None),
    ]
}

async fn findings(call: &Call, frame: &Frame) -> Result<(Vec<Figure>, Table), ApiError> {
    if !frame.may(call, Operation::ListFindings) {
        return Ok((Vec::new(), findings_table(frame, &[], &HashMap::new())));
    }
    let open = call.state.desk.open_findings(frame.connector(), NEWEST).await?;
    let table = findings_table(frame, &open.worst, &titles(call, frame).await?);
    Ok((by_level(frame, &open.levels), table))
}

async fn privileged(call: &Call, frame: &Frame) -> Result<Table, ApiError> {
    let mut rows = Vec::new();
    if frame.may(call, Operation::ListPeople) {
        let browse = Browse {
            connector: frame.connector().map(ToOwned::to_owned),
            as_of: frame.at(),
            filters: vec![("only".to_owned(), "admins".to_owned())],
            sort: "admin_of".to_owned(),
            descending: true,
            ..Browse::default()
        };
        let found: Browsed<PersonLine> = call.state.desk.browse(&browse, None, PRIVILEGED).await?;
        for row in found.rows {
            let href = frame.object("people", &row.row.user.id, row.connector.as_deref());
            let name = Name::or(row.row.user.email.as_deref(), "no address");
            let safe = row.row.user.federated == Some(true) || row.row.user.two_factor == Some(true);
            let teams = usize::try_from(row.row.admin_of).unwrap_or(usize::MAX);
            let of = match teams {
                0 => "manages an Enterprise account".to_owned(),
                teams => format!("admin of {}", count(teams, "team", "teams")),
            };
            rows.push(vec![
                Cell::Link(name, href, Some(Name::new(&of))),
                match (safe, row.row.user.two_factor) {
                    (true, _) => Cell::Nothing,
                    (_, Some(false)) => Cell::Badge(Badge::new(Tone::Bad, "password alone")),
                    _ => Cell::Nothing,
                },
            ]);
        }
    }
    let heads = ["Person", "Signs in with"].map(Head::plain).to_vec();
    Ok(Table { caption: "Who is privileged".to_owned(), heads, rows })
}

async fn history(call: &Call, frame: &Frame, readings: &[Reading]) -> Result<Vec<Entry>, ApiError> {
    let mut entries = Vec::new();
    if frame.may(call, Operation::ListChanges) {
        for reading in readings {
            entries.extend(recent(call, frame, reading, up_to(frame), RECENT).await?);
        }
    }
    entries.sort_by(|one, other| other.when.iso.cmp(&one.when.iso));
    entries.truncate(usize::try_from(RECENT).unwrap_or(usize::MAX));
    from_where(&mut entries, readings);
    Ok(entries)
}
