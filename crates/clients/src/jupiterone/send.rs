//! Sends one request to JupiterOne, and again where that may help.
//!
//! Invariant: no error holds the key or a body that was sent.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::batch::Part;
use super::{Job, Settings};
use crate::error::{Answer, Call, ClientError};
use crate::heroku::is_loopback;
use crate::http::body::{self, Broken};
use crate::http::text::Cleaner;
use crate::http::{causes, connections};

/// Largest answer that is read.
const MOST_ANSWERED: usize = 1 << 20;
/// Each wait is longer than the one before by this factor.
const FACTOR: f64 = 1.05;
/// The longest time a server can make us wait.
const LONGEST_ASKED: Duration = Duration::from_mins(5);

/// The way to one account.
pub(super) struct Sender {
    client: reqwest::Client,
    base: String,
    cleaner: Cleaner,
    request_timeout: Duration,
    idle_timeout: Duration,
    attempts: u32,
    first_delay: Duration,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("base", &self.base).finish_non_exhaustive()
    }
}

/// One request, ready to be sent more than once.
struct Letter<'a> {
    method: &'static str,
    path: &'a str,
    body: Option<Bytes>,
    compressed: bool,
    correlation: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answered {
    job: Job,
}

impl Sender {
    pub(super) fn new(settings: Settings) -> Result<Self, ClientError> {
        check(&settings)?;
        // An error means that somebody installed a provider before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let base = settings.base_url.as_str().trim_end_matches('/').to_owned();
        let headers = headers(&settings.api_key, &settings.account, &settings.user_agent)?;
        Ok(Self {
            client: connections(&base, headers, settings.idle_timeout, super::CONCURRENT_UPLOADS)?,
            base,
            cleaner: Cleaner::new(settings.api_key),
            request_timeout: settings.request_timeout,
            idle_timeout: settings.idle_timeout,
            attempts: settings.attempts,
            first_delay: settings.first_delay,
        })
    }

    /// A request whose answer is a job.
    pub(super) async fn job(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Job, ClientError> {
        let body = body.map(|body| Bytes::from(body.to_string()));
        let letter = Letter { method, path, body, compressed: false, correlation: None };
        let answer = self.send(&letter).await?;
        let answered: Answered = serde_json::from_slice(&answer).map_err(|error| ClientError::Shape {
            call: Box::new(letter.call(1)),
            expected: "a synchronization job",
            reason: self.cleaner.message(&error.to_string()),
        })?;
        Ok(answered.job)
    }

    /// A request whose answer says nothing.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<(), ClientError> {
        let body = Some(Bytes::from(body.to_string()));
        let letter = Letter { method: "POST", path, body, compressed: false, correlation: None };
        self.send(&letter).await.map(|_| ())
    }

    /// Objects, compressed.
    pub(super) async fn objects(
        &self,
        path: &str,
        part: Part,
        objects: &[Map<String, Value>],
        correlation: &str,
    ) -> Result<(), ClientError> {
        let plain = serde_json::to_vec(&serde_json::json!({ part.as_str(): objects }));
        let failed = |reason: String| ClientError::Config { reason };
        let plain = plain.map_err(|error| failed(error.to_string()))?;
        let packed = tokio::task::spawn_blocking(move || compress(&plain)).await;
        let packed = packed.map_err(|error| failed(error.to_string()))?;
        let body = Some(packed.map_err(|error| failed(error.to_string()))?.into());
        let correlation = Some(correlation);
        let letter = Letter { method: "POST", path, body, compressed: true, correlation };
        self.send(&letter).await.map(|_| ())
    }

    async fn send(&self, letter: &Letter<'_>) -> Result<Vec<u8>, ClientError> {
        let mut delay = self.first_delay;
        for attempt in 1.. {
            match self.send_once(letter).await {
                Err(error) if attempt < self.attempts && is_passing(&error) => {
                    let asked = error.answer().and_then(|answer| answer.retry_after).unwrap_or_default();
                    if asked > LONGEST_ASKED {
                        return Err(error.after(attempt));
                    }
                    tokio::time::sleep(delay.max(asked)).await;
                    delay = delay.mul_f64(FACTOR);
                }
                result => return result.map_err(|error| error.after(attempt)),
            }
        }
        Ok(Vec::new())
    }

