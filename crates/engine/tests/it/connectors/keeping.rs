//! Backups of installations with connectors, and the daily job that prunes every store: what is there after it.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use metsuke_engine::access::provision::{Ask, On, Outcome, Planned, Provisioner, Settings};
use metsuke_engine::backup::{self, Key, Lock};
use metsuke_engine::connectors::Installation;
use metsuke_engine::retention::{Keep, PRUNE, Pruner, plan_today, prune_all};
use metsuke_engine::seal::SealFile;
use metsuke_model::audit::{EventCode, Expected, FindingKind};
use metsuke_model::{ConnectorId, Moment, SystemClock};
use metsuke_store::{JobSelect, JobStatus, OpenMode, Store, StoreError};
use metsuke_testkit::TestDatabase;
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;

use super::on_both_engines;
use super::site::{NOON, Site, ann, supervisor};

const DAY: i64 = 24 * 3_600_000_000;

on_both_engines!(
    a_whole_installation_comes_back_and_every_connector_is_read_before_it_is_changed,
    a_paused_connector_is_restored_and_waits,
    one_process_prunes_every_store_once_a_day,
    pruning_leaves_the_trail_and_what_holds_now,
);

/// An address where nothing is yet, on the engine of the site.
fn elsewhere(site: &Site) -> (String, Option<TestDatabase>) {
    if site.url().starts_with("sqlite:") {
        (format!("sqlite:{}", site.folder.path().join("two.db").display()), None)
    } else {
        let database = metsuke_testkit::fresh_database();
        (database.url.clone(), Some(database))
    }
}

fn keys() -> (Lock, age::x25519::Identity) {
    let secret = age::x25519::Identity::generate();
    (Lock::recipient(&secret.to_public().to_string()).unwrap(), secret)
}

/// Everything that a backup holds, in the clear.
fn plain(file: &Path, secret: &age::x25519::Identity) -> Vec<u8> {
    let closed = age::Decryptor::new(std::fs::File::open(file).unwrap()).unwrap();
    let opened = closed.decrypt(std::iter::once::<&dyn age::Identity>(secret)).unwrap();
    let mut bytes = Vec::new();
    zstd::Decoder::new(opened).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Backs the installation up and opens what a restore makes of it, with the same key file.
async fn restored(site: &Site, url: &str) -> Installation {
    let file = site.folder.path().join("one.age");
    let (lock, secret) = keys();
    backup::make(site.installation.main(), &file, lock, &SystemClock).await.unwrap();
    let bytes = plain(&file, &secret);
    assert!(holds(&bytes, b"core"), "the search below would find something");
    let key = std::fs::read(site.folder.path().join("metsuke.key")).unwrap();
    assert!(!holds(&bytes, &key) && !holds(&bytes, site.simulator.token().as_bytes()));
    let text: SecretString = secret.to_string().expose_secret().to_owned().into();
    let key = Key::identities(&text).unwrap();
    backup::restore(&file, key, (url, false), ann(), &SystemClock).await.unwrap();
    open(url, &site.folder.path().join("metsuke.key")).await
}

async fn open(url: &str, key: &Path) -> Installation {
    let main = Store::open(url, OpenMode::Existing).await.unwrap();
    Installation::open(main, SealFile::at(key), Arc::new(SystemClock)).await.unwrap()
}

/// What came of granting somebody a role, through a connector of an installation.
async fn grant(site: &Site, installation: &Installation, id: ConnectorId, name: &str) -> Outcome {
    let settings = Settings {
        allow_writes: true,
        late_window: Duration::from_millis(300),
        verify_patience: Duration::from_secs(3),
        poll: Duration::from_millis(20),
        ..Settings::default()
    };
    let team = site.simulator.edit(|world| world.enterprise_team_names()).unwrap().remove(0);
    let ask =
        Ask::Grant { user: format!("{name}@example.com"), on: On::Team { team, role: "viewer".into() } };
    let (heroku, store) = (installation.heroku(id).await.unwrap(), installation.estate(id).await.unwrap());
    let provisioner = Provisioner::new(&heroku, &store, settings, &SystemClock, &()).unwrap();
    match provisioner.plan(&ask, Some("a test")).await.unwrap() {
        Planned::Plan(plan) => provisioner.apply(&plan.id(), None).await.unwrap().outcome,
        other => panic!("{other:?}"),
    }
}

/// Runs the loop of a server until this holds.
async fn serve_until(installation: &Installation, holds: impl AsyncFn() -> bool) {
    let stop = CancellationToken::new();
    let supervisor = supervisor(installation);
    let looked = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
    };
    let patience = Duration::from_mins(1);
    let running = Box::pin(supervisor.run(&stop));
    let (ended, ()) = tokio::time::timeout(patience, async { tokio::join!(running, looked) })
        .await
        .expect("it came to pass");
    ended.unwrap();
}

