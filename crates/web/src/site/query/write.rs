//! Keeping a question, and changing one that is kept.
//!
//! A form is turned into the request that the API takes; what is wrong stands by its field.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::identity::{Operation, Owned};
use metsuke_engine::questions::QuestionLine;
use serde_json::json;

use super::kept::{after, place};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::{ApiError, Field};
use crate::form::Form;
use crate::handlers::handle;
use crate::site::asked::Asked;
use crate::site::connectors::{as_json, member};
use crate::site::frame::{Crumb, Frame, page as shown};
use crate::site::settings::sent_to;
use crate::site::words::Name;

/// What the form holds.
#[derive(Default)]
struct Fields {
    title: String,
    text: String,
    explanation: String,
    tags: String,
    gone: bool,
    shared: bool,
    /// It is to stand on the overview of whoever saves it.
    tile: bool,
}

#[derive(Template)]
#[template(path = "question_write.html")]
struct View {
    frame: Frame,
    action: String,
    back: String,
    fields: Fields,
    told: String,
    wrong: Vec<(String, String)>,
    new: bool,
    /// The question that stood in the editor and may be changed instead: its name, and where.
    instead: Option<(Name, String)>,
}

impl View {
    /// What is wrong with a field; nothing where it is fine.
    fn wrong_with(&self, name: &str) -> &str {
        self.wrong.iter().find(|(field, _)| field == name).map_or("", |(_, what)| what)
    }
}

impl Fields {
    fn of(question: &QuestionLine) -> Self {
        Self {
            title: question.title.clone(),
            text: question.text.clone(),
            explanation: question.explanation.clone(),
            tags: question.tags.join(", "),
            gone: question.include_deleted,
            shared: question.shared && question.owner.is_some(),
            tile: false,
        }
    }

    fn read(form: &Form) -> Self {
        let is = |name: &str| !form.text(name).is_empty();
        let lines = |name: &str| form.text(name).replace("\r\n", "\n");
        Self {
            title: form.text("title"),
            text: lines("q"),
            explanation: lines("explanation"),
            tags: form.text("tags"),
            gone: is("gone"),
            shared: is("shared"),
            tile: is("tile"),
        }
    }

    fn body(&self) -> serde_json::Value {
        let tags: Vec<&str> = self.tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect();
        json!({
            "title": self.title, "text": self.text, "explanation": self.explanation, "tags": tags,
            "include_deleted": self.gone, "shared": self.shared,
        })
    }
}

async fn view(
    call: &Call,
    question: Option<&QuestionLine>,
    fields: Fields,
    told: Option<ApiError>,
    instead: Option<(Name, String)>,
) -> Result<Answer, ApiError> {
    let (title, end) =
        if question.is_some() { ("Change a question", "Change") } else { ("Save a question", "Save") };
    let mut frame = Frame::of(call, title).await?.below("Query", "/query");
    frame = frame.below("Questions", "/query/questions");
    if let Some(question) = question {
        let href = frame.to(&place(&question.id));
        frame.crumbs.push(Crumb { name: Name::new(&question.title), href });
    }
    let status = told.as_ref().map_or(StatusCode::OK, |told| told.status);
    let mut wrong = Vec::new();
    for field in told.iter().flat_map(|told| &told.fields) {
        // The API calls a mistake in a question one in `query`, as wherever a question is sent.
        let name = if matches!(field.name.as_str(), "query" | "text") { "q" } else { &field.name };
        match wrong.iter_mut().find(|(known, _): &&mut (String, String)| known == name) {
            Some((_, before)) => *before = format!("{before}\n{}", placed(field)),
            None => wrong.push((name.to_owned(), placed(field))),
        }
    }
    let back = match question {
        Some(question) => frame.to(&place(&question.id)),
        None => frame.asked.only(&["as_of", "connector", "ask", "q"]).at("/query"),
    };
    let view = View {
        action: question.map_or_else(
            || "/query/questions/add".to_owned(),
            |question| format!("{}/edit", place(&question.id)),
        ),
        back,
        fields,
        told: told.map(|told| told.message).unwrap_or_default(),
        wrong,
        new: question.is_none(),
        instead,
        frame: frame.here(end),
    };
    shown(status, &view)
}

