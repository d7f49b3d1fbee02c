//! What the real service answered in 2020, read by the client where the recordings are at hand.
//!
//! Invariant: the recordings are never copied into the project.

use std::path::Path;

use metsuke_clients::heroku::{Heroku, Row, endpoint};
use metsuke_clients::{ClientError, ErrorKind};
use serde_json::Value;

use super::{Server, Turn, client};

#[tokio::test]
async fn recorded_answers_are_understood() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings/responses.json");
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("not run: no recordings at {}", path.display());
        return;
    };
    let recordings: Vec<Value> = serde_json::from_slice(&text).unwrap();
    for recording in &recordings {
        let (url, answer) = (recording["request"]["url"].as_str().unwrap(), &recording["response"]);
        let status = u16::try_from(answer["status"].as_u64().unwrap()).unwrap();
        let body = answer["body"].as_str().unwrap();
        let mut turn = Turn::new(status, body);
        for (name, value) in answer["headers"].as_object().unwrap() {
            if name != "content-length" {
                turn = turn.with(name, value.as_str().unwrap());
            }
        }
        let server = Server::script(vec![turn]).await;
        let heroku = client(&server);
        if status == 401 {
            assert_eq!(heroku.account().await.unwrap_err().kind(), ErrorKind::Unauthorized);
            continue;
        }
        let rows = serde_json::from_str::<Value>(body).unwrap().as_array().map_or(1, Vec::len);
        let read = ask(&heroku, url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(read, rows, "{url}");
        assert!(heroku.usage().remaining.is_some());
    }
}

/// Reads what lies at a recorded address with the endpoint that is meant for it; the number of rows.
async fn ask(heroku: &Heroku, url: &str) -> Result<usize, ClientError> {
    let parts: Vec<_> = url.split('?').next().unwrap_or(url).trim_start_matches('/').split('/').collect();
    match parts[..] {
        ["account"] => heroku.account().await.map(|_| 1),
        ["enterprise-accounts"] => rows(heroku, endpoint::enterprise_accounts()).await,
        ["enterprise-accounts", id, "members"] => rows(heroku, endpoint::enterprise_members(id)).await,
        ["enterprise-accounts", id, "teams"] => rows(heroku, endpoint::enterprise_teams(id)).await,
        ["teams", id, "members"] => rows(heroku, endpoint::team_members(id)).await,
        ["teams", id, "apps"] => rows(heroku, endpoint::team_apps(id)).await,
        ["apps", _, "addons"] => rows(heroku, endpoint::addons()).await,
        _ => panic!("no endpoint reads {url}"),
    }
}

async fn rows<T: Row>(heroku: &Heroku, list: endpoint::Endpoint<T>) -> Result<usize, ClientError> {
    let page = heroku.walk(list).next().await?;
    assert!(page.last && page.rows.iter().all(|row| !row.row_id().is_empty()));
    Ok(page.rows.len())
}
