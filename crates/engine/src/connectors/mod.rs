//! The connectors of an installation: one Heroku token each, with settings, a schedule and a store of its own.
//!
//! What a sync reads is [`sync`](crate::sync)'s to say; carrying out what is due is the
//! [`supervisor`](crate::supervisor)'s.
//!
//! Invariant: each change of a connector, the event that tells of it and the job that it causes are one transaction
//! of the connector's store. A token is stored sealed, and leaves this room only for Heroku.

mod change;
mod heroku;
mod logs;
mod probe;
mod remove;
mod runs;
mod settings;
mod upload;
mod view;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use metsuke_clients::{Budget, heroku::Settings as HerokuSettings};
use metsuke_model::{Clock, ConnectorId, JobId, Moment};
use metsuke_store::{ConnectorRow, ConnectorStatus, OpenMode, Store};
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::watch;

use crate::EngineError;
use crate::jobs::{FOLLOW_UPS, Stop};
use crate::seal::{SealFile, SealingKey};

pub use logs::LogFeed;
pub use metsuke_store::{LogLine, LogSelect, RunRow, RunStatus};
pub use probe::{Estimate, Probe};
pub use remove::Removal;
pub use settings::{
    AfterSync, C1zExport, ConnectorEdit, HEROKU_URL, JupiterOneUpload, NewConnector, Settings,
};
pub use view::{Connector, State};

pub(crate) use view::settings as stored_settings;

use crate::supervisor::running::Handle;

/// What a door changes about every Heroku client.
pub type Tuning = Arc<dyn Fn(&mut HerokuSettings) + Send + Sync>;

/// A main store with the connectors that it knows. Clones share everything.
#[derive(Clone)]
pub struct Installation {
    inner: Arc<Inner>,
}

struct Inner {
    main: Store,
    /// The audit trail's name, which is the installation's too.
    name: String,
    seal: SealFile,
    key: OnceLock<SealingKey>,
    clock: Arc<dyn Clock>,
    tuning: Tuning,
    estates: tokio::sync::Mutex<HashMap<ConnectorId, Store>>,
    /// The budget of each Heroku account, by the API's address and the account's id.
    budgets: Mutex<HashMap<(String, String), Arc<Budget>>>,
    /// The jobs that this process carries out.
    running: Mutex<HashMap<JobId, Handle>>,
    /// Says that there may be something to do, or something new to read.
    woken: watch::Sender<()>,
}

