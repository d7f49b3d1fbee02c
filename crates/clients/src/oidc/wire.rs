//! One request to a provider: https or this machine, no redirects, a time limit, and a bound on the answer.
//!
//! What is asked, and what the answer means, is the library's business.
//!
//! Invariant: a request whose address is not https leaves only for this machine, and only where the provider is there.

use std::pin::Pin;
use std::time::Duration;

use openidconnect::AsyncHttpClient;
use openidconnect::http::{Request, Response};
use reqwest::header::{HeaderMap, HeaderValue, USER_AGENT};
use secrecy::SecretString;
use url::Url;

use super::config::Settings;
use crate::error::{Call, ClientError};
use crate::heroku::is_loopback;
use crate::http::body::{self, Broken};
use crate::http::text::Cleaner;
use crate::http::{causes, connections};

/// The largest answer that is read.
const MOST: usize = 1 << 20;

/// Sends requests.
#[derive(Debug)]
pub(super) struct Wire {
    client: reqwest::Client,
    timeout: Duration,
    /// Whether the provider is this machine, so that plain http may be spoken to it.
    here: bool,
}

impl Wire {
    pub(super) fn new(settings: &Settings) -> Result<Self, ClientError> {
        // An error means that somebody installed a provider of cryptography before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let agent = HeaderValue::from_static(concat!("metsuke/", env!("CARGO_PKG_VERSION")));
        let headers = HeaderMap::from_iter([(USER_AGENT, agent)]);
        let client = connections(settings.issuer.as_str(), headers, settings.request_timeout, 1)?;
        let here = settings.issuer.scheme() == "http";
        Ok(Self { client, timeout: settings.request_timeout, here })
    }

    /// Sends a request and reads the answer.
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        let (parts, body) = request.into_parts();
        let method = if parts.method == "POST" { "POST" } else { "GET" };
        let wrong = |reason: &str| ClientError::Config { reason: reason.to_owned() };
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| wrong("the provider names no address"))?;
        let safe = url.scheme() == "https" || (self.here && is_loopback(&url));
        if !safe {
            return Err(wrong("the provider names an address that is not https"));
        }
        let call = || Box::new(Call { method, path: url.path().to_owned(), attempts: 1 });
        let sent = self.client.request(parts.method, url.clone()).headers(parts.headers).body(body).send();
        let whole = async {
            let mut response = sent.await.map_err(Broken::Connection)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = body::read(&mut response, self.timeout, MOST).await?;
            Ok((status, headers, body))
        };
        let (status, headers, body) = match tokio::time::timeout(self.timeout, whole).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(Broken::TooLarge)) => {
                return Err(ClientError::TooLarge { call: call(), limit_bytes: MOST });
            }
            Ok(Err(Broken::Connection(error))) => {
                let cleaner = Cleaner::new(SecretString::from("\0"));
                let reason = cleaner.message(&causes(&error.without_url()));
                return Err(ClientError::Connection { call: call(), reason });
            }
            Ok(Err(Broken::Idle)) | Err(_) => {
                let reason = format!("no whole answer within {} s", self.timeout.as_secs_f32());
                return Err(ClientError::Timeout { call: call(), reason });
            }
        };
        tracing::debug!(http.status = status.as_u16(), "{method} {} was answered {status}", url.path());
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Wire {
    type Error = ClientError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, ClientError>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.send(request))
    }
}
