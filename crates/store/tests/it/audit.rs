//! The audit trail as the store keeps it: dense numbers whatever happens, and nothing that is half recorded.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use metsuke_model::Moment;
use metsuke_model::audit::{
    Actor, AuditRow, Checkpoint, Event, EventCode, Expected, NewEvent, Origin, SigningKey, Verdict,
};
use metsuke_store::{OpenMode, Store, StoreError, StoredCheckpoint};

use crate::database::Database;
use crate::full_disk::again_within;

/// Something that was done.
pub(crate) fn event(number: u64) -> NewEvent {
    let at = Moment(1_795_000_000_000_000 + i64::try_from(number).unwrap());
    NewEvent::new(at, EventCode::PlanApproved, Actor::operator("ann"))
        .about("plan", number)
        .detail("note", "Zoë \0 日本")
}

/// The key of a database's log.
pub(crate) async fn key(store: &Store, seed: u8) -> SigningKey {
    let origin = store.audit_log().await.unwrap().origin.unwrap();
    SigningKey::from_seed(Origin::parse(&origin).unwrap(), &[seed; 32]).unwrap()
}

/// Signs what there is, keeps it in the database, and returns the note.
pub(crate) async fn checkpoint(store: &Store, key: &SigningKey) -> String {
    let frontier = store.audit_log().await.unwrap().frontier;
    let note = Checkpoint { size: frontier.size(), root: frontier.root() }.sign(key).unwrap();
    let stored = StoredCheckpoint { size: frontier.size(), note: note.clone(), made_at: Moment(7) };
    store.keep_checkpoint(&stored, &key.public_key().to_string()).await.unwrap();
    note
}

/// What a verification with the kept key says.
pub(crate) async fn verdict(store: &Store, key: &SigningKey, kept: &[String]) -> Verdict {
    let expected = Expected { public_key: Some(key.public_key().clone()), checkpoints: kept.to_vec() };
    store.audit_log().await.unwrap().verify(expected).await.unwrap()
}

/// Every row, and that the log is whole.
async fn whole_log(store: &Store) -> Vec<AuditRow> {
    let verdict = verdict(store, &key(store, 1).await, &[]).await;
    assert!(verdict.is_clean(), "{:?}", verdict.findings);
    let mut rows = Vec::new();
    let mut log = store.audit_log().await.unwrap();
    let read = log.each_row::<StoreError>(|row| {
        rows.push(row);
        Ok(())
    });
    read.await.unwrap();
    assert!(rows.iter().map(|row| row.sequence).eq(0..log.frontier.size()), "{rows:?}");
    rows
}

async fn events_are_numbered_without_a_hole_and_kept_word_for_word(database: Database) {
    let store = database.open().await;
    for number in 0..7 {
        assert_eq!(store.record(event(number)).await.unwrap(), number);
    }
    let mut frontier = metsuke_model::audit::Frontier::default();
    let wanted: Vec<AuditRow> = (0..7).map(|number| event(number).append(&mut frontier).unwrap()).collect();
    assert_eq!(whole_log(&database.open().await).await, wanted);
    let newest = store.audit_rows_before(None, 2).await.unwrap();
    let older = store.audit_rows_before(Some(5), 100).await.unwrap();
    let paged: Vec<AuditRow> = newest.into_iter().chain(older).rev().collect();
    assert_eq!(paged, wanted, "newest first, page by page");
}

async fn each_database_has_a_log_of_its_own_name_that_stays(database: Database) {
    let origin = |store: Store| async move { store.audit_log().await.unwrap().origin.unwrap() };
    let name = origin(database.open().await).await;
    assert_eq!(name, origin(database.open().await).await);
    let other = if database.is_sqlite() { Database::sqlite() } else { Database::postgres() };
    assert_ne!(name, origin(other.open().await).await);
    assert_eq!((name.len(), &name[..8]), (40, "metsuke/"));
    Origin::parse(&name).unwrap();
}

async fn events_name_whoever_the_store_acts_for(database: Database) {
    let store = database.open().await;
    assert_eq!(store.actor(), &Actor::connector());
    let store = store.acting_as(Actor::operator("bob"));
    store.record(store.event(Moment(0), EventCode::KillSwitchOn)).await.unwrap();
    let row = whole_log(&store).await.remove(0);
    assert_eq!(Event::decode(&row.text).unwrap().actor, Actor::operator("bob"));
}

async fn what_cannot_be_written_down_leaves_the_log_as_it_was(database: Database) {
    let store = database.open().await;
    store.record(event(0)).await.unwrap();
    let error = store.record(event(1).detail("share", 0.5)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unrecorded { .. }), "{error:?}");
    assert_eq!(whole_log(&store).await.len(), 1);
    assert_eq!(store.record(event(1)).await.unwrap(), 1);
}

async fn two_programs_that_record_at_once_make_one_dense_log(database: Database) {
    let (left, right) = (database.open().await, database.open().await);
    let record = async |store: &Store, from: u64| {
        let mut numbers = Vec::new();
        for number in from..from + 40 {
            numbers.push(store.record(event(number)).await.unwrap());
        }
        assert!(numbers.is_sorted());
        numbers
    };
    let (one, other) = tokio::join!(record(&left, 0), record(&right, 1000));
    let mut numbers = [one, other].concat();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..80));
    assert_eq!(whole_log(&left).await.len(), 80);
}