async fn a_whole_installation_comes_back_and_every_connector_is_read_before_it_is_changed(site: Site) {
    let ids = [site.synced("core").await.id, site.synced("shop").await.id];
    let (url, _database) = elsewhere(&site);
    let again = restored(&site, &url).await;
    let names = |rows: Vec<metsuke_store::ConnectorRow>| rows.into_iter().map(|row| (row.id, row.name));
    assert!(names(again.live().await.unwrap()).eq(names(site.installation.live().await.unwrap())));

    let sent = site.simulator.journal().writes.len();
    for id in ids {
        let (was, is) = (site.installation.estate(id).await.unwrap(), again.estate(id).await.unwrap());
        assert_eq!(was.syncs(9).await.unwrap(), is.syncs(9).await.unwrap());
        assert!(is.restored().await.unwrap().is_some_and(|restored| restored.synced.is_none()));
        assert_eq!(grant(&site, &again, id, "too-early").await, Outcome::RefusedByRule);
    }
    assert_eq!(site.simulator.journal().writes.len(), sent, "nothing is sent before Heroku was read");

    // A server reads every one of them at its start, whatever its schedule says.
    site.simulator.set_remaining(4_500);
    serve_until(&again, async || {
        let mut all = true;
        for id in ids {
            let mark = again.estate(id).await.unwrap().restored().await.unwrap();
            all &= mark.is_some_and(|mark| mark.synced.is_some());
        }
        all
    })
    .await;
    for (id, name) in ids.into_iter().zip(["in-time", "as-well"]) {
        let run = again.connector(id).await.unwrap().last_run.unwrap();
        assert_eq!(run.cause, "restored");
        assert_eq!(grant(&site, &again, id, name).await, Outcome::Applied);
        assert_eq!(again.estate(id).await.unwrap().restored().await.unwrap(), None);
    }

    // Without the key file nothing of it opens.
    let other = open(&url, &site.folder.path().join("other.key")).await;
    assert!(other.heroku(ids[0]).await.is_err());
}

async fn a_paused_connector_is_restored_and_waits(site: Site) {
    let (core, shop) = (site.synced("core").await.id, site.synced("shop").await.id);
    site.installation.pause(&ann(), shop).await.unwrap();
    let (url, _database) = elsewhere(&site);
    let again = restored(&site, &url).await;
    site.simulator.set_remaining(4_500);
    serve_until(&again, async || {
        let mark = again.estate(core).await.unwrap().restored().await.unwrap();
        mark.is_some_and(|mark| mark.synced.is_some())
    })
    .await;
    let mark = again.estate(shop).await.unwrap().restored().await.unwrap();
    assert!(mark.is_some_and(|mark| mark.synced.is_none()), "somebody paused it");
    assert_eq!(grant(&site, &again, shop, "too-early").await, Outcome::RefusedByRule);
}

fn jobs(status: Option<JobStatus>) -> JobSelect {
    JobSelect { status, kind: Some(PRUNE.into()), before: None, limit: 10 }
}

