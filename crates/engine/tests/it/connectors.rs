//! Connectors from their making to their end, on both engines, against the simulated Heroku.

mod canary;
mod keeping;
mod queue;
mod schedules;
mod site;

use std::sync::Arc;
use std::time::Duration;

use metsuke_engine::connectors::{ConnectorEdit, JupiterOneUpload, LogSelect, RunStatus, Settings, State};
use metsuke_engine::schedule::Polling;
use metsuke_engine::{EngineError, ErrorKind};
use metsuke_model::Clock as _;
use metsuke_simulator::jupiterone::{JupiterOne as StandIn, JupiterOneOptions};
use metsuke_store::{ConnectorStatus, OpenMode, Store};
use secrecy::SecretString;
use serde_json::json;

use site::{Site, ann};

/// Makes two tests of each body, one for each engine.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::connectors::site::Site::on_sqlite().await).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::connectors::site::Site::on_postgres().await).await;
            })+
        }
    };
}
use on_both_engines;

on_both_engines!(
    a_connector_goes_from_its_making_to_connected,
    a_wrong_token_fails_in_words_and_is_replaced_in_place,
    what_cannot_be_is_refused_all_at_once,
    settings_change_only_in_the_edition_that_was_read,
    a_paused_connector_starts_nothing_by_itself,
    a_token_is_tried_before_it_is_used,
    a_removed_connector_leaves_its_trail_and_nothing_else,
    what_a_crash_left_half_removed_is_finished_at_the_start,
    what_a_crash_left_half_made_is_finished_or_forgotten,
    connectors_of_one_account_share_one_budget,
    a_log_is_followed_while_it_grows,
    the_tags_of_a_connector_are_on_every_entity_that_is_uploaded,
);

async fn the_tags_of_a_connector_are_on_every_entity_that_is_uploaded(site: Site) {
    let options = JupiterOneOptions::default();
    let key = SecretString::from(options.api_key.clone());
    let jupiterone = StandIn::local(options.clone()).await.unwrap();
    let mut wish = site.wish("core");
    wish.settings.tag_account_name = Some("Core".into());
    wish.settings.tag_production = true;
    wish.settings.after_sync.jupiterone = Some(JupiterOneUpload {
        account: options.account,
        instance: Some("instance-1".into()),
        scope: None,
        api_url: Some(jupiterone.url()),
    });
    wish.jupiterone_key = Some(key);
    let made = site.installation.create(&ann(), wish).await.unwrap();
    site.drain().await;
    let tags = |held: &serde_json::Map<String, serde_json::Value>| {
        (held.get("tag.AccountName").cloned(), held.get("tag.Production").cloned())
    };
    let graph = jupiterone.graph("instance-1");
    let (name, yes) = (Some(json!("Core")), Some(json!(true)));
    assert!(graph.entities().count() > 10);
    assert!(graph.entities().all(|(_, held)| tags(&held.object) == (name.clone(), yes.clone())));
    assert!(graph.relationships().all(|(_, held)| tags(&held.object) == (None, None)), "entities alone");
    // What is no production any more says so with the next version.
    let connector = site.installation.connector(made.id).await.unwrap();
    let settings = Settings { tag_account_name: None, tag_production: false, ..connector.settings };
    let edit = ConnectorEdit { settings: Some(settings), ..ConnectorEdit::default() };
    site.installation.edit(&ann(), made.id, None, edit).await.unwrap();
    site.installation.sync_now(&ann(), made.id).await.unwrap();
    site.drain().await;
    let graph = jupiterone.graph("instance-1");
    assert!(graph.entities().all(|(_, held)| tags(&held.object) == (None, None)));
}

