//! One question that is ready to be asked: what it asks, whose it is, and what can be done with it.
//!
//! Invariant: each form becomes the request that the API takes.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::identity::Operation;
use metsuke_engine::questions::{QuestionLine, Source};
use serde_json::json;

use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::site::asked::{Asked, segment};
use crate::site::cell::{Badge, Cell, Tone};
use crate::site::connectors::as_json;
use crate::site::frame::{Frame, page as shown};
use crate::site::settings::sent_to;
use crate::site::words::{Name, When};

#[derive(Template)]
#[template(path = "question.html")]
struct View {
    frame: Frame,
    badge: Badge,
    question: QuestionLine,
    facts: Vec<(&'static str, Cell)>,
    place: String,
    ask: String,
    copy: String,
    /// Where a rule is made of it; empty where that cannot be.
    rule: String,
    own: bool,
    tile: Tiled,
}

/// Whether it stands on the overview of whoever looks.
#[derive(PartialEq, Eq)]
enum Tiled {
    /// It cannot.
    Never,
    Not,
    Stands,
}

/// Where a question's page is.
pub(in crate::site) fn place(id: &str) -> String {
    format!("/query/questions/{}", segment(id))
}

/// Where a question comes from, in a word.
pub(super) fn badge(question: &QuestionLine) -> Badge {
    match (question.source, question.shared) {
        (Source::Own, true) => Badge::new(Tone::Good, "yours, shared"),
        (Source::Own, false) => Badge::new(Tone::Calm, "yours alone"),
        (Source::Shared, _) => Badge::new(Tone::Good, "shared"),
        (Source::Library, _) => Badge::new(Tone::Calm, "library"),
    }
}

pub(in crate::site) async fn page(call: Call) -> Result<Answer, ApiError> {
    let question = call.state.desk.question(call.caller()?, call.segment("id")).await?;
    let frame = Frame::of(&call, Name::head(&question.title).cut).await?;
    let frame = frame.below("Query", "/query").below("Questions", "/query/questions").here(&question.title);
    let carried = frame.asked.only(&["as_of", "connector"]);
    let makes_rule = question.variables.is_empty() && frame.may(&call, Operation::CreateRule);
    let rule = Asked::default().with("q", &question.text).with("name", &question.title);
    let tile = tiled(&call, &frame, &question).await?;
    let view = View {
        tile,
        badge: badge(&question),
        facts: facts(&frame, &question),
        place: place(&question.id),
        ask: carried.with("ask", &question.id).at("/query"),
        copy: carried.with("ask", &question.id).at("/query/questions/add"),
        rule: if makes_rule { rule.at("/rules/add") } else { String::new() },
        own: question.source == Source::Own,
        question,
        frame,
    };
    shown(StatusCode::OK, &view)
}

async fn tiled(call: &Call, frame: &Frame, question: &QuestionLine) -> Result<Tiled, ApiError> {
    if !frame.may(call, Operation::ArrangeTiles) {
        return Ok(Tiled::Never);
    }
    let stands = call.state.desk.tiles(call.caller()?).await?.iter().any(|tile| tile.id == question.id);
    Ok(match (stands, question.is_settled()) {
        (true, _) => Tiled::Stands,
        (false, true) => Tiled::Not,
        (false, false) => Tiled::Never,
    })
}

fn facts(frame: &Frame, question: &QuestionLine) -> Vec<(&'static str, Cell)> {
    let mut facts = vec![(
        "Seen by",
        Cell::Word(if question.shared { "everybody who signs in" } else { "you alone" }.into()),
    )];
    facts.extend(question.owner.as_deref().map(|owner| ("Saved by", Cell::text(Some(owner)))));
    facts.extend(question.created_at.map(|at| ("Since", Cell::When(When::day(at, frame.now)))));
    facts.extend(question.updated_at.map(|at| ("Changed", Cell::When(When::new(at, frame.now)))));
    if !question.tags.is_empty() {
        facts.push(("Tags", Cell::text(Some(&question.tags.join(", ")))));
    }
    facts.extend(question.include_deleted.then(|| ("Asks about", Cell::Word("what is gone, too".into()))));
    facts.push(("Id", Cell::text(Some(&question.id))));
    facts
}

/// Shares a question with everybody, or shares it no more.
pub(in crate::site) async fn share(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id").to_owned();
    let shared = Form::read(&call.body).text("shared") == "yes";
    let asking = call.clone();
    handle(as_json(call, &json!({ "shared": shared }))).await?;
    Ok(sent_to(&after(&asking, &id).await?))
}

/// Where one looks after a change: the question, or all of them where it is seen no more.
pub(super) async fn after(call: &Call, id: &str) -> Result<String, ApiError> {
    let seen = call.state.desk.question(call.caller()?, id).await.is_ok();
    Ok(if seen { place(id) } else { "/query/questions".to_owned() })
}

pub(in crate::site) async fn remove(call: Call) -> Result<Answer, ApiError> {
    handle(call).await?;
    Ok(sent_to("/query/questions?only=own"))
}
