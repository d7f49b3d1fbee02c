//! Errors: one line, a hint, the right exit code, and nothing on stdout.

use metsuke_simulator::Size;
use tokio::process::Command;

use crate::house::{House, bare, run, starting};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_one_is_told_how_to_make_it() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["grants"][..], &["list", "apps"], &["access", "app", "x"], &["syncs"], &["changes"]] {
        let ran = run(bare(&folder, arguments)).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
        assert!(
            ran.stderr.starts_with(
                "error: there is no database `metsuke.db` (from the default)\nhint: run `metsuke sync`"
            ),
            "{ran:?}"
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "reading makes no database");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_left_alone() {
    let house = House::synced(Size::Small).await;
    let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); \
                  c.execute('INSERT INTO metsuke_schema (number) VALUES (999)'); c.commit()";
    let status = Command::new("python3").arg("-c").arg(script).arg(house.database()).status().await.unwrap();
    assert!(status.success());
    for arguments in [&["sync", "--quiet"][..], &["list", "apps"]] {
        let ran = house.run(arguments).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert_eq!(starting(&ran.stderr, "error: ").len(), 1, "{ran:?}");
        assert!(
            ran.stderr.contains("schema 999") && ran.stderr.contains("\nhint: run the newer metsuke"),
            "{ran:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_host_is_one_error_with_a_hint() {
    let house = House::of(Size::Small).await;
    let ran = house.run(&["sync", "--quiet", "--attempts", "1", "--heroku-url", "http://127.0.0.1:1"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert_eq!(starting(&ran.stderr, "error: ").len(), 1, "{ran:?}");
    assert!(ran.stderr.starts_with("error: Heroku cannot be read: GET /"), "{ran:?}");
    assert!(starting(&ran.stderr, "hint: ")[0].contains("network"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_is_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["sync"],
        &["sync", "--skip", "dynos"],
        &["sync", "--token-file", "missing"],
        &["sync", "--max-in-flight", "33"],
        &["grants", "--as-of", "yesterday"],
        &["grants", "--database", "mysql://db/x"],
        &["simulate", "--fault", "no-such-fault"],
        &["simulate", "--size", "small", "--apps", "7"],
    ] {
        let ran = run(bare(&folder, arguments)).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_not_travel_unencrypted() {
    let house = House::of(Size::Small).await;
    let ran = house.run(&["sync", "--heroku-url", "http://api.example.com"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.starts_with("error: the token would travel unencrypted"), "{ran:?}");
}
