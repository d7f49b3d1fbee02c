//! Tells others: HTTP requests and mail to addresses that people wrote into settings.
//!
//! What is told, to whom and when is the engine's; nothing is sent a second time from here.
//!
//! Invariant: nothing connects to an address that is not the public's, unless a setting allows it, whatever the name,
//! the spelling or a redirect says.

mod address;
mod guard;
pub mod jira;
pub mod mail;
mod net;
mod webhook;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use guard::{Found, Lookup, SystemLookup};
pub use net::Net;
pub use webhook::{Signer, verify};

use crate::http::{body, causes, text};
use crate::{ClientError, Redactor};
use guard::Guard;
pub(crate) use guard::forbidden_by;

/// The most that is read of an answer.
const MOST_ANSWER_BYTES: usize = 64 * 1024;
/// Headers that are the library's or the signature's, and not a setting's.
const RESERVED: [&str; 8] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "proxy-authorization",
];

/// What a message may reach, and how long that may take.
#[derive(Clone, Debug)]
pub struct OutsideSettings {
    /// Plain http, and mail without encryption, are allowed.
    pub allow_plain: bool,
    /// Addresses that are allowed though they are not the public's.
    pub allow: Vec<Net>,
    /// The longest time to a connection.
    pub connect_timeout: Duration,
    /// The longest time of a request with its answer.
    pub request_timeout: Duration,
}

impl Default for OutsideSettings {
    fn default() -> Self {
        Self {
            allow_plain: false,
            allow: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(15),
        }
    }
}

/// The way out for messages.
#[derive(Clone)]
pub struct Outside {
    guard: Guard,
    settings: OutsideSettings,
    plain: Arc<OnceLock<Result<reqwest::Client, Failed>>>,
    encrypted: Arc<OnceLock<Result<reqwest::Client, Failed>>>,
}

/// A request.
#[derive(Debug)]
pub struct Message {
    /// The method.
    pub method: &'static str,
    /// Where to.
    pub url: Url,
    /// Headers by name.
    pub headers: Vec<(String, SecretString)>,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// An answer that says that the message was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The status; 0 where there is none.
    pub status: u16,
    /// The start of the body.
    pub body: String,
}

/// What kept a message from being taken; an outcome that is recorded, more than an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failed {
    /// Which sort it is.
    pub kind: FailedKind,
    /// What happened, in one clean line without a secret.
    pub why: String,
    /// How long the receiver asks to wait.
    pub retry_after: Option<Duration>,
}

/// Which sort of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedKind {
    /// The settings cannot work.
    Settings,
    /// The address is not allowed; nothing was connected.
    Guarded,
    /// No connection, or no whole answer; the message may have been taken all the same.
    Unreached,
    /// The receiver answered with this status, and did not take it.
    Answered(u16),
}

