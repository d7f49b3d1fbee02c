//! Backups under load, against the simulated Heroku: what comes back is what was there, and nothing is changed on Heroku
//! before it was held against it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use metsuke_engine::EngineError;
use metsuke_engine::access::provision::{
    Applied, Ask, On, Outcome, Planned, Provisioner, Sabotage, Settings,
};
use metsuke_engine::backup::{self, Key, Lock};
use metsuke_engine::sync;
use metsuke_model::audit::{Actor, EventCode, Expected, FindingKind};
use metsuke_model::{AsOf, SystemClock};
use metsuke_simulator::{Options, Size};
use metsuke_store::{Brake, OpenMode, Store, StoreError};
use metsuke_testkit::{Chance, fresh_database, seed, setting};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;

use crate::house::House;

/// A pair of age's keys: what closes, and the text of the file that opens.
fn keys() -> (Lock, SecretString) {
    let secret = age::x25519::Identity::generate();
    let text = format!("# a test's key\n{}\n", secret.to_string().expose_secret());
    (Lock::recipient(&secret.to_public().to_string()).unwrap(), text.into())
}

async fn restore(file: &Path, key: &SecretString, url: &str) -> Result<Store, EngineError> {
    let key = Key::identities(key).unwrap();
    backup::restore(file, key, (url, false), Actor::connector(), &SystemClock).await?;
    Ok(Store::open(url, OpenMode::Existing).await?.braked(Brake::OFF))
}

/// Whether a version of one store reads as it does in another: its objects are covered by the store's own tests.
async fn same_versions(was: &Store, is: &Store) {
    let versions = is.syncs(1_000).await.unwrap();
    for version in &versions {
        let mut before = was.snapshot(Some(AsOf::Version(version.version))).await.unwrap().unwrap();
        let mut after = is.snapshot(Some(AsOf::Version(version.version))).await.unwrap().unwrap();
        assert_eq!(before.sync(), after.sync());
        let all = metsuke_store::AccessSelect::All;
        assert_eq!(before.access(&all).await.unwrap(), after.access(&all).await.unwrap());
    }
    let verdict = is.audit_log().await.unwrap().verify(Expected::default()).await.unwrap();
    // Nobody has signed yet.
    let other = verdict.findings.iter().find(|finding| finding.kind != FindingKind::NoKey);
    assert_eq!(other, None);
}

fn shake(house: &House, round: usize) {
    house.simulator.edit(|world| {
        let teams = world.enterprise_team_names();
        let Some(team) = teams.get(round % teams.len().max(1)) else { return };
        world.set_member(team, &format!("joiner-{round}@example.com"), Some("viewer"));
        if let Some(app) = world.app_names(Some(team)).first() {
            world.set_collaborator(app, &format!("joiner-{round}@example.com"), &["view", "deploy"]);
            world.rename_app(app, &format!("renamed-{round}"));
        }
        world.add_app(Some(team), &format!("added-{round}"));
    });
}

/// Somebody who is not in a team is to become a member of it.
fn ask(house: &House, name: &str) -> Ask {
    let team = house.simulator.edit(|world| world.enterprise_team_names()).unwrap().remove(0);
    Ask::Grant { user: format!("{name}@example.com"), on: On::Team { team, role: "viewer".into() } }
}

async fn grant(house: &House, store: &Store, ask: &Ask, sabotage: Option<Sabotage>) -> Applied {
    let settings = Settings {
        allow_writes: true,
        late_window: Duration::from_millis(300),
        verify_patience: Duration::from_secs(3),
        poll: Duration::from_millis(20),
        sabotage,
        ..Settings::default()
    };
    let heroku = house.heroku(house.simulator.token());
    let provisioner = Provisioner::new(&heroku, store, settings, &SystemClock, &()).unwrap();
    match provisioner.plan(ask, Some("a test")).await.unwrap() {
        Planned::Plan(plan) => provisioner.apply(&plan.id(), None).await.unwrap(),
        other => panic!("{other:?}"),
    }
}

fn writes(house: &House) -> usize {
    house.simulator.journal().writes.len()
}

async fn sync_into(house: &House, store: &Store) {
    house.simulator.set_remaining(4_500);
    let heroku = house.heroku(house.simulator.token());
    let (settings, cancel) = (sync::Settings::default(), CancellationToken::new());
    sync::run(&heroku, store, &settings, &SystemClock, &(), &cancel).await.unwrap();
}

