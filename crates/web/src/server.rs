//! The server: what it needs, its routes, its start and its end.
//!
//! Invariant: it takes no request that is no operation; asked to stop, it takes no new ones, ends what it has, and gives up on what
//! is not ended in time.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::routing::{MethodFilter, on};
use metsuke_engine::desk::{Desk, Readied};
use metsuke_engine::identity::{Method, Once, Operation, People, Tokens};
use metsuke_model::Clock;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::door::{enter, nowhere, otherwise};
use crate::installed::Installed;
use crate::limits::{Limits, Pace};
use crate::listening::listen;
use crate::metrics::Metrics;
use crate::place::Place;
use crate::site::ROUTES;
use crate::streams::Streams;
use crate::upload::Room;
use crate::visit::{load, visit};

/// The largest body that is read.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// How long a handler may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long requests may take to end when the server is asked to stop.
const FAREWELL: Duration = Duration::from_secs(15);
/// How often the last use of tokens is written down.
const NOTING: Duration = Duration::from_mins(1);
/// How often is looked whether there is a new version.
const LOOKING: Duration = Duration::from_secs(3);

/// What the server serves.
#[derive(Clone, Debug)]
pub struct Services {
    /// Estates and connectors.
    pub desk: Desk,
    /// Tokens of programs.
    pub tokens: Tokens,
    /// Idempotency keys.
    pub once: Once,
    /// People who sign in.
    pub people: People,
    /// Where browsers reach the server; without it, where it listens.
    pub place: Option<Place>,
    /// How much is taken.
    pub limits: Limits,
    /// Makes the span of a request part of the trace that its `traceparent` names; none where no traces are kept.
    pub joins: Option<Joins>,
    /// What the installation is and how it was set up.
    pub installed: Installed,
    /// Whom a browser on this machine is signed in as without being asked; nobody but in a demonstration.
    pub guest: Option<Guest>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Makes a span part of the trace that a `traceparent` names.
pub type Joins = fn(&tracing::Span, &str);

/// Somebody whom a browser on this machine is signed in as.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The e-mail address.
    pub email: String,
    /// The password.
    pub password: SecretString,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// The address cannot be listened on.
    #[error("`{address}` cannot be listened on")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) desk: Desk,
    pub(crate) tokens: Tokens,
    pub(crate) once: Once,
    pub(crate) people: People,
    pub(crate) place: Place,
    pub(crate) installed: Installed,
    pub(crate) guest: Option<Guest>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
    pub(crate) pace: Pace,
    pub(crate) streams: Streams,
    pub(crate) room: Room,
    pub(crate) joins: Option<Joins>,
    pub(crate) body_limit: usize,
    pub(crate) patience: Duration,
    /// Cancelled when the server is asked to stop.
    pub(crate) stopping: CancellationToken,
    run: u64,
    requests: AtomicU64,
}

impl State {
    /// The number of the next request.
    pub(crate) fn next_number(&self) -> String {
        format!("{:016x}-{:06x}", self.run, self.requests.fetch_add(1, Ordering::Relaxed))
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens on an address; port 0 takes any that is free.
    ///
    /// # Errors
    ///
    /// [`WebError::Listen`].
    pub async fn bind(address: SocketAddr) -> Result<Self, WebError> {
        let refused = |source| WebError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until it is asked to stop.
    pub async fn run(self, services: Services, stopping: CancellationToken) {
        let state = Arc::new(state(services, self.address, stopping.clone()));
        // On a task of its own, for it works where requests are taken in otherwise; it goes with the set.
        let mut beside = JoinSet::new();
        beside.spawn(readying(state.desk.clone()));
        let served = listen(self.listener, router(&state), state.limits, &stopping);
        let given_up = async {
            stopping.cancelled().await;
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            () = served => {}
            () = given_up => tracing::warn!("requests that did not end in time were given up"),
            () = noting(&state) => {}
        }
        if let Err(error) = state.tokens.note_uses().await {
            tracing::debug!(%error, "the last use of tokens was not written down");
        }
    }
}

/// Makes what people look at ready for each new version.
async fn readying(desk: Desk) {
    let mut readied = Readied::default();
    loop {
        tokio::time::sleep(LOOKING).await;
        if let Err(error) = desk.make_ready(&mut readied).await {
            tracing::debug!(%error, "a new version was not made ready");
        }
    }
}

/// Writes the last use of tokens down, again and again.
async fn noting(state: &State) {
    loop {
        tokio::time::sleep(NOTING).await;
        if let Err(error) = state.tokens.note_uses().await {
            tracing::debug!(%error, "the last use of tokens was not written down");
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a moment in microseconds is exact in a float until the year 2255"
)]
fn state(services: Services, address: SocketAddr, stopping: CancellationToken) -> State {
    let Services { desk, tokens, once, people, place, limits, joins, installed, guest, clock } = services;
    State {
        desk,
        tokens,
        once,
        people,
        place: place.unwrap_or_else(|| Place::listening(address)),
        installed,
        guest,
        metrics: Metrics::new(clock.now().0 as f64 / 1e6),
        pace: Pace::new(&limits),
        streams: Streams::new(limits.streams),
        room: Room::default(),
        limits,
        joins,
        clock,
        body_limit: BODY_LIMIT,
        patience: PATIENCE,
        stopping,
        run: RandomState::new().build_hasher().finish(),
        requests: AtomicU64::new(0),
    }
}

/// One route for each operation and each page, what pages load, and nothing else.
fn router(state: &Arc<State>) -> Router {
    let mut router = Router::new();
    for operation in Operation::ALL.iter().copied() {
        let state = Arc::clone(state);
        let answer = move |path: Result<RawPathParams, RawPathParamsRejection>, request: Request| {
            enter(Arc::clone(&state), operation, path.ok(), request)
        };
        router = router.route(operation.path(), on(filter(operation.method()), answer));
    }
    for route in ROUTES {
        let state = Arc::clone(state);
        let answer = move |path: Result<RawPathParams, RawPathParamsRejection>, request: Request| {
            visit(Arc::clone(&state), route, path.ok(), request)
        };
        router = router.route(route.path, on(filter(route.method), answer));
    }
    let asset = Arc::clone(state);
    let load = move |request: Request| load(Arc::clone(&asset), request);
    router = router.route("/assets/{name}", on(MethodFilter::GET, load));
    let (lost, other) = (Arc::clone(state), Arc::clone(state));
    router
        .fallback(move |request: Request| nowhere(Arc::clone(&lost), request))
        .method_not_allowed_fallback(move |request: Request| otherwise(Arc::clone(&other), request))
}

const fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}
