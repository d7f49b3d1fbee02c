//! `metsuke doctor`: every case of item 7 has its line.

use metsuke_simulator::{Manners, Options, Size};

use crate::house::{House, Ran, run};

async fn with_token(house: &House, token: &str) -> Ran {
    let mut command = house.command(&["doctor"]);
    command.env("METSUKE_HEROKU_TOKEN", token);
    run(command).await
}

/// The line of a check, without its wrapping.
fn line<'a>(text: &'a str, check: &str) -> &'a str {
    text.lines().find(|line| line.get(6..).is_some_and(|rest| rest.starts_with(check))).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_has_nothing_that_fails() {
    let house = House::of(Size::Small).await;
    let ran = house.run(&["doctor"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for check in ["token", "address", "account", "scope", "teams", "apps", "members", "budget"] {
        assert!(line(&ran.stdout, check).starts_with("ok    "), "{check}: {ran:?}");
    }
    assert!(line(&ran.stdout, "database").starts_with("warn  "), "{ran:?}");
    assert!(!house.database().exists(), "looking makes no database");
    assert!(house.heroku.stats().requests <= 6);
    house.run(&["sync", "--quiet"]).await;
    let ran = house.run(&["doctor"]).await;
    assert!(
        line(&ran.stdout, "database").starts_with("ok    database: SQLite `sqlite:metsuke.db`"),
        "{ran:?}"
    );
    assert!(line(&ran.stdout, "version").contains("the newest is 1, complete"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_writes_are_allowed_and_the_kill_switch_is_off_is_told() {
    let house = House::synced(Size::Small).await;
    let ran = house.run(&["doctor"]).await;
    assert!(line(&ran.stdout, "writes").starts_with("ok    writes: not allowed"), "{ran:?}");
    assert_eq!(line(&ran.stdout, "kill switch"), "ok    kill switch: off", "{ran:?}");
    assert_eq!(house.run(&["kill-switch", "on"]).await.code, 0);
    let stop = house.folder.path().join("metsuke.db.stop");
    std::fs::write(&stop, "").unwrap();
    let mut command = house.command(&["doctor"]);
    command.env("METSUKE_PROVISIONING", "true");
    let ran = run(command).await;
    assert_eq!(line(&ran.stdout, "writes"), "ok    writes: allowed by METSUKE_PROVISIONING=true", "{ran:?}");
    assert!(line(&ran.stdout, "kill switch").starts_with("warn  kill switch: on in the database"), "{ran:?}");
    assert!(
        ran.stdout.contains("`metsuke kill-switch off`") && ran.stdout.contains("metsuke.db.stop"),
        "{ran:?}"
    );
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_fails() {
    let house = House::of(Size::Small).await;
    let ran = with_token(&house, "HRKU-wrong-and-not-to-be-shown").await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(line(&ran.stdout, "account").starts_with("fail  "), "{ran:?}");
    assert!(ran.stdout.contains("hint: ") && !ran.stdout.contains("HRKU-wrong"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_small_scope_is_told_what_it_cannot_read() {
    let house = House::of(Size::Small).await;
    let ran = with_token(&house, &house.heroku.token_with("read")).await;
    let told = ran.stdout.replace("\n  ", " ");
    assert!(line(&ran.stdout, "scope").starts_with("warn  scope: read"), "{ran:?}");
    assert!(told.contains("cannot read the members of teams"), "{told}");
    assert!(told.contains("heroku authorizations:create"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_federated_account_is_advised_to_use_a_service_account() {
    let manners = Manners { federated_caller: true, ..Manners::default() };
    let house = House::new(Options::of(Size::Small).seed(3).manners(manners)).await;
    let ran = house.run(&["doctor"]).await;
    assert!(line(&ran.stdout, "sign-in").starts_with("warn  sign-in: the account is federated"), "{ran:?}");
    assert!(ran.stdout.contains("service account"), "{ran:?}");
    let ran = house.run(&["sync"]).await;
    assert!(ran.stderr.contains("warning: the token's account is federated"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_host_fails() {
    let house = House::of(Size::Small).await;
    let ran = house.run(&["doctor", "--heroku-url", "http://127.0.0.1:1", "--format", "jsonl"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("\"check\":\"address\",\"status\":\"fail\""), "{ran:?}");
}
