//! Work in the background as people see it: what was given up, and uploads that somebody asks for.

use std::time::Duration;

use metsuke_model::{Clock as _, JobId, SystemClock};
use metsuke_simulator::Size;
use metsuke_simulator::jupiterone::{JupiterOne, JupiterOneOptions};
use metsuke_store::{Claim, NewJob, OpenMode, Settled, Store};
use serde_json::{Value, json};

use super::client::{PATIENCE, Served};
use crate::house::{Ran, bare, run};

/// A kind of job that no server knows, so that none takes it up.
const ERRAND: &str = "errand";

async fn connected() -> (Served, String, String) {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    (served, admin, id)
}

/// Gives up so many errands of a connector.
async fn give_up(served: &Served, connector: &str, errands: u8) {
    let file = served.house.folder.path().join("metsuke.db.connectors").join(format!("{connector}.db"));
    let url = format!("sqlite:{}", file.display());
    let store = Store::open(&url, OpenMode::Existing).await.unwrap();
    for errand in 0..errands {
        let now = SystemClock.now();
        let id = JobId::new(now, [errand; 10]);
        let document = json!({ "version": errand });
        let new = NewJob { id, kind: ERRAND, dedup: None, document, run_at: now, created_at: now };
        store.insert_job(&new).await.unwrap();
        let lease = Duration::from_secs(9);
        let job = store.claim_job(&[ERRAND], "test", lease, &SystemClock).await.unwrap().unwrap();
        let claim = Claim { job: job.id, fence: job.fence, lease };
        let dead = Settled::Dead { why: format!("nobody was at home, {errand}") };
        store.settle_job(&claim, &dead, SystemClock.now()).await.unwrap();
    }
}

/// The command through the server, in a folder without a database.
async fn remote(served: &Served, token: &str, arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bare(&folder, arguments);
    command.env("METSUKE_SERVER", format!("http://{}", served.address)).env("METSUKE_TOKEN", token);
    run(command).await
}

