//! `health-check`: asks a running connector how it is, for the probes of containers.
//!
//! What is well and what is not is the asked one's to say.
//!
//! Invariant: nothing but the status of the answer counts, and no answer is waited for longer than asked.

use std::time::Duration;

use metsuke_baton::tasks::health::{self, Endpoint, Unhealthy};

use crate::failure::{Code, Failure};
use crate::values::Values;

/// Asks.
///
/// # Errors
///
/// [`Failure`] when the answer is not that all is well: unavailable without one, unknown with another.
pub(crate) async fn run(values: &Values, endpoint: &str, timeout: &str) -> Result<(), Failure> {
    let known = Endpoint::ALL.into_iter().find(|known| known.as_str() == endpoint);
    let endpoint = known.ok_or_else(|| Failure::usage("--endpoint takes one of health, ready, live"))?;
    let seconds = timeout.parse::<u64>().ok().filter(|seconds| (1..=3_600).contains(seconds));
    let seconds = seconds.ok_or_else(|| Failure::usage("--timeout takes a whole number from 1 to 3600"))?;
    let (host, port) = (values.text("health-check-bind-address"), values.number("health-check-port"));
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    health::ask(&address, endpoint, Duration::from_secs(seconds)).await.map_err(|error| {
        let code = match error {
            Unhealthy::Unreachable { .. } => Code::Unavailable,
            Unhealthy::Late { .. } => Code::DeadlineExceeded,
            _ => Code::Unknown,
        };
        Failure::new(code, format!("health check failed: {error}"))
    })
}