/// Backs up while syncs go on, loses everything, restores, and goes on; so many times over.
async fn under_load(house: House, url: impl Fn(usize) -> String, cycles: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut chance = Chance::new(seed("METSUKE_BACKUP_SEED"));
    house.sync().await;
    for cycle in 0..cycles {
        let file = folder.path().join(format!("{cycle}.age"));
        let (lock, key) = keys();
        let loaded = async {
            for round in 0..2 {
                shake(&house, cycle * 2 + round);
                house.sync().await;
            }
        };
        let wait = chance.within(Duration::from_millis(200));
        let saved = async {
            tokio::time::sleep(wait).await;
            backup::make(&house.store, &file, lock, &SystemClock).await.unwrap()
        };
        let (made, ()) = tokio::join!(saved, loaded);
        let store = restore(&file, &key, &url(cycle)).await.unwrap();
        same_versions(&house.store, &store).await;
        assert_eq!(made.manifest.head.schema, Store::schema());

        let sent = writes(&house);
        let wish = ask(&house, &format!("restored-{cycle}"));
        let refused = grant(&house, &store, &wish, None).await;
        assert_eq!(refused.outcome, Outcome::RefusedByRule, "{refused:?}");
        assert!(refused.reason.unwrap().contains("restored from a backup"));
        assert_eq!(writes(&house), sent, "nothing is sent before Heroku was read");
        sync_into(&house, &store).await;
        let applied = grant(&house, &store, &wish, None).await;
        assert_eq!(applied.outcome, Outcome::Applied, "{applied:?}");
        assert_eq!(store.restored().await.unwrap(), None);
        store.close().await;
        std::fs::remove_file(&file).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_under_load_come_back_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(5)).await;
    let url = |cycle| format!("sqlite:{}", folder.path().join(format!("{cycle}.db")).display());
    Box::pin(under_load(house, url, setting("METSUKE_RESTORES", 4))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_under_load_come_back_on_postgres() {
    let cycles = setting("METSUKE_RESTORES", 3_usize).div_ceil(10).max(3);
    let databases: Vec<_> = (0..cycles).map(|_| fresh_database()).collect();
    let house = House::on_postgres(Options::of(Size::Enterprise).seed(6)).await;
    Box::pin(under_load(house, |cycle| databases[cycle].url.clone(), cycles)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_rule_a_restored_store_changes_heroku_blindly() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(7)).await;
    house.sync().await;
    let (lock, key) = keys();
    let file = folder.path().join("one.age");
    backup::make(&house.store, &file, lock, &SystemClock).await.unwrap();
    let url = format!("sqlite:{}", folder.path().join("two.db").display());
    let store = restore(&file, &key, &url).await.unwrap();
    let sent = writes(&house);
    let applied = grant(&house, &store, &ask(&house, "too-early"), Some(Sabotage::ForgetTheRestore)).await;
    assert_eq!(applied.outcome, Outcome::Applied);
    assert!(writes(&house) > sent, "the check above would have noticed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_opens_with_its_key_alone_and_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(8)).await;
    house.sync().await;
    let file = folder.path().join("one.age");
    let (lock, key) = keys();
    let made = backup::make(&house.store, &file, lock, &SystemClock).await.unwrap();
    assert_eq!(made.bytes, std::fs::metadata(&file).unwrap().len());
    let rights = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(rights & 0o777, 0o600);
    let again = backup::make(&house.store, &file, keys().0, &SystemClock).await.unwrap_err();
    assert!(again.to_string().contains("is there already"), "{again}");

    let url = format!("sqlite:{}", folder.path().join("two.db").display());
    let attempt = async |file: &Path, key: Key| {
        let restored = backup::restore(file, key, (&url, false), Actor::connector(), &SystemClock).await;
        assert!(!folder.path().join("two.db").exists());
        restored.unwrap_err().to_string()
    };
    let other = attempt(&file, Key::identities(&keys().1).unwrap()).await;
    assert!(other.contains("none of the keys opens it"), "{other}");
    let phrase = attempt(&file, Key::passphrase(&"a passphrase for it".into())).await;
    assert!(phrase.contains("a key opens it"), "{phrase}");

    let bytes = std::fs::read(&file).unwrap();
    let email = house.simulator.edit(|world| world.caller_email()).unwrap();
    assert!(!bytes.windows(email.len()).any(|window| window == email.as_bytes()));
    let cut = folder.path().join("cut.age");
    let mut seen = BTreeSet::new();
    for length in [10, bytes.len() / 2, bytes.len() * 3 / 4, bytes.len() - 17, bytes.len() - 1] {
        std::fs::write(&cut, &bytes[..length]).unwrap();
        seen.insert(attempt(&cut, Key::identities(&key).unwrap()).await);
    }
    let mut turned = bytes.clone();
    let place = turned.len() / 3;
    turned[place] ^= 1;
    std::fs::write(&cut, &turned).unwrap();
    seen.insert(attempt(&cut, Key::identities(&key).unwrap()).await);
    assert!(!seen.iter().any(|said| said.contains("is not what the backup says")), "{seen:?}");
    let store = restore(&file, &key, &url).await.unwrap();
    same_versions(&house.store, &store).await;
    let there = restore(&file, &key, &url).await.unwrap_err();
    assert!(matches!(there, EngineError::Store(StoreError::NotEmpty { .. })), "{there}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_opens_what_it_closed_and_the_trail_tells_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(9)).await;
    house.sync().await;
    let file = folder.path().join("one.age");
    let phrase = SecretString::from("correct horse battery staple\n");
    backup::make(&house.store, &file, Lock::passphrase(&phrase).unwrap(), &SystemClock).await.unwrap();
    let url = format!("sqlite:{}", folder.path().join("two.db").display());
    let key = Key::passphrase(&"correct horse battery staple".into());
    backup::restore(&file, key, (&url, false), Actor::operator("ann"), &SystemClock).await.unwrap();
    let store = Store::open(&url, OpenMode::Existing).await.unwrap();
    let mut texts = Vec::new();
    let mut log = store.audit_log().await.unwrap();
    log.each_row::<StoreError>(|row| {
        texts.push(row.text);
        Ok(())
    })
    .await
    .unwrap();
    let told = |code: EventCode| texts.iter().filter(|text| text.contains(code.as_str())).count();
    assert_eq!((told(EventCode::BackupMade), told(EventCode::InstallationRestored)), (1, 1));
}
