//! Findings, and one finding with what was found, what happened to it, and what somebody can say of it.

use std::collections::{BTreeMap, HashMap};

use askama::Template;
use axum::http::{StatusCode, header};
use metsuke_engine::desk::{FindingLine, FindingShown, Findings, Placed, Saying, page as page_of};
use metsuke_engine::identity::Operation;
use metsuke_model::Moment;
use metsuke_model::finding::FindingState;
use serde_json::{Value, json};

use super::cell::{Badge, Cell, Figure, Head, Table, Tone};
use super::frame::{Frame, page as shown};
use super::settings::sent_to;
use super::words::{Name, When};
use crate::answer::Answer;
use crate::call::Call;
use crate::cursor;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::FINDINGS;
use crate::table::csv;

/// Findings of a page, and of a file.
const PAGE: usize = 100;
const FILE: usize = 100_000;
/// Levels, the worst first.
const LEVELS: [&str; 5] = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"];
/// States, as the choice offers them.
const STATES: &[(&str, &str)] = &[
    ("open,acknowledged", "Open"),
    ("accepted", "Accepted"),
    ("resolved", "Resolved"),
    ("open,acknowledged,accepted,resolved", "All"),
];

struct Facet {
    name: &'static str,
    href: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "findings.html")]
struct View {
    frame: Frame,
    states: Vec<Facet>,
    levels: Vec<Facet>,
    rule: Name,
    without_rule: String,
    person: Name,
    without_person: String,
    table: Table,
    csv: String,
    next: String,
    first: String,
    narrowed: bool,
}

#[derive(Template)]
#[template(path = "finding.html")]
struct One {
    frame: Frame,
    badges: Vec<Badge>,
    subject: Name,
    lead: String,
    facts: Vec<(&'static str, Cell)>,
    names: Vec<String>,
    lines: Vec<Vec<Cell>>,
    raw: String,
    events: Vec<(When, String, String)>,
    action: String,
    may: bool,
    state: &'static str,
    /// What to do about it, in words; empty where the rule does not say.
    fix: Vec<(bool, String)>,
    /// Where that is planned; empty where it cannot be, or not by whoever looks.
    plan: String,
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Findings").await?.here("Findings");
    let asked = frame.asked.clone();
    let usual = STATES.first().map(|(value, _)| *value).unwrap_or_default();
    let state = asked.get("state").unwrap_or(usual).to_owned();
    let level = asked.get("level").unwrap_or_default().to_owned();
    let wanted = Findings {
        states: state.split(',').filter_map(FindingState::parse).collect(),
        rule: asked.get("rule").map(ToOwned::to_owned),
        level: Some(level.clone()).filter(|level| !level.is_empty()),
        person: asked.get("person").map(ToOwned::to_owned),
    };
    let estates = call.state.desk.estates(frame.connector()).await?;
    if asked.get("format") == Some("csv") {
        let found = page_of(&wanted, estates, None, FILE).await?;
        let rows: Vec<Value> = found.rows.iter().map(|row| json!(row)).collect();
        return Ok(Answer::typed(StatusCode::OK, "text/csv; charset=utf-8", csv(FINDINGS, &rows))
            .with(header::CONTENT_DISPOSITION, "attachment; filename=\"findings.csv\""));
    }
    let after = asked.get("cursor").map(|cursor| cursor::read(call.operation, cursor)).transpose()?;
    let is_first = after.is_none();
    let found = page_of(&wanted, estates, after, PAGE).await?;
    let here = asked.without(&["cursor"]);
    let facets = |name: &str, values: &[(&'static str, &'static str)], chosen: &str| -> Vec<Facet> {
        let facet = |(value, label): &(&'static str, &'static str)| Facet {
            name: label,
            href: here.with(name, value).at("/findings"),
            current: *value == chosen,
        };
        values.iter().map(facet).collect()
    };
    let mut levels = vec![("", "Every level")];
    levels.extend(LEVELS.map(|level| (level, capital(level))));
    let next = found.next.as_ref().and_then(|next| cursor::write(call.operation, next));
    let view = View {
        states: facets("state", STATES, &state),
        levels: facets("level", &levels, &level),
        rule: wanted.rule.as_deref().map(Name::new).unwrap_or_default(),
        without_rule: here.with("rule", "").at("/findings"),
        person: wanted.person.as_deref().map(Name::new).unwrap_or_default(),
        without_person: here.with("person", "").at("/findings"),
        table: table(&frame, &found.rows, &titles(&call, &frame).await?),
        csv: here.with("format", "csv").at("/findings"),
        next: next.map(|next| here.with("cursor", &next).at("/findings")).unwrap_or_default(),
        first: if is_first { String::new() } else { here.at("/findings") },
        narrowed: wanted.rule.is_some() || wanted.level.is_some() || wanted.person.is_some(),
        frame,
    };
    shown(StatusCode::OK, &view)
}

fn capital(level: &str) -> &'static str {
    match level {
        "CRITICAL" => "Critical",
        "HIGH" => "High",
        "MEDIUM" => "Medium",
        "LOW" => "Low",
        _ => "Info",
    }
}

