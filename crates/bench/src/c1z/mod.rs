//! Files of 1.5 M grants: what writing them takes, against SQLite with its indexes made first; and a bomb.
//!
//! Each file is written by a process of its own, so that its memory is its own; all make the same rows on the way.

mod reference;
mod rows;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use metsuke_baton::c1z::{self, C1z, C1zError, Keep, ReadOptions, SyncHead, SyncType, WriteOptions};
use metsuke_model::{Moment, Version};
use reference::Indexes;
use rows::Estate;
use tempfile::TempDir;

use crate::process::{Ran, watch};
use crate::report::{Report, float, median, spread};

const REPEATS: usize = 5;
const MEGABYTE: f64 = 1_000_000.0;
/// The word that makes this program a child that does one thing.
const ALONE: &str = "c1z-alone";

/// What a child may be asked to do.
const OURS: &str = "ours";
const FIRST: &str = "indexes-first";
const LAST: &str = "indexes-last";
const BOMB: &str = "bomb";

/// Does what the parent asked for; `false` where it was not asked.
pub(crate) fn alone(asked: &[String]) -> anyhow::Result<bool> {
    let [word, what, path] = asked else { return Ok(false) };
    if word != ALONE {
        return Ok(false);
    }
    let (path, head) = (Path::new(path), head());
    match what.as_str() {
        OURS => {
            let options = WriteOptions { keep: Keep::OnlyNew, ..WriteOptions::of(head) };
            c1z::write(path, &mut Estate::new(), &options)?;
        }
        FIRST => reference::write(path, &mut Estate::new(), &head, Indexes::First)?,
        LAST => reference::write(path, &mut Estate::new(), &head, Indexes::Last)?,
        BOMB => match C1z::open(path, &ReadOptions::default()) {
            Err(C1zError::TooLarge { .. }) => {}
            other => anyhow::bail!("the bomb was not refused: {other:?}"),
        },
        other => anyhow::bail!("`{other}` is nothing that can be done alone"),
    }
    Ok(true)
}

fn head() -> SyncHead {
    let began = Moment(1_795_329_720_000_000);
    SyncHead::of(Version(1), began, began, SyncType::Full)
}

/// Runs this program as a child that does one thing.
fn run_alone(what: &str, path: &Path) -> anyhow::Result<Ran> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(ALONE).arg(what).arg(path).stdin(Stdio::null()).stdout(Stdio::null());
    let (ran, succeeded) = watch(command)?;
    anyhow::ensure!(succeeded, "writing {what} failed");
    Ok(ran)
}

/// Writes files in turn, compares what is in them, and opens a bomb.
pub(crate) fn run(report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut times = [const { Vec::new() }; 3];
    let mut peaks = [0; 3];
    let names = [OURS, FIRST, LAST];
    for round in 0..=REPEATS {
        for ((name, times), peak) in names.iter().zip(&mut times).zip(&mut peaks) {
            let ran = run_alone(name, &folder.path().join(format!("{name}.c1z")))?;
            let took = ran.wall.as_secs_f64() * 1000.0;
            println!(
                "round {round}: {name} {took:.0} ms, {:.0} MB",
                float(ran.peak.unwrap_or_default()) / MEGABYTE
            );
            *peak = ran.peak.unwrap_or_default().max(*peak);
            // The first round warms up.
            if round > 0 {
                times.push(took);
            }
        }
    }
    let [ours, first, last] = &times;
    let ratio = |theirs: &[f64]| {
        let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        format!("{:.2} ×", median(&ratios))
    };
    let grants = compare(&folder).context("comparing what was written")?;
    report.row(
        &format!(
            "c1z file of {:.2} M grants on 100 000 apps, rows and compression included",
            float(grants) / MEGABYTE
        ),
        ratio(first),
        "≤ 0.6 × SQLite with its indexes made first",
        format!(
            "{} against {}, whole processes; the files hold the same rows",
            spread(ours, "ms"),
            spread(first, "ms")
        ),
    );
    report.row(
        "the same against SQLite with its indexes made last",
        ratio(last),
        "–",
        format!("{} against {}", spread(ours, "ms"), spread(last, "ms")),
    );
    report.row(
        "peak memory of writing it",
        format!("{:.0} MB", float(peaks[0]) / MEGABYTE),
        "≤ 256 MB",
        format!("SQLite {:.0} MB and {:.0} MB", float(peaks[1]) / MEGABYTE, float(peaks[2]) / MEGABYTE),
    );
    bomb(report, &folder)
}

/// Makes sure that both files hold the same; the answer is the number of grants.
fn compare(folder: &TempDir) -> anyhow::Result<u64> {
    let open = |name: &str| C1z::open(&folder.path().join(format!("{name}.c1z")), &ReadOptions::default());
    let (ours, first) = (open(OURS)?, open(FIRST)?);
    let (one, other) = (ours.newest()?, first.newest()?);
    let counts = c1z::diff((&ours, &one.id), (&first, &other.id), |_| Ok(()))?;
    anyhow::ensure!(counts == c1z::DiffCounts::default(), "the files differ: {counts:?}");
    let container = ours.container();
    println!(
        "ours {:.0} MB of {:.0} MB, SQLite's {:.0} MB of {:.0} MB",
        float(container.file_bytes) / MEGABYTE,
        float(container.decoded_bytes) / MEGABYTE,
        float(first.container().file_bytes) / MEGABYTE,
        float(first.container().decoded_bytes) / MEGABYTE
    );
    Ok(one.stats.as_ref().map_or(0, |stats| stats.grants))
}

/// Opens a file that would become 1 GiB of zeros.
fn bomb(report: &mut Report, folder: &TempDir) -> anyhow::Result<()> {
    let path = folder.path().join("bomb.c1z");
    let mut encoder = zstd::stream::write::Encoder::new(b"C1ZF\0".to_vec(), 3)?;
    let zeros = vec![0; 1 << 20];
    for _ in 0..1 << 10 {
        encoder.write_all(&zeros)?;
    }
    std::fs::write(&path, encoder.finish()?)?;
    let ran = run_alone(BOMB, &path)?;
    report.row(
        "opening a c1z file of 1 GiB of zeros",
        format!("{:.0} MB", float(ran.peak.unwrap_or_default()) / MEGABYTE),
        "≤ 256 MB",
        format!("refused after {:.0} ms, peak memory of the process", ran.wall.as_secs_f64() * 1000.0),
    );
    Ok(())
}
