//! `health-check`: asks a running connector how it is, for the probes of containers.
//!
//! What is well and what is not is the asked one's to say.
//!
//! Invariant: nothing but the status of the answer counts, and no answer is waited for longer than asked.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::failure::{Code, Failure};
use crate::values::Values;

/// The most that is read of an answer; its first line is enough.
const BYTES: u64 = 4_096;

/// Asks.
///
/// # Errors
///
/// [`Failure`] when the answer is not that all is well: unavailable without one, unknown with another.
pub(crate) async fn run(values: &Values, endpoint: &str, timeout: &str) -> Result<(), Failure> {
    if !["health", "ready", "live"].contains(&endpoint) {
        return Err(Failure::usage("--endpoint takes one of health, ready, live"));
    }
    let seconds = timeout.parse::<u64>().ok().filter(|seconds| (1..=3_600).contains(seconds));
    let seconds = seconds.ok_or_else(|| Failure::usage("--timeout takes a whole number from 1 to 3600"))?;
    let port = u16::try_from(values.number("health-check-port")).unwrap_or_default();
    let address = (values.text("health-check-bind-address"), port);
    let asked = tokio::time::timeout(Duration::from_secs(seconds), status(address, endpoint)).await;
    match asked {
        Ok(Ok(200)) => Ok(()),
        Ok(Ok(status)) => Err(Failure::new(Code::Unknown, format!("health check returned status {status}"))),
        Ok(Err(error)) => Err(Failure::new(Code::Unavailable, format!("health check failed: {error}"))),
        Err(_) => {
            let told = format!("health check failed: no answer within {seconds} s");
            Err(Failure::new(Code::DeadlineExceeded, told))
        }
    }
}

/// The status of the answer to one request.
async fn status((host, port): (&str, u16), endpoint: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect((host, port)).await?;
    let request = format!("GET /{endpoint} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(BYTES).read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
    status.ok_or_else(|| std::io::Error::other("the answer is no HTTP"))
}