impl Failed {
    /// A failure of this sort.
    #[must_use]
    pub fn new(kind: FailedKind, why: impl AsRef<str>) -> Self {
        Self { kind, why: text::stored(why.as_ref()), retry_after: None }
    }
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Outside {
    /// The way out under these settings; nothing is sent.
    #[must_use]
    pub fn new(settings: OutsideSettings) -> Self {
        Self::with_lookup(settings, Arc::new(SystemLookup))
    }

    /// The same with another way to find addresses.
    #[must_use]
    pub fn with_lookup(settings: OutsideSettings, lookup: Arc<dyn Lookup>) -> Self {
        let guard = Guard { lookup, allow: settings.allow.clone(), allow_plain: settings.allow_plain };
        Self { guard, settings, plain: Arc::default(), encrypted: Arc::default() }
    }

    /// Reads an address from settings and judges it as far as that needs no lookup.
    ///
    /// # Errors
    ///
    /// [`Failed`] for what is no address, or one that is never asked.
    pub fn url(&self, text: &str) -> Result<Url, Failed> {
        let url = Url::parse(text.trim()).map_err(|error| {
            Failed::new(FailedKind::Settings, format!("the address cannot be read: {error}"))
        })?;
        self.guard.check_url(&url)?;
        Ok(url)
    }

    /// The same for an address that is a secret.
    ///
    /// # Errors
    ///
    /// As [`url`](Self::url).
    pub fn secret_url(&self, text: &SecretString) -> Result<Url, Failed> {
        self.url(text.expose_secret())
    }

    /// Sends a message once.
    ///
    /// # Errors
    ///
    /// [`Failed`] where it was not taken, or nobody knows whether it was.
    pub async fn send(&self, message: &Message) -> Result<Taken, Failed> {
        self.guard.check_url(&message.url)?;
        let redactor = Redactor::new(message.headers.iter().map(|(_, value)| value));
        let client = self.client(message.url.scheme() == "http")?;
        let method = reqwest::Method::from_bytes(message.method.as_bytes())
            .map_err(|_| Failed::new(FailedKind::Settings, "the method is none of HTTP"))?;
        let request = client
            .request(method, message.url.clone())
            .header(CONTENT_TYPE, message.content_type)
            .headers(headers(&message.headers)?)
            .body(message.body.clone());
        let exchange = async {
            let mut response = request.send().await?;
            let status = response.status().as_u16();
            let retry_after = retry_after(response.headers());
            let idle = self.settings.request_timeout;
            // The status tells enough; what of the body cannot be read is not asked for.
            let body = body::read(&mut response, idle, MOST_ANSWER_BYTES).await.unwrap_or_default();
            Ok::<_, reqwest::Error>((status, retry_after, body))
        };
        let limit = self.settings.request_timeout;
        let (status, retry_after, body) = match tokio::time::timeout(limit, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(unreached(&error, &redactor)),
            Err(_) => {
                let why = format!("no whole answer within {} s", limit.as_secs_f32());
                return Err(Failed::new(FailedKind::Unreached, why));
            }
        };
        let body = String::from_utf8_lossy(&body).into_owned();
        if (200..300).contains(&status) {
            return Ok(Taken { status, body });
        }
        let told = redactor.clean(body.get(..body.floor_char_boundary(200)).unwrap_or_default());
        let why = match status {
            300..=399 => format!("it was answered {status}, and redirects are not followed"),
            _ => format!("it was answered {status}: {told}"),
        };
        Err(Failed { retry_after, ..Failed::new(FailedKind::Answered(status), why) })
    }

    fn client(&self, plain: bool) -> Result<&reqwest::Client, Failed> {
        let (cell, builder) = if plain { (&self.plain, true) } else { (&self.encrypted, false) };
        cell.get_or_init(|| self.connections(builder)).as_ref().map_err(Clone::clone)
    }

    fn connections(&self, plain: bool) -> Result<reqwest::Client, Failed> {
        let agent = HeaderValue::from_static(concat!("metsuke/", env!("CARGO_PKG_VERSION")));
        let headers = HeaderMap::from_iter([(USER_AGENT, agent)]);
        let built = self.guard.connections(plain, self.settings.connect_timeout, headers);
        let why = |error: reqwest::Error| format!("the HTTP client could not be set up: {}", causes(&error));
        built.map_err(|error| Failed::new(FailedKind::Settings, why(error)))
    }

    /// Connections to a place that may be asked, with these headers, for whoever reads from there rather than sends.
    pub(crate) fn guarded(&self, url: &Url, headers: HeaderMap) -> Result<reqwest::Client, ClientError> {
        let refuse = |reason: String| ClientError::Config { reason };
        self.guard.check_url(url).map_err(|failed| refuse(failed.why))?;
        let built = self.guard.connections(url.scheme() == "http", self.settings.connect_timeout, headers);
        built.map_err(|error| refuse(format!("the HTTP client could not be set up: {}", causes(&error))))
    }

    /// The addresses of a mail server, all of which may be asked.
    async fn addresses(&self, name: &str) -> Result<Vec<std::net::IpAddr>, Failed> {
        self.guard.addresses(name).await
    }
}

/// The headers of a message; the body is described by the message itself.
fn headers(given: &[(String, SecretString)]) -> Result<HeaderMap, Failed> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let wrong = |what: &str| Failed::new(FailedKind::Settings, format!("the header `{name}` {what}"));
        if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
            return Err(wrong("cannot be set"));
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("has no fitting name"))?;
        let mut value =
            HeaderValue::from_str(value.expose_secret()).map_err(|_| wrong("has no fitting value"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn unreached(error: &reqwest::Error, redactor: &Redactor) -> Failed {
    if let Some(forbidden) = forbidden_by(error) {
        return Failed::new(FailedKind::Guarded, forbidden);
    }
    let why = redactor.clean(&causes(error));
    // The outermost message would tell the address, which may hold a secret.
    let why = if error.is_builder() { "the request cannot be made of the settings".to_owned() } else { why };
    Failed::new(FailedKind::Unreached, why)
}
