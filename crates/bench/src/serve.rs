//! What a server takes, seen from outside: the time until it is ready, its memory on the large estate, and the time from a
//! change at Heroku to the alert that tells of it.
//!
//! The simulators and the receiver run in this process, so that what the child takes is the child's alone.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use metsuke_simulator::receivers::Receiver;
use metsuke_simulator::{Options, Simulator, Size};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::report::{Report, float, median};

/// How long anything may take before it is given up.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often is looked.
const LOOKS: Duration = Duration::from_millis(20);
/// How often the server is started anew, and something changed.
const RUNS: usize = 5;
const MEGABYTE: f64 = 1_000_000.0;

/// A server of the program that was built beside this one, with a database of its own.
struct Served {
    folder: TempDir,
    program: PathBuf,
    child: Child,
    address: String,
    /// From the start of the program to the first 200 of `/readyz`.
    ready: Duration,
    client: Client,
    token: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn command(program: &PathBuf, folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("METSUKE_DATABASE_URL", format!("sqlite:{}", folder.path().join("metsuke.db").display()))
        .env("METSUKE_ALLOW_PRIVATE", "127.0.0.0/8")
        .env("METSUKE_ALLOW_PLAIN", "1")
        .current_dir(folder.path())
        .stdin(Stdio::null());
    command
}

/// Starts the program and waits until it is ready.
async fn start(
    program: &PathBuf,
    folder: &TempDir,
    client: &Client,
) -> anyhow::Result<(Child, String, Duration)> {
    let begun = Instant::now();
    let log = File::create(folder.path().join("serve.log"))?;
    let mut serve = command(program, folder, &["serve", "--listen", "127.0.0.1:0"]);
    let mut child = serve.stdout(Stdio::piped()).stderr(log).spawn()?;
    let said = child.stdout.take().context("the server has no output")?;
    let line = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line).map(|_| line)
    })
    .await??;
    let address = line.trim().strip_prefix("listening on ").context("the server did not listen")?.to_owned();
    while begun.elapsed() < PATIENCE {
        let answer = client.get(format!("{address}/readyz")).send().await;
        if answer.is_ok_and(|answer| answer.status() == 200) {
            return Ok((child, address, begun.elapsed()));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bail!("the server was never ready")
}

impl Served {
    async fn new() -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("metsuke");
        anyhow::ensure!(program.is_file(), "`{}` is not there: build it first", program.display());
        let (folder, client) = (tempfile::tempdir()?, Client::builder().no_proxy().build()?);
        let (child, address, ready) = start(&program, &folder, &client).await?;
        let made = command(&program, &folder, &["token", "create", "--role", "admin", "--name", "bench"])
            .output()?;
        let told = String::from_utf8(made.stdout)?;
        let token = told.lines().last().context("no token was made")?.to_owned();
        Ok(Self { folder, program, child, address, ready, client, token })
    }

    /// Stops it, and starts it anew on the same database.
    async fn restart(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        (self.child, self.address, self.ready) = start(&self.program, &self.folder, &self.client).await?;
        Ok(())
    }

    /// Runs the program to its end, on the same database.
    fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let ran = command(&self.program, &self.folder, arguments).output()?;
        let told = String::from_utf8_lossy(&ran.stderr);
        anyhow::ensure!(ran.status.success(), "metsuke {}: {told}", arguments.join(" "));
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut request =
            self.client.request(method, format!("{}{path}", self.address)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        anyhow::ensure!(status.is_success(), "{path} was answered {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Makes a connector, and waits until its first sync is through.
    async fn connect(&self, simulator: &Simulator) -> anyhow::Result<String> {
        let wish = json!({
            "name": "bench", "kind": "heroku", "owner": "ann@example.com",
            "api_token": simulator.token(), "api_url": simulator.url(), "polling_interval": "DISABLED",
            "provisioning": true,
        });
        let made = self.ask(Method::POST, "/api/v1/connectors", Some(&wish)).await?;
        let id = made["id"].as_str().context("a connector has an id")?.to_owned();
        self.until_read(&id).await?;
        Ok(id)
    }

    async fn until_read(&self, id: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/connectors/{id}");
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let shown = self.ask(Method::GET, &path, None).await?;
            match shown["state"].as_str() {
                Some("connected" | "partial") => return Ok(()),
                Some("failing") => bail!("the sync failed: {}", shown["reason"]),
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
        bail!("the sync did not end")
    }

    /// Bytes of memory: now, and at the highest.
    fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let bytes = |name: &str| {
            let field = status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            field.and_then(|size| size.trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
        };
        (bytes("VmRSS:"), bytes("VmHWM:"))
    }
}

/// Measures all of it; `part`: the estate is so many times smaller.
pub(crate) async fn run(report: &mut Report, part: u32) -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    large(report, part).await?;
    alert_by_webhook(report).await?;
    alert_by_trail(report).await
}

async fn large(report: &mut Report, part: u32) -> anyhow::Result<()> {
    let size = if part > 1 { Size::COMPANY } else { Size::LARGE };
    let simulator = Simulator::local(Options::of(size)).await?;
    let mut served = Served::new().await?;
    let fresh = served.ready.as_secs_f64() * 1000.0;
    let id = served.connect(&simulator).await?;
    let first = settled(&served).await;
    simulator.set_generation(1);
    simulator.set_remaining(4_500);
    served.ask(Method::POST, &format!("/api/v1/connectors/{id}/sync"), None).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    served.until_read(&id).await?;
    let second = settled(&served).await;
    let mut times = vec![fresh];
    for _ in 0..RUNS {
        served.restart().await?;
        times.push(served.ready.as_secs_f64() * 1000.0);
    }
    let worst = worst(&times);
    let told: Vec<String> = times.iter().skip(1).map(|time| format!("{time:.0}")).collect();
    report.row(
        "`metsuke serve`: time until it is ready",
        format!("{:.0} ms, worst {worst:.0} ms", median(&times)),
        "≤ 1 s",
        format!(
            "on no database {fresh:.0} ms; on one of a large estate, after a kill: {} ms",
            told.join(", ")
        ),
    );
    let shown = |(now, most): (u64, u64)| {
        format!("{:.0} MB, at the highest {:.0} MB", float(now) / MEGABYTE, float(most) / MEGABYTE)
    };
    report.row(
        "`metsuke serve`: memory on the large estate",
        format!("{:.0} MB", float(second.1) / MEGABYTE),
        "≤ 256 MB",
        format!(
            "resident, files that lie in memory included; after the first sync and its jobs {}; after one with a change {}",
            shown(first),
            shown(second)
        ),
    );
    Ok(())
}

/// The memory once the processor has been left alone for some seconds, which is when its jobs are done.
async fn settled(served: &Served) -> (u64, u64) {
    let ticks = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", served.child.id())).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>()
    };
    let (begun, mut before) = (Instant::now(), ticks());
    while begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let now = ticks();
        // Less than a hundredth of the time.
        if now - before < 5 {
            break;
        }
        before = now;
    }
    served.memory()
}

