//! What a server does by itself: versions are recorded as they come, and what a trail or a webhook tells is read at once.

use std::sync::Arc;
use std::time::Duration;

use metsuke_engine::access::provision;
use metsuke_engine::changes::webhooks::{self, Delivery, Door, Received, Vault};
use metsuke_engine::changes::{Accelerator, EventFilter, FeedSettings, Recorder, Watch};
use metsuke_engine::connectors::{Installation, NewConnector, Settings};
use metsuke_engine::seal::SealFile;
use metsuke_engine::supervisor::Supervisor;
use metsuke_model::SystemClock;
use metsuke_model::audit::Actor;
use metsuke_simulator::{Options, Simulator, Size};
use metsuke_store::{OpenMode, Store};
use secrecy::SecretString;

async fn followed(simulator: Simulator, url: &str, folder: &std::path::Path) {
    let main = Store::open(url, OpenMode::Create).await.unwrap();
    let seal = SealFile::at(folder.join("metsuke.key"));
    let installation = Installation::open(main, seal, Arc::new(SystemClock)).await.unwrap();
    let watch = Watch::default();
    let supervisor =
        Supervisor::new(installation.clone()).unwrap().with(Arc::new(Recorder::new(watch.clone())));
    let settings = Settings {
        owner: "ann@example.com".into(),
        api_url: simulator.url(),
        provisioning: true,
        ..Settings::default()
    };
    let new = NewConnector {
        name: "acme".into(),
        settings,
        api_token: SecretString::from(simulator.token().to_owned()),
        jupiterone_key: None,
    };
    let id = installation.create(&Actor::operator("ann"), new).await.unwrap().id;
    supervisor.drain(None).await.unwrap();
    let store = installation.estate(id).await.unwrap();
    assert_eq!(store.recorded_up_to().await.unwrap().0, 1);
    let mut following = watch.follow(&store, EventFilter::default(), None).await.unwrap();
    let mut accelerator = Accelerator::new(installation.clone(), FeedSettings::default());
    accelerator.round().await;

    // A webhook: the delivery is taken, and the next round reads the app.
    let heroku = installation.heroku(id).await.unwrap();
    let vault = Vault { key: installation.sealing_key().unwrap(), installation: installation.name() };
    let allowed = provision::Settings { allow_writes: true, ..provision::Settings::default() };
    let door = Door { store: &store, heroku: &heroku, vault, settings: &allowed, clock: &SystemClock };
    let app = simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.app_names(Some(&team)).remove(0)
    });
    let app = app.unwrap();
    let base = "http://127.0.0.1:9/api/v1/webhooks/heroku".parse().unwrap();
    let hook = webhooks::add(&door, &app, &base).await.unwrap();
    simulator.edit(|world| {
        world.act_as("mallory@example.com", "198.51.100.9");
        world.set_collaborator(&app, "new@example.com", &["view", "deploy"])
    });
    while simulator.delivered().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = simulator.delivered().remove(0);
    let delivery = Delivery { hook: &hook.id, signature: Some(&told.signature), body: &told.body };
    let made = webhooks::receive(&store, &vault, &delivery, &SystemClock).await.unwrap();
    assert_eq!(made, Received::Taken);
    accelerator.round().await;
    supervisor.drain(None).await.unwrap();
    let event = tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            let event = following.next().await.unwrap();
            if event.what.get("entitlement").is_some_and(|slug| slug == "deploy") {
                return event;
            }
        }
    });
    let event = event.await.unwrap();
    assert_eq!(event.what["principal"]["email"], "new@example.com");
    assert!(event.gained.iter().any(|line| line.entitlements.contains(&"deploy".into())));
    // A second look finds nothing to do.
    accelerator.round().await;
    assert!(store.wanted_reads(1).await.unwrap().is_empty());
    let removed = installation.delete(&Actor::operator("ann"), id).await.unwrap();
    assert!(removed.rows.get("change_event").is_some_and(|rows| *rows > 0), "{:?}", removed.rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_becomes_an_event_at_once_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::local(Options::of(Size::Enterprise).seed(3).live_clock()).await.unwrap();
    let url = format!("sqlite:{}", folder.path().join("main.db").display());
    followed(simulator, &url, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_becomes_an_event_at_once_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let database = metsuke_testkit::fresh_database();
    let simulator = Simulator::local(Options::of(Size::Enterprise).seed(3).live_clock()).await.unwrap();
    followed(simulator, &database.url, folder.path()).await;
}
