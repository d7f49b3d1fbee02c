//! The one HTTP request to C1: an access token against a signed assertion.
//!
//! What is done with the token, over gRPC, is the connector's; when to ask for the next one is the caller's to decide.
//!
//! Invariant: a token is asked for over TLS only, from the host that was named and from no other; secret, assertion and
//! token stand in no error and no log line.

mod assertion;
mod credentials;

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

pub use self::credentials::Credentials;
use crate::Redactor;
use crate::error::{Call, ClientError};
use crate::http::body::{self, Broken};
use crate::http::text::Cleaner;
use crate::http::{Reply, causes};

/// Where tokens are asked for.
const PATH: &str = "/auth/v1/token";
const FORM: &str = "application/x-www-form-urlencoded";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Largest answer that is read.
const MOST_ANSWERED: usize = 64 << 10;

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Those of the system, or of the file that `SSL_CERT_FILE` names.
    #[default]
    System,
    /// Those of these authorities alone, as PEM.
    Only(String),
}

/// How to reach C1.
#[derive(Debug)]
pub struct Settings {
    /// Who asks.
    pub credentials: Credentials,
    /// The host, with or without a port, instead of the client id's.
    pub api_host: Option<String>,
    /// Whose certificates are trusted.
    pub roots: Roots,
    /// What to call ourselves.
    pub user_agent: String,
    /// The limit of one request, from sending it to the last byte of the answer.
    pub request_timeout: Duration,
    /// The limit of connecting, and of the silence within an answer.
    pub idle_timeout: Duration,
}

impl Settings {
    /// Settings with the usual limits.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            api_host: None,
            roots: Roots::System,
            user_agent: concat!("metsuke/", env!("CARGO_PKG_VERSION")).to_owned(),
            request_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(15),
        }
    }
}

/// What opens C1 for a while.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its type and itself, as the `authorization` of a call holds them.
    pub authorization: SecretString,
    /// How long it is good for, from the answer on.
    pub lifetime: Duration,
}

/// The way to one C1.
pub struct C1 {
    client: reqwest::Client,
    credentials: Credentials,
    /// The host that it is made out to, without a port.
    audience: String,
    base: Url,
    roots: Roots,
    redactor: Redactor,
    request_timeout: Duration,
    idle_timeout: Duration,
}

#[derive(Deserialize)]
struct Answered {
    access_token: String,
    #[serde(default)]
    token_type: String,
    #[serde(default)]
    expires_in: u64,
}

impl C1 {
    /// A client with these settings; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] names the first setting that cannot work.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        // An error means that somebody installed a provider before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let refused = |reason: String| ClientError::Config { reason };
        let own = credentials::address(settings.credentials.host()).map_err(refused)?;
        let base = match settings.api_host.as_deref().map(str::trim).filter(|host| !host.is_empty()) {
            Some(host) => credentials::address(host)
                .map_err(|reason| refused(format!("the host of C1's API is wrong: {reason}")))?,
            None => own.clone(),
        };
        // C1: the audience is the client id's host even where another one is asked, and never has a port.
        let audience = own.host_str().unwrap_or_default().to_owned();
        Ok(Self {
            client: client(&settings)?,
            redactor: settings.credentials.redactor(&[]),
            credentials: settings.credentials,
            audience,
            base,
            roots: settings.roots,
            request_timeout: settings.request_timeout,
            idle_timeout: settings.idle_timeout,
        })
    }

    /// The host and the port that are spoken to, as `host:port`.
    #[must_use]
    pub fn authority(&self) -> String {
        let port = self.base.port_or_known_default().unwrap_or(443);
        format!("{}:{port}", self.base.host_str().unwrap_or_default())
    }

    /// Who asks.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Whose certificates are trusted.
    #[must_use]
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// Asks for a token, once; `now_seconds` counts from 1970, and `nonce` is random.
    ///
    /// # Errors
    ///
    /// Whatever kept it from being given.
    pub async fn token(&self, now_seconds: i64, nonce: [u8; 16]) -> Result<Token, ClientError> {
        let assertion = assertion::make(&self.credentials, &self.audience, now_seconds, nonce);
        let url = self.base.join(PATH).map_err(|_| ClientError::Config {
            reason: "the address of C1's token endpoint cannot be made".to_owned(),
        })?;
        let body = self.form(&assertion);
        let cleaner = Cleaner::new(assertion);
        let whole = async {
            let sent = self.client.post(url).body(body).send().await;
            let mut response = sent.map_err(Broken::Connection)?;
            let reply = Reply::from_head(response.status().as_u16(), response.headers(), &cleaner);
            let body = body::read(&mut response, self.idle_timeout, MOST_ANSWERED).await;
            Ok((reply, body))
        };
        let (mut reply, body) = match tokio::time::timeout(self.request_timeout, whole).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(broken)) => return Err(self.broken(&broken, &cleaner)),
            Err(_) => {
                let limit = self.request_timeout.as_secs_f32();
                let reason = format!("no whole answer within {limit} s");
                return Err(ClientError::Timeout { call: Box::new(call()), reason });
            }
        };
        tracing::debug!(http.status = reply.status, "POST {PATH} was answered {}", reply.status);
        if reply.status != 200 {
            // The status tells enough; a refusal whose body is broken is a refusal still.
            reply.body = body.unwrap_or_default();
            let mut answer = reply.refusal(&cleaner);
            answer.message = answer.message.map(|message| self.redactor.clean(&message));
            return Err(ClientError::Answered { call: Box::new(call()), answer: Box::new(answer) });
        }
        read(&body.map_err(|broken| self.broken(&broken, &cleaner))?)
    }

    fn form(&self, assertion: &SecretString) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", self.credentials.client_id())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_assertion_type", ASSERTION)
            .append_pair("client_assertion", assertion.expose_secret());
        form.finish()
    }

    fn broken(&self, broken: &Broken, cleaner: &Cleaner) -> ClientError {
        match broken {
            Broken::TooLarge => ClientError::TooLarge { call: Box::new(call()), limit_bytes: MOST_ANSWERED },
            Broken::Idle => {
                let reason = format!("no byte for {} s", self.idle_timeout.as_secs_f32());
                ClientError::Timeout { call: Box::new(call()), reason }
            }
            Broken::Connection(error) => {
                let reason = self.redactor.clean(&cleaner.message(&causes(error)));
                ClientError::Connection { call: Box::new(call()), reason: told(&reason) }
            }
        }
    }
}

