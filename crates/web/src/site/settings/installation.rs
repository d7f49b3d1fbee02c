//! How the installation is set up, how people sign in, and who owns what: to be looked at, since settings stand outside the server.
//!
//! Invariant: as of what the program has gathered: no secret is on these pages.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::connectors::{Connector, RunRow};
use metsuke_engine::identity::Operation;

use super::parts;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::installed::InstalledSetting;
use crate::site::cell::{Cell, Head, Table};
use crate::site::curve::Budgeted;
use crate::site::frame::{Frame, page as shown};
use crate::site::list::Facet;
use crate::site::words::{Name, When, count, number};

/// Accounts that are looked at for who has one.
const ACCOUNTS: u32 = 10_000;

#[derive(Template)]
#[template(path = "settings_installation.html")]
struct View {
    frame: Frame,
    parts: Vec<Facet>,
    facts: Vec<(&'static str, Cell)>,
    retention: Table,
    budget: Table,
    sections: Vec<(String, Table)>,
    backups: String,
}

#[derive(Template)]
#[template(path = "settings_sign_in.html")]
struct SignIn {
    frame: Frame,
    parts: Vec<Facet>,
    /// What the provider is called; empty where there is none.
    provider: String,
    origin: String,
    settings: Table,
}

#[derive(Template)]
#[template(path = "settings_owners.html")]
struct Owners {
    frame: Frame,
    parts: Vec<Facet>,
    table: Table,
}

async fn frame(call: &Call, title: &'static str) -> Result<Frame, ApiError> {
    Ok(Frame::of(call, title).await?.below("Settings", "/settings").here(title))
}

pub(in crate::site) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = frame(&call, "Installation").await?;
    let installed = &call.state.installed;
    let text = |text: &str| Cell::Text(Name::head(text));
    let mut facts = vec![
        ("Version", text(&installed.version)),
        (
            "Database",
            Cell::Link(Name::new(&installed.engine), String::new(), Some(Name::head(&installed.database))),
        ),
        ("Sealing key", text(&installed.sealing_key)),
    ];
    facts.push(("Audit key", installed.audit_key.as_deref().map_or(Cell::Word("none".into()), text)));
    facts.push(("Configuration", installed.file.as_deref().map_or(Cell::Word("no file".into()), text)));
    facts.push(("Reached at", text(call.state.place.origin())));
    let settings = &installed.settings;
    let mut sections: Vec<(String, Table)> = Vec::new();
    for setting in settings.iter().filter(|one| !one.name.starts_with("retention.")) {
        let section = setting.name.split('.').next().unwrap_or_default();
        match sections.iter_mut().find(|(name, _)| name == section) {
            Some((_, table)) => table.rows.push(row(setting)),
            None => sections.push((section.to_owned(), table(section, vec![row(setting)]))),
        }
    }
    let view = View {
        parts: parts(&frame, &call),
        facts,
        retention: retention(settings),
        budget: budget(&call, &frame).await?,
        sections,
        backups: frame.asked.only(&[]).with("code", "backup.made").at("/audit"),
        frame,
    };
    shown(StatusCode::OK, &view)
}

fn table(caption: &str, rows: Vec<Vec<Cell>>) -> Table {
    let heads = ["Setting", "Value", "From"].map(Head::plain).to_vec();
    Table { caption: format!("Settings of {caption}"), heads, rows }
}

fn row(setting: &InstalledSetting) -> Vec<Cell> {
    let value = match (&setting.value, setting.secret) {
        (_, true) => Cell::Word("set, and not shown".into()),
        (Some(value), _) => Cell::Text(Name::head(value)),
        (None, _) => Cell::Word("not set".into()),
    };
    let from = setting.from.as_deref().unwrap_or(if setting.value.is_some() { "the default" } else { "" });
    vec![
        Cell::Link(Name::new(&setting.name), String::new(), Some(Name::head(&setting.help))),
        value,
        if from.is_empty() { Cell::Nothing } else { Cell::Word(from.to_owned()) },
    ]
}

