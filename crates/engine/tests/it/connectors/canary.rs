//! What a connector is given to keep secret is in nothing that is written.

use std::path::Path;
use std::process::Command;

use metsuke_engine::connectors::ConnectorEdit;
use secrecy::{ExposeSecret as _, SecretString};

use super::site::{Site, ann};

/// What a connector is given, and what of it may be found nowhere.
const KEY: &str = "jupiter-one-canary-key";

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_in_nothing_that_is_stored_on_sqlite() {
    let site = Site::on_sqlite().await;
    let canary = given_away(&site).await;
    let stored = files(site.folder.path());
    assert!(
        stored.iter().any(|(name, _)| Path::new(name).extension().is_some_and(|end| end == "db")),
        "the databases are among them"
    );
    is_in_none(&canary, &stored);
    // What is searched for would be found.
    std::fs::write(site.folder.path().join("planted"), format!("x{canary}y")).unwrap();
    let planted = files(site.folder.path());
    assert!(
        planted.iter().any(|(_, bytes)| bytes.windows(canary.len()).any(|piece| piece == canary.as_bytes()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_in_nothing_that_is_stored_on_postgres() {
    let site = Site::on_postgres().await;
    let canary = given_away(&site).await;
    let stored_rows = rows(site.url());
    let text = String::from_utf8_lossy(&stored_rows);
    assert!(
        text.contains("ann@example.com") && text.contains("enterprise_account"),
        "the rows are among them"
    );
    let mut stored = files(site.folder.path());
    stored.push(("the database".to_owned(), stored_rows));
    is_in_none(&canary, &stored);
    // What is searched for would be found.
    let planted = format!("CREATE TABLE planted AS SELECT 'x{canary}y' AS text");
    psql(site.url(), &planted);
    assert!(String::from_utf8_lossy(&rows(site.url())).contains(&canary));
}

/// A connector that is made, read and edited with the token, which is given back; and with [`KEY`].
async fn given_away(site: &Site) -> String {
    let canary = site.simulator.token().to_owned();
    let mut wish = site.wish("core");
    wish.jupiterone_key = Some(SecretString::from(KEY));
    let id = site.installation.create(&ann(), wish).await.unwrap().id;
    site.drain().await;
    let token = Some(SecretString::from(canary.clone()));
    let edit = ConnectorEdit { api_token: token, ..ConnectorEdit::default() };
    site.installation.edit(&ann(), id, None, edit).await.unwrap();
    let key = site.installation.jupiterone_key(id).await.unwrap().unwrap();
    assert_eq!(key.expose_secret(), KEY);
    assert!(!format!("{:?}", site.installation.connector(id).await.unwrap()).contains(&canary));
    canary
}

fn is_in_none(canary: &str, stored: &[(String, Vec<u8>)]) {
    for secret in [canary, KEY] {
        for form in forms(secret) {
            for (name, bytes) in stored {
                let found = bytes.windows(form.len()).any(|piece| piece.eq_ignore_ascii_case(&form));
                assert!(!found, "{name} holds {}", String::from_utf8_lossy(&form));
            }
        }
    }
}

/// Every row of every table and schema of a PostgreSQL database, bytes in hexadecimal.
fn rows(url: &str) -> Vec<u8> {
    psql(url, "SET xmlbinary TO hex; SELECT database_to_xml(true, false, '')")
}

fn psql(url: &str, statements: &str) -> Vec<u8> {
    let answer = Command::new("psql").args(["-X", "-At", url, "-c", statements]).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    answer.stdout
}

/// A secret raw, in hexadecimal, and in base64 at each of its three places.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let hex = secret.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes());
    let mut forms = vec![secret.as_bytes().to_vec(), hex.collect()];
    for before in 0..3 {
        let text = [&vec![b'x'; before][..], secret.as_bytes()].concat();
        let coded = base64(&text);
        forms.push(coded[before * 2..coded.len() - 4].to_vec());
    }
    forms
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut coded = Vec::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - three.len()));
        coded.extend([18, 12, 6, 0].map(|shift| LETTERS[bits >> shift & 63]));
    }
    coded
}

/// Every file below a folder, with its bytes.
fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}
