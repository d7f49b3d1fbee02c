//! The manners of the service around every answer: tokens, scopes, pool, ranges, caching, headers.
//!
//! Not the answers themselves: the estate's.
//!
//! Invariant: an answer without a valid token says nothing about the account, not even what is left of its pool.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use crate::call::Call;
use crate::catalogue::id_of;
use crate::estate::Estate;
use crate::fault::{FaultKind, Faults};
use crate::line::Wire;
use crate::mishap::{self, Delivery};
use crate::page::{Answer, Page};
use crate::pool::Pool;
use crate::range::Range;
use crate::refusal::Refusal;
use crate::routes::{self, Route, Rule};
use crate::stats::{Ledger, Seen};
use crate::token::Tokens;
use crate::value::fingerprint;

/// Largest request body that is read.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// What every request needs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) estate: Estate,
    pub(crate) faults: Arc<Faults>,
    pub(crate) ledger: Ledger,
    pub(crate) pool: Pool,
    pub(crate) tokens: Tokens,
    /// How long every answer takes at least, in microseconds.
    pub(crate) latency: AtomicU64,
    /// The `Range` of the latest page of each list, for the fault that repeats one.
    pub(crate) walks: Mutex<HashMap<String, String>>,
}

/// An answer that can still be spoilt.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn new() -> Self {
        Self { status: 200, headers: Vec::with_capacity(16), body: Vec::new() }
    }

    /// Sets a header, replacing what was there.
    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
    }

    /// Turns the answer into a refusal.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) {
        self.status = refusal.status;
        self.body = refusal.body().to_string().into_bytes();
        self.drop_paging();
    }

    /// Turns the answer into something that Heroku's own servers did not write.
    pub(crate) fn raw(&mut self, status: u16, kind: &str, body: &str) {
        self.status = status;
        self.headers.clear();
        self.set("content-type", kind.to_owned());
        self.body = body.as_bytes().to_vec();
    }

    /// Takes away what only a page carries.
    pub(crate) fn drop_paging(&mut self) {
        const PAGING: [&str; 5] = ["content-range", "next-range", "accept-ranges", "etag", "last-modified"];
        self.headers.retain(|(name, _)| !PAGING.contains(name));
        if self.status == 206 {
            self.status = 200;
        }
    }

    /// Takes away what only an answer to a known account carries.
    pub(crate) fn forget_account(&mut self) {
        self.headers.retain(|(name, _)| !name.starts_with("oauth-") && !name.starts_with("ratelimit-"));
    }

    fn into_response(self, delivery: &Delivery) -> Response {
        let (body, length) = mishap::deliver(delivery, self.body);
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        if self.status != 304 {
            response.headers_mut().insert("content-length", HeaderValue::from(length));
        }
        response
    }
}

/// What is read off a request before anything is decided.
struct Asked<'a> {
    method: String,
    path: &'a str,
    headers: &'a HeaderMap,
    body: Bytes,
}

impl Asked<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Leaves the count of requests in flight when dropped, also when the client hangs up.
struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.ledger.leave();
    }
}

