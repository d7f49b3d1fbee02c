//! How long the server takes for each of its pages on the large estate, how long the pages are, and whether a list's last part is as
//! near as its first.
//!
//! The server runs in this process and is asked over HTTP, by one visitor after the other answer. The first look at a list after a
//! new version, which reads the list, is a figure of its own.

mod ground;
mod places;

use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::report::{Report, float};
use ground::Ground;
use places::{Sort, places};

/// How often each page is asked for.
const REPEATS: usize = 30;
/// Parts of a list that are walked through at most.
const PARTS: usize = 1_200;
/// What a page may take, in milliseconds, and the first part of a list.
const MOST: f64 = 100.0;
const FIRST: f64 = 50.0;
/// How much longer the last part may take than the first.
const DEEPER: f64 = 1.5;
/// The most bytes of a page.
const BYTES: usize = 200_000;

/// What one address took.
struct Took {
    /// Milliseconds of each time, the shortest first.
    times: Vec<f64>,
    bytes: usize,
}

impl Took {
    fn at(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a short list"
        )]
        let place = (share * float(self.times.len() as u64)).ceil() as usize;
        self.times.get(place.saturating_sub(1)).copied().unwrap_or_default()
    }

    fn told(&self) -> String {
        format!("{:.1}/{:.1} ms, {} kB", self.at(0.5), self.at(0.95), self.bytes.div_ceil(1_000))
    }
}

/// Measures every page; `part`: the estate is so many times smaller.
pub(crate) async fn run(report: &mut Report, part: u32) -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let ground = Ground::made(part.max(1)).await?;
    let cold = cold(&ground).await?;
    let mut known = metsuke_web::page_routes();
    let mut worst = (0.0, 0, String::new());
    for place in places(&ground).await? {
        known.retain(|pattern| *pattern != place.pattern);
        let (mut told, mut slowest, mut longest) = (Vec::new(), 0.0_f64, 0);
        let mut ratio = None;
        let mut first_95 = 0.0;
        match place.sort {
            Sort::List => {
                let parts = parts(&ground, &place.addresses).await?;
                let mut first = None;
                for (name, address) in parts {
                    let took = asked(&ground, &address).await?;
                    let base = first.get_or_insert_with(|| took.at(0.5));
                    if name == "first" {
                        first_95 = took.at(0.95);
                    } else {
                        ratio = Some(took.at(0.5) / base.max(0.1));
                    }
                    (slowest, longest) = (slowest.max(took.at(0.95)), longest.max(took.bytes));
                    told.push(format!("{name} {}", took.told()));
                }
            }
            Sort::Object => {
                for (name, address) in &place.addresses {
                    let took = asked(&ground, address).await?;
                    (slowest, longest) = (slowest.max(took.at(0.95)), longest.max(took.bytes));
                    told.push(format!("{name} {}", took.told()));
                }
            }
        }
        let fine = slowest <= MOST
            && longest <= BYTES
            && (place.sort == Sort::Object || first_95 <= FIRST)
            && ratio.is_none_or(|ratio| ratio <= DEEPER);
        let deep = ratio.map(|ratio| format!(", deep {ratio:.2} ×")).unwrap_or_default();
        let goal = match place.sort {
            Sort::List => "p95 ≤ 100 ms, first ≤ 50 ms, deep ≤ 1.5 ×, ≤ 200 kB",
            Sort::Object => "p95 ≤ 100 ms, ≤ 200 kB",
        };
        let missed = if fine { "" } else { " (missed)" };
        report.row(
            &format!("`{}`", place.pattern),
            format!("{slowest:.1} ms{deep}{missed}"),
            goal,
            told.join("; "),
        );
        if slowest > worst.0 {
            worst = (slowest, longest, place.pattern.to_owned());
        }
    }
    report.row("the slowest of all", format!("{:.1} ms", worst.0), "p95 ≤ 100 ms", format!("`{}`", worst.2));
    report.row("first look at a list after a new version", cold.0, "–", cold.1);
    ensure!(known.is_empty(), "pages that nobody asked for: {}", known.join(" "));
    ground.ended().await
}

/// Serves the large estate's pages until Ctrl-C: whoever looks from this machine is signed in.
pub(crate) async fn stay() -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let ground = Ground::made(1).await?;
    println!("listening on {}", ground.at(""));
    tokio::signal::ctrl_c().await?;
    ground.ended().await
}

/// The first answer of each list that is kept in memory.
async fn cold(ground: &Ground) -> anyhow::Result<(String, String)> {
    let (mut most, mut told) = (0.0_f64, Vec::new());
    for list in ["/people", "/teams", "/apps", "/enterprise-accounts", "/"] {
        let begun = Instant::now();
        ground.page(list).await?;
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        most = most.max(took);
        told.push(format!("`{list}` {took:.0} ms"));
    }
    Ok((format!("{most:.0} ms"), told.join(", ")))
}

async fn asked(ground: &Ground, address: &str) -> anyhow::Result<Took> {
    let mut took = Took { times: Vec::new(), bytes: 0 };
    for repeat in 0..=REPEATS {
        let begun = Instant::now();
        let page = ground.page(address).await?;
        // The first time warms up.
        if repeat > 0 {
            took.times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        took.bytes = page.len();
    }
    took.times.sort_by(f64::total_cmp);
    Ok(took)
}

/// The first part of a list, one in its middle, and the last.
async fn parts(ground: &Ground, addresses: &[(String, String)]) -> anyhow::Result<Vec<(String, String)>> {
    let (_, first) = addresses.first().context("a list has an address")?;
    let mut all = vec![first.clone()];
    while all.len() < PARTS {
        let page = ground.page(all.last().unwrap_or(first)).await?;
        let Some(next) = next(&page) else { break };
        all.push(next);
    }
    let last = all.len() - 1;
    let mut parts = vec![("first".to_owned(), first.clone())];
    for (name, place) in [("middle", last / 2), ("deep", last)] {
        if let Some(address) = all.get(place).filter(|_| place > 0) {
            parts.push((format!("{name} (part {} of {})", place + 1, all.len()), address.clone()));
        }
    }
    Ok(parts)
}

/// Where a list goes on.
fn next(page: &str) -> Option<String> {
    let (before, _) = page.split_once("rel=\"next\"")?;
    let (_, link) = before.rsplit_once("href=\"")?;
    Some(plain(link.split('"').next()?))
}

/// An address as it stands in a link, without what HTML asks for.
fn plain(link: &str) -> String {
    link.replace("&amp;", "&").replace("&#38;", "&").replace("&#x26;", "&")
}
