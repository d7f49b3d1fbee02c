//! An installation whose connector has the large estate, a server on it, and somebody who looks.
//!
//! The connector is one to a small simulated Heroku, so that it has a run and a plan; the large estate is committed after that.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use metsuke_engine::alerts::Evaluator;
use metsuke_engine::changes::{self, Recorder, Watch};
use metsuke_engine::connectors::Installation;
use metsuke_engine::desk::Desk;
use metsuke_engine::identity::{AccountAsk, Once, People, Role, TokenAsk, Tokens};
use metsuke_engine::jobs::{CHANGES, EVALUATE};
use metsuke_engine::seal::SealFile;
use metsuke_engine::supervisor::Supervisor;
use metsuke_model::access::Entitlement;
use metsuke_model::{AccessRow, Clock, Coverage, Estate, Moment, SyncReport, SystemClock};
use metsuke_simulator::{Options, Simulator, Size as Company};
use metsuke_store::{OpenMode, Store};
use metsuke_web::{Guest, Installed, Limits, Place, Server, Services};
use reqwest::{Client, Method, redirect};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::estate::{self, Size, id};
use crate::store::done;

/// Who looks.
const ADMIN: &str = "admin@metsuke.example";
/// How long the small connector may take.
const PATIENCE: Duration = Duration::from_mins(5);
const DAY: i64 = 86_400_000_000;
/// The person who reaches most is an admin of so many of the largest teams.
const WIDE: u32 = 4;
const WIDEST: u32 = 19;
/// An admin of every team.
const EVERYWHERE: u32 = 23;
/// Of so many people one is in no roster, and of so many one has left.
const UNKNOWN: usize = 50;
const LEFT: usize = 97;

/// All of it, while it is measured.
pub(super) struct Ground {
    pub(super) size: Size,
    address: SocketAddr,
    cookie: String,
    token: String,
    client: Client,
    pub(super) connector: String,
    stop: CancellationToken,
    running: JoinSet<()>,
    simulator: Simulator,
    _folder: TempDir,
}

/// So many days before now.
#[derive(Debug)]
struct Ago(i64);

impl Clock for Ago {
    fn now(&self) -> Moment {
        Moment(SystemClock.now().0 - self.0 * DAY)
    }
}

impl Ground {
    pub(super) async fn made(part: u32) -> anyhow::Result<Self> {
        let (folder, size) = (tempfile::tempdir()?, Size::part(part));
        let file = folder.path().join("metsuke.db");
        let store = Store::open(&format!("sqlite:{}", file.display()), OpenMode::Create).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let seal = SealFile::at(folder.path().join("metsuke.key"));
        let installation = Installation::open(store.clone(), seal, clock.clone()).await?;
        let people = People::new(installation.clone(), clock.clone());
        let password: secrecy::SecretString = "a long and quiet walk".to_owned().into();
        let ask = AccountAsk {
            email: ADMIN.into(),
            name: None,
            role: Role::Admin,
            password: Some(password.clone()),
        };
        people.create(ask).await?;
        let tokens = Tokens::new(store.clone(), clock.clone());
        let ask = TokenAsk {
            name: "bench".into(),
            role: Role::Admin,
            scopes: Vec::new(),
            person: Some(ADMIN.into()),
            expires_at: None,
        };
        let token = tokens.create(ask).await?.token.expose_secret().to_owned();
        let desk = Desk::new(installation.clone());
        let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let address = server.address();
        let services = Services {
            desk: desk.clone(),
            tokens,
            once: Once::new(store, clock.clone()),
            people,
            place: Some(Place::listening(address)),
            limits: Limits { requests_per_minute: 0, ..Limits::default() },
            joins: None,
            installed: Installed::default(),
            guest: Some(Guest { email: ADMIN.into(), password }),
            clock,
        };
        let stop = CancellationToken::new();
        let supervisor = Supervisor::new(installation)?
            .with(Arc::new(Recorder::new(Watch::default())))
            .with(Arc::new(Evaluator::default()));
        let (stopping, working) = (stop.clone(), stop.clone());
        let mut running = JoinSet::new();
        running.spawn(server.run(services, stopping));
        running.spawn(async move {
            // What it could not do, the missing connector tells.
            drop(supervisor.run(&working).await);
        });
        let mut ground = Self {
            size,
            address,
            cookie: String::new(),
            token,
            client: Client::builder().no_proxy().redirect(redirect::Policy::none()).build()?,
            stop,
            running,
            connector: String::new(),
            simulator: Simulator::local(Options::of(Company::Small)).await?,
            _folder: folder,
        };
        ground.sign_in().await?;
        ground.connector = ground.connect().await?;
        let store = desk.estate(Some(&ground.connector)).await?.store;
        let begun = Instant::now();
        let roster = fill(&store, size).await?;
        ground.take_roster(roster).await?;
        println!("three versions and their changes after {:.1} s", begun.elapsed().as_secs_f64());
        ground.at_rest().await?;
        println!("all that follows from them after {:.1} s", begun.elapsed().as_secs_f64());
        Ok(ground)
    }

