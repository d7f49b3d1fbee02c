//! Measures what the project promises of speed, size and memory; both sides of every ratio in one run.
//!
//! No tests: a figure that depends on the machine never fails a build. `make bench` writes `docs/benchmarks.md`; with
//! the names of parts before `write` only the sections of these. `stay` serves the large estate's pages, for somebody to look at.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod c1z;
mod estate;
mod further;
mod library;
mod pages;
mod process;
mod questions;
mod report;
mod rules;
mod serve;
mod sign_in;
mod store;
mod wall;

use std::path::Path;

use report::Report;

/// That of the program, so that both sides of every ratio ask for memory as the program does.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if c1z::alone(&asked)? {
        return Ok(());
    }
    if asked.iter().any(|asked| asked == "sign-in") {
        return sign_in::run().await;
    }
    if asked.iter().any(|asked| asked == "stay") {
        return pages::stay().await;
    }
    if asked.iter().any(|asked| asked == "once") {
        return store::once().await;
    }
    let writes = asked.iter().any(|asked| asked == "write");
    for part in ["store", "questions", "rules", "process", "serve", "wall", "pages", "c1z"] {
        // `rules:20` is the same with a twentieth of the estate.
        let share = asked.iter().find_map(|asked| asked.strip_prefix(part)?.strip_prefix(':')?.parse().ok());
        if share.is_none() && !asked.iter().any(|asked| asked == part || asked == "all") {
            continue;
        }
        let mut report = Report::begin(part)?;
        measure(part, share.unwrap_or(1), &mut report).await?;
        println!("{}", report.markdown());
        if writes {
            report.write(Path::new("docs/benchmarks.md"))?;
        }
    }
    Ok(())
}

async fn measure(part: &str, share: u32, report: &mut Report) -> anyhow::Result<()> {
    match part {
        "store" => store::run(report).await,
        "questions" => questions::run(report).await,
        "rules" => rules::run(report, share).await,
        "process" => process::run(report).await,
        "serve" => serve::run(report, share).await,
        "wall" => wall::run(report).await,
        "pages" => pages::run(report, share).await,
        _ => c1z::run(report),
    }
}
