//! People who sign in: which there are, a new one, and one with what an admin can do for them.
//!
//! Invariant: as of the API: whatever takes a person's trust away ends their sessions, and the last admin stays.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::identity::{Account, Operation, Role};
use serde_json::{Map, Value, json};

use super::{RoleChoice, Said, parts, roles, sent_to, text, told};
use crate::answer::Answer;
use crate::call::Call;
use crate::cursor;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::site::asked::segment;
use crate::site::cell::{Badge, Cell, Head, Table, Tone};
use crate::site::connectors::as_json;
use crate::site::frame::{Frame, page as shown};
use crate::site::list::Facet;
use crate::site::words::{Name, When};

/// Accounts of a page.
const PAGE: usize = 100;
const HERE: &str = "/settings/accounts";

#[derive(Template)]
#[template(path = "settings_accounts.html")]
struct View {
    frame: Frame,
    parts: Vec<Facet>,
    said: Said,
    table: Table,
    next: String,
    first: String,
    may: bool,
    email: String,
    name: String,
    roles: Vec<RoleChoice>,
    /// What the provider of identities is called; empty where there is none.
    provider: String,
}

#[derive(Template)]
#[template(path = "settings_account.html")]
struct One {
    frame: Frame,
    said: Said,
    done: &'static str,
    badge: Badge,
    email: Name,
    facts: Vec<(&'static str, Cell)>,
    action: String,
    audit: String,
    name: String,
    roles: Vec<RoleChoice>,
    may: bool,
    disabled: bool,
    password: bool,
    second_factor: bool,
    from_provider: bool,
    oneself: bool,
}

pub(in crate::site) async fn page(call: Call) -> Result<Answer, ApiError> {
    view(&call, StatusCode::OK, Said::default(), &Form::default()).await
}

async fn view(call: &Call, status: StatusCode, said: Said, form: &Form) -> Result<Answer, ApiError> {
    let frame = Frame::of(call, "People who sign in").await?.below("Settings", "/settings").here("People");
    let list = Operation::ListAccounts;
    let after = frame.asked.get("cursor").map(|cursor| cursor::read::<String>(list, cursor)).transpose()?;
    let most = u32::try_from(PAGE + 1).unwrap_or(u32::MAX);
    let mut accounts = call.state.people.list(after.as_deref().unwrap_or_default(), most).await?;
    let more = accounts.len() > PAGE;
    accounts.truncate(PAGE);
    let next = accounts.last().filter(|_| more).and_then(|last| cursor::write(list, &last.id));
    let role = form.text("role");
    let view = View {
        parts: parts(&frame, call),
        said,
        table: table(&frame, &accounts),
        next: next.map(|next| frame.asked.with("cursor", &next).at(HERE)).unwrap_or_default(),
        first: if after.is_some() { frame.asked.without(&["cursor"]).at(HERE) } else { String::new() },
        may: frame.may(call, Operation::CreateAccount),
        email: form.text("email"),
        name: form.text("name"),
        roles: roles(if role.is_empty() { Role::Viewer.as_str() } else { &role }),
        provider: call.state.people.provider().unwrap_or_default().to_owned(),
        frame,
    };
    shown(status, &view)
}

fn table(frame: &Frame, accounts: &[Account]) -> Table {
    let row = |account: &Account| {
        let href = frame.to(&format!("{HERE}/{}", segment(&account.id)));
        vec![
            Cell::Link(Name::new(&account.name), href, Some(Name::new(&account.email))),
            Cell::Text(Name::new(&account.role)),
            Cell::Word(known_by(account).into()),
            Cell::Mark(account.second_factor),
            account
                .signed_in_at
                .map_or(Cell::Word("never".into()), |at| Cell::When(When::new(at, frame.now))),
            Cell::Badge(badge(account)),
        ]
    };
    let heads = ["Person", "Role", "Known by", "Second factor", "Last signed in", "State"];
    Table {
        caption: "People who sign in".to_owned(),
        heads: heads.map(Head::plain).to_vec(),
        rows: accounts.iter().map(row).collect(),
    }
}

fn known_by(account: &Account) -> &'static str {
    match (account.source.as_str(), account.password) {
        ("oidc", _) => "the provider",
        (_, true) => "a password",
        (_, false) => "nothing yet",
    }
}

fn badge(account: &Account) -> Badge {
    match account.disabled_at {
        Some(_) => Badge::new(Tone::Bad, "disabled"),
        None => Badge::new(Tone::Good, "active"),
    }
}

