//! The queue of tasks, who has which, and the record of what was called.
//!
//! Whether a request is in order is judged in [`rules`](super::rules), and whether it may come at all in
//! [`service`](super::service).
//!
//! Invariant: with leases, a task is one host's at a time, and is finished once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use tonic::Status;

use super::C1Options;
use super::fault::Faults;
use super::proto::tasks::{BatonServiceHelloRequest, Task, task};
use super::report::{Called, Finished, TaskState, Uploaded};

#[derive(Debug, Default)]
pub(super) struct Desk {
    entries: Vec<Entry>,
    pub(super) faults: Faults,
    /// Access tokens, and when they end.
    pub(super) tokens: BTreeMap<String, Instant>,
    pub(super) tokens_given: usize,
    pub(super) nonces: BTreeSet<String>,
    pub(super) calls: Vec<Called>,
    pub(super) uploads: Vec<Uploaded>,
    pub(super) finished: Vec<Finished>,
    pub(super) hellos: Vec<BatonServiceHelloRequest>,
    pub(super) violations: Vec<String>,
}

#[derive(Debug)]
struct Entry {
    task: Task,
    lease: Option<Lease>,
    given_to: Vec<String>,
    cancelled: bool,
    /// Nobody has to do with it any more.
    ended: bool,
}

#[derive(Debug)]
struct Lease {
    host_id: String,
    until: Instant,
}

impl Entry {
    fn is_of(&self, host_id: &str) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.host_id == host_id)
    }

    fn is_free(&self, now: Instant) -> bool {
        self.lease.as_ref().is_none_or(|lease| lease.until <= now)
    }
}

impl Desk {
    pub(super) fn give(&mut self, mut task: Task) -> String {
        let id = format!("task{:023}", self.entries.len() + 1);
        task.id.clone_from(&id);
        task.status = task::Status::Pending.into();
        let entry = Entry { task, lease: None, given_to: Vec::new(), cancelled: false, ended: false };
        self.entries.push(entry);
        id
    }

    pub(super) fn cancel(&mut self, id: &str) {
        if let Some(entry) = self.entry(id) {
            entry.cancelled = true;
            // Who never had it is not asked.
            entry.ended |= entry.lease.is_none();
        }
    }

    pub(super) fn state(&self, id: &str) -> Option<TaskState> {
        let entry = self.entries.iter().find(|entry| entry.task.id == id)?;
        Some(match &entry.lease {
            _ if entry.ended && entry.cancelled => TaskState::Cancelled,
            _ if entry.ended => TaskState::Finished,
            Some(lease) => TaskState::Leased(lease.host_id.clone()),
            None => TaskState::Waiting,
        })
    }

    pub(super) fn deliveries(&self, id: &str) -> usize {
        self.entries.iter().find(|entry| entry.task.id == id).map_or(0, |entry| entry.given_to.len())
    }

    /// Leases up to `most` tasks to a host, the oldest first.
    pub(super) fn next(
        &mut self,
        host_id: &str,
        known: &[String],
        most: usize,
        options: &C1Options,
    ) -> Vec<Task> {
        let now = Instant::now();
        let free = |entry: &&mut Entry| {
            let given = if options.leases {
                !entry.is_free(now)
            } else {
                entry.given_to.iter().any(|given| given == host_id)
            };
            !(given || entry.ended || entry.cancelled || known.contains(&entry.task.id))
        };
        let mut given = Vec::new();
        for entry in self.entries.iter_mut().filter(free).take(most) {
            entry.lease = Some(Lease { host_id: host_id.to_owned(), until: now + options.lease });
            entry.given_to.push(host_id.to_owned());
            entry.task.status = task::Status::Running.into();
            given.push(entry.task.clone());
        }
        given
    }

    /// Prolongs a lease; true when the task is not the host's to do any more.
    pub(super) fn beat(&mut self, host_id: &str, id: &str, options: &C1Options) -> Result<bool, Status> {
        let entry = self.entry(id).ok_or_else(|| Status::not_found("there is no such task"))?;
        if !options.leases {
            return Ok(entry.cancelled);
        }
        if entry.ended || entry.cancelled || !entry.is_of(host_id) {
            entry.ended |= entry.cancelled && entry.is_of(host_id);
            return Ok(true);
        }
        entry.lease = Some(Lease { host_id: host_id.to_owned(), until: Instant::now() + options.lease });
        Ok(false)
    }

    /// Whether a task is the host's.
    pub(super) fn held(&mut self, host_id: &str, id: &str, options: &C1Options) -> Result<(), Status> {
        let entry = self.entry(id).ok_or_else(|| Status::not_found("there is no such task"))?;
        if options.leases && (entry.ended || !entry.is_of(host_id)) {
            return Err(Status::failed_precondition("the task is not this host's"));
        }
        Ok(())
    }

    /// Ends a task; the same end a second time, as after a lost answer, is heard and not recorded.
    pub(super) fn finish(&mut self, finished: Finished, options: &C1Options) -> Result<(), Status> {
        if options.leases && self.finished.contains(&finished) {
            return Ok(());
        }
        self.held(&finished.host_id, &finished.task_id, options)?;
        if let Some(entry) = self.entry(&finished.task_id) {
            entry.ended = true;
            entry.task.status = task::Status::Finished.into();
        }
        self.finished.push(finished);
        Ok(())
    }

    fn entry(&mut self, id: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.task.id == id)
    }
}
