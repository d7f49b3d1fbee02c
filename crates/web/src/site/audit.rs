//! The audit trail: what happened and who did it, one entry, and whether it was changed behind one's back.
//!
//! Invariant: what stands in an entry was written by others; it is shown as it was recorded, whether it can be read or not.

mod entry;
mod verify;

use askama::Template;
use axum::http::{StatusCode, header};
use metsuke_engine::audit::EventSelect;
use metsuke_engine::desk::{Estate, EventLine, Events, Merged, Place, Placed, merged};
use metsuke_engine::identity::Operation;
use metsuke_model::AsOf;
use metsuke_model::audit::{EventCode, EventOutcome};
use serde_json::{Value, json};

use super::asked::Asked;
use super::cell::{Badge, Cell, Head, Table, Tone};
use super::frame::{Choice, Frame, page as shown};
use super::list::Facet;
use super::words::{Name, When};
use crate::answer::Answer;
use crate::call::Call;
use crate::cursor;
use crate::error::ApiError;
use crate::handlers::{EVENTS, outcome};
use crate::table::csv;

pub(super) use entry::one;
pub(super) use verify::{sign, verify};

/// Entries of a page, and of a file.
const PAGE: usize = 100;
const FILE: usize = 100_000;
/// The installation's own trail, as addresses name it.
const OWN: &str = "main";
/// What a filter may be, in the address.
const FILTERS: [&str; 7] = ["who", "code", "subject", "outcome", "since", "until", "trail"];

