//! One entry of an audit trail: what it tells, what it was done to, and the text that counts.
//!
//! Invariant: as of the list; and the text stands there as it was hashed.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::desk::{EventLine, TrailEntry};
use serde_json::Value;

use super::{OWN, badge, kind, names, what};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::site::ROUTES;
use crate::site::asked::segment;
use crate::site::cell::{Cell, Head, Table};
use crate::site::frame::{Frame, page as shown};
use crate::site::words::{Name, When};

#[derive(Template)]
#[template(path = "audit_entry.html")]
struct View {
    frame: Frame,
    number: u64,
    what: String,
    facts: Vec<(&'static str, Cell)>,
    details: Table,
    /// The text that was hashed, laid out where it can be read.
    text: String,
    leaf: String,
    before: String,
    after: String,
}

pub(in crate::site) async fn one(call: Call) -> Result<Answer, ApiError> {
    let asked = call.segment("number").to_owned();
    let trail = call.segment("trail").to_owned();
    let unknown = || ApiError::not_found(format!("there is no entry `{asked}`"));
    let number: u64 = asked.parse().map_err(|_| unknown())?;
    let connector = Some(trail.as_str()).filter(|trail| *trail != OWN);
    let entry = call.state.desk.trail_entry(connector, number).await?;
    let frame = Frame::of(&call, format!("Entry {number}")).await?;
    let frame = frame.below("Audit", "/audit").here(&format!("Entry {number}"));
    let names = names(&call).await?;
    let name = names.iter().find(|(id, _)| id.as_deref() == connector).map(|(_, name)| name.as_str());
    let place = |number: u64| frame.to(&format!("/audit/{}/{number}", segment(&trail)));
    let TrailEntry { event, text, leaf, followed } = entry;
    let view = View {
        number,
        what: what(&event),
        facts: facts(&frame, &event, connector, name),
        details: details(&event),
        text: laid_out(&text),
        leaf,
        before: number.checked_sub(1).map(place).unwrap_or_default(),
        after: if followed { place(number.saturating_add(1)) } else { String::new() },
        frame,
    };
    shown(StatusCode::OK, &view)
}

fn facts(
    frame: &Frame,
    event: &EventLine,
    connector: Option<&str>,
    trail: Option<&str>,
) -> Vec<(&'static str, Cell)> {
    let mut facts = Vec::new();
    facts.extend(event.at.map(|at| ("When", Cell::When(When::new(at, frame.now)))));
    facts.extend(event.actor.as_ref().map(|actor| {
        let how = Name::new(kind(actor.kind.as_str()));
        let by = frame.asked.only(&[]).with("who", &actor.name).at("/audit");
        ("Who", Cell::Link(Name::head(&actor.name), by, Some(how)))
    }));
    facts.extend(event.code.as_deref().map(|code| {
        let same = frame.asked.only(&[]).with("code", code).at("/audit");
        ("Code", Cell::Link(Name::new(code), same, None))
    }));
    facts.push(("Outcome", badge(event)));
    for (kind, id) in &event.subject {
        let id = id.as_str().unwrap_or_default();
        let href = place_of(frame, kind, id, connector);
        let told = Some(Name::new(&kind.replace('_', " ")));
        facts.push(("About", Cell::Link(Name::head(id), href, told)));
    }
    facts.push(("Trail", Cell::text(trail)));
    facts
}

/// The page of what an entry is about, where it has one.
fn place_of(frame: &Frame, kind: &str, id: &str, connector: Option<&str>) -> String {
    let (list, of_estate) = match kind {
        "connector" => ("connectors", false),
        "account" => ("settings/accounts", false),
        "plan" => ("provisioning", false),
        "rule" => ("rules", false),
        "finding" => ("findings", false),
        "app" => ("apps", true),
        "team" => ("teams", true),
        "user" | "person" => ("people", true),
        _ => return String::new(),
    };
    let is_page = ROUTES.iter().any(|route| route.path == format!("/{list}/{{id}}"));
    match (is_page, of_estate) {
        (false, _) => String::new(),
        (true, true) => frame.object(list, &id, connector),
        (true, false) => frame.to(&format!("/{list}/{}", segment(id))),
    }
}

fn details(event: &EventLine) -> Table {
    let row = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Null => Cell::Nothing,
            Value::String(text) => Cell::Text(Name::head(text)),
            value => Cell::Text(Name::head(&value.to_string())),
        };
        vec![Cell::Text(Name::new(&name.replace('_', " "))), value]
    };
    let heads = ["What", "Value"].map(Head::plain).to_vec();
    Table { caption: "Details".to_owned(), heads, rows: event.details.iter().map(row).collect() }
}

/// A text over several lines, where it is JSON; else as it is.
fn laid_out(text: &str) -> String {
    let read = serde_json::from_str::<Value>(text).ok();
    let laid = read.and_then(|value| serde_json::to_string_pretty(&value).ok());
    laid.unwrap_or_else(|| text.to_owned())
}
