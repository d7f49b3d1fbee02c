//! Stand-ins for those who are told of something: one that takes webhooks, Slack's messages and Jira's issues over
//! HTTP, and a mail server.
//!
//! They remember all they were sent and judge none of it; what a message must look like is the test's to say.
//!
//! Invariant: what is remembered came in whole; a request that was refused is remembered as refused.

mod jira;
mod mail;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::task::JoinHandle;

pub use jira::SimulatedIssue;
pub use mail::{MailServer, ReceivedMail};

use crate::SimulatorError;

/// How requests are met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// They are taken.
    #[default]
    Up,
    /// They are answered with this status, and not taken.
    Down(u16),
    /// They are taken, and the answer is a 500.
    LostAnswer,
    /// They are answered with this status and an address to go to, and not taken.
    Redirect(u16, String),
    /// They are taken, and answered with so many bytes.
    Talkative(usize),
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Method and path.
    pub what: String,
    /// Headers by name in small letters.
    pub headers: HashMap<String, String>,
    /// The body as it came.
    pub body: String,
    /// Whether it was taken.
    pub taken: bool,
}

impl Received {
    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct Held {
    mood: Mood,
    received: Vec<Received>,
    issues: Vec<SimulatedIssue>,
}

#[derive(Debug, Default)]
struct Shared(Mutex<Held>);

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A receiver over HTTP that is listening; it ends with this value.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Receiver {
    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// [`SimulatorError::Listen`] when no port can be bound.
    pub async fn local() -> Result<Self, SimulatorError> {
        let (tcp, address) = crate::simulator::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(take).with_state(Arc::clone(&shared));
        let server = crate::simulator::background(async move { axum::serve(tcp, router).await });
        Ok(Self { address, shared, server })
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Meets requests in another mood from now on.
    pub fn set_mood(&self, mood: Mood) {
        self.shared.held().mood = mood;
    }

    /// Everything that came, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.held().received.clone()
    }

    /// Forgets what came.
    pub fn forget(&self) {
        self.shared.held().received.clear();
    }

    /// The issues that were made in Jira.
    #[must_use]
    pub fn issues(&self) -> Vec<SimulatedIssue> {
        self.shared.held().issues.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The most bytes of one request.
const MOST: usize = 4 * 1024 * 1024;

async fn take(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MOST).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let what = format!("{} {}", head.method, head.uri.path());
    let body = String::from_utf8_lossy(&body).into_owned();
    let mut state = shared.held();
    let mood = state.mood.clone();
    let taken = !matches!(mood, Mood::Down(_) | Mood::Redirect(..));
    state.received.push(Received { what: what.clone(), headers, body: body.clone(), taken });
    let answer = match head.uri.path().split_once("/rest/api/") {
        Some((_, rest)) if taken => jira::answer(&mut state.issues, head.method.as_str(), rest, &body),
        _ => (StatusCode::OK, "ok".to_owned()),
    };
    drop(state);
    let status = |number: u16| StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match mood {
        Mood::Up => answer.into_response(),
        Mood::Down(number) => (status(number), "told to be down").into_response(),
        Mood::LostAnswer => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Mood::Redirect(number, to) => (status(number), [("location", to)]).into_response(),
        Mood::Talkative(bytes) => "x".repeat(bytes).into_response(),
    }
}
