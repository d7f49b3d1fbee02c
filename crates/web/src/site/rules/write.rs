//! Adding a rule and writing one anew: by a form, or in JupiterOne's words.
//!
//! A form is turned into the request that the API takes, so that both are judged alike; what is wrong stands by its field.

use askama::Template;
use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use metsuke_engine::desk::{ReplayOf, RuleShown};
use metsuke_engine::identity::Operation;
use metsuke_engine::rules::Level;
use serde_json::{Value, json};

use super::form::{Fields, OPERATORS};
use super::place;
use super::replay::{Past, past};
use super::words::INTERVALS;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::site::cell::Cell;
use crate::site::connectors::{as_json, member};
use crate::site::frame::{Choice, Frame, page as shown};
use crate::site::settings::sent_to;
use crate::site::words::Name;

#[derive(Template)]
#[template(path = "rule_write.html")]
struct View {
    frame: Frame,
    action: String,
    back: String,
    fields: Option<Fields>,
    json: String,
    told: String,
    wrong: Vec<(String, String)>,
    /// Mistakes in the text, which have no field.
    mistakes: Vec<String>,
    severities: Vec<Choice>,
    operators: Vec<Choice>,
    intervals: Vec<Choice>,
    channels: Option<String>,
    tried: Option<Past>,
    new: bool,
    /// Whether the rule is on that is written anew as it stands.
    enabled: bool,
}

impl View {
    /// What is wrong with a field; nothing where it is fine.
    fn wrong_with(&self, name: &str) -> &str {
        self.wrong.iter().find(|(field, _)| field == name).map_or("", |(_, what)| what)
    }
}

fn choices(known: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    let mut all: Vec<Choice> = known
        .iter()
        .map(|(value, name)| Choice {
            value: (*value).to_owned(),
            name: Name::new(name),
            chosen: *value == chosen,
        })
        .collect();
    if !chosen.is_empty() && all.iter().all(|choice| !choice.chosen) {
        all.push(Choice { value: chosen.to_owned(), name: Name::new(chosen), chosen: true });
    }
    all
}

/// What the page shows of a form.
struct Written {
    fields: Option<Fields>,
    json: String,
    told: Option<ApiError>,
    tried: Option<Past>,
}

impl Written {
    const fn of(fields: Option<Fields>, json: String) -> Self {
        Self { fields, json, told: None, tried: None }
    }
}

/// The page with the form; `rule` is the one that is written anew.
async fn view(call: &Call, rule: Option<&RuleShown>, written: Written) -> Result<Answer, ApiError> {
    let (title, end) = if rule.is_some() { ("Edit a rule", "Edit") } else { ("Add a rule", "Add") };
    let mut frame = Frame::of(call, title).await?.below("Rules", "/rules");
    if let Some(rule) = rule {
        let href = frame.to(&place(&rule.id));
        frame.crumbs.push(crate::site::frame::Crumb { name: Name::new(&rule.name), href });
    }
    let frame = frame.here(end);
    let Written { fields, json, told, tried } = written;
    let status = told.as_ref().map_or(StatusCode::OK, |told| told.status);
    let (mut wrong, mut mistakes) = (Vec::new(), Vec::new());
    for field in told.iter().flat_map(|told| &told.fields) {
        let name = if fields.is_some() { Fields::field(&field.name) } else { "" };
        if name.is_empty() {
            let place = if field.name.is_empty() { String::new() } else { format!("{}: ", field.name) };
            mistakes.push(format!("{place}{}", field.message));
        } else {
            wrong.push((name.to_owned(), field.message.clone()));
        }
    }
    wrong.extend(fields.iter().filter(|_| told.is_some()).flat_map(Fields::wrong));
    let of = |take: fn(&Fields) -> &str| fields.as_ref().map(take).unwrap_or_default();
    let levels: Vec<(&str, &str)> =
        Level::ALL.iter().rev().map(|level| (level.as_str(), level.as_str())).collect();
    let mut severities = choices(&levels, of(|fields| &fields.severity));
    for choice in &mut severities {
        choice.name = Name::new(&choice.value.to_lowercase());
    }
    let view = View {
        action: rule.map_or_else(|| "/rules/add".to_owned(), |rule| format!("{}/edit", place(&rule.id))),
        back: rule.map_or_else(|| "/rules".to_owned(), |rule| place(&rule.id)),
        severities,
        operators: choices(&OPERATORS, of(|fields| &fields.operator)),
        intervals: choices(&INTERVALS, of(|fields| &fields.interval)),
        channels: channels(call, &frame).await?,
        told: told.map(|told| told.message).unwrap_or_default(),
        new: rule.is_none(),
        enabled: rule.is_none_or(|rule| rule.enabled),
        fields,
        json,
        wrong,
        mistakes,
        tried,
        frame,
    };
    shown(status, &view)
}