async fn a_checkpoint_is_kept_once_and_the_first_key_stays(database: Database) {
    let store = database.open().await;
    let (ours, theirs) = (key(&store, 1).await, key(&store, 2).await);
    store.record(event(0)).await.unwrap();
    let note = checkpoint(&store, &ours).await;
    assert_eq!(checkpoint(&store, &ours).await, note);
    let mut log = store.audit_log().await.unwrap();
    let kept = log.checkpoints().await.unwrap();
    assert_eq!(kept, [StoredCheckpoint { size: 1, note, made_at: Moment(7) }]);
    drop(log);
    checkpoint(&store, &theirs).await;
    let mut log = store.audit_log().await.unwrap();
    assert_eq!(log.checkpoints().await.unwrap().len(), 2);
    assert_eq!(log.public_key, Some(ours.public_key().to_string()));
    drop(log);
    assert!(!verdict(&store, &ours, &[]).await.is_clean(), "a checkpoint of another key is a finding");
}

async fn a_database_that_is_read_only_records_nothing_and_says_so(database: Database) {
    let store = database.open().await;
    store.record(event(0)).await.unwrap();
    let url = if database.is_sqlite() {
        format!("{}?mode=ro", database.url)
    } else {
        format!("{}&options=-c%20default_transaction_read_only%3Don", database.url)
    };
    let reader = Store::open(&url, OpenMode::Existing).await.unwrap();
    for number in 1..3 {
        let error = reader.record(event(number)).await.unwrap_err();
        assert!(matches!(error, StoreError::Database { .. }), "{error:?}");
        assert_eq!(whole_log(&reader).await.len(), 1);
    }
    assert_eq!(store.record(event(1)).await.unwrap(), 1, "others may still write");
}

async fn a_log_without_its_frontier_takes_no_event(database: Database) {
    let store = database.open().await;
    store.record(event(0)).await.unwrap();
    database.sql("DELETE FROM audit_frontier").await;
    let error = store.record(event(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert_eq!(store.audit_rows_before(None, 9).await.unwrap().len(), 1);
}

on_both_engines!(
    events_are_numbered_without_a_hole_and_kept_word_for_word,
    each_database_has_a_log_of_its_own_name_that_stays,
    events_name_whoever_the_store_acts_for,
    what_cannot_be_written_down_leaves_the_log_as_it_was,
    two_programs_that_record_at_once_make_one_dense_log,
    a_checkpoint_is_kept_once_and_the_first_key_stays,
    a_database_that_is_read_only_records_nothing_and_says_so,
    a_log_without_its_frontier_takes_no_event,
);

/// Says to a test that it is the one that records, and into which database.
const RECORD: &str = "METSUKE_TEST_RECORD";

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_killed_while_it_records_leaves_a_whole_log() {
    if let Some(url) = std::env::var_os(RECORD) {
        let store = Store::open(url.to_str().unwrap(), OpenMode::Existing).await.unwrap();
        loop {
            println!("recorded {}", store.record(event(3)).await.unwrap());
        }
    }
    let test = "audit::a_program_that_is_killed_while_it_records_leaves_a_whole_log";
    for database in [Database::sqlite(), Database::postgres()] {
        let mut store = database.open().await;
        for round in 1..=6 {
            let mut program = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", test, "--nocapture", "--test-threads", "1"])
                .env(RECORD, &database.url)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let lines = BufReader::new(program.stdout.take().unwrap()).lines();
            let told =
                lines.map(Result::unwrap).filter_map(|line| line.strip_prefix("recorded ")?.parse().ok());
            let last: u64 = told.take(10 * round).last().unwrap();
            program.kill().unwrap();
            program.wait().unwrap();
            let rows = whole_log(&store).await;
            assert!(rows.len() as u64 > last, "what was durable is there: {} of {last}", rows.len());
            store = database.open().await;
            assert_eq!(store.record(event(0)).await.unwrap(), rows.len() as u64);
        }
    }
}

/// What runs under the limit: recording until there is no room; how many events were recorded.
async fn record_until_full(url: &str) -> u64 {
    let store = Store::open(url, OpenMode::Existing).await.unwrap();
    let long = "x".repeat(20_000);
    for number in 0.. {
        if let Err(error) = store.record(event(number).detail("long", long.as_str())).await {
            assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
            // The same program finds what there was.
            assert_eq!(store.audit_log().await.unwrap().frontier.size(), 3 + number);
            return number;
        }
    }
    unreachable!("numbers do not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_records_nothing_and_says_so() {
    if let Some(url) = std::env::var_os(crate::full_disk::WITHIN) {
        println!("full after {}.", record_until_full(url.to_str().unwrap()).await);
        return;
    }
    for room in [0, 8, 64, 400] {
        let database = Database::sqlite();
        let store = database.open().await;
        for number in 0..3 {
            store.record(event(number)).await.unwrap();
        }
        let length = std::fs::metadata(database.file()).unwrap().len() / 1024;
        let told = again_within("audit::a_full_disk_records_nothing_and_says_so", length + room, &database);
        let rows = whole_log(&store).await.len();
        assert!(told.contains(&format!("full after {}.", rows - 3)), "{rows} rows, and {told}");
        assert_eq!(store.record(event(9)).await.unwrap(), rows as u64, "there is room again");
    }
}