/// Codes of one group, to choose from.
struct Group {
    name: String,
    codes: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct View {
    frame: Frame,
    outcomes: Vec<Facet>,
    groups: Vec<Group>,
    trails: Vec<Choice>,
    asked: Filter,
    table: Table,
    csv: String,
    next: String,
    first: String,
    all: String,
    may_verify: bool,
    /// Where the whole trail is carried off to be verified elsewhere; empty for whoever may not.
    export: String,
}

struct Filter {
    who: String,
    subject: String,
    since: String,
    until: String,
    kept: Vec<(String, String)>,
}

/// The trails that are asked for: all, the installation's own, or that of a connector.
async fn trails(call: &Call, frame: &Frame) -> Result<Vec<Estate>, ApiError> {
    let desk = &call.state.desk;
    match (frame.asked.get("trail"), frame.connector()) {
        (Some(OWN), _) => Ok(desk.trails(None).await?.into_iter().take(1).collect()),
        (Some(id), _) | (None, Some(id)) => Ok(desk.trails(Some(id)).await?),
        (None, None) => Ok(desk.trails(None).await?),
    }
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Audit").await?.here("Audit");
    let asked = frame.asked.clone();
    let events = Events { select: select(&frame, &asked)? };
    let trails = trails(&call, &frame).await?;
    if asked.get("format") == Some("csv") {
        let found = merged(&events, trails, Vec::new(), FILE).await?;
        let rows: Vec<Value> = found.rows.iter().map(|row| json!(row)).collect();
        return Ok(Answer::typed(StatusCode::OK, "text/csv; charset=utf-8", csv(EVENTS, &rows))
            .with(header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""));
    }
    let list = Operation::ListEvents;
    let read = |text: &str| cursor::read::<Vec<Place<u64>>>(list, text);
    let after = asked.get("cursor").map(read).transpose()?;
    let is_first = after.is_none();
    let names = names(&call).await?;
    let Merged { rows, next } = merged(&events, trails, after.unwrap_or_default(), PAGE).await?;
    let here = asked.without(&["cursor"]);
    let next = next.and_then(|next| cursor::write(list, &next));
    let own = |name: &str| asked.get(name).unwrap_or_default().to_owned();
    let several = names.len() > 1;
    let view = View {
        outcomes: outcomes(&here),
        groups: groups(asked.get("code").unwrap_or_default()),
        trails: if several { choices(&names, asked.get("trail").unwrap_or_default()) } else { Vec::new() },
        table: table(&frame, &rows, &names),
        csv: here.with("format", "csv").at("/audit"),
        next: next.map(|next| here.with("cursor", &next).at("/audit")).unwrap_or_default(),
        first: if is_first { String::new() } else { here.at("/audit") },
        all: if FILTERS.iter().any(|name| asked.get(name).is_some()) {
            here.without(&FILTERS).at("/audit")
        } else {
            String::new()
        },
        asked: Filter {
            who: own("who"),
            subject: own("subject"),
            since: own("since"),
            until: own("until"),
            kept: here.only(&["as_of", "connector", "outcome"]).pairs(),
        },
        may_verify: frame.may(&call, Operation::VerifyAudit),
        export: if frame.may(&call, Operation::ExportAudit) && call.state.installed.audit_key.is_some() {
            export(&frame)
        } else {
            String::new()
        },
        frame,
    };
    shown(StatusCode::OK, &view)
}

/// Where the trail that is looked at can be carried off.
fn export(frame: &Frame) -> String {
    let trail = frame.asked.get("trail").or(frame.connector()).filter(|trail| *trail != OWN);
    Asked::default().with("connector", trail.unwrap_or_default()).at("/api/v1/audit/export")
}

fn select(frame: &Frame, asked: &Asked) -> Result<EventSelect, ApiError> {
    let own = |name: &str| asked.get(name).map(str::to_owned);
    let until = match frame.at() {
        Some(AsOf::Time(at)) => Some(at),
        _ => None,
    };
    Ok(EventSelect {
        code: own("code"),
        actor: own("who"),
        subject: own("subject"),
        outcome: asked.get("outcome").map(outcome).transpose()?,
        since: super::changes::moment(asked, "since")?,
        until: super::changes::moment(asked, "until")?.or(until),
        ..EventSelect::default()
    })
}

/// What the trails are called, by the ids of their connectors; the installation's own has none.
async fn names(call: &Call) -> Result<Vec<(Option<String>, String)>, ApiError> {
    let trails = call.state.desk.trails(None).await?;
    let name = |trail: Estate| match &trail.connector {
        None => (None, "The installation".to_owned()),
        Some(_) => (trail.connector, trail.name),
    };
    Ok(trails.into_iter().map(name).collect())
}

fn choices(names: &[(Option<String>, String)], chosen: &str) -> Vec<Choice> {
    let choice = |value: &str, name: &str| Choice {
        value: value.to_owned(),
        name: Name::new(name),
        chosen: value == chosen,
    };
    let each = names.iter().map(|(id, name)| choice(id.as_deref().unwrap_or(OWN), name));
    std::iter::once(choice("", "All trails")).chain(each).collect()
}

fn outcomes(here: &Asked) -> Vec<Facet> {
    let chosen = here.get("outcome").unwrap_or_default().to_owned();
    let facet = |value: &str, name: &'static str| Facet {
        name,
        href: here.with("outcome", value).at("/audit"),
        current: chosen == value,
    };
    let each = EventOutcome::ALL.map(|outcome| facet(outcome.as_str(), outcome_name(outcome)));
    std::iter::once(facet("", "Everything")).chain(each).collect()
}

const fn outcome_name(outcome: EventOutcome) -> &'static str {
    match outcome {
        EventOutcome::Done => "Done",
        EventOutcome::Refused => "Refused",
        EventOutcome::Failed => "Failed",
        EventOutcome::Open => "Open",
    }
}

/// Every code, by what it is about.
fn groups(chosen: &str) -> Vec<Group> {
    let choice = |value: &str, name: String| Choice {
        value: value.to_owned(),
        name: Name::new(&name),
        chosen: value == chosen,
    };
    let mut groups: Vec<(&str, Group)> = Vec::new();
    for code in EventCode::ALL {
        let (group, _) = code.as_str().split_once('.').unwrap_or((code.as_str(), ""));
        let own = choice(code.as_str(), code.meaning().trim_end_matches('.').to_owned());
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, known)) => known.codes.push(own),
            None => {
                let name = capital(&group.replace('_', " "));
                let all = choice(group, format!("{name}: all"));
                groups.push((group, Group { name, codes: vec![all, own] }));
            }
        }
    }
    groups.sort_by_key(|(group, _)| *group);
    groups.into_iter().map(|(_, group)| group).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

