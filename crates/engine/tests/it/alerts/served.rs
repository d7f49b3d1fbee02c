//! A connector whose account changes: synced, evaluated and told by the jobs of a server, without anybody asking.

use std::sync::Arc;

use metsuke_clients::deliver::{Outside, OutsideSettings};
use metsuke_engine::alerts::{Courier, Evaluator, NewChannel, open_channels, remove_channel, save_channel};
use metsuke_engine::connectors::{Installation, NewConnector, Settings};
use metsuke_engine::findings;
use metsuke_engine::seal::SealFile;
use metsuke_engine::supervisor::Supervisor;
use metsuke_model::audit::Actor;
use metsuke_model::finding::FindingState;
use metsuke_model::{Clock as _, FixedClock, Moment, SystemClock};
use metsuke_simulator::receivers::{Mood, Receiver};
use metsuke_store::{FindingFilter, OpenMode, Store};
use serde_json::json;

use super::desk::{SECOND, SECRET};
use crate::rules::fixture::company;

const BOB: &str = "bob@northwind.example";

#[tokio::test(flavor = "multi_thread")]
async fn a_change_at_heroku_becomes_a_finding_and_an_alert() {
    let (house, receiver) = (company().await, Receiver::local().await.unwrap());
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
    let main = Store::open(&url, OpenMode::Create).await.unwrap();
    let clock = Arc::new(FixedClock::at(SystemClock.now()));
    let seal = SealFile::at(folder.path().join("metsuke.key"));
    let installation = Installation::open(main, seal, clock.clone()).await.unwrap();
    let actor = Actor::operator("ann");
    let settings =
        json!({ "rules": ["D01"], "way": { "kind": "webhook", "url": format!("{}/hook", receiver.url()) } });
    let new = || NewChannel { name: "ops", settings: &settings, enabled: true, secret: Some(SECRET.into()) };
    let unsigned = NewChannel { secret: None, ..new() };
    assert!(save_channel(&installation, &actor, None, unsigned).await.is_err(), "it needs a secret");
    let row = save_channel(&installation, &actor, None, new()).await.unwrap();
    assert!(save_channel(&installation, &actor, None, new()).await.is_err(), "the name is taken");
    let renamed = NewChannel { name: "soc", secret: None, ..new() };
    let changed = save_channel(&installation, &actor, Some(&row.id), renamed).await.unwrap();
    assert_eq!((changed.id.clone(), changed.secret), (row.id, row.secret), "it keeps its secret");
    assert_eq!(open_channels(&installation).await.unwrap().len(), 1);

    let connector = NewConnector {
        name: "northwind".into(),
        settings: Settings {
            owner: "ann@northwind.example".into(),
            api_url: house.simulator.url(),
            ..Settings::default()
        },
        api_token: house.simulator.token().into(),
        jupiterone_key: None,
    };
    let connector = installation.create(&actor, connector).await.unwrap();
    let outside = Outside::new(OutsideSettings {
        allow_plain: true,
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        ..OutsideSettings::default()
    });
    let supervisor = Supervisor::new(installation.clone()).unwrap();
    let supervisor = supervisor.with(Arc::new(Evaluator::default())).with(Arc::new(Courier::new(outside)));
    supervisor.drain(None).await.unwrap();
    assert!(receiver.received().is_empty(), "the first version has no changes");

    house.simulator.edit(|world| world.set_role("core", BOB, Some("admin"))).unwrap();
    receiver.set_mood(Mood::Down(503));
    clock.advance(SECOND);
    installation.sync_now(&actor, connector.id).await.unwrap();
    supervisor.drain(None).await.unwrap();
    assert_eq!(receiver.received().len(), 1);
    receiver.set_mood(Mood::Up);
    clock.advance(10 * SECOND);
    supervisor.drain(None).await.unwrap();
    let told = receiver.received().pop().unwrap();
    let (body, id) = (told.json(), told.headers["webhook-id"].clone());
    assert_eq!((&body["data"]["rule"], &body["data"]["connector"]), (&json!("D01"), &json!("northwind")));
    assert_eq!(body["data"]["changes"][0]["after"], "admin");
    assert!(body["data"]["command"].as_str().unwrap().contains("--role member"));
    assert_eq!(receiver.received()[0].headers["webhook-id"], id, "the same id each time");

    // What somebody accepts is open again when its time is over, with no sync in between.
    let estate = installation.estate(connector.id).await.unwrap();
    let filter = FindingFilter { rule: Some("D01".into()), ..FindingFilter::default() };
    let state = async || estate.findings(&filter).await.unwrap().remove(0).state;
    let until = Moment(clock.now().0 + 3_600 * SECOND);
    let finding = estate.findings(&filter).await.unwrap().remove(0).fingerprint;
    findings::accept(&estate, &finding, None, (until, "known"), &*clock).await.unwrap().unwrap();
    supervisor.drain(None).await.unwrap();
    assert_eq!(state().await, FindingState::Accepted);
    clock.advance(3_601 * SECOND);
    supervisor.drain(None).await.unwrap();
    assert_eq!(state().await, FindingState::Open);
    assert_eq!(receiver.received().pop().unwrap().json()["type"], "finding.lapsed");
    assert_eq!(remove_channel(&installation, &actor, "soc").await.unwrap(), Some(0));
    assert_eq!(remove_channel(&installation, &actor, "soc").await.unwrap(), None);
}
