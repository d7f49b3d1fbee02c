//! Small estates made by hand, a rule about them, and a desk that delivers what comes of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use metsuke_clients::deliver::{Outside, OutsideSettings};
use metsuke_engine::alerts::{Channel, ChannelSettings, Desk, DeskSettings, Pass, deliver_due};
use metsuke_engine::findings::{self, Asked, Summary, Watched, Which};
use metsuke_engine::rules::Limits;
use metsuke_model::access::Entitlement;
use metsuke_model::record::{Team, User};
use metsuke_model::{
    AccessRow, Coverage, Estate, FixedClock, HerokuId, Kind, Moment, Resource, ResourceType, SyncReport,
    SyncStatus, Version,
};
use metsuke_simulator::receivers::Receiver;
use metsuke_store::{Brake, OpenMode, Store};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::findings::admins;

pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(super) const SECOND: i64 = 1_000_000;

/// A store with a rule about admins of the team core, and a clock that is moved by hand.
pub(super) struct House {
    pub(super) store: Store,
    pub(super) clock: FixedClock,
    pub(super) rules: Vec<Watched>,
    pub(super) channels: Vec<Channel>,
    pub(super) outside: Outside,
    pub(super) settings: DeskSettings,
    version: AtomicI64,
    folder: TempDir,
}

impl House {
    pub(super) async fn new(channels: Vec<Channel>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
        let store = Store::open(&url, OpenMode::Create).await.unwrap().braked(Brake::OFF);
        Self {
            store,
            clock: FixedClock::at(Moment::parse("2026-11-20T12:00:00Z").unwrap()),
            rules: vec![admins(&json!({}))],
            channels,
            outside: Outside::new(OutsideSettings {
                allow_plain: true,
                allow: vec!["127.0.0.0/8".parse().unwrap()],
                ..OutsideSettings::default()
            }),
            settings: DeskSettings::default(),
            version: AtomicI64::new(0),
            folder,
        }
    }

    /// Begins again as a new process would.
    pub(super) async fn restart(&mut self) {
        let url = format!("sqlite:{}", self.folder.path().join("metsuke.db").display());
        self.store = Store::open(&url, OpenMode::Existing).await.unwrap().braked(Brake::OFF);
    }

    /// A version in which these are the admins of core.
    pub(super) async fn version(&self, people: &[&str], admins: &BTreeSet<&str>) -> Version {
        self.version_that_says(people, admins, SyncStatus::Complete).await
    }

    /// The same, of a sync that says of itself that it was so.
    pub(super) async fn version_that_says(
        &self,
        people: &[&str],
        admins: &BTreeSet<&str>,
        status: SyncStatus,
    ) -> Version {
        let estate = estate(people, admins);
        let mut coverage = Coverage::default();
        for kind in Kind::ALL {
            coverage.cover_kind(kind);
        }
        for resource in &estate.resources {
            coverage.cover_access(resource.clone());
        }
        let now = metsuke_model::Clock::now(&self.clock);
        let report = SyncReport {
            status,
            started_at: now,
            finished_at: now,
            requests: 1,
            waited_ms: 0,
            error: None,
            scopes: Vec::new(),
        };
        let committed = self.store.commit(estate, &coverage, &report, &self.clock).await.unwrap();
        self.version.store(committed.version.0, Ordering::SeqCst);
        committed.version
    }

    pub(super) async fn evaluate(&self) -> Summary {
        let asked = Asked {
            store: &self.store,
            rules: &self.rules,
            of: Which::Following,
            channels: &self.channels,
            connector: Some("northwind"),
            account_name: None,
            // Each rule is stored by itself, so that a crash may fall between it and the mark of the version.
            limits: Limits { most_held: 0, ..Limits::default() },
            folder: Path::new("/nonexistent"),
        };
        let version = Version(self.version.load(Ordering::SeqCst));
        findings::evaluate(&asked, version, &self.clock).await.unwrap()
    }

    pub(super) fn desk(&self) -> Desk<'_> {
        Desk {
            store: &self.store,
            channels: &self.channels,
            outside: &self.outside,
            connector: Some("northwind"),
            settings: self.settings,
        }
    }

    pub(super) async fn deliver(&self) -> Pass {
        deliver_due(&self.desk(), &self.clock, &CancellationToken::new()).await.unwrap()
    }
}

fn estate(people: &[&str], admins: &BTreeSet<&str>) -> Estate {
    let mut team = Team::new(HerokuId::new("core-id"));
    (team.name, team.listed) = (Some("core".into()), Some(true));
    let mut estate = Estate { teams: vec![team].into(), ..Estate::default() };
    estate.resources.push(Resource { resource_type: ResourceType::Team, id: HerokuId::new("core-id") });
    for (principal, name) in (0..).zip(people) {
        let mut user = User::new(HerokuId::new(&format!("id-{principal}")));
        user.email = Some((*name).into());
        estate.principals.push(user.id.clone());
        estate.users.push(user);
        let held = if admins.contains(name) { Entitlement::ADMIN } else { Entitlement::MEMBER };
        estate.access.push(AccessRow { resource: 0, principal, mask: held.mask() });
    }
    estate
}

/// A channel with these settings.
pub(super) fn channel(name: &str, settings: &Json, secret: Option<&str>) -> Channel {
    Channel {
        id: format!("id-{name}"),
        name: name.into(),
        enabled: true,
        settings: ChannelSettings::read(settings).unwrap(),
        secret: secret.map(SecretString::from),
    }
}

/// A channel that sends signed requests to this receiver.
pub(super) fn webhook(name: &str, receiver: &Receiver, more: &Json) -> Channel {
    let mut settings = json!({ "way": { "kind": "webhook", "url": format!("{}/{name}", receiver.url()) } });
    for (member, value) in more.as_object().unwrap() {
        settings[member] = value.clone();
    }
    channel(name, &settings, Some(SECRET))
}
