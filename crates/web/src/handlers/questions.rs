//! Questions that are ready to be asked: what people keep, and the library.

use std::str::FromStr as _;

use axum::http::{StatusCode, header};
use metsuke_engine::questions::{QuestionEdit, QuestionLine, Source};
use serde::Deserialize;

use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionsOf {
    source: Option<String>,
    tag: Option<String>,
    text: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let QuestionsOf { source, tag, text, limit, cursor } = call.parameters()?;
    let (count, after) = call.paging::<(Source, String, String)>(&Paging { limit, cursor })?;
    let sources = source.as_deref().map(sources).transpose()?;
    let tags: Vec<&str> = tag.iter().flat_map(|tags| tags.split(',')).map(str::trim).collect();
    let mut found = call.state.desk.questions(call.caller()?).await?;
    found.retain(|question| {
        sources.as_ref().is_none_or(|sources| sources.contains(&question.source))
            && tags.iter().all(|tag| question.is_tagged(tag))
            && text.as_deref().is_none_or(|words| question.mentions(words))
            && after.as_ref().is_none_or(|after| question.place() > *after)
    });
    let more = found.len() > count;
    found.truncate(count);
    let next = found.last().filter(|_| more).map(QuestionLine::place);
    call.page(&found, next.as_ref(), QUESTIONS)
}

fn sources(asked: &str) -> Result<Vec<Source>, ApiError> {
    let wrong = |_| ApiError::invalid("source", "it is own, shared or library; several with commas");
    asked.split(',').map(|one| Source::from_str(one.trim()).map_err(wrong)).collect()
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.desk.question(call.caller()?, call.segment("id")).await?)
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let asked: QuestionEdit = call.json()?;
    let made = call.state.desk.keep_question(call.caller()?, None, asked).await?;
    let place = format!("/api/v1/questions/{}", made.id);
    Ok(Answer::json(StatusCode::CREATED, &made)?.with(header::LOCATION, &place))
}

pub(super) async fn edit(call: Call) -> Result<Answer, ApiError> {
    let asked: QuestionEdit = call.json()?;
    Answer::ok(&call.state.desk.keep_question(call.caller()?, Some(call.segment("id")), asked).await?)
}

pub(super) async fn remove(call: Call) -> Result<Answer, ApiError> {
    Answer::ok(&call.state.desk.remove_question(call.caller()?, call.segment("id")).await?)
}

pub(crate) const QUESTIONS: Columns = &[
    ("id", "/id"),
    ("source", "/source"),
    ("title", "/title"),
    ("explanation", "/explanation"),
    ("tags", "/tags"),
    ("variables", "/variables"),
    ("text", "/text"),
    ("owner", "/owner"),
    ("shared", "/shared"),
    ("updated_at", "/updated_at"),
];
