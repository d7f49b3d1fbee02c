//! Copies of whole installations: what is restored, on either engine, is what was copied, or nothing at all.

use metsuke_model::audit::{Actor, EventCode, Expected, FindingKind};
use metsuke_model::{AsOf, ConnectorId, Coverage, Moment, Version};
use metsuke_store::{Brake, ConnectorStatus, Frame, Loaded, Manifest, OpenMode, Part, Store, StoreError};
use tokio::sync::mpsc;

use crate::database::{Database, commit};
use crate::document::read;
use crate::generated::Generator;

/// A main store with versions of its own, and two connectors' stores with versions of theirs.
async fn installation(database: &Database) -> (Store, Vec<ConnectorId>) {
    let main = database.open().await;
    versions(&main, 1, 3).await;
    let mut ids = Vec::new();
    for number in 1..=2_u8 {
        let id = ConnectorId::new(Moment(i64::from(number) * 1_000_000), [number; 10]);
        let name = format!("Connector {number} – ö");
        assert!(main.register_connector(id, &name, Moment(5)).await.unwrap());
        let estate = main.estate(id, OpenMode::Create).await.unwrap().braked(Brake::OFF);
        versions(&estate, u64::from(number) * 10, 4).await;
        estate.close().await;
        let event = main.event(Moment(6), EventCode::ConnectorCreated);
        main.mark_connector(id, ConnectorStatus::Live, None, Some(event)).await.unwrap();
        ids.push(id);
    }
    (main, ids)
}

async fn versions(store: &Store, seed: u64, count: i64) {
    let mut generator = Generator::new(seed);
    for second in 1..=count {
        let reading = generator.next();
        commit(store, &reading.estate, &reading.coverage, second * 10).await;
    }
}

/// The copy as bytes, with what it says of itself.
async fn copy(store: &Store) -> (Vec<u8>, Manifest) {
    let copying = store.copying().await.unwrap();
    let (sink, mut source) = mpsc::channel(4);
    let (manifest, bytes) = tokio::join!(
        async move { copying.write("0.1.0", Moment(77_000_000), &sink).await.unwrap() },
        async move {
            let mut bytes = Vec::new();
            while let Some(piece) = source.recv().await {
                bytes.extend(piece);
            }
            bytes
        }
    );
    (bytes, manifest)
}

async fn restore(url: &str, replace: bool, mut bytes: &[u8]) -> Result<Loaded, StoreError> {
    let mut restoring = Store::restoring(url, replace, Actor::connector(), Moment(99_000_000)).await?;
    let mut first = true;
    loop {
        let frame = Frame::read(&mut bytes, first)?;
        let last = matches!(frame, Frame::End(_));
        first = false;
        restoring.take(frame).await?;
        if last {
            return restoring.finish().await;
        }
    }
}

/// Every table's sum but of those into which a restore writes: the mark and the event.
fn kept(manifest: &Manifest) -> Vec<(String, String, u64, String)> {
    let written = ["setting", "audit_event", "audit_frontier"];
    let tables = manifest.tables.iter().filter(|sum| !written.contains(&&*sum.table));
    tables.map(|sum| (sum.part.to_string(), sum.table.clone(), sum.rows, sum.digest.clone())).collect()
}

