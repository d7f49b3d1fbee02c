//! Whether the time of a refusal tells that an account exists: Welch's t between known and unknown addresses.
//!
//! Tries alternate, so that whatever else the machine does falls on both. Below 4.5 nothing is told (the usual bound of leakage
//! tests).

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use metsuke_engine::connectors::Installation;
use metsuke_engine::identity::{AccountAsk, People, Role, SignedIn, Typing, Visitor};
use metsuke_engine::seal::SealFile;
use metsuke_model::{FixedClock, Moment};
use metsuke_store::{OpenMode, Store};

/// A try counts for so long.
const QUARTER: i64 = 15 * 60 * 1_000_000;

/// Prints t for as many pairs as `METSUKE_PAIRS` says, 1 000 without it.
#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "its output is its purpose, and this its switch"
)]
pub(crate) async fn run() -> anyhow::Result<()> {
    let pairs: u32 = std::env::var("METSUKE_PAIRS").ok().map_or(Ok(1_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
    let store = Store::open(&url, OpenMode::Create).await?;
    store.settle().await;
    let clock = Arc::new(FixedClock::at(Moment(1_795_000_000_000_000)));
    let seal = SealFile::at(folder.path().join("metsuke.key"));
    let people = People::new(Installation::open(store, seal, clock.clone()).await?, clock.clone());
    let password = Some("correct horse battery staple".into());
    let ask = AccountAsk { email: "ann@example.com".into(), name: None, role: Role::Viewer, password };
    people.create(ask).await?;
    let (mut known, mut unknown) = (Sample::default(), Sample::default());
    for _ in 0..pairs {
        // No try stands in the way of the next one.
        clock.advance(QUARTER);
        known.add(tried(&people, "ann@example.com").await?);
        clock.advance(QUARTER);
        unknown.add(tried(&people, "eve@example.com").await?);
    }
    let t = known.welch(&unknown).context("too few pairs")?;
    println!("{pairs} pairs: known {:.3} ms, unknown {:.3} ms, Welch's t {t:.2}", known.mean, unknown.mean);
    if t.abs() >= 4.5 {
        bail!("the time tells whether an account exists");
    }
    Ok(())
}

async fn tried(people: &People, email: &str) -> anyhow::Result<f64> {
    let typing = Typing { email: email.into(), password: "a wrong password".into(), code: "".into() };
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let visitor = Visitor { address, device: None, session: None, browser: None };
    let began = Instant::now();
    let outcome = people.sign_in(&typing, &visitor).await?;
    let took = began.elapsed().as_secs_f64() * 1e3;
    if matches!(outcome, SignedIn::No) { Ok(took) } else { bail!("a try was not looked at") }
}

/// Mean and spread of times, in milliseconds.
#[derive(Debug, Default)]
struct Sample {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Sample {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let off = value - self.mean;
        self.mean += off / self.count;
        self.squares += off * (value - self.mean);
    }

    fn welch(&self, other: &Self) -> Option<f64> {
        let spread = |sample: &Self| sample.squares / (sample.count - 1.0) / sample.count;
        let both = (spread(self) + spread(other)).sqrt();
        (self.count > 2.0 && other.count > 2.0 && both > 0.0).then(|| (self.mean - other.mean) / both)
    }
}
