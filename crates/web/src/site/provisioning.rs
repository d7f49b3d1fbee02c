//! Provisioning: the plans, what stops all writes, who is never changed, and whether connectors may write at all.
//!
//! Invariant: nothing here is sent to Heroku; that is for applying a plan alone.

mod add;
mod fix;
mod plan;
mod step;

use std::collections::HashMap;

use askama::Template;
use axum::http::{StatusCode, header};
use metsuke_engine::desk::{Merged, Place, Placed, PlanKey, PlanLine, Plans, ProtectedLine, Switch, merged};
use metsuke_engine::identity::Operation;
use metsuke_model::plan::PlanStatus;
use serde_json::{Value, json};

pub(super) use add::{add, create, planning};
pub(super) use fix::address as fix;
pub(super) use plan::{apply, approve, cancel, page as one};

use super::asked::segment;
use super::cell::{Badge, Cell, Head, Table, Tone};
use super::connectors::as_json;
use super::frame::{Frame, page as shown};
use super::list::Facet;
use super::settings::sent_to;
use super::words::{Name, When, number};
use crate::answer::Answer;
use crate::call::Call;
use crate::cursor;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::{PLANS, handle};
use crate::table::csv;

/// Plans of a page, and of a file.
const PAGE: usize = 50;
const FILE: usize = 10_000;
/// States, as the choice offers them.
const STATES: [(&str, &str, &[PlanStatus]); 5] = [
    ("", "All", &[]),
    ("waiting", "Waiting", &[PlanStatus::Planned, PlanStatus::Frozen, PlanStatus::Stopped]),
    ("open", "On the way", &[PlanStatus::Applying, PlanStatus::Unknown]),
    ("applied", "Applied", &[PlanStatus::Applied]),
    (
        "ended",
        "Not applied",
        &[PlanStatus::Refused, PlanStatus::Superseded, PlanStatus::Expired, PlanStatus::Cancelled],
    ),
];

#[derive(Template)]
#[template(path = "provisioning.html")]
struct View {
    frame: Frame,
    switches: Vec<Shown>,
    /// Whether every switch is on, and whether one is.
    all_on: bool,
    some_on: bool,
    facets: Vec<Facet>,
    words: String,
    kept: Vec<(String, String)>,
    table: Table,
    csv: String,
    next: String,
    first: String,
    narrowed: bool,
    writers: Table,
    protected: Vec<Protected>,
    may: May,
}

/// A kill switch as it is shown.
struct Shown {
    name: Name,
    connector: String,
    on: bool,
    when: When,
    by: String,
}

/// Somebody who is never changed.
struct Protected {
    person: Name,
    connector: String,
    action: String,
    since: When,
}

/// What whoever looks may do.
#[expect(clippy::struct_excessive_bools, reason = "each is a right of its own")]
struct May {
    plan: bool,
    switch: bool,
    protect: bool,
    reconcile: bool,
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Provisioning").await?.here("Provisioning");
    let asked = frame.asked.clone();
    let state = asked.get("state").unwrap_or_default().to_owned();
    let states = STATES.iter().find(|(word, ..)| *word == state).map_or(&[][..], |(.., states)| states);
    let words = asked.get("q").unwrap_or_default().to_owned();
    let listing = Plans { states: states.to_vec(), words: words.clone() };
    let estates = call.state.desk.estates(frame.connector()).await?;
    if asked.get("format") == Some("csv") {
        let found = merged(&listing, estates, Vec::new(), FILE).await?;
        let rows: Vec<Value> = found.rows.iter().map(|row| json!(row)).collect();
        return Ok(Answer::typed(StatusCode::OK, "text/csv; charset=utf-8", csv(PLANS, &rows))
            .with(header::CONTENT_DISPOSITION, "attachment; filename=\"plans.csv\""));
    }
    let names: HashMap<String, String> =
        estates.iter().filter_map(|one| Some((one.connector.clone()?, one.name.clone()))).collect();
    let after: Option<Vec<Place<PlanKey>>> =
        asked.get("cursor").map(|cursor| cursor::read(call.operation, cursor)).transpose()?;
    let is_first = after.is_none();
    let Merged { rows, next } = merged(&listing, estates, after.unwrap_or_default(), PAGE).await?;
    let here = asked.without(&["cursor"]);
    let facet = |(word, name, _): &(&'static str, &'static str, &[PlanStatus])| Facet {
        name,
        href: here.with("state", word).at("/provisioning"),
        current: *word == state,
    };
    let next = next.as_ref().and_then(|next| cursor::write(call.operation, next));
    let switches = switches(&call, &frame, &names).await?;
    let may = May {
        plan: frame.may(&call, Operation::CreatePlan),
        switch: frame.may(&call, Operation::SetKillSwitch),
        protect: frame.may(&call, Operation::Protect),
        reconcile: frame.may(&call, Operation::ReconcilePlans),
    };
    let view = View {
        all_on: switches.iter().all(|switch| switch.on),
        some_on: switches.iter().any(|switch| switch.on),
        switches,
        facets: STATES.iter().map(facet).collect(),
        kept: here.without(&["q"]).pairs(),
        table: table(&frame, &rows, &names),
        csv: here.with("format", "csv").at("/provisioning"),
        next: next.map(|next| here.with("cursor", &next).at("/provisioning")).unwrap_or_default(),
        first: if is_first { String::new() } else { here.at("/provisioning") },
        narrowed: !state.is_empty() || !words.is_empty(),
        words,
        writers: writers(&call, &frame).await?,
        protected: protected(&call, &frame).await?,
        may,
        frame,
    };
    shown(StatusCode::OK, &view)
}

