//! A stand-in for JupiterOne's synchronization API over real HTTP, with a graph that tests can look at.
//!
//! Jobs are started, filled, finalized or aborted; there is no query language and no other API in it. It shares no type
//! with the rest of the house, and was written from the documented API and from what JupiterOne's own client sends.
//!
//! Invariant: nothing that a job brings is in the graph before the job is finalized.

mod graph;
mod job;
mod routes;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use graph::{Graph, Held};
pub use job::{Event, JobReport};

use crate::SimulatorError;
use job::Job;

/// How the stand-in behaves.
#[derive(Clone, Debug)]
pub struct JupiterOneOptions {
    /// The key that is accepted.
    pub api_key: String,
    /// The account that is accepted.
    pub account: String,
    /// The most bytes of one upload, unpacked; more are answered 413.
    pub most_bytes: usize,
    /// The most objects of one upload; more are answered 413.
    pub most_objects: usize,
}

impl Default for JupiterOneOptions {
    fn default() -> Self {
        Self {
            api_key: "jupiterone-simulated-key".into(),
            account: "simulated".into(),
            most_bytes: 5 * 1024 * 1024 + 4096,
            most_objects: 500,
        }
    }
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JupiterOneFault {
    /// It is answered with this status, and has no effect.
    Status(u16),
    /// It has its effect, and the answer is a 500.
    LostAnswer,
}

/// One request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its number, from 1.
    pub number: u64,
    /// Method and path.
    pub what: String,
    /// The status of the answer.
    pub status: u16,
    /// The body was compressed.
    pub compressed: bool,
}

/// What all requests share.
#[derive(Debug, Default)]
struct State {
    jobs: BTreeMap<String, Job>,
    /// By integration instance or scope.
    graphs: BTreeMap<String, Graph>,
    faults: HashMap<u64, JupiterOneFault>,
    asked: Vec<Asked>,
    requests: u64,
    in_flight: u64,
    most_in_flight: u64,
}

#[derive(Debug)]
struct Shared {
    options: JupiterOneOptions,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stand-in that is listening.
#[derive(Debug)]
pub struct JupiterOne {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<std::io::Result<()>>,
}

impl JupiterOne {
    /// Starts to listen; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// [`SimulatorError::Listen`] when the address cannot be bound.
    pub async fn start(options: JupiterOneOptions, listen: SocketAddr) -> Result<Self, SimulatorError> {
        let failed = |source| SimulatorError::Listen { address: listen, source };
        let tcp = TcpListener::bind(listen).await.map_err(failed)?;
        let address = tcp.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared { options, state: Mutex::default() });
        let router = routes::router(Arc::clone(&shared));
        #[expect(clippy::disallowed_methods, reason = "the handle is kept, and aborted when it is dropped")]
        let server = tokio::spawn(async move { axum::serve(tcp, router).await });
        Ok(Self { address, shared, server })
    }

    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn local(options: JupiterOneOptions) -> Result<Self, SimulatorError> {
        Self::start(options, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key that it accepts.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.shared.options.api_key
    }

    /// The account that it accepts.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.shared.options.account
    }

    /// Lets the request of this number, counted from 1, go wrong.
    pub fn fail(&self, number: u64, fault: JupiterOneFault) {
        self.shared.state().faults.insert(number, fault);
    }

    /// The graph of an integration instance or a scope, as it is now.
    #[must_use]
    pub fn graph(&self, owner: &str) -> Graph {
        self.shared.state().graphs.get(owner).cloned().unwrap_or_default()
    }

    /// Every job, by its id.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobReport> {
        self.shared.state().jobs.values().map(Job::report).collect()
    }

    /// Every request so far, in the order of the answers.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.state().asked.clone()
    }

    /// The most requests that were open at one moment.
    #[must_use]
    pub fn most_in_flight(&self) -> u64 {
        self.shared.state().most_in_flight
    }
}

impl Drop for JupiterOne {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An object's text property.
fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}
