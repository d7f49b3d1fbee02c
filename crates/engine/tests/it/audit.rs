//! The audit trail in use: keys, checkpoints, exports and what is found in them.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use metsuke_engine::EngineError;
use metsuke_engine::audit::{
    EventSelect, KeyFile, Listed, checkpoint, events, export, record_exported, verify, verify_export,
};
use metsuke_model::audit::{
    Actor, ActorKind, EventCode, EventOutcome, Expected, FindingKind, PublicKey, Verdict,
};
use metsuke_model::{Clock as _, FixedClock, Moment};
use metsuke_store::{OpenMode, Store, StoreError};
use metsuke_testkit::TestDatabase;
use tempfile::TempDir;

const AT: Moment = Moment(1_795_000_000_000_000);

/// A database with a few events, and a place for its key.
struct Log {
    store: Store,
    clock: FixedClock,
    key: KeyFile,
    folder: TempDir,
    _database: Option<TestDatabase>,
}

impl Log {
    async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
        Self::on(&url, folder, None).await
    }

    async fn on_postgres() -> Self {
        let database = metsuke_testkit::fresh_database();
        let url = database.url.clone();
        Self::on(&url, tempfile::tempdir().unwrap(), Some(database)).await
    }

    async fn on(url: &str, folder: TempDir, database: Option<TestDatabase>) -> Self {
        let store = Store::open(url, OpenMode::Create).await.unwrap().acting_as(Actor::operator("ann"));
        let key = KeyFile::beside(&folder.path().join("metsuke.db"));
        let log = Self { store, clock: FixedClock::at(AT), key, folder, _database: database };
        for number in 0..5 {
            log.record(EventCode::PlanCreated, number).await;
            log.record(EventCode::PlanApproved, number).await;
        }
        log
    }

    async fn record(&self, code: EventCode, plan: u64) {
        self.clock.advance(1_000_000);
        self.store.record(self.store.event(self.clock.now(), code).about("plan", plan)).await.unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("metsuke.db")
    }

    /// An export that was recorded as having left.
    async fn exported(&self) -> (Vec<u8>, PublicKey) {
        let mut bytes = Vec::new();
        let signed = export(&self.store, &self.key, &self.clock, &mut bytes).await.unwrap();
        record_exported(&self.store, &signed, "a safe", &self.clock).await.unwrap();
        (bytes, signed.public_key)
    }

    async fn verdict(&self) -> Verdict {
        verify(&self.store, Some(&self.key), Expected::default()).await.unwrap().verdict
    }

    async fn codes(&self, select: &EventSelect) -> Vec<String> {
        let mut codes = Vec::new();
        let listed = events::<StoreError>(&self.store, select, |Listed { sequence, event }| {
            codes.push(
                event.map_or_else(|_| format!("{sequence} unreadable"), |event| event.code.to_string()),
            );
            Ok(())
        });
        listed.await.unwrap();
        codes
    }
}

#[tokio::test]
async fn an_export_verifies_without_the_database() {
    for log in [Log::on_sqlite().await, Log::on_postgres().await] {
        let (first, key) = log.exported().await;
        log.record(EventCode::PlanApplied, 4).await;
        let kept = checkpoint(&log.store, &log.key, &log.clock).await.unwrap();
        log.record(EventCode::PlanApplied, 5).await;
        let (second, _) = log.exported().await;
        let expected = Expected { public_key: Some(key), checkpoints: vec![kept.note] };
        drop(log);
        let verdict = verify_export(first.as_slice(), Expected::default()).unwrap();
        assert!(verdict.is_clean() && verdict.events == 10, "{verdict:?}");
        let verdict = verify_export(second.as_slice(), expected).unwrap();
        assert!(verdict.is_clean(), "{:?}", verdict.findings);
        assert_eq!((verdict.events, verdict.confirmed, verdict.confirmed_elsewhere), (13, 13, 12));
        assert_eq!(String::from_utf8(second).unwrap().matches("\"checkpoint\":\"metsuke/").count(), 2);
    }
}

#[tokio::test]
async fn an_endless_line_in_an_export_is_a_finding_and_not_held() {
    let log = Log::on_sqlite().await;
    let (bytes, _) = log.exported().await;
    let endless = [&bytes[..], &vec![b'x'; 6 << 20]].concat();
    let verdict = verify_export(endless.as_slice(), Expected::default()).unwrap();
    assert!(verdict.findings.iter().any(|finding| finding.kind == FindingKind::NotEnded), "{verdict:?}");
}

#[tokio::test]
async fn a_log_that_was_changed_gets_no_signature() {
    let log = Log::on_sqlite().await;
    log.exported().await;
    let sql = "UPDATE audit_event SET text = replace(text, 'ann', 'eve') WHERE sequence = 3";
    metsuke_testkit::sqlite(&log.file(), sql).await.unwrap();
    let before = log.store.audit_log().await.unwrap().checkpoints().await.unwrap();
    let error = checkpoint(&log.store, &log.key, &log.clock).await.unwrap_err();
    assert!(
        matches!(&error, EngineError::AuditDamaged { first, .. } if first.contains("event 3")),
        "{error}"
    );
    assert_eq!(log.store.audit_log().await.unwrap().checkpoints().await.unwrap(), before);
    let failed = EventSelect { limit: Some(1), ..EventSelect::default() };
    assert_eq!(log.codes(&failed).await, ["checkpoint.failed"]);
}