/// What the rules find, in words, by their ids.
pub(super) async fn titles(call: &Call, frame: &Frame) -> Result<HashMap<String, String>, ApiError> {
    if !frame.may(call, Operation::ListRules) {
        return Ok(HashMap::new());
    }
    let rules = call.state.desk.rules().await?;
    Ok(rules.into_iter().filter_map(|rule| Some((rule.id, rule.title?))).collect())
}

/// Findings as a table.
pub(super) fn table(frame: &Frame, rows: &[Placed<FindingLine>], titles: &HashMap<String, String>) -> Table {
    let row = |finding: &Placed<FindingLine>| {
        let finding = &finding.row;
        let rule = titles.get(&finding.rule).unwrap_or(&finding.rule_name);
        let href = frame.object("findings", &finding.id, None);
        vec![
            Cell::Link(Name::head(&finding.subject), href, Some(Name::new(rule))),
            Cell::Badge(Badge::level(&finding.level)),
            match finding.state {
                FindingState::Open => Cell::Nothing,
                state => Cell::Badge(state_badge(state)),
            },
            Cell::When(When::day(finding.opened_at, frame.now)),
        ]
    };
    Table {
        caption: "Findings".to_owned(),
        heads: ["What about", "Level", "State", "Since"].map(Head::plain).to_vec(),
        rows: rows.iter().map(row).collect(),
    }
}

fn state_badge(state: FindingState) -> Badge {
    let tone = match state {
        FindingState::Open => Tone::Warn,
        FindingState::Resolved => Tone::Good,
        _ => Tone::Calm,
    };
    Badge::new(tone, state.as_str())
}

/// The figures of open findings by level, which lead to them.
pub(super) fn by_level(frame: &Frame, levels: &BTreeMap<String, u64>) -> Vec<Figure> {
    let of = |level: &str| {
        let own = levels.iter().filter(|(spelled, _)| spelled.eq_ignore_ascii_case(level));
        own.map(|(_, count)| *count).sum::<u64>()
    };
    let figure = |level: &'static str| {
        let href = frame.asked.only(&["as_of", "connector"]).with("level", level).at("/findings");
        Figure::new(of(level), capital(level), Some(href))
    };
    LEVELS.iter().take(4).copied().map(figure).collect()
}

pub(super) async fn one(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id").to_owned();
    let FindingShown { connector, finding, events } = call.state.desk.finding(&id).await?;
    let frame = Frame::of(&call, Name::new(&finding.subject).cut).await?;
    let frame = frame.below("Findings", "/findings").here(&finding.subject);
    let known = frame.may(&call, Operation::GetRule)
        && call.state.desk.rules().await?.iter().any(|rule| rule.id == finding.rule);
    let rows = finding.document.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    let (names, lines) = evidence(&rows, frame.now);
    let told = |event: &metsuke_engine::desk::FindingTold| {
        let what = event.what.map_or("changed", |what| what.as_str()).replace('_', " ");
        let mut more = event.person.as_deref().map(|person| format!("by {person}")).unwrap_or_default();
        if let Some(reason) = &event.reason {
            more = format!("{more}: {}", Name::new(reason).cut);
        }
        (When::new(event.at, frame.now), what, more)
    };
    let view = One {
        badges: vec![Badge::level(&finding.level), state_badge(finding.state)],
        subject: Name::head(&finding.subject),
        lead: titles(&call, &frame).await?.remove(&finding.rule).unwrap_or_else(|| finding.rule_name.clone()),
        facts: facts(&frame, &finding, known),
        names,
        lines,
        raw: serde_json::to_string_pretty(&finding.document).unwrap_or_default(),
        events: events.iter().rev().map(told).collect(),
        action: format!("/findings/{}", super::asked::segment(&id)),
        may: frame.may(&call, Operation::AcknowledgeFinding),
        state: finding.state.as_str(),
        fix: super::rules::pieces(evidence_text(&finding, "fix")),
        plan: plan(&call, &frame, &finding, connector.as_deref()),
        frame,
    };
    shown(StatusCode::OK, &view)
}

