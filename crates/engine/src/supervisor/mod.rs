//! The loop of a server: starts what is due by the clock, carries out jobs, keeps their leases, and stops cleanly.
//!
//! What a job does is its [`Handler`]'s business; what is due is [`schedule`](crate::schedule)'s.
//!
//! Invariant: any number of processes may do this on one database. A schedule is served once, because what is planned
//! next is written with the run; a job has one worker that can still write.

mod carry;
mod gauge;
pub(crate) mod running;
mod sync;
mod tell;
mod upload;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use metsuke_model::ConnectorId;
use metsuke_store::{Asked, Job, Settled, Store};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::EngineError;
use crate::connectors::{Installation, stored_settings};
use crate::jobs::{Handler, SYNC, Stop};
use crate::schedule::Tick;
use carry::{Carried, carry};
use sync::SyncHandler;
use upload::UploadHandler;

/// How long they may take to give back what they hold after that.
const GIVING_BACK: Duration = Duration::from_secs(5);
/// How long giving back the rest may take.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often the databases are looked at for what other processes put there.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long ended jobs are kept.
const KEPT: i64 = 7 * 24 * 3_600_000_000;
/// How often ended jobs are looked for that may be forgotten, in rounds.
const TIDY: u32 = 3_600;

/// How much is done at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Jobs.
    pub jobs: usize,
    /// Syncs among them.
    pub syncs: usize,
    /// For how long a worker has a job without a word.
    pub lease: Duration,
    /// How long jobs may take to end by themselves once the program is to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { jobs: 8, syncs: 2, lease: Duration::from_secs(30), grace: Duration::from_secs(12) }
    }
}

/// Carries out what is due.
pub struct Supervisor {
    installation: Installation,
    handlers: BTreeMap<&'static str, Arc<dyn Handler>>,
    limits: Limits,
    /// What this process calls itself in the queue.
    worker: String,
}

/// Where jobs stand: the main store, or that of a connector.
type Place = Option<ConnectorId>;

/// The jobs that are being carried out.
#[derive(Default)]
struct Carrying {
    tasks: JoinSet<Carried>,
    /// The place, the kind and the store of each, by its task.
    held: BTreeMap<tokio::task::Id, (Place, Job, Store)>,
}

impl Supervisor {
    /// One that syncs connectors and uploads their versions; other kinds of jobs are added by [`with`](Self::with).
    ///
    /// # Errors
    ///
    /// [`EngineError::NoChance`].
    pub fn new(installation: Installation) -> Result<Self, EngineError> {
        let worker = metsuke_model::JobId::new(installation.now(), installation.chance()?).digits();
        let supervisor = Self { installation, handlers: BTreeMap::new(), limits: Limits::default(), worker };
        Ok(supervisor.with(Arc::new(SyncHandler)).with(Arc::new(UploadHandler)))
    }

    /// The same, which carries out another kind of jobs too; it takes the place of an earlier handler of that kind.
    #[must_use]
    pub fn with(mut self, handler: Arc<dyn Handler>) -> Self {
        self.handlers.insert(handler.kind(), handler);
        self
    }