#[tokio::test]
async fn a_key_is_made_once_and_for_its_owner_alone() {
    let log = Log::on_sqlite().await;
    let (one, other) = tokio::join!(
        checkpoint(&log.store, &log.key, &log.clock),
        checkpoint(&log.store, &log.key, &log.clock)
    );
    assert_eq!(one.unwrap().public_key, other.unwrap().public_key);
    let metadata = fs::metadata(log.key.path()).unwrap();
    assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (32, 0o600));
    let names = fs::read_dir(log.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let keys = names.filter(|name| name.to_string_lossy().contains("audit-key")).count();
    assert_eq!(keys, 1, "no draft is left");
}

#[tokio::test]
async fn a_key_that_others_may_read_or_that_is_none_is_refused() {
    let log = Log::on_sqlite().await;
    log.exported().await;
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(log.key.path(), fs::Permissions::from_mode(mode)).unwrap();
        let error = checkpoint(&log.store, &log.key, &log.clock).await.unwrap_err();
        assert!(matches!(error, EngineError::AuditKey { .. }), "{error}");
    }
    fs::set_permissions(log.key.path(), fs::Permissions::from_mode(0o600)).unwrap();
    for bytes in [&b""[..], &[7; 31], &[7; 33]] {
        fs::write(log.key.path(), bytes).unwrap();
        let error = checkpoint(&log.store, &log.key, &log.clock).await.unwrap_err();
        assert!(error.to_string().contains("32 bytes"), "{error}");
    }
}

#[tokio::test]
async fn a_lost_or_another_key_signs_nothing() {
    let log = Log::on_sqlite().await;
    log.exported().await;
    fs::remove_file(log.key.path()).unwrap();
    let error = checkpoint(&log.store, &log.key, &log.clock).await.unwrap_err();
    assert!(matches!(error, EngineError::AuditKey { .. }), "{error}");
    assert!(!log.key.path().exists(), "no second key by itself");
    assert!(log.verdict().await.is_clean(), "the key beside the log still serves for checking");
    fs::write(log.key.path(), [9; 32]).unwrap();
    fs::set_permissions(log.key.path(), fs::Permissions::from_mode(0o600)).unwrap();
    let error = checkpoint(&log.store, &log.key, &log.clock).await.unwrap_err();
    assert!(matches!(error, EngineError::AuditDamaged { .. }), "{error}");
}

/// A place that is full after so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_export_that_breaks_off_is_an_error_and_recorded() {
    let log = Log::on_sqlite().await;
    for room in [0, 500, 2_000] {
        let error = export(&log.store, &log.key, &log.clock, &mut Full(room)).await.unwrap_err();
        assert!(matches!(error, EngineError::AuditWrite { .. }), "{error}");
        let newest = EventSelect { limit: Some(1), ..EventSelect::default() };
        assert_eq!(log.codes(&newest).await, ["checkpoint.failed"]);
    }
    assert!(log.verdict().await.is_clean());
}

#[tokio::test]
async fn events_are_listed_newest_first_by_code_and_time() {
    let log = Log::on_sqlite().await;
    log.record(EventCode::KillSwitchOn, 0).await;
    let second = |second: i64| Some(Moment(AT.0 + second * 1_000_000));
    let all = EventSelect::default();
    assert_eq!(
        log.codes(&EventSelect { limit: Some(3), ..all.clone() }).await,
        ["kill_switch.on", "plan.approved", "plan.created"]
    );
    let approved = EventSelect { code: Some("plan.approved".into()), ..all.clone() };
    assert_eq!(log.codes(&approved).await.len(), 5);
    let plans =
        |since, until| EventSelect { code: Some("plan".into()), since, until, ..EventSelect::default() };
    assert_eq!(log.codes(&plans(None, None)).await.len(), 10);
    assert_eq!(
        log.codes(&plans(second(3), second(5))).await,
        ["plan.created", "plan.approved", "plan.created"]
    );
    assert!(log.codes(&EventSelect { code: Some("pla".into()), ..all.clone() }).await.is_empty());
    metsuke_testkit::sqlite(&log.file(), "UPDATE audit_event SET text = 'x' WHERE sequence = 2")
        .await
        .unwrap();
    assert_eq!(log.codes(&EventSelect { code: Some("login".into()), ..all }).await, ["2 unreadable"]);
}

#[tokio::test]
async fn events_are_found_by_who_about_what_and_by_what_came_of_it() {
    let log = Log::on_sqlite().await;
    let store = log.store.clone().acting_as(Actor { kind: ActorKind::ApiKey, name: "Robot (17)".into() });
    let refused = store.event(AT, EventCode::PlanRefused).about("plan", "P-17").about("team", "Core");
    store.record(refused).await.unwrap();
    let found = async |change: fn(&mut EventSelect)| {
        let mut select = EventSelect::default();
        change(&mut select);
        log.codes(&select).await
    };
    assert_eq!(found(|select| select.actor = Some("rObot".into())).await, ["plan.refused"]);
    assert_eq!(found(|select| select.actor = Some("api_key".into())).await, ["plan.refused"]);
    assert_eq!(found(|select| select.subject = Some("p-17".into())).await, ["plan.refused"]);
    assert_eq!(found(|select| select.subject = Some("team".into())).await, ["plan.refused"]);
    assert_eq!(found(|select| select.outcome = Some(EventOutcome::Refused)).await, ["plan.refused"]);
    assert!(found(|select| select.actor = Some("nobody".into())).await.is_empty());
    assert!(found(|select| select.outcome = Some(EventOutcome::Failed)).await.is_empty());
    let done = found(|select| select.outcome = Some(EventOutcome::Done)).await;
    assert!(!done.is_empty() && !done.contains(&"plan.refused".to_owned()), "{done:?}");
}

#[tokio::test]
async fn a_log_that_was_never_signed_cannot_be_confirmed() {
    let log = Log::on_sqlite().await;
    let verdict = log.verdict().await;
    let kinds: Vec<FindingKind> = verdict.findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::NoKey]);
}
