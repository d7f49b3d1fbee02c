//! The way of every request: its number, who asks, whether they may, the body, the deed, and the headers of the answer.
//!
//! What is done is the handlers' business, and the pages'.
//!
//! Invariant: no handler runs before the policy of its operation was asked, and every answer has the number of its request.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body as HttpBody, Bytes, to_bytes};
use axum::extract::{ConnectInfo, RawPathParams, Request};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::StreamExt as _;
use metsuke_engine::changes::webhooks::MOST_BYTES;
use metsuke_engine::identity::{Area, Caller, Denied, Operation, Owned, Policy};
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::answer::{Answer, Body};
use crate::call::Call;
use crate::error::ApiError;
use crate::guard::{self, Signed};
use crate::handlers::handle;
use crate::once::{self, Ticket};
use crate::server::State;
use crate::{upload, visit};

/// The header with the number of a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header with the trace that a request belongs to.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
/// How long something may take that works on a whole estate.
const AT_LENGTH: Duration = Duration::from_hours(1);
/// The longest number of a request that a caller may give.
const LONGEST_ID: usize = 64;

/// Headers of every answer.
const SECURITY: [(HeaderName, &str); 8] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    (header::CACHE_CONTROL, "no-store"),
];
/// Says over https that nothing else is to be spoken here for a year.
const HSTS: &str = "max-age=31536000";

/// Answers one request to a known route.
pub(crate) async fn enter(
    state: Arc<State>,
    operation: Operation,
    path: Option<RawPathParams>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let number = number(&state, request.headers());
    let span = tracing::info_span!(
        "request",
        request.id = number,
        operation = operation.id(),
        http.request.method = operation.method().as_str(),
        http.route = operation.path(),
        http.response.status_code = Empty,
        actor.id = Empty,
        otel.kind = "server",
        otel.status_code = Empty,
    );
    if let (Some(join), Some(parent)) = (state.joins, parent(request.headers())) {
        join(&span, parent);
    }
    let segments =
        |path: &RawPathParams| path.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let path: Option<BTreeMap<String, String>> = path.as_ref().map(segments);
    let matches = request.headers().get(header::IF_NONE_MATCH).cloned();
    let answered = async {
        let answer = Box::pin(answered(&state, operation, path, request)).await;
        let response = match answer {
            Ok(answer) => written(operation, answer, matches.as_ref()),
            Err(error) => error.response(&number),
        };
        let (status, took) = (response.status().as_u16(), began.elapsed());
        state.metrics.answered(operation, status, took);
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let span = tracing::Span::current();
        span.record("http.response.status_code", status);
        if status >= 500 {
            span.record("otel.status_code", "ERROR");
        }
        tracing::info!(http.status = status, duration_ms, "answered");
        response
    };
    finished(&state, answered.instrument(span).await, &number)
}

/// Answers a request that no route fits.
pub(crate) async fn nowhere(state: Arc<State>, request: Request) -> Response {
    let number = number(&state, request.headers());
    if let Some(page) = visit::nowhere(&state, &request, &number) {
        return finished(&state, page, &number);
    }
    let told = format!("there is nothing at `{}`", request.uri().path());
    let error = ApiError::not_found(told).hint("`/api/v1/openapi.json` tells what there is");
    finished(&state, error.response(&number), &number)
}

/// Answers a request with a method that its route does not have.
pub(crate) async fn otherwise(state: Arc<State>, request: Request) -> Response {
    let number = number(&state, request.headers());
    let told = format!("`{}` does not take {}", request.uri().path(), request.method());
    let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", told);
    finished(&state, error.response(&number), &number)
}