impl Installation {
    /// The installation of a main store; nothing is sent, and no key is made before there is something to seal.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn open(main: Store, seal: SealFile, clock: Arc<dyn Clock>) -> Result<Self, EngineError> {
        Self::tuned(main, seal, clock, Arc::new(|_| ())).await
    }

    /// The same, with clients that are changed as the door likes.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn tuned(
        main: Store,
        seal: SealFile,
        clock: Arc<dyn Clock>,
        tuning: Tuning,
    ) -> Result<Self, EngineError> {
        let name = main.audit_log().await?.origin.unwrap_or_default();
        let inner = Inner {
            main,
            name,
            seal,
            key: OnceLock::new(),
            clock,
            tuning,
            estates: tokio::sync::Mutex::default(),
            budgets: Mutex::default(),
            running: Mutex::default(),
            woken: watch::Sender::new(()),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The main store: registry, rules, channels, tokens, people.
    #[must_use]
    pub fn main(&self) -> &Store {
        &self.inner.main
    }

    /// The clock that everything here goes by.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    /// What secrets are sealed to: the installation's name, for good.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The file of the sealing key.
    #[must_use]
    pub fn seal_file(&self) -> &SealFile {
        &self.inner.seal
    }

    /// The sealing key, made now where there is none.
    ///
    /// # Errors
    ///
    /// As [`SealFile::load_or_make`].
    pub fn sealing_key(&self) -> Result<&SealingKey, EngineError> {
        if let Some(key) = self.inner.key.get() {
            return Ok(key);
        }
        let key = self.inner.seal.load_or_make()?;
        Ok(self.inner.key.get_or_init(|| key))
    }

    /// The store of a live connector. Its versions bring [`FOLLOW_UPS`] with them.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what opening it met.
    pub async fn estate(&self, id: ConnectorId) -> Result<Store, EngineError> {
        let live = [ConnectorStatus::Live];
        self.row(id).await.and_then(|row| among(row, &live))?;
        self.open_estate(id, OpenMode::Existing).await
    }

    /// The store of a connector that is there or was removed: of the latter only the audit trail is left.
    ///
    /// # Errors
    ///
    /// As [`estate`](Self::estate).
    pub async fn trail(&self, id: ConnectorId) -> Result<Store, EngineError> {
        let there = [ConnectorStatus::Live, ConnectorStatus::Removing, ConnectorStatus::Removed];
        self.row(id).await.and_then(|row| among(row, &there))?;
        self.open_estate(id, OpenMode::Existing).await
    }

    /// The connector of this name or id.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn find(&self, asked: &str) -> Result<ConnectorId, EngineError> {
        let key = asked.to_lowercase();
        let rows = self.live().await?;
        let found = rows.iter().find(|row| row.id.to_string() == key || row.name.to_lowercase() == key);
        found.map(|row| row.id).ok_or_else(|| EngineError::NoConnector { asked: asked.to_owned() })
    }

    /// The live connectors as the registry has them, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn live(&self) -> Result<Vec<ConnectorRow>, EngineError> {
        let mut rows = self.main().connectors().await?;
        rows.retain(|row| row.status == ConnectorStatus::Live);
        Ok(rows)
    }

    /// Says that there may be something to do, or something new to read.
    pub fn wake(&self) {
        self.inner.woken.send_replace(());
    }

    /// Told whenever [`wake`](Self::wake) was called in this process.
    #[must_use]
    pub fn woken(&self) -> watch::Receiver<()> {
        self.inner.woken.subscribe()
    }

    /// Ten random bytes for an id.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoChance`].
    pub fn chance(&self) -> Result<[u8; 10], EngineError> {
        let mut bytes = [0; 10];
        SystemRandom::new().fill(&mut bytes).map_err(|_| EngineError::NoChance)?;
        Ok(bytes)
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock().now()
    }

    pub(crate) fn running(&self) -> MutexGuard<'_, HashMap<JobId, Handle>> {
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends what this process carries out for a connector.
    pub(crate) fn stop_running(&self, connector: ConnectorId, kind: Option<&str>, why: Stop) {
        for handle in self.running().values() {
            let of_kind = kind.is_none_or(|kind| kind == handle.kind);
            if handle.connector == Some(connector) && of_kind {
                handle.stop(why);
            }
        }
    }

    pub(crate) async fn row(&self, id: ConnectorId) -> Result<ConnectorRow, EngineError> {
        let rows = self.main().connectors().await?;
        let found = rows.into_iter().find(|row| row.id == id);
        found.ok_or_else(|| EngineError::NoConnector { asked: id.to_string() })
    }

    /// The store of a connector, whatever its life; opened once.
    pub(crate) async fn open_estate(&self, id: ConnectorId, mode: OpenMode) -> Result<Store, EngineError> {
        let mut estates = self.inner.estates.lock().await;
        if let Some(store) = estates.get(&id) {
            return Ok(store.clone());
        }
        let store = self.main().estate(id, mode).await?.followed_by(FOLLOW_UPS);
        // Without the write-ahead log, whoever reads would hold up the queue, and the queue whoever reads.
        store.settle().await;
        estates.insert(id, store.clone());
        Ok(store)
    }

    /// Forgets the open store of a connector; its connections end with the last user.
    pub(crate) async fn close_estate(&self, id: ConnectorId) {
        let closed = self.inner.estates.lock().await.remove(&id);
        if let Some(store) = closed {
            store.close().await;
        }
    }

    pub(crate) fn budgets(&self) -> MutexGuard<'_, HashMap<(String, String), Arc<Budget>>> {
        self.inner.budgets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tune(&self, settings: &mut HerokuSettings) {
        (self.inner.tuning)(settings);
    }
}

impl fmt::Debug for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Installation").field("main", &self.main().url()).finish_non_exhaustive()
    }
}

fn among(row: ConnectorRow, statuses: &[ConnectorStatus]) -> Result<ConnectorRow, EngineError> {
    if statuses.contains(&row.status) {
        Ok(row)
    } else {
        Err(EngineError::NoConnector { asked: row.id.to_string() })
    }
}
