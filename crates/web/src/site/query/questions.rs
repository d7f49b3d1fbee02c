//! The list of questions that are ready to be asked: one's own, those that others share, and the library.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::identity::Operation;
use metsuke_engine::questions::{QuestionLine, Source};

use super::kept::{badge, place};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::handlers::QUESTIONS;
use crate::site::cell::Cell;
use crate::site::frame::{Frame, page as shown};
use crate::site::list::{Listed, is_part, part};
use crate::site::short::{Column, Short, file};
use crate::site::words::{Name, When};

#[derive(Template)]
#[template(path = "questions.html")]
struct View {
    frame: Frame,
    listed: Listed,
    may_add: bool,
}

pub(in crate::site) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Questions").await?.below("Query", "/query").here("Questions");
    let questions = call.state.desk.questions(call.caller()?).await?;
    let all = questions.len();
    let rows = LIST.chosen(&frame, questions);
    if frame.asked.get("format") == Some("csv") {
        return Ok(file(LIST.csv, "questions", &rows));
    }
    let listed = LIST.listed(&frame, &rows, all);
    if is_part(&call) {
        return part(listed);
    }
    let view = View { listed, may_add: frame.may(&call, Operation::CreateQuestion), frame };
    shown(StatusCode::OK, &view)
}

static LIST: Short<QuestionLine> = Short {
    title: "Questions",
    seek: "Find by title, tag or text",
    columns: &[
        Column {
            key: "title",
            label: "Question",
            number: false,
            falling: false,
            usual: true,
            order: Some(|one, other| one.title.to_lowercase().cmp(&other.title.to_lowercase())),
            cell: title,
        },
        Column {
            key: "source",
            label: "From",
            number: false,
            falling: false,
            usual: true,
            order: Some(|one, other| one.place().cmp(&other.place())),
            cell: |question, _| Cell::Badge(badge(question)),
        },
        Column {
            key: "owner",
            label: "Saved by",
            number: false,
            falling: false,
            usual: true,
            order: Some(|one, other| one.owner.cmp(&other.owner)),
            cell: |question, _| Cell::text(question.owner.as_deref()),
        },
        Column {
            key: "tags",
            label: "Tags",
            number: false,
            falling: false,
            usual: true,
            order: None,
            cell: |question, _| {
                let tags = question.tags.join(", ");
                Cell::text(Some(&*tags).filter(|tags| !tags.is_empty()))
            },
        },
        Column {
            key: "changed",
            label: "Changed",
            number: false,
            falling: true,
            usual: true,
            order: Some(|one, other| one.updated_at.cmp(&other.updated_at)),
            cell: |question, frame| {
                question.updated_at.map_or(Cell::Nothing, |at| Cell::When(When::day(at, frame.now)))
            },
        },
        Column {
            key: "id",
            label: "Id",
            number: false,
            falling: false,
            usual: false,
            order: Some(|one, other| one.id.cmp(&other.id)),
            cell: |question, _| Cell::text(Some(&question.id)),
        },
    ],
    facets: &[("", "All"), ("own", "Yours"), ("shared", "Shared with everybody"), ("library", "Library")],
    fits: |question, facet| match facet {
        "own" => question.source == Source::Own,
        "shared" => question.source != Source::Library && question.shared,
        "library" => question.source == Source::Library,
        _ => true,
    },
    words: |question| {
        let owner = question.owner.as_deref().unwrap_or_default();
        let QuestionLine { id, title, explanation, text, tags, .. } = question;
        format!("{id} {title} {explanation} {} {text} {owner}", tags.join(" "))
    },
    csv: QUESTIONS,
    empty: "There are no questions.",
};

fn title(question: &QuestionLine, frame: &Frame) -> Cell {
    let below = Some(&question.explanation).filter(|told| !told.is_empty()).map(|told| Name::new(told));
    Cell::Link(Name::new(&question.title), frame.to(&place(&question.id)), below)
}
