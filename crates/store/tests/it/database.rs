//! An empty database of a test's own, on either engine.

use std::path::PathBuf;

use metsuke_model::{Coverage, Estate, FixedClock, Moment, SyncReport, SyncStatus};
use metsuke_store::{Brake, Committed, OpenMode, Store, StoreError};
use metsuke_testkit::TestDatabase;
use tempfile::TempDir;

/// Gone with this value.
pub(crate) struct Database {
    pub(crate) url: String,
    folder: TempDir,
    postgres: Option<TestDatabase>,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
        Self { url, folder, postgres: None }
    }

    pub(crate) fn postgres() -> Self {
        let database = metsuke_testkit::fresh_database();
        Self { url: database.url.clone(), folder: tempfile::tempdir().unwrap(), postgres: Some(database) }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.postgres.is_none()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("metsuke.db")
    }

    /// Opened so that no commit is ever held up: most tests take away what they like.
    pub(crate) async fn open(&self) -> Store {
        self.open_braked(Brake::OFF).await
    }

    pub(crate) async fn open_braked(&self, brake: Brake) -> Store {
        Store::open(&self.url, OpenMode::Create).await.unwrap().braked(brake)
    }

    /// Runs a statement past the store.
    pub(crate) async fn sql(&self, statement: &'static str) {
        if self.is_sqlite() {
            metsuke_testkit::sqlite(&self.file(), statement).await.unwrap();
        } else {
            let pool = sqlx::PgPool::connect(&self.url).await.unwrap();
            sqlx::raw_sql(statement).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
}

/// A report of a complete sync that began at this second.
pub(crate) fn report(second: i64) -> SyncReport {
    SyncReport {
        status: SyncStatus::Complete,
        started_at: Moment(second * 1_000_000),
        finished_at: Moment(second * 1_000_000),
        requests: 7,
        waited_ms: 0,
        error: None,
        scopes: Vec::new(),
    }
}

/// Commits as of this second.
pub(crate) async fn try_commit(
    store: &Store,
    estate: Estate,
    coverage: &Coverage,
    second: i64,
) -> Result<Committed, StoreError> {
    store.commit(estate, coverage, &report(second), &FixedClock::at(Moment(second * 1_000_000))).await
}

pub(crate) async fn commit(store: &Store, estate: &Estate, coverage: &Coverage, second: i64) -> Committed {
    try_commit(store, estate.clone(), coverage, second).await.unwrap()
}
