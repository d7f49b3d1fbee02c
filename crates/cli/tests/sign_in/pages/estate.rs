//! A server with a connector that has read a small made-up company, twice.

use std::sync::Arc;

use metsuke_engine::alerts::Evaluator;
use metsuke_engine::changes::Recorder;
use metsuke_engine::connectors::{NewConnector, Settings};
use metsuke_engine::identity::Role;
use metsuke_engine::lists;
use metsuke_engine::supervisor::Supervisor;
use metsuke_model::ConnectorId;
use metsuke_model::audit::Actor;
use metsuke_simulator::{Options, Simulator, Size, World};
use metsuke_store::Snapshot;

use crate::browser::{Answer, Browser};
use crate::house::{HOUR, House};

/// A name that would do much if it were believed.
const HOSTILE: &str = "<script>alert(1)</script>\u{202e}cod\"'><img src=x>";
/// A name that a spreadsheet would take for a formula.
pub(super) const FORMULA: &str = "=cmd|' /C calc'!A0";

/// The server and what it reads.
pub(super) struct Estate {
    pub(super) house: House,
    pub(super) simulator: Simulator,
    pub(super) connector: ConnectorId,
}

impl Estate {
    /// One whose first apps have hostile names, and in which something has changed since.
    pub(super) async fn new() -> Self {
        let house = House::new().await;
        let company = Size::Company { teams: 4, people: 40, apps: 60 };
        let simulator = Simulator::local(Options::of(company).seed(7)).await.unwrap();
        let settings =
            Settings { owner: "owner@example.com".into(), api_url: simulator.url(), ..Settings::default() };
        let new = NewConnector {
            name: "Example".into(),
            settings,
            api_token: simulator.token().into(),
            jupiterone_key: None,
        };
        let made = house.installation.create(&Actor::operator("test"), new).await.unwrap();
        let estate = Self { house, simulator, connector: made.id };
        estate.work().await;
        let mut snapshot = estate.snapshot().await;
        let apps = lists::apps(&mut snapshot).await.unwrap();
        let team = lists::teams(&mut snapshot).await.unwrap().remove(0).name.unwrap();
        drop(snapshot);
        let mut names = apps.into_iter().filter(|app| app.team.is_some()).filter_map(|app| app.name);
        let (one, two, three) = (names.next().unwrap(), names.next().unwrap(), names.next().unwrap());
        estate
            .later(|world| {
                world.rename_app(&one, HOSTILE);
                world.rename_app(&two, FORMULA);
                world.rename_app(&three, &"long".repeat(2_500));
                world.set_member(&team, "new.admin@example.com", Some("admin"));
            })
            .await;
        estate
    }

    /// Another connector to the same Heroku, which has read it once.
    pub(super) async fn another(&self, name: &str) -> ConnectorId {
        let settings = Settings {
            owner: "owner@example.com".into(),
            api_url: self.simulator.url(),
            ..Settings::default()
        };
        let new = NewConnector {
            name: name.into(),
            settings,
            api_token: self.simulator.token().into(),
            jupiterone_key: None,
        };
        let made = self.house.installation.create(&Actor::operator("test"), new).await.unwrap();
        self.work().await;
        made.id
    }

    /// Lets something happen at Heroku, and reads it an hour later.
    pub(super) async fn later(&self, happens: impl FnOnce(&mut World)) {
        self.simulator.edit(happens);
        self.house.pass(HOUR);
        self.house.installation.sync_now(&Actor::operator("test"), self.connector).await.unwrap();
        self.work().await;
    }

    async fn work(&self) {
        let supervisor = Supervisor::new(self.house.installation.clone()).unwrap();
        let supervisor = supervisor.with(Arc::new(Recorder::default())).with(Arc::new(Evaluator::default()));
        supervisor.drain(None).await.unwrap();
    }

    /// What was read last.
    pub(super) async fn snapshot(&self) -> Snapshot {
        let store = self.house.installation.estate(self.connector).await.unwrap();
        store.snapshot(None).await.unwrap().unwrap()
    }

    /// A browser in which somebody with this role has signed in.
    pub(super) async fn browser(&self, role: Role) -> Browser {
        let email = format!("{role}@example.com");
        self.house.person(&email, role).await;
        self.house.signed_in(&email).await
    }
}

/// The addresses that a page leads to, of this server.
pub(super) fn links(answer: &Answer) -> Vec<String> {
    let plain = |link: &str| link.replace("&amp;", "&").split('#').next().unwrap_or_default().to_owned();
    let after = answer.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    after.filter(|link| link.starts_with('/') && !link.starts_with("/assets/")).map(plain).collect()
}

/// The first of these links that begins so and goes on.
pub(super) fn link_to(answer: &Answer, list: &str) -> String {
    let found = links(answer).into_iter().find(|link| link.starts_with(list) && link.len() > list.len());
    found.unwrap_or_else(|| format!("no link to {list} on the page"))
}
