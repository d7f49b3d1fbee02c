//! The job that tells the changes of a new version.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::json;

use super::{Watch, record};
use crate::jobs::{CHANGES, Done, Handler, Work, backoff};

/// Records the changes of new versions, and wakes those who follow.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    watch: Watch,
}

impl Recorder {
    /// One that wakes those who follow by this watch.
    #[must_use]
    pub const fn new(watch: Watch) -> Self {
        Self { watch }
    }
}

impl Handler for Recorder {
    fn kind(&self) -> &'static str {
        CHANGES
    }

    fn carry_out<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Done> {
        Box::pin(async move {
            let Some(version) = work.version() else {
                return Done::Dead { why: "the job names no version".into() };
            };
            match record(&work.store, version, work.installation.clock()).await {
                Ok(recorded) => {
                    self.watch.wake();
                    Done::Finished(Some(json!({ "versions": recorded.versions, "events": recorded.events })))
                }
                Err(error) => Done::Retry {
                    after: backoff(work.job.attempt, Duration::from_secs(1), Duration::from_mins(5)),
                    why: error.to_string(),
                },
            }
        })
    }
}
