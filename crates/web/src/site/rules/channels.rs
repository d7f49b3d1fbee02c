//! Where alerts go: the channels, adding one, trying one, and what it was told last.
//!
//! A form is turned into the request that the API takes.
//!
//! Invariant: a secret that somebody typed is in no page.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::desk::{AlertLine, Alerts, ChannelShown, Placed, merged};
use metsuke_engine::identity::Operation;
use metsuke_engine::rules::Level;
use metsuke_model::finding::DeliveryState;
use serde_json::{Map, Value, json};

use super::sorts::{FIELDS, KINDS, Spec, kind_of, plain, secret_of, settings};

use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::site::asked::segment;
use crate::site::cell::{Badge, Cell, Head, Table, Tone};
use crate::site::connectors::{Tried, as_json, member};
use crate::site::frame::{Choice, Frame, page as shown};
use crate::site::given_up::{self, Given};
use crate::site::settings::sent_to;
use crate::site::words::{Name, When};

/// Alerts that are shown of one channel.
const SHOWN: usize = 25;
/// A field as the form shows it.
struct Field {
    name: &'static str,
    label: &'static str,
    example: &'static str,
    needed: bool,
    value: String,
}

#[derive(Template)]
#[template(path = "channels.html")]
struct List {
    frame: Frame,
    table: Table,
    may_add: bool,
}

#[derive(Template)]
#[template(path = "channel.html")]
#[expect(clippy::struct_excessive_bools, reason = "each is asked by the template for itself")]
struct View {
    frame: Frame,
    action: String,
    kinds: Vec<(String, &'static str, bool)>,
    kind: String,
    about: &'static str,
    name: String,
    fields: Vec<Field>,
    levels: Vec<Choice>,
    rules: String,
    digest: String,
    resolved: bool,
    enabled: bool,
    secret: &'static str,
    has_secret: bool,
    told: String,
    wrong: Vec<(String, String)>,
    tried: Option<Tried>,
    alerts: Table,
    given: Given,
    may: May,
    new: bool,
}

/// What whoever looks may do.
struct May {
    write: bool,
    test: bool,
    remove: bool,
}

impl View {
    /// What is wrong with a field; nothing where it is fine.
    fn wrong_with(&self, name: &str) -> &str {
        self.wrong.iter().find(|(field, _)| field == name).map_or("", |(_, what)| what)
    }
}

fn place(id: &str) -> String {
    format!("/rules/channels/{}", segment(id))
}

pub(in crate::site) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Where alerts go").await?.below("Rules", "/rules").here("Channels");
    let row = |channel: &ChannelShown| {
        let least = channel.settings.get("level").and_then(Value::as_str).unwrap_or("INFO");
        let rules = channel.settings.get("rules").and_then(Value::as_array).map_or(0, Vec::len);
        let (_, kind, _) = kind_of(&channel.kind);
        vec![
            Cell::Link(Name::new(&channel.name), frame.to(&place(&channel.id)), Some(Name::new(kind))),
            Cell::Badge(match (channel.enabled, channel.failing_since) {
                (false, _) => Badge::new(Tone::Calm, "off"),
                (true, Some(_)) => Badge::new(Tone::Bad, "failing"),
                (true, None) => Badge::new(Tone::Good, "on"),
            }),
            Cell::Badge(Badge::level(least)),
            Cell::Word(match rules {
                0 => "every rule".to_owned(),
                1 => "one rule".to_owned(),
                some => format!("{some} rules"),
            }),
            Cell::When(When::day(channel.updated_at, frame.now)),
        ]
    };
    let table = Table {
        caption: "Channels".to_owned(),
        heads: ["Channel", "State", "Told from", "Of", "Changed"].map(Head::plain).to_vec(),
        rows: call.state.desk.channels().await?.iter().map(row).collect(),
    };
    let may_add = frame.may(&call, Operation::CreateChannel);
    shown(StatusCode::OK, &List { frame, table, may_add })
}

