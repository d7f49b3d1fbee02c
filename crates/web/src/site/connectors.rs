//! The connectors: how they do, and adding one.
//!
//! A form is turned into the request that the API takes, so that both are judged and checked alike.
//!
//! Invariant: a token that somebody typed is in no page.

use askama::Template;
use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use metsuke_engine::connectors::{Connector, Probe, State};
use metsuke_engine::identity::Operation;
use serde_json::{Value, json};

use super::cell::{Badge, Cell, Head, Table, Tone};
use super::frame::{Frame, page as shown};
use super::settings::sent_to;
use super::words::{Name, When};
use crate::answer::{Answer, Body};
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;

/// How a connector does.
#[derive(Clone, Debug)]
pub(super) struct Health {
    pub(super) name: Name,
    pub(super) href: String,
    pub(super) badge: Badge,
    pub(super) reason: String,
}

#[derive(Template)]
#[template(path = "connectors.html")]
struct View {
    frame: Frame,
    table: Table,
    may_add: bool,
}

#[derive(Template)]
#[template(path = "connector_add.html")]
struct Add {
    frame: Frame,
    fields: Fields,
    told: String,
    wrong: Vec<(String, String)>,
    probe: Option<Tried>,
}

/// What the form held; never the token.
#[derive(Default)]
struct Fields {
    name: String,
    owner: String,
    description: String,
    interval: String,
    provisioning: bool,
    api_url: String,
}

/// What a token can do, as a page tells it.
pub(super) struct Tried {
    pub(super) ok: bool,
    pub(super) lines: Vec<String>,
}

impl Add {
    /// Whether the connector is to read so often.
    fn reads(&self, interval: &str) -> bool {
        self.fields.interval == interval
    }

    /// What is wrong with a field; nothing where it is fine.
    fn wrong_with(&self, name: &str) -> &str {
        self.wrong.iter().find(|(field, _)| field == name).map_or("", |(_, what)| what)
    }
}

/// The state of a connector as a word.
pub(super) fn state_badge(state: State) -> Badge {
    let (tone, word) = match state {
        State::New => (Tone::Calm, "New"),
        State::Syncing => (Tone::Busy, "Syncing"),
        State::Connected => (Tone::Good, "Connected"),
        State::Partial => (Tone::Warn, "Partial"),
        State::Failing => (Tone::Bad, "Failing"),
        State::Paused => (Tone::Calm, "Paused"),
    };
    Badge::new(tone, word)
}

/// How all connectors do.
pub(super) async fn health(call: &Call, frame: &Frame) -> Result<Vec<Health>, ApiError> {
    if !frame.may(call, Operation::ListConnectors) {
        return Ok(Vec::new());
    }
    let connectors = call.state.desk.installation().connectors().await?;
    let one = |connector: &Connector| Health {
        name: Name::new(&connector.name),
        href: frame.to(&format!("/connectors/{}", connector.id)),
        badge: state_badge(connector.state),
        reason: connector.reason.clone(),
    };
    Ok(connectors.iter().map(one).collect())
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Connectors").await?.here("Connectors");
    let connectors = call.state.desk.installation().connectors().await?;
    let when = |at| Cell::When(When::new(at, frame.now));
    let row = |connector: &Connector| {
        let href = frame.to(&format!("/connectors/{}", connector.id));
        let account = connector.account.as_deref().map(Name::new);
        let finished = connector.last_run.as_ref().and_then(|run| run.finished_at);
        vec![
            Cell::Link(Name::new(&connector.name), href, account),
            Cell::Badge(state_badge(connector.state)),
            Cell::Text(Name::new(&connector.settings.owner)),
            finished.map_or(Cell::Nothing, when),
            connector.next_sync_at.map_or(Cell::Word("by hand".into()), when),
        ]
    };
    let table = Table {
        caption: "Connectors".to_owned(),
        heads: ["Connector", "State", "Owner", "Last sync", "Next sync"].map(Head::plain).to_vec(),
        rows: connectors.iter().map(row).collect(),
    };
    let may_add = frame.may(&call, Operation::CreateConnector);
    shown(StatusCode::OK, &View { frame, table, may_add })
}

