//! The connectors: how they do, and what a token is good for.
//!
//! Adding one is [`connector_add`](super::connector_add)'s.
//!
//! Invariant: as of the API: nothing here holds a token.

use askama::Template;
use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use metsuke_engine::connectors::{Connector, Estimate, Probe, State};
use metsuke_engine::identity::Operation;
use secrecy::SecretString;
use serde_json::Value;

use super::cell::{Badge, Cell, Head, Table, Tone};
use super::frame::{Frame, page as shown};
use super::given_up::{self, Given};
use super::words::{Name, When, number};
use crate::answer::{Answer, Body};
use crate::call::Call;
use crate::error::ApiError;

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
    given: Given,
    may_add: bool,
}

/// What a token can do, as a page tells it.
pub(super) struct Tried {
    pub(super) ok: bool,
    pub(super) lines: Vec<String>,
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
    let given = given_up::jobs(&call, &frame, None).await?;
    shown(StatusCode::OK, &View { frame, table, given, may_add })
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

/// What a connector would be made of, once a token was tried.
pub(super) async fn tried(call: &Call, api_url: &str, token: SecretString) -> Tried {
    let url = Some(api_url).filter(|url| !url.is_empty()).unwrap_or(metsuke_engine::connectors::HEROKU_URL);
    match call.state.desk.installation().test_token(url, token).await {
        Ok(probe) => tried_of(&probe),
        Err(error) => Tried { ok: false, lines: vec![crate::error::chain(&error)] },
    }
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
    lines.extend(probe.estimate.as_ref().map(estimated));
    if let Some(left) = probe.calls_left {
        lines.push(format!("{} requests of its hourly budget are left.", number(u64::from(left))));
    }
    lines.extend(probe.problems.iter().map(|problem| format!("{problem}.")));
    Tried { ok: probe.problems.is_empty(), lines }
}

/// What a first sync comes to, in a sentence.
fn estimated(estimate: &Estimate) -> String {
    let Estimate { requests_least, requests_most, seconds, more } = *estimate;
    let beyond = if more { ", and more for apps that were not counted" } else { "" };
    let time = match seconds {
        0..=90 => format!("{} seconds", number(seconds)),
        91..=5_400 => format!("{} minutes", number(seconds.div_ceil(60))),
        _ => format!("{} hours", number(seconds.div_ceil(3_600))),
    };
    format!(
        "A sync sends about {} to {} requests{beyond}, in about {time}; a later one about as many.",
        number(requests_least),
        number(requests_most),
    )
}
