//! The token is nowhere: not in what is printed, not in what is written.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use metsuke_simulator::{Options, Size};

use crate::house::{House, Ran, bare, run};

const CANARY: &str = "HRKU-canary-5f1d0c7e9a3b4c6d8e2f";

/// The token as it is, in hexadecimal, and in base64 wherever it may begin.
fn spellings() -> Vec<Vec<u8>> {
    let bytes = CANARY.as_bytes();
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let mut all = vec![bytes.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    for lead in 0..3 {
        let text = STANDARD_NO_PAD.encode([&vec![0; lead], bytes].concat());
        // The letters at both ends belong to what stands beside it as well.
        all.push(text.as_bytes()[lead + 1..text.len() - 2].to_vec());
    }
    all
}

fn absent(what: &str, bytes: &[u8]) {
    for spelling in spellings() {
        assert!(!bytes.windows(spelling.len()).any(|window| window == spelling), "the token is in {what}");
    }
}

fn absent_from_files(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            absent_from_files(&path);
        } else {
            absent(&path.display().to_string(), &std::fs::read(&path).unwrap());
        }
    }
}

fn silent(ran: &Ran) {
    absent("stdout", ran.stdout.as_bytes());
    absent("stderr", ran.stderr.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_in_no_output_no_file_and_no_log() {
    let mut options = Options::of(Size::Small).seed(3);
    options.tokens = vec![(CANARY.to_owned(), "global".to_owned())];
    let house = House::new(options).await;
    let database = format!("sqlite:{}", house.file("kept.db").display());
    for arguments in [
        &["--log-level", "debug", "--log-path", "run.log"][..],
        &["--log-level", "debug", "--database", &database],
        &["--sync-resources", "bid:r:app/x"],
        &["--event-feed"],
        &["--revoke-grant", "app:x:deploy:user:y"],
        &["--create-ticket"],
        &["--heroku-url", "http://127.0.0.1:1"],
        &["capabilities"],
        &["config"],
    ] {
        let mut command = house.command(arguments);
        command.env("BATON_API_TOKEN", CANARY);
        silent(&run(command).await);
    }
    absent_from_files(house.folder.path());
    // The decoded database within the file, too.
    for row in house.rows("sync.c1z") {
        absent("a row", format!("{row:?}").as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_not_repeated() {
    let house = House::of(Size::Small).await;
    let wrong = [&["--api-token", CANARY][..], &["--api-token=", CANARY], &[CANARY], &["--token", CANARY]];
    for arguments in wrong {
        let mut command = bare(house.folder.path(), arguments);
        command.env("BATON_HEROKU_URL", house.heroku.url());
        let ran = run(command).await;
        assert_ne!(ran.code, 0, "{ran:?}");
        silent(&ran);
    }
    std::fs::write(house.file(".baton.yaml"), format!("api-token {CANARY}\n")).unwrap();
    let ran = run(bare(house.folder.path(), &[])).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    silent(&ran);
}