/// For how long what is kept, in words.
fn retention(settings: &[InstalledSetting]) -> Table {
    let row = |setting: &InstalledSetting| {
        let days = setting.value.as_deref().and_then(|days| days.parse::<usize>().ok()).unwrap_or_default();
        let kept = if days == 0 { "for good".to_owned() } else { count(days, "day", "days") };
        let what = match setting.name.as_str() {
            "retention.versions_days" => "Earlier versions",
            "retention.runs_days" => "Runs of connectors, and their logs",
            "retention.jobs_days" => "Jobs that have ended",
            "retention.changes_days" => "Told changes",
            "retention.deliveries_days" => "Delivered alerts",
            other => other,
        };
        vec![Cell::Text(Name::new(what)), Cell::Text(Name::new(&kept)), Cell::Word(setting.name.clone())]
    };
    let mut rows: Vec<Vec<Cell>> =
        settings.iter().filter(|one| one.name.starts_with("retention.")).map(row).collect();
    rows.push(vec![
        Cell::Text(Name::new("The audit trail")),
        Cell::Text(Name::new("for good")),
        Cell::Word("always whole".into()),
    ]);
    let heads = ["What", "Is kept", "Setting"].map(Head::plain).to_vec();
    Table { caption: "For how long what is kept".to_owned(), heads, rows }
}

/// What each Heroku account has left, as its last run was told.
async fn budget(call: &Call, frame: &Frame) -> Result<Table, ApiError> {
    let mut rows = Vec::new();
    if frame.may(call, Operation::ListConnectors) {
        for connector in call.state.desk.installation().connectors().await? {
            rows.push(left(frame, &connector));
        }
    }
    let mut heads = ["Connector", "Heroku account", "Left", "Of", "Told"].map(Head::plain).to_vec();
    for head in heads.iter_mut().skip(2).take(2) {
        head.number = true;
    }
    Ok(Table { caption: "Requests that Heroku accounts have left".to_owned(), heads, rows })
}

fn left(frame: &Frame, connector: &Connector) -> Vec<Cell> {
    let href = frame.to(&format!("/connectors/{}", connector.id));
    let name = Cell::Link(Name::new(&connector.name), href, None);
    let account = Cell::text(connector.account.as_deref());
    let last = connector.last_run.as_ref().and_then(|run: &RunRow| Budgeted::of(run));
    let told = last.and_then(|budgeted| Some((budgeted.size, *budgeted.left.last()?)));
    match told {
        Some((size, (at, left))) => vec![
            name,
            account,
            Cell::Number(number(u64::from(left))),
            Cell::Number(number(u64::from(size))),
            Cell::When(When::new(at, frame.now)),
        ],
        None => vec![name, account, Cell::Nothing, Cell::Nothing, Cell::Word("not told yet".into())],
    }
}

pub(in crate::site) async fn sign_in(call: Call) -> Result<Answer, ApiError> {
    let frame = frame(&call, "Sign-in").await?;
    let rows = call.state.installed.settings.iter().filter(|one| one.name.starts_with("oidc.")).map(row);
    let view = SignIn {
        parts: parts(&frame, &call),
        provider: call.state.people.provider().unwrap_or_default().to_owned(),
        origin: call.state.place.origin().to_owned(),
        settings: table("signing in", rows.collect()),
        frame,
    };
    shown(StatusCode::OK, &view)
}

pub(in crate::site) async fn owners(call: Call) -> Result<Answer, ApiError> {
    let frame = frame(&call, "Who owns what").await?;
    let accounts_known = frame.may(&call, Operation::ListAccounts);
    let accounts = if accounts_known { call.state.people.list("", ACCOUNTS).await? } else { Vec::new() };
    let has_account = |email: &str| {
        let found = accounts.iter().find(|account| account.email.eq_ignore_ascii_case(email));
        found.map(|account| frame.to(&format!("/settings/accounts/{}", account.id)))
    };
    let owner = |email: &str| match has_account(email) {
        Some(href) => Cell::Link(Name::new(email), href, None),
        None if accounts_known => {
            Cell::Link(Name::new(email), String::new(), Some(Name::new("has no account here")))
        }
        None => Cell::Text(Name::new(email)),
    };
    let mut rows = Vec::new();
    for connector in call.state.desk.installation().connectors().await? {
        let href = frame.to(&format!("/connectors/{}", connector.id));
        let settings = &connector.settings;
        rows.push(vec![
            Cell::Link(Name::new(&connector.name), href, connector.account.as_deref().map(Name::new)),
            owner(&settings.owner),
            if settings.co_owners.is_empty() {
                Cell::Nothing
            } else {
                Cell::Text(Name::head(&settings.co_owners.join(", ")))
            },
        ]);
    }
    let heads = ["Connector", "Owner", "Co-owners"].map(Head::plain).to_vec();
    let table = Table { caption: "Connectors and their owners".to_owned(), heads, rows };
    let parts = parts(&frame, &call);
    shown(StatusCode::OK, &Owners { frame, parts, table })
}
