//! `kill -9` of a server at any moment of its work: no job is lost, and none has its effect twice.
//!
//! That a lease runs out is told to the database, so that nobody has to wait for it.
//!
//! Invariant: what was asked for and answered before a kill is done after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use metsuke_simulator::Size;
use metsuke_simulator::receivers::Receiver;
use metsuke_testkit::{Chance, seed, setting, sqlite};
use serde_json::{Value, json};

use super::client::{PATIENCE, Served};
use crate::house::House;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const RECEIVERS: [(&str, &str); 2] = [("METSUKE_ALLOW_PRIVATE", "127.0.0.0/8"), ("METSUKE_ALLOW_PLAIN", "1")];
/// A sync with what follows it is over in about this time, undisturbed.
const WORK: Duration = Duration::from_millis(1_200);

const LAPSE: &str = "UPDATE job SET lease_until = 0 WHERE status = 'running'";
const OPEN: &str = "SELECT kind || ' ' || status FROM job WHERE status IN ('waiting', 'running', 'dead')";
const VERSIONS: &str =
    "SELECT CAST(id AS TEXT) FROM sync WHERE status IN ('complete', 'partial') ORDER BY id";
const CHANGES: &str =
    "SELECT dedup FROM job WHERE kind = 'changes' AND status = 'finished' ORDER BY CAST(dedup AS INTEGER)";
const EVALUATIONS: &str =
    "SELECT dedup FROM job WHERE kind = 'evaluate' AND status = 'finished' ORDER BY CAST(dedup AS INTEGER)";
const UNENDED: &str = "SELECT id FROM run WHERE status IN ('queued', 'running')";

async fn asked(file: &Path, statement: &'static str) -> Vec<String> {
    sqlite(file, statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"))
}

/// Somebody becomes an admin: a change that a rule tells of.
fn join(house: &House, round: usize) -> String {
    let person = format!("joiner-{round}@evil.example");
    house.heroku.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, &person, Some("admin")).unwrap();
    });
    person
}

/// Waits until nothing is open any more.
async fn quiet(file: &Path) {
    let began = Instant::now();
    loop {
        let open = asked(file, OPEN).await;
        if open.is_empty() {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "still open: {open:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What alerts told: by whom they are about, the ids under which they came.
fn told(receiver: &Receiver) -> BTreeMap<String, BTreeSet<String>> {
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for alert in receiver.received() {
        let subject = alert.json()["data"]["subject"].as_str().unwrap_or_default().to_owned();
        let person = subject.split(' ').next().unwrap_or_default().to_owned();
        told.entry(person).or_default().insert(alert.headers["webhook-id"].clone());
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_nine_during_serve_loses_no_job_and_doubles_none() {
    let kills = setting("METSUKE_SERVE_KILLS", 10_usize);
    let seed = seed("METSUKE_KILL_SEED");
    println!("METSUKE_SERVE_KILLS={kills}, seed {seed}");
    let (mut chance, receiver) = (Chance::new(seed), Receiver::local().await.unwrap());
    let house = House::of(Size::Small).await;
    std::fs::write(house.folder.path().join("secret"), SECRET).unwrap();
    let url = format!("{}/hook", receiver.url());
    let channel = ["channels", "add", "ops", "--webhook", &url, "--secret-file", "secret", "--rule", "D01"];
    let mut served = Served::started(house, &[], &RECEIVERS).await;
    let admin = served.token("admin", &[]).await;
    let added = served.house.run(&channel).await;
    assert_eq!(added.code, 0, "{added:?}");
    let id = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &id, "connected").await;
    let file = estate(&served.house, &id);
    let (mut runs, mut people) = (BTreeSet::new(), Vec::new());
    let sync = format!("/api/v1/connectors/{id}/sync");
    for round in 0..kills {
        people.push(join(&served.house, round));
        served.house.heroku.set_remaining(4_500);
        let reply = served.post(&admin, &sync, &json!({})).await;
        assert_eq!(reply.status, 202, "{}", reply.text());
        runs.insert(reply.json()["id"].as_str().unwrap().to_owned());
        tokio::time::sleep(chance.within(WORK)).await;
        served.server.kill().await.unwrap();
        asked(&file, LAPSE).await;
        served = Served::started(served.house, &[], &RECEIVERS).await;
    }
    let reply = served.post(&admin, &sync, &json!({})).await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    quiet(&file).await;

    for run in &runs {
        let ended = served.get(&admin, &format!("/api/v1/connectors/{id}/runs/{run}")).await.json();
        let status = ended["status"].as_str().unwrap();
        assert!(!["queued", "running"].contains(&status), "{ended}");
    }
    assert_eq!(asked(&file, UNENDED).await, [""; 0]);
    let versions = asked(&file, VERSIONS).await;
    assert_eq!(asked(&file, CHANGES).await, versions, "each version's changes are recorded once");
    assert_eq!(asked(&file, EVALUATIONS).await, versions, "each version is judged once");
    let found = served.get(&admin, "/api/v1/people?limit=1000").await.rows();
    let known: BTreeSet<&str> = found.iter().filter_map(|row| row["email"].as_str()).collect();
    let began = Instant::now();
    let expected: BTreeSet<String> = people.iter().cloned().collect();
    while told(&receiver).keys().cloned().collect::<BTreeSet<_>>() != expected {
        assert!(began.elapsed() < PATIENCE, "{:?} were told of {expected:?}", told(&receiver));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for (person, ids) in told(&receiver) {
        assert!(known.contains(&*person), "{person} is in the last version");
        assert_eq!(ids.len(), 1, "what is told of {person} twice bears one id: {ids:?}");
    }
    let verified = served.post(&admin, "/api/v1/audit/verify", &json!({ "connector": id })).await;
    assert_eq!(verified.status, 200, "{}", verified.text());
    let changed: Vec<Value> = served.get(&admin, "/api/v1/changes?kind=grant&limit=1000").await.rows();
    for person in &people {
        let entries = changed.iter().filter(|row| row["principal"]["email"] == person.as_str());
        let team = entries.filter(|row| row["entitlement"] == "admin" && row["change"] == "added");
        assert_eq!(team.count(), 1, "{person} became an admin once");
    }
    println!("{kills} kills, {} versions, {} deliveries", versions.len(), receiver.received().len());
}

/// The database of a connector.
fn estate(house: &House, id: &str) -> PathBuf {
    house.folder.path().join("metsuke.db.connectors").join(format!("{id}.db"))
}
