//! The running simulator and the handle on it.
//!
//! Not the command line, and not the estate.
//!
//! Invariant: the server ends with its handle; nothing keeps listening after `stop` or a drop.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::SimulatorError;
use crate::control;
use crate::delay::Delay;
use crate::estate::Estate;
use crate::fault::Faults;
use crate::held::World;
use crate::journal::{Book, Journal};
use crate::line::{Line, Listener, Wire};
use crate::options::Options;
use crate::pool::Pool;
use crate::post::{Delivered, Post};
use crate::server::{Shared, router};
use crate::stats::{Ledger, Stats};
use crate::token::{self, GLOBAL, Tokens};
use crate::truth::Truth;

/// A simulated Heroku that is listening.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    open: Arc<RwLock<Vec<Weak<Line>>>>,
    server: JoinHandle<std::io::Result<()>>,
    control: Option<(SocketAddr, JoinHandle<std::io::Result<()>>)>,
    post: Post,
}

impl Simulator {
    /// Builds the estate and starts to listen; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// [`SimulatorError::Size`] when the sizes contradict one another, [`SimulatorError::Listen`] when the address
    /// or the one for control cannot be bound.
    pub async fn start(options: Options, listen: SocketAddr) -> Result<Self, SimulatorError> {
        let estate = Estate::new(&options)?;
        let (tcp, address) = bind(listen).await?;
        let control = match options.control {
            Some(listen) => Some(bind(listen).await?),
            None => None,
        };
        let (outbox, post) = Post::start();
        estate.set_outbox(outbox);
        let shared = Arc::new(Shared {
            estate,
            faults: Arc::new(Faults::new(options.faults)),
            ledger: Ledger::default(),
            book: Book::new(),
            pool: Pool::new(options.allowance, options.rate_limit),
            tokens: Tokens::new(&options.tokens),
            latency: AtomicU64::new(micros(options.latency)),
            seed: options.seed,
            walks: Mutex::new(HashMap::new()),
            late: Mutex::new(JoinSet::new()),
            ended: watch::Sender::new(false),
        });
        let open = Arc::new(RwLock::new(Vec::new()));
        let listener = Listener { tcp, open: Arc::clone(&open) };
        let service = router(Arc::clone(&shared)).into_make_service_with_connect_info::<Wire>();
        let server = background(async move { axum::serve(listener, service).await });
        let control = control.map(|(tcp, address)| {
            let service = control::router(Arc::clone(&shared));
            (address, background(async move { axum::serve(tcp, service).await }))
        });
        Ok(Self { address, shared, open, server, control, post })
    }

    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn local(options: Options) -> Result<Self, SimulatorError> {
        Self::start(options, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where other processes may ask for the journal and more, as `http://127.0.0.1:PORT`; `None` unless
    /// [`Options::control`] says so.
    ///
    /// `GET /journal`, `/stats` and `/truth` answer as the methods of these names, as JSON; `GET /settled` answers
    /// the journal once no write is left to be applied late. `POST /faults` adds the faults in its body, one a
    /// line, and `DELETE` takes away faults, settled writes, or counts. No token is asked for.
    #[must_use]
    pub fn control_url(&self) -> Option<String> {
        self.control.as_ref().map(|(address, _)| format!("http://{address}"))
    }

    /// A token with the scope `global`.
    #[must_use]
    pub const fn token(&self) -> &str {
        GLOBAL
    }

    /// The built-in token with another scope: `read`, `write`, `identity`, `read-protected`, `write-protected`,
    /// or `identity-read` for both; `global` is the one of [`token`](Self::token). With `accountless` it has the
    /// scope `global`, but is refused the account that it belongs to.
    #[must_use]
    pub fn token_with(&self, scope: &str) -> String {
        token::built_in(scope)
    }

    /// What it has been asked so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Starts the counters and the log afresh; request numbers go on.
    pub fn reset_stats(&self) {
        self.shared.ledger.reset();
    }

    /// Every write that has arrived and what became of it.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.shared.book.journal()
    }

    /// Forgets the writes that are settled; those that are still to be applied stay, and the numbering goes on.
    pub fn reset_journal(&self) {
        self.shared.book.reset();
    }

    /// Waits until no write is left to be applied late.
    pub async fn settled(&self) {
        self.shared.book.settled().await;
    }

    /// What is true of the estate at this moment.
    #[must_use]
    pub fn truth(&self) -> Truth {
        self.shared.estate.truth()
    }

    /// The faults in force; add to them or clear them at any time.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Changes the estate between two requests; `None` for scale estates, which cannot be edited.
    pub fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> Option<R> {
        self.shared.estate.edit(change)
    }

    /// What webhooks have told so far, and what was answered.
    #[must_use]
    pub fn delivered(&self) -> Vec<Delivered> {
        self.post.delivered()
    }

    /// Tells the address of an earlier delivery the same once more, byte for byte; the status that was answered.
    pub async fn deliver_again(&self, delivered: &Delivered) -> Option<u16> {
        delivered.send().await
    }

    /// Moves a scale estate to a generation: each one changes about 1 % of the access of the one before. Held
    /// estates stay as they are.
    pub fn set_generation(&self, generation: u64) {
        if let Estate::Scale(_, current) = &self.shared.estate {
            current.store(generation, Ordering::SeqCst);
        }
    }

    /// Sets what is left of the pool, as if other tools of the same account had used the rest.
    pub fn set_remaining(&self, remaining: u32) {
        self.shared.pool.set(remaining);
    }

    /// Sets how long every answer takes at least.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.latency.store(micros(latency), Ordering::Relaxed);
    }

    /// Sets for how long after each write to come the reads of what it changed show the state before.
    pub fn set_settling(&self, settling: Delay) {
        self.shared.estate.set_settling(settling);
    }

    /// Stops listening, ends open connections and waits for the server to be gone.
    pub async fn stop(mut self) {
        self.end();
        // The task was just aborted, so it ends with a cancellation, which is what was asked for.
        drop((&mut self.server).await);
    }

    fn end(&self) {
        self.server.abort();
        self.post.end();
        if let Some((_, control)) = &self.control {
            control.abort();
        }
        self.shared.late.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        self.shared.ended.send_replace(true);
        for line in self.open.read().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade)
        {
            line.reset();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.end();
    }
}

/// A socket that listens, and where.
pub(crate) async fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), SimulatorError> {
    let failed = |source| SimulatorError::Listen { address: listen, source };
    let tcp = TcpListener::bind(listen).await.map_err(failed)?;
    let address = tcp.local_addr().map_err(failed)?;
    Ok((tcp, address))
}

/// Serves until it is aborted.
pub(crate) fn background(
    serving: impl Future<Output = std::io::Result<()>> + Send + 'static,
) -> JoinHandle<std::io::Result<()>> {
    #[expect(clippy::disallowed_methods, reason = "the simulator owns the handle and aborts it when dropped")]
    tokio::spawn(serving)
}

fn micros(latency: Duration) -> u64 {
    u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)
}
