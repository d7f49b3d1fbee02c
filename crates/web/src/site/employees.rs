//! People of rosters against accounts on Heroku: who left and still has an account, what is to be settled by hand, and everybody.
//!
//! Invariant: whose an account is, is said by the operation that the API has for it.

mod add;

use askama::Template;
use axum::http::{StatusCode, header};
use metsuke_engine::desk::{Employees, OpenLine, Part, Placed};
use metsuke_engine::identity::Operation;
use metsuke_engine::people::{Candidate, EmployeeLine, SettledAccount};
use serde::Serialize;
use serde_json::{Value, json};

pub(super) use add::{add, fetch, import};

use super::asked::segment;
use super::cell::{Badge, Cell, Head, Table, Tone};
use super::connectors::as_json;
use super::frame::{Frame, page as shown};
use super::list::Facet;
use super::provisioning::of_connector;
use super::settings::sent_to;
use super::words::{Name, When, count, number};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::{EMPLOYEES, OPEN, handle};
use crate::table::{Columns, csv};

const HERE: &str = "/people/employees";
/// Rows of a page.
const PAGE: usize = 100;
/// What can be looked at; the first where nobody chooses.
const FACETS: [(&str, &str); 5] = [
    ("", "Left, with an account"),
    ("open", "Nobody knows whose"),
    ("settled", "Settled by hand"),
    ("without", "Without an account"),
    ("all", "Everybody"),
];

#[derive(Template)]
#[template(path = "employees.html")]
struct View {
    frame: Frame,
    facets: Vec<Facet>,
    only: String,
    has_roster: bool,
    tally: String,
    table: Table,
    accounts: Vec<AccountRow>,
    csv: String,
    next: String,
    first: String,
    /// Whether whoever looks may import, and may settle.
    imports: bool,
    settles: bool,
}

/// An account of which it is to be said, or was said, whose it is.
struct AccountRow {
    account: Name,
    href: String,
    name: Option<Name>,
    /// What is known, in words.
    known: String,
    candidates: Vec<(String, Name)>,
    action: String,
    connector: String,
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Employees").await?.below("People", "/people").here("Employees");
    let only = frame.asked.get("only").unwrap_or_default().to_owned();
    if frame.asked.get("format") == Some("csv") {
        return Ok(read(&call, &frame, &only, (0, usize::MAX)).await?.rows.file());
    }
    let from = frame.begins_at();
    let Looked { rows, all, has_roster } = read(&call, &frame, &only, (from, PAGE)).await?;
    let (_, next) = frame.part(all, PAGE);
    let here = frame.asked.without(&["from"]);
    let facet = |(word, name): &(&'static str, &'static str)| Facet {
        name,
        href: here.with("only", word).at(HERE),
        current: *word == only,
    };
    let (table, accounts) = rows.shown(&frame);
    let view = View {
        facets: FACETS.iter().map(facet).collect(),
        has_roster,
        tally: rows.tally(all),
        table,
        accounts,
        csv: here.with("format", "csv").at(HERE),
        next,
        first: if from == 0 { String::new() } else { here.at(HERE) },
        imports: frame.may(&call, Operation::ImportRoster),
        settles: frame.may(&call, Operation::MatchAccount),
        only,
        frame,
    };
    shown(StatusCode::OK, &view)
}

/// The rows of what somebody looks at.
enum Rows {
    Employees(Vec<Placed<EmployeeLine>>),
    Open(Vec<Placed<OpenLine>>),
    Settled(Vec<Placed<SettledAccount>>),
}

/// Part of what is looked at.
struct Looked {
    rows: Rows,
    all: usize,
    has_roster: bool,
}

async fn read(call: &Call, frame: &Frame, only: &str, part: (usize, usize)) -> Result<Looked, ApiError> {
    fn of<R>(part: Part<R>, rows: impl Fn(Vec<Placed<R>>) -> Rows) -> Looked {
        let Part { rows: read, all, has_roster } = part;
        Looked { rows: rows(read), all, has_roster }
    }
    let (desk, connector) = (&call.state.desk, frame.connector());
    let employees = match only {
        "open" => return Ok(of(desk.open_accounts(connector, part).await?, Rows::Open)),
        "settled" => return Ok(of(desk.settled_accounts(connector, part).await?, Rows::Settled)),
        "all" => Employees::default(),
        "without" => Employees { unmatched: true, ..Employees::default() },
        _ => Employees { leavers: true, ..Employees::default() },
    };
    Ok(of(desk.employees(connector, employees, part).await?, Rows::Employees))
}

impl Rows {
    fn tally(&self, all: usize) -> String {
        match self {
            Self::Employees(_) => count(all, "person", "people"),
            Self::Open(_) | Self::Settled(_) => count(all, "account", "accounts"),
        }
    }

    /// All of them, as a file.
    fn file(&self) -> Answer {
        fn of<R: Serialize>(columns: Columns, rows: &[Placed<R>]) -> Vec<u8> {
            let rows: Vec<Value> = rows.iter().map(|row| json!(row)).collect();
            csv(columns, &rows)
        }
        let (name, text) = match self {
            Self::Employees(rows) => ("employees", of(EMPLOYEES, rows)),
            Self::Open(rows) => ("accounts", of(OPEN, rows)),
            Self::Settled(rows) => ("settled-accounts", of(SETTLED, rows)),
        };
        let file = format!("attachment; filename=\"{name}.csv\"");
        Answer::typed(StatusCode::OK, "text/csv; charset=utf-8", text)
            .with(header::CONTENT_DISPOSITION, &file)
    }