/// Who is told of findings, in a sentence; none for whoever may not see that.
async fn channels(call: &Call, frame: &Frame) -> Result<Option<String>, ApiError> {
    if !frame.may(call, Operation::ListChannels) {
        return Ok(None);
    }
    let channels = call.state.desk.channels().await?;
    let told: Vec<String> = channels
        .iter()
        .filter(|channel| channel.enabled && channel.settings.get("rules").is_none())
        .map(|channel| {
            let level =
                channel.settings.get("level").and_then(Value::as_str).unwrap_or("INFO").to_lowercase();
            format!("{} from {level} on", Name::new(&channel.name).cut)
        })
        .collect();
    Ok(Some(if told.is_empty() {
        "No channel is told of every rule yet, so findings stand on their pages alone.".to_owned()
    } else {
        format!("Told of what it finds: {}.", told.join(", "))
    }))
}

pub(in crate::site) async fn add(call: Call) -> Result<Answer, ApiError> {
    let asked = crate::site::asked::Asked::of(&call.uri);
    let query = asked.get("q").unwrap_or_default().replace("\r\n", "\n");
    let name = asked.get("name").unwrap_or_default().to_owned();
    view(&call, None, Written::of(Some(Fields { name, query, ..Fields::default() }), String::new())).await
}

pub(in crate::site) async fn edit(call: Call) -> Result<Answer, ApiError> {
    let rule = own(&call).await?;
    let mut document = rule.document.as_object().cloned().unwrap_or_default();
    let fields = Fields::read(&document, rule.enabled);
    document.remove("id");
    let json = serde_json::to_string_pretty(&Value::Object(document)).unwrap_or_default();
    view(&call, Some(&rule), Written::of(fields, json)).await
}

async fn own(call: &Call) -> Result<RuleShown, ApiError> {
    let rule = call.state.desk.rule(call.segment("id")).await?;
    if rule.kind == RuleShown::OWN {
        return Ok(rule);
    }
    let told = "a shipped rule is not written anew";
    Err(ApiError::conflict("shipped", told).hint("Switch it off, or set what it leaves open."))
}

pub(in crate::site) async fn create(call: Call) -> Result<Answer, ApiError> {
    write(call, None).await
}

pub(in crate::site) async fn save(call: Call) -> Result<Answer, ApiError> {
    let rule = own(&call).await?;
    write(call, Some(rule)).await
}

/// Keeps what a form says, or tells what is wrong with it.
async fn write(call: Call, rule: Option<RuleShown>) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let text = form.text("json");
    let (fields, document, enabled) = if text.trim().is_empty() {
        let fields = Fields::of(&form);
        let document = fields.document();
        let enabled = fields.enabled;
        (Some(fields), document, enabled)
    } else {
        match serde_json::from_str::<Value>(&text) {
            Ok(document) => (None, document, !form.text("enabled").is_empty()),
            Err(error) => {
                let told = ApiError::invalid("json", format!("this is no JSON: {error}"));
                return view(&call, rule.as_ref(), Written { told: Some(told), ..Written::of(None, text) })
                    .await;
            }
        }
    };
    if !form.text("try").is_empty() {
        let frame = Frame::of(&call, "Rule").await?;
        let tried = Some(past(&call, &frame, ReplayOf::Written(document)).await?);
        return view(&call, rule.as_ref(), Written { tried, ..Written::of(fields, text) }).await;
    }
    let wrong = fields.as_ref().map(Fields::wrong).unwrap_or_default();
    let asking = call.clone();
    let kept = if wrong.is_empty() {
        handle(as_json(call, &json!({ "rule": document, "enabled": enabled }))).await
    } else {
        Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "rule_invalid", "the rule cannot be kept"))
    };
    match kept {
        Ok(answer) => Ok(sent_to(&place(&member(&answer, "id").unwrap_or_default()))),
        Err(told) if told.status.is_client_error() => {
            view(&asking, rule.as_ref(), Written { told: Some(told), ..Written::of(fields, text) }).await
        }
        Err(error) => Err(error),
    }
}

/// Keeps rules that somebody pasted or chose a text of, in JupiterOne's words: one, or a list.
pub(in crate::site) async fn import(call: Call) -> Result<Answer, ApiError> {
    let text = Form::read(&call.body).text("json");
    let asking = call.clone();
    let refused = |told: ApiError| {
        let written = Written { told: Some(told), ..Written::of(None, text.clone()) };
        let asking = asking.clone();
        async move { view(&asking, None, written).await }
    };
    if let Err(error) = serde_json::from_str::<Value>(&text) {
        return refused(ApiError::invalid("json", format!("this is no JSON: {error}"))).await;
    }
    let mut call = Call { body: Bytes::from(text.clone()), ..call };
    call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match handle(call).await {
        Ok(_) => Ok(sent_to("/rules?only=own")),
        Err(told) if told.status.is_client_error() => refused(told).await,
        Err(error) => Err(error),
    }
}
