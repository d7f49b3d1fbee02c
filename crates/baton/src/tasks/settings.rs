//! The settings of service mode.
//!
//! They come as values; nothing is read from the environment. Credentials and addresses belong to the engine's tokens.
//!
//! Invariant: a [`HostId`] and a [`Concurrency`] are within what C1 and the machine allow.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// What a replica is called where it has no name at all.
const NAMELESS: &str = "baton-heroku";
/// The longest host id, in characters.
const LONGEST: usize = 256;

/// How to do tasks.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What this replica is called; no other one may be called so.
    pub host_id: HostId,
    /// Whether tasks are fetched several at a time, as `BATON_GET_TASKS` says.
    pub batches: bool,
    /// How many tasks are done at one time.
    pub concurrency: Concurrency,
    /// Where files of running tasks stand; the system's folder by default.
    pub temp_dir: Option<PathBuf>,
    /// Whether C1 is asked, after the greeting, to have all tasks logged.
    pub ask_debugging: bool,
    /// What must not stand in an uploaded log beside the client secret, such as the Heroku token.
    pub secrets: Vec<SecretString>,
    /// What the program is called.
    pub build: Build,
    /// Waits and limits.
    pub times: Times,
}

impl Settings {
    /// Settings with the usual values.
    #[must_use]
    pub fn new(host_id: HostId, build: Build) -> Self {
        Self {
            host_id,
            batches: false,
            concurrency: Concurrency::default(),
            temp_dir: None,
            ask_debugging: false,
            secrets: Vec::new(),
            build,
            times: Times::default(),
        }
    }
}

/// What the program is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Its name.
    pub package: String,
    /// Its version.
    pub version: String,
}

/// What a replica is called: 1 to 256 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostId(String);

impl HostId {
    /// The name that was set, else the machine's, else `baton-heroku`; what is too long is cut.
    #[must_use]
    pub fn choose(set: Option<&str>) -> Self {
        let machine = || whoami::hostname().ok();
        let name = set.map(str::to_owned).filter(|name| !name.trim().is_empty()).or_else(machine);
        let name: String = name.unwrap_or_default().trim().chars().take(LONGEST).collect();
        Self(if name.is_empty() { NAMELESS.to_owned() } else { name })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many tasks are done at one time: 1 to 100, and three by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency(usize);

impl Concurrency {
    /// This many; `None` for a number outside 1 to 100.
    #[must_use]
    pub fn new(count: usize) -> Option<Self> {
        (1..=100).contains(&count).then_some(Self(count))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        Self(3)
    }
}

/// Waits and limits; the defaults are those of the ecosystem's own connectors, where these have one.
#[derive(Clone, Debug)]
pub struct Times {
    /// The limit of connecting to C1.
    pub connect: Duration,
    /// The limit of a call.
    pub call: Duration,
    /// The limit of one attempt to upload a file.
    pub upload: Duration,
    /// The wait before the second attempt to greet C1; it doubles with each further one.
    pub first_hello: Duration,
    /// The longest wait between two attempts to greet C1.
    pub longest_hello: Duration,
    /// The longest wait before C1 is asked for tasks again, whatever it says.
    pub longest_poll: Duration,
    /// The shortest wait before C1 is asked again after it had no task.
    pub idle_poll: Duration,
    /// What the number of failed polls in a row, squared, is multiplied with for the wait before the next.
    pub failed_poll: Duration,
    /// The longest wait after failed polls.
    pub longest_failed_poll: Duration,
    /// The time between two heartbeats where C1 names none.
    pub usual_heartbeat: Duration,
    /// The shortest time between two heartbeats.
    pub shortest_heartbeat: Duration,
    /// The longest time between two heartbeats.
    pub longest_heartbeat: Duration,
    /// How many heartbeats in a row may fail before a task is given up.
    pub failed_heartbeats: u32,
    /// What the number of failed attempts to upload, less one, is multiplied with for the wait before the next.
    pub failed_upload: Duration,
    /// How often a file's upload is tried.
    pub uploads: u32,
    /// The limit of telling how a task ended, each time it is told.
    pub finish: Duration,
    /// The wait before it is told a second time; it doubles with each further one.
    pub failed_finish: Duration,
    /// How often it is told.
    pub finishes: u32,
    /// The time from the wish to stop until everything has stopped.
    pub grace: Duration,
    /// The part of it in which running tasks are stopped and handed back.
    pub hand_back: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            call: Duration::from_mins(1),
            upload: Duration::from_mins(30),
            first_hello: Duration::from_secs(1),
            longest_hello: Duration::from_mins(5),
            longest_poll: Duration::from_mins(5),
            idle_poll: Duration::from_secs(1),
            failed_poll: Duration::from_secs(1),
            longest_failed_poll: Duration::from_mins(1),
            usual_heartbeat: Duration::from_secs(30),
            shortest_heartbeat: Duration::from_secs(1),
            longest_heartbeat: Duration::from_mins(5),
            failed_heartbeats: 10,
            failed_upload: Duration::from_secs(1),
            uploads: 3,
            finish: Duration::from_secs(30),
            failed_finish: Duration::from_secs(1),
            finishes: 5,
            grace: Duration::from_secs(20),
            hand_back: Duration::from_secs(6),
        }
    }
}