    /// The rows of a page: as a table, or as accounts that a form stands beside.
    fn shown(&self, frame: &Frame) -> (Table, Vec<AccountRow>) {
        let mut table = Table {
            caption: "Employees".to_owned(),
            heads: ["Person", "State", "Department", "Accounts", "Roster"].map(Head::plain).to_vec(),
            rows: Vec::new(),
        };
        let mut accounts = Vec::new();
        match self {
            Self::Employees(rows) => {
                table.rows = rows.iter().map(|row| employee(frame, row)).collect();
            }
            Self::Open(rows) => accounts = rows.iter().map(|row| open(frame, row)).collect(),
            Self::Settled(rows) => accounts = rows.iter().map(|row| settled(frame, row)).collect(),
        }
        (table, accounts)
    }
}

const SETTLED: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("email", "/email"),
    ("employee", "/employee/key"),
    ("employee_name", "/employee/name"),
];

fn employee(frame: &Frame, placed: &Placed<EmployeeLine>) -> Vec<Cell> {
    let line = &placed.row;
    let state = match (line.active, line.missing_since) {
        (true, _) => Badge::new(Tone::Good, "works here"),
        (false, None) => Badge::new(Tone::Bad, "left"),
        (false, Some(since)) => {
            Badge::new(Tone::Bad, format!("gone from the roster {}", When::day(since, frame.now).shown))
        }
    };
    let accounts = line.accounts.first().map_or(Cell::Nothing, |first| {
        let by = first.matched_by.as_deref().map_or("known", matched_by);
        let below = match line.accounts.len() {
            1 => by.to_owned(),
            more => format!("{by}, and {} more", number(more as u64 - 1)),
        };
        let href = frame.object("people", &first.id, placed.connector.as_deref());
        Cell::Link(Name::or(first.email.as_deref(), "no address"), href, Some(Name::new(&below)))
    });
    vec![
        Cell::Link(Name::new(&line.name), String::new(), line.emails.first().map(|email| Name::new(email))),
        Cell::Badge(state),
        Cell::text(line.department.as_deref()),
        accounts,
        Cell::Text(Name::new(&line.roster)),
    ]
}

fn row(frame: &Frame, connector: Option<&str>, (id, email): (&str, Option<&str>)) -> AccountRow {
    AccountRow {
        account: Name::or(email, "no address"),
        href: frame.object("people", &id, connector),
        name: None,
        known: String::new(),
        candidates: Vec::new(),
        action: format!("{HERE}/{}", segment(id)),
        connector: connector.unwrap_or_default().to_owned(),
    }
}

fn open(frame: &Frame, placed: &Placed<OpenLine>) -> AccountRow {
    let line = &placed.row;
    let known = match (&line.unsure_by, line.candidates.len()) {
        (None, _) => "nobody fits".to_owned(),
        (Some(by), 1) => format!("one fits, {}, and not for certain", matched_by(by)),
        (Some(by), several) => format!("{several} fit, {}", matched_by(by)),
    };
    AccountRow {
        name: line.name.as_deref().map(Name::new),
        known,
        candidates: line.candidates.iter().map(choice).collect(),
        ..row(frame, placed.connector.as_deref(), (&line.id, line.email.as_deref()))
    }
}

fn settled(frame: &Frame, placed: &Placed<SettledAccount>) -> AccountRow {
    let line = &placed.row;
    let whose = line.employee.as_ref();
    AccountRow {
        name: whose.map(|one| Name::new(&one.name)),
        known: if whose.is_some() { String::new() } else { "nobody’s".to_owned() },
        ..row(frame, placed.connector.as_deref(), (&line.id.to_string(), line.email.as_deref()))
    }
}

fn choice(one: &Candidate) -> (String, Name) {
    let email = one.email.as_deref().map(|email| format!(", {email}")).unwrap_or_default();
    let left = if one.active { "" } else { ", left" };
    (one.key.to_string(), Name::new(&format!("{}{email}{left}", one.name)))
}

/// The rule by which an account is somebody's, in words.
pub(super) fn matched_by(rule: &str) -> &str {
    match rule {
        "hand" => "by hand",
        "email" => "by e-mail",
        "alias" => "by another name",
        "username" => "by user name",
        "name" => "by full name",
        other => other,
    }
}

/// Where a form leads back to: the list that it stood in.
fn back(form: &Form, only: &str) -> Answer {
    let connector = form.text("connector");
    let mut to = format!("{HERE}?only={only}");
    if form.text("carried") == "yes" && !connector.is_empty() {
        to = format!("{to}&connector={}", segment(&connector));
    }
    sent_to(&to)
}

/// Says whose an account is.
pub(super) async fn settle(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let typed = form.text("employee").trim().to_owned();
    let nobody = !form.text("nobody").is_empty();
    let employee = Some(typed).filter(|typed| !typed.is_empty() && !nobody);
    if employee.is_none() && !nobody {
        return Err(ApiError::invalid("employee", "choose somebody, or say that it is nobody’s"));
    }
    let body = json!({ "employee": employee, "nobody": nobody, "connector": of_connector(&form) });
    handle(as_json(call, &body)).await?;
    Ok(back(&form, "open"))
}

/// Takes back what was said of an account.
pub(super) async fn undo(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let asked = of_connector(&form).map(|one| format!("?connector={}", segment(&one))).unwrap_or_default();
    handle(add::at(call, &asked)?).await?;
    Ok(back(&form, "settled"))
}