/// What the form of a channel holds.
struct Held {
    name: String,
    settings: Map<String, Value>,
    enabled: bool,
}

async fn view(
    call: &Call,
    channel: Option<&ChannelShown>,
    held: Held,
    told: Option<ApiError>,
    tried: Option<Tried>,
) -> Result<Answer, ApiError> {
    let title = channel.map_or_else(|| "Add a channel".to_owned(), |channel| Name::new(&channel.name).cut);
    let frame = Frame::of(call, title).await?.below("Rules", "/rules").below("Channels", "/rules/channels");
    let frame = frame.here(channel.map_or("Add", |channel| &channel.name));
    let way = held.settings.get("way").cloned().unwrap_or_default();
    let (kind, _, about) = kind_of(way.get("kind").and_then(Value::as_str).unwrap_or_default());
    let of = |name: &str| held.settings.get(name);
    let field = |spec: &Spec| Field {
        name: spec.name,
        label: spec.label,
        example: spec.example,
        needed: spec.needed,
        value: way.get(spec.name).map(plain).unwrap_or_default(),
    };
    let least = of("level").and_then(Value::as_str).unwrap_or("MEDIUM").to_owned();
    let level = |level: &Level| Choice {
        value: level.as_str().to_owned(),
        name: Name::new(&level.as_str().to_lowercase()),
        chosen: level.as_str() == least,
    };
    let mut wrong = Vec::new();
    for field in told.iter().flat_map(|told| &told.fields) {
        wrong.push((field.name.clone(), field.message.clone()));
    }
    let status = told.as_ref().map_or(StatusCode::OK, |told| told.status);
    let (to_write, to_test, to_remove) =
        (Operation::CreateChannel, Operation::TestChannel, Operation::RemoveChannel);
    let view = View {
        action: channel.map_or_else(|| "/rules/channels/add".to_owned(), |channel| place(&channel.id)),
        kinds: KINDS
            .iter()
            .map(|(word, name, _)| {
                (frame.asked.with("kind", word).at("/rules/channels/add"), *name, *word == kind)
            })
            .collect(),
        kind: kind.to_owned(),
        about,
        fields: FIELDS.iter().filter(|spec| spec.kinds.contains(&kind)).map(field).collect(),
        levels: Level::ALL.iter().map(level).collect(),
        rules: of("rules").map(plain).unwrap_or_default(),
        digest: of("digestMinutes").map(plain).filter(|minutes| minutes != "0").unwrap_or_default(),
        resolved: of("resolved").and_then(Value::as_bool).unwrap_or(true),
        enabled: held.enabled,
        secret: secret_of(kind),
        has_secret: channel.is_some_and(|channel| channel.has_secret),
        told: told.map(|told| told.message).unwrap_or_default(),
        wrong,
        tried,
        alerts: alerts(call, &frame, channel).await?,
        given: match channel {
            Some(channel) => given_up::alerts(call, &frame, &channel.id).await?,
            None => Given::default(),
        },
        may: May {
            write: frame.may(call, to_write),
            test: frame.may(call, to_test),
            remove: frame.may(call, to_remove),
        },
        new: channel.is_none(),
        name: held.name,
        frame,
    };
    shown(status, &view)
}

