//! Asking for syncs, ending them, and looking at those that were.
//!
//! Invariant: of one connector one sync is open at a time; whoever asks for another gets that one.

use metsuke_model::audit::{Actor, EventCode};
use metsuke_model::{ConnectorId, JobId, RunId, ScopeReport};
use metsuke_store::{Ask, Asked, RunRow, RunStatus, ScheduleRow, Store};

use super::Installation;
use crate::EngineError;
use crate::jobs::{SYNC, Stop};

impl Installation {
    /// Asks for a sync now; where one is open, that is the answer.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn sync_now(&self, by: &Actor, id: ConnectorId) -> Result<Asked, EngineError> {
        let store = self.estate(id).await?.acting_as(by.clone());
        let asked = self.ask(&store, by, "asked", Some((id, EventCode::ConnectorSyncAsked))).await?;
        self.wake();
        Ok(asked)
    }

    /// Asks for a sync of every connector that was restored from a backup and not read since: before it nothing may be
    /// changed on Heroku.
    ///
    /// # Errors
    ///
    /// What the databases said.
    pub(crate) async fn read_restored(&self) -> Result<(), EngineError> {
        for row in self.live().await? {
            let store = match self.estate(row.id).await {
                Ok(store) => store,
                Err(EngineError::NoConnector { .. }) => continue,
                Err(error) => return Err(error),
            };
            let paused = store.settings().await?.is_none_or(|setting| setting.paused_at.is_some());
            if !paused && store.restored().await?.is_some_and(|restored| restored.synced.is_none()) {
                self.ask(&store, &Actor::connector(), "restored", None).await?;
            }
        }
        Ok(())
    }

    /// Asks for the end of an open run: one that waits ends at once, one that reads ends soon.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoRun`] where no such run is open, and what the database said.
    pub async fn cancel(&self, by: &Actor, id: ConnectorId, run: RunId) -> Result<RunRow, EngineError> {
        let store = self.estate(id).await?.acting_as(by.clone());
        let now = self.now();
        let event =
            store.event(now, EventCode::ConnectorSyncCancelled).about("connector", id).about("run", run);
        let cancelled = store.cancel_run(run, SYNC, now, event).await?;
        let row = cancelled.ok_or_else(|| EngineError::NoRun { asked: run.to_string() })?;
        if row.status == RunStatus::Running {
            self.stop_running(id, Some(SYNC), Stop::Asked);
        }
        self.wake();
        Ok(row)
    }

    /// A connector's runs, newest first, before the one given.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], and what the database said.
    pub async fn runs(
        &self,
        id: ConnectorId,
        before: Option<RunId>,
        limit: u32,
    ) -> Result<Vec<RunRow>, EngineError> {
        Ok(self.estate(id).await?.runs(before, limit).await?)
    }

    /// One run of a connector, and what each listing of it came to, as far as it made a sync.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoConnector`], [`EngineError::NoRun`], and what the database said.
    pub async fn run(&self, id: ConnectorId, run: RunId) -> Result<(RunRow, Vec<ScopeReport>), EngineError> {
        let store = self.estate(id).await?;
        let row = store.find_run(run).await?;
        let row = row.ok_or_else(|| EngineError::NoRun { asked: run.to_string() })?;
        let scopes = match row.version {
            Some(version) => store.scopes(version).await?,
            None => Vec::new(),
        };
        Ok((row, scopes))
    }

    /// Writes the wish for a sync down, with the event where somebody is to answer for it.
    pub(crate) async fn ask(
        &self,
        store: &Store,
        by: &Actor,
        cause: &'static str,
        event: Option<(ConnectorId, EventCode)>,
    ) -> Result<Asked, EngineError> {
        let ask = self.new_ask(by, cause)?;
        let event = event.map(|(id, code)| {
            store.event(ask.now, code).about("connector", id).about("run", ask.run).detail("cause", cause)
        });
        Ok(store.ask_run(&ask, event).await?)
    }

    /// Asks for the sync that is due, and plans the next; `None` where another process has just done so.
    pub(crate) async fn ask_due(
        &self,
        store: &Store,
        planned: ScheduleRow,
        next: ScheduleRow,
    ) -> Result<Option<Asked>, EngineError> {
        let ask = self.new_ask(&Actor::connector(), "schedule")?;
        Ok(store.ask_planned_run(&ask, planned, next).await?)
    }

    fn new_ask(&self, by: &Actor, cause: &'static str) -> Result<Ask, EngineError> {
        let now = self.now();
        Ok(Ask {
            run: RunId::new(now, self.chance()?),
            job: JobId::new(now, self.chance()?),
            kind: SYNC,
            cause,
            asked_by: by.name.to_string(),
            now,
        })
    }
}