async fn events(served: &Served, token: &str, code: &str) -> Vec<Value> {
    served.get(token, &format!("/api/v1/audit?code={code}")).await.rows()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

#[tokio::test]
async fn work_that_was_given_up_is_listed_counted_put_back_and_struck_over_the_api() {
    let (served, admin, connector) = connected().await;
    give_up(&served, &connector, 3).await;
    let first = served.get(&admin, "/api/v1/jobs?state=dead&limit=2").await;
    let rows = first.rows();
    assert_eq!(rows.len(), 2);
    assert_eq!((text(&rows[0]["why"]), &rows[0]["attempts"]), ("nobody was at home, 2", &json!(1)));
    assert_eq!((text(&rows[0]["connector"]), text(&rows[0]["state"])), (&*connector, "dead"));
    let next = text(&first.json()["next_cursor"]).to_owned();
    let rest = served.get(&admin, &format!("/api/v1/jobs?state=dead&limit=2&cursor={next}")).await;
    assert_eq!((rest.rows().len(), &rest.json()["next_cursor"]), (1, &Value::Null));
    let table =
        served.send(("GET", "/api/v1/jobs?state=dead"), Some(&admin), &[("accept", "text/csv")], None);
    assert_eq!(table.await.text().lines().count(), 4);
    let synced = served.get(&admin, &format!("/api/v1/jobs?kind=sync&connector={connector}")).await.rows();
    assert_eq!((synced.len(), text(&synced[0]["what"])), (1, "read the Heroku account"));
    assert!(served.get(&admin, "/api/v1/jobs?kind=prune").await.rows()[0]["connector"].is_null());
    assert_eq!(served.get(&admin, "/api/v1/jobs?state=lost").await.status, 422);
    let figures = served.get(&admin, "/metrics").await.text();
    assert!(figures.contains("metsuke_jobs{state=\"dead\"} 3"), "{figures}");

    let place = format!("/api/v1/jobs/{}", text(&rows[0]["id"]));
    let retry = format!("{place}/retry");
    let retried = served.send(("POST", &retry), Some(&admin), &[], None).await.json();
    assert_eq!((text(&retried["state"]), &retried["attempts"]), ("waiting", &json!(0)), "{retried}");
    assert_eq!(served.get(&admin, &place).await.json(), retried);
    let again = served.send(("POST", &retry), Some(&admin), &[], None).await;
    assert_eq!((again.status, again.code().as_str()), (409, "conflict"));
    assert!(again.text().contains("it waits for its time"), "{}", again.text());
    let struck = served.send(("DELETE", &place), Some(&admin), &[], None).await;
    assert_eq!(struck.status, 409, "what waits is not struck: {}", struck.text());
    let other = format!("/api/v1/jobs/{}", text(&rows[1]["id"]));
    assert_eq!(served.send(("DELETE", &other), Some(&admin), &[], None).await.status, 200);
    assert_eq!(served.get(&admin, &other).await.status, 404);
    assert_eq!(served.get(&admin, "/api/v1/jobs?state=dead").await.rows().len(), 1);
    for code in ["job.retried", "job.dropped"] {
        let told = events(&served, &admin, code).await;
        assert_eq!(told.len(), 1, "{code}");
        assert!(text(&told[0]["actor"]["name"]).starts_with("test ("), "{told:?}");
    }
}

#[tokio::test]
async fn work_that_was_given_up_is_put_back_by_the_command_line_on_either_way() {
    let (served, admin, connector) = connected().await;
    give_up(&served, &connector, 3).await;
    for format in ["json", "jsonl", "csv", "table"] {
        let list = ["--format", format, "jobs", "list", "--state", "dead"];
        let (there, here) = (remote(&served, &admin, &list).await, served.house.run(&list).await);
        assert_eq!((there.code, &there.stdout), (0, &here.stdout), "{there:?}");
    }
    let dead = served.house.json(&["jobs", "list", "--state", "dead", "--connector", "acme"]).await;
    let id = |place: usize| text(&dead[place]["id"]).to_owned();
    let retried = served.house.run(&["jobs", "retry", &id(0)]).await;
    assert!(retried.code == 0 && retried.stdout.contains("waiting"), "{retried:?}");
    let there = remote(&served, &admin, &["--format", "json", "jobs", "retry", &id(1)]).await;
    assert!(there.code == 0 && there.stdout.contains("\"waiting\""), "{there:?}");
    let dropped = remote(&served, &admin, &["jobs", "drop", &id(2)]).await;
    assert_eq!(dropped.code, 0, "{dropped:?}");
    for way in [served.house.run(&["jobs", "retry", &id(0)]).await, {
        remote(&served, &admin, &["jobs", "retry", &id(1)]).await
    }] {
        assert!(way.code == 1 && way.stderr.contains("it waits for its time"), "{way:?}");
    }
    let gone = served.house.run(&["jobs", "show", &id(2)]).await;
    assert!(gone.code == 1 && gone.stderr.contains("there is no job"), "{gone:?}");
    let trail = served.house.lines(&["audit", "list", "--code", "job", "--connector", "acme"]).await;
    assert_eq!(trail.len(), 3, "{trail:?}");
}

/// Waits until a job is as wished.
async fn until(served: &Served, token: &str, job: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/api/v1/jobs/{job}");
    let reached = async {
        loop {
            let shown = served.get(token, &path).await.json();
            if fits(&shown) {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.unwrap()
}

#[tokio::test]
async fn the_newest_version_is_uploaded_when_somebody_asks_and_by_one_job_at_a_time() {
    let (served, admin, connector) = connected().await;
    let path = format!("/api/v1/connectors/{connector}");
    let upload = format!("{path}/upload");
    let ask = async || served.send(("POST", &upload), Some(&admin), &[], None).await;
    let refused = ask().await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "conflict"));
    assert!(refused.text().contains("its settings name no account of JupiterOne"), "{}", refused.text());

    let jupiterone = JupiterOne::local(JupiterOneOptions::default()).await.unwrap();
    let wish = json!({ "account": jupiterone.account(), "instance": "i1", "api_url": jupiterone.url() });
    let edit = async |body: Value| {
        let edited = served.send(("PATCH", &path), Some(&admin), &[], Some(&body)).await;
        assert_eq!(edited.status, 200, "{}", edited.text());
    };
    edit(json!({ "after_sync": { "jupiterone": wish } })).await;
    let refused = ask().await;
    assert!(refused.status == 409 && refused.text().contains("no key"), "{}", refused.text());

    edit(json!({ "jupiterone_key": "wrong-key" })).await;
    let asked = ask().await;
    assert_eq!(asked.status, 202, "{}", asked.text());
    let job = text(&asked.json()["id"]).to_owned();
    assert_eq!(asked.header("location"), Some(&*format!("/api/v1/jobs/{job}?connector={connector}")));
    let tried = |times: u64| move |job: &Value| job["state"] == "waiting" && job["attempts"] == times;
    let failed = until(&served, &admin, &job, tried(1)).await;
    assert!(text(&failed["why"]).contains("401") && !failed.to_string().contains("wrong-key"), "{failed}");
    // What waits for its next try is tried now.
    assert_eq!(text(&ask().await.json()["id"]), job);
    until(&served, &admin, &job, tried(2)).await;
    edit(json!({ "jupiterone_key": jupiterone.api_key() })).await;
    assert_eq!(text(&ask().await.json()["id"]), job, "it is the same job as long as it is open");
    let done = until(&served, &admin, &job, |job| job["state"] == "finished").await;
    assert!(done["result"]["entities"].as_u64().unwrap() > 0, "{done}");
    assert!(jupiterone.graph("i1").count("heroku_application") > 0);
    assert_eq!(events(&served, &admin, "connector.upload_asked").await.len(), 1);

    let there = remote(&served, &admin, &["connectors", "upload", "acme"]).await;
    assert!(there.code == 0 && there.stdout.contains("finished"), "{there:?}");
    let here = served.house.run(&["connectors", "upload", "acme"]).await;
    assert!(here.code == 0 && here.stdout.contains("finished"), "{here:?}");
    assert_eq!(jupiterone.jobs().len(), 3);
}
