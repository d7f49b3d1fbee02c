//! The session that one is in, through the API: signing in and out, the password, and the second factor.
//!
//! Invariant: what is shown once, the secret of a second factor and its recovery codes, is in no other answer.

use axum::http::{StatusCode, header};
use metsuke_engine::identity::{Own, Session, SignedIn, Typing, csrf_token};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::sign_in::signed_in;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::cookies::Cookie;
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    email: String,
    password: SecretText,
    code: Option<SecretText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    current: SecretText,
    new: SecretText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    password: SecretText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: SecretText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Removal {
    password: SecretText,
    code: SecretText,
}

/// A text that is shown nowhere.
#[derive(Deserialize)]
#[serde(from = "String")]
pub(super) struct SecretText(pub(super) SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

pub(super) fn get(call: &Call) -> Result<Answer, ApiError> {
    let signed = call.signed()?;
    Answer::ok(&shown(&signed.session, &signed.cookie))
}

pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let asked: SignIn = call.json()?;
    let code = asked.code.map_or_else(|| SecretString::from(""), |code| code.0);
    let typing = Typing { email: asked.email, password: asked.password.0, code };
    match call.state.people.sign_in(&typing, &call.visitor).await? {
        SignedIn::Yes(opened) => {
            let answer = Answer::json(StatusCode::CREATED, &shown(&opened.session, &opened.cookie))?;
            Ok(signed_in(&call, &opened, answer))
        }
        SignedIn::No => Err(wrong("the address, the password or the code is wrong")),
        SignedIn::Locked(wait) => Err(locked(wait)),
        SignedIn::Busy => Err(ApiError::unavailable("busy", "too many people are signing in at once")),
    }
}

pub(super) async fn end(call: Call) -> Result<Answer, ApiError> {
    let signed = call.signed()?;
    call.state.people.sign_out(&signed.session).await?;
    let answer = Answer::ok(&json!({ "id": signed.session.id, "ended": true }))?;
    Ok(Cookie::Session.clear(&call.state.place, answer))
}

pub(super) async fn change_password(call: Call) -> Result<Answer, ApiError> {
    let asked: NewPassword = call.json()?;
    let session = &call.signed()?.session;
    let changed =
        call.state.people.change_password(session, &asked.current.0, &asked.new.0, &call.visitor).await?;
    match changed {
        Own::Done(opened) => {
            let answer = Answer::ok(&shown(&opened.session, &opened.cookie))?;
            Ok(signed_in(&call, &opened, answer))
        }
        Own::Wrong => Err(not_oneself("current", "the password is wrong")),
        Own::Locked(wait) => Err(locked(wait)),
    }
}

pub(super) async fn offer_second_factor(call: Call) -> Result<Answer, ApiError> {
    let asked: Again = call.json()?;
    let session = &call.signed()?.session;
    match call.state.people.offer_second_factor(session, &asked.password.0).await? {
        Own::Done(offer) => {
            let told =
                json!({ "secret": offer.secret.expose_secret(), "address": offer.address.expose_secret() });
            Answer::json(StatusCode::CREATED, &told)
        }
        Own::Wrong => Err(not_oneself("password", "the password is wrong")),
        Own::Locked(wait) => Err(locked(wait)),
    }
}

pub(super) async fn confirm_second_factor(call: Call) -> Result<Answer, ApiError> {
    let asked: Code = call.json()?;
    match call.state.people.confirm_second_factor(&call.signed()?.session, &asked.code.0).await? {
        Own::Done(codes) => {
            let codes: Vec<&str> = codes.iter().map(ExposeSecret::expose_secret).collect();
            Answer::ok(&json!({ "recovery_codes": codes }))
        }
        Own::Wrong => Err(not_oneself("code", "the code is wrong, or it was used before")),
        Own::Locked(wait) => Err(locked(wait)),
    }
}

pub(super) async fn remove_second_factor(call: Call) -> Result<Answer, ApiError> {
    let asked: Removal = call.json()?;
    let session = &call.signed()?.session;
    let people = &call.state.people;
    match people.remove_second_factor(session, &asked.password.0, &asked.code.0, &call.visitor).await? {
        Own::Done(opened) => {
            let answer = Answer::ok(&shown(&opened.session, &opened.cookie))?;
            Ok(signed_in(&call, &opened, answer))
        }
        Own::Wrong => {
            Err(not_oneself("code", "the password or the code is wrong, or the code was used before"))
        }
        Own::Locked(wait) => Err(locked(wait)),
    }
}

pub(super) async fn list_own(call: Call) -> Result<Answer, ApiError> {
    let paging: Paging = call.parameters()?;
    let (count, after) = call.paging::<String>(&paging)?;
    let mut sessions = call.state.people.own_sessions(&call.signed()?.session).await?;
    // By id, so that a page goes on where the last one ended, whatever was used meanwhile.
    sessions.sort_by(|one, other| other.id.cmp(&one.id));
    sessions.retain(|session| after.as_ref().is_none_or(|after| session.id < *after));
    let more = sessions.len() > count;
    sessions.truncate(count);
    let next = sessions.last().filter(|_| more).map(|session| session.id.clone());
    call.page(&sessions, next.as_ref(), SESSIONS)
}

pub(super) async fn end_own(call: Call) -> Result<Answer, ApiError> {
    let ended = call.state.people.end_own_session(&call.signed()?.session, call.segment("id")).await?;
    let answer = Answer::ok(&json!({ "id": ended.id, "ended": true }))?;
    Ok(if ended.current { Cookie::Session.clear(&call.state.place, answer) } else { answer })
}

pub(super) async fn end_others(call: Call) -> Result<Answer, ApiError> {
    let ended = call.state.people.end_other_sessions(&call.signed()?.session).await?;
    Answer::ok(&json!({ "ended": ended }))
}

const SESSIONS: Columns = &[
    ("id", "/id"),
    ("current", "/current"),
    ("method", "/method"),
    ("created_at", "/created_at"),
    ("seen_at", "/seen_at"),
    ("expires_at", "/expires_at"),
    ("address", "/address"),
    ("browser", "/browser"),
];

fn shown(session: &Session, cookie: &SecretString) -> Value {
    let caller = &session.caller;
    json!({
        "id": session.id,
        "account": session.account,
        "email": caller.person,
        "name": caller.name,
        "role": caller.role,
        "method": session.method,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "csrf_token": csrf_token(cookie),
    })
}

fn wrong(told: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "not_signed_in", told)
}

fn not_oneself(field: &str, told: &str) -> ApiError {
    ApiError::invalid(field, told)
}

fn locked(wait: std::time::Duration) -> ApiError {
    let seconds = wait.as_secs().max(1);
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", "there were too many tries")
        .hint("a browser in which somebody has signed in before has tries of its own")
        .header(header::RETRY_AFTER, seconds.into())
}