/// Who did something, without the id that the audit trail keeps beside it.
fn who(actor: &str) -> String {
    let plain = actor.rsplit_once(" (").filter(|(_, id)| id.ends_with(')')).map_or(actor, |(name, _)| name);
    Name::new(plain).cut
}

/// The word for a plan that somebody else has to approve first.
fn waiting() -> Badge {
    Badge::new(Tone::Warn, "waits for a second person")
}

/// How far a plan has come, as a word.
fn badge(status: PlanStatus) -> Badge {
    let (tone, word) = match status {
        PlanStatus::Planned => (Tone::Warn, "waits for approval"),
        PlanStatus::Frozen => (Tone::Bad, "frozen"),
        PlanStatus::Applying => (Tone::Busy, "applying"),
        PlanStatus::Applied => (Tone::Good, "applied"),
        PlanStatus::Refused => (Tone::Bad, "refused"),
        PlanStatus::Stopped => (Tone::Warn, "stopped"),
        PlanStatus::Unknown => (Tone::Bad, "not known"),
        PlanStatus::Superseded => (Tone::Calm, "superseded"),
        PlanStatus::Expired => (Tone::Calm, "expired"),
        PlanStatus::Cancelled => (Tone::Calm, "called off"),
    };
    Badge::new(tone, word)
}

fn table(frame: &Frame, rows: &[Placed<PlanLine>], names: &HashMap<String, String>) -> Table {
    let several = names.len() > 1;
    let row = |plan: &Placed<PlanLine>| {
        let (connector, plan) = (&plan.connector, &plan.row);
        let href = frame.to(&format!("/provisioning/{}", segment(&plan.id)));
        let name = connector.as_ref().filter(|_| several).and_then(|id| names.get(id));
        let asked_for = match name {
            Some(name) => format!("{name}, asked for by {}", who(&plan.actor)),
            None => format!("asked for by {}", who(&plan.actor)),
        };
        // Nobody says of a plan that has become too old in the meantime that it has.
        let expired = plan.status == PlanStatus::Planned && plan.expires_at < frame.now;
        let status = if expired { PlanStatus::Expired } else { plan.status };
        vec![
            Cell::Link(Name::new(&capital(&plan.title)), href, Some(Name::new(&asked_for))),
            Cell::Badge(if plan.waits_for_approval && plan.expires_at >= frame.now {
                waiting()
            } else {
                badge(status)
            }),
            Cell::When(When::new(plan.created_at, frame.now)),
            Cell::Number(if plan.done > 0 && plan.done < plan.steps {
                format!("{} of {}", number(plan.done as u64), number(plan.steps as u64))
            } else {
                number(plan.steps as u64)
            }),
            plan.reason.as_deref().map_or(Cell::Nothing, |reason| Cell::Text(Name::new(reason))),
        ]
    };
    let mut heads = ["Plan", "State", "When", "Changes", "What came of it"].map(Head::plain).to_vec();
    if let Some(head) = heads.get_mut(3) {
        head.number = true;
    }
    Table { caption: "Plans".to_owned(), heads, rows: rows.iter().map(row).collect() }
}

