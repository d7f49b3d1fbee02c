//! Help texts, as a person meets them.

use crate::house::{bare, run};

async fn help(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(bare(&folder, arguments)).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    ran.stdout
}

#[tokio::test]
async fn the_first_help_shows_the_first_steps() {
    insta::assert_snapshot!(help(&["-h"]).await);
}

#[tokio::test]
async fn the_help_of_sync_tells_flags_defaults_and_variables() {
    insta::assert_snapshot!(help(&["sync", "--help"]).await);
}

#[tokio::test]
async fn the_help_of_c1z_files_tells_what_is_and_is_not_done() {
    insta::assert_snapshot!("export_c1z", help(&["export", "c1z", "--help"]).await);
    insta::assert_snapshot!("import_c1z", help(&["import", "c1z", "--help"]).await);
    insta::assert_snapshot!("c1z_inspect", help(&["c1z", "inspect", "--help"]).await);
    insta::assert_snapshot!("c1z_diff", help(&["c1z", "diff", "--help"]).await);
}

#[tokio::test]
async fn every_command_has_examples() {
    for command in [
        "sync",
        "access",
        "grants",
        "list",
        "people",
        "query",
        "questions",
        "rules",
        "export",
        "import",
        "c1z",
        "jupiterone",
        "changes",
        "syncs",
        "webhooks",
        "connectors",
        "jobs",
        "grant",
        "revoke",
        "remove-person",
        "plans",
        "apply",
        "kill-switch",
        "protect",
        "audit",
        "doctor",
        "demo",
        "simulate",
        "completions",
    ] {
        assert!(help(&["help", command]).await.contains("Examples:"), "{command}");
    }
}

#[tokio::test]
async fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(help(&["completions", shell]).await.contains("metsuke"), "{shell}");
    }
}