async fn a_connector_goes_from_its_making_to_connected(site: Site) {
    let made = site.create("core").await;
    assert_eq!(made.state, State::Syncing);
    assert_eq!(made.next_sync_at.unwrap().0 - made.created_at.0, 3_600_000_000);
    site.drain().await;
    let connector = site.installation.connector(made.id).await.unwrap();
    assert_eq!(connector.state, State::Connected, "{}", connector.reason);
    assert!(connector.reason.starts_with("version 1 was read completely"), "{}", connector.reason);
    assert!(connector.account.is_some());
    let run = connector.last_run.unwrap();
    assert_eq!(
        (run.status, run.cause.as_str(), run.asked_by.as_str()),
        (RunStatus::Complete, "created", "ann")
    );
    let (told, scopes) = site.installation.run(made.id, run.id).await.unwrap();
    assert_eq!(told, run);
    assert!(scopes.len() > 5 && scopes.iter().all(|scope| !scope.gap));
    let store = site.installation.estate(made.id).await.unwrap();
    let snapshot = store.snapshot(None).await.unwrap().unwrap();
    assert!(snapshot.sync().counts.grants > 0);
    assert!(site.installation.main().snapshot(None).await.unwrap().is_none());
    assert_eq!(site.installation.find("CORE").await.unwrap(), made.id);
    let select = LogSelect { limit: 100, ..LogSelect::default() };
    let lines = site.installation.logs(made.id, select).await.unwrap();
    assert!(lines.len() >= 2 && lines.iter().all(|line| line.run == run.id), "{lines:?}");
}

async fn a_wrong_token_fails_in_words_and_is_replaced_in_place(site: Site) {
    let mut wish = site.wish("core");
    wish.api_token = SecretString::from("HRKU-nobody-knows-it");
    let id = site.installation.create(&ann(), wish).await.unwrap().id;
    site.drain().await;
    let connector = site.installation.connector(id).await.unwrap();
    assert_eq!(connector.state, State::Failing);
    assert!(connector.reason.contains("does not accept the token"), "{}", connector.reason);
    let edit = ConnectorEdit {
        api_token: Some(SecretString::from(site.simulator.token().to_owned())),
        ..ConnectorEdit::default()
    };
    let edited = site.installation.edit(&ann(), id, None, edit).await.unwrap();
    assert_eq!(edited.edition, 1, "a token is no setting");
    site.clock.advance(1_000_000);
    assert!(site.installation.sync_now(&ann(), id).await.unwrap().new);
    site.drain().await;
    assert_eq!(site.installation.connector(id).await.unwrap().state, State::Connected);
}

async fn what_cannot_be_is_refused_all_at_once(site: Site) {
    let mut wish = site.wish(" ");
    wish.settings.owner = "ann".to_owned();
    wish.settings.api_url = "http://api.heroku.com".to_owned();
    wish.api_token = SecretString::from("HRKU with a blank");
    let error = site.installation.create(&ann(), wish).await.unwrap_err();
    assert!(!error.to_string().contains("HRKU"));
    let EngineError::Fields { fields } = error else { panic!("{error}") };
    let named: Vec<_> = fields.iter().map(|bad| bad.field).collect();
    assert_eq!(named, ["name", "owner", "api_url", "api_token"]);
    site.create("core").await;
    let taken = site.installation.create(&ann(), site.wish("Core")).await.unwrap_err();
    assert!(matches!(taken, EngineError::NameTaken { .. }) && taken.kind() == ErrorKind::Conflict);
    assert!(matches!(site.installation.find("other").await, Err(EngineError::NoConnector { .. })));
}

async fn settings_change_only_in_the_edition_that_was_read(site: Site) {
    let made = site.create("core").await;
    let mut settings = made.settings.clone();
    settings.polling_interval = Polling::cron("30 2 * * *", "Europe/Berlin").unwrap();
    settings.description = "ours".to_owned();
    let name = Some("Core 2".to_owned());
    let edit = ConnectorEdit { name, settings: Some(settings.clone()), ..ConnectorEdit::default() };
    let edited = site.installation.edit(&ann(), made.id, Some(1), edit.clone()).await.unwrap();
    assert_eq!((edited.edition, edited.name.as_str(), &edited.settings), (2, "Core 2", &settings));
    assert_eq!(edited.next_sync_at.unwrap().to_string(), "2026-11-02T01:30:00Z");
    let late = site.installation.edit(&ann(), made.id, Some(1), edit).await.unwrap_err();
    assert!(matches!(late, EngineError::Changed { found: 2, asked: 1 }));
}

