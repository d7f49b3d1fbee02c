//! Sends what was collected about the program itself to a collector that its operator names.
//!
//! What is sent is the sender's business.
//!
//! Invariant: nothing is sent but to the address that is given, and no answer leads elsewhere.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::ClientError;
use crate::http::{causes, connections};

/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that is read of an answer: it says at most how much was refused.
const ANSWER: usize = 64 * 1024;

/// The way to a collector.
#[derive(Clone, Debug)]
pub struct Collector {
    client: reqwest::Client,
}

/// What a collector answered.
#[derive(Clone, Debug)]
pub struct Collected {
    /// The status.
    pub status: u16,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

impl Collector {
    /// A client of the collector at this address; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] where the client cannot be made.
    pub fn new(address: &str) -> Result<Self, ClientError> {
        // An error means that somebody installed a provider before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        Ok(Self { client: connections(address, HeaderMap::new(), PATIENCE, 1)? })
    }

    /// Sends a body with these headers.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] for what cannot be sent, and for a collector that cannot be reached.
    pub async fn post(
        &self,
        address: &str,
        headers: &[(String, Vec<u8>)],
        body: Vec<u8>,
    ) -> Result<Collected, ClientError> {
        let unfit = |_: &dyn std::error::Error| ClientError::Config {
            reason: "a header for the collector does not fit".into(),
        };
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| unfit(&error))?;
            let mut value = HeaderValue::from_bytes(value).map_err(|error| unfit(&error))?;
            value.set_sensitive(true);
            all.append(name, value);
        }
        let failed = |error: reqwest::Error| ClientError::Config {
            reason: format!("the collector of traces cannot be reached: {}", causes(&error.without_url())),
        };
        let request = self.client.post(address).headers(all).body(body).timeout(PATIENCE);
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(failed)? {
            body.extend_from_slice(&part);
            if body.len() > ANSWER {
                break;
            }
        }
        Ok(Collected { status, body })
    }
}
