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
use tokio::task::JoinHandle;

use crate::SimulatorError;
use crate::estate::Estate;
use crate::fault::Faults;
use crate::held::World;
use crate::line::{Line, Listener, Wire};
use crate::options::Options;
use crate::pool::Pool;
use crate::server::{Shared, router};
use crate::stats::{Ledger, Stats};
use crate::token::{GLOBAL, Tokens};
use crate::truth::Truth;

/// A simulated Heroku that is listening.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    open: Arc<RwLock<Vec<Weak<Line>>>>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Simulator {
    /// Builds the estate and starts to listen; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// [`SimulatorError::Size`] when the sizes contradict one another, [`SimulatorError::Listen`] when the address
    /// cannot be bound.
    pub async fn start(options: Options, listen: SocketAddr) -> Result<Self, SimulatorError> {
        let estate = Estate::new(&options)?;
        let failed = |source| SimulatorError::Listen { address: listen, source };
        let tcp = TcpListener::bind(listen).await.map_err(failed)?;
        let address = tcp.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            estate,
            faults: Arc::new(Faults::new(options.faults)),
            ledger: Ledger::default(),
            pool: Pool::new(options.allowance, options.rate_limit),
            tokens: Tokens::new(&options.tokens),
            latency: AtomicU64::new(micros(options.latency)),
            walks: Mutex::new(HashMap::new()),
        });
        let open = Arc::new(RwLock::new(Vec::new()));
        let listener = Listener { tcp, open: Arc::clone(&open) };
        let service = router(Arc::clone(&shared)).into_make_service_with_connect_info::<Wire>();
        let serving = async move { axum::serve(listener, service).await };
        #[expect(
            clippy::disallowed_methods,
            reason = "the handle below owns the task and aborts it when dropped"
        )]
        let server = tokio::spawn(serving);
        Ok(Self { address, shared, open, server })
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

    /// A token with the scope `global`.
    #[must_use]
    pub const fn token(&self) -> &str {
        GLOBAL
    }

    /// The built-in token with another scope: `read`, `write`, `identity`, `read-protected`, `write-protected`,
    /// or `identity-read` for both; `global` is the one of [`token`](Self::token).
    #[must_use]
    pub fn token_with(&self, scope: &str) -> String {
        format!("HRKU-simulated-{scope}")
    }

    /// What it has been asked so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.shared.ledger.totals();
        stats.remaining = self.shared.pool.left();
        stats.lowest_remaining = self.shared.pool.lowest();
        stats
    }

    /// Starts the counters and the log afresh; request numbers go on.
    pub fn reset_stats(&self) {
        self.shared.ledger.reset();
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
        match &self.shared.estate {
            Estate::Held(world) => Some(change(&mut world.write().unwrap_or_else(PoisonError::into_inner))),
            Estate::Scale(..) => None,
        }
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

    /// Stops listening, ends open connections and waits for the server to be gone.
    pub async fn stop(mut self) {
        self.end();
        // The task was just aborted, so it ends with a cancellation, which is what was asked for.
        drop((&mut self.server).await);
    }

    fn end(&self) {
        self.server.abort();
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

fn micros(latency: Duration) -> u64 {
    u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)
}