async fn one_process_prunes_every_store_once_a_day(site: Site) {
    let id = site.synced("core").await.id;
    site.clock.advance(3 * DAY);
    let keep = Keep { runs: Some(Duration::from_hours(24)), ..Keep::default() };
    let processes = [site.installation.clone(), site.another().await];
    for _ in 0..2 {
        for process in &processes {
            plan_today(process).await.unwrap();
        }
        let main = site.installation.main();
        let supervisors =
            processes.each_ref().map(|process| supervisor(process).with(Arc::new(Pruner { keep })));
        let (one, other) = tokio::join!(supervisors[0].drain(None), supervisors[1].drain(None));
        one.and(other).unwrap();
        let finished = main.jobs(&jobs(Some(JobStatus::Finished))).await.unwrap();
        assert_eq!(finished.len(), 1, "{finished:?}");
        assert_eq!(finished[0].attempt, 1);
        let result = format!("{:?}", finished[0]);
        assert!(result.contains("core") && result.contains("run_log"), "{result}");
        let waiting = main.jobs(&jobs(Some(JobStatus::Waiting))).await.unwrap();
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        assert!(waiting[0].run_at.0 > site.clock_now() && waiting[0].run_at.0 <= site.clock_now() + DAY);
    }
    assert!(site.installation.runs(id, None, 9).await.unwrap().is_empty());

    // The next day comes by itself, for connectors of that day too.
    let late = site.synced("late").await.id;
    site.clock.advance(3 * DAY);
    supervisor(&site.installation).with(Arc::new(Pruner { keep })).drain(None).await.unwrap();
    assert!(site.installation.runs(late, None, 9).await.unwrap().is_empty());
}

async fn events(store: &Store) -> u64 {
    let verdict = store.audit_log().await.unwrap().verify(Expected::default()).await.unwrap();
    let other = verdict.findings.iter().find(|finding| finding.kind != FindingKind::NoKey);
    assert_eq!(other, None);
    verdict.events
}

async fn pruning_leaves_the_trail_and_what_holds_now(site: Site) {
    let id = site.synced("core").await.id;
    let estate = site.installation.estate(id).await.unwrap();
    for name in ["one", "two", "three"] {
        site.clock.advance(DAY);
        site.simulator.edit(|world| {
            let team = world.enterprise_team_names().remove(0);
            world.set_member(&team, &format!("{name}@example.com"), Some("viewer"));
        });
        site.installation.sync_now(&ann(), id).await.unwrap();
        site.drain().await;
    }
    site.clock.advance(10 * DAY);
    let all = metsuke_store::AccessSelect::All;
    let before = estate.snapshot(None).await.unwrap().unwrap().access(&all).await.unwrap();
    let told = (events(site.installation.main()).await, events(&estate).await);
    let day = Some(Duration::from_hours(24));
    let keep = Keep { versions: day, runs: day, jobs: day, changes: day, deliveries: day };
    let gone = prune_all(&site.installation, &keep).await.unwrap();
    let core = gone.iter().find(|gone| gone.store == "core").unwrap();
    assert!(core.rows["run"] == 4 && core.rows["job"] >= 4, "{core:?}");
    assert!(gone.iter().all(|gone| gone.rows.keys().all(|table| !table.starts_with("audit"))), "{gone:?}");
    assert!(estate.oldest_version().await.unwrap().0 >= 1);
    assert_eq!(estate.snapshot(None).await.unwrap().unwrap().access(&all).await.unwrap(), before);
    let mut texts = Vec::new();
    let mut log = estate.audit_log().await.unwrap();
    log.each_row::<StoreError>(|row| {
        texts.push(row.text);
        Ok(())
    })
    .await
    .unwrap();
    let pruned = texts.iter().filter(|text| text.contains(EventCode::HistoryPruned.as_str())).count();
    assert_eq!(pruned, 1);
    assert_eq!((events(site.installation.main()).await, events(&estate).await), (told.0, told.1 + 1));
    assert!(prune_all(&site.installation, &keep).await.unwrap().is_empty());
    assert!(Moment(site.clock_now()) > NOON);
}
