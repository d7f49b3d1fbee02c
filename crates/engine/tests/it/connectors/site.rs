//! An installation with a simulated Heroku, on either engine.

use std::sync::Arc;
use std::time::Duration;

use metsuke_engine::connectors::{Connector, Installation, NewConnector, Settings};
use metsuke_engine::schedule::Polling;
use metsuke_engine::seal::SealFile;
use metsuke_engine::supervisor::{Limits, Supervisor};
use metsuke_model::audit::Actor;
use metsuke_model::{Clock, FixedClock, Moment};
use metsuke_simulator::{Options, Simulator};
use metsuke_store::{OpenMode, Store};
use metsuke_testkit::TestDatabase;
use secrecy::SecretString;

/// Noon of 1 November 2026.
pub(crate) const NOON: Moment = Moment(1_793_534_400_000_000);

pub(crate) struct Site {
    pub(crate) simulator: Simulator,
    pub(crate) installation: Installation,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) folder: tempfile::TempDir,
    url: String,
    _database: Option<TestDatabase>,
}

impl Site {
    pub(crate) async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
        Self::at(url, folder, None).await
    }

    pub(crate) async fn on_postgres() -> Self {
        let database = metsuke_testkit::fresh_database();
        Self::at(database.url.clone(), tempfile::tempdir().unwrap(), Some(database)).await
    }

    async fn at(url: String, folder: tempfile::TempDir, database: Option<TestDatabase>) -> Self {
        let simulator = Simulator::local(Options::default()).await.unwrap();
        let clock = Arc::new(FixedClock::at(NOON));
        let installation = open(&url, folder.path(), Arc::clone(&clock) as Arc<dyn Clock>).await;
        Self { simulator, installation, clock, folder, url, _database: database }
    }

    /// Another process on the same database.
    pub(crate) async fn another(&self) -> Installation {
        open(&self.url, self.folder.path(), Arc::clone(&self.clock) as Arc<dyn Clock>).await
    }

    /// The database's address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Microseconds.
    pub(crate) fn clock_now(&self) -> i64 {
        self.clock.now().0
    }

    pub(crate) fn supervisor(&self) -> Supervisor {
        supervisor(&self.installation)
    }

    pub(crate) fn wish(&self, name: &str) -> NewConnector {
        NewConnector {
            name: name.to_owned(),
            settings: Settings {
                owner: "ann@example.com".to_owned(),
                api_url: self.simulator.url(),
                polling_interval: Polling::Every(Duration::from_hours(1)),
                ..Settings::default()
            },
            api_token: SecretString::from(self.simulator.token().to_owned()),
            jupiterone_key: None,
        }
    }

    pub(crate) async fn create(&self, name: &str) -> Connector {
        self.installation.create(&ann(), self.wish(name)).await.unwrap()
    }

    /// A connector whose first sync is through.
    pub(crate) async fn synced(&self, name: &str) -> Connector {
        let id = self.create(name).await.id;
        self.drain().await;
        self.installation.connector(id).await.unwrap()
    }

    pub(crate) async fn drain(&self) {
        self.simulator.set_remaining(4_500);
        self.supervisor().drain(None).await.unwrap();
    }
}

pub(crate) fn ann() -> Actor {
    Actor::operator("ann")
}

pub(crate) fn supervisor(installation: &Installation) -> Supervisor {
    let grace = Duration::from_millis(300);
    Supervisor::new(installation.clone()).unwrap().limited(Limits { grace, ..Limits::default() })
}

async fn open(url: &str, folder: &std::path::Path, clock: Arc<dyn Clock>) -> Installation {
    let store = Store::open(url, OpenMode::Create).await.unwrap();
    let tuning = Arc::new(|settings: &mut metsuke_clients::heroku::Settings| {
        settings.attempts = 3;
        settings.first_delay = Duration::from_millis(1);
        settings.max_delay = Duration::from_millis(4);
    });
    Installation::tuned(store, SealFile::at(folder.join("metsuke.key")), clock, tuning).await.unwrap()
}
