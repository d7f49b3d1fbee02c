//! The tiles of somebody's own overview: the answers to questions in short, and arranging them.
//!
//! Invariant: what goes wrong with a question stands in its own tile. A tile's number leads to the whole answer.

use futures::future::join_all;
use metsuke_engine::desk::{Estate, Reading, Tile, in_short};
use metsuke_engine::identity::Operation;
use metsuke_engine::query::{Answer as Found, Data};
use metsuke_engine::questions::QuestionLine;
use metsuke_model::graph::Value;
use serde_json::json;

use super::cell::Cell;
use super::connectors::as_json;
use super::frame::Frame;
use super::query::{lines, place};
use super::settings::sent_to;
use super::words::{Name, When, number};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::place::within;

/// Rows that a tile shows.
const ROWS: usize = 4;
/// The most estates that a tile tells of.
const ESTATES: usize = 4;

/// One tile as the overview shows it.
pub(super) struct Shown {
    pub(super) title: Name,
    /// The question's page; empty where there is no such question any more.
    pub(super) about: String,
    /// Where its forms go.
    pub(super) action: String,
    pub(super) parts: Vec<Part>,
}

/// What one estate answers.
pub(super) struct Part {
    /// The connector; empty where only one is looked at.
    pub(super) name: Name,
    pub(super) number: String,
    /// What it is a number of.
    pub(super) unit: String,
    /// The whole answer.
    pub(super) href: String,
    /// Which version answers, and when it was read.
    pub(super) version: String,
    pub(super) when: When,
    pub(super) rows: Vec<(Cell, Cell)>,
    /// Why there is no answer; empty where there is one.
    pub(super) wrong: String,
}

/// The tiles of whoever looks.
pub(super) async fn tiles(call: &Call, frame: &Frame, readings: &[Reading]) -> Result<Vec<Shown>, ApiError> {
    if !frame.may(call, Operation::ListTiles) || !frame.may(call, Operation::Query) {
        return Ok(Vec::new());
    }
    let tiles = call.state.desk.tiles(call.caller()?).await?;
    if tiles.is_empty() {
        return Ok(Vec::new());
    }
    let mut estates = call.state.desk.estates(frame.connector()).await?;
    let several = estates.len() > 1;
    estates.truncate(ESTATES);
    let shown = tiles.iter().map(|tile| one(call, (frame, readings), tile, &estates, several));
    Ok(join_all(shown).await)
}

async fn one(
    call: &Call,
    (frame, readings): (&Frame, &[Reading]),
    tile: &Tile,
    estates: &[Estate],
    several: bool,
) -> Shown {
    let action = format!("{}/tile", place(&tile.id));
    let Some(question) = &tile.question else {
        let gone = Part { wrong: "It was removed, or is shared no more.".to_owned(), ..Part::nothing() };
        return Shown {
            title: Name::new("A question that is gone"),
            about: String::new(),
            action,
            parts: vec![gone],
        };
    };
    let parts = join_all(estates.iter().map(async |estate| {
        let part = part(call, frame, question, estate, several).await;
        let read = readings.iter().find(|reading| reading.connector == estate.connector);
        Part { when: read.map(|read| When::new(read.at, frame.now)).unwrap_or_default(), ..part }
    }))
    .await;
    Shown { title: Name::new(&question.title), about: frame.to(&place(&question.id)), action, parts }
}

async fn part(call: &Call, frame: &Frame, question: &QuestionLine, estate: &Estate, several: bool) -> Part {
    let connector = estate.connector.as_deref();
    let mut to = frame.asked.only(&["as_of", "connector"]).with("ask", &question.id);
    if let Some(connector) = connector.filter(|_| several) {
        to = to.with("connector", connector);
    }
    let base = Part {
        name: if several { Name::new(&estate.name) } else { Name::default() },
        href: to.at("/query"),
        ..Part::nothing()
    };
    match in_short(estate, question, frame.at(), call.state.clock.now()).await {
        Ok(found) => told(base, frame, connector, &found),
        Err(error) => {
            let error = ApiError::from(error);
            let wrong = error.fields.first().map_or(error.message, |field| field.message.clone());
            Part { wrong, ..base }
        }
    }
}

