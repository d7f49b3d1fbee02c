//! A stand-in for C1 and replicas of the connector that work for it.

use std::sync::Arc;
use std::time::Duration;

use metsuke_baton::tasks::{Build, HostId, Service, ServiceError, Settings};
use metsuke_engine::c1::{self, Roots, Tokens};
use metsuke_model::clock::SystemClock;
use metsuke_simulator::c1::proto::connector::{Entitlement, Resource, ResourceId};
use metsuke_simulator::c1::proto::tasks::task::{GrantTask, SyncFullTask, TaskType};
use metsuke_simulator::c1::{C1, C1Call, C1Options, Called, Finished};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::hand::Hand;

/// Long enough for everything that happens at all.
pub(crate) const LONG: Duration = Duration::from_secs(20);
/// Short enough for a test to wait that nothing happens.
pub(crate) const SHORT: Duration = Duration::from_millis(300);

/// A replica that runs.
pub(crate) struct Replica {
    pub(crate) stop: CancellationToken,
    running: JoinHandle<Result<(), ServiceError>>,
}

impl Replica {
    /// Stops it and waits for its end.
    pub(crate) async fn stop(self) -> Result<(), ServiceError> {
        self.stop.cancel();
        self.end().await
    }

    /// Waits for its end.
    pub(crate) async fn end(self) -> Result<(), ServiceError> {
        tokio::time::timeout(LONG, self.running).await.unwrap().unwrap()
    }
}

pub(crate) async fn c1(options: C1Options) -> C1 {
    C1::local(options).await.unwrap()
}

/// Impatient settings, so that tests are short.
pub(crate) fn settings(host: &str) -> Settings {
    let build = Build { package: "baton-heroku".to_owned(), version: "0.1.0".to_owned() };
    let mut settings = Settings::new(HostId::choose(Some(host)), build);
    let millis = Duration::from_millis;
    settings.times.first_hello = millis(5);
    settings.times.idle_poll = millis(10);
    settings.times.failed_poll = millis(5);
    settings.times.shortest_heartbeat = millis(20);
    settings.times.failed_upload = millis(5);
    settings.times.failed_finish = millis(5);
    settings
}

pub(crate) fn tokens(c1: &C1) -> Tokens {
    let credentials = c1::credentials(c1.client_id(), c1.client_secret().into()).unwrap();
    let mut settings = c1::Settings::new(credentials);
    settings.roots = Roots::Only(c1.authority().to_owned());
    Tokens::new(settings, Arc::new(SystemClock)).unwrap()
}

pub(crate) fn replica(c1: &C1, hand: &Arc<Hand>, settings: Settings) -> Replica {
    replica_with(tokens(c1), hand, settings)
}

pub(crate) fn replica_with(tokens: Tokens, hand: &Arc<Hand>, settings: Settings) -> Replica {
    let service = Service::new(tokens, Arc::clone(hand), settings, Arc::new(SystemClock)).unwrap();
    let stop = CancellationToken::new();
    #[expect(clippy::disallowed_methods, reason = "the test holds the handle and waits for it")]
    let running = tokio::spawn(service.run(stop.clone()));
    Replica { stop, running }
}

/// A sync that is known by a name.
pub(crate) fn sync(key: &str) -> TaskType {
    let sync_resource_type_ids = vec![key.to_owned()];
    TaskType::SyncFull(SyncFullTask { sync_resource_type_ids, ..SyncFullTask::default() })
}

pub(crate) fn resource(kind: &str, id: &str) -> Resource {
    let id = ResourceId { resource_type: kind.to_owned(), resource: id.to_owned(), ..ResourceId::default() };
    Resource { id: Some(id), ..Resource::default() }
}

/// A grant of an entitlement to a user.
pub(crate) fn grant(entitlement: &str) -> TaskType {
    let entitlement = Entitlement {
        id: entitlement.to_owned(),
        resource: Some(resource("app", "a1")),
        ..Entitlement::default()
    };
    let (entitlement, principal) = (Some(entitlement), Some(resource("user", "u1")));
    TaskType::Grant(GrantTask { entitlement, principal, ..GrantTask::default() })
}

/// Waits until so many tasks are finished, and gives them.
pub(crate) async fn finished(c1: &C1, count: usize) -> Vec<Finished> {
    let done = c1.until(LONG, |c1| c1.finished().len() >= count).await;
    assert!(done, "{:?} of {count}; {:?}", c1.finished(), c1.violations());
    c1.finished()
}

/// The calls of a kind.
pub(crate) fn calls(c1: &C1, call: C1Call) -> Vec<Called> {
    c1.calls().into_iter().filter(|called| called.call == call).collect()
}

/// Waits until so many calls of a kind were answered.
pub(crate) async fn called(c1: &C1, call: C1Call, count: usize) {
    assert!(c1.until(LONG, |c1| calls(c1, call).len() >= count).await, "{:?}", calls(c1, call));
}

/// Waits for something that the stand-in does not see.
pub(crate) async fn until(so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LONG, wait).await.expect("it became so");
}

/// Every request kept the rules of the contract.
pub(crate) fn in_order(c1: &C1) {
    assert_eq!(c1.violations(), Vec::<String>::new());
}