async fn answered(
    state: &Arc<State>,
    operation: Operation,
    path: Option<BTreeMap<String, String>>,
    request: Request,
) -> Result<Answer, ApiError> {
    let call = admitted(state, operation, path, request).await?;
    let key = if operation.takes_key() { once::key(&call.headers)? } else { None };
    let (Some(key), Some(caller)) = (key, call.caller.clone()) else {
        return timed(state, operation, handle(call)).await;
    };
    let print = once::fingerprint(operation, &call.uri, &call.body);
    match once::begin(&state.once, &caller, &key, print, operation).await? {
        Ticket::Answered(answer) => Ok(answer),
        Ticket::Do(attempt) => {
            let outcome = timed(state, operation, handle(call)).await;
            let kept = once::Outcome::of(&outcome);
            once::end(&state.once, &attempt, kept).await;
            outcome
        }
    }
}

/// A request whose sender may do what it asks for; nobody else's comes through here.
pub(crate) async fn admitted(
    state: &Arc<State>,
    operation: Operation,
    path: Option<BTreeMap<String, String>>,
    request: Request,
) -> Result<Call, ApiError> {
    let path = path.ok_or_else(|| ApiError::malformed("the path is not written in UTF-8"))?;
    let (parts, body) = request.into_parts();
    let visitor = guard::visitor(&state.place, peer(&parts.extensions), &parts.headers);
    let asked = match operation.policy() {
        // Only signing in looks at cookies where nobody needs to be anybody.
        Policy::Public if operation.area() == Area::Session => {
            guard::signed(state, &parts.headers).await.map(|signed| (None, signed))
        }
        Policy::Public | Policy::Signed => Ok((None, None)),
        Policy::Of { .. } => caller(state, &parts.headers).await,
    };
    let known = asked.as_ref().ok().and_then(|(caller, _)| caller.as_ref());
    if let Some(caller) = known {
        tracing::Span::current().record("actor.id", &*caller.id());
    }
    state.pace.count(operation, known, visitor.address, Instant::now())?;
    let (caller, signed) = asked?;
    if operation.needs_session() && signed.is_none() {
        return Err(ApiError::session_needed());
    }
    let mut as_owner = false;
    if let Some(caller) = &caller {
        as_owner = permitted(state, operation, caller, &path).await?;
    }
    let most = if operation.policy() == Policy::Signed { MOST_BYTES } else { state.body_limit };
    let (body, file) = if operation.takes_file() {
        (Bytes::new(), Some(upload::take(&state.room, body, state.limits.arrival).await?))
    } else {
        (arrived(state, body, most).await?, None)
    };
    let (uri, headers) = (parts.uri, parts.headers);
    match operation.policy() {
        Policy::Public => guard::check(&state.place, &parts.method, &headers, &body, None)?,
        Policy::Of { .. } if signed.is_some() => {
            guard::check(&state.place, &parts.method, &headers, &body, signed.as_ref())?;
        }
        // A token is no cookie, and a signature neither: nobody's browser sends it along unasked.
        Policy::Of { .. } | Policy::Signed => {}
    }
    Ok(Call {
        state: Arc::clone(state),
        operation,
        caller,
        signed,
        visitor,
        as_owner,
        path,
        uri,
        headers,
        body,
        file,
    })
}

/// The body, which has to arrive in time.
async fn arrived(state: &State, body: HttpBody, most: usize) -> Result<Bytes, ApiError> {
    let Ok(body) = tokio::time::timeout(state.limits.arrival, to_bytes(body, most)).await else {
        let told = "the body took too long to arrive";
        let close = HeaderValue::from_static("close");
        return Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", told)
            .header(header::CONNECTION, close));
    };
    body.map_err(|_| {
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large, or it was cut off")
            .hint(format!("at most {most} bytes are read"))
    })
}

