//! Tells subscribers what happened, as Heroku does: a POST with a signature over its bytes.
//!
//! Only plain http is spoken: whoever is told in a test listens on this machine.
//!
//! Invariant: what was sent is remembered byte for byte, with its signature, whether or not it was taken.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinHandle;

use crate::held::Outgoing;
use crate::simulator::background;

/// How often a delivery of level `sync` is tried.
const TRIES: u32 = 5;
/// How long a subscriber may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was told to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivered {
    /// Where to.
    pub url: String,
    /// `Heroku-Webhook-Hmac-SHA256`.
    pub signature: String,
    /// `Authorization`, where the subscription has one.
    pub authorization: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// What was last answered; `None` where nobody answered.
    pub status: Option<u16>,
}

impl Delivered {
    /// Sends it once; the status that was answered.
    pub(crate) async fn send(&self) -> Option<u16> {
        tokio::time::timeout(PATIENCE, self.post()).await.ok().flatten()
    }

    async fn post(&self) -> Option<u16> {
        let rest = self.url.strip_prefix("http://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        let authorization = self.authorization.as_ref();
        let authorization =
            authorization.map(|value| format!("authorization: {value}\r\n")).unwrap_or_default();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             user-agent: Heroku-Webhooks\r\nheroku-webhook-hmac-sha256: {}\r\ncontent-length: {}\r\n{authorization}\r\n",
            self.signature,
            self.body.len(),
        );
        let mut stream = TcpStream::connect(host).await.ok()?;
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(&self.body).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        let line = answer.split(|byte| *byte == b'\r').next()?;
        std::str::from_utf8(line).ok()?.split(' ').nth(1)?.parse().ok()
    }
}

/// The post office: what goes out, and what went out.
#[derive(Debug)]
pub(crate) struct Post {
    delivered: Arc<Mutex<Vec<Delivered>>>,
    sending: JoinHandle<std::io::Result<()>>,
}

impl Post {
    /// Opens it; what is put into the sender goes out.
    pub(crate) fn start() -> (UnboundedSender<Outgoing>, Self) {
        let (outbox, mut outgoing) = mpsc::unbounded_channel();
        let delivered = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&delivered);
        let sending = background(async move {
            while let Some(one) = outgoing.recv().await {
                let told = deliver(one).await;
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(told);
            }
            Ok(())
        });
        (outbox, Self { delivered, sending })
    }

    pub(crate) fn delivered(&self) -> Vec<Delivered> {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn end(&self) {
        self.sending.abort();
    }
}

async fn deliver(outgoing: Outgoing) -> Delivered {
    let Outgoing { url, secret, authorization, sync, body } = outgoing;
    let body = body.to_string().into_bytes();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, &body));
    let mut delivered = Delivered { url, signature, authorization, body, status: None };
    for attempt in 1..=if sync { TRIES } else { 1 } {
        delivered.status = delivered.send().await;
        if delivered.status.is_some_and(|status| (200..300).contains(&status)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 50)).await;
    }
    delivered
}
