//! What became of every write that arrived: whether, when and to what effect it was applied, and what was answered.
//!
//! Not the list of requests, which `stats` keeps and bounds: this one forgets nothing by itself.
//!
//! Invariant: an entry is marked as applied under the lock of the estate, so that state and journal never disagree.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use serde_json::Value;
use tokio::sync::Notify;

use crate::refusal::Refusal;

/// One write as it arrived, and what has become of it so far.
///
/// A request whose body broke off is not one: it never arrived.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Written {
    /// The order of arrival, from 1, over the simulator's life.
    pub order: u64,
    /// Its number among all requests, as in [`Seen`](crate::Seen).
    pub request: u64,
    /// `PUT`, `POST`, …, with a method override already applied.
    pub method: String,
    /// Path and query as they were sent.
    pub path: String,
    /// The body: JSON where it is JSON, else text, null where there is none.
    pub body: Value,
    /// The `Request-Id` that the sender gave, if any.
    pub request_id: Option<String>,
    /// Which token: the scope of a built-in one, else a fingerprint; never the token.
    pub token: String,
    /// The fault that struck, by name.
    pub fault: Option<&'static str>,
    /// When its head arrived, since the simulator started.
    #[serde(rename = "arrived_ms", serialize_with = "millis")]
    pub arrived: Duration,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
    /// The status that was answered; `None` while there is no answer, and when there was none.
    pub answer: Option<u16>,
}

impl Written {
    /// True when it was applied and something is now different.
    #[must_use]
    pub const fn changed(&self) -> bool {
        matches!(self.fate, Fate::Applied { changed: true, .. })
    }

    /// What it changed; nothing unless it was applied.
    #[must_use]
    pub fn effects(&self) -> &[Effect] {
        match &self.fate {
            Fate::Applied { effects, .. } => effects,
            Fate::Waiting { .. } | Fate::Refused { .. } | Fate::Dropped => &[],
        }
    }
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Fate {
    /// It is still to be applied.
    Waiting {
        /// When, since the simulator started.
        #[serde(rename = "due_ms", serialize_with = "millis")]
        due: Duration,
    },
    /// It was applied.
    Applied {
        /// The order of application, from 1: late writes come after others that arrived later.
        turn: u64,
        /// When, since the simulator started.
        #[serde(rename = "settled_ms", serialize_with = "millis")]
        at: Duration,
        /// False when everything was as wished already.
        changed: bool,
        /// What it changed.
        effects: Vec<Effect>,
    },
    /// It was refused, and changed nothing.
    Refused {
        /// When, since the simulator started.
        #[serde(rename = "settled_ms", serialize_with = "millis")]
        at: Duration,
        /// The status of the refusal, whatever its sender was told.
        status: u16,
        /// Heroku's id of the error.
        id: &'static str,
        /// Heroku's message.
        message: String,
    },
    /// A fault kept it from the estate: it changed nothing and never will.
    Dropped,
}

/// One row that a write made, changed or took away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Effect {
    /// `team`, `app` and `enterprise_account` are rows of people there; `invitation` is one to a team, and
    /// `setting` is the lock or the owner of an app.
    pub kind: &'static str,
    /// Heroku's id of the team, app or enterprise account.
    pub resource: String,
    /// The person's id; the row's own where it names nobody; the address of an invitation, in small letters; the
    /// name of a setting.
    pub subject: String,
    /// The address as the row shows it.
    pub email: Option<String>,
    /// The role, the permissions in order with commas between, or the value; `None` where there was no row.
    pub before: Option<String>,
    /// The same afterwards.
    pub after: Option<String>,
}

/// Everything written so far, in order of arrival.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Journal {
    /// When the simulator started, in milliseconds since 1970; the other times count from here.
    pub started_unix_ms: u64,
    /// Writes that are still to be applied.
    pub waiting: usize,
    /// The writes.
    pub writes: Vec<Written>,
}

impl Journal {
    /// The writes that were applied, in the order in which they were.
    #[must_use]
    pub fn applied(&self) -> Vec<&Written> {
        let turn = |write: &&Written| match write.fate {
            Fate::Applied { turn, .. } => Some(turn),
            Fate::Waiting { .. } | Fate::Refused { .. } | Fate::Dropped => None,
        };
        let mut applied: Vec<&Written> = self.writes.iter().filter(|write| turn(write).is_some()).collect();
        applied.sort_by_key(turn);
        applied
    }
}

