//! The way of a browser to a page: as every request's, but whoever is not signed in is sent to sign in, and errors are pages.
//!
//! Invariant: nobody is shown a page whose operation the door refuses them. A browser is signed in unasked in a demonstration
//! alone, and only where it runs on this machine and means this machine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{RawPathParams, Request};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use metsuke_engine::identity::{Operation, SignedIn, Typing, Visitor};
use tracing::Instrument as _;

use crate::answer::Answer;
use crate::cookies::Cookie;
use crate::door::{admitted, finished, number, peer, timed, written};
use crate::error::ApiError;
use crate::guard;
use crate::place::{is_here, within};
use crate::server::State;
use crate::site::{Plain, Route, asset, shown, theme};

/// Where people sign in.
const SIGN_IN: &str = "/auth/sign-in";

/// Answers one request to a page.
pub(crate) async fn visit(
    state: Arc<State>,
    route: &'static Route,
    path: Option<RawPathParams>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let number = number(&state, request.headers());
    let span = tracing::info_span!("request", request.id = number, page = route.path);
    let segments =
        |path: &RawPathParams| path.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let path: Option<BTreeMap<String, String>> = path.as_ref().map(segments);
    let answered = async {
        let response = Box::pin(answered(&state, route, path, request, &number)).await;
        let (status, took) = (response.status().as_u16(), began.elapsed());
        state.metrics.answered(route.operation, status, took);
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(http.status = status, duration_ms, "answered");
        response
    };
    finished(&state, answered.instrument(span).await, &number)
}

async fn answered(
    state: &Arc<State>,
    route: &'static Route,
    path: Option<BTreeMap<String, String>>,
    request: Request,
    number: &str,
) -> Response {
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    let visitor = guard::visitor(&state.place, peer(request.extensions()), &headers);
    let matches = headers.get(header::IF_NONE_MATCH);
    let call = match admitted(state, route.operation, path, request).await {
        Ok(call) => call,
        Err(error) if error.status == StatusCode::UNAUTHORIZED => {
            let answer = unknown(state, &method, &uri, &headers, visitor).await;
            return answer.map_or_else(|error| error.response(number), whole);
        }
        Err(error) => return alone(state, &headers, &error, number),
    };
    // What is said about an error may take the frame of whoever asked.
    let asking = call.clone();
    match timed(state, route.operation, (route.answer)(call)).await {
        Ok(answer) => written(route.operation, answer, matches),
        Err(error) => match shown::wrong(&asking, &error, number).await {
            Ok(answer) => whole(answer),
            Err(_) => alone(state, &headers, &error, number),
        },
    }
}

fn whole(answer: Answer) -> Response {
    written(Operation::SubmitSignIn, answer, None)
}

/// The page about an error for somebody of whom nothing is known.
fn alone(state: &State, headers: &HeaderMap, error: &ApiError, number: &str) -> Response {
    let plain = Plain { theme: theme(&state.place, headers) };
    match shown::wrong_alone(plain, error, number) {
        Ok(answer) => whole(answer),
        Err(_) => error.response(number),
    }
}

/// Where somebody goes who is not signed in: to sign in, and then to where they meant to go.
async fn unknown(
    state: &State,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    visitor: Visitor,
) -> Result<Answer, ApiError> {
    let meant = uri.path_and_query().map(ToString::to_string);
    let meant = within(meant.as_deref()).filter(|_| *method == Method::GET).unwrap_or_else(|| "/".to_owned());
    if let Some(opened) = guest(state, headers, &visitor).await? {
        let answer = Cookie::Session.set(&state.place, &opened.cookie, sent_to(&meant));
        return Ok(Cookie::Device.set(&state.place, &opened.device, answer));
    }
    let next = percent_encoding::utf8_percent_encode(&meant, percent_encoding::NON_ALPHANUMERIC);
    Ok(sent_to(&format!("{SIGN_IN}?next={next}")))
}

/// Signs a browser of this machine in, in a demonstration.
async fn guest(
    state: &State,
    headers: &HeaderMap,
    visitor: &Visitor,
) -> Result<Option<Box<metsuke_engine::identity::Opened>>, ApiError> {
    let Some(guest) = &state.guest else { return Ok(None) };
    // A page elsewhere may make a browser ask this machine by another name; it is not what somebody means to see.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    if !visitor.address.is_loopback() || !is_here(host) || headers.contains_key("x-forwarded-for") {
        return Ok(None);
    }
    let typing =
        Typing { email: guest.email.clone(), password: guest.password.clone(), code: String::new().into() };
    match state.people.sign_in(&typing, visitor).await? {
        SignedIn::Yes(opened) => Ok(Some(opened)),
        SignedIn::No | SignedIn::Locked(_) | SignedIn::Busy => Ok(None),
    }
}

fn sent_to(place: &str) -> Answer {
    Answer::typed(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "").with(header::LOCATION, place)
}

/// Answers a request for something that pages load.
pub(crate) async fn load(state: Arc<State>, request: Request) -> Response {
    let number = number(&state, request.headers());
    let response = match asset(request.uri().path(), request.headers()) {
        Some(answer) => whole(answer),
        None => ApiError::not_found("there is no such file").response(&number),
    };
    finished(&state, response, &number)
}

/// The answer to a browser that asks for a page that there is not; none for whoever does not ask for pages.
pub(crate) fn nowhere(state: &State, request: &Request, number: &str) -> Option<Response> {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok())?;
    let path = request.uri().path();
    if !accepted.contains("text/html") || path.starts_with("/api/") {
        return None;
    }
    let error = ApiError::not_found("there is no page at this address").hint("Go on from the overview.");
    Some(alone(state, request.headers(), &error, number))
}
