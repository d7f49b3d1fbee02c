//! Follows recorded changes as they come.
//!
//! Whoever records wakes those who follow; what they get comes from the database, so that nobody misses anything who
//! was slow, and a change that another process recorded is found a little later.
//!
//! Invariant: from a turn on, every event comes once, and once more each time that it becomes known otherwise who made it.

use std::collections::VecDeque;
use std::time::Duration;

use metsuke_store::{EventFilter, Store};
use tokio::sync::broadcast;

use super::Event;
use crate::EngineError;

/// Events that are read at once.
const AT_ONCE: u32 = 200;
/// How often a follower looks by itself.
const LOOKS: Duration = Duration::from_secs(2);

/// Wakes those who follow. Cheap to clone; all clones wake the same followers.
#[derive(Clone, Debug)]
pub struct Watch(broadcast::Sender<()>);

impl Default for Watch {
    fn default() -> Self {
        // Whoever is behind by one wake-up looks once, and sees all.
        Self(broadcast::channel(1).0)
    }
}

impl Watch {
    /// Says that something was recorded.
    pub fn wake(&self) {
        // Nobody may be listening.
        drop(self.0.send(()));
    }

    /// Follows what is recorded in a store: after this turn, else from now on.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn follow(
        &self,
        store: &Store,
        filter: EventFilter,
        after: Option<u64>,
    ) -> Result<Following, EngineError> {
        let woken = self.0.subscribe();
        let turn = match after {
            Some(turn) => turn,
            None => store.last_turn().await?,
        };
        Ok(Following { store: store.clone(), filter, turn, woken, read: VecDeque::new() })
    }
}

/// A stream of events; dropping it ends it.
#[derive(Debug)]
pub struct Following {
    store: Store,
    filter: EventFilter,
    turn: u64,
    woken: broadcast::Receiver<()>,
    read: VecDeque<Event>,
}

impl Following {
    /// The next event, as soon as there is one. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// What the database said; it can be asked again.
    pub async fn next(&mut self) -> Result<Event, EngineError> {
        loop {
            if let Some(event) = self.read.pop_front() {
                self.turn = event.turn;
                return Ok(event);
            }
            let stored = self.store.change_events_since(&self.filter, self.turn, AT_ONCE).await?;
            self.read.extend(stored.into_iter().map(Event::of));
            if self.read.is_empty() {
                self.wait().await;
            }
        }
    }

    /// The turn of the last event that came: where to go on later.
    #[must_use]
    pub const fn turn(&self) -> u64 {
        self.turn
    }

    async fn wait(&mut self) {
        let woken = tokio::time::timeout(LOOKS, self.woken.recv()).await;
        if let Ok(Err(broadcast::error::RecvError::Closed)) = woken {
            tokio::time::sleep(LOOKS).await;
        }
    }
}
