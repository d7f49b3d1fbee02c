//! A simulated Heroku, a store and the client between them: what every test of the engine starts from.

use std::collections::BTreeSet;
use std::time::Duration;

use metsuke_clients::heroku::{Heroku, Settings};
use metsuke_engine::access::{GrantFilter, grants};
use metsuke_engine::sync::{self, SyncFailure, SyncSummary};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::{AsOf, Grant, SystemClock};
use metsuke_simulator::{Options, Simulator};
use metsuke_store::{Brake, OpenMode, Snapshot, Store};
use metsuke_testkit::TestDatabase;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

pub(crate) struct House {
    pub(crate) simulator: Simulator,
    pub(crate) store: Store,
    _folder: tempfile::TempDir,
    _database: Option<TestDatabase>,
}

/// A grant as four words: resource type, resource id, entitlement, principal id.
pub(crate) type Line = (String, String, String, String);

impl House {
    pub(crate) async fn on_sqlite(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
        let store = Store::open(&url, OpenMode::Create).await.unwrap().braked(Brake::OFF);
        Self { simulator: Simulator::local(options).await.unwrap(), store, _folder: folder, _database: None }
    }

    pub(crate) async fn on_postgres(options: Options) -> Self {
        let database = metsuke_testkit::fresh_database();
        let store = Store::open(&database.url, OpenMode::Create).await.unwrap().braked(Brake::OFF);
        let simulator = Simulator::local(options).await.unwrap();
        Self { simulator, store, _folder: tempfile::tempdir().unwrap(), _database: Some(database) }
    }

    /// A client that retries as patiently as the real one, but with short waits.
    pub(crate) fn heroku(&self, token: &str) -> Heroku {
        let url = self.simulator.url().parse().unwrap();
        let mut settings = Settings::new(url, SecretString::from(token.to_owned()));
        settings.attempts = 3;
        settings.first_delay = Duration::from_millis(1);
        settings.max_delay = Duration::from_millis(4);
        settings.idle_timeout = Duration::from_millis(400);
        settings.request_timeout = Duration::from_millis(1500);
        Heroku::new(settings).unwrap()
    }

    pub(crate) async fn try_sync(&self) -> Result<SyncSummary, Box<SyncFailure>> {
        self.sync_with(self.simulator.token()).await
    }

    pub(crate) async fn sync_with(&self, token: &str) -> Result<SyncSummary, Box<SyncFailure>> {
        // Each sync begins with a full pool: what a drained one does is tested beside the client.
        self.simulator.set_remaining(4_500);
        let heroku = self.heroku(token);
        let (settings, cancel) = (sync::Settings::default(), CancellationToken::new());
        sync::run(&heroku, &self.store, &settings, &SystemClock, &(), &cancel).await
    }

    pub(crate) async fn sync(&self) -> SyncSummary {
        self.try_sync().await.unwrap()
    }

    pub(crate) async fn snapshot(&self, as_of: Option<AsOf>) -> Snapshot {
        self.store.snapshot(as_of).await.unwrap().unwrap()
    }

    pub(crate) async fn lines(&self, filter: &GrantFilter, as_of: Option<AsOf>) -> Vec<Grant> {
        let mut lines = Vec::new();
        let mut snapshot = self.snapshot(as_of).await;
        let mut take = |grant: &Grant| {
            lines.push(grant.clone());
            Ok(())
        };
        grants(&mut snapshot, filter, &mut take).await.unwrap().unwrap();
        lines
    }

    /// The direct grants of people, as the store has them.
    pub(crate) async fn direct(&self, as_of: Option<AsOf>) -> BTreeSet<Line> {
        let lines = self.lines(&GrantFilter::default(), as_of).await;
        let people = lines.iter().filter(|grant| grant.principal.kind == PrincipalKind::User);
        let set: BTreeSet<Line> = people.clone().map(line).collect();
        assert_eq!(set.len(), people.count(), "every grant is one line");
        set
    }

    /// The direct grants of people, as the simulated Heroku has them.
    pub(crate) fn truth(&self) -> BTreeSet<Line> {
        let truth = self.simulator.truth();
        truth
            .grants()
            .map(|grant| {
                (grant.resource_type.to_owned(), grant.resource_id, grant.entitlement, grant.principal_id)
            })
            .collect()
    }
}

pub(crate) fn line(grant: &Grant) -> Line {
    (
        grant.resource.resource_type.as_str().to_owned(),
        grant.resource.id.to_string(),
        grant.entitlement.to_string(),
        grant.principal.id.to_string(),
    )
}