/// What is wrong with a field, and where in the text.
fn placed(field: &Field) -> String {
    match (field.line, field.column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: {}", field.message),
        _ => field.message.clone(),
    }
}

pub(in crate::site) async fn add(call: Call) -> Result<Answer, ApiError> {
    let asked = Asked::of(&call.uri);
    let mut fields = Fields::default();
    let mut instead = None;
    if let Some(id) = asked.get("ask") {
        let ready = call.state.desk.question(call.caller()?, id).await?;
        if ready.may_change {
            let href = asked.only(&["q", "gone"]).at(&format!("{}/edit", place(&ready.id)));
            instead = Some((Name::new(&ready.title), href));
        }
        fields = Fields { shared: false, ..Fields::of(&ready) };
    }
    if let Some(text) = asked.get("q") {
        fields.text = text.replace("\r\n", "\n");
        fields.gone = asked.get("gone").is_some();
    }
    fields.tile = asked.get("tile").is_some();
    view(&call, None, fields, None, instead).await
}

pub(in crate::site) async fn edit(call: Call) -> Result<Answer, ApiError> {
    let question = changeable(&call).await?;
    let asked = Asked::of(&call.uri);
    let mut fields = Fields::of(&question);
    if let Some(text) = asked.get("q") {
        fields.text = text.replace("\r\n", "\n");
        fields.gone = asked.get("gone").is_some();
    }
    view(&call, Some(&question), fields, None, None).await
}

/// The question that the path names, where whoever asks may change it.
async fn changeable(call: &Call) -> Result<QuestionLine, ApiError> {
    let question = call.state.desk.question(call.caller()?, call.segment("id")).await?;
    if question.may_change {
        return Ok(question);
    }
    let told = "only whoever saved a question, or an admin, changes it";
    Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", told).hint("Save a copy of it as your own."))
}

pub(in crate::site) async fn create(call: Call) -> Result<Answer, ApiError> {
    write(call, None).await
}

pub(in crate::site) async fn save(call: Call) -> Result<Answer, ApiError> {
    let question = changeable(&call).await?;
    write(call, Some(question)).await
}

/// Puts a question on the overview; `false` where there is no room for it.
async fn pinned(call: &Call, id: &str) -> Result<bool, ApiError> {
    let caller = call.caller()?;
    if Operation::ArrangeTiles.permits(caller, Owned::No).is_err() {
        return Ok(false);
    }
    let before = call.state.desk.tiles(caller).await?;
    let mut ids: Vec<String> = before.into_iter().map(|tile| tile.id).collect();
    ids.push(id.to_owned());
    let call = Call { operation: Operation::ArrangeTiles, ..call.clone() };
    match handle(as_json(call, &json!({ "questions": ids }))).await {
        Ok(_) => Ok(true),
        Err(told) if told.status.is_client_error() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Keeps what a form says, or tells what is wrong with it.
async fn write(call: Call, question: Option<QuestionLine>) -> Result<Answer, ApiError> {
    let fields = Fields::read(&Form::read(&call.body));
    let asking = call.clone();
    match handle(as_json(call, &fields.body())).await {
        Ok(answer) => {
            let id = member(&answer, "id").unwrap_or_default();
            if fields.tile && question.is_none() && pinned(&asking, &id).await? {
                return Ok(sent_to("/"));
            }
            Ok(sent_to(&after(&asking, &id).await?))
        }
        Err(told) if told.status.is_client_error() => {
            view(&asking, question.as_ref(), fields, Some(told), None).await
        }
        Err(error) => Err(error),
    }
}