/// A server that tells a receiver of what a rule finds, with a connector to a company of its own.
async fn telling(rule: &str) -> anyhow::Result<(Simulator, Served, Receiver)> {
    let simulator = Simulator::local(Options::of(Size::COMPANY).live_clock()).await?;
    let (served, receiver) = (Served::new().await?, Receiver::local().await?);
    let secret = served.folder.path().join("secret");
    fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")?;
    let url = format!("{}/alerts", receiver.url());
    served.run(&["channels", "add", "ops", "--webhook", &url, "--secret-file", "secret", "--rule", rule])?;
    served.connect(&simulator).await?;
    Ok((simulator, served, receiver))
}

fn worst(times: &[f64]) -> f64 {
    times.iter().copied().fold(0.0, f64::max)
}

/// Gives somebody everything on an app, and waits for the alert, with a webhook of Heroku's to tell of it.
async fn alert_by_webhook(report: &mut Report) -> anyhow::Result<()> {
    let (simulator, served, receiver) = telling("D02").await?;
    let apps = served.ask(Method::GET, "/api/v1/apps?limit=1", None).await?;
    let app = apps["data"][0]["name"].as_str().context("the estate has an app")?.to_owned();
    let hook = json!({ "app": app, "url": served.address });
    served.ask(Method::POST, "/api/v1/webhooks", Some(&hook)).await?;
    let mut times = Vec::new();
    for number in 0..RUNS {
        let person = format!("new.manager.{number}@northwind.example");
        let everything = ["view", "deploy", "operate", "manage"];
        simulator.edit(|world| world.set_collaborator(&app, &person, &everything));
        let changed = Instant::now();
        while !is_told(&receiver, &person) {
            anyhow::ensure!(changed.elapsed() < PATIENCE, "no alert came");
            tokio::time::sleep(LOOKS).await;
        }
        times.push(changed.elapsed().as_secs_f64());
    }
    report.row(
        "from a change to its delivered alert, by a webhook of Heroku's",
        format!("{:.1} s, worst {:.1} s", median(&times), worst(&times)),
        "≤ 5 s",
        format!("{RUNS} people who may do everything on an app of 1 200"),
    );
    Ok(())
}

/// Makes somebody an admin, and waits for the alert, with the audit trail alone to tell of it.
async fn alert_by_trail(report: &mut Report) -> anyhow::Result<()> {
    let (simulator, _served, receiver) = telling("D01").await?;
    let team = simulator.edit(|world| world.enterprise_team_names().into_iter().next()).flatten();
    let team = team.context("the estate has a team")?;
    let (mut total, mut after_reading) = (Vec::new(), Vec::new());
    for number in 0..RUNS {
        // The trail tells who came and went, and nothing of roles.
        let person = format!("new.admin.{number}@northwind.example");
        let trail = trails(&simulator);
        simulator.edit(|world| world.set_member(&team, &person, Some("admin")));
        let changed = Instant::now();
        let mut read = None;
        loop {
            anyhow::ensure!(changed.elapsed() < PATIENCE, "no alert came");
            if read.is_none() && trails(&simulator) > trail {
                read = Some(Instant::now());
            }
            if is_told(&receiver, &person) {
                break;
            }
            tokio::time::sleep(LOOKS).await;
        }
        total.push(changed.elapsed().as_secs_f64());
        after_reading.extend(read.map(|read| read.elapsed().as_secs_f64()));
    }
    report.row(
        "from a change to its delivered alert, once the audit trail was read",
        format!("{:.1} s, worst {:.1} s", median(&after_reading), worst(&after_reading)),
        "≤ 5 s",
        format!(
            "{} new admins; the trail is read once a minute, so from the change itself it was {:.1} s, worst {:.1} s",
            total.len(),
            median(&total),
            worst(&total)
        ),
    );
    Ok(())
}

/// Whether an alert came that names somebody.
fn is_told(receiver: &Receiver, person: &str) -> bool {
    receiver.received().iter().any(|received| received.body.contains(person))
}

/// How often an audit trail was read.
fn trails(simulator: &Simulator) -> u64 {
    let stats = simulator.stats();
    let of_trail = stats.by_route.iter().filter(|(route, _)| route.contains("events"));
    of_trail.map(|(_, count)| *count).sum()
}
