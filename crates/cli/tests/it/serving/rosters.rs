//! Rosters that a server fetches itself, from where its settings let it.

use metsuke_simulator::{RosterServer, Size};
use serde_json::{Value, json};

use super::client::Served;
use crate::house::{bare, run};

const ALLOWED: [(&str, &str); 2] = [("METSUKE_ALLOW_PRIVATE", "127.0.0.0/8"), ("METSUKE_ALLOW_PLAIN", "1")];
const FETCH: &str = "/api/v1/rosters/okta/fetch";

async fn connected(variables: &[(&str, &str)]) -> (Served, String) {
    let served = Served::with(Size::Small, &["--log-level", "trace"], variables).await;
    let admin = served.token("admin", &[]).await;
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    (served, admin)
}

async fn users(served: &Served, admin: &str) -> Vec<Value> {
    let people = served.get(admin, "/api/v1/people?limit=1000").await.rows();
    let emails = people.iter().filter_map(|person| person["email"].as_str());
    let user = |(number, email): (u32, &str)| {
        let profile =
            json!({ "login": email, "email": email, "firstName": "P", "lastName": number.to_string() });
        json!({ "id": format!("00u{number}"), "status": "ACTIVE", "profile": profile })
    };
    (0..).zip(emails).take(5).map(user).collect()
}

#[tokio::test]
async fn a_server_fetches_a_roster_and_keeps_the_token_nowhere() {
    let (served, admin) = connected(&ALLOWED).await;
    let roster = RosterServer::local(users(&served, &admin).await, 2).await.unwrap();
    let ask = json!({ "url": roster.url(), "token": roster.token() });
    let fetched = served.post(&admin, FETCH, &ask).await;
    assert_eq!(fetched.status, 200, "{}", fetched.text());
    let taken = fetched.json()["estates"][0].clone();
    assert_eq!(
        (&taken["people"], &taken["kind"], &taken["accounts"]["matched"]),
        (&json!(5), &json!("okta"), &json!(5))
    );
    assert_eq!(served.get(&admin, "/api/v1/employees").await.rows().len(), 5);

    let folder = tempfile::tempdir().unwrap();
    let mut command = bare(&folder, &["people", "fetch", &roster.url(), "--roster", "okta"]);
    command.env("METSUKE_SERVER", format!("http://{}", served.address)).env("METSUKE_TOKEN", &admin);
    command.env("METSUKE_ROSTER_TOKEN", roster.token());
    let ran = run(command).await;
    assert!(ran.code == 0 && ran.stdout.starts_with("Roster okta: 5 people; 0 new"), "{ran:?}");

    let wrong = served.post(&admin, FETCH, &json!({ "url": roster.url(), "token": "00-wrong" })).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (424, "roster_unreachable"), "{}", wrong.text());
    assert!(wrong.text().contains("401") && !wrong.text().contains("00-wrong"), "{}", wrong.text());
    for secret in [roster.token(), "00-wrong"] {
        assert!(!served.log().contains(secret), "the log holds the token");
        for entry in walk(served.house.folder.path()) {
            let bytes = std::fs::read(&entry).unwrap();
            let held = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!held, "{} holds the token", entry.display());
        }
    }
}

/// Every file below a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn a_roster_within_a_private_network_is_not_fetched_and_nobody_is_asked() {
    let (served, admin) = connected(&[]).await;
    let roster = RosterServer::local(users(&served, &admin).await, 2).await.unwrap();
    let port = roster.url().rsplit(':').next().unwrap().to_owned();
    for url in [
        roster.url(),
        format!("https://127.0.0.1:{port}"),
        format!("https://localhost:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://2130706433:{port}"),
        "https://169.254.169.254/latest/meta-data".into(),
        "ftp://example.com".into(),
        "not an address".into(),
    ] {
        let refused = served.post(&admin, FETCH, &json!({ "url": url, "token": roster.token() })).await;
        assert_eq!(refused.status, 422, "{url}: {}", refused.text());
        assert_eq!(refused.json()["error"]["fields"][0]["name"], "url", "{}", refused.text());
    }
    assert_eq!(served.get(&admin, "/api/v1/employees").await.rows().len(), 0);
    let reviewer = served.token("reviewer", &[]).await;
    let ask = json!({ "url": "https://example.com", "token": "x" });
    assert_eq!(served.post(&reviewer, FETCH, &ask).await.status, 403);
}