async fn a_paused_connector_starts_nothing_by_itself(site: Site) {
    let id = site.synced("core").await.id;
    let paused = site.installation.pause(&ann(), id).await.unwrap();
    assert_eq!((paused.state, paused.next_sync_at), (State::Paused, None));
    site.clock.advance(5 * 3_600_000_000);
    assert!(site.supervisor().tick().await.unwrap().is_empty());
    assert!(site.installation.sync_now(&ann(), id).await.unwrap().new, "somebody may still ask");
    site.drain().await;
    let resumed = site.installation.resume(&ann(), id).await.unwrap();
    assert_eq!(resumed.state, State::Connected);
    assert!(site.supervisor().tick().await.unwrap().is_empty(), "nothing is made up for");
    site.clock.advance(3_600_000_000);
    assert_eq!(site.supervisor().tick().await.unwrap().len(), 1);
}

async fn a_token_is_tried_before_it_is_used(site: Site) {
    let url = site.simulator.url();
    let token = |text: &str| SecretString::from(text.to_owned());
    let good = site.installation.test_token(&url, token(site.simulator.token())).await.unwrap();
    assert!(good.problems.is_empty() && good.teams > Some(0) && good.apps > Some(0), "{good:?}");
    let identity = site.simulator.token_with("identity");
    let small = site.installation.test_token(&url, token(&identity)).await.unwrap();
    assert!(small.problems.iter().any(|problem| problem.contains("`identity`")), "{small:?}");
    let wrong = site.installation.test_token(&url, token("HRKU-wrong")).await.unwrap_err();
    assert!(matches!(wrong, EngineError::WrongToken { .. }), "{wrong}");
    let id = site.create("core").await.id;
    assert_eq!(site.installation.test(id).await.unwrap().account_id, good.account_id);
}

async fn a_removed_connector_leaves_its_trail_and_nothing_else(site: Site) {
    let connector = site.synced("core").await;
    let removal = site.installation.delete(&ann(), connector.id).await.unwrap();
    assert_eq!((removal.name.as_str(), removal.versions, removal.last_version), ("core", 1, Some(1)));
    assert!(removal.entities > 10 && removal.grants > 0 && removal.rows["connector_credential"] == 1);
    assert!(matches!(site.installation.connector(connector.id).await, Err(EngineError::NoConnector { .. })));
    assert!(site.installation.connectors().await.unwrap().is_empty());
    assert!(site.installation.delete(&ann(), connector.id).await.is_err());
    let kept = site.installation.removed().await.unwrap();
    assert_eq!((kept.len(), kept[0].name.as_str()), (1, "core"));
    let trail = site.installation.trail(connector.id).await.unwrap();
    let events = trail.audit_rows_before(None, 10).await.unwrap();
    assert!(events[0].text.contains("connector.removed") && events[0].text.contains(&removal.fingerprint));
    assert!(events.iter().any(|event| event.text.contains("connector.created")));
    let main = site.installation.main().audit_rows_before(None, 1).await.unwrap();
    assert!(main[0].text.contains("connector.removed") && main[0].text.contains(&removal.fingerprint));
    assert!(trail.is_wiped().await.unwrap() && trail.snapshot(None).await.unwrap().is_none());
    let again = site.create("core").await;
    assert_ne!(again.id, connector.id);
}

async fn what_a_crash_left_half_removed_is_finished_at_the_start(site: Site) {
    let (one, other) = (site.synced("one").await, site.synced("other").await);
    let main = site.installation.main();
    // The first went away before the wiping, the second after it.
    main.mark_connector(one.id, ConnectorStatus::Removing, None, None).await.unwrap();
    main.mark_connector(other.id, ConnectorStatus::Removing, None, None).await.unwrap();
    let store = site.installation.trail(other.id).await.unwrap();
    let event = store.event(site.clock.now(), metsuke_model::audit::EventCode::ConnectorRemoved);
    let wiped = store.wipe(site.clock.now(), event).await.unwrap();
    assert!(site.installation.connectors().await.unwrap().is_empty());
    let another = site.another().await;
    another.recover().await.unwrap();
    let removed = another.removed().await.unwrap();
    assert_eq!(removed.len(), 2);
    assert!(removed.iter().any(|row| row.removal.as_ref() == Some(&wiped.document())));
    assert!(another.trail(one.id).await.unwrap().is_wiped().await.unwrap());
    another.recover().await.unwrap();
}

