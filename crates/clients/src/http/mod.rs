//! Sends one request and brings back one answer, within all limits.
//!
//! It knows HTTP, not Heroku's lists; paging and reading rows is done in [`heroku`](crate::heroku).
//!
//! Invariant: a request counts as in flight from the moment it is sent to the last byte of its answer,
//! and never more than the allowed number are.

mod answer;
mod body;
pub(crate) mod limit;
pub(crate) mod meter;
pub(crate) mod retry;
pub(crate) mod text;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, RANGE, USER_AGENT};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

pub(crate) use self::answer::Reply;
use self::body::Broken;
use self::limit::{Budget, Pass};
use self::meter::Meter;
use self::text::Cleaner;
use crate::error::{Call, ClientError};

/// The limits of every request.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) in_flight: usize,
    pub(crate) request_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_body_bytes: usize,
}

/// One request, ready to be sent.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: &'a str,
    pub(crate) accept: String,
    pub(crate) range: Option<&'a str>,
    pub(crate) body: Option<&'a serde_json::Value>,
}

impl Ask<'_> {
    pub(crate) fn call(&self) -> Call {
        Call { method: self.method, path: self.path.to_owned(), attempts: 1 }
    }
}

/// The way to one server with one token.
pub(crate) struct Transport {
    client: reqwest::Client,
    base: String,
    limits: Limits,
    slots: Semaphore,
    scopes: Mutex<Option<Vec<String>>>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) meter: Meter,
    pub(crate) cleaner: Cleaner,
}

impl Transport {
    /// A transport to `base`, which has been judged safe; nothing is sent.
    pub(crate) fn new(
        base: &Url,
        token: &SecretString,
        user_agent: &str,
        limits: Limits,
        budget: Arc<Budget>,
    ) -> Result<Self, ClientError> {
        // An error means that somebody installed a provider before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = reqwest::Client::builder()
            .default_headers(headers(token, user_agent)?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(limits.idle_timeout)
            .pool_max_idle_per_host(limits.in_flight);
        if base.scheme() == "http" {
            // Plain http goes to this machine only: no proxy, and no need of root certificates.
            builder = builder.no_proxy().tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| ClientError::Config {
            reason: format!("the HTTP client could not be set up: {}", causes(&error)),
        })?;
        Ok(Self {
            client,
            base: base.as_str().trim_end_matches('/').to_owned(),
            slots: Semaphore::new(limits.in_flight),
            limits,
            scopes: Mutex::new(None),
            budget,
            meter: Meter::default(),
            cleaner: Cleaner::new(token.clone()),
        })
    }

    /// The scopes of the token, as last reported.
    pub(crate) fn scopes(&self) -> Option<Vec<String>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends the request once, when a place and the budget allow; `sent` counts it.
    ///
    /// # Errors
    ///
    /// Every answer that is not 2xx, and everything that keeps an answer from being read.
    pub(crate) async fn send(&self, ask: &Ask<'_>, sent: &mut u32) -> Result<Reply, ClientError> {
        let request = self.request(ask)?;
        let Ok(_slot) = self.slots.acquire().await else {
            return Err(ClientError::Config { reason: "the client is closed".into() });
        };
        let mut pass = self.budget.acquire(&self.meter).await;
        let _flight = self.meter.sent();
        *sent += 1;
        let limit = self.limits.request_timeout;
        match tokio::time::timeout(limit, self.exchange(ask, request, &mut pass)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.late(ask)),
        }
    }

    async fn exchange(
        &self,
        ask: &Ask<'_>,
        request: reqwest::Request,
        pass: &mut Pass,
    ) -> Result<Reply, ClientError> {
        let start = Instant::now();
        let mut response = self
            .client
            .execute(request)
            .await
            .map_err(|error| self.broken(ask, Broken::Connection(error)))?;
        let mut reply = Reply::from_head(response.status().as_u16(), response.headers(), &self.cleaner);
        pass.answered(reply.status, reply.remaining);
        if reply.scopes.is_some() {
            self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&reply.scopes);
        }
        let body = body::read(&mut response, self.limits.idle_timeout, self.limits.max_body_bytes).await;
        tracing::debug!(
            http.method = ask.method,
            http.path = ask.path,
            http.status = reply.status,
            heroku.request_id = reply.request_id,
            duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            "{} {} was answered {}",
            ask.method,
            ask.path,
            reply.status,
        );
        if !(200..300).contains(&reply.status) {
            // The status tells enough; a refusal whose body is broken is a refusal still.
            reply.body = body.unwrap_or_default();
            return Err(ClientError::Answered {
                call: Box::new(ask.call()),
                answer: Box::new(reply.refusal(&self.cleaner)),
            });
        }
        reply.body = body.map_err(|broken| self.broken(ask, broken))?;
        Ok(reply)
    }

    fn request(&self, ask: &Ask<'_>) -> Result<reqwest::Request, ClientError> {
        let unfit =
            |what: &str| ClientError::Config { reason: format!("{} has no fitting {what}", ask.call()) };
        let url = Url::parse(&format!("{}{}", self.base, ask.path)).map_err(|_| unfit("address"))?;
        let method = if ask.method == "POST" { reqwest::Method::POST } else { reqwest::Method::GET };
        let mut request = self.client.request(method, url).header(ACCEPT, &ask.accept);
        if let Some(range) = ask.range {
            request = request.header(RANGE, range);
        }
        if let Some(body) = ask.body {
            request = request.json(body);
        }
        request.build().map_err(|_| unfit("headers"))
    }

    fn broken(&self, ask: &Ask<'_>, broken: Broken) -> ClientError {
        let call = Box::new(ask.call());
        match broken {
            Broken::TooLarge => ClientError::TooLarge { call, limit_bytes: self.limits.max_body_bytes },
            Broken::Idle => {
                let reason = format!("no byte for {} s", self.limits.idle_timeout.as_secs_f32());
                ClientError::Timeout { call, reason }
            }
            Broken::Connection(error) if error.is_connect() => {
                let reason = self.cleaner.message(&causes(&error));
                ClientError::Connection { call, reason }
            }
            Broken::Connection(error) if error.is_timeout() => self.late(ask),
            Broken::Connection(error) => {
                ClientError::Connection { call, reason: self.cleaner.message(&causes(&error)) }
            }
        }
    }

    fn late(&self, ask: &Ask<'_>) -> ClientError {
        let reason = format!("no whole answer within {} s", self.limits.request_timeout.as_secs_f32());
        ClientError::Timeout { call: Box::new(ask.call()), reason }
    }
}

/// The innermost cause, which says what happened, without the layers around it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn headers(token: &SecretString, user_agent: &str) -> Result<HeaderMap, ClientError> {
    let token = token.expose_secret();
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ClientError::Config {
            reason: "the Heroku token is empty or holds characters that no token has".into(),
        });
    }
    let unfit = |_| ClientError::Config { reason: "the user agent does not fit into a header".into() };
    let mut bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(unfit)?;
    bearer.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(USER_AGENT, HeaderValue::from_str(user_agent).map_err(unfit)?);
    Ok(headers)
}
