//! The matrix: people beside apps, grouped by team, each cell what somebody can do there.
//!
//! Why somebody can do it is told on the app's and the person's own page.
//!
//! Invariant: a row stands there for everybody who holds something on one of the shown apps, and for nobody else; every
//! page, forwards and backwards, begins behind a row and a column and not at a number.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use askama::Template;
use axum::http::{StatusCode, header};
use metsuke_engine::access::{PersonOnApp, allowed, clauses};
use metsuke_engine::desk::{Bookmark, Browse, Browsed, Placed, Reading};
use metsuke_engine::lists::AppLine;
use metsuke_model::HerokuId;
use serde_json::{Value, json};

use super::asked::Asked;
use super::frame::{Frame, Read, page as shown};
use super::words::{Name, count, listed};
use crate::answer::Answer;
use crate::call::Call;
use crate::cursor;
use crate::error::ApiError;
use crate::table::{Columns, csv};

/// Apps and people of a page.
const APPS: usize = 16;
const PEOPLE: usize = 50;
/// Apps that are read at once for a file, and the most lines of one.
const BATCH: usize = 200;
const LINES: usize = 200_000;
/// What one can ask for.
const RIGHTS: [(&str, &str); 5] =
    [("", "Anything"), ("view", "View"), ("deploy", "Deploy"), ("operate", "Operate"), ("manage", "Manage")];

const COLUMNS: Columns = &[
    ("email", "/email"),
    ("person_id", "/person_id"),
    ("team", "/team"),
    ("app", "/app"),
    ("app_id", "/app_id"),
    ("view", "/view"),
    ("deploy", "/deploy"),
    ("operate", "/operate"),
    ("manage", "/manage"),
];

#[derive(Template)]
#[template(path = "matrix.html")]
struct View {
    frame: Frame,
    read: Vec<Read>,
    several: bool,
    person: String,
    app: String,
    kept: Vec<(String, String)>,
    rights: Vec<(&'static str, String, bool)>,
    all: String,
    tally: String,
    teams: Vec<Team>,
    apps: Vec<(Name, String)>,
    rows: Vec<Row>,
    csv: String,
    left: String,
    right: String,
    up: String,
    down: String,
}

/// A team above its apps.
struct Team {
    name: Name,
    href: String,
    span: usize,
}

struct Row {
    name: Name,
    href: String,
    cells: Vec<Held>,
}

/// One cell.
#[derive(Default)]
struct Held {
    letters: String,
    words: String,
    strength: usize,
}

/// Which apps are meant, and of whom.
struct Meant {
    browse: Browse,
    person: String,
    right: String,
}

impl Meant {
    fn of(frame: &Frame) -> Self {
        let own = |name: &str| frame.asked.get(name).unwrap_or_default().to_owned();
        let filters = frame.asked.get("team").map(|team| ("team".to_owned(), team.to_owned()));
        let browse = Browse {
            connector: frame.connector().map(ToOwned::to_owned),
            as_of: frame.at(),
            text: own("app"),
            filters: filters.into_iter().collect(),
            sort: "team".to_owned(),
            descending: false,
        };
        Self { browse, person: own("q").to_lowercase(), right: own("can") }
    }

