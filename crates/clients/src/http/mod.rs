//! Sends one request and brings back one answer, within all limits.
//!
//! It knows HTTP, not Heroku's lists; paging and reading rows is done in [`heroku`](crate::heroku).
//!
//! Invariant: a request counts as in flight from the moment it is sent to the last byte of its answer,
//! and never more than the allowed number are. Nothing in here sends a request a second time.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod limit;
pub(crate) mod meter;
pub(crate) mod retry;
pub(crate) mod text;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, RANGE, USER_AGENT,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use url::Url;

pub(crate) use self::answer::Reply;
use self::body::Broken;
use self::limit::{Budget, Pass, Share};
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
    /// The JSON text, sent as it stands.
    pub(crate) body: Option<&'a str>,
    /// The path for the log, without what names a person.
    pub(crate) log_path: &'a str,
}

impl Ask<'_> {
    pub(crate) fn call(&self) -> Call {
        Call { method: self.method, path: self.path.to_owned(), attempts: 1 }
    }
}

/// What came of sending a request once.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// Nothing of the request left this machine.
    Unsent(ClientError),
    /// It was sent, wholly or in part, and no answer began.
    Unanswered(ClientError),
    /// An answer of any status, and what kept its body from being read, if something did.
    Answered(Reply, Option<ClientError>),
}

/// Connections that serve one request each.
///
/// A connection that was idle may be dead without anybody knowing: a write on it would often end in doubt,
/// and the library underneath may repeat a request that it believes unsent. On a new one it never does.
#[derive(Clone)]
pub(crate) struct Writer(reqwest::Client);

