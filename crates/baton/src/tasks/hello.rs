//! The greeting: what the connector is, and on which system it runs.
//!
//! Invariant: every text of the system is there, and none is longer than C1 takes.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::error::ServiceError;
use super::line::Line;
use super::settings::Build;
use super::worker::{Failed, Worker};
use crate::proto::tasks::BatonServiceHelloRequest;
use crate::proto::tasks::baton_service_hello_request::{BuildInfo, OsInfo};

/// The longest text of a system or a build, in characters.
const LONGEST: usize = 256;
/// What a system does not tell.
const UNKNOWN: &str = "unknown";

/// Greets C1 until it answers; false when it was asked to stop before.
pub(super) async fn until_heard<W: Worker>(
    line: &Line,
    worker: &W,
    build: &Build,
    stop: &CancellationToken,
) -> Result<bool, ServiceError> {
    let mut wait = line.times().first_hello;
    loop {
        let Some(heard) = stop.run_until_cancelled(once(line, worker, build, "")).await else {
            return Ok(false);
        };
        let Err(failed) = heard else { return Ok(true) };
        let (code, message) = (failed.status.code, failed.status.message);
        if is_final(code) {
            return Err(ServiceError::Refused { code, message });
        }
        tracing::warn!(grpc.code = code, "C1 could not be greeted, and will be again: {message}");
        if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return Ok(false);
        }
        wait = next(wait, line.times().longest_hello);
    }
}

/// Greets C1 once; for a task that asks for it, with the task's id.
pub(super) async fn once<W: Worker>(
    line: &Line,
    worker: &W,
    build: &Build,
    task_id: &str,
) -> Result<(), Failed> {
    let hello = BatonServiceHelloRequest {
        host_id: line.host_id(),
        task_id: task_id.to_owned(),
        build_info: Some(BuildInfo {
            lang_version: cut(concat!("rust ", env!("CARGO_PKG_RUST_VERSION"))),
            package: cut(&build.package),
            package_version: cut(&build.version),
        }),
        os_info: Some(system()),
        connector_metadata: Some(worker.metadata().await?),
        annotations: Vec::new(),
    };
    line.hello(hello).await.map_err(Failed::from)
}

fn next(wait: Duration, longest: Duration) -> Duration {
    wait.saturating_mul(2).min(longest)
}

/// Whether greeting again would be answered the same.
fn is_final(code: i32) -> bool {
    matches!(
        Code::from(code),
        Code::Unauthenticated
            | Code::PermissionDenied
            | Code::InvalidArgument
            | Code::Unimplemented
            | Code::FailedPrecondition
            | Code::NotFound
    )
}

fn system() -> OsInfo {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let named = |name: &str| {
        let lines = release.lines().filter_map(|line| line.split_once('='));
        let value = lines.filter(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"')).next();
        value.map(str::to_owned)
    };
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok();
    let kernel = known(kernel);
    let os = std::env::consts::OS;
    let platform = known(named("ID").or_else(|| Some(os.to_owned())));
    OsInfo {
        hostname: known(whoami::hostname().ok()),
        os: os.to_owned(),
        platform_version: known(named("VERSION_ID").or_else(|| Some(kernel.clone()))),
        platform_family: known(named("ID_LIKE").or_else(|| Some(platform.clone()))),
        platform,
        kernel_version: kernel,
        kernel_arch: std::env::consts::ARCH.to_owned(),
        virtualization_system: "none".to_owned(),
    }
}

/// A text that is there and not too long.
fn known(text: Option<String>) -> String {
    let text = cut(text.unwrap_or_default().trim());
    if text.is_empty() { UNKNOWN.to_owned() } else { text }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let (longest, mut wait) = (Duration::from_mins(5), Duration::from_secs(1));
        let mut seen = Vec::new();
        for _ in 0..10 {
            seen.push(wait.as_secs());
            wait = next(wait, longest);
        }
        assert_eq!(seen, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    }

    #[test]
    fn codes_that_time_does_not_heal_are_final() {
        assert_eq!([16, 7, 3, 12, 9, 5].map(is_final), [true; 6]);
        assert_eq!([14, 4, 13, 8, 2, 1].map(is_final), [false; 6]);
    }

    #[test]
    fn every_text_of_the_system_is_there() {
        let system = system();
        for text in
            [&system.hostname, &system.platform_version, &system.platform_family, &system.kernel_version]
        {
            assert!(!text.is_empty() && text.chars().count() <= LONGEST);
        }
        assert_eq!(known(Some(" \n".to_owned())), UNKNOWN);
    }
}