    fn fits(&self, person: &PersonOnApp) -> bool {
        let named =
            |words: Option<&str>| words.is_some_and(|words| words.to_lowercase().contains(&self.person));
        let right = self.right.is_empty() || person.held.iter().any(|held| *held.entitlement == *self.right);
        right
            && (self.person.is_empty()
                || named(person.principal.email.as_deref())
                || named(person.name.as_deref()))
    }
}

/// The apps of a page, and where one goes from there.
struct Across {
    rows: Vec<Placed<AppLine>>,
    before: Option<Bookmark>,
    behind: Option<Bookmark>,
    fitting: usize,
}

async fn across(call: &Call, asked: &Asked, browse: &Browse) -> Result<Across, ApiError> {
    let read = |name: &str| -> Result<Option<Bookmark>, ApiError> {
        asked.get(name).map(|cursor| cursor::read(call.operation, cursor)).transpose()
    };
    let (from, back) = (read("right")?, read("left")?);
    let backwards = Browse { descending: true, ..browse.clone() };
    let (asked, at) = if back.is_some() { (&backwards, back.as_ref()) } else { (browse, from.as_ref()) };
    let found: Browsed<AppLine> = call.state.desk.browse(asked, at, APPS).await?;
    let (mut rows, first, next) = (found.rows, found.first, found.next);
    if back.is_some() {
        rows.reverse();
        // Whoever has come back can go forwards again, from the last column that is shown.
        return Ok(Across { rows, before: next, behind: first, fitting: found.fitting });
    }
    Ok(Across { rows, before: first.filter(|_| from.is_some()), behind: next, fitting: found.fitting })
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Access matrix").await?.here("Matrix");
    let readings = call.state.desk.readings(frame.connector(), frame.at()).await?;
    let meant = Meant::of(&frame);
    let asked = frame.asked.clone();
    let several = readings.len() > 1;
    let reading = readings.first().filter(|_| !several);
    if let (Some(reading), Some("csv")) = (reading, asked.get("format")) {
        return file(&call, reading, &meant).await;
    }
    let here = asked.without(&["left", "right", "above", "below", "format"]);
    let mut view = View {
        read: frame.read(&readings),
        several,
        person: asked.get("q").unwrap_or_default().to_owned(),
        app: meant.browse.text.clone(),
        kept: here.without(&["q", "app"]).pairs(),
        rights: RIGHTS
            .map(|(right, name)| (name, here.with("can", right).at("/matrix"), right == meant.right))
            .to_vec(),
        all: if ["q", "app", "can", "team"].iter().any(|name| asked.get(name).is_some()) {
            here.without(&["q", "app", "can", "team"]).at("/matrix")
        } else {
            String::new()
        },
        csv: here.with("format", "csv").at("/matrix"),
        tally: String::new(),
        teams: Vec::new(),
        apps: Vec::new(),
        rows: Vec::new(),
        left: String::new(),
        right: String::new(),
        up: String::new(),
        down: String::new(),
        frame,
    };
    if let Some(reading) = reading {
        fill(&call, &mut view, reading, &meant).await?;
    }
    shown(StatusCode::OK, &view)
}

async fn fill(call: &Call, view: &mut View, reading: &Reading, meant: &Meant) -> Result<(), ApiError> {
    let asked = view.frame.asked.clone();
    let found = across(call, &asked, &meant.browse).await?;
    let connector = reading.connector.as_deref();
    let own = asked.without(&["left", "right", "above", "below"]);
    let sideways = |name: &str, place: &Option<Bookmark>| {
        let cursor = place.as_ref().and_then(|place| cursor::write(call.operation, place));
        cursor.map(|cursor| own.with(name, &cursor).at("/matrix")).unwrap_or_default()
    };
    view.left = sideways("left", &found.before);
    view.right = sideways("right", &found.behind);
    let ids: Vec<HerokuId> = found.rows.iter().map(|app| app.row.id.clone()).collect();
    let held = call.state.desk.people_on_apps(reading, &ids).await?;
    for app in &found.rows {
        let name = Name::or(app.row.name.as_deref(), "unnamed");
        view.apps.push((name, view.frame.object("apps", &app.row.id, connector)));
        let href =
            app.row.team_id.as_ref().map(|id| view.frame.object("teams", id, connector)).unwrap_or_default();
        match view.teams.last_mut() {
            Some(team) if team.href == href => team.span += 1,
            _ => view.teams.push(Team {
                name: Name::or(app.row.team.as_deref(), "Personal apps"),
                href,
                span: 1,
            }),
        }
    }
    let mut people: BTreeMap<(String, String), HashMap<&HerokuId, &PersonOnApp>> = BTreeMap::new();
    for app in &held {
        for person in app.people.iter().filter(|person| meant.fits(person)) {
            let email = person.principal.email.as_deref().unwrap_or_default().to_owned();
            let row = people.entry((email, person.principal.id.to_string())).or_default();
            row.insert(&app.app.id, person);
        }
    }
    let keys: Vec<(String, String)> = people.keys().cloned().collect();
    let (first, last) = window(call, &asked, &keys)?;
    for key in keys.get(first..last).unwrap_or_default() {
        let on = people.remove(key).unwrap_or_default();
        view.rows.push(Row {
            name: Name::or(Some(key.0.as_str()).filter(|email| !email.is_empty()), "no address"),
            href: view.frame.object("people", &key.1, connector),
            cells: ids.iter().map(|id| on.get(id).map(|person| of(person)).unwrap_or_default()).collect(),
        });
    }
    let upright = asked.without(&["above", "below"]);
    let turn = |name: &str, key: Option<&(String, String)>| {
        let cursor = key.and_then(|key| cursor::write(call.operation, key));
        cursor.map(|cursor| upright.with(name, &cursor).at("/matrix")).unwrap_or_default()
    };
    view.up = turn("above", keys.get(first).filter(|_| first > 0));
    view.down = turn("below", last.checked_sub(1).and_then(|at| keys.get(at)).filter(|_| last < keys.len()));
    view.tally = format!(
        "{} hold something on these {} of {}",
        count(keys.len(), "person", "people"),
        ids.len(),
        count(found.fitting, "app", "apps")
    );
    Ok(())
}

/// Which people are shown: those behind a row, or before one.
fn window(call: &Call, asked: &Asked, keys: &[(String, String)]) -> Result<(usize, usize), ApiError> {
    let read = |name: &str| -> Result<Option<(String, String)>, ApiError> {
        asked.get(name).map(|cursor| cursor::read(call.operation, cursor)).transpose()
    };
    if let Some(above) = read("above")? {
        let end = keys.partition_point(|key| *key < above);
        return Ok((end.saturating_sub(PEOPLE), end));
    }
    let begin = match read("below")? {
        Some(below) => keys.partition_point(|key| *key <= below),
        None => 0,
    };
    Ok((begin, keys.len().min(begin + PEOPLE)))
}

/// What somebody can do, in a few letters and in words.
fn of(person: &PersonOnApp) -> Held {
    let clauses = clauses(&person.held);
    let able = allowed(&clauses);
    if able.is_empty() {
        return Held { letters: "c".to_owned(), words: "collaborator".to_owned(), strength: 1 };
    }
    let letter = |right: &&str| right.chars().next().map(|first| first.to_ascii_uppercase());
    let strongest = RIGHTS.iter().rposition(|(right, _)| able.contains(right)).unwrap_or(1);
    Held { letters: able.iter().filter_map(letter).collect(), words: listed(&able), strength: strongest }
}

/// Every line that is meant, as a file.
async fn file(call: &Call, reading: &Reading, meant: &Meant) -> Result<Answer, ApiError> {
    let found: Browsed<AppLine> = call.state.desk.browse(&meant.browse, None, usize::MAX).await?;
    let teams: BTreeMap<String, Option<&str>> =
        found.rows.iter().map(|app| (app.row.id.to_string(), app.row.team.as_deref())).collect();
    let ids: Vec<HerokuId> = found.rows.iter().map(|app| app.row.id.clone()).collect();
    let mut lines: Vec<Value> = Vec::new();
    for part in ids.chunks(BATCH) {
        for app in call.state.desk.people_on_apps(reading, part).await? {
            let id = app.app.id.to_string();
            for person in app.people.iter().filter(|person| meant.fits(person)) {
                let holds: BTreeSet<&str> = person.held.iter().map(|held| &*held.entitlement).collect();
                let has = |right: &str| holds.contains(right);
                lines.push(json!({
                    "email": person.principal.email, "person_id": person.principal.id,
                    "team": teams.get(&id).copied().flatten(), "app": app.app.name, "app_id": id,
                    "view": has("view"), "deploy": has("deploy"), "operate": has("operate"), "manage": has("manage"),
                }));
            }
        }
        if lines.len() > LINES {
            return Err(ApiError::invalid("format", format!("the file would have more than {LINES} lines"))
                .hint("narrow it to a team, to some apps or to some people; `metsuke grants --effective` writes all"));
        }
    }
    Ok(Answer::typed(StatusCode::OK, "text/csv; charset=utf-8", csv(COLUMNS, &lines))
        .with(header::CONTENT_DISPOSITION, "attachment; filename=\"matrix.csv\""))
}