/// The address at the other end of the connection.
pub(crate) fn peer(extensions: &Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// Waits for an answer for as long as anybody would.
pub(crate) async fn timed(
    state: &State,
    operation: Operation,
    answering: impl Future<Output = Result<Answer, ApiError>>,
) -> Result<Answer, ApiError> {
    let patience = if operation.is_lengthy() { AT_LENGTH } else { state.patience };
    match tokio::time::timeout(patience, answering).await {
        Ok(outcome) => outcome,
        Err(_) => Err(ApiError::unavailable("timeout", "the answer took too long and was given up")),
    }
}

/// Who asks: by a token where there is one, else by the session of a browser.
async fn caller(state: &State, headers: &HeaderMap) -> Result<(Option<Caller>, Option<Signed>), ApiError> {
    let mut told = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (told.next(), told.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        (None, _) => {
            let signed = guard::signed(state, headers).await?;
            let caller = signed.as_ref().map(|signed| signed.session.caller.clone());
            let needed = || ApiError::unauthenticated("a token is needed, or a session");
            return caller.ok_or_else(needed).map(|caller| (Some(caller), signed));
        }
        _ => return Err(ApiError::unauthenticated("there is more than one Authorization header")),
    };
    let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else {
        return Err(ApiError::unauthenticated("the Authorization header holds no bearer token"));
    };
    let caller = state.tokens.caller(token.trim()).await?;
    let caller = caller.ok_or_else(|| ApiError::unauthenticated("the token is not accepted"))?;
    Ok((Some(caller), None))
}

/// Asks the operation's policy; tells whether the caller is let in for owning the thing alone.
pub(crate) async fn permitted(
    state: &State,
    operation: Operation,
    caller: &Caller,
    path: &BTreeMap<String, String>,
) -> Result<bool, ApiError> {
    let by_owning = operation.asks_for_owner(caller);
    let owned =
        if by_owning && state.desk.owns(caller, operation, path).await? { Owned::Yes } else { Owned::No };
    match operation.permits(caller, owned) {
        Ok(()) => Ok(by_owning),
        Err(Denied::Role) => {
            let told = format!("the role {} may not do this", caller.role);
            Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", told))
        }
        Err(Denied::Scope) => {
            Err(ApiError::new(StatusCode::FORBIDDEN, "scope_missing", "the token's scopes do not cover this"))
        }
    }
}

/// The caller's own number for the request, where it can be one, else a new one.
pub(crate) fn number(state: &State, headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let fits = |given: &&str| !given.is_empty() && given.len() <= LONGEST_ID && given.bytes().all(plain);
    given.filter(fits).map_or_else(|| state.next_number(), ToOwned::to_owned)
}

/// What a request says of the trace that it belongs to, in the form that can be read.
///
/// Source: <https://www.w3.org/TR/trace-context/#traceparent-header>
fn parent(headers: &HeaderMap) -> Option<&str> {
    let mut told = headers.get_all(TRACE_PARENT).iter();
    let (Some(told), None) = (told.next(), told.next()) else { return None };
    let told = told.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) || byte == b'-';
    (told.len() == 55 && told.bytes().all(plain)).then_some(told)
}

/// An answer as HTTP has it; 304 where the caller has it already.
pub(crate) fn written(operation: Operation, answer: Answer, matches: Option<&HeaderValue>) -> Response {
    let Answer { status, headers, body } = answer;
    let tag = match &body {
        Body::Whole(body) if !operation.writes() && status == StatusCode::OK => Some(entity_tag(body)),
        _ => None,
    };
    let mut response = Response::new(match body {
        Body::Whole(body) => HttpBody::from(body),
        Body::Events(events) => HttpBody::from_stream(events.map(Ok::<_, std::convert::Infallible>)),
    });
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    let Some(tag) = tag else { return response };
    if matches.is_some_and(|matches| names(matches, &tag)) {
        response = Response::new(HttpBody::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().entry(header::ETAG).or_insert(tag);
    }
    response
}

/// The tag of a body: a hash of it.
pub(crate) fn entity_tag(body: &[u8]) -> String {
    let hash = blake3::hash(body).to_hex();
    format!("\"{}\"", &hash[..32])
}

/// Whether an `If-Match` or `If-None-Match` header names a tag.
pub(crate) fn names(header: &HeaderValue, tag: &str) -> bool {
    let named = header.to_str().unwrap_or_default();
    named.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// Puts the headers of every answer on.
pub(crate) fn finished(state: &State, mut response: Response, number: &str) -> Response {
    let headers = response.headers_mut();
    if state.place.is_secure() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(number) = HeaderValue::from_str(number) {
        headers.insert(REQUEST_ID, number);
    }
    response
}
