//! What the program takes, seen from outside: requests, memory and time of `metsuke`, run as a child process.
//!
//! The simulator runs in this process, so that what the child takes is the child's alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use metsuke_simulator::{Simulator, Size, Stats, Truth};
use serde_json::Value;
use tempfile::TempDir;

use crate::report::{Report, float, median, spread};

/// Requests that Heroku's bucket holds, and the tenth of it that is left for others.
const POOL: u32 = 4_500;
const RESERVE: u32 = 450;
/// Rows on a full page.
const PAGE: u64 = 1_000;
const APPS_ASKED: usize = 5;
const RUNS: usize = 11;
const MEGABYTE: f64 = 1_000_000.0;

/// The program, the simulator that it talks to and the database that it writes.
pub(crate) struct Metsuke {
    program: PathBuf,
    folder: TempDir,
    url: String,
    token: String,
}

/// Whether what the program prints is read or thrown away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Read,
    Dropped,
}

/// One run of the program.
pub(crate) struct Ran {
    pub(crate) wall: Duration,
    /// In steps of 10 ms, which is how the kernel tells it.
    cpu: Duration,
    /// Bytes of memory at the highest.
    pub(crate) peak: Option<u64>,
    printed: String,
}

impl Metsuke {
    /// The program that was built beside this one.
    pub(crate) fn find(simulator: &Simulator) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("metsuke");
        let path = program.display();
        anyhow::ensure!(
            program.is_file(),
            "`{path}` is not there: build it first, with `cargo build --release -p metsuke-cli`"
        );
        let (url, token) = (simulator.url(), simulator.token().to_owned());
        Ok(Self { program, folder: tempfile::tempdir()?, url, token })
    }

    /// Turns to a database that does not exist yet, and drops the one before.
    pub(crate) fn start_afresh(&mut self) -> anyhow::Result<()> {
        self.folder = tempfile::tempdir()?;
        Ok(())
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("metsuke.db")
    }

    /// Runs it to its end, with nothing in its environment but the simulator and the database.
    pub(crate) async fn run(&self, arguments: &[&str], output: Output) -> anyhow::Result<Ran> {
        let mut out = tempfile::tempfile()?;
        let mut err = tempfile::tempfile()?;
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .env("METSUKE_HEROKU_URL", &self.url)
            .env("METSUKE_HEROKU_TOKEN", &self.token)
            .env("METSUKE_DATABASE_URL", format!("sqlite:{}", self.database().display()))
            .stdin(Stdio::null())
            .stdout(if output == Output::Read { Stdio::from(out.try_clone()?) } else { Stdio::null() })
            .stderr(err.try_clone()?);
        let (mut ran, succeeded) = tokio::task::spawn_blocking(move || watch(command)).await??;
        anyhow::ensure!(succeeded, "metsuke {} failed: {}", arguments.join(" "), whole(&mut err)?);
        ran.printed = whole(&mut out)?;
        Ok(ran)
    }

    /// Syncs; the answer is the object that it printed.
    pub(crate) async fn sync(&self) -> anyhow::Result<(Ran, Value)> {
        let ran = self.run(&["sync", "--format", "json"], Output::Read).await?;
        let mut document: Value =
            serde_json::from_str(&ran.printed).context("what `metsuke sync` printed")?;
        Ok((ran, document["sync"].take()))
    }
}

fn whole(file: &mut File) -> anyhow::Result<String> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// Starts the command and looks at it until it has ended; also tells whether it succeeded.
pub(crate) fn watch(mut command: Command) -> anyhow::Result<(Ran, bool)> {
    let begun = Instant::now();
    let mut child = command.spawn()?;
    let about = PathBuf::from(format!("/proc/{}", child.id()));
    let mut peak = None;
    while let Ok(status) = fs::read_to_string(about.join("status")) {
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        // A process that has ended tells its state until it is waited for, but no longer its memory.
        if field("State:").is_none_or(|state| state.starts_with('Z')) {
            break;
        }
        let kibibytes = field("VmHWM:").and_then(|size| size.trim_end_matches(" kB").parse::<u64>().ok());
        peak = kibibytes.map(|size| size * 1024).or(peak);
        // Short runs are looked at more often, so that the look does not lengthen them.
        let is_short = begun.elapsed() < Duration::from_millis(250);
        std::thread::sleep(Duration::from_micros(if is_short { 500 } else { 4_000 }));
    }
    let wall = begun.elapsed();
    let cpu = fs::read_to_string(about.join("stat")).map_or(Duration::ZERO, |stat| cpu(&stat));
    let ended = child.wait()?;
    Ok((Ran { wall, cpu, peak, printed: String::new() }, ended.success()))
}

