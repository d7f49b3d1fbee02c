//! The console for questions in J1QL: the text, ready questions beside it, and what came of it.
//!
//! Reading and answering a question is the engine's business; the page says what the engine says.
//!
//! Invariant: whatever is asked stands in the page's address, so that an answer can be sent to somebody as a link.

mod found;
mod given;
mod kept;
mod library;
mod questions;
mod write;

use askama::Template;
use axum::http::{StatusCode, header};
use metsuke_engine::EngineError;
use metsuke_engine::desk::{Estate, Question, Reading, ask, explained};
use metsuke_engine::identity::Operation;
use metsuke_engine::query::{Answer as Found, render};
use metsuke_engine::questions::{QuestionLine, Source};
use metsuke_model::graph::Metadata;
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;
use serde_json::json;

use found::{table, tree};
use given::{Given, given};
use library::{Library, library};

use super::asked::Asked as Words;
use super::cell::{Cell, Table};
use super::frame::{Choice, Frame, Read, page as shown};
use super::words::{Name, count, number};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::handlers::query::{MOST_ROWS, ROWS, TIME};
use crate::table::sheet;

pub(super) use found::{Step, lines, name_of, type_of, verb, word};
pub(super) use kept::{page as question, place, remove, share};
pub(super) use questions::page as questions;
pub(super) use write::{add, create, edit, save};

/// Rows that are shown at once.
const PAGE: usize = 100;
/// The longest JSON that is shown, in bytes.
const LONGEST: usize = 60_000;
/// What stands in the editor where nobody has asked anything.
const FIRST: &str = "FIND heroku_account_member AS person\n  THAT ACCESSES AS way heroku_application AS app\nRETURN person.email, app.name, way.permissions, way.via\nLIMIT 100";
/// The numbers of rows that one can choose.
const LIMITS: [usize; 4] = [100, 1_000, 10_000, MOST_ROWS];
/// The ways to look at an answer.
const VIEWS: [(&str, &str); 4] = [("table", "Table"), ("tree", "Tree"), ("json", "JSON"), ("plan", "Plan")];

#[derive(Template)]
#[template(path = "query.html")]
struct View {
    frame: Frame,
    read: Vec<Read>,
    text: String,
    library: Library,
    /// The ready question that stands in the editor, and where it is told of.
    ready: Option<(QuestionLine, String)>,
    may_keep: bool,
    given: Vec<Given>,
    limits: Vec<Choice>,
    gone: bool,
    outcome: Outcome,
}

/// What came of it.
enum Outcome {
    /// Nothing was asked yet; why not.
    Waits(String),
    /// It is not understood: pictures of the places.
    Wrong(String),
    /// It could not be answered.
    Refused(String, String),
    /// It was answered.
    Told(Box<Told>),
}