/// What a channel was told last.
async fn alerts(call: &Call, frame: &Frame, channel: Option<&ChannelShown>) -> Result<Table, ApiError> {
    let mut table = Table {
        caption: "What it was told last".to_owned(),
        heads: ["About", "State", "When", "What came of it"].map(Head::plain).to_vec(),
        rows: Vec::new(),
    };
    let (Some(channel), true) = (channel, frame.may(call, Operation::ListAlerts)) else { return Ok(table) };
    let listing = Alerts { channel: Some(channel.id.clone()), state: None };
    let estates = call.state.desk.estates(None).await?;
    let row = |alert: &Placed<AlertLine>| {
        let alert = &alert.row;
        let title = alert.document.get("title").and_then(Value::as_str).map(Name::new);
        let about = alert.document.get("subject").and_then(Value::as_str).unwrap_or(&alert.rule);
        let tone = match alert.state {
            DeliveryState::Sent => Tone::Good,
            DeliveryState::Dead => Tone::Bad,
            DeliveryState::Waiting => Tone::Calm,
        };
        vec![
            Cell::Link(Name::new(about), String::new(), title),
            Cell::Badge(Badge::new(tone, alert.state.as_str())),
            Cell::When(When::new(alert.sent_at.unwrap_or(alert.created_at), frame.now)),
            Cell::text(alert.told.as_deref()),
        ]
    };
    table.rows = merged(&listing, estates, Vec::new(), SHOWN).await?.rows.iter().map(row).collect();
    Ok(table)
}

pub(in crate::site) async fn add(call: Call) -> Result<Answer, ApiError> {
    let asked = crate::site::asked::Asked::of(&call.uri);
    let (kind, ..) = kind_of(asked.get("kind").unwrap_or_default());
    let settings = json!({ "way": { "kind": kind }, "level": "MEDIUM" });
    let settings = settings.as_object().cloned().unwrap_or_default();
    view(&call, None, Held { name: String::new(), settings, enabled: true }, None, None).await
}

async fn found(call: &Call) -> Result<(ChannelShown, Held), ApiError> {
    let channel = call.state.desk.channel(call.segment("id")).await?;
    let settings = channel.settings.as_object().cloned().unwrap_or_default();
    let held = Held { name: channel.name.clone(), settings, enabled: channel.enabled };
    Ok((channel, held))
}

pub(in crate::site) async fn one(call: Call) -> Result<Answer, ApiError> {
    let (channel, held) = found(&call).await?;
    view(&call, Some(&channel), held, None, None).await
}

pub(in crate::site) async fn test(call: Call) -> Result<Answer, ApiError> {
    let (channel, held) = found(&call).await?;
    let reason = call.state.desk.try_channel(&channel.id).await?;
    let tried = Tried {
        ok: reason.is_none(),
        lines: vec![match reason {
            None => "A word was sent, and it was taken.".to_owned(),
            Some(reason) => format!("It did not come through: {reason}"),
        }],
    };
    view(&call, Some(&channel), held, None, Some(tried)).await
}

pub(in crate::site) async fn remove(call: Call) -> Result<Answer, ApiError> {
    handle(call).await?;
    Ok(sent_to("/rules/channels"))
}

pub(in crate::site) async fn create(call: Call) -> Result<Answer, ApiError> {
    write(call, None).await
}

pub(in crate::site) async fn save(call: Call) -> Result<Answer, ApiError> {
    let (channel, _) = found(&call).await?;
    write(call, Some(channel)).await
}

/// Keeps what a form says; what the form does not know of a channel stays as it is.
async fn write(call: Call, channel: Option<ChannelShown>) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let kind = channel.as_ref().map_or_else(|| form.text("kind"), |channel| channel.kind.clone());
    let before =
        channel.as_ref().and_then(|channel| channel.settings.as_object().cloned()).unwrap_or_default();
    let held = Held {
        name: form.text("name"),
        settings: settings(&form, kind_of(&kind).0, before),
        enabled: !form.text("enabled").is_empty(),
    };
    let mut body = json!({ "name": held.name, "settings": held.settings, "enabled": held.enabled });
    let secret = form.text("secret");
    if let (Some(members), false) = (body.as_object_mut(), secret.is_empty()) {
        members.insert("secret".into(), secret.into());
    }
    let asking = call.clone();
    match handle(as_json(call, &body)).await {
        Ok(answer) => Ok(sent_to(&place(&member(&answer, "id").unwrap_or_default()))),
        Err(told) if told.status.is_client_error() => {
            view(&asking, channel.as_ref(), held, Some(told), None).await
        }
        Err(error) => Err(error),
    }
}
