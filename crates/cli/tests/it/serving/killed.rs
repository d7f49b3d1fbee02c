//! `kill -9` of a server at any moment of its work: no job is lost, and none has its effect twice.
//!
//! That a lease runs out, or that a wait is over, is told to the database, so that nobody has to sit it out.
//!
//! Invariant: what was asked for and answered before a kill is done after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use metsuke_baton::c1z::{C1z, ReadOptions};
use metsuke_simulator::Size;
use metsuke_simulator::jupiterone::{JupiterOne, JupiterOneOptions};
use metsuke_simulator::receivers::Receiver;
use metsuke_testkit::{Chance, seed, setting, sqlite};
use serde_json::{Value, json};

use super::client::{PATIENCE, Served};
use crate::house::House;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const RECEIVERS: [(&str, &str); 2] = [("METSUKE_ALLOW_PRIVATE", "127.0.0.0/8"), ("METSUKE_ALLOW_PLAIN", "1")];
/// A sync with all that follows it is over in about this time, undisturbed.
const WORK: Duration = Duration::from_millis(1_500);

/// What was in hand when a server was killed is in nobody's hand: a job, and an alert on its way.
const LAPSE: [&str; 2] = [
    "UPDATE job SET lease_until = 0 WHERE status = 'running'",
    "UPDATE delivery SET lease_until = 0 WHERE lease_until IS NOT NULL",
];
/// What failed and waits for its next try has it now, and so has what was planned for then.
const HURRY: [&str; 3] = [
    "UPDATE job SET run_at = 0 WHERE status = 'waiting' AND (attempt > 0 OR kind = 'deliver')",
    "UPDATE delivery SET due_at = 0 WHERE state = 'waiting' AND attempt > 0",
    "UPDATE channel_health SET retry_at = 0 WHERE retry_at IS NOT NULL",
];
/// All but the next look at the rules' own intervals, which is planned for later.
const OPEN: &str = "SELECT kind || ' ' || status || ' ' || COALESCE(why, '')
                      FROM job
                     WHERE status IN ('waiting', 'running', 'dead')
                       AND NOT (status = 'waiting' AND kind = 'evaluate' AND dedup LIKE 'due %')";
const UNENDED: &str = "SELECT id FROM run WHERE status IN ('queued', 'running')";
const VERSIONS: &str =
    "SELECT CAST(id AS TEXT) FROM sync WHERE status IN ('complete', 'partial') ORDER BY id";
/// Each version's jobs, by kind: how many versions have one that is finished, and how many such jobs there are.
const FOLLOWED: &str = "SELECT kind || ' ' || COUNT(DISTINCT dedup) || ' ' || COUNT(*)
                          FROM job
                         WHERE status = 'finished' AND kind IN ('changes', 'evaluate', 'upload', 'export')
                           AND dedup NOT LIKE 'due %'
                         GROUP BY kind
                         ORDER BY kind";
/// Changes that were recorded more than once.
const DOUBLED: &str = "SELECT document
                         FROM change_event
                        GROUP BY version, kind, change, object_id, principal_id, document
                       HAVING COUNT(*) > 1";

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
        for statement in HURRY {
            asked(file, statement).await;
        }
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