    async fn send_once(&self, letter: &Letter<'_>) -> Result<Vec<u8>, ClientError> {
        let unfit =
            |what: &str| ClientError::Config { reason: format!("{} has no fitting {what}", letter.call(1)) };
        let url = Url::parse(&format!("{}{}", self.base, letter.path)).map_err(|_| unfit("address"))?;
        let method = reqwest::Method::from_bytes(letter.method.as_bytes()).map_err(|_| unfit("method"))?;
        let mut request = self.client.request(method, url);
        if let Some(body) = &letter.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        if letter.compressed {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        if let Some(correlation) = letter.correlation {
            request = request.header("jupiterone-correlation-id", correlation);
        }
        let whole = async {
            let mut response = request.send().await.map_err(Broken::Connection)?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let body = body::read(&mut response, self.idle_timeout, MOST_ANSWERED).await?;
            Ok((status, headers, body))
        };
        let call = || Box::new(letter.call(1));
        let late = |reason: String| ClientError::Timeout { call: call(), reason };
        let (status, headers, body) = match tokio::time::timeout(self.request_timeout, whole).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(Broken::Connection(error))) => {
                let reason = self.cleaner.message(&causes(&error));
                return Err(ClientError::Connection { call: call(), reason });
            }
            Ok(Err(Broken::Idle)) => {
                return Err(late(format!("no byte for {} s", self.idle_timeout.as_secs_f32())));
            }
            Ok(Err(Broken::TooLarge)) => {
                return Err(ClientError::TooLarge { call: call(), limit_bytes: MOST_ANSWERED });
            }
            Err(_) => {
                let limit = self.request_timeout.as_secs_f32();
                return Err(late(format!("no whole answer within {limit} s")));
            }
        };
        tracing::debug!(
            http.method = letter.method,
            http.path = letter.path,
            http.status = status,
            "{} {} was answered {status}",
            letter.method,
            letter.path,
        );
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let answer = Box::new(refusal(status, &headers, &body, &self.cleaner));
        Err(ClientError::Answered { call: call(), answer })
    }
}

impl Letter<'_> {
    fn call(&self, attempts: u32) -> Call {
        Call { method: self.method, path: self.path.to_owned(), attempts }
    }
}

fn compress(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 8), Compression::default());
    encoder.write_all(plain)?;
    encoder.finish()
}

/// The refusal of an answer, with the API's code and message if the body has them.
fn refusal(status: u16, headers: &HeaderMap, body: &[u8], cleaner: &Cleaner) -> Answer {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let error = json.as_ref().map(|json| json.get("error").filter(|error| error.is_object()).unwrap_or(json));
    let text = |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str);
    let message = match &json {
        Some(_) => text("message").map(|text| cleaner.message(text)),
        None => Some(cleaner.excerpt(body)),
    };
    let seconds = headers.get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Answer {
        status,
        id: text("code").map(|code| cleaner.message(code)),
        message: message.filter(|message| !message.is_empty()),
        retry_after: seconds.map(Duration::from_secs),
        ..Answer::default()
    }
}

/// The API's code in a refusal.
pub(super) fn code(error: &ClientError) -> Option<&str> {
    error.answer().and_then(|answer| answer.id.as_deref())
}

/// Whether the batch was too large.
pub(super) fn is_too_large(error: &ClientError) -> bool {
    error.status() == Some(413) || code(error) == Some("RequestEntityTooLargeException")
}

/// Whether the same request may succeed a little later.
fn is_passing(error: &ClientError) -> bool {
    match error {
        ClientError::Answered { answer, .. } => {
            matches!(answer.status, 408 | 429 | 500..) && !is_too_large(error)
        }
        ClientError::Connection { .. } | ClientError::Timeout { .. } => true,
        _ => false,
    }
}

fn check(settings: &Settings) -> Result<(), ClientError> {
    let refuse = |reason: &str| Err(ClientError::Config { reason: reason.to_owned() });
    let url = &settings.base_url;
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("the JupiterOne address holds a user or a password; the key is given apart from it");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("the JupiterOne address holds a query or a fragment");
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => return refuse("the key would travel unencrypted; use an https address for JupiterOne"),
        _ => return refuse("the JupiterOne address is neither https nor http"),
    }
    if settings.attempts == 0 {
        return refuse("attempts must be at least 1");
    }
    Ok(())
}

fn headers(api_key: &SecretString, account: &str, user_agent: &str) -> Result<HeaderMap, ClientError> {
    let key = api_key.expose_secret();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ClientError::Config {
            reason: "the JupiterOne key is empty or holds characters that no key has".into(),
        });
    }
    let unfit = |what: &str| ClientError::Config { reason: format!("the {what} does not fit into a header") };
    let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| unfit("key"))?;
    bearer.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(USER_AGENT, HeaderValue::from_str(user_agent).map_err(|_| unfit("user agent"))?);
    let account = HeaderValue::from_str(account).map_err(|_| unfit("account id"))?;
    headers.insert(HeaderName::from_static("jupiterone-account"), account);
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(url: &str, key: &str) -> Result<Sender, ClientError> {
        Sender::new(Settings::new(Url::parse(url).unwrap(), SecretString::from(key), "acme".into()))
    }

    #[test]
    fn plain_http_is_for_this_machine_only_and_no_error_shows_the_key() {
        for url in ["https://api.us.jupiterone.io", "http://localhost:5000", "http://127.0.0.1:1"] {
            assert!(sender(url, "secret-key").is_ok(), "{url}");
        }
        for url in
            ["http://api.us.jupiterone.io", "ftp://localhost", "https://u:p@localhost", "https://x.org/?a=b"]
        {
            let error = sender(url, "secret-key").unwrap_err();
            assert!(!format!("{error:?}").contains("secret-key"), "{url}");
        }
        assert!(sender("https://x.org", "two words").is_err());
        let settings =
            Settings::new(Url::parse("https://x.org").unwrap(), "secret-key".into(), "acme".into());
        assert!(!format!("{settings:?}").contains("secret-key"));
    }
}