async fn comes_back(from: Database, to: Database) {
    let (main, ids) = installation(&from).await;
    let (bytes, manifest) = copy(&main).await;
    assert_eq!(manifest.parts(), [Part::Main, Part::Connector(ids[0]), Part::Connector(ids[1])]);
    let loaded = restore(&to.url, false, &bytes).await.unwrap();
    assert_eq!(loaded.manifest, manifest);

    let again = to.open().await;
    assert_eq!(again.connectors().await.unwrap(), main.connectors().await.unwrap());
    for id in [None, Some(ids[0]), Some(ids[1])] {
        let (was, is) = match id {
            None => (main.clone(), again.clone()),
            Some(id) => (
                main.estate(id, OpenMode::Existing).await.unwrap(),
                again.estate(id, OpenMode::Existing).await.unwrap(),
            ),
        };
        assert_eq!(was.syncs(100).await.unwrap(), is.syncs(100).await.unwrap());
        for sync in was.syncs(100).await.unwrap() {
            let version = Some(AsOf::Version(sync.version));
            read(&is, version).await.assert_is(&read(&was, version).await, "restored");
        }
        let verdict = is.audit_log().await.unwrap().verify(Expected::default()).await.unwrap();
        // Nobody has signed yet.
        let other = verdict.findings.iter().find(|finding| finding.kind != FindingKind::NoKey);
        assert_eq!(other, None);
        let restored = is.restored().await.unwrap().unwrap();
        assert_eq!((restored.at, restored.made_at), (Moment(99_000_000), Moment(77_000_000)));
    }
    let (_, second) = copy(&again).await;
    assert_eq!(kept(&manifest), kept(&second));
    // The store goes on.
    let mut generator = Generator::new(5);
    let reading = generator.next();
    commit(&again, &reading.estate, &Coverage::default(), 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_comes_back_on_sqlite() {
    comes_back(Database::sqlite(), Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_comes_back_on_postgres() {
    comes_back(Database::postgres(), Database::postgres()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_sqlite_comes_back_on_postgres() {
    comes_back(Database::sqlite(), Database::postgres()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_postgres_comes_back_on_sqlite() {
    comes_back(Database::postgres(), Database::sqlite()).await;
}

async fn is_empty(database: &Database) -> bool {
    if database.is_sqlite() {
        let folder = database.file().parent().unwrap().to_path_buf();
        std::fs::read_dir(folder).unwrap().count() == 0
    } else {
        let pool = sqlx::PgPool::connect(&database.url).await.unwrap();
        let sql = "SELECT COUNT(*) FROM information_schema.tables
                    WHERE table_schema NOT IN ('pg_catalog', 'information_schema')";
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        pool.close().await;
        count == 0
    }
}

async fn a_copy_that_is_not_whole_leaves_nothing(database: Database) {
    let source = Database::sqlite();
    let (main, _) = installation(&source).await;
    let (bytes, _) = copy(&main).await;
    for part in [0, 3, 40, bytes.len() / 7, bytes.len() / 2, bytes.len() - 3000, bytes.len() - 1] {
        let error = restore(&database.url, false, &bytes[..part]).await.unwrap_err();
        assert!(matches!(error, StoreError::NoBackup { .. }), "{part}: {error}");
        assert!(is_empty(&database).await, "cut after {part} bytes");
    }
    // A value that is another one, though all can be read.
    let text = "Connector 1".as_bytes();
    let place = bytes.windows(text.len()).position(|window| window == text).unwrap();
    let mut other = bytes.clone();
    other[place] = b'c';
    let error = restore(&database.url, false, &other).await.unwrap_err().to_string();
    assert!(error.contains("is not what the backup says"), "{error}");
    assert!(is_empty(&database).await);
    restore(&database.url, false, &bytes).await.unwrap();
}

async fn nothing_is_restored_over_something(database: Database) {
    let source = Database::sqlite();
    let (main, ids) = installation(&source).await;
    let (bytes, _) = copy(&main).await;
    let (there, _) = installation(&database).await;
    versions(&there, 70, 2).await;
    let versions = there.syncs(100).await.unwrap();
    let refused = restore(&database.url, false, &bytes).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotEmpty { .. }), "{refused}");
    let used = restore(&database.url, true, &bytes).await.unwrap_err();
    assert!(matches!(used, StoreError::Busy { .. }), "{used}");
    assert_eq!(there.syncs(100).await.unwrap(), versions);
    there.close().await;
    let loaded = restore(&database.url, true, &bytes).await.unwrap();
    let again = database.open().await;
    assert_eq!(again.syncs(100).await.unwrap(), main.syncs(100).await.unwrap());
    assert_eq!(again.connectors().await.unwrap()[0].id, ids[0]);
    assert_eq!(loaded.aside.len(), if database.is_sqlite() { 2 } else { 0 });
    if let Some(file) = loaded.aside.first() {
        let url = format!("sqlite:{}", file.display());
        let aside = Store::open(&url, OpenMode::Existing).await.unwrap();
        assert_eq!(aside.syncs(100).await.unwrap(), versions);
    }
}

async fn a_copy_is_of_one_moment_while_others_write(database: Database) {
    let (main, ids) = installation(&database).await;
    let estate = main.estate(ids[0], OpenMode::Existing).await.unwrap().braked(Brake::OFF);
    let copying = main.copying().await.unwrap();
    let before = estate.syncs(100).await.unwrap();
    let (sink, mut source) = mpsc::channel(1);
    versions(&estate, 33, 3).await;
    let (_, bytes) =
        tokio::join!(async move { copying.write("0.1.0", Moment(77), &sink).await.unwrap() }, async {
            versions(&estate, 34, 2).await;
            let mut bytes = Vec::new();
            while let Some(piece) = source.recv().await {
                bytes.extend(piece);
            }
            bytes
        });
    assert_eq!(estate.syncs(100).await.unwrap().len(), before.len() + 5);
    let to = Database::sqlite();
    restore(&to.url, false, &bytes).await.unwrap();
    let again = to.open().await.estate(ids[0], OpenMode::Existing).await.unwrap();
    assert_eq!(again.syncs(100).await.unwrap(), before);
}

async fn the_mark_of_a_restore_goes_after_a_sync(database: Database) {
    let source = Database::sqlite();
    let (main, _) = installation(&source).await;
    let (bytes, _) = copy(&main).await;
    restore(&database.url, false, &bytes).await.unwrap();
    let store = database.open().await;
    let event = || store.event(Moment(1), EventCode::InstallationReconciled);
    assert!(!store.reconciled(event()).await.unwrap());
    store.read_anew(Version(9)).await.unwrap();
    store.read_anew(Version(10)).await.unwrap();
    assert_eq!(store.restored().await.unwrap().unwrap().synced, Some(Version(9)));
    database
        .sql(
            "INSERT INTO plan (id, hash, status, created_at, expires_at, document)
             VALUES ('p', 'h', 'applying', 1, 2, '{}');
             INSERT INTO plan_step (plan_id, ordinal, status, attempt, fence, capped, removes, removes_member, elevates)
             VALUES ('p', 1, 'sent', 1, 1, 't', 0, 0, 0);",
        )
        .await;
    assert!(!store.reconciled(event()).await.unwrap(), "a call may still be on its way");
    database.sql("UPDATE plan_step SET status = 'verified'").await;
    assert!(store.reconciled(event()).await.unwrap());
    assert_eq!(store.restored().await.unwrap(), None);
    assert!(store.reconciled(event()).await.unwrap());
}

on_both_engines!(
    a_copy_that_is_not_whole_leaves_nothing,
    nothing_is_restored_over_something,
    a_copy_is_of_one_moment_while_others_write,
    the_mark_of_a_restore_goes_after_a_sync,
);
