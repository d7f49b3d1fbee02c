//! Whole estates, made up and told to a database: the same questions to it and to a graph in memory have one answer.
//!
//! Invariant: both read the same version, so each difference is a mistake of one of them.

mod company;
mod differential;
pub(crate) mod estates;
pub(crate) mod later;
pub(crate) mod memory;
mod words;

use metsuke_model::graph::Employee;
use metsuke_model::people::RosterKind;
use metsuke_model::record::Record;
use metsuke_model::{
    Coverage, Estate, FixedClock, Kind, Moment, Resource, ResourceType, SyncReport, SyncStatus,
};
use metsuke_store::{Brake, OpenMode, Store};
use metsuke_testkit::TestDatabase;
use tempfile::TempDir;

/// What there is to ask about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) estate: Estate,
    employees: Vec<Employee>,
}

impl Told {
    /// Names the resources and principals that rows of access will point at: all there are, in a fixed order.
    fn name_holders(&mut self) {
        fn all<T: Record>(records: &[T]) -> impl Iterator<Item = Resource> {
            let resource_type = ResourceType::of(T::KIND);
            records.iter().filter_map(move |record| {
                Some(Resource { resource_type: resource_type?, id: record.id().clone() })
            })
        }
        let estate = &mut self.estate;
        estate.resources = all(&estate.teams)
            .chain(all(&estate.enterprise_accounts))
            .chain(all(&estate.apps))
            .chain(all(&estate.spaces))
            .collect();
        estate.principals = estate.users.iter().map(|user| user.id.clone()).collect();
    }
}

/// A database of a test's own that holds what was told, as its first version.
pub(crate) struct Library {
    pub(crate) store: Store,
    _folder: TempDir,
    _database: Option<TestDatabase>,
}

impl Library {
    pub(crate) async fn on_sqlite(told: &Told, at: Moment) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
        Self::filled(&url, told, at, folder, None).await
    }

    pub(crate) async fn on_postgres(told: &Told, at: Moment) -> Self {
        let database = metsuke_testkit::fresh_database();
        let url = database.url.clone();
        Self::filled(&url, told, at, tempfile::tempdir().unwrap(), Some(database)).await
    }

    async fn filled(
        url: &str,
        told: &Told,
        at: Moment,
        folder: TempDir,
        database: Option<TestDatabase>,
    ) -> Self {
        let store = Store::open(url, OpenMode::Create).await.unwrap().braked(Brake::OFF);
        let library = Self { store, _folder: folder, _database: database };
        library.tell(told, at).await;
        library
    }

    /// Tells what there is now, as the next version.
    pub(crate) async fn tell(&self, told: &Told, at: Moment) {
        let report = SyncReport {
            status: SyncStatus::Complete,
            started_at: at,
            finished_at: at,
            requests: 1,
            waited_ms: 0,
            error: None,
            scopes: Vec::new(),
        };
        let mut coverage = Coverage::default();
        for kind in Kind::ALL {
            coverage.cover_kind(kind);
        }
        for resource in &told.estate.resources {
            coverage.cover_access(resource.clone());
        }
        self.store.commit(told.estate.clone(), &coverage, &report, &FixedClock::at(at)).await.unwrap();
        let roster = ("hr", RosterKind::Csv);
        self.store.import_roster(roster, told.employees.clone(), at, |_| true).await.unwrap();
    }
}
