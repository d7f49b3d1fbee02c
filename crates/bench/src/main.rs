//! Measures what the project promises of speed, size and memory; both sides of every ratio in one run.
//!
//! No tests: a figure that depends on the machine never fails a build. `make bench` writes `docs/benchmarks.md`.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod c1z;
mod estate;
mod further;
mod library;
mod process;
mod questions;
mod report;
mod rules;
mod sign_in;
mod store;
mod wall;

use report::Report;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if c1z::alone(&asked)? {
        return Ok(());
    }
    if asked.iter().any(|asked| asked == "sign-in") {
        return sign_in::run().await;
    }
    let mut report = Report::begin()?;
    let wants = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name || asked == "all");
    if asked.iter().any(|asked| asked == "once") {
        return store::once().await;
    }
    if wants("store") {
        store::run(&mut report).await?;
    }
    if wants("questions") {
        questions::run(&mut report).await?;
    }
    // `rules:20` is the same with a twentieth of the estate.
    let part = asked.iter().find_map(|asked| asked.strip_prefix("rules:")).and_then(|part| part.parse().ok());
    if wants("rules") || part.is_some() {
        rules::run(&mut report, part.unwrap_or(1)).await?;
    }
    if wants("process") {
        process::run(&mut report).await?;
    }
    if wants("wall") {
        wall::run(&mut report).await?;
    }
    if wants("c1z") {
        c1z::run(&mut report)?;
    }
    let text = report.markdown();
    println!("{text}");
    if asked.iter().any(|asked| asked == "all") {
        std::fs::write("docs/benchmarks.md", text)?;
    }
    Ok(())
}
