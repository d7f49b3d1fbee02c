//! Asks C1 for tasks and has them done, until it is asked to stop.
//!
//! How a task is done is in [`perform`](super::perform).
//!
//! Invariant: a task is asked for only when there is a place for it; a question that is on its way is waited for, because
//! its answer may hold a task.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metsuke_engine::c1::Tokens;
use metsuke_model::clock::Clock;
use tokio::sync::Semaphore;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::error::ServiceError;
use super::finish::Untold;
use super::health::Ready;
use super::hello;
use super::line::Line;
use super::perform::Office;
use super::queue::Queue;
use super::settings::Settings;
use super::worker::Worker;

/// Service mode, ready to be run.
pub struct Service<W> {
    office: Arc<Office<W>>,
    ready: Ready,
}

impl<W> std::fmt::Debug for Service<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("settings", &self.office.settings).finish_non_exhaustive()
    }
}

/// What the loop holds.
struct Round {
    queue: Queue,
    running: JoinSet<()>,
    /// Which task it is that runs.
    ids: HashMap<Id, String>,
    next_poll: Instant,
    failed_polls: u32,
    /// When the wish to stop was noticed.
    stopped: Option<Instant>,
}

impl<W: Worker> Service<W> {
    /// Service mode with these settings; nothing is sent. It is called inside the runtime that runs it.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Connection`] when the way to C1 cannot be set up.
    pub fn new(
        tokens: Tokens,
        worker: Arc<W>,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServiceError> {
        let office = Office {
            line: Line::new(tokens, &settings)?,
            worker,
            settings,
            clock,
            untold: Untold::default(),
            syncing: Semaphore::new(1),
            halt: CancellationToken::new(),
            debugging: AtomicBool::new(false),
        };
        Ok(Self { office: Arc::new(office), ready: Ready::default() })
    }

    /// Whether C1 knows of this replica; for the health endpoints.
    #[must_use]
    pub fn ready(&self) -> Ready {
        self.ready.clone()
    }

    /// Greets C1 and does its tasks until `stop` fires; then ends what runs, or hands it back, in the time for that.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Refused`] when C1 does not take the connector.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ServiceError> {
        let Office { line, worker, settings, .. } = &*self.office;
        if !hello::until_heard(line, &**worker, &settings.build, &stop).await? {
            return Ok(());
        }
        tracing::info!("C1 was greeted as `{}`", settings.host_id.as_str());
        self.ready.set(true);
        if settings.ask_debugging {
            let debugging = stop.run_until_cancelled(line.start_debugging()).await;
            let debugging = debugging.is_some_and(|answer| answer.unwrap_or(false));
            self.office.debugging.store(debugging, Ordering::SeqCst);
        }
        let mut round = Round {
            queue: Queue::new(settings.concurrency.get()),
            running: JoinSet::new(),
            ids: HashMap::new(),
            next_poll: Instant::now(),
            failed_polls: 0,
            stopped: None,
        };
        while !stop.is_cancelled() {
            self.start_what_waits(&mut round);
            if self.may_ask(&round) {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {}
                    Some(ended) = round.running.join_next_with_id() => round.end(ended),
                    () = tokio::time::sleep_until(round.next_poll) => self.ask(&mut round, &stop).await,
                }
            } else {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {}
                    Some(ended) = round.running.join_next_with_id() => round.end(ended),
                }
            }
        }
        self.ready.set(false);
        self.wind_down(round).await;
        Ok(())
    }

    fn start_what_waits(&self, round: &mut Round) {
        while let Some((task, since)) = round.queue.start() {
            let (office, id) = (Arc::clone(&self.office), task.id.clone());
            let running = round.running.spawn(office.perform(task, since));
            round.ids.insert(running.id(), id);
        }
    }

    fn may_ask(&self, round: &Round) -> bool {
        if self.office.settings.batches { round.queue.batch().is_some() } else { round.queue.has_room() }
    }

    /// One poll; what it brings is in the queue afterwards.
    async fn ask(&self, round: &mut Round, stop: &CancellationToken) {
        let times = &self.office.settings.times;
        let mut stopped = None;
        let fetched = {
            let fetch = self.fetch(round);
            tokio::pin!(fetch);
            tokio::select! {
                biased;
                fetched = &mut fetch => fetched,
                () = stop.cancelled() => {
                    stopped = Some(Instant::now());
                    // Its answer may hold a task, but it is not waited for all the time that is left.
                    let late = |_| Err(Status::cancelled("the connector stops"));
                    tokio::time::timeout(times.hand_back, fetch).await.unwrap_or_else(late)
                }
            }
        };
        round.stopped = stopped;
        let wait = match fetched {
            Ok(wait) => {
                round.failed_polls = 0;
                wait
            }
            Err(status) => {
                round.failed_polls = round.failed_polls.saturating_add(1);
                let (code, message) = (i32::from(status.code()), status.message());
                tracing::warn!(grpc.code = code, "C1 could not be asked for tasks: {message}");
                times.after_failed_polls(round.failed_polls)
            }
        };
        round.next_poll = Instant::now() + wait;
    }

    /// Asks for tasks; gives the wait before the next question.
    async fn fetch(&self, round: &mut Round) -> Result<Duration, Status> {
        let Office { line, settings, .. } = &*self.office;
        if settings.batches {
            let size = round.queue.batch().and_then(|size| u32::try_from(size).ok()).unwrap_or(1);
            let answer = line.get_tasks(round.queue.known(), size).await?;
            let new = round.queue.add(answer.tasks);
            tracing::debug!(task.count = new, "C1 gave {new} tasks");
            return Ok(settings.times.poll(answer.next_poll, new == 0));
        }
        let answer = line.get_task().await?;
        let new = round.queue.add(answer.task);
        tracing::debug!(task.count = new, "C1 gave {new} tasks");
        Ok(settings.times.poll(answer.next_poll, new == 0))
    }

    /// Ends what runs: first by waiting for it, then by asking it to stop, then by force.
    async fn wind_down(&self, mut round: Round) {
        let times = &self.office.settings.times;
        let begin = round.stopped.unwrap_or_else(Instant::now);
        let (soft, hard) = (begin + times.grace.saturating_sub(times.hand_back), begin + times.grace);
        tracing::info!(task.count = round.running.len(), "stopping; {} tasks run", round.running.len());
        for task in round.queue.empty() {
            let office = Arc::clone(&self.office);
            round.running.spawn(async move { office.hand_back(&task).await });
        }
        let ended = async |running: &mut JoinSet<()>| while running.join_next().await.is_some() {};
        if tokio::time::timeout_at(soft, ended(&mut round.running)).await.is_ok() {
            return;
        }
        self.office.halt.cancel();
        if tokio::time::timeout_at(hard, ended(&mut round.running)).await.is_err() {
            tracing::warn!(task.count = round.running.len(), "{} tasks did not stop", round.running.len());
        }
    }
}

impl Round {
    fn end(&mut self, ended: Result<(Id, ()), JoinError>) {
        let running = match ended {
            Ok((running, ())) => running,
            // What a worker does panics elsewhere; this is a fault of ours.
            Err(error) => {
                tracing::error!("a task ended out of turn: {error}");
                error.id()
            }
        };
        if let Some(id) = self.ids.remove(&running) {
            self.queue.end(&id);
        }
    }
}
