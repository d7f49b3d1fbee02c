//! The library of ready questions.

use metsuke_engine::questions::{self, Question};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionsOf {
    tag: Option<String>,
    text: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let QuestionsOf { tag, text, limit, cursor } = call.parameters()?;
    let (count, after) = call.paging::<String>(&Paging { limit, cursor })?;
    let tags: Vec<&str> = tag.iter().flat_map(|tags| tags.split(',')).map(str::trim).collect();
    let wanted = |question: &&Question| {
        tags.iter().all(|tag| question.is_tagged(tag))
            && text.as_deref().is_none_or(|words| question.mentions(words))
    };
    let mut found: Vec<&Question> = questions::all().iter().filter(wanted).collect();
    if let Some(after) = after {
        let behind = found.iter().position(|one| *one.id == *after).map_or(found.len(), |place| place + 1);
        found.drain(..behind);
    }
    let more = found.len() > count;
    found.truncate(count);
    let next = found.last().filter(|_| more).map(|one| one.id.to_string());
    let rows: Vec<Value> = found.into_iter().map(shown).collect();
    call.page(&rows, next.as_ref(), QUESTIONS)
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id");
    let missing = || ApiError::not_found(format!("there is no question `{id}`"));
    Answer::ok(&shown(questions::find(id).ok_or_else(missing)?))
}

fn shown(question: &Question) -> Value {
    let mut told = json!(question);
    if let Some(members) = told.as_object_mut() {
        members.insert("text".into(), question.text().into());
    }
    told
}

const QUESTIONS: Columns = &[
    ("id", "/id"),
    ("title", "/title"),
    ("explanation", "/explanation"),
    ("tags", "/tags"),
    ("variables", "/variables"),
    ("text", "/text"),
];