fn told(part: Part, frame: &Frame, connector: Option<&str>, found: &Found) -> Part {
    let version = format!("version {}", found.version);
    if let Some((count, unit)) = single(found) {
        return Part { number: count, unit, version, ..part };
    }
    let more = if found.truncated { "+" } else { "" };
    let unit = match (found.kind(), found.total()) {
        ("table", 1) => "row",
        ("table", _) => "rows",
        (_, 1) => "entity",
        _ => "entities",
    };
    Part {
        number: format!("{}{more}", number(found.total() as u64)),
        unit: unit.to_owned(),
        rows: lines(frame, connector, found, ROWS),
        version,
        ..part
    }
}

/// The one number that is the whole answer, and what it is called.
fn single(found: &Found) -> Option<(String, String)> {
    let Data::Table { headings, rows } = &found.data else { return None };
    let ([heading], [row]) = (&headings[..], &rows[..]) else { return None };
    let [metsuke_engine::query::Cell::Value(value @ Value::Number(_))] = &row[..] else { return None };
    if heading.time {
        return None;
    }
    let told = value.to_json();
    let shown = told.as_u64().map_or_else(|| told.to_string(), number);
    Some((shown, heading.name.clone()))
}

impl Part {
    fn nothing() -> Self {
        Self {
            name: Name::default(),
            number: String::new(),
            unit: String::new(),
            href: String::new(),
            version: String::new(),
            when: When::default(),
            rows: Vec::new(),
            wrong: String::new(),
        }
    }
}

/// Tiles as the style guide shows them.
pub(super) fn examples(frame: &Frame) -> Vec<Shown> {
    let part = |number: &str, unit: &str, rows: &[&str], wrong: &str| Part {
        number: number.to_owned(),
        unit: unit.to_owned(),
        href: "#tiles".to_owned(),
        version: if wrong.is_empty() { "version 7".to_owned() } else { String::new() },
        when: When::new(frame.now, frame.now),
        rows: rows.iter().map(|name| (Cell::Text(Name::new(name)), Cell::Number("12".to_owned()))).collect(),
        wrong: wrong.to_owned(),
        ..Part::nothing()
    };
    let shown = |title: &str, part: Part| Shown {
        title: Name::new(title),
        about: "#tiles".to_owned(),
        action: "/styleguide".to_owned(),
        parts: vec![part],
    };
    vec![
        shown("How many people from outside can deploy?", part("37", "people", &[], "")),
        shown("Which teams have no app?", part("1,000+", "rows", &["core", "payments", "search"], "")),
        shown("Who reaches what by every way?", part("", "", &[], "the query was ended after 2s")),
    ]
}

/// Puts a question on the overview, takes it off, or moves it.
pub(super) async fn arrange(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let back = within(Some(&form.text("next"))).unwrap_or_else(|| "/".to_owned());
    let id = call.segment("id").to_owned();
    let before = call.state.desk.tiles(call.caller()?).await?;
    let ids = before.into_iter().map(|tile| tile.id).collect();
    let ids = arranged(ids, &id, &form.text("do"));
    handle(as_json(call, &json!({ "questions": ids }))).await?;
    Ok(sent_to(&back))
}

/// The tiles after something was done with one of them.
fn arranged(mut ids: Vec<String>, id: &str, deed: &str) -> Vec<String> {
    let at = ids.iter().position(|known| known == id);
    match (deed, at) {
        ("pin", None) => ids.push(id.to_owned()),
        ("off", Some(at)) => _ = ids.remove(at),
        ("earlier", Some(at)) if at > 0 => ids.swap(at, at - 1),
        ("later", Some(at)) if at + 1 < ids.len() => ids.swap(at, at + 1),
        _ => {}
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_is_put_there_once_moved_within_and_taken_off() {
        let ids = |words: &str| words.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>();
        for (deed, id, after) in [
            ("pin", "d", "a b c d"),
            ("pin", "a", "a b c"),
            ("off", "b", "a c"),
            ("off", "x", "a b c"),
            ("earlier", "c", "a c b"),
            ("earlier", "a", "a b c"),
            ("later", "a", "b a c"),
            ("later", "c", "a b c"),
            ("nothing", "a", "a b c"),
        ] {
            assert_eq!(arranged(ids("a b c"), id, deed), ids(after), "{deed} {id}");
        }
    }
}
