//! What connectors, their runs and their logs look like.

use metsuke_engine::connectors::{RunStatus, State};
use metsuke_model::approval::Demand;
use serde_json::{Value, json};

use super::schemas::Named;
use super::words::{
    anything, count, flag, list, meaning, moment, named, object, one_of, only, or_null, text, with,
};

/// Every schema of connectors.
pub(super) fn all() -> Named {
    let mut all = vec![
        ("PollingInterval", polling()),
        ("AfterSync", after_sync()),
        ("Skip", skip()),
        ("Connector", connector()),
        ("NewConnector", new()),
        ("ConnectorEdit", edit()),
        ("Rotation", only(object([("api_token", secret())]))),
        ("Run", run()),
        ("RunWithScopes", json!({ "allOf": [named("Run"), object([("scopes", list(anything()))])] })),
    ];
    all.extend([("LogLine", line()), ("Probe", probe()), ("Removal", removal())]);
    all
}

fn polling() -> Value {
    let hour = json!({ "type": "integer", "minimum": 0, "maximum": 23 });
    let day = json!({ "type": "integer", "minimum": 0, "maximum": 6, "description": "0 is Sunday." });
    let words = [
        "DISABLED",
        "FIFTEEN_MINUTES",
        "THIRTY_MINUTES",
        "ONE_HOUR",
        "FOUR_HOURS",
        "EIGHT_HOURS",
        "TWELVE_HOURS",
        "ONE_DAY",
        "ONE_WEEK",
    ];
    let daily = only(object([("interval", one_of(&["ONE_DAY"])), ("hour", hour.clone())]));
    let weekly =
        only(with(object([("interval", one_of(&["ONE_WEEK"]))]), [("hour", hour), ("day_of_week", day)]));
    let cron = only(with(
        object([("cron", meaning("Five fields: minute, hour, day, month, day of the week."))]),
        [("time_zone", meaning("An IANA name, such as Europe/Berlin; else UTC."))],
    ));
    json!({ "anyOf": [one_of(&words), daily, weekly, cron] })
}

fn after_sync() -> Value {
    let upload = with(
        object([("account", text())]),
        [("instance", or_null(text())), ("scope", or_null(text())), ("api_url", or_null(text()))],
    );
    let file = object([("file", text())]);
    with(
        json!({ "type": "object", "properties": {}, "description": "What follows each new version." }),
        [("jupiterone", or_null(upload)), ("c1z", or_null(file))],
    )
}

fn skip() -> Value {
    list(text())
}

/// Which plans a second person approves.
fn approval() -> Value {
    one_of(Demand::WORDS)
}

fn email() -> Value {
    json!({ "type": "string", "format": "email", "maxLength": 254 })
}

fn name() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]([ -~]*[!-~])?$" })
}

/// A token, which is taken and never given.
fn secret() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 1000, "pattern": "^[!-~]+$", "writeOnly": true })
}

fn connector() -> Value {
    let states =
        [State::New, State::Syncing, State::Connected, State::Partial, State::Failing, State::Paused];
    object([
        ("id", text()),
        ("name", text()),
        ("kind", one_of(&["heroku"])),
        ("state", one_of(&states.map(State::as_str))),
        ("reason", text()),
        ("edition", count()),
        ("owner", text()),
        ("co_owners", list(text())),
        ("api_url", text()),
        ("polling_interval", named("PollingInterval")),
        ("tag_account_name", or_null(text())),
        ("tag_production", flag()),
        ("description", text()),
        ("provisioning", flag()),
        ("approval", approval()),
        ("skip", named("Skip")),
        ("after_sync", named("AfterSync")),
        ("created_at", moment()),
        ("changed_at", moment()),
        ("paused_at", or_null(moment())),
        ("token_set_at", or_null(moment())),
        ("account", or_null(text())),
        ("next_sync_at", or_null(moment())),
        ("open_run", or_null(named("Run"))),
        ("last_run", or_null(named("Run"))),
    ])
}

/// What can be set, with the name and the secrets.
fn settable(object: Value) -> Value {
    let api_url = json!({
        "type": "string",
        "format": "uri",
        "description": "https, or http to this machine; else the real Heroku API.",
    });
    let description = json!({ "type": "string", "maxLength": 2000 });
    let tag = json!({
        "type": ["string", "boolean", "null"],
        "minLength": 1,
        "maxLength": 100,
        "description": "The account name with which every entity is tagged; true takes the connector's own name.",
    });
    with(
        object,
        [
            ("co_owners", list(email())),
            ("api_url", api_url),
            ("polling_interval", named("PollingInterval")),
            ("tag_account_name", tag),
            ("tag_production", flag()),
            ("description", description),
            ("provisioning", flag()),
            ("approval", approval()),
            ("skip", named("Skip")),
            ("after_sync", named("AfterSync")),
            ("jupiterone_key", secret()),
        ],
    )
}

fn new() -> Value {
    let needed = object([("name", name()), ("owner", email()), ("api_token", secret())]);
    only(with(settable(needed), [("kind", one_of(&["heroku"]))]))
}

fn edit() -> Value {
    let none = json!({ "type": "object", "properties": {} });
    only(with(settable(none), [("name", name()), ("owner", email()), ("api_token", secret())]))
}

fn run() -> Value {
    object([
        ("id", text()),
        ("status", one_of(&RunStatus::ALL.map(RunStatus::as_str))),
        ("cause", text()),
        ("asked_by", text()),
        ("asked_at", moment()),
        ("started_at", or_null(moment())),
        ("finished_at", or_null(moment())),
        ("version", or_null(count())),
        ("reason", or_null(text())),
        ("summary", or_null(anything())),
    ])
}

fn line() -> Value {
    object([
        ("sequence", count()),
        ("run", text()),
        ("at", moment()),
        ("level", one_of(&["info", "warn", "error"])),
        ("text", text()),
    ])
}

fn probe() -> Value {
    object([
        ("ok", flag()),
        ("reason", or_null(text())),
        ("account_id", or_null(text())),
        ("account_email", or_null(text())),
        ("scopes", list(text())),
        ("teams", or_null(count())),
        ("enterprise_accounts", or_null(count())),
        ("apps", or_null(count())),
        ("more_apps", flag()),
        ("calls_left", or_null(count())),
        (
            "estimate",
            or_null(object([
                ("requests_least", count()),
                ("requests_most", count()),
                ("seconds", count()),
                ("more", flag()),
            ])),
        ),
        ("problems", list(text())),
    ])
}

fn removal() -> Value {
    object([
        ("id", text()),
        ("name", text()),
        ("removed_at", moment()),
        ("entities", count()),
        ("grants", count()),
        ("versions", count()),
        ("last_version", or_null(count())),
        ("fingerprint", text()),
        ("rows", json!({ "type": "object", "additionalProperties": count() })),
    ])
}
