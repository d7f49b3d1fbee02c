//! Whose certificates are trusted: for the token as for the calls.
//!
//! `SSL_CERT_FILE` is read by libraries from the process's environment; so the test runs itself as another process.

use std::process::Command;
use std::sync::Arc;

use metsuke_engine::c1::{self, Tokens};
use metsuke_model::clock::SystemClock;
use metsuke_simulator::c1::{C1, C1Call, C1Options};

use super::hand::Hand;
use super::house::{c1, calls, replica_with, settings};

const ID: &str = "METSUKE_TEST_CLIENT_ID";
const SECRET: &str = "METSUKE_TEST_CLIENT_SECRET";

/// The test that is run as another process; alone it has nothing to do.
#[tokio::test]
async fn a_service_with_the_systems_certificates() {
    let text = |name: &str| std::env::var_os(name).map(|text| text.into_string().unwrap());
    let (Some(id), Some(secret)) = (text(ID), text(SECRET)) else { return };
    let credentials = c1::credentials(&id, secret.into()).unwrap();
    let tokens = Tokens::new(c1::Settings::new(credentials), Arc::new(SystemClock)).unwrap();
    let mut settings = settings("pod-1");
    // Long enough to be read, and to be killed in.
    settings.times.first_hello = std::time::Duration::from_mins(1);
    let subscriber = tracing_subscriber::fmt().with_writer(std::io::stderr).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let replica = replica_with(tokens, &Hand::quick(0), settings);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    replica.stop().await.unwrap();
}

/// What a process that trusts `trusted` alone says on stderr.
async fn told(c1: &C1, trusted: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, trusted).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "tasks::roots::a_service_with_the_systems_certificates", "--nocapture"])
        .env("SSL_CERT_FILE", &file)
        .env_remove("SSL_CERT_DIR")
        .env(ID, c1.client_id())
        .env(SECRET, c1.client_secret());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains(c1.client_secret().rsplit(':').next().unwrap()), "{said}");
    said
}

#[tokio::test]
async fn the_file_that_ssl_cert_file_names_is_trusted_for_tokens_and_for_calls() {
    let c1 = c1(C1Options::default()).await;
    let said = told(&c1, c1.authority()).await;
    assert!(said.contains("C1 was greeted as `pod-1`"), "{said}");
    assert_eq!((c1.tokens_given(), c1.hellos().len()), (1, 1));
    assert!(!calls(&c1, C1Call::GetTask).is_empty());
}

#[tokio::test]
async fn another_authority_is_not_trusted_and_the_error_says_so() {
    let (here, other) = (c1(C1Options::default()).await, c1(C1Options::default()).await);
    let said = told(&here, other.authority()).await;
    assert!(said.contains("an authority that this machine does not trust"), "{said}");
    assert!(here.calls().is_empty(), "nothing was sent");
}