async fn what_a_crash_left_half_made_is_finished_or_forgotten(site: Site) {
    let main = site.installation.main();
    let id = |number| metsuke_model::ConnectorId::new(site.clock.now(), [number; 10]);
    assert!(main.register_connector(id(1), "empty", site.clock.now()).await.unwrap());
    main.estate(id(1), OpenMode::Create).await.unwrap().close().await;
    let whole = site.create("whole").await;
    main.mark_connector(whole.id, ConnectorStatus::Making, None, None).await.unwrap();
    let another = site.another().await;
    another.recover().await.unwrap();
    assert!(another.connectors().await.unwrap().is_empty(), "its maker may still be at it");
    site.clock.advance(601_000_000);
    another.recover().await.unwrap();
    let there = another.connectors().await.unwrap();
    assert_eq!((there.len(), there[0].id), (1, whole.id));
    assert!(main.estate(id(1), OpenMode::Existing).await.is_err());
    assert!(main.register_connector(id(2), "empty", site.clock.now()).await.unwrap());
}

async fn connectors_of_one_account_share_one_budget(site: Site) {
    let (one, other) = (site.create("one").await.id, site.create("other").await.id);
    let before = site.installation.heroku(one).await.unwrap();
    let (one, other) =
        (site.installation.heroku(one).await.unwrap(), site.installation.heroku(other).await.unwrap());
    assert!(Arc::ptr_eq(before.budget(), one.budget()) && Arc::ptr_eq(one.budget(), other.budget()));
}

async fn a_log_is_followed_while_it_grows(site: Site) {
    let id = site.create("core").await.id;
    let mut feed = site.installation.follow(id, None, 0).await.unwrap();
    let following = async {
        let mut lines = Vec::new();
        loop {
            let line = feed.next().await.unwrap();
            let last = line.text.starts_with("version 1");
            lines.push(line);
            if last {
                return lines;
            }
        }
    };
    let (lines, ()) = tokio::join!(following, site.drain());
    assert!(lines.windows(2).all(|pair| pair[0].sequence < pair[1].sequence), "{lines:?}");
    assert!(lines[0].text.contains("the sync begins"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_a_log_is_lost_where_the_database_is_busy_when_a_sync_ends() {
    let site = Site::on_sqlite().await;
    site.simulator.set_latency(Duration::from_millis(100));
    let id = site.create("core").await.id;
    let file = site.folder.path().join("metsuke.db.connectors").join(format!("{id}.db"));
    let busy = async {
        while site.simulator.stats().requests == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let hold = metsuke_testkit::hold(&file).await.unwrap();
        // Long enough for lines to be due to be written, and for the sync to want to commit.
        tokio::time::sleep(Duration::from_secs(2)).await;
        hold.release().await.unwrap();
    };
    tokio::join!(busy, site.drain());
    let lines = site.installation.logs(id, LogSelect { run: None, after: 0, limit: 100 }).await.unwrap();
    let count = |words: &str| lines.iter().filter(|line| line.text.starts_with(words)).count();
    assert_eq!((count("the sync begins"), count("version 1 was read")), (1, 1), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_connectors_needs_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
    let store = Store::open(&url, OpenMode::Create).await.unwrap();
    let seal = metsuke_engine::seal::SealFile::beside(&folder.path().join("metsuke.db"));
    let clock = Arc::new(metsuke_model::SystemClock);
    let installation =
        metsuke_engine::connectors::Installation::open(store, seal.clone(), clock).await.unwrap();
    installation.recover().await.unwrap();
    assert!(installation.connectors().await.unwrap().is_empty());
    assert!(!seal.path().exists());
}