    /// The same with other limits.
    #[must_use]
    pub fn limited(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The kinds of jobs that it carries out.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static str> {
        self.handlers.keys().copied().collect()
    }

    /// Works until `stop` is cancelled; then lets jobs end, gives back what does not, and returns within 20 seconds.
    ///
    /// # Errors
    ///
    /// What finishing an earlier process's work met at the start. Later failures of a database are told in the log,
    /// and tried again.
    pub async fn run(&self, stop: &CancellationToken) -> Result<(), EngineError> {
        self.installation.recover().await?;
        self.installation.read_restored().await?;
        let mut carrying = Carrying::default();
        let mut woken = self.installation.woken();
        let mut rounds = 0_u32;
        while !stop.is_cancelled() {
            woken.mark_unchanged();
            if let Err(error) = self.round(&mut carrying).await {
                tracing::warn!(%error, "what is due could not be looked at; trying again");
            }
            if rounds.is_multiple_of(TIDY) {
                self.tidy().await;
            }
            rounds = rounds.wrapping_add(1);
            tokio::select! {
                () = stop.cancelled() => {}
                Some(ended) = carrying.tasks.join_next_with_id() => carrying.ended(ended),
                _ = woken.changed() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
        self.wind_up(carrying).await;
        Ok(())
    }

    /// Starts what is due by the clock in every connector; returns the runs that came of it.
    ///
    /// # Errors
    ///
    /// What the databases said.
    pub async fn tick(&self) -> Result<Vec<(ConnectorId, Asked)>, EngineError> {
        let mut asked = Vec::new();
        for row in self.installation.live().await? {
            match self.tick_one(row.id).await {
                Ok(Some(run)) => asked.push((row.id, run)),
                Ok(None) | Err(EngineError::NoConnector { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(asked)
    }

    /// Carries out every job that is due now, and what follows from it, until there is none; of one connector, where
    /// one is named.
    ///
    /// # Errors
    ///
    /// What the databases said.
    pub async fn drain(&self, only: Place) -> Result<(), EngineError> {
        let mut carrying = Carrying::default();
        loop {
            self.take(&mut carrying, only).await?;
            match carrying.tasks.join_next_with_id().await {
                Some(ended) => carrying.ended(ended),
                None => return Ok(()),
            }
        }
    }

    async fn round(&self, carrying: &mut Carrying) -> Result<(), EngineError> {
        self.tick().await?;
        self.take(carrying, None).await
    }

    async fn tick_one(&self, id: ConnectorId) -> Result<Option<Asked>, EngineError> {
        let store = self.installation.estate(id).await?;
        let Some((settings, setting)) = stored_settings(&store).await? else { return Ok(None) };
        if setting.paused_at.is_some() {
            return Ok(None);
        }
        let planned = store.schedule().await?;
        match settings.polling_interval.tick(planned, self.installation.clock()) {
            Tick::Rest => Ok(None),
            Tick::Plan(next) => {
                store.replan(planned, next).await?;
                Ok(None)
            }
            Tick::Due(next) => self.installation.ask_due(&store, planned, next).await,
        }
    }

    /// Takes jobs for as long as there is room.
    async fn take(&self, carrying: &mut Carrying, only: Place) -> Result<(), EngineError> {
        let mut places: Vec<Place> = match only {
            Some(id) => vec![Some(id)],
            None => self.installation.live().await?.into_iter().map(|row| Some(row.id)).collect(),
        };
        if only.is_none() {
            places.push(None);
        }
        for place in places {
            let store = match place {
                Some(id) => match self.installation.estate(id).await {
                    Ok(store) => store,
                    Err(EngineError::NoConnector { .. }) => continue,
                    Err(error) => return Err(error),
                },
                None => self.installation.main().clone(),
            };
            while carrying.held.len() < self.limits.jobs {
                let kinds = self.free_kinds(carrying, place);
                let clock = self.installation.clock();
                let claimed = store.claim_job(&kinds, &self.worker, self.limits.lease, clock).await?;
                let Some(job) = claimed else { break };
                self.start(carrying, place, &store, job);
            }
        }
        Ok(())
    }

    /// The kinds of which a place has no job in hand, and syncs only while there is room for them.
    fn free_kinds(&self, carrying: &Carrying, place: Place) -> Vec<&'static str> {
        let held = carrying.held.values();
        let syncs = held.clone().filter(|(_, job, _)| job.kind == SYNC).count();
        let busy: BTreeSet<&str> =
            held.filter(|(at, ..)| *at == place).map(|(_, job, _)| job.kind.as_str()).collect();
        let kinds = self.handlers.keys().copied();
        kinds.filter(|kind| !busy.contains(kind) && (*kind != SYNC || syncs < self.limits.syncs)).collect()
    }

    fn start(&self, carrying: &mut Carrying, place: Place, store: &Store, job: Job) {
        let Some(handler) = self.handlers.get(job.kind.as_str()).cloned() else { return };
        let carried =
            carry(self.installation.clone(), handler, place, store.clone(), job.clone(), self.limits.lease);
        let task = carrying.tasks.spawn(carried);
        carrying.held.insert(task.id(), (place, job, store.clone()));
    }

    /// Lets jobs end, tells those that do not to give back what they hold, and gives back the rest.
    async fn wind_up(&self, mut carrying: Carrying) {
        carrying.wait(self.limits.grace).await;
        if carrying.held.is_empty() {
            return;
        }
        for handle in self.installation.running().values() {
            handle.stop(Stop::Program);
        }
        carrying.wait(GIVING_BACK).await;
        carrying.tasks.abort_all();
        let held = std::mem::take(&mut carrying.held).into_values();
        let backs = held.map(|(_, job, store)| async move {
            let claim = carry::claim(&job, self.limits.lease);
            let back = store.settle_job(&claim, &Settled::GivenBack, self.installation.now());
            if let Ok(Err(error)) = tokio::time::timeout(LAST_WORDS, back).await {
                tracing::warn!(%error, job.id = %job.id, "a job could not be given back; its lease will run out");
            }
        });
        futures::future::join_all(backs).await;
    }

    async fn tidy(&self) {
        let before = metsuke_model::Moment(self.installation.now().0.saturating_sub(KEPT));
        let mut stores = vec![self.installation.main().clone()];
        for row in self.installation.live().await.unwrap_or_default() {
            stores.extend(self.installation.estate(row.id).await);
        }
        for store in stores {
            if let Err(error) = store.forget_jobs(before).await {
                tracing::warn!(%error, "old jobs could not be forgotten");
            }
        }
    }
}

impl Carrying {
    fn ended(&mut self, ended: Result<(tokio::task::Id, Carried), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, Carried { kind, error: None })) => {
                tracing::debug!(job.kind = %kind, "a job of kind {kind} has ended");
                id
            }
            Ok((id, Carried { kind, error: Some(error) })) => {
                tracing::warn!(%error, job.kind = %kind, "what became of a job could not be written down");
                id
            }
            Err(error) => {
                if error.is_panic() {
                    tracing::error!("a job ended in a panic; it is tried again when its lease has run out");
                }
                error.id()
            }
        };
        self.held.remove(&id);
    }

    /// Waits until all have ended, at most so long.
    async fn wait(&mut self, most: Duration) {
        let deadline = tokio::time::Instant::now() + most;
        while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.tasks.join_next_with_id()).await {
            self.ended(ended);
        }
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("kinds", &self.kinds()).finish_non_exhaustive()
    }
}