fn evidence_text<'f>(finding: &'f FindingLine, name: &str) -> &'f str {
    finding.document.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Where the fix of a finding is planned.
fn plan(call: &Call, frame: &Frame, finding: &FindingLine, connector: Option<&str>) -> String {
    if finding.state == FindingState::Resolved || !frame.may(call, Operation::CreatePlan) {
        return String::new();
    }
    super::provisioning::fix(frame, evidence_text(finding, "command"), connector)
        .map(|place| {
            let reason = format!("Finding: {}", Name::head(&finding.subject).cut);
            let more = super::asked::Asked::default().with("reason", &reason).at("");
            format!("{place}&{}", more.trim_start_matches('?'))
        })
        .unwrap_or_default()
}

fn facts(frame: &Frame, finding: &FindingLine, known: bool) -> Vec<(&'static str, Cell)> {
    // What is found about the installation itself comes of no rule that has a page.
    let rule = if known {
        frame.to(&format!("/rules/{}", super::asked::segment(&finding.rule)))
    } else {
        frame.asked.only(&["connector"]).with("rule", &finding.rule).at("/findings")
    };
    let mut facts = vec![
        ("Rule", Cell::Link(Name::new(&finding.rule_name), rule, Some(Name::new(&finding.rule)))),
        ("Opened", Cell::When(When::new(finding.opened_at, frame.now))),
        ("With version", Cell::Text(Name::new(&finding.opened.to_string()))),
        ("Times opened", Cell::Number(finding.times.to_string())),
    ];
    facts.extend(finding.until.map(|until| ("Accepted until", Cell::When(When::new(until, frame.now)))));
    facts.extend(finding.person.as_deref().map(|person| ("Said by", Cell::Text(Name::new(person)))));
    facts.extend(finding.reason.as_deref().map(|reason| ("Reason", Cell::Text(Name::new(reason)))));
    facts
}

/// Columns and rows of what was found that a page shows.
const COLUMNS: usize = 6;
const ROWS: usize = 50;

/// What the rule found, one line a row; the whole document stands beside it.
fn evidence(rows: &[Value], now: Moment) -> (Vec<String>, Vec<Vec<Cell>>) {
    let mut names: Vec<String> = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        let new: Vec<String> = row.keys().filter(|name| !names.contains(name)).cloned().collect();
        names.extend(new);
    }
    // What is the same in every line tells least.
    let differs =
        |name: &String| rows.iter().any(|row| row.get(name) != rows.first().and_then(|row| row.get(name)));
    names.sort_by_key(|name| !differs(name));
    names.truncate(COLUMNS);
    let line = |row: &Value| names.iter().map(|name| value(row.get(name), now)).collect();
    let lines = rows.iter().take(ROWS).map(line).collect();
    (names, lines)
}

fn value(value: Option<&Value>, now: Moment) -> Cell {
    match value {
        None | Some(Value::Null) => Cell::Nothing,
        Some(Value::String(text)) => match Moment::parse(text) {
            Some(at) => Cell::When(When::new(at, now)),
            None => Cell::Text(Name::new(text)),
        },
        Some(Value::Object(members)) => {
            let named = ["email", "name", "id"].iter().find_map(|name| members.get(*name)?.as_str());
            named.map_or(Cell::Nothing, |named| Cell::Text(Name::new(named)))
        }
        Some(value) => Cell::Text(Name::new(&value.to_string())),
    }
}

pub(super) async fn acknowledge(call: Call) -> Result<Answer, ApiError> {
    let reason = reason(&call);
    say(&call, Saying::Acknowledge { reason }).await
}

pub(super) async fn reopen(call: Call) -> Result<Answer, ApiError> {
    let reason = reason(&call);
    say(&call, Saying::Reopen { reason }).await
}

pub(super) async fn accept(call: Call) -> Result<Answer, ApiError> {
    let until = Form::read(&call.body).text("until");
    let read = Moment::parse(&until).or_else(|| Moment::parse(&format!("{until}T00:00:00Z")));
    let until = read.ok_or_else(|| ApiError::invalid("until", "it is a date such as 2027-01-31"))?;
    let reason = reason(&call).unwrap_or_default();
    say(&call, Saying::Accept { until, reason }).await
}

fn reason(call: &Call) -> Option<String> {
    Some(Form::read(&call.body).text("reason")).filter(|reason| !reason.trim().is_empty())
}

async fn say(call: &Call, saying: Saying) -> Result<Answer, ApiError> {
    let id = call.segment("id");
    call.state.desk.say(call.caller()?, id, saying).await?;
    Ok(sent_to(&format!("/findings/{}#state", super::asked::segment(id))))
}
