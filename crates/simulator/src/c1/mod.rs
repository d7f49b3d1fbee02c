//! A stand-in for C1: it gives tokens to connectors, hands out tasks, and takes what comes of them.
//!
//! Token requests and gRPC calls come over TLS to one port, as they do at the real one. Nothing here decides what a task
//! does, and no type is shared with the connector: it was written from the published contract.
//!
//! Invariant: a call without a valid token, or that breaks a rule of the contract, has no effect; a task is leased to one
//! host at a time, and taken back from the host that keeps it, unless [`C1Options::leases`] says otherwise.

mod assertion;
mod certificate;
mod desk;
mod fault;
mod listener;
pub mod proto;
mod report;
mod rules;
mod service;
mod token;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use fault::{C1Call, C1Fault};
pub use report::{Called, Finished, TaskState, Uploaded};

use crate::SimulatorError;
use certificate::Certificates;
use desk::Desk;
use listener::{Cut, Listener, Wire};
use proto::tasks::{BatonServiceHelloRequest, Task, task::TaskType};

/// The name of the machine that it runs on.
const NAME: &str = "localhost";

/// How the stand-in behaves.
#[derive(Clone, Debug)]
pub struct C1Options {
    /// How long a task is a host's without a heartbeat.
    pub lease: Duration,
    /// Whether a task is leased at all; without, every host gets every task that is not finished.
    pub leases: bool,
    /// What it tells about the next poll.
    pub next_poll: Duration,
    /// What it tells about the next heartbeat.
    pub next_heartbeat: Duration,
    /// How long an access token is good for.
    pub token_life: Duration,
    /// What it answers to `StartDebugging`.
    pub debugging: bool,
    /// The host in the connector's client id, without a port; its own with its port by default.
    pub tenant: Option<String>,
    /// The secret bytes of the connector's key; random ones by default.
    pub seed: Option<[u8; 32]>,
    /// The id of the connector's key, where it has one.
    pub key_id: Option<String>,
}

impl Default for C1Options {
    fn default() -> Self {
        Self {
            lease: Duration::from_mins(1),
            leases: true,
            next_poll: Duration::from_millis(20),
            next_heartbeat: Duration::from_secs(1),
            token_life: Duration::from_mins(10),
            debugging: false,
            tenant: None,
            seed: None,
            key_id: None,
        }
    }
}

