//! The health endpoints over plain HTTP, and the question to them.
//!
//! They are for the machine's own watchman: nothing but the connector's state is told, to whoever asks.
//!
//! Invariant: one validation at a time, however many ask.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use metsuke_engine::c1::Redactor;
use metsuke_model::Moment;
use metsuke_model::clock::Clock;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::error::ServiceError;
use super::worker::Worker;

/// Where they are served, unless told otherwise.
pub const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8081);
/// The limit of a validation.
const VALIDATION: Duration = Duration::from_secs(30);
/// The most bytes of an answer's head that are read.
const MOST_READ: u64 = 16 << 10;

/// Whether C1 knows of this replica.
#[derive(Clone, Debug, Default)]
pub struct Ready(Arc<AtomicBool>);

impl Ready {
    pub(super) fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::SeqCst);
    }

    /// Whether it does.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Endpoints that are bound, and not served yet.
#[derive(Debug)]
pub struct Health {
    tcp: TcpListener,
    address: SocketAddr,
}

struct Watched<W> {
    worker: Arc<W>,
    ready: Ready,
    clock: Arc<dyn Clock>,
    redactor: Redactor,
    /// Held while the connector is validated.
    validating: Mutex<()>,
}

impl Health {
    /// Binds the address.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Health`] when it cannot be bound.
    pub async fn bind(address: SocketAddr) -> Result<Self, ServiceError> {
        let failed = |source| ServiceError::Health { address, source };
        let tcp = TcpListener::bind(address).await.map_err(failed)?;
        let address = tcp.local_addr().map_err(failed)?;
        Ok(Self { tcp, address })
    }

    /// Where they are.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` fires. What the connector says of its failures goes through `redactor`.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Health`] when the address cannot be served any more.
    pub async fn serve<W: Worker>(
        self,
        worker: Arc<W>,
        ready: Ready,
        clock: Arc<dyn Clock>,
        redactor: Redactor,
        stop: CancellationToken,
    ) -> Result<(), ServiceError> {
        let watched = Arc::new(Watched { worker, ready, clock, redactor, validating: Mutex::new(()) });
        let router = axum::Router::new()
            .route("/health", get(health::<W>))
            .route("/ready", get(is_ready::<W>))
            .route("/live", get(live::<W>))
            .with_state(watched);
        let address = self.address;
        let serving = axum::serve(self.tcp, router);
        // Whoever is being answered is not waited for: the process is about to end.
        match stop.run_until_cancelled(async move { serving.await }).await {
            Some(Err(source)) => Err(ServiceError::Health { address, source }),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

async fn health<W: Worker>(State(watched): State<Arc<Watched<W>>>) -> Response {
    let validated = async {
        let _turn = watched.validating.lock().await;
        watched.worker.validate().await
    };
    let reason = match timeout(VALIDATION, validated).await {
        Ok(Ok(())) => return watched.answer("healthy", None),
        Ok(Err(failed)) => watched.redactor.clean(&failed.status.message),
        Err(_) => format!("no answer within {} s", VALIDATION.as_secs()),
    };
    let details = json!({ "error": "connector validation failed", "validation_error": reason });
    watched.answer("unhealthy", Some(details))
}

async fn is_ready<W: Worker>(State(watched): State<Arc<Watched<W>>>) -> Response {
    if watched.ready.is_set() {
        return watched.answer("ready", None);
    }
    watched.answer("not_ready", Some(json!({ "error": "C1 was not greeted yet, or the connector stops" })))
}

async fn live<W: Worker>(State(watched): State<Arc<Watched<W>>>) -> Response {
    watched.answer("alive", None)
}

impl<W> Watched<W> {
    /// An answer; with details it is a bad one.
    fn answer(&self, status: &str, details: Option<serde_json::Value>) -> Response {
        let now = self.clock.now().0;
        let now = Moment(now - now.rem_euclid(1_000_000)).to_string();
        let mut body = json!({ "status": status, "timestamp": now });
        let code = if details.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        if let (Some(details), Some(body)) = (details, body.as_object_mut()) {
            body.insert("details".to_owned(), details);
        }
        (code, [(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
    }
}

/// One of the endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Whether the connector works.
    Health,
    /// Whether C1 knows of it.
    Ready,
    /// Whether it runs.
    Live,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 3] = [Self::Health, Self::Ready, Self::Live];

    /// Its name, and its path without the slash.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Ready => "ready",
            Self::Live => "live",
        }
    }
}

/// A bad answer of a health endpoint, or none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unhealthy {
    /// There is nobody.
    #[error("nobody answers at `{address}`")]
    Unreachable {
        /// Where.
        address: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It did not answer in time.
    #[error("no answer from `{address}` within {} s", .limit.as_secs_f32())]
    Late {
        /// Who.
        address: String,
        /// The time.
        limit: Duration,
    },
    /// It answered with a status other than 200.
    #[error("`/{endpoint}` was answered {status}")]
    Status {
        /// What was asked.
        endpoint: &'static str,
        /// The HTTP status; 0 where the answer is no HTTP.
        status: u16,
    },
}

impl Unhealthy {
    /// The gRPC code that the process ends with.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Self::Unreachable { .. } => Code::Unavailable as i32,
            Self::Late { .. } => Code::DeadlineExceeded as i32,
            Self::Status { .. } => Code::Unknown as i32,
        }
    }
}

/// Asks an endpoint; `address` is a host and a port.
///
/// # Errors
///
/// Everything but the status 200.
pub async fn ask(address: &str, endpoint: Endpoint, limit: Duration) -> Result<(), Unhealthy> {
    let unreachable = |source| Unhealthy::Unreachable { address: address.to_owned(), source };
    let endpoint = endpoint.as_str();
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET /{endpoint} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(MOST_READ).read_to_end(&mut answer).await?;
        Ok(answer)
    };
    let answer = match timeout(limit, asked).await {
        Ok(answer) => answer.map_err(unreachable)?,
        Err(_) => return Err(Unhealthy::Late { address: address.to_owned(), limit }),
    };
    match status(&answer) {
        200 => Ok(()),
        status => Err(Unhealthy::Status { endpoint, status }),
    }
}

/// The status of an HTTP answer; 0 for anything else.
fn status(answer: &[u8]) -> u16 {
    let head = String::from_utf8_lossy(answer.get(..answer.len().min(64)).unwrap_or_default());
    let mut words = head.split_ascii_whitespace();
    let version = words.next().unwrap_or_default();
    let status = words.next().and_then(|word| word.parse().ok());
    status.filter(|_| version.starts_with("HTTP/1.")).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_from_http_only() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\n\r\n"), 200);
        assert_eq!(status(b"HTTP/1.0 503 Service Unavailable"), 503);
        assert_eq!(status(b"SSH-2.0 200"), 0);
        assert_eq!(status(b""), 0);
    }
}