async fn add_frame(call: &Call) -> Result<Frame, ApiError> {
    Ok(Frame::of(call, "Add a connector").await?.below("Connectors", "/connectors").here("Add"))
}

pub(super) async fn add(call: Call) -> Result<Answer, ApiError> {
    let frame = add_frame(&call).await?;
    let fields = Fields {
        owner: call.caller()?.person.clone().unwrap_or_default(),
        interval: "ONE_HOUR".to_owned(),
        ..Fields::default()
    };
    let view = Add { frame, fields, told: String::new(), wrong: Vec::new(), probe: None };
    shown(StatusCode::OK, &view)
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let frame = add_frame(&call).await?;
    let fields = Fields {
        name: form.text("name"),
        owner: form.text("owner"),
        description: form.text("description"),
        interval: form.text("polling_interval"),
        provisioning: !form.text("provisioning").is_empty(),
        api_url: form.text("api_url"),
    };
    if !form.text("check").is_empty() {
        let url = Some(fields.api_url.as_str()).filter(|url| !url.is_empty());
        let url = url.unwrap_or(metsuke_engine::connectors::HEROKU_URL);
        let tried = call.state.desk.installation().test_token(url, form.secret("api_token")).await;
        let probe = Some(match tried {
            Ok(probe) => tried_of(&probe),
            Err(error) => Tried { ok: false, lines: vec![crate::error::chain(&error)] },
        });
        return shown(StatusCode::OK, &Add { frame, fields, told: String::new(), wrong: Vec::new(), probe });
    }
    let mut body = json!({
        "name": fields.name,
        "owner": fields.owner,
        "description": fields.description,
        "polling_interval": fields.interval,
        "provisioning": fields.provisioning,
        "api_token": form.text("api_token"),
    });
    if let (Some(members), false) = (body.as_object_mut(), fields.api_url.is_empty()) {
        members.insert("api_url".into(), fields.api_url.clone().into());
    }
    match handle(as_json(call, &body)).await {
        Ok(answer) => {
            let id = member(&answer, "id").unwrap_or_default();
            Ok(sent_to(&format!("/connectors/{id}")))
        }
        Err(error) if error.status.is_client_error() => {
            let wrong =
                error.fields.iter().map(|field| (field.name.clone(), field.message.clone())).collect();
            let told = error.message.clone();
            shown(error.status, &Add { frame, fields, told, wrong, probe: None })
        }
        Err(error) => Err(error),
    }
}

/// The request that the API takes for what a form says.
pub(super) fn as_json(call: Call, body: &Value) -> Call {
    let mut call = Call { body: Bytes::from(body.to_string()), ..call };
    call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    call
}

/// A member of an answer of the API.
pub(super) fn member(answer: &Answer, name: &str) -> Option<String> {
    let Body::Whole(body) = &answer.body else { return None };
    let value: Value = serde_json::from_slice(body).ok()?;
    Some(value.get(name)?.as_str()?.to_owned())
}

/// What a token can do, in sentences.
pub(super) fn tried_of(probe: &Probe) -> Tried {
    let mut lines = Vec::new();
    lines.push(match &probe.account_email {
        Some(email) => format!("The token is of {}.", Name::new(email).cut),
        None => "The token is accepted.".to_owned(),
    });
    if !probe.scopes.is_empty() {
        lines.push(format!("Its scopes: {}.", probe.scopes.join(", ")));
    }
    let seen =
        [(probe.enterprise_accounts, "Enterprise accounts"), (probe.teams, "teams"), (probe.apps, "apps")];
    let told = seen.iter().filter_map(|(count, what)| Some(format!("{} {what}", (*count)?)));
    let told: Vec<String> = told.collect();
    if !told.is_empty() {
        let more = if probe.more_apps { ", and more apps than were counted" } else { "" };
        lines.push(format!("It can see {}{more}.", told.join(", ")));
    }
    if let Some(left) = probe.calls_left {
        lines.push(format!("{left} requests of its hourly budget are left."));
    }
    lines.extend(probe.problems.iter().map(|problem| format!("{problem}.")));
    Tried { ok: probe.problems.is_empty(), lines }
}