impl std::fmt::Debug for C1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("C1")
            .field("credentials", &self.credentials)
            .field("authority", &self.authority())
            .finish_non_exhaustive()
    }
}

fn client(settings: &Settings) -> Result<reqwest::Client, ClientError> {
    let refused = |reason: String| ClientError::Config { reason };
    let agent = HeaderValue::from_str(&settings.user_agent);
    let agent = agent.map_err(|_| refused("the user agent does not fit into a header".to_owned()))?;
    let headers = HeaderMap::from_iter([
        (USER_AGENT, agent),
        (ACCEPT, HeaderValue::from_static("application/json")),
        (CONTENT_TYPE, HeaderValue::from_static(FORM)),
    ]);
    let mut builder = reqwest::Client::builder()
        .default_headers(headers)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(settings.idle_timeout)
        // Tokens are asked for minutes apart; a connection that waited so long may be dead.
        .pool_max_idle_per_host(0);
    if let Roots::Only(pem) = &settings.roots {
        let trusted = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
            .map_err(|error| refused(format!("the certificates to trust are no PEM: {}", causes(&error))))?;
        builder = builder.tls_certs_only(trusted);
    }
    builder
        .build()
        .map_err(|error| refused(format!("the HTTP client could not be set up: {}", causes(&error))))
}

fn read(body: &[u8]) -> Result<Token, ClientError> {
    let wrong = |reason: &str| ClientError::Shape {
        call: Box::new(call()),
        expected: "an access token",
        reason: reason.to_owned(),
    };
    // Neither the parser's words nor the body: both could show the token.
    let answered: Answered = serde_json::from_slice(body).map_err(|_| wrong("it does not fit"))?;
    let token = Zeroizing::new(answered.access_token);
    let kind = match answered.token_type.as_str() {
        // A header wants the word as it is registered.
        kind if kind.is_empty() || kind.eq_ignore_ascii_case("bearer") => "Bearer",
        kind => kind,
    };
    let fits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits(&token) || !fits(kind) {
        return Err(wrong("the token is empty or holds characters that no token has"));
    }
    let authorization = SecretString::from(format!("{kind} {}", token.as_str()));
    Ok(Token { authorization, lifetime: Duration::from_secs(answered.expires_in) })
}

/// A reason in words that say what to do about a certificate that is not trusted.
fn told(reason: &str) -> String {
    // Another authority of the same name shows by its signature.
    if ["UnknownIssuer", "BadSignature"].iter().any(|word| reason.contains(word)) {
        return format!("{reason}; its certificate comes from an authority that this machine does not trust");
    }
    reason.to_owned()
}

fn call() -> Call {
    Call { method: "POST", path: PATH.to_owned(), attempts: 1 }
}