/// Answers one request.
pub(crate) async fn serve(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(Wire(line)): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(ToOwned::to_owned);
    let path = parts.uri.path();
    let method = method_of(parts.method.as_str(), text("x-http-method-override"));
    let pattern = routes::find(&method, path).map_or("(unknown)", |(rule, _)| rule.path);
    let seen = Seen {
        number: 0,
        method: method.clone(),
        path: parts.uri.path_and_query().map_or(path, |whole| whole.as_str()).to_owned(),
        range: text("range"),
        accept: text("accept"),
        status: 0,
        bytes: 0,
        fault: None,
    };
    let number = shared.ledger.arrive(seen, format!("{method} {pattern}"));
    let _in_flight = InFlight(Arc::clone(&shared));
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let asked = Asked { method, path, headers: &parts.headers, body };

    let fault = shared.faults.strike(number, path);
    // A reset request never reaches the estate; any other fault spoils the true answer, after the fact.
    let mut reply = match fault {
        Some(FaultKind::ConnectionReset) => Reply::new(),
        Some(kind) if refuses(kind) => shared.manners_only(&asked, number),
        other => shared.reply(&asked, number, other == Some(FaultKind::RepeatedPage)),
    };
    let delivery = fault.map_or(Delivery::Plain, |kind| mishap::spoil(kind, &mut reply, &line, number));
    let status = if fault == Some(FaultKind::ConnectionReset) { 0 } else { reply.status };
    shared.ledger.answer(number, status, reply.body.len() as u64, fault.map(FaultKind::as_str));
    let latency = Duration::from_micros(shared.latency.load(Ordering::Relaxed));
    if let Some(rest) = latency.checked_sub(started.elapsed()).filter(|rest| !rest.is_zero()) {
        tokio::time::sleep(rest).await;
    }
    reply.into_response(&delivery)
}

/// True for faults under which the request must have no effect.
const fn refuses(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::RateLimit429
            | FaultKind::ServerError500
            | FaultKind::BadGatewayHtml502
            | FaultKind::Unavailable503
            | FaultKind::Unauthorized401
            | FaultKind::Forbidden403
            | FaultKind::NotFound404
    )
}

fn method_of(method: &str, substitute: Option<String>) -> String {
    match substitute {
        Some(substitute) if method == "POST" => substitute.to_uppercase(),
        _ => method.to_owned(),
    }
}

impl Shared {
    /// The head of every answer, with an empty body.
    fn manners_only(&self, asked: &Asked<'_>, number: u64) -> Reply {
        let mut reply = Reply::new();
        let hop = |hop: &str| id_of(hop, &number.to_string());
        let own = format!("{},{},{}", hop("router"), hop("api"), hop("backend"));
        let ids = asked.header("request-id").map_or(own.clone(), |theirs| format!("{theirs},{own}"));
        reply.set("request-id", ids);
        reply.set("content-type", "application/json".to_owned());
        reply.set("cache-control", "private, no-cache".to_owned());
        reply.set("vary", "Authorization,Accept-Encoding".to_owned());
        reply.set("via", "1.1 spaces-router (simulated)".to_owned());
        if let Some(scopes) = self.tokens.scopes(asked.header("authorization")) {
            reply.set("oauth-scope", scopes.to_owned());
            reply.set("ratelimit-multiplier", "1".to_owned());
            reply.set("ratelimit-remaining", self.pool.left().to_string());
            if let Some((rule, _)) = routes::find(&asked.method, asked.path) {
                reply.set("oauth-scope-accepted", rule.accepts.header().to_owned());
            }
        }
        reply
    }

    fn reply(&self, asked: &Asked<'_>, number: u64, repeat: bool) -> Reply {
        let mut reply = self.manners_only(asked, number);
        if let Err(refusal) = self.attempt(asked, repeat, &mut reply) {
            reply.refuse(&refusal);
        }
        reply
    }

    fn attempt(&self, asked: &Asked<'_>, repeat: bool, reply: &mut Reply) -> Result<(), Refusal> {
        let scopes = self.tokens.scopes(asked.header("authorization")).ok_or_else(Refusal::unauthorized)?;
        let variant = variant(asked.header("accept"))?;
        let found = routes::find(&asked.method, asked.path);
        let free = matches!(found, Some((rule, _)) if rule.route == Route::RateLimits);
        let left = self.pool.take(u32::from(!free)).ok_or_else(|| {
            reply.set("ratelimit-remaining", "0".to_owned());
            Refusal::rate_limit()
        })?;
        reply.set("ratelimit-remaining", left.to_string());
        let (rule, params) = found.ok_or_else(Refusal::no_such_route)?;
        let scopes: Vec<&str> = scopes.split(' ').collect();
        if !rule.accepts.admits(&scopes) {
            return Err(Refusal::forbidden("The token does not have the scope that this request needs."));
        }
        if free {
            reply.body = format!("{{\"remaining\":{left}}}").into_bytes();
            return Ok(());
        }
        let header = asked.header("range");
        let (earlier, header) = self.walk(asked.path, header, repeat);
        let range = match rule.fields {
            [] => Range { max: usize::MAX, ..Range::absent() },
            fields => Range::parse(header.as_deref(), fields)?,
        };
        let expansion = asked.header("accept-expansion").unwrap_or_default().to_owned();
        let body = asked.body.clone();
        let call = Call { route: rule.route, params, range, variant, expansion, body };
        let answer = self.estate.answer(&call)?;
        write_answer(answer, rule, asked, reply);
        if repeat && !earlier && !rule.fields.is_empty() {
            // There is no page before the first: it points at itself instead.
            reply.status = 206;
            let own = header.unwrap_or_else(|| format!("id ..; max={}", call.range.max));
            reply.set("next-range", own);
        }
        Ok(())
    }