/// The way to one server with one token.
pub(crate) struct Transport {
    client: reqwest::Client,
    base: String,
    headers: HeaderMap,
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
        let base = base.as_str().trim_end_matches('/').to_owned();
        let headers = headers(token, user_agent)?;
        Ok(Self {
            client: connections(&base, headers.clone(), limits.idle_timeout, limits.in_flight)?,
            base,
            headers,
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

    /// The connections for writes.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] when they cannot be set up.
    pub(crate) fn writer(&self) -> Result<Writer, ClientError> {
        connections(&self.base, self.headers.clone(), self.limits.idle_timeout, 0).map(Writer)
    }

    /// Sends the request once, when a place and the budget allow; `sent` counts it.
    ///
    /// # Errors
    ///
    /// Every answer that is not 2xx, and everything that keeps an answer from being read.
    pub(crate) async fn send(
        &self,
        ask: &Ask<'_>,
        share: Share,
        sent: &mut u32,
    ) -> Result<Reply, ClientError> {
        let go = || {
            *sent += 1;
            true
        };
        match self.deliver(&self.client, ask, share, go).await {
            // The status tells enough; a refusal whose body is broken is a refusal still.
            Delivery::Answered(reply, _) if !(200..300).contains(&reply.status) => {
                Err(ClientError::Answered {
                    call: Box::new(ask.call()),
                    answer: Box::new(reply.refusal(&self.cleaner)),
                })
            }
            Delivery::Unsent(error) | Delivery::Unanswered(error) | Delivery::Answered(_, Some(error)) => {
                Err(error)
            }
            Delivery::Answered(reply, None) => Ok(reply),
        }
    }

    /// Sends a write once, when a place and the budget allow; the reserve may be used.
    ///
    /// `go` is asked directly before, after all waiting; when it says no, nothing is sent.
    pub(crate) async fn deliver_write(
        &self,
        writer: &Writer,
        ask: &Ask<'_>,
        go: impl FnOnce() -> bool,
    ) -> Delivery {
        self.deliver(&writer.0, ask, Share::Whole, go).await
    }

    async fn deliver(
        &self,
        client: &reqwest::Client,
        ask: &Ask<'_>,
        share: Share,
        go: impl FnOnce() -> bool,
    ) -> Delivery {
        let request = match self.request(ask, share) {
            Ok(request) => request,
            Err(error) => return Delivery::Unsent(error),
        };
        let Some((_slot, mut pass)) = self.turn(share).await else {
            return Delivery::Unsent(ClientError::Config { reason: "the client is closed".into() });
        };
        if !go() {
            return Delivery::Unsent(ClientError::Write { reason: "it was held back".into() });
        }
        let _flight = self.meter.sent();
        let start = Instant::now();
        let limit = self.limits.request_timeout;
        let mut response = match tokio::time::timeout(limit, client.execute(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_connect() => {
                return Delivery::Unsent(self.broken(ask, Broken::Connection(error)));
            }
            Ok(Err(error)) => return Delivery::Unanswered(self.broken(ask, Broken::Connection(error))),
            Err(_) => return Delivery::Unanswered(self.late(ask)),
        };
        let mut reply = Reply::from_head(response.status().as_u16(), response.headers(), &self.cleaner);
        pass.answered(reply.status, reply.remaining);
        if reply.scopes.is_some() {
            self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&reply.scopes);
        }
        let read = body::read(&mut response, self.limits.idle_timeout, self.limits.max_body_bytes);
        let body = match tokio::time::timeout(limit.saturating_sub(start.elapsed()), read).await {
            Ok(body) => body.map_err(|broken| self.broken(ask, broken)),
            Err(_) => Err(self.late(ask)),
        };
        tracing::debug!(
            http.method = ask.method,
            http.path = ask.log_path,
            http.status = reply.status,
            heroku.request_id = reply.request_id,
            duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            "{} {} was answered {}",
            ask.method,
            ask.log_path,
            reply.status,
        );
        match body {
            Ok(body) => {
                reply.body = body;
                Delivery::Answered(reply, None)
            }
            Err(error) => Delivery::Answered(reply, Some(error)),
        }
    }

    /// A place in flight and leave of the budget; none when the client is closed.
    async fn turn(&self, share: Share) -> Option<(SemaphorePermit<'_>, Pass)> {
        loop {
            // No place is held while waiting for the budget: a sync that waits for the pool to rise above
            // the reserve must not keep those away who may use the reserve.
            self.budget.ready(share, &self.meter).await;
            let slot = self.slots.acquire().await.ok()?;
            if let Some(pass) = self.budget.take(share) {
                return Some((slot, pass));
            }
        }
    }

    fn request(&self, ask: &Ask<'_>, share: Share) -> Result<reqwest::Request, ClientError> {
        let unfit =
            |what: &str| ClientError::Config { reason: format!("{} has no fitting {what}", ask.call()) };
        let url = Url::parse(&format!("{}{}", self.base, ask.path)).map_err(|_| unfit("address"))?;
        let method = reqwest::Method::from_bytes(ask.method.as_bytes()).map_err(|_| unfit("method"))?;
        // What decides about a write must not come out of a cache on the way.
        let fresh = share == Share::Whole && method == reqwest::Method::GET;
        let mut request = self.client.request(method, url).header(ACCEPT, &ask.accept);
        if fresh {
            request = request.header(CACHE_CONTROL, "no-cache");
        }
        if let Some(range) = ask.range {
            request = request.header(RANGE, range);
        }
        if let Some(body) = ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
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

/// A client of the HTTP library that keeps up to `idle` connections open between requests.
pub(crate) fn connections(
    base: &str,
    headers: HeaderMap,
    connect_timeout: Duration,
    idle: usize,
) -> Result<reqwest::Client, ClientError> {
    let mut builder = reqwest::Client::builder()
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(connect_timeout)
        .pool_max_idle_per_host(idle);
    if base.starts_with("http:") {
        // Plain http goes to this machine only: no proxy, and no need of root certificates.
        builder = builder.no_proxy().tls_certs_only([]);
    }
    builder.build().map_err(|error| ClientError::Config {
        reason: format!("the HTTP client could not be set up: {}", causes(&error)),
    })
}

/// The innermost cause, which says what happened, without the layers around it.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
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