/// Time in user mode and in the kernel: the 14th and 15th field, counted from behind the name in parentheses.
fn cpu(stat: &str) -> Duration {
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Syncs the large estate three times, then asks.
pub(crate) async fn run(report: &mut Report) -> anyhow::Result<()> {
    let simulator = Simulator::local(metsuke_simulator::Options::of(Size::LARGE)).await?;
    let metsuke = Metsuke::find(&simulator)?;
    sync(report, &simulator, &metsuke, "first sync of 100 000 apps in 1 000 teams").await?;
    let size = fs::metadata(metsuke.database())?.len();
    report.row("file after it", format!("{:.1} MB", float(size) / MEGABYTE), "–", "SQLite".into());
    sync(report, &simulator, &metsuke, "re-sync without a change").await?;
    simulator.set_generation(1);
    sync(report, &simulator, &metsuke, "re-sync with 1 % change").await?;
    ask(report, &simulator.truth(), &metsuke).await
}

/// One sync with a full bucket, and everything that is promised of it.
async fn sync(
    report: &mut Report,
    simulator: &Simulator,
    metsuke: &Metsuke,
    what: &str,
) -> anyhow::Result<()> {
    simulator.set_remaining(POOL);
    simulator.reset_stats();
    let (ran, told) = metsuke.sync().await?;
    let stats = simulator.stats();
    let needed = Needed::of(&stats, &simulator.truth())?;
    report.row(
        &format!("{what}: requests"),
        format!("{:.3} ×", float(stats.requests) / float(needed.pages)),
        "≤ 1.05 × the pages of the lists",
        format!(
            "{} requests for {} pages of {} lists; {} to settle what listings show",
            stats.requests, needed.pages, needed.lists, needed.settling
        ),
    );
    report.row(
        &format!("{what}: left in the bucket"),
        format!("{} of {POOL}", stats.lowest_remaining),
        &format!("≥ {RESERVE}"),
        format!("at the lowest, of this sync and those before; waited {} ms", told["waited_ms"]),
    );
    report.row(
        &format!("{what}: in flight"),
        stats.max_in_flight.to_string(),
        "≤ 8",
        "at most; without latency hardly any overlap, which the figure with latency makes up for".into(),
    );
    let wrong = differences(&told, &simulator.truth());
    report.row(
        &format!("{what}: result"),
        if wrong.is_empty() {
            format!("{}, all counts right", text(&told["status"]))
        } else {
            wrong.join("; ")
        },
        "complete, counts as in truth",
        format!("{} grants; changes {}", told["counts"]["grants"], told["changes"]),
    );
    report.row(
        &format!("{what}: peak memory"),
        ran.peak.map_or("unknown".into(), |peak| format!("{:.0} MB", float(peak) / MEGABYTE)),
        "≤ 256 MB",
        "high-water mark of resident memory, MB of 1 000 000 bytes".into(),
    );
    let reading = Duration::from_millis(told["duration_ms"].as_u64().unwrap_or_default());
    report.row(
        &format!("{what}: time"),
        format!("{:.2} s", ran.wall.as_secs_f64()),
        "–",
        format!(
            "whole process; {:.2} s of it from the first request to the commit, {:.2} s of processor",
            reading.as_secs_f64(),
            ran.cpu.as_secs_f64()
        ),
    );
    Ok(())
}

/// The smallest number of requests for the lists that were read.
struct Needed {
    lists: usize,
    pages: u64,
    settling: u64,
}

impl Needed {
    /// Counts each page of each list once, however often it was asked for.
    fn of(stats: &Stats, truth: &Truth) -> anyhow::Result<Self> {
        anyhow::ensure!(stats.log.len() as u64 == stats.requests, "the simulator's log forgot some requests");
        let mut lists: BTreeMap<(&str, &str), BTreeSet<Option<&str>>> = BTreeMap::new();
        let mut settling = 0;
        for seen in &stats.log {
            // All apps of this estate are in teams whose permissions are listed, so none needs a list of its own.
            if seen.path.starts_with("/apps/") && seen.path.ends_with("/collaborators") {
                settling += 1;
                continue;
            }
            lists.entry((&seen.method, &seen.path)).or_default().insert(seen.range.as_deref());
        }
        let pages = |path: &str| lists.get(&("GET", path)).map_or(0, |pages| pages.len() as u64);
        let known = [
            ("/apps", truth.apps().count()),
            ("/addons", truth.addons().count()),
            ("/teams", truth.teams().count()),
        ];
        for (path, rows) in known {
            let (read, needed) = (pages(path), (rows as u64).div_ceil(PAGE).max(1));
            anyhow::ensure!(read == needed, "{path} has {needed} full pages, but {read} were read");
        }
        let pages = lists.values().map(|pages| pages.len() as u64).sum();
        Ok(Self { lists: lists.len(), pages, settling })
    }
}

/// What a sync told otherwise than it is.
fn differences(told: &Value, truth: &Truth) -> Vec<String> {
    let counts = [
        ("users", truth.users().count() as u64),
        ("teams", truth.teams().count() as u64),
        ("enterprise_accounts", truth.enterprise_accounts().count() as u64),
        ("apps", truth.apps().count() as u64),
        ("addons", truth.addons().count() as u64),
        ("invitations", truth.invitations().count() as u64),
        ("grants", truth.grant_count()),
    ];
    let mut wrong = Vec::new();
    if told["status"] != "complete" {
        wrong.push(format!("{} with {}", text(&told["status"]), told["incomplete"]));
    }
    let of = |name: &str| told["counts"][name].as_u64();
    let differing = counts.into_iter().filter(|(name, count)| of(name) != Some(*count));
    wrong
        .extend(differing.map(|(name, count)| format!("{name} {} instead of {count}", told["counts"][name])));
    wrong
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// Asks who can do what on apps from the smallest to the largest, in turn, then for all grants.
async fn ask(report: &mut Report, truth: &Truth, metsuke: &Metsuke) -> anyhow::Result<()> {
    let apps = apps_by_size(truth, metsuke).await?;
    let places = (0..APPS_ASKED).map(|step| step * (apps.len() - 1) / (APPS_ASKED - 1));
    let chosen: Vec<&(usize, String)> = places.filter_map(|place| apps.get(place)).collect();
    let mut times = vec![Vec::new(); chosen.len()];
    for _ in 0..RUNS {
        for ((_, name), times) in chosen.iter().zip(&mut times) {
            let ran = metsuke.run(&["access", "app", name], Output::Read).await?;
            anyhow::ensure!(ran.printed.contains(name.as_str()), "the answer for `{name}` does not name it");
            times.push(ran.wall.as_secs_f64() * 1000.0);
        }
    }
    let details: Vec<String> = chosen
        .iter()
        .zip(&times)
        .map(|((size, _), times)| format!("{size} direct grants on app and team: {}", spread(times, "ms")))
        .collect();
    let all = times.concat();
    let worst = all.iter().copied().fold(0.0, f64::max);
    report.row(
        "`metsuke access app` on 1.5 M grants, whole process",
        format!("{:.0} ms, worst {worst:.0} ms", median(&all)),
        "≤ 100 ms",
        details.join("; "),
    );
    let ran = metsuke.run(&["grants", "--format", "jsonl"], Output::Dropped).await?;
    report.row(
        "`metsuke grants` of all 1.5 M, to nowhere",
        format!("{:.2} s", ran.wall.as_secs_f64()),
        "–",
        format!("peak memory {:.0} MB", float(ran.peak.unwrap_or_default()) / MEGABYTE),
    );
    Ok(())
}

/// The names of all apps, by the number of direct grants on them and on their teams.
async fn apps_by_size(truth: &Truth, metsuke: &Metsuke) -> anyhow::Result<Vec<(usize, String)>> {
    let mut held: BTreeMap<String, usize> = BTreeMap::new();
    for grant in truth.grants() {
        *held.entry(grant.resource_id).or_default() += 1;
    }
    let listed = metsuke.run(&["list", "apps", "--format", "jsonl"], Output::Read).await?;
    let mut apps = Vec::new();
    for line in listed.printed.lines() {
        let app: Value = serde_json::from_str(line)?;
        let of = |field: &str| held.get(text(&app[field])).copied().unwrap_or_default();
        apps.push((of("id") + of("team_id"), text(&app["name"]).to_owned()));
    }
    anyhow::ensure!(!apps.is_empty(), "`metsuke list apps` printed nothing");
    apps.sort_unstable();
    Ok(apps)
}