    /// Remembers where a walk stands; for a repeat, the `Range` of the page before, if there was one.
    fn walk(&self, path: &str, header: Option<&str>, repeat: bool) -> (bool, Option<String>) {
        let mut walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        let now = header.unwrap_or_default().to_owned();
        let before = walks.get(path).cloned();
        let fresh = now.is_empty() || now.contains(" ..");
        if repeat
            && !fresh
            && let Some(before) = before
        {
            return (true, Some(before).filter(|before| !before.is_empty()));
        }
        walks.insert(path.to_owned(), now);
        (false, header.map(ToOwned::to_owned))
    }
}

/// What follows `version=3.` in an `Accept` header that names Heroku's type.
fn variant(accept: Option<&str>) -> Result<Option<String>, Refusal> {
    let accept = accept.unwrap_or_default();
    for option in accept.split(',') {
        let mut words = option.split(';').map(str::trim);
        if words.next() != Some("application/vnd.heroku+json") {
            continue;
        }
        let Some(version) = words.find_map(|word| word.strip_prefix("version=")) else { continue };
        match version.split_once('.') {
            Some(("3", variant)) => return Ok(Some(variant.to_owned())),
            None if version == "3" => return Ok(None),
            _ => {}
        }
    }
    Err(Refusal::not_acceptable())
}

fn write_answer(answer: Answer, rule: &Rule, asked: &Asked<'_>, reply: &mut Reply) {
    let modified = match answer {
        Answer::One { status, body, modified } => {
            reply.status = status;
            reply.body = body;
            modified
        }
        Answer::Page(page) => {
            let Page { body, modified, span, next } = page;
            reply.body = body;
            if !rule.fields.is_empty() {
                let fields: Vec<&str> = rule.fields.iter().map(|field| field.as_str()).collect();
                reply.set("accept-ranges", fields.join(", "));
            }
            if let Some((first, last)) = span.filter(|_| !rule.fields.is_empty()) {
                let field = asked.header("range").and_then(|range| range.trim().split(' ').next());
                reply.set("content-range", format!("{} {first}..{last}", field.unwrap_or("id")));
            }
            if let Some(next) = next {
                reply.status = 206;
                reply.set("next-range", next);
            }
            modified
        }
    };
    if asked.method != "GET" {
        return;
    }
    let etag = format!("\"{:032x}\"", fingerprint(&reply.body));
    if let Some(modified) = modified {
        reply.set("last-modified", modified.http_date());
    }
    let known = asked.header("if-none-match").unwrap_or_default();
    if known.split(',').any(|one| one.trim().trim_start_matches("W/") == etag) {
        reply.status = 304;
        reply.body = Vec::new();
        reply.headers.retain(|(name, _)| *name != "next-range");
    }
    reply.set("etag", etag);
}

/// Every request goes to [`serve`], which knows the table of routes itself.
pub(crate) fn router(shared: Arc<Shared>) -> axum::Router {
    axum::Router::<Arc<Shared>>::new().fallback(serve).with_state(shared)
}
