//! Exit codes: gRPC's, with one error on stderr and nothing on stdout.

use metsuke_simulator::{Options, Size};

use crate::house::{House, Ran, bare, run};

fn refused(ran: &Ran, code: i32, message: &str) {
    assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{ran:?}");
    let errors: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{ran:?}");
    assert!(errors[0].contains(message), "{ran:?}");
}

#[tokio::test]
async fn a_wrong_call_is_2_and_what_is_not_built_is_12() {
    let folder = tempfile::tempdir().unwrap();
    let token = "--api-token=HRKU-1";
    for (arguments, code, message) in [
        (&[][..], 2, "required flag(s) \"api-token\" not set"),
        (&["--no-such-flag"], 2, "unknown flag: --no-such-flag"),
        (&["frobnicate"], 2, "unknown command `frobnicate`"),
        (&[token, "--workers", "many"], 2, "--workers takes a whole number"),
        (&[token, "--client-id", "x@example.com/y"], 2, "--client-id needs --client-secret beside"),
        (&[token, "--client-id", "x", "--client-secret", "y"], 2, ""),
        (&[token, "--c1z-temp-dir", "missing"], 2, "does not exist"),
        (&[token, "--grant-entitlement", "x", "--grant-principal", "y"], 2, "unknown provisioning action"),
        (&[token, "--create-ticket"], 12, "--create-ticket is not supported"),
        (&[token, "--storage-engine", "pebble"], 12, "--storage-engine=pebble is not supported"),
        (&[token, "--external-resource-c1z", "x"], 12, "--external-resource-c1z is not supported"),
        (&[token, "--sync-resource-types", "user,dyno"], 3, "there is no resource type `dyno`"),
        (&[token, "--sync-resources", "team/x"], 3, "bid:r:"),
        (&["_connector-service"], 2, "BATON_CONNECTOR_SERVICE_LISTENER_FD"),
        (&["health-check", "--timeout", "1", "--health-check-port", "1"], 14, "health check failed"),
        (&["health-check", "--endpoint", "well"], 2, "--endpoint takes one of"),
    ] {
        refused(&run(bare(folder.path(), arguments)).await, code, message);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_16_and_a_heroku_out_of_reach_14() {
    let house = House::of(Size::Small).await;
    let ran = house.run(&["--api-token", "HRKU-wrong"]).await;
    refused(&ran, 16, "Heroku does not accept the token");
    assert!(ran.stderr.contains("hint: ") && ran.stderr.contains("BATON_API_TOKEN"), "{ran:?}");
    let ran = house.run(&["--heroku-url", "http://127.0.0.1:1"]).await;
    refused(&ran, 14, "Heroku cannot be read");
    assert!(!house.file("sync.c1z").exists() && house.is_tidy());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_failed_in_part_writes_nothing() {
    let mut options = Options::of(Size::Small).seed(3);
    options.faults = vec!["server-error-500@/teams/*/members".parse().unwrap()];
    let house = House::new(options).await;
    let ran = house.run(&[]).await;
    refused(&ran, 14, "/members could not be read");
    assert!(!house.file("sync.c1z").exists() && house.is_tidy());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_heroku_does_not_show_is_named_and_the_rest_written() {
    let mut options = Options::of(Size::Small).seed(3);
    options.faults = vec!["forbidden-403@/teams/*/members".parse().unwrap()];
    let house = House::new(options).await;
    let ran = house.done(&[]).await;
    assert!(ran.stderr.contains("Heroku does not show this to the token"), "{ran:?}");
    assert!(ran.stderr.contains("note: Heroku does not show"), "{ran:?}");
    assert!(house.file("sync.c1z").exists() && house.is_tidy());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_c1z_file_is_left_alone() {
    let house = House::of(Size::Small).await;
    std::fs::write(house.file("sync.c1z"), "my notes").unwrap();
    let ran = house.run(&[]).await;
    refused(&ran, 2, "c1z: invalid file");
    assert_eq!(std::fs::read(house.file("sync.c1z")).unwrap(), b"my notes");
}