fn table(frame: &Frame, rows: &[Placed<EventLine>], names: &[(Option<String>, String)]) -> Table {
    let several = names.len() > 1;
    let row = |placed: &Placed<EventLine>| {
        let event = &placed.row;
        let trail = placed.connector.as_deref().unwrap_or(OWN);
        let href = frame.to(&format!("/audit/{trail}/{}", event.sequence));
        let mut cells = vec![
            Cell::Link(Name::new(&what(event)), href, event.code.as_deref().map(Name::new)),
            event.at.map_or(Cell::Nothing, |at| Cell::When(When::new(at, frame.now))),
            event.actor.as_ref().map_or(Cell::Nothing, |actor| {
                let how = Some(Name::new(kind(actor.kind.as_str())));
                Cell::Link(without_id(&actor.name), String::new(), how)
            }),
            about(event, names),
            badge(event),
        ];
        if several {
            let name = names.iter().find(|(id, _)| *id == placed.connector).map(|(_, name)| name.as_str());
            cells.push(Cell::text(name));
        }
        cells
    };
    let mut heads = ["What happened", "When", "Who", "About", "Outcome"].map(Head::plain).to_vec();
    if several {
        heads.push(Head::plain("Trail"));
    }
    Table { caption: "Entries of the audit trail".to_owned(), heads, rows: rows.iter().map(row).collect() }
}

/// What an entry tells, in words.
fn what(event: &EventLine) -> String {
    match event.code.as_deref() {
        None => "An entry that cannot be read".to_owned(),
        Some(code) => match EventCode::parse(code) {
            Some(code) => code.meaning().trim_end_matches('.').to_owned(),
            None => code.to_owned(),
        },
    }
}

/// What sort of actor it was, in words.
fn kind(kind: &str) -> &str {
    match kind {
        "operator" => "at the command line",
        "connector" => "Metsuke itself",
        "person" => "signed in",
        "api_key" => "with a token",
        other => other,
    }
}

/// Whoever acted, without the id that stands behind the name; that is told when one points at it, and on the entry's page.
fn without_id(actor: &str) -> Name {
    match actor.strip_suffix(')').and_then(|actor| actor.rsplit_once(" (")) {
        Some((name, id)) if is_id(id) => {
            let shown = Name::new(name);
            Name { title: if shown.title.is_empty() { Name::head(actor).cut } else { shown.title }, ..shown }
        }
        _ => Name::new(actor),
    }
}

/// Whether a text is an id of ours, which says nothing to people.
fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// What it was done to: by name where that is known, else by the beginning of a long id.
fn about(event: &EventLine, names: &[(Option<String>, String)]) -> Cell {
    let told = |(kind, id): (&String, &Value)| {
        let id = id.as_str().unwrap_or_default();
        let known = names.iter().find(|(known, _)| kind == "connector" && known.as_deref() == Some(id));
        let shown = match known {
            Some((_, name)) => Name::new(name).cut,
            None if is_id(id) => format!("{}…", id.get(..13).unwrap_or_default()),
            None => id.to_owned(),
        };
        (format!("{} {shown}", kind.replace('_', " ")), format!("{} {id}", kind.replace('_', " ")))
    };
    let (shown, whole): (Vec<String>, Vec<String>) = event.subject.iter().map(told).unzip();
    if shown.is_empty() {
        return Cell::Nothing;
    }
    let (shown, whole) = (shown.join(", "), whole.join(", "));
    let name = Name::new(&shown);
    let title = if shown == whole { name.title.clone() } else { Name::head(&whole).cut };
    Cell::Text(Name { title, ..name })
}

fn badge(event: &EventLine) -> Cell {
    let tone = match event.outcome.as_deref() {
        Some("done") => Tone::Good,
        Some("refused") => Tone::Warn,
        Some("failed") => Tone::Bad,
        Some(_) => Tone::Calm,
        None => return Cell::Word("not known".into()),
    };
    Cell::Badge(Badge::new(tone, event.outcome.clone().unwrap_or_default()))
}