pub(in crate::site) async fn create(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let asking = call.clone();
    let mut body = Map::new();
    for name in ["email", "name", "role", "password"] {
        let value = form.text(name);
        if !value.is_empty() {
            body.insert(name.into(), value.into());
        }
    }
    match handle(as_json(call, &Value::Object(body))).await {
        Ok(answer) => {
            let id = text(&told(&answer), "id");
            Ok(sent_to(&format!("{HERE}/{}?done=made", segment(&id))))
        }
        Err(error) if error.status.is_client_error() => {
            view(&asking, error.status, Said::of(&error), &form).await
        }
        Err(error) => Err(error),
    }
}

pub(in crate::site) async fn one(call: Call) -> Result<Answer, ApiError> {
    account(&call, StatusCode::OK, Said::default()).await
}

async fn account(call: &Call, status: StatusCode, said: Said) -> Result<Answer, ApiError> {
    let account = call.state.people.get(call.segment("id")).await?;
    let frame = Frame::of(call, Name::new(&account.name).cut).await?;
    let frame = frame.below("Settings", "/settings").below("People", HERE).here(&account.name);
    let done = match frame.asked.get("done") {
        Some("made") => "The account is there.",
        Some("changed") => "The account is changed.",
        Some("password") => "The account has another password, and is signed out everywhere.",
        Some("factor") => "No second factor is asked for any more, and the account is signed out everywhere.",
        Some("sessions") => "The account is signed out everywhere.",
        _ => "",
    };
    let when = |at| Cell::When(When::new(at, frame.now));
    let mut facts = vec![
        ("E-mail address", Cell::Text(Name::new(&account.email))),
        ("Role", Cell::Text(Name::new(&account.role))),
        ("Known by", Cell::Word(known_by(&account).into())),
        ("Second factor", Cell::Word(if account.second_factor { "asked for" } else { "none" }.into())),
        ("Last signed in", account.signed_in_at.map_or(Cell::Word("never".into()), when)),
        ("Made", when(account.created_at)),
        ("Made by", Cell::Text(Name::new(&account.created_by))),
    ];
    facts.extend(account.disabled_at.map(|at| ("Disabled", when(at))));
    let oneself = call.signed.as_ref().is_some_and(|signed| signed.session.account == account.id);
    let view = One {
        said,
        done,
        badge: badge(&account),
        email: Name::new(&account.email),
        facts,
        action: format!("{HERE}/{}", segment(&account.id)),
        audit: frame.asked.only(&[]).with("subject", &account.id).at("/audit"),
        name: account.name.clone(),
        roles: roles(&account.role),
        may: frame.may(call, Operation::EditAccount),
        disabled: account.disabled_at.is_some(),
        password: account.password,
        second_factor: account.second_factor,
        from_provider: account.source == "oidc",
        oneself,
        frame,
    };
    shown(status, &view)
}

/// Does what a form asks for as the API does, and shows the account again.
async fn done(call: Call, body: Option<Value>, what: &str) -> Result<Answer, ApiError> {
    let asking = call.clone();
    let place = format!("{HERE}/{}?done={what}", segment(call.segment("id")));
    let call = match body {
        Some(body) => as_json(call, &body),
        None => call,
    };
    match handle(call).await {
        Ok(_) => Ok(sent_to(&place)),
        Err(error) if error.status == StatusCode::NOT_FOUND => Err(error),
        Err(error) if error.status.is_client_error() => {
            account(&asking, error.status, Said::of(&error)).await
        }
        Err(error) => Err(error),
    }
}

pub(in crate::site) async fn edit(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let mut body = Map::new();
    for name in ["name", "role"] {
        let value = form.text(name);
        if !value.is_empty() {
            body.insert(name.into(), value.into());
        }
    }
    match form.text("disabled").as_str() {
        "yes" => drop(body.insert("disabled".into(), true.into())),
        "no" => drop(body.insert("disabled".into(), false.into())),
        _ => {}
    }
    done(call, Some(Value::Object(body)), "changed").await
}

pub(in crate::site) async fn password(call: Call) -> Result<Answer, ApiError> {
    let body = json!({ "password": Form::read(&call.body).text("password") });
    done(call, Some(body), "password").await
}

pub(in crate::site) async fn factor(call: Call) -> Result<Answer, ApiError> {
    done(call, None, "factor").await
}

pub(in crate::site) async fn sessions(call: Call) -> Result<Answer, ApiError> {
    done(call, None, "sessions").await
}
