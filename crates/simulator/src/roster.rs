//! A stand-in for the server of a roster: a list of users as Okta gives it, page by page.
//!
//! Not part of the simulated Heroku, and not all of Okta: one route.
//!
//! Invariant: users come in the order in which they were given, each once, unless it was told to misbehave.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::SimulatorError;

/// The token that it knows.
const TOKEN: &str = "00-roster-simulated";

/// A server of a roster that is listening; it ends with this value.
#[derive(Debug)]
pub struct RosterServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<std::io::Result<()>>,
}

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    users: Mutex<Vec<Value>>,
    /// The most users on a page.
    page: usize,
    /// Statuses that the next requests are answered with instead.
    refusals: Mutex<VecDeque<u16>>,
}

impl RosterServer {
    /// Starts on a free port of the loopback interface, with at most so many users on a page.
    ///
    /// # Errors
    ///
    /// [`SimulatorError::Listen`] when no port can be bound.
    pub async fn local(users: Vec<Value>, page: usize) -> Result<Self, SimulatorError> {
        let (tcp, address) = crate::simulator::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let (users, refusals) = (Mutex::new(users), Mutex::default());
        let shared = Arc::new(Shared { address, users, page: page.max(1), refusals });
        let router = axum::Router::new().route("/api/v1/users", get(list)).with_state(Arc::clone(&shared));
        let server = crate::simulator::background(async move { axum::serve(tcp, router).await });
        Ok(Self { address, shared, server })
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token that it knows.
    #[must_use]
    pub const fn token(&self) -> &str {
        TOKEN
    }

    /// Gives it other users.
    pub fn set_users(&self, users: Vec<Value>) {
        *self.shared.users.lock().unwrap_or_else(PoisonError::into_inner) = users;
    }

    /// Answers the next requests with these statuses, one each.
    pub fn refuse(&self, statuses: &[u16]) {
        self.shared.refusals.lock().unwrap_or_else(PoisonError::into_inner).extend(statuses);
    }
}

impl Drop for RosterServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn list(State(shared): State<Arc<Shared>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let refusal = shared.refusals.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    if let Some(status) = refusal.and_then(|status| StatusCode::from_u16(status).ok()) {
        return refused(status, "E0000047", "it was told to refuse");
    }
    let wanted = format!("SSWS {TOKEN}");
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(&wanted) {
        return refused(StatusCode::UNAUTHORIZED, "E0000011", "Invalid token provided");
    }
    let query = query.unwrap_or_default();
    let number = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).find_map(|(_, value)| value.parse::<usize>().ok())
    };
    let (from, most) = (number("after").unwrap_or(0), number("limit").unwrap_or(200).clamp(1, shared.page));
    let users = shared.users.lock().unwrap_or_else(PoisonError::into_inner);
    let page: Vec<Value> = users.iter().skip(from).take(most).cloned().collect();
    let whole = format!("http://{}/api/v1/users", shared.address);
    let own = format!("<{whole}?limit={most}>; rel=\"self\"");
    let next = from + most;
    if next >= users.len() {
        return ([("link", own)], Json(page)).into_response();
    }
    let link = format!("{own}, <{whole}?after={next}&limit={most}>; rel=\"next\"");
    ([("link", link)], Json(page)).into_response()
}

fn refused(status: StatusCode, code: &str, summary: &str) -> Response {
    (status, Json(json!({ "errorCode": code, "errorSummary": summary }))).into_response()
}
