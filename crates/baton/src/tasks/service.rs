//! Asks C1 for tasks and has them done, until it is asked to stop.
//!
//! How a task is done is in [`perform`](super::perform).
//!
//! Invariant: a task is asked for only when there is a place for it; a question that is on its way is waited for, because
//! its answer may hold a task.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metsuke_engine::c1::Tokens;
use metsuke_model::clock::Clock;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
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
    running: JoinSet<String>,
    next_poll: Instant,
    failed_polls: u32,
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
            next_poll: Instant::now(),
            failed_polls: 0,
        };
        while !stop.is_cancelled() {
            self.start_what_waits(&mut round);
            if self.may_ask(&round) {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {}
                    Some(ended) = round.running.join_next() => round.end(ended),
                    () = tokio::time::sleep_until(round.next_poll) => self.ask(&mut round).await,
                }
            } else {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {}
                    Some(ended) = round.running.join_next() => round.end(ended),
                }
            }
        }
        self.ready.set(false);
        self.wind_down(round).await;
        Ok(())
    }

    fn start_what_waits(&self, round: &mut Round) {
        while let Some((task, since)) = round.queue.start() {
            let office = Arc::clone(&self.office);
            round.running.spawn(office.perform(task, since));
        }
    }

    fn may_ask(&self, round: &Round) -> bool {
        if self.office.settings.batches { round.queue.batch().is_some() } else { round.queue.has_room() }
    }

    /// One poll; what it brings is in the queue afterwards.
    async fn ask(&self, round: &mut Round) {
        let times = &self.office.settings.times;
        let wait = match self.fetch(round).await {
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
        let begin = Instant::now();
        let (soft, hard) = (begin + times.grace.saturating_sub(times.hand_back), begin + times.grace);
        tracing::info!(task.count = round.running.len(), "stopping; {} tasks run", round.running.len());
        for task in round.queue.empty() {
            let office = Arc::clone(&self.office);
            round.running.spawn(async move {
                office.hand_back(&task).await;
                task.id
            });
        }
        let ended = async |running: &mut JoinSet<String>| while running.join_next().await.is_some() {};
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
    fn end(&mut self, ended: Result<String, tokio::task::JoinError>) {
        match ended {
            Ok(id) => self.queue.end(&id),
            // What a worker does panics elsewhere; this would be a fault of ours, whose id is lost with it.
            Err(error) => tracing::error!("a task ended out of turn: {error}"),
        }
    }
}