    /// The whole page at an address; anything but a page is an error.
    pub(super) async fn page(&self, address: &str) -> anyhow::Result<String> {
        let asked = self.client.get(self.at(address)).header("cookie", &self.cookie);
        let answer = asked.send().await?;
        let (status, page) = (answer.status(), answer.text().await?);
        ensure!(status == 200, "{address} was answered {status}");
        Ok(page)
    }

    /// What the API says to a request.
    pub(super) async fn api(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self.client.request(method, self.at(path)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path} was answered {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Imports a roster.
    async fn take_roster(&self, roster: String) -> anyhow::Result<()> {
        let put = self.client.put(self.at("/api/v1/rosters/staff")).bearer_auth(&self.token);
        let answer = put.header("content-type", "text/csv").body(roster).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "the roster was answered {status}: {text}");
        Ok(())
    }

    /// Waits until nothing is done in the background: the newest version's rules are evaluated, its alerts sent.
    async fn at_rest(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let mut busy = false;
            for (kind, state) in
                [CHANGES, EVALUATE].into_iter().flat_map(|kind| [(kind, "running"), (kind, "waiting")])
            {
                let path = format!("/api/v1/jobs?kind={kind}&state={state}&limit=100");
                let jobs = self.api(Method::GET, &path, None).await?;
                let jobs = jobs["data"].as_array().context("jobs are a list")?;
                // What is planned for a later time is none of it.
                let now = SystemClock.now();
                let due = |job: &Value| {
                    job["due_at"].as_str().and_then(Moment::parse).is_some_and(|due| due <= now)
                };
                busy |= jobs.iter().any(|job| state == "running" || due(job));
            }
            if !busy {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        bail!("the jobs did not end")
    }

    /// Stops it.
    pub(super) async fn ended(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.running.join_all().await;
        Ok(())
    }

    /// Heroku's ids of a person who reaches very much, of one who reaches everything and of one like most others; of the largest
    /// team and of one in the middle; of an app of each.
    pub(super) fn people(&self) -> [String; 3] {
        [WIDEST, EVERYWHERE, self.size.people / 2].map(|number| id(1, number).to_string())
    }

    pub(super) fn teams(&self) -> [String; 2] {
        [id(3, 0).to_string(), id(3, self.size.teams / 2).to_string()]
    }

    pub(super) fn apps(&self) -> [String; 2] {
        [id(4, 0).to_string(), id(4, self.size.apps / 2).to_string()]
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn sign_in(&mut self) -> anyhow::Result<()> {
        let answer = self.client.get(self.at("/")).send().await?;
        let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        let pairs: Vec<&str> = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
        self.cookie = pairs.join("; ");
        ensure!(!self.cookie.is_empty(), "nobody was signed in: {}", answer.status());
        Ok(())
    }

    /// A connector with a version, a plan, a rule of one's own and a channel, so that there is one of each to look at.
    async fn connect(&self) -> anyhow::Result<String> {
        let simulator = &self.simulator;
        let wish = json!({
            "name": "small", "kind": "heroku", "owner": ADMIN, "api_token": simulator.token(),
            "api_url": simulator.url(), "polling_interval": "DISABLED", "provisioning": true,
        });
        let made = self.api(Method::POST, "/api/v1/connectors", Some(&wish)).await?;
        let connector = made["id"].as_str().context("a connector has an id")?.to_owned();
        let begun = Instant::now();
        loop {
            let shown = self.api(Method::GET, &format!("/api/v1/connectors/{connector}"), None).await?;
            match shown["state"].as_str() {
                Some("connected" | "partial") => break,
                Some("failing") => bail!("the sync failed: {}", shown["reason"]),
                _ if begun.elapsed() > PATIENCE => bail!("the sync did not end"),
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
        let team = simulator.edit(|world| world.enterprise_team_names().into_iter().next()).flatten();
        let plan = json!({
            "action": "grant", "connector": connector, "user": "new.person@northwind.example",
            "team": team, "role": "member",
        });
        self.api(Method::POST, "/api/v1/plans", Some(&plan)).await?;
        let channel = json!({ "name": "log", "settings": { "way": { "kind": "log" }, "level": "CRITICAL" }, "enabled": true });
        self.api(Method::POST, "/api/v1/channels", Some(&channel)).await?;
        let rule = json!({ "rule": {
            "name": "large teams",
            "question": { "queries": [{ "query": "FIND heroku_team WITH name = 'team-0001'" }] },
            "operations": [{
                "when": { "type": "FILTER", "condition": ["queries.query0.total", ">", 5] },
                "actions": [
                    { "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "LOW" },
                    { "type": "CREATE_ALERT" },
                ],
            }],
        }});
        self.api(Method::POST, "/api/v1/rules", Some(&rule)).await?;
        let question =
            json!({ "title": "Teams", "text": "FIND heroku_team AS t RETURN t.name", "shared": true });
        self.api(Method::POST, "/api/v1/questions", Some(&question)).await?;
        Ok(connector)
    }
}

/// A sync that read everything and has ended just then.
fn ended(clock: &impl Clock) -> SyncReport {
    SyncReport { started_at: clock.now(), finished_at: clock.now(), ..done() }
}

/// What this estate tells of, which leaves what the connector has read where it is.
fn beside(estate: &Estate) -> Coverage {
    let mut coverage = Coverage::default();
    for resource in &estate.resources {
        coverage.cover_access(resource.clone());
    }
    coverage
}

/// The estate, changed once; then a version in which somebody became an admin of the largest teams.
///
/// Returns who works there, as CSV.
async fn fill(store: &Store, size: Size) -> anyhow::Result<String> {
    for (generation, days) in [(0, 100), (1, 10)] {
        let (mut estate, _) = estate::build_part(size, generation);
        let_in_everywhere(&mut estate, size);
        let coverage = beside(&estate);
        store.commit(estate, &coverage, &ended(&Ago(days)), &Ago(days)).await?;
        store.settle().await;
    }
    let (mut estate, _) = estate::build_part(size, 2);
    let_in_everywhere(&mut estate, size);
    let roster = roster(&estate);
    let coverage = beside(&estate);
    estate.access.retain(|row| row.resource >= WIDE || row.principal != WIDEST);
    let mask = Entitlement::ADMIN.mask();
    estate.access.extend((0..WIDE).map(|resource| AccessRow { resource, principal: WIDEST, mask }));
    store.commit(estate, &coverage, &ended(&SystemClock), &SystemClock).await?;
    store.settle().await;
    let newest = store.snapshot(None).await?.context("there is a version")?.sync().version;
    changes::record(store, newest, &SystemClock).await?;
    Ok(roster)
}

/// Makes one person an admin of every team, whatever they were there.
fn let_in_everywhere(estate: &mut Estate, size: Size) {
    let (principal, mask) = (EVERYWHERE, Entitlement::ADMIN.mask());
    estate.access.retain(|row| row.resource >= size.teams || row.principal != principal);
    estate.access.extend((0..size.teams).map(|resource| AccessRow { resource, principal, mask }));
}

/// Most of the people, of whom some have left.
fn roster(estate: &Estate) -> String {
    let mut rows = "employee_id,name,email,department,status\n".to_owned();
    let people = estate.users.iter().enumerate().filter(|(number, _)| number % UNKNOWN != UNKNOWN - 1);
    for (number, user) in people {
        let (name, email) =
            (user.name.as_deref().unwrap_or_default(), user.email.as_deref().unwrap_or_default());
        let status = if number % LEFT == LEFT - 1 { "left" } else { "active" };
        rows.extend([format!("E{number},{name},{email},Department {},{status}\n", number % 40)]);
    }
    rows
}
