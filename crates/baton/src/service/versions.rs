//! Which version of the estate answers a parent's sync: one for each, read from Heroku when its first listing is asked for.
//!
//! A parent's sync is many calls that share an id. The first one that needs the estate queues a turn; [`Versions::work`]
//! takes turns one after the other, and every call of the sync waits for the end of the same turn. A version that had to
//! make room is read from the database again, without Heroku.
//!
//! Invariant: all calls of one sync are answered from the same version, and at most one version is held beside those that
//! calls still use.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metsuke_engine::connector::{Connector as Estate, View};
use metsuke_model::{AsOf, Clock, Version};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::failure::{Code, Failure};
use crate::id::ResourceKey;

/// So many syncs are remembered by their version.
const REMEMBERED: usize = 16;
/// So many single resources are held for a sync of chosen resources.
const SINGLE: usize = 256;
/// After which time a call is worth trying again while a sync goes on.
const AGAIN: Duration = Duration::from_secs(5);
/// After which time the estate is worth reading anew where a listing failed.
const ANEW: Duration = Duration::from_mins(1);

/// A version, or one resource of one, that answers.
#[derive(Debug)]
pub(super) struct Shown {
    view: View,
    tag: String,
}

impl Shown {
    pub(super) fn new(view: View) -> Self {
        let sync = view.sync();
        let tag = format!("{}-{}", sync.version, sync.started_at.0);
        Self { view, tag }
    }

    pub(super) const fn view(&self) -> &View {
        &self.view
    }

    /// Tells the version from those of other databases as well.
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }
}

type Outcome = Result<Arc<Shown>, Failure>;

/// One reading of the estate, and everybody who waits for it.
#[derive(Debug)]
struct Turn {
    /// The id of the parent's sync; empty for calls that name none.
    sync: String,
    /// A version that was read before.
    version: Option<Version>,
    outcome: watch::Sender<Option<Outcome>>,
}

impl Turn {
    fn new(sync: &str, version: Option<Version>) -> Arc<Self> {
        Arc::new(Self { sync: sync.to_owned(), version, outcome: watch::Sender::new(None) })
    }

    fn has_failed(&self) -> bool {
        matches!(&*self.outcome.borrow(), Some(Err(_)))
    }

    fn has_ended(&self) -> bool {
        self.outcome.borrow().is_some()
    }

    fn end(&self, outcome: Outcome) {
        self.outcome.send_replace(Some(outcome));
    }
}

#[derive(Debug, Default)]
struct State {
    /// The turn that runs or was the last to run.
    current: Option<Arc<Turn>>,
    queue: VecDeque<Arc<Turn>>,
    remembered: VecDeque<(String, Version)>,
    /// Single resources that were read afresh, for the sync of this id.
    single: (String, VecDeque<(ResourceKey, Arc<Shown>)>),
    /// The account was asked for since the last turn: a listing that names no sync wants a new version.
    stale: bool,
    /// Nobody takes turns any more.
    stopped: bool,
}

impl State {
    /// The turn whose end answers a call of this sync.
    fn turn(&self, sync: &str) -> Option<&Arc<Turn>> {
        let fits = |turn: &&Arc<Turn>| match sync {
            "" => !(self.stale && turn.has_ended()),
            sync => turn.sync == sync,
        };
        let turns = self.queue.iter().rev().chain(&self.current);
        turns.filter(|turn| !turn.has_failed()).find(fits)
    }

    fn version(&self, sync: &str) -> Option<Version> {
        self.remembered
            .iter()
            .find(|(known, _)| !sync.is_empty() && known == sync)
            .map(|(_, version)| *version)
    }

    fn remember(&mut self, sync: &str, version: Version) {
        if sync.is_empty() || self.version(sync).is_some() {
            return;
        }
        if self.remembered.len() == REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back((sync.to_owned(), version));
    }
}

/// The versions that answer.
#[derive(Debug)]
pub(super) struct Versions {
    state: Mutex<State>,
    queued: Notify,
    clock: Arc<dyn Clock>,
    patience: Duration,
}

impl Versions {
    /// Nothing is held yet; a call waits so long for the end of a reading.
    pub(super) fn new(clock: Arc<dyn Clock>, patience: Duration) -> Self {
        Self { state: Mutex::default(), queued: Notify::new(), clock, patience }
    }

    /// The version that answers a call of this sync; an empty id stands for a call that names none.
    ///
    /// # Errors
    ///
    /// What kept the version from being read, and [`Code::Unavailable`] where that takes longer than a call may wait.
    pub(super) async fn of(&self, sync: &str) -> Outcome {
        let turn = self.turn(sync)?;
        let mut outcome = turn.outcome.subscribe();
        let ended = outcome.wait_for(Option::is_some);
        match tokio::time::timeout(self.patience, ended).await {
            Ok(Ok(ended)) => (*ended).clone().unwrap_or_else(|| Err(stopping())),
            Ok(Err(_)) => Err(stopping()),
            Err(_) => {
                let message = "the estate is still being read from Heroku";
                Err(Failure::new(Code::Unavailable, message).retry(self.clock.now(), AGAIN))
            }
        }
    }

