//! One's own account: the password, the second factor, and the sessions that one is in.
//!
//! Invariant: as of the API: whoever finds a browser that is signed in is asked for the password before anything changes that
//! somebody signs in with.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::identity::{Account, OwnSession};
use serde_json::json;

use super::picture::{Picture, picture};
use super::{Said, moved, parts, sent_to, text, told};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::site::cell::{Badge, Cell, Tone};
use crate::site::connectors::as_json;
use crate::site::frame::{Frame, page as shown};
use crate::site::list::Facet;
use crate::site::words::{Name, When, browser};

const HERE: &str = "/settings";
/// Sessions that are shown at once.
const SHOWN: usize = 8;

#[derive(Template)]
#[template(path = "settings.html")]
struct View {
    frame: Frame,
    parts: Vec<Facet>,
    said: Said,
    done: &'static str,
    facts: Vec<(&'static str, Cell)>,
    /// Nobody, where a token asks.
    own: Option<Own>,
}

/// What is known of whoever is signed in.
struct Own {
    password: bool,
    second_factor: bool,
    sessions: Vec<Shown>,
    /// Those that are not shown at once.
    further: Vec<Shown>,
}

/// A session, as a line of the list.
struct Shown {
    id: String,
    current: bool,
    browser: Name,
    told: String,
    seen: When,
    since: When,
    until: When,
    address: Name,
    how: &'static str,
}

/// The second factor on its way: what an app has to be given, or the codes that stand in for it.
#[derive(Template)]
#[template(path = "settings_factor.html")]
struct Factor {
    frame: Frame,
    said: Said,
    /// In groups of four; empty where it is not shown any more.
    secret: String,
    address: String,
    picture: Option<Picture>,
    codes: Vec<String>,
}

pub(in crate::site) async fn page(call: Call) -> Result<Answer, ApiError> {
    view(&call, StatusCode::OK, Said::default()).await
}

async fn view(call: &Call, status: StatusCode, said: Said) -> Result<Answer, ApiError> {
    let frame = Frame::of(call, "Settings").await?.here("Settings");
    let done = match frame.asked.get("done") {
        Some("password") => "You have another password. Every other session of yours has ended.",
        Some("factor-off") => {
            "No second factor is asked for any more. Every other session of yours has ended."
        }
        Some("session") => "The session has ended.",
        Some("sessions") => "Every other session of yours has ended.",
        _ => "",
    };
    let (own, account) = match &call.signed {
        Some(signed) => {
            let account = call.state.people.get(&signed.session.account).await?;
            let sessions = call.state.people.own_sessions(&signed.session).await?;
            let mut sessions: Vec<Shown> =
                sessions.into_iter().map(|session| line(session, &frame)).collect();
            // The one that somebody looks from comes first.
            sessions.sort_by_key(|session| !session.current);
            let further = sessions.split_off(sessions.len().min(SHOWN));
            let (password, second_factor) = (account.password, account.second_factor);
            let own = Own { password, second_factor, sessions, further };
            (Some(own), Some(account))
        }
        None => (None, None),
    };
    let facts = facts(&frame, account.as_ref());
    let parts = parts(&frame, call);
    shown(status, &View { frame, parts, said, done, facts, own })
}

fn facts(frame: &Frame, account: Option<&Account>) -> Vec<(&'static str, Cell)> {
    let when = |at| Cell::When(When::new(at, frame.now));
    let mut facts = vec![("Signed in as", Cell::Text(Name::new(&frame.who)))];
    if let Some(account) = account {
        facts.push(("Name", Cell::Text(Name::new(&account.name))));
    }
    facts.push(("Role", Cell::Badge(Badge::new(Tone::Calm, frame.role.clone()))));
    if let Some(account) = account {
        let source = match account.source.as_str() {
            "oidc" => "the provider of identities",
            _ => "an account of this installation",
        };
        facts.push(("Known by", Cell::Word(source.into())));
        facts.extend(account.signed_in_at.map(|at| ("Last signed in", when(at))));
        facts.push(("Account since", when(account.created_at)));
    }
    facts
}

fn line(session: OwnSession, frame: &Frame) -> Shown {
    let when = |at| When::new(at, frame.now);
    let told = session.browser.clone().unwrap_or_default();
    Shown {
        id: session.id,
        current: session.current,
        browser: Name::new(&session.browser.as_deref().map_or_else(|| "A browser".to_owned(), browser)),
        told: Name::head(&told).cut,
        seen: when(session.seen_at),
        since: when(session.created_at),
        until: when(session.expires_at),
        address: Name::or(session.address.as_deref(), "not kept"),
        how: match session.method.as_str() {
            "oidc" => "through the provider",
            "setup" => "with the first person’s link",
            _ => "with the password",
        },
    }
}

/// Does what a form asks for as the API does; what was wrong is told on the same page.
async fn done(call: Call, body: &serde_json::Value, place: &str) -> Result<Answer, ApiError> {
    let asking = call.clone();
    match handle(as_json(call, body)).await {
        Ok(answer) => Ok(moved(answer, place)),
        Err(error) if error.status.is_client_error() => view(&asking, error.status, Said::of(&error)).await,
        Err(error) => Err(error),
    }
}

pub(in crate::site) async fn password(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let body = json!({ "current": form.text("current"), "new": form.text("new") });
    done(call, &body, "/settings?done=password").await
}

pub(in crate::site) async fn factor_off(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let body = json!({ "password": form.text("password"), "code": form.text("code") });
    done(call, &body, "/settings?done=factor-off").await
}

pub(in crate::site) async fn end_session(call: Call) -> Result<Answer, ApiError> {
    let current = call.signed()?.session.id == call.segment("id");
    let answer = handle(call).await?;
    Ok(if current { moved(answer, "/auth/sign-in") } else { sent_to("/settings?done=session") })
}

pub(in crate::site) async fn end_others(call: Call) -> Result<Answer, ApiError> {
    handle(call).await?;
    Ok(sent_to("/settings?done=sessions"))
}

pub(in crate::site) async fn offer_factor(call: Call) -> Result<Answer, ApiError> {
    let asking = call.clone();
    let body = json!({ "password": Form::read(&call.body).text("factor_password") });
    match handle(as_json(call, &body)).await {
        Ok(answer) => {
            let offer = told(&answer);
            let address = text(&offer, "address");
            let secret = grouped(&text(&offer, "secret"));
            factor(&asking, StatusCode::OK, Said::default(), secret, address, Vec::new()).await
        }
        Err(error) if error.status.is_client_error() => view(&asking, error.status, Said::of(&error)).await,
        Err(error) => Err(error),
    }
}

pub(in crate::site) async fn confirm_factor(call: Call) -> Result<Answer, ApiError> {
    let asking = call.clone();
    let none = String::new;
    let body = json!({ "code": Form::read(&call.body).text("code") });
    match handle(as_json(call, &body)).await {
        Ok(answer) => {
            let codes = told(&answer);
            let codes = codes.get("recovery_codes").and_then(serde_json::Value::as_array).cloned();
            let codes = codes.unwrap_or_default();
            let codes = codes.iter().filter_map(|code| code.as_str().map(ToOwned::to_owned)).collect();
            factor(&asking, StatusCode::OK, Said::default(), none(), none(), codes).await
        }
        Err(error) if error.status == StatusCode::UNPROCESSABLE_ENTITY => {
            let said = Said::of(&error);
            factor(&asking, error.status, said, none(), none(), Vec::new()).await
        }
        Err(error) if error.status.is_client_error() => view(&asking, error.status, Said::of(&error)).await,
        Err(error) => Err(error),
    }
}

async fn factor(
    call: &Call,
    status: StatusCode,
    said: Said,
    secret: String,
    address: String,
    codes: Vec<String>,
) -> Result<Answer, ApiError> {
    let frame = Frame::of(call, "Second factor").await?.below("Settings", HERE).here("Second factor");
    let picture = picture(&address).filter(|_| !address.is_empty());
    shown(status, &Factor { frame, said, secret, address, picture, codes })
}

/// A secret as somebody types it.
fn grouped(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}