/// A server whose connector uploads, exports and tells of each version.
struct Scene {
    served: Served,
    admin: String,
    connector: String,
    jupiterone: JupiterOne,
    receiver: Receiver,
    c1z: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let (receiver, house) = (Receiver::local().await.unwrap(), House::of(Size::Small).await);
        let jupiterone = JupiterOne::local(JupiterOneOptions::default()).await.unwrap();
        std::fs::write(house.folder.path().join("secret"), SECRET).unwrap();
        let url = format!("{}/hook", receiver.url());
        let channel =
            ["channels", "add", "ops", "--webhook", &url, "--secret-file", "secret", "--rule", "D01"];
        let served = Served::started(house, &[], &RECEIVERS).await;
        let admin = served.token("admin", &[]).await;
        let added = served.house.run(&channel).await;
        assert_eq!(added.code, 0, "{added:?}");
        let c1z = served.house.folder.path().join("acme.c1z");
        let mut wish = served.new_connector("acme", "ann@example.com");
        wish["jupiterone_key"] = json!(jupiterone.api_key());
        wish["after_sync"] = json!({
            "jupiterone": { "account": jupiterone.account(), "instance": "i1", "api_url": jupiterone.url() },
            "c1z": { "file": c1z },
        });
        let made = served.post(&admin, "/api/v1/connectors", &wish).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let connector = made.json()["id"].as_str().unwrap().to_owned();
        served.until(&admin, &connector, "connected").await;
        let scene = Self { served, admin, connector, jupiterone, receiver, c1z };
        quiet(&scene.file()).await;
        scene
    }

    /// The database of the connector.
    fn file(&self) -> PathBuf {
        let folder = self.served.house.folder.path().join("metsuke.db.connectors");
        folder.join(format!("{}.db", self.connector))
    }

    /// Asks for a sync; gives its run.
    async fn sync(&self) -> String {
        self.served.house.heroku.set_remaining(4_500);
        let path = format!("/api/v1/connectors/{}/sync", self.connector);
        let reply = self.served.post(&self.admin, &path, &json!({})).await;
        assert_eq!(reply.status, 202, "{}", reply.text());
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// The same after a kill and with another server.
    async fn killed(mut self) -> Self {
        self.served.server.kill().await.unwrap();
        for statement in LAPSE {
            asked(&self.file(), statement).await;
        }
        Self { served: Served::started(self.served.house, &[], &RECEIVERS).await, ..self }
    }

    /// Every run has ended, and what follows a version was done for each, once.
    async fn nothing_is_lost_or_doubled(&self, runs: &BTreeSet<String>) -> usize {
        for run in runs {
            let path = format!("/api/v1/connectors/{}/runs/{run}", self.connector);
            let ended = self.served.get(&self.admin, &path).await.json();
            let status = ended["status"].as_str().unwrap();
            assert!(!["queued", "running"].contains(&status), "{ended}");
        }
        let file = self.file();
        assert_eq!(asked(&file, UNENDED).await, [""; 0]);
        let versions = asked(&file, VERSIONS).await;
        let count = versions.len();
        let expected =
            ["changes", "evaluate", "export", "upload"].map(|kind| format!("{kind} {count} {count}"));
        assert_eq!(asked(&file, FOLLOWED).await, expected);
        assert_eq!(asked(&file, DOUBLED).await, [""; 0]);
        let of = json!({ "connector": self.connector });
        let signed = self.served.post(&self.admin, "/api/v1/audit/checkpoint", &of).await;
        assert_eq!(signed.status, 200, "{}", signed.text());
        let verified = self.served.post(&self.admin, "/api/v1/audit/verify", &of).await;
        assert_eq!((verified.status, &verified.json()["clean"]), (200, &json!(true)), "{}", verified.text());
        count
    }

    /// Everybody is in the newest version, told of under one id, and recorded once; file and upload hold the newest version.
    async fn everybody_is_known_once(&self, people: &[String]) {
        let found = self.served.get(&self.admin, "/api/v1/people?limit=1000").await.rows();
        let known: BTreeSet<&str> = found.iter().filter_map(|row| row["email"].as_str()).collect();
        let expected: BTreeSet<String> = people.iter().cloned().collect();
        let began = Instant::now();
        while told(&self.receiver).keys().cloned().collect::<BTreeSet<_>>() != expected {
            assert!(began.elapsed() < PATIENCE, "{:?} were told of {expected:?}", told(&self.receiver));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for (person, ids) in told(&self.receiver) {
            assert!(known.contains(&*person), "{person} is in the newest version");
            assert_eq!(ids.len(), 1, "what is told of {person} twice bears one id: {ids:?}");
        }
        let changed: Vec<Value> =
            self.served.get(&self.admin, "/api/v1/changes?kind=grant&limit=1000").await.rows();
        for person in people {
            let entries = changed.iter().filter(|row| row["principal"]["email"] == person.as_str());
            let team = entries.filter(|row| row["entitlement"] == "admin" && row["change"] == "added");
            assert_eq!(team.count(), 1, "{person} became an admin once");
        }
        let uploaded = self.jupiterone.graph("i1");
        assert_eq!(
            uploaded.count("heroku_account_member"),
            known.len(),
            "the upload is the newest version's"
        );
        let file = C1z::open(&self.c1z, &ReadOptions::default()).unwrap();
        assert_eq!(file.syncs().len(), 1, "the file is whole");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_nine_during_serve_loses_no_job_and_doubles_none() {
    let kills = setting("METSUKE_SERVE_KILLS", 5_usize);
    let seed = seed("METSUKE_KILL_SEED");
    println!("METSUKE_SERVE_KILLS={kills}, seed {seed}");
    let mut chance = Chance::new(seed);
    let mut scene = Scene::new().await;
    let (mut runs, mut people) = (BTreeSet::new(), Vec::new());
    for round in 0..kills {
        people.push(join(&scene.served.house, round));
        runs.insert(scene.sync().await);
        tokio::time::sleep(chance.within(WORK)).await;
        scene = scene.killed().await;
    }
    runs.insert(scene.sync().await);
    quiet(&scene.file()).await;
    let versions = scene.nothing_is_lost_or_doubled(&runs).await;
    scene.everybody_is_known_once(&people).await;
    println!("{kills} kills, {versions} versions, {} deliveries", scene.receiver.received().len());
}
