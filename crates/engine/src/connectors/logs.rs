//! The log of a connector's runs, followed while it grows.
//!
//! Invariant: every line comes once, in order, whichever process wrote it.

use std::collections::VecDeque;
use std::time::Duration;

use metsuke_model::{ConnectorId, RunId};
use metsuke_store::{LogLine, LogSelect, Store};
use tokio::sync::watch;

use super::Installation;
use crate::EngineError;

/// How often lines of other processes are looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Lines that are read at a time.
const AT_ONCE: u32 = 500;

/// Lines as they come.
#[derive(Debug)]
pub struct LogFeed {
    store: Store,
    run: Option<RunId>,
    after: i64,
    read: VecDeque<LogLine>,
    woken: watch::Receiver<()>,
}

impl LogFeed {
    /// The next line; waits until there is one. Dropping the future loses none.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn next(&mut self) -> Result<LogLine, EngineError> {
        loop {
            if let Some(line) = self.read.pop_front() {
                self.after = line.sequence;
                return Ok(line);
            }
            self.woken.mark_unchanged();
            let select = LogSelect { run: self.run, after: self.after, limit: AT_ONCE };
            self.read = self.store.run_log(select).await?.into();
            if self.read.is_empty() {
                tokio::select! {
                    _ = self.woken.changed() => {}
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                }
            }
        }
    }
}

impl Installation {
    /// Lines of a connector's log, oldest first.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn logs(&self, id: ConnectorId, select: LogSelect) -> Result<Vec<LogLine>, EngineError> {
        Ok(self.estate(id).await?.run_log(select).await?)
    }

    /// Lines of a connector's log from after `after` on, those to come included; of one run, where one is named.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn follow(
        &self,
        id: ConnectorId,
        run: Option<RunId>,
        after: i64,
    ) -> Result<LogFeed, EngineError> {
        let store = self.estate(id).await?;
        Ok(LogFeed { store, run, after, read: VecDeque::new(), woken: self.woken() })
    }
}