    /// What answers about one resource: the resource alone where the sync has read no more than that.
    pub(super) async fn about(&self, sync: &str, key: &ResourceKey) -> Outcome {
        if let Some(shown) = self.single(sync, key) {
            return Ok(shown);
        }
        self.of(sync).await
    }

    fn single(&self, sync: &str, key: &ResourceKey) -> Option<Arc<Shown>> {
        let state = self.lock();
        if sync.is_empty()
            || state.single.0 != sync
            || state.turn(sync).is_some()
            || state.version(sync).is_some()
        {
            return None;
        }
        state.single.1.iter().rev().find(|(known, _)| known == key).map(|(_, shown)| Arc::clone(shown))
    }

    /// Holds a resource that was read afresh for the rest of its sync.
    pub(super) fn hold(&self, sync: &str, key: ResourceKey, shown: Arc<Shown>) {
        if sync.is_empty() {
            return;
        }
        let mut state = self.lock();
        if state.single.0 != sync {
            state.single = (sync.to_owned(), VecDeque::new());
        }
        let held = &mut state.single.1;
        held.retain(|(known, _)| *known != key);
        if held.len() == SINGLE {
            held.pop_front();
        }
        held.push_back((key, shown));
    }

    /// From now on, a listing that names no sync wants a new version.
    pub(super) fn age(&self) {
        self.lock().stale = true;
    }

    /// Lets go of what was held for a sync; an empty id stands for everything.
    pub(super) fn release(&self, sync: &str) {
        let mut state = self.lock();
        if state
            .current
            .as_ref()
            .is_some_and(|turn| turn.has_ended() && (sync.is_empty() || turn.sync == sync))
        {
            state.current = None;
        }
        state.remembered.retain(|(known, _)| !sync.is_empty() && known != sync);
        if sync.is_empty() || state.single.0 == sync {
            state.single = Default::default();
        }
    }

    /// Reads versions as they are asked for, until `cancel` is set.
    pub(super) async fn work(&self, estate: &Estate, cancel: &CancellationToken) {
        loop {
            let turn = tokio::select! {
                turn = self.next() => turn,
                () = cancel.cancelled() => break,
            };
            let outcome = Box::pin(read(estate, &turn, &*self.clock, cancel)).await;
            if let Ok(shown) = &outcome {
                self.lock().remember(&turn.sync, shown.view.sync().version);
            }
            turn.end(outcome);
        }
        let mut state = self.lock();
        state.stopped = true;
        state.current = None;
        for turn in state.queue.drain(..) {
            turn.end(Err(stopping()));
        }
    }

    /// The turn that answers a call, queued where there is none.
    fn turn(&self, sync: &str) -> Result<Arc<Turn>, Failure> {
        let mut state = self.lock();
        if let Some(turn) = state.turn(sync) {
            return Ok(Arc::clone(turn));
        }
        if state.stopped {
            return Err(stopping());
        }
        let turn = Turn::new(sync, state.version(sync));
        state.queue.push_back(Arc::clone(&turn));
        drop(state);
        self.queued.notify_one();
        Ok(turn)
    }

    /// The next turn; what the last one held is let go of.
    async fn next(&self) -> Arc<Turn> {
        loop {
            let queued = self.queued.notified();
            {
                let mut state = self.lock();
                if let Some(turn) = state.queue.pop_front() {
                    state.current = Some(Arc::clone(&turn));
                    state.stale = false;
                    return turn;
                }
            }
            queued.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the version of a turn: from the database where it was read before, else from Heroku.
async fn read(estate: &Estate, turn: &Turn, clock: &dyn Clock, cancel: &CancellationToken) -> Outcome {
    let failed = |error| if cancel.is_cancelled() { stopping() } else { Failure::of(&error, clock.now()) };
    let version = if let Some(version) = turn.version {
        version
    } else {
        let summary = estate.sync(&(), cancel).await.map_err(failed)?;
        if !summary.quarantine.is_empty() {
            let reasons = summary.quarantine.join("; ");
            let message = format!("the sync was kept apart, because it would take away too much: {reasons}");
            return Err(Failure::new(Code::FailedPrecondition, message));
        }
        summary.version
    };
    let Some(view) = estate.view(Some(AsOf::Version(version))).await.map_err(failed)? else {
        return Err(Failure::new(Code::Internal, "the version that was just read is gone"));
    };
    match view.sync().failed() {
        Some(told) => Err(Failure::new(Code::Unavailable, told).retry(clock.now(), ANEW)),
        None => Ok(Arc::new(Shown::new(view))),
    }
}

fn stopping() -> Failure {
    Failure::new(Code::Unavailable, "the connector is stopping")
}