/// What all requests share.
#[derive(Debug)]
struct Shared {
    options: C1Options,
    client_id: String,
    /// The host's name in the client id, without its port: what an assertion is made out to.
    audience: String,
    public_key: Vec<u8>,
    desk: Mutex<Desk>,
    /// Counts changes, so that a test can wait for one.
    changes: watch::Sender<u64>,
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

/// A stand-in that is listening.
#[derive(Debug)]
pub struct C1 {
    address: SocketAddr,
    certificates: Certificates,
    client_secret: String,
    seed: [u8; 32],
    shared: Arc<Shared>,
    open: Arc<RwLock<Vec<Weak<Cut>>>>,
    server: JoinHandle<std::io::Result<()>>,
}

impl C1 {
    /// Starts to listen; port 0 takes any free one.
    ///
    /// # Errors
    ///
    /// [`SimulatorError::Listen`] when the address cannot be bound, [`SimulatorError::Keys`] when no keys can be made.
    pub async fn start(options: C1Options, listen: SocketAddr) -> Result<Self, SimulatorError> {
        let (tcp, address) = crate::simulator::bind(listen).await?;
        let seed = match options.seed {
            Some(seed) => seed,
            None => random()?,
        };
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| keys("the seed is refused"))?;
        let certificates = Certificates::make()?;
        let (audience, host) = match &options.tenant {
            Some(tenant) => (tenant.clone(), tenant.clone()),
            None => (NAME.to_owned(), format!("{NAME}:{}", address.port())),
        };
        let client_id = format!("quiet-cat-12345@{host}/bcc");
        let (changes, _) = watch::channel(0);
        let shared = Arc::new(Shared {
            client_id,
            audience,
            public_key: pair.public_key().as_ref().to_vec(),
            desk: Mutex::new(Desk::default()),
            changes,
            options,
        });
        let client_secret = secret(&seed, pair.public_key().as_ref(), shared.options.key_id.as_deref());
        let open = Arc::new(RwLock::new(Vec::new()));
        let listener = Listener::new(tcp, certificates.acceptor()?, Arc::clone(&open));
        let router = service::router(&shared).into_make_service_with_connect_info::<Wire>();
        let server = crate::simulator::background(async move { axum::serve(listener, router).await });
        Ok(Self { address, certificates, client_secret, seed, shared, open, server })
    }

    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn local(options: C1Options) -> Result<Self, SimulatorError> {
        Self::start(options, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Its host and port, as `localhost:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{NAME}:{}", self.address.port())
    }

    /// The id of the one connector that it knows.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.shared.client_id
    }

    /// The connector's secret.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// The secret bytes of the connector's key, for those who look whether they show anywhere.
    #[must_use]
    pub const fn seed(&self) -> [u8; 32] {
        self.seed
    }

    /// The certificate of the authority that issued its own, as PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.certificates.authority()
    }

    /// Puts a task at the end of the queue, and gives its id.
    #[expect(clippy::must_use_candidate, reason = "what a test looks at may be the queue and not the task")]
    pub fn give(&self, what: TaskType) -> String {
        self.give_task(Task { task_type: Some(what), ..Task::default() })
    }

    /// Puts a task at the end of the queue, and gives its id, which is a new one.
    #[expect(clippy::must_use_candidate, reason = "what a test looks at may be the queue and not the task")]
    pub fn give_task(&self, task: Task) -> String {
        let id = self.shared.desk().give(task);
        self.shared.changed();
        id
    }

    /// Cancels a task: its host hears of it with the next heartbeat.
    pub fn cancel(&self, id: &str) {
        self.shared.desk().cancel(id);
        self.shared.changed();
    }

    /// Lets the next calls of a kind go wrong, one fault each.
    pub fn fail(&self, call: C1Call, faults: &[C1Fault]) {
        self.shared.desk().faults.add(call, faults);
    }

    /// Answers every call of a host with `Unavailable`, or hears it again.
    pub fn deafen(&self, host_id: &str, deaf: bool) {
        self.shared.desk().faults.deafen(host_id, deaf);
    }

    /// Forgets every access token that it gave.
    pub fn forget_tokens(&self) {
        self.shared.desk().tokens.clear();
    }

    /// Cuts every connection with a reset.
    pub fn cut(&self) {
        for cut in self.open.read().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
            cut.now();
        }
    }

    /// How far a task is; `None` where there is no such task.
    #[must_use]
    pub fn state(&self, id: &str) -> Option<TaskState> {
        self.shared.desk().state(id)
    }

    /// How often a task was handed out.
    #[must_use]
    pub fn deliveries(&self, id: &str) -> usize {
        self.shared.desk().deliveries(id)
    }

    /// Every call that was answered, in the order of the answers.
    #[must_use]
    pub fn calls(&self) -> Vec<Called> {
        self.shared.desk().calls.clone()
    }

    /// Every upload that came to its end with the right checksum.
    #[must_use]
    pub fn uploads(&self) -> Vec<Uploaded> {
        self.shared.desk().uploads.clone()
    }

    /// Every task that was finished, in that order.
    #[must_use]
    pub fn finished(&self) -> Vec<Finished> {
        self.shared.desk().finished.clone()
    }

    /// Every greeting.
    #[must_use]
    pub fn hellos(&self) -> Vec<BatonServiceHelloRequest> {
        self.shared.desk().hellos.clone()
    }

    /// Every rule of the contract that a request broke, in words.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.shared.desk().violations.clone()
    }

    /// How many access tokens it gave.
    #[must_use]
    pub fn tokens_given(&self) -> usize {
        self.shared.desk().tokens_given
    }

    /// Waits until something is so, looking again at each change; false when it was not so in time.
    pub async fn until(&self, limit: Duration, mut so: impl FnMut(&Self) -> bool) -> bool {
        let mut changes = self.shared.changes.subscribe();
        let wait = async {
            while !so(self) {
                // The sender lives in `self`.
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(limit, wait).await.is_ok()
    }
}

impl Drop for C1 {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn keys(reason: &str) -> SimulatorError {
    SimulatorError::Keys { reason: reason.to_owned() }
}

fn random() -> Result<[u8; 32], SimulatorError> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| keys("the machine gives no random bytes"))?;
    Ok(seed)
}

/// A secret as C1 shows it once to the connector's owner.
fn secret(seed: &[u8], public: &[u8], key_id: Option<&str>) -> String {
    let (d, x) = (URL_SAFE_NO_PAD.encode(seed), URL_SAFE_NO_PAD.encode(public));
    let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "d": d });
    if let (Some(id), Some(key)) = (key_id, key.as_object_mut()) {
        key.insert("kid".to_owned(), id.into());
    }
    format!("secret-token:conductorone.com:v1:{}", URL_SAFE_NO_PAD.encode(key.to_string()))
}
