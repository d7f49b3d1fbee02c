//! How long a sync takes when every answer takes 50 ms, against a bare client that fetches the same pages.
//!
//! The bare client knows all pages from the start, keeps 8 requests in flight and throws the answers away, so it
//! is as fast as reading can be; the sync finds the pages, understands them, and writes its database.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _};
use metsuke_simulator::{Options, Seen, Simulator, Size};
use reqwest::Client;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, RANGE};

use crate::process::Metsuke;
use crate::report::{Report, float, median, spread};

const ROUNDS: usize = 5;
const IN_FLIGHT: usize = 8;
const LATENCY: Duration = Duration::from_millis(50);
const SIZE: Size = Size::Scale { teams: 200, apps: 20_000, people: 4_000, grants: 300_000 };

/// Times both in turn.
pub(crate) async fn run(report: &mut Report) -> anyhow::Result<()> {
    // The rounds together would empty the bucket, which is not what is measured here.
    let options = Options { rate_limit: false, ..Options::of(SIZE).latency(LATENCY) };
    let simulator = Simulator::local(options).await?;
    let mut metsuke = Metsuke::find(&simulator)?;
    let (mut ours, mut reading, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let (mut requests, mut most, mut their_most) = (0, 0, 0);
    for round in 0..=ROUNDS {
        metsuke.start_afresh()?;
        simulator.reset_stats();
        let (ran, told) = metsuke.sync().await?;
        let stats = simulator.stats();
        anyhow::ensure!(told["status"] == "complete", "the sync ended {}", told["status"]);
        simulator.reset_stats();
        let bare = replay(&simulator, &stats.log).await?;
        let replayed = simulator.stats();
        anyhow::ensure!(
            (replayed.requests, replayed.bytes) == (stats.requests, stats.bytes),
            "the bare client read {} bytes in {} requests, the sync {} in {}",
            replayed.bytes,
            replayed.requests,
            stats.bytes,
            stats.requests
        );
        let (our, read) = (milliseconds(ran.wall), told["duration_ms"].as_f64().unwrap_or_default());
        let their = milliseconds(bare);
        println!("round {round}: sync {our:.0} ms ({read:.0} ms of it reading), bare client {their:.0} ms");
        requests = stats.requests;
        most = most.max(stats.max_in_flight);
        their_most = their_most.max(replayed.max_in_flight);
        // The first round warms up.
        if round > 0 {
            ours.push(our);
            reading.push(read);
            theirs.push(their);
        }
    }
    let ratio = |ours: &[f64]| {
        let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
        format!("{:.2} ×", median(&ratios))
    };
    let least = milliseconds(LATENCY) * float(requests) / float(IN_FLIGHT as u64);
    report.row(
        "sync of 20 000 apps in 200 teams at 50 ms latency",
        ratio(&ours),
        "≤ 1.25 × a bare client",
        format!(
            "{} against {}; {requests} requests, which take {least:.0} ms at least",
            spread(&ours, "ms"),
            spread(&theirs, "ms")
        ),
    );
    report.row(
        "of it from the first request to the commit",
        ratio(&reading),
        "–",
        format!("{} against the same", spread(&reading, "ms")),
    );
    report.row(
        "in flight during it",
        most.to_string(),
        "≤ 8",
        format!("at most; the bare client {their_most}"),
    );
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Fetches what the log names, in its order; the time includes setting up the client and its connections.
async fn replay(simulator: &Simulator, log: &[Seen]) -> anyhow::Result<Duration> {
    // Bodies are not in the log, and this estate needs none.
    anyhow::ensure!(log.iter().all(|seen| seen.method == "GET"), "only GET can be asked again");
    // An error means that a provider is there already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let begun = Instant::now();
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {}", simulator.token()))?);
    let client = Client::builder()
        .default_headers(headers)
        .no_proxy()
        .tls_certs_only([])
        .pool_max_idle_per_host(IN_FLIGHT)
        .build()?;
    let url = simulator.url();
    futures::stream::iter(log)
        .map(|seen| fetch(&client, &url, seen))
        .buffer_unordered(IN_FLIGHT)
        .try_collect::<()>()
        .await?;
    Ok(begun.elapsed())
}

async fn fetch(client: &Client, url: &str, seen: &Seen) -> anyhow::Result<()> {
    let mut request = client.get(format!("{url}{}", seen.path));
    if let Some(accept) = &seen.accept {
        request = request.header(ACCEPT, accept);
    }
    if let Some(range) = &seen.range {
        request = request.header(RANGE, range);
    }
    request.send().await?.error_for_status()?.bytes().await?;
    Ok(())
}