fn millis<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(whole_millis(*time))
}

fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A body as the journal shows it.
pub(crate) fn legible(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into())
}

/// What is known of a write when it arrives.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) request: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) request_id: Option<String>,
    pub(crate) token: String,
    pub(crate) at: Instant,
}

/// The journal being kept.
#[derive(Debug)]
pub(crate) struct Book {
    began: Instant,
    began_unix_ms: u64,
    pages: Mutex<Pages>,
    settled: Notify,
}

#[derive(Debug, Default)]
struct Pages {
    order: u64,
    waiting: usize,
    writes: Vec<Written>,
}

impl Book {
    pub(crate) fn new() -> Self {
        let began_unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, whole_millis);
        Self { began: Instant::now(), began_unix_ms, pages: Mutex::default(), settled: Notify::new() }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a write that has arrived and gives it its number.
    pub(crate) fn arrive(&self, arrival: Arrival) -> u64 {
        let Arrival { request, method, path, body, request_id, token, at } = arrival;
        let arrived = at.saturating_duration_since(self.began);
        let fate = Fate::Waiting { due: arrived };
        let mut pages = self.pages();
        pages.order += 1;
        pages.waiting += 1;
        let order = pages.order;
        pages.writes.push(Written {
            order,
            request,
            method,
            path,
            body,
            request_id,
            token,
            fault: None,
            arrived,
            fate,
            answer: None,
        });
        order
    }

    fn change(&self, order: u64, change: impl FnOnce(&mut Written)) {
        let mut pages = self.pages();
        // A reset takes only entries that are settled, so the orders ascend but may have holes.
        let Ok(at) = pages.writes.binary_search_by_key(&order, |write| write.order) else { return };
        let Some(write) = pages.writes.get_mut(at) else { return };
        let was_waiting = matches!(write.fate, Fate::Waiting { .. });
        change(write);
        let is_waiting = matches!(write.fate, Fate::Waiting { .. });
        if was_waiting && !is_waiting {
            pages.waiting -= 1;
            self.settled.notify_waiters();
        }
    }

    pub(crate) fn struck(&self, order: u64, fault: &'static str) {
        self.change(order, |write| write.fault = Some(fault));
    }

    /// Notes that a write will be applied later.
    pub(crate) fn postpone(&self, order: u64, wait: Duration) {
        let due = self.began.elapsed() + wait;
        self.change(order, |write| write.fate = Fate::Waiting { due });
    }

    pub(crate) fn apply(&self, order: u64, turn: u64, effects: Vec<Effect>) {
        let at = self.began.elapsed();
        let changed = !effects.is_empty();
        self.change(order, |write| write.fate = Fate::Applied { turn, at, changed, effects });
    }

    pub(crate) fn refuse(&self, order: u64, refusal: &Refusal) {
        let at = self.began.elapsed();
        let (status, id, message) = (refusal.status, refusal.id, refusal.message.clone());
        self.change(order, |write| write.fate = Fate::Refused { at, status, id, message });
    }

    pub(crate) fn drop_write(&self, order: u64) {
        self.change(order, |write| write.fate = Fate::Dropped);
    }

    pub(crate) fn answer(&self, order: u64, status: u16) {
        self.change(order, |write| write.answer = Some(status));
    }

    pub(crate) fn journal(&self) -> Journal {
        let pages = self.pages();
        let started_unix_ms = self.began_unix_ms;
        Journal { started_unix_ms, waiting: pages.waiting, writes: pages.writes.clone() }
    }

    /// Forgets every write that is settled; the numbering goes on.
    pub(crate) fn reset(&self) {
        self.pages().writes.retain(|write| matches!(write.fate, Fate::Waiting { .. }));
    }

    /// Waits until nothing is left to be applied.
    pub(crate) async fn settled(&self) {
        loop {
            let settled = self.settled.notified();
            if self.pages().waiting == 0 {
                return;
            }
            settled.await;
        }
    }
}
