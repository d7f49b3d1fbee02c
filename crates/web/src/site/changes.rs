//! The feed of changes, and one change.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::changes::{ChangeKind, EventFilter};
use metsuke_engine::desk::{Happenings, Place, Reading, merged};
use metsuke_model::Moment;

use super::asked::Asked;
use super::feed::{Bit, Entry, entries as together, entry, from_where, up_to};
use super::frame::{Frame, Read, page as shown};
use crate::answer::Answer;
use crate::call::Call;
use crate::cursor;
use crate::error::ApiError;

/// Entries of a page.
const PAGE: usize = 60;
/// Effects that one change's own page names.
const ALL_EFFECTS: usize = 500;
/// Kinds of things that change, as the choice offers them.
const KINDS: &[(&str, &str)] = &[
    ("", "Everything"),
    ("grant", "Access"),
    ("user", "People"),
    ("team", "Teams"),
    ("app", "Apps"),
    ("addon", "Add-ons"),
    ("invitation", "Invitations"),
];

struct Facet {
    name: &'static str,
    href: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "changes.html")]
struct View {
    frame: Frame,
    read: Vec<Read>,
    facets: Vec<Facet>,
    asked: Filter,
    entries: Vec<Entry>,
    next: String,
    first: String,
    all: String,
}

/// What the form of the feed holds.
struct Filter {
    text: String,
    since: String,
    until: String,
    person: String,
    resource: String,
    kept: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "change.html")]
struct One {
    frame: Frame,
    read: Vec<Read>,
    entry: Entry,
    number: String,
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Changes").await?.here("Changes");
    let readings = call.state.desk.readings(frame.connector(), frame.at()).await?;
    let asked = frame.asked.clone();
    let filter = filter(&frame, &asked)?;
    let after: Option<Vec<Place<Box<str>>>> =
        asked.get("cursor").map(|cursor| cursor::read(call.operation, cursor)).transpose()?;
    let estates = call.state.desk.recorded(frame.connector()).await?;
    let found = merged(&Happenings { filter }, estates, after.unwrap_or_default(), PAGE).await?;
    let next = found.next.as_ref().and_then(|next| cursor::write(call.operation, next));
    let next = next.map(|next| asked.with("cursor", &next).at("/changes")).unwrap_or_default();
    let mut entries = together(&frame, found.rows.iter().map(|row| (row.connector.as_deref(), &row.row)));
    from_where(&mut entries, &readings);
    let own = |name: &str| asked.get(name).unwrap_or_default().to_owned();
    let kind = own("kind");
    let here = asked.without(&["cursor"]);
    let facet = |(value, name): &(&'static str, &'static str)| Facet {
        name,
        href: here.with("kind", value).at("/changes"),
        current: *value == kind,
    };
    let narrowed = ["q", "since", "until", "person", "resource", "kind"];
    let view = View {
        read: frame.read(&readings),
        facets: KINDS.iter().map(facet).collect(),
        entries,
        next,
        first: if asked.get("cursor").is_some() { here.at("/changes") } else { String::new() },
        all: if narrowed.iter().any(|name| asked.get(name).is_some()) {
            here.without(&narrowed).at("/changes")
        } else {
            String::new()
        },
        asked: Filter {
            text: own("q"),
            since: own("since"),
            until: own("until"),
            person: own("person"),
            resource: own("resource"),
            kept: here.only(&["as_of", "connector", "kind"]).pairs(),
        },
        frame,
    };
    shown(StatusCode::OK, &view)
}

fn filter(frame: &Frame, asked: &Asked) -> Result<EventFilter, ApiError> {
    let own = |name: &str| asked.get(name).map(str::to_owned);
    let change = match asked.get("change") {
        Some("added") => vec![ChangeKind::Added],
        Some("removed") => vec![ChangeKind::Removed],
        Some("changed") => vec![ChangeKind::Changed],
        _ => Vec::new(),
    };
    let before = up_to(frame);
    Ok(EventFilter {
        kinds: asked.get("kind").map(str::to_owned).into_iter().collect(),
        changes: change,
        text: own("q"),
        principal: own("person"),
        resource: own("resource"),
        since: moment(asked, "since")?,
        until: moment(asked, "until")?.or(before.until),
        ..before
    })
}

/// A moment, or the first one of a day.
pub(super) fn moment(asked: &Asked, name: &str) -> Result<Option<Moment>, ApiError> {
    let Some(text) = asked.get(name) else { return Ok(None) };
    let read = Moment::parse(text).or_else(|| Moment::parse(&format!("{text}T00:00:00Z")));
    let wrong = || {
        ApiError::invalid(name, "it is a date such as 2026-11-21, or a moment such as 2026-11-21T08:00:00Z")
    };
    read.map(Some).ok_or_else(wrong)
}

pub(super) async fn one(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id").to_owned();
    let frame = Frame::of(&call, format!("Change {id}")).await?.below("Changes", "/changes").here(&id);
    let readings: Vec<Reading> = call.state.desk.readings(frame.connector(), None).await?;
    for reading in &readings {
        let Some(event) = call.state.desk.happening(reading, &id).await? else { continue };
        let entry = entry(&frame, &event, reading.connector.as_deref(), ALL_EFFECTS);
        let read = frame.read(std::slice::from_ref(reading));
        return shown(StatusCode::OK, &One { read, entry, number: id, frame });
    }
    Err(ApiError::not_found(format!("there is no change `{id}`")))
}