impl Times {
    /// The wait before the next poll, after one that was answered.
    pub(super) fn poll(&self, told: Option<prost_types::Duration>, idle: bool) -> Duration {
        let told = duration(told).min(self.longest_poll);
        if idle { told.max(self.idle_poll) } else { told }
    }

    /// The wait before the next poll, after so many failed ones.
    pub(super) fn after_failed_polls(&self, failed: u32) -> Duration {
        self.failed_poll.saturating_mul(failed.saturating_mul(failed)).min(self.longest_failed_poll)
    }

    /// The time until the next heartbeat.
    pub(super) fn heartbeat(&self, told: Option<prost_types::Duration>) -> Duration {
        match duration(told) {
            Duration::ZERO => self.usual_heartbeat,
            told => told.clamp(self.shortest_heartbeat, self.longest_heartbeat),
        }
    }
}

/// What a message says, with nothing below zero.
fn duration(told: Option<prost_types::Duration>) -> Duration {
    told.and_then(|told| Duration::try_from(told).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_within_their_limits() {
        let times = Times::default();
        let told = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        let seconds = |duration: Duration| duration.as_secs();
        assert_eq!([-5, 0, 60, 9_999].map(|s| seconds(times.poll(told(s), false))), [0, 0, 60, 300]);
        assert_eq!(seconds(times.poll(None, true)), 1);
        assert_eq!([1, 2, 7, 8, 99_999].map(|n| seconds(times.after_failed_polls(n))), [1, 4, 49, 60, 60]);
        assert_eq!([-1, 0, 1, 60, 9_999].map(|s| seconds(times.heartbeat(told(s)))), [30, 30, 1, 60, 300]);
        let short = Some(prost_types::Duration { seconds: 0, nanos: 1 });
        assert_eq!(seconds(times.heartbeat(short)), 1);
    }

    #[test]
    fn a_replica_always_has_a_name_that_fits() {
        assert_eq!(HostId::choose(Some(" pod-1 ")).as_str(), "pod-1");
        assert_eq!(HostId::choose(Some(&"é".repeat(300))).as_str().chars().count(), 256);
        assert!(!HostId::choose(Some(" ")).as_str().is_empty());
        assert!(!HostId::choose(None).as_str().is_empty());
    }

    #[test]
    fn one_to_a_hundred_tasks_are_done_at_one_time() {
        assert_eq!([0, 1, 100, 101].map(|n| Concurrency::new(n).is_some()), [false, true, true, false]);
        assert_eq!(Concurrency::default().get(), 3);
    }
}
