//! Tokens of programs: which there are, a new one, which is shown once, and the end of one.
//!
//! Invariant: a token stands in the answer to the form that made it, and nowhere else.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::identity::{Area, Operation, Role, Token};
use metsuke_model::Moment;
use serde_json::{Map, Value, json};

use super::{RoleChoice, Said, parts, roles, sent_to, text, told};
use crate::answer::Answer;
use crate::call::Call;
use crate::cursor;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::site::cell::{Badge, Cell, Tone};
use crate::site::connectors::as_json;
use crate::site::frame::{Frame, page as shown};
use crate::site::list::Facet;
use crate::site::words::{Name, When};

/// Tokens of a page.
const PAGE: usize = 100;
const HERE: &str = "/settings/tokens";

#[derive(Template)]
#[template(path = "settings_tokens.html")]
struct View {
    frame: Frame,
    parts: Vec<Facet>,
    said: Said,
    done: bool,
    lines: Vec<Line>,
    next: String,
    first: String,
    may: bool,
    fields: Fields,
    roles: Vec<RoleChoice>,
    areas: Vec<AreaChoice>,
}

/// A token and what can be done with it.
struct Line {
    id: String,
    name: Name,
    role: String,
    scopes: String,
    person: Cell,
    used: Cell,
    made: Cell,
    badge: Badge,
    live: bool,
}

/// What the form held.
#[derive(Default)]
struct Fields {
    name: String,
    person: String,
    expires: String,
}

/// An area that a token can be narrowed to.
struct AreaChoice {
    word: &'static str,
    meaning: &'static str,
    reads: bool,
    writes: bool,
}

#[derive(Template)]
#[template(path = "settings_token.html")]
struct Made {
    frame: Frame,
    token: String,
    name: Name,
    role: String,
}

pub(in crate::site) async fn page(call: Call) -> Result<Answer, ApiError> {
    view(&call, StatusCode::OK, Said::default(), &Form::default()).await
}

async fn view(call: &Call, status: StatusCode, said: Said, form: &Form) -> Result<Answer, ApiError> {
    let frame = Frame::of(call, "API tokens").await?.below("Settings", "/settings").here("API tokens");
    let list = Operation::ListTokens;
    let after = frame.asked.get("cursor").map(|cursor| cursor::read::<String>(list, cursor)).transpose()?;
    let most = u32::try_from(PAGE + 1).unwrap_or(u32::MAX);
    let mut tokens = call.state.tokens.list(after.as_deref().unwrap_or_default(), most).await?;
    let more = tokens.len() > PAGE;
    tokens.truncate(PAGE);
    let next = tokens.last().filter(|_| more).and_then(|last| cursor::write(list, &last.id));
    let asked = frame.asked.without(&["cursor", "done"]);
    let role = form.text("role");
    let view = View {
        parts: parts(&frame, call),
        said,
        done: frame.asked.get("done").is_some(),
        lines: tokens.iter().map(|token| line(token, &frame)).collect(),
        next: next.map(|next| asked.with("cursor", &next).at(HERE)).unwrap_or_default(),
        first: if after.is_some() { asked.at(HERE) } else { String::new() },
        may: frame.may(call, Operation::CreateToken),
        fields: Fields {
            name: form.text("name"),
            person: form.text("person"),
            expires: form.text("expires"),
        },
        roles: roles(if role.is_empty() { Role::Viewer.as_str() } else { &role }),
        areas: areas(form),
        frame,
    };
    shown(status, &view)
}

fn areas(form: &Form) -> Vec<AreaChoice> {
    let chosen = |area: Area, access: &str| !form.text(&format!("{}:{access}", area.as_str())).is_empty();
    let one = |area: &Area| AreaChoice {
        word: area.as_str(),
        meaning: area.meaning(),
        reads: chosen(*area, "read"),
        writes: chosen(*area, "write"),
    };
    // A token has no session, so that no scope of it says anything.
    Area::ALL.iter().filter(|area| **area != Area::Session).map(one).collect()
}

fn line(token: &Token, frame: &Frame) -> Line {
    let when = |at| Cell::When(When::new(at, frame.now));
    let expired = token.expires_at.is_some_and(|at| at <= frame.now);
    let live = token.revoked_at.is_none() && !expired;
    let badge = match (token.revoked_at, token.expires_at) {
        (Some(at), _) => Badge::new(Tone::Bad, format!("revoked {}", When::new(at, frame.now).ago)),
        (None, Some(at)) if expired => {
            Badge::new(Tone::Warn, format!("expired {}", When::new(at, frame.now).ago))
        }
        (None, Some(at)) => Badge::new(Tone::Good, format!("until {}", When::day(at, frame.now).shown)),
        (None, None) => Badge::new(Tone::Good, "until it is revoked"),
    };
    Line {
        id: token.id.clone(),
        name: Name::new(&token.name),
        role: token.role.clone(),
        scopes: token.scopes.join(", "),
        person: Cell::text(token.person.as_deref()),
        used: token.last_used_at.map_or(Cell::Word("never".into()), when),
        made: when(token.created_at),
        badge,
        live,
    }
}

pub(in crate::site) async fn create(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let asking = call.clone();
    let body = asked(&form)?;
    match handle(as_json(call, &body)).await {
        Ok(answer) => {
            let made = told(&answer);
            let frame = Frame::of(&asking, "A new token").await?;
            let frame = frame.below("Settings", "/settings").below("API tokens", HERE).here("New");
            let (token, name) = (text(&made, "token"), Name::head(&text(&made, "name")));
            shown(StatusCode::CREATED, &Made { frame, token, name, role: text(&made, "role") })
        }
        Err(error) if error.status.is_client_error() => {
            view(&asking, error.status, Said::of(&error), &form).await
        }
        Err(error) => Err(error),
    }
}

/// The request that the API takes for what the form says.
fn asked(form: &Form) -> Result<Value, ApiError> {
    let scopes = Area::ALL
        .iter()
        .flat_map(|area| ["read", "write"].map(|access| format!("{}:{access}", area.as_str())));
    let scopes: Vec<String> = scopes.filter(|scope| !form.text(scope).is_empty()).collect();
    let mut body = Map::new();
    body.insert("name".into(), form.text("name").into());
    body.insert("role".into(), form.text("role").into());
    body.insert("scopes".into(), json!(scopes));
    let (person, expires) = (form.text("person"), form.text("expires"));
    if !person.is_empty() {
        body.insert("person".into(), person.into());
    }
    if !expires.is_empty() {
        let end = Moment::parse(&format!("{expires}T00:00:00Z")).or_else(|| Moment::parse(&expires));
        let end = end.ok_or_else(|| ApiError::invalid("expires_at", "it is a date such as 2027-01-31"))?;
        body.insert("expires_at".into(), end.to_string().into());
    }
    Ok(Value::Object(body))
}

pub(in crate::site) async fn revoke(call: Call) -> Result<Answer, ApiError> {
    let asking = call.clone();
    match handle(call).await {
        Ok(_) => Ok(sent_to("/settings/tokens?done=revoked")),
        Err(error) if error.status == StatusCode::CONFLICT => {
            view(&asking, error.status, Said::of(&error), &Form::default()).await
        }
        Err(error) => Err(error),
    }
}
