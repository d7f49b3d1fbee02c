//! Rules: the list of them, switching one on or off, and where alerts go.

mod act;
mod channels;
mod form;
mod one;
mod replay;
mod sorts;
mod words;
mod write;

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::desk::{RuleShown, RuleWatched};
use metsuke_engine::identity::Operation;

pub(super) use act::{evaluate, parameters, remove, switch};
pub(super) use channels::{
    add as add_channel, create as create_channel, one as channel, page as channels, remove as remove_channel,
    save as save_channel, test as test_channel,
};
pub(super) use one::page as one;
pub(super) use words::pieces;
pub(super) use write::{add, create, edit, import, save};

use super::asked::segment;
use super::cell::{Badge, Cell, Switch, Tone};
use super::frame::{Frame, page as shown};
use super::list::{Listed, is_part, part};
use super::short::{Column, Short, file};
use super::words::{Name, When};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::handlers::RULES;

#[derive(Template)]
#[template(path = "rules.html")]
struct View {
    frame: Frame,
    listed: Listed,
    may_add: bool,
    may_see_channels: bool,
}

/// A row of the list.
struct Line {
    rule: RuleWatched,
    may_set: bool,
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Rules").await?.here("Rules");
    let may_set = frame.may(&call, Operation::SetRule);
    let rules = call.state.desk.watched_rules(frame.connector()).await?;
    let all = rules.len();
    let rows = LIST.chosen(&frame, rules.into_iter().map(|rule| Line { rule, may_set }).collect());
    if frame.asked.get("format") == Some("csv") {
        let rows: Vec<&RuleWatched> = rows.iter().map(|line| &line.rule).collect();
        return Ok(file(LIST.csv, "rules", &rows));
    }
    let listed = LIST.listed(&frame, &rows, all);
    if is_part(&call) {
        return part(listed);
    }
    let view = View {
        listed,
        may_add: frame.may(&call, Operation::CreateRule),
        may_see_channels: frame.may(&call, Operation::ListChannels),
        frame,
    };
    shown(StatusCode::OK, &view)
}

static LIST: Short<Line> = Short {
    title: "Rules",
    seek: "Find by name or by what it finds",
    columns: &[
        Column {
            key: "rule",
            label: "Rule",
            number: false,
            falling: false,
            usual: true,
            order: Some(|one, other| title(&one.rule).to_lowercase().cmp(&title(&other.rule).to_lowercase())),
            cell: name,
        },
        Column {
            key: "severity",
            label: "Severity",
            number: false,
            falling: true,
            usual: true,
            order: Some(|one, other| rank(&one.rule).cmp(&rank(&other.rule))),
            cell: |line, _| {
                words::severity(&line.rule)
                    .map_or(Cell::Word("as it says".into()), |level| Cell::Badge(Badge::level(&level)))
            },
        },
        Column {
            key: "state",
            label: "State",
            number: false,
            falling: false,
            usual: true,
            order: Some(|one, other| one.rule.rule.enabled.cmp(&other.rule.rule.enabled)),
            cell: state,
        },
        Column {
            key: "looks_for",
            label: "Looks at",
            number: false,
            falling: false,
            usual: true,
            order: Some(|one, other| one.rule.looks_for.cmp(other.rule.looks_for)),
            cell: |line, _| Cell::Word(words::looks_at(&line.rule).into()),
        },
        Column {
            key: "open",
            label: "Open findings",
            number: true,
            falling: true,
            usual: true,
            order: Some(|one, other| one.rule.open_findings.cmp(&other.rule.open_findings)),
            cell: open,
        },
        Column {
            key: "evaluated",
            label: "Last evaluated",
            number: false,
            falling: true,
            usual: true,
            order: Some(|one, other| one.rule.evaluated_at.cmp(&other.rule.evaluated_at)),
            cell: |line, frame| {
                line.rule
                    .evaluated_at
                    .map_or(Cell::Word("never".into()), |at| Cell::When(When::new(at, frame.now)))
            },
        },
        Column {
            key: "next",
            label: "Next",
            number: false,
            falling: false,
            usual: false,
            order: Some(|one, other| one.rule.next_at.cmp(&other.rule.next_at)),
            cell: |line, frame| {
                line.rule.next_at.map_or(Cell::Nothing, |at| Cell::When(When::new(at, frame.now)))
            },
        },
        Column {
            key: "interval",
            label: "Interval",
            number: false,
            falling: false,
            usual: false,
            order: None,
            cell: |line, _| Cell::Word(words::interval(&line.rule.interval)),
        },
        Column {
            key: "from",
            label: "From",
            number: false,
            falling: false,
            usual: true,
            order: Some(|one, other| one.rule.rule.kind.cmp(other.rule.rule.kind)),
            cell: |line, _| Cell::Word(words::from(&line.rule.rule).into()),
        },
    ],
    facets: &[
        ("", "All"),
        ("on", "On"),
        ("off", "Off"),
        ("open", "With open findings"),
        ("unjudged", "Cannot be judged"),
        ("change", "Looks at changes"),
        ("own", "Your own"),
    ],
    fits: |line, facet| {
        let rule = &line.rule;
        match facet {
            "on" => rule.rule.enabled,
            "off" => !rule.rule.enabled,
            "open" => rule.open_findings > 0,
            "unjudged" => words::is_unjudged(rule),
            "change" => rule.looks_for == "change",
            "own" => rule.rule.kind == RuleShown::OWN,
            _ => true,
        }
    },
    words: |line| {
        let rule = &line.rule.rule;
        let explained = rule.document.get("explanation").and_then(|text| text.as_str()).unwrap_or_default();
        format!("{} {} {} {explained}", rule.id, rule.name, rule.title.as_deref().unwrap_or_default())
    },
    csv: RULES,
    empty: "There are no rules.",
};