/// A title with a capital in front.
fn capital(title: &str) -> String {
    // An address stays as it is.
    if title.split(' ').next().is_some_and(|word| word.contains('@')) {
        return title.to_owned();
    }
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

async fn switches(
    call: &Call,
    frame: &Frame,
    names: &HashMap<String, String>,
) -> Result<Vec<Shown>, ApiError> {
    if !frame.may(call, Operation::GetKillSwitch) {
        return Ok(Vec::new());
    }
    let shown = |switch: Placed<Switch>| {
        let name = switch.connector.as_ref().map(|id| names.get(id).map_or(&**id, String::as_str));
        Shown {
            name: Name::or(name, "Commands without a connector"),
            connector: switch.connector.unwrap_or_default(),
            on: switch.row.on,
            when: switch.row.turned_at.map(|at| When::new(at, frame.now)).unwrap_or_default(),
            by: switch.row.turned_by.as_deref().map(who).unwrap_or_default(),
        }
    };
    let switches = call.state.desk.kill_switch(frame.connector()).await?;
    Ok(switches.into_iter().map(shown).collect())
}

/// Whether each connector may write.
async fn writers(call: &Call, frame: &Frame) -> Result<Table, ApiError> {
    let mut table = Table {
        caption: "Connectors".to_owned(),
        heads: ["Connector", "Writes"].map(Head::plain).to_vec(),
        rows: Vec::new(),
    };
    if frame.may(call, Operation::ListConnectors) {
        for connector in call.state.desk.installation().connectors().await? {
            let allowed = connector.settings.provisioning;
            let badge = if allowed {
                Badge::new(Tone::Good, "allowed")
            } else {
                Badge::new(Tone::Calm, "not allowed")
            };
            let href = frame.to(&format!("/connectors/{}", connector.id));
            table.rows.push(vec![Cell::Link(Name::new(&connector.name), href, None), Cell::Badge(badge)]);
        }
    }
    Ok(table)
}

async fn protected(call: &Call, frame: &Frame) -> Result<Vec<Protected>, ApiError> {
    if !frame.may(call, Operation::ListProtected) {
        return Ok(Vec::new());
    }
    let shown = |line: Placed<ProtectedLine>| Protected {
        person: Name::new(&line.row.person),
        action: format!("/provisioning/protected/{}/remove", segment(&line.row.person)),
        connector: line.connector.unwrap_or_default(),
        since: When::day(line.row.added_at, frame.now),
    };
    let mut lines: Vec<Protected> =
        call.state.desk.protected(frame.connector()).await?.into_iter().map(shown).collect();
    // Who is protected everywhere stands there once.
    lines.sort_by(|one, other| (&one.person.cut, &one.connector).cmp(&(&other.person.cut, &other.connector)));
    lines.dedup_by(|one, other| one.person == other.person);
    Ok(lines)
}

/// Of which connector a form speaks; none where it names none.
pub(super) fn of_connector(form: &Form) -> Option<String> {
    Some(form.text("connector")).filter(|connector| !connector.is_empty())
}

pub(super) async fn turn(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let body = json!({ "on": form.text("on") == "yes", "connector": of_connector(&form) });
    handle(as_json(call, &body)).await?;
    Ok(sent_to("/provisioning"))
}

pub(super) async fn protect(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let body = json!({ "person": form.text("person").trim(), "connector": of_connector(&form) });
    handle(as_json(call, &body)).await?;
    Ok(sent_to("/provisioning#protected"))
}

pub(super) async fn unprotect(call: Call) -> Result<Answer, ApiError> {
    handle(call).await?;
    Ok(sent_to("/provisioning#protected"))
}

/// Settles what interrupted plans left open, in every estate that is looked at.
pub(super) async fn reconcile(call: Call) -> Result<Answer, ApiError> {
    let desk = &call.state.desk;
    for estate in desk.estates(None).await? {
        if estate.connector.is_some() {
            desk.reconcile(call.caller()?, estate.connector.as_deref()).await?;
        }
    }
    Ok(sent_to("/provisioning"))
}