struct Told {
    views: Vec<(&'static str, String, bool)>,
    tally: String,
    took: String,
    truncated: bool,
    warnings: Vec<String>,
    files: Vec<(&'static str, String)>,
    graph: String,
    /// Where a rule is made of the question; empty for whoever may not.
    rule: String,
    tile: Pin,
    body: Body,
    pages: (String, String),
}

/// How the question is put on the overview of whoever asks.
enum Pin {
    /// It cannot be: it leaves something open, or whoever asks may not.
    No,
    /// By a form that goes there.
    Now(String),
    /// Once it is saved, there.
    Saved(String),
}

enum Body {
    Nothing,
    Table(Table),
    Tree(Vec<Step>),
    Json(String, bool),
    Plan(String, Vec<String>),
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Query").await?.here("Query");
    let readings = call.state.desk.readings(frame.connector(), frame.at()).await?;
    let ready = ready(&call, &frame).await?;
    let text = match (frame.asked.get("q"), &ready) {
        (Some(text), _) => text.replace("\r\n", "\n"),
        (None, Some(ready)) => ready.text.clone(),
        (None, None) => FIRST.to_owned(),
    };
    let ready = ready.filter(|ready| ready.text == text);
    let described = ready.as_ref().filter(|ready| ready.source == Source::Library);
    let given = given(&text, described.map(|ready| &*ready.variables), &frame.asked);
    let gone = frame.asked.get("gone").is_some() || ready.as_ref().is_some_and(|ready| ready.include_deleted);
    let rows = frame.asked.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(ROWS);
    let rows = rows.clamp(1, MOST_ROWS);
    let idle = frame.asked.get("q").is_none() && ready.is_none();
    let missing: Vec<&str> =
        given.iter().filter(|one| one.value.is_empty()).map(|one| one.name.as_str()).collect();
    let outcome = match (&readings[..], idle, &missing[..]) {
        ([], ..) => Outcome::Waits(
            "Nothing was read yet. A question can be asked once a connector has synced.".to_owned(),
        ),
        ([_, _, ..], ..) => {
            Outcome::Waits("A question is asked of one connector. Choose one above.".to_owned())
        }
        (_, true, _) => Outcome::Waits("Press “Ask”, or choose a ready question.".to_owned()),
        (_, _, [name, ..]) => Outcome::Waits(format!("Say what ${{{name}}} is, then press “Ask”.")),
        ([reading], ..) => {
            let question = Question {
                text: text.clone(),
                as_of: frame.at(),
                variables: given.iter().map(|one| (one.name.clone(), one.json())).collect(),
                account_name: None,
                include_deleted: gone,
                most_rows: rows,
                time_limit: TIME,
            };
            match answered(&call, &frame, reading, question).await? {
                Asked::File(answer) => return Ok(answer),
                Asked::Page(outcome) => outcome,
            }
        }
    };
    let status = match &outcome {
        Outcome::Wrong(_) | Outcome::Refused(..) => StatusCode::UNPROCESSABLE_ENTITY,
        Outcome::Waits(_) | Outcome::Told(_) => StatusCode::OK,
    };
    let choice = |limit: usize| Choice {
        value: limit.to_string(),
        name: Name::new(&format!("{} rows", number(limit as u64))),
        chosen: limit == rows,
    };
    let view = View {
        read: frame.read(&readings),
        library: library(&call, &frame, ready.as_ref()).await?,
        ready: ready.map(|ready| {
            let href = frame.to(&kept::place(&ready.id));
            (ready, href)
        }),
        may_keep: frame.may(&call, Operation::CreateQuestion),
        given,
        limits: LIMITS.map(choice).to_vec(),
        gone,
        outcome,
        text,
        frame,
    };
    shown(status, &view)
}

/// The ready question that the address names; none where there is no such one, as there may be after a while.
async fn ready(call: &Call, frame: &Frame) -> Result<Option<QuestionLine>, ApiError> {
    let Some(id) = frame.asked.get("ask") else { return Ok(None) };
    match call.state.desk.question(call.caller()?, id).await {
        Ok(found) => Ok(Some(found)),
        Err(EngineError::Unknown { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The types, verbs and properties, for those who type.
pub(super) fn catalogue() -> Result<Answer, ApiError> {
    let types: Vec<_> = ENTITY_TYPES
        .iter()
        .map(|known| {
            let properties: Vec<&str> = known.properties.iter().map(|property| property.name).collect();
            json!({ "name": known.name, "class": known.class, "told": known.description, "properties": properties })
        })
        .collect();
    let verbs: Vec<_> = RELATIONSHIP_TYPES
        .iter()
        .map(|known| {
            let properties: Vec<&str> = known.properties.iter().map(|property| property.name).collect();
            json!({ "verb": known.verb, "from": known.from, "to": known.to, "told": known.description, "properties": properties })
        })
        .collect();
    let metadata: Vec<&str> = Metadata::ALL.iter().map(|(name, ..)| *name).collect();
    Answer::ok(&json!({ "types": types, "relationships": verbs, "metadata": metadata }))
}

/// A page's part, or a file.
enum Asked {
    File(Answer),
    Page(Outcome),
}

async fn answered(
    call: &Call,
    frame: &Frame,
    reading: &Reading,
    question: Question,
) -> Result<Asked, ApiError> {
    let connector = reading.connector.as_deref();
    let estate = call.state.desk.estate(connector.or(frame.connector())).await?;
    let text = question.text.clone();
    match told(call, frame, &estate, question).await {
        Ok(asked) => Ok(asked),
        Err(EngineError::Query { errors, .. }) => Ok(Asked::Page(Outcome::Wrong(render(&text, &errors)))),
        Err(error) => {
            let error = ApiError::from(error);
            if error.status.is_server_error() {
                return Err(error);
            }
            Ok(Asked::Page(Outcome::Refused(error.message, error.hint.unwrap_or_default())))
        }
    }
}

async fn told(call: &Call, frame: &Frame, estate: &Estate, question: Question) -> Result<Asked, EngineError> {
    let now = call.state.clock.now();
    let view = frame.asked.get("view").filter(|view| VIEWS.iter().any(|(known, _)| known == view));
    if view == Some("plan") {
        let (statement, steps) = explained(estate, question, now).await?;
        let body = Body::Plan(statement.sql, steps);
        return Ok(Asked::Page(Outcome::Told(Box::new(Told { body, ..Told::of(frame, "plan") }))));
    }
    let text = question.text.clone();
    let rule = settled(&question).filter(|_| frame.may(call, Operation::CreateRule));
    let rule = rule.map(|text| Words::default().with("q", &text).at("/rules/add")).unwrap_or_default();
    let tile = pin(call, frame, &question).await?;
    let found = ask(estate, question, now).await?;
    match frame.asked.get("format") {
        Some("csv") => return Ok(Asked::File(csv(&found))),
        Some("json") => {
            return Ok(Asked::File(file("answer.json", "application/json", found.to_json().to_string())));
        }
        _ => {}
    }
    let usual = if found.kind() == "tree" { "tree" } else { "table" };
    let view = view.unwrap_or(usual);
    let from: usize = frame.asked.get("from").and_then(|from| from.parse().ok()).unwrap_or_default();
    let body = match view {
        _ if found.total() == 0 => Body::Nothing,
        "json" => json_of(&found),
        "tree" => Body::Tree(tree(frame, estate.connector.as_deref(), &found, from, PAGE)),
        _ => Body::Table(table(frame, estate.connector.as_deref(), &found, from, PAGE)),
    };
    let here = frame.asked.without(&["from", "format"]);
    let at = |from: usize| here.with("from", &from.to_string()).at("/query");
    let paged = view != "json" && from + PAGE < found.total();
    let told = Told {
        tally: tally(&found),
        took: format!("{} ms", number(u64::try_from(found.took.as_millis()).unwrap_or(u64::MAX))),
        truncated: found.truncated,
        files: vec![
            ("CSV", here.with("format", "csv").at("/query")),
            ("JSON", here.with("format", "json").at("/query")),
        ],
        graph: frame.asked.only(&["as_of", "connector"]).with("q", &text).at("/graph"),
        rule,
        tile,
        pages: (
            if from == 0 { String::new() } else { at(from.saturating_sub(PAGE)) },
            if paged { at(from + PAGE) } else { String::new() },
        ),
        warnings: found.warnings,
        body,
        ..Told::of(frame, view)
    };
    Ok(Asked::Page(Outcome::Told(Box::new(told))))
}

/// How a question is put on the overview.
async fn pin(call: &Call, frame: &Frame, question: &Question) -> Result<Pin, EngineError> {
    if !question.variables.is_empty() || !frame.may(call, Operation::ArrangeTiles) {
        return Ok(Pin::No);
    }
    let (Some(caller), Some(id)) = (&call.caller, frame.asked.get("ask")) else {
        return Ok(Pin::Saved(saving(frame, &question.text)));
    };
    match call.state.desk.question(caller, id).await {
        Ok(known) if known.text == question.text => Ok(Pin::Now(format!("{}/tile", place(id)))),
        Ok(_) | Err(EngineError::Unknown { .. }) => Ok(Pin::Saved(saving(frame, &question.text))),
        Err(error) => Err(error),
    }
}

/// Where a question is saved to stand on the overview.
fn saving(frame: &Frame, text: &str) -> String {
    let gone = frame.asked.get("gone").unwrap_or_default();
    let asked = Words::default().with("q", text).with("gone", gone).with("tile", "yes");
    asked.at("/query/questions/add")
}

/// The question with its parameters written out, as a rule holds it; none where one is no number and no plain word.
fn settled(question: &Question) -> Option<String> {
    let mut text = question.text.clone();
    for (name, value) in &question.variables {
        let literal = match value {
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::String(word) if !word.contains(['\'', '\\', '\n']) => format!("'{word}'"),
            _ => return None,
        };
        text = text.replace(&format!("${{{name}}}"), &literal);
    }
    Some(text)
}

impl Told {
    fn of(frame: &Frame, view: &str) -> Self {
        let here = frame.asked.without(&["from", "format"]);
        let way = |(key, name): (&'static str, &'static str)| {
            (name, here.with("view", key).at("/query"), key == view)
        };
        Self {
            views: VIEWS.map(way).to_vec(),
            tally: String::new(),
            took: String::new(),
            truncated: false,
            warnings: Vec::new(),
            files: Vec::new(),
            graph: String::new(),
            rule: String::new(),
            tile: Pin::No,
            body: Body::Nothing,
            pages: Default::default(),
        }
    }
}

fn tally(found: &Found) -> String {
    match found.kind() {
        "list" | "tree" => count(found.total(), "entity", "entities"),
        _ => count(found.total(), "row", "rows"),
    }
}

fn json_of(found: &Found) -> Body {
    let mut text = serde_json::to_string_pretty(&found.to_json()).unwrap_or_default();
    let whole = text.len() <= LONGEST;
    if !whole {
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        text.truncate(end);
    }
    Body::Json(text, whole)
}

fn csv(found: &Found) -> Answer {
    let (columns, rows) = found::flat(found);
    file("answer.csv", "text/csv; charset=utf-8", sheet(&columns, &rows))
}

fn file(name: &str, media: &'static str, bytes: impl Into<axum::body::Bytes>) -> Answer {
    Answer::typed(StatusCode::OK, media, bytes)
        .with(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""))
}