/// What a rule is called on pages: what it finds in words, where it says so.
fn title(rule: &RuleWatched) -> &str {
    match (rule.rule.kind == RuleShown::SHIPPED, &rule.rule.title) {
        (true, Some(title)) => title,
        _ => &rule.rule.name,
    }
}

fn rank(rule: &RuleWatched) -> Option<metsuke_engine::rules::Level> {
    words::severity(rule).and_then(|level| level.parse().ok())
}

/// Where a rule's page is.
fn place(id: &str) -> String {
    format!("/rules/{}", segment(id))
}

fn name(line: &Line, frame: &Frame) -> Cell {
    let rule = &line.rule.rule;
    let below = match (rule.kind == RuleShown::SHIPPED, &rule.title) {
        (true, _) => Some(format!("{} · {}", rule.id, rule.name)),
        (false, Some(title)) => Some(title.clone()),
        (false, None) => None,
    };
    let href = frame.to(&place(&rule.id));
    Cell::Link(Name::new(title(&line.rule)), href, below.as_deref().map(Name::new))
}

fn state(line: &Line, frame: &Frame) -> Cell {
    let rule = &line.rule;
    if !line.may_set || frame.csrf.is_empty() {
        return match (rule.rule.enabled, words::is_unjudged(rule)) {
            (true, true) => Cell::Badge(Badge::new(Tone::Warn, "cannot be judged")),
            (true, false) => Cell::Badge(Badge::new(Tone::Good, "on")),
            (false, _) => Cell::Badge(Badge::new(Tone::Calm, "off")),
        };
    }
    Cell::Switch(Switch {
        action: format!("{}/switch", place(&rule.rule.id)),
        csrf: frame.csrf.clone(),
        on: rule.rule.enabled,
        next: frame.itself(),
        label: Name::new(title(rule)),
        note: if rule.rule.enabled && words::is_unjudged(rule) { "cannot be judged" } else { "" },
    })
}

fn open(line: &Line, frame: &Frame) -> Cell {
    let href = frame.asked.only(&["connector"]).with("rule", &line.rule.rule.id).at("/findings");
    Cell::tally(line.rule.open_findings as u64, href)
}
