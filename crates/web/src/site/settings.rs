//! Settings: one's own account, tokens, people, and how the installation is set up.
//!
//! Each part has a file of its own; here is what they share, and the look that somebody chooses for the own browser.
//!
//! Invariant: a form does what the API does, by the same handler. What is shown once, a token or a second factor's secret, stands
//! in the answer to the form that made it and in no address.

pub(super) mod accounts;
pub(super) mod installation;
pub(super) mod own;
pub(super) mod picture;
pub(super) mod tokens;

use axum::http::{StatusCode, header};
use metsuke_engine::identity::{Operation, Role};
use serde_json::Value;

use super::frame::Frame;
use super::list::Facet;
use crate::answer::{Answer, Body};
use crate::call::Call;
use crate::cookies::Cookie;
use crate::error::ApiError;
use crate::form::Form;
use crate::place::within;

/// The parts, and whose operation each stands on.
const PARTS: &[(&str, &str, Operation)] = &[
    ("Your account", "/settings", Operation::WhoAmI),
    ("API tokens", "/settings/tokens", Operation::ListTokens),
    ("People", "/settings/accounts", Operation::ListAccounts),
    ("Who owns what", "/settings/owners", Operation::ListConnectors),
    ("Sign-in", "/settings/sign-in", Operation::GetInstallation),
    ("Installation", "/settings/installation", Operation::GetInstallation),
];

/// The parts that whoever asks may look at.
fn parts(frame: &Frame, call: &Call) -> Vec<Facet> {
    let shown = |(name, path, operation): &(&'static str, &'static str, Operation)| {
        let below = *path != "/settings" && frame.path.starts_with(&format!("{path}/"));
        frame.may(call, *operation).then(|| Facet {
            name,
            href: frame.to(path),
            current: frame.path == *path || below,
        })
    };
    PARTS.iter().filter_map(shown).collect()
}

/// What a form came to: what is said of it, and which fields are wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) told: String,
    wrong: Vec<(String, String)>,
}

impl Said {
    /// What an error says to whoever filled the form in.
    pub(super) fn of(error: &ApiError) -> Self {
        let wrong = error.fields.iter().map(|field| (field.name.clone(), field.message.clone())).collect();
        let told = match &error.hint {
            Some(hint) => format!("{}; {hint}", error.message),
            None => error.message.clone(),
        };
        Self { told, wrong }
    }

    /// What is wrong with a field; nothing where it is fine.
    pub(super) fn wrong_with(&self, name: &str) -> &str {
        self.wrong.iter().find(|(field, _)| field == name).map_or("", |(_, what)| what)
    }
}

/// One of the roles, as somebody chooses it.
#[derive(Clone, Debug)]
struct RoleChoice {
    word: &'static str,
    meaning: &'static str,
    chosen: bool,
}

fn roles(chosen: &str) -> Vec<RoleChoice> {
    let one = |role: Role| RoleChoice {
        word: role.as_str(),
        meaning: role.meaning(),
        chosen: role.as_str() == chosen,
    };
    Role::ALL.into_iter().map(one).collect()
}

/// The answer of the API, as it was read.
pub(super) fn told(answer: &Answer) -> Value {
    match &answer.body {
        Body::Whole(body) => serde_json::from_slice(body).unwrap_or_default(),
        Body::Events(_) => Value::Null,
    }
}

/// A member of an answer that is a text.
fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Where to look now, with the cookies that the API has set.
fn moved(answer: Answer, place: &str) -> Answer {
    let cookies = answer.headers.into_iter().filter(|(name, _)| name == header::SET_COOKIE);
    let mut to = sent_to(place);
    to.headers.extend(cookies);
    to
}

/// Keeps the look that somebody has chosen.
pub(super) fn theme(call: &Call) -> Answer {
    let form = Form::read(&call.body);
    let theme = form.text("theme");
    let back = sent_to(&within(Some(&form.text("next"))).unwrap_or_else(|| "/".to_owned()));
    let place = &call.state.place;
    match theme.as_str() {
        "light" | "dark" => Cookie::Theme.set(place, &theme.into(), back),
        _ => Cookie::Theme.clear(place, back),
    }
}

/// The answer to a form that was done: where to look now.
pub(super) fn sent_to(place: &str) -> Answer {
    Answer::typed(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "").with(header::LOCATION, place)
}
