//! The capabilities, and the file that is handed out with the program.

use crate::house::{bare, run};

#[tokio::test]
async fn the_file_of_capabilities_is_what_the_program_prints() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(bare(folder.path(), &["capabilities"])).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let file = include_str!("../../baton_capabilities.json");
    assert_eq!(
        ran.stdout, file,
        "write it anew: baton-heroku capabilities > crates/connector/baton_capabilities.json"
    );
    assert!(ran.stdout.ends_with('}'), "there is no line end behind it");
}
