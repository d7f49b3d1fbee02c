//! The figures of one part, as a table that says where and when they were measured.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use metsuke_model::{Clock as _, SystemClock};

/// What one part measured.
pub(crate) struct Report {
    part: &'static str,
    head: String,
    rows: Vec<(String, String, String, String)>,
}

impl Report {
    pub(crate) fn begin(part: &'static str) -> anyhow::Result<Self> {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        let cores = std::thread::available_parallelism()?;
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load: Vec<&str> = load.split_whitespace().take(3).collect();
        let head = format!(
            "Measured {} on {cores} cores ({}), load average at the start {}.",
            SystemClock.now().to_string().get(..10).unwrap_or_default(),
            model.trim_start_matches([' ', '\t', ':']),
            load.join(" "),
        );
        Ok(Self { part, head, rows: Vec::new() })
    }

    /// Adds one figure: what, what was measured, what was asked, and the details behind it.
    pub(crate) fn row(&mut self, what: &str, measured: String, goal: &str, details: String) {
        println!("{what}: {measured} (goal {goal}) {details}");
        self.rows.push((what.into(), measured, goal.into(), details));
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("{}\n\n| what | measured | goal | details |\n|---|---|---|---|\n", self.head);
        for (what, measured, goal, details) in &self.rows {
            writeln!(text, "| {what} | {measured} | {goal} | {details} |").unwrap_or_default();
        }
        text
    }

    /// Puts the figures in the place that a document has for this part, and leaves all else as it is.
    pub(crate) fn write(&self, document: &Path) -> anyhow::Result<()> {
        let (begin, end) = (format!("<!-- {} -->\n", self.part), format!("<!-- end of {} -->", self.part));
        let text = fs::read_to_string(document)?;
        let lacks = || format!("{} has no place for {}", document.display(), self.part);
        let (before, rest) = text.split_once(&begin).with_context(lacks)?;
        let (_, after) = rest.split_once(&end).with_context(lacks)?;
        Ok(fs::write(document, format!("{before}{begin}{}{end}{after}", self.markdown()))?)
    }
}

/// A count as a number to divide.
#[expect(clippy::cast_precision_loss, reason = "counts of bytes and rows are far below 2^52")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// The middle of some figures.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Figures as they are shown: median, least and most.
pub(crate) fn spread(figures: &[f64], unit: &str) -> String {
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let most = figures.iter().copied().fold(0.0, f64::max);
    format!("{:.0} {unit} ({least:.0}–{most:.0}, n={})", median(figures), figures.len())
}
