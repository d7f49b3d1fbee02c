//! The log of a task, for C1's support: what is in it, and what is not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use metsuke_baton::tasks::Failed;
use metsuke_simulator::c1::proto::tasks::Task;
use metsuke_simulator::c1::{C1, C1Call, C1Fault, C1Options};
use tracing_subscriber::layer::SubscriberExt as _;

use super::hand::{Hand, Play};
use super::house::{c1, called, calls, finished, grant, in_order, replica, settings, sync};

/// What stands for the Heroku token.
const HEROKU: &str = "canary-of-the-heroku-token-0123456789";

fn debugged(kind: metsuke_simulator::c1::proto::tasks::task::TaskType) -> Task {
    Task { task_type: Some(kind), debug: true, ..Task::default() }
}

/// Every spelling of every secret.
fn secrets(c1: &C1) -> Vec<String> {
    let seed = c1.seed();
    let mut secrets = Vec::new();
    for bytes in [HEROKU.as_bytes(), &seed, c1.client_secret().as_bytes()] {
        let hex = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        secrets.extend([hex.to_uppercase(), hex, STANDARD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes)]);
    }
    secrets.push(HEROKU.to_owned());
    secrets.extend(c1.client_secret().split(':').skip(3).map(str::to_owned));
    secrets
}

fn clean(c1: &C1, text: &str) {
    for secret in secrets(c1) {
        assert!(!text.contains(&secret), "a secret shows in {text}");
    }
    assert!(!text.contains("access-0"), "an access token shows in {text}");
}

/// What the log of everything says, for the time of a test.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_task_that_asks_for_it_is_logged_and_its_log_uploaded_after_its_file() {
    let c1 = c1(C1Options::default()).await;
    let replica = replica(&c1, &Hand::quick(10), settings("pod-1"));
    let id = c1.give_task(debugged(sync("user")));
    finished(&c1, 1).await;
    let other = c1.give(sync("team"));
    finished(&c1, 2).await;
    replica.stop().await.unwrap();
    let uploads = c1.uploads();
    let of: Vec<&str> = uploads.iter().map(|upload| upload.task_id.as_str()).collect();
    assert_eq!(of, [&id, &id, &other], "the second task has no log");
    let log = String::from_utf8(uploads[1].bytes.clone()).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |text: &str| lines.iter().any(|line| line["msg"].as_str().unwrap().contains(text));
    assert!(said("begins: sync") && said("at work on user"), "{log}");
    assert!(!said("at work on team"), "{log}");
    assert!(lines.iter().all(|line| line["ts"].is_string() && line["level"].is_string()), "{log}");
    in_order(&c1);
}

#[tokio::test]
async fn no_secret_is_in_a_log_an_error_or_an_upload() {
    let c1 = c1(C1Options::default()).await;
    let spoken = secrets(&c1).join(" | ");
    let hand = Hand::new(Play::Fail(Failed::new(13, format!("it went wrong: {spoken}"))));
    let mut settings = settings("pod-1");
    settings.secrets = vec![HEROKU.into()];
    c1.fail(C1Call::Heartbeat, &[C1Fault::Refused(14)]);
    let (written, outer) = (Written::default(), Written::default());
    let _kept = outer.clone();
    let writer = written.clone();
    let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).with_ansi(false);
    let _logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
    let replica = replica(&c1, &hand, settings);
    c1.give_task(debugged(sync("user")));
    c1.give_task(debugged(grant("app:a1:view")));
    let told = finished(&c1, 2).await;
    replica.stop().await.unwrap();
    for finished in &told {
        assert!(finished.message.contains("it went wrong: [secret] | "), "{}", finished.message);
        clean(&c1, &finished.message);
    }
    assert_eq!(c1.uploads().len(), 2, "a log for each");
    for upload in c1.uploads() {
        let log = String::from_utf8(upload.bytes).unwrap();
        assert!(log.contains("it went wrong"), "{log}");
        clean(&c1, &log);
    }
    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("it went wrong"), "ordinary logging went on: {log}");
    clean(&c1, &log);
    in_order(&c1);
}

#[tokio::test]
async fn c1_can_have_all_tasks_logged() {
    let c1 = c1(C1Options { debugging: true, ..C1Options::default() }).await;
    let mut settings = settings("pod-1");
    settings.ask_debugging = true;
    let replica = replica(&c1, &Hand::quick(0), settings);
    c1.give(grant("app:a1:view"));
    finished(&c1, 1).await;
    replica.stop().await.unwrap();
    assert_eq!((calls(&c1, C1Call::StartDebugging).len(), c1.uploads().len()), (1, 1));
}

#[tokio::test]
async fn a_log_that_cannot_be_uploaded_fails_no_task() {
    let c1 = c1(C1Options::default()).await;
    c1.fail(C1Call::UploadAsset, &[C1Fault::Refused(9); 3]);
    let replica = replica(&c1, &Hand::quick(0), settings("pod-1"));
    c1.give_task(debugged(grant("app:a1:view")));
    assert_eq!(finished(&c1, 1).await[0].code, 0);
    replica.stop().await.unwrap();
}

#[tokio::test]
async fn c1_is_not_asked_about_debugging_unless_told_to() {
    let c1 = c1(C1Options { debugging: true, ..C1Options::default() }).await;
    let replica = replica(&c1, &Hand::new(Play::Done(Duration::ZERO, 0)), settings("pod-1"));
    called(&c1, C1Call::GetTask, 1).await;
    replica.stop().await.unwrap();
    assert_eq!(calls(&c1, C1Call::StartDebugging).len(), 0);
}
