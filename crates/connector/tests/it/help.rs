//! Help texts and everything else that needs no Heroku.

use crate::house::{Ran, bare, run};

async fn told(arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(bare(folder.path(), arguments)).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    ran
}

#[tokio::test]
async fn the_help_shows_every_flag_that_is_not_hidden() {
    insta::assert_snapshot!(told(&["--help"]).await.stdout);
}

#[tokio::test]
async fn the_settings_are_shown_without_a_token() {
    insta::assert_snapshot!(told(&["config"]).await.stdout);
}

#[tokio::test]
async fn the_version_is_told_as_other_connectors_tell_theirs() {
    let version = format!("baton-heroku version v{}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(told(&["--version"]).await.stdout, version);
    assert_eq!(told(&["-v"]).await.stdout, version);
}

#[tokio::test]
async fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(told(&["completion", shell]).await.stdout.contains("baton-heroku"), "{shell}");
    }
}

#[tokio::test]
async fn hidden_flags_are_not_in_the_help() {
    let help = told(&["help"]).await.stdout;
    for hidden in ["--revoke-grant", "--create-ticket", "_connector-service", "--event-feed"] {
        assert!(!help.contains(hidden), "{hidden}");
    }
}
