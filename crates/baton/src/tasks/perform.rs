//! One task from its arrival to its end.
//!
//! Which tasks arrive, and how many at a time, is decided in [`service`](super::service).
//!
//! Invariant: a task is told of exactly once, unless it was given up; one that panics is a failed one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use metsuke_model::clock::Clock;
use prost::{Message, Name};
use prost_types::Any;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tracing::instrument::WithSubscriber as _;

use super::diary::Diary;
use super::finish::{self, Ending, Untold};
use super::heartbeat::{self, Lost};
use super::line::Line;
use super::settings::Settings;
use super::worker::{Failed, Worker};
use super::{hello, upload};
use crate::any;
use crate::proto::connector::{
    GrantManagerServiceGrantRequest, GrantManagerServiceRevokeRequest, ListEventFeedsRequest,
    ListEventsRequest,
};
use crate::proto::tasks::Task;
use crate::proto::tasks::task::{GrantTask, ListEventFeedsTask, ListEventsTask, RevokeTask, TaskType};

/// How long a task may wait here before it is asked whether it is still ours.
const STALE: Duration = Duration::from_secs(1);

/// What all tasks share.
pub(super) struct Office<W> {
    pub(super) line: Line,
    pub(super) worker: Arc<W>,
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) untold: Untold,
    /// One sync at a time.
    pub(super) syncing: Semaphore,
    /// Fires when what runs is to be stopped.
    pub(super) halt: CancellationToken,
    /// Every task is logged.
    pub(super) debugging: AtomicBool,
}

impl<W: Worker> Office<W> {
    /// Does a task that arrived `since`, and tells of it.
    pub(super) async fn perform(self: Arc<Self>, task: Task, since: Instant) {
        let id = task.id.clone();
        if let Some(finish) = self.untold.take(&id) {
            tracing::info!(task.id = id, "task {id} was done before, and C1 is told again");
            return self.untold.tell(&self.line, finish).await;
        }
        if since.elapsed() >= STALE && self.is_lost(&id).await {
            tracing::info!(task.id = id, "task {id} is not this replica's any more");
            return;
        }
        let diary = (task.debug || self.debugging.load(Ordering::SeqCst)).then(|| self.diary()).flatten();
        match diary {
            Some(diary) => self.log_and_tell(task, &diary).await,
            None => self.do_and_tell(task, None).await,
        }
    }

    /// Hands a task back that was not begun.
    pub(super) async fn hand_back(&self, task: &Task) {
        let finish = finish::words(&self.line, &task.id, Ending::Failed(stopping()));
        self.untold.tell(&self.line, finish).await;
    }

    async fn is_lost(&self, id: &str) -> bool {
        // Where C1 does not answer, it cannot be known, and the work is not to wait for it.
        self.line.heartbeat(id).await.is_ok_and(|answer| answer.cancelled)
    }

    fn diary(&self) -> Option<Diary> {
        let redactor = self.line.redactor().clone();
        let diary = Diary::begin(self.settings.temp_dir.as_deref(), Arc::clone(&self.clock), redactor);
        diary.inspect_err(|error| tracing::warn!("the task cannot be logged: {error}")).ok()
    }

    async fn log_and_tell(&self, task: Task, diary: &Diary) {
        let subscriber = diary.subscriber();
        self.do_and_tell(task, Some(diary)).with_subscriber(subscriber).await;
    }

    async fn do_and_tell(&self, task: Task, diary: Option<&Diary>) {
        let id = task.id;
        let Some(kind) = task.task_type else {
            return self.tell(&id, unsupported(), diary).await;
        };
        let name = name(&kind);
        tracing::info!(task.id = id, task.kind = name, "task {id} begins: {name}");
        if let TaskType::Hello(_) = kind {
            // C1 hears the greeting itself, and nothing else of such a task.
            let greeted = hello::once(&self.line, &*self.worker, &self.settings.build, &id).await;
            if let Err(Failed { status, .. }) = greeted {
                let message = self.line.redactor().clean(&status.message);
                tracing::warn!(task.id = id, grpc.code = status.code, "C1 could not be greeted: {message}");
            }
            return;
        }
        match self.work(&id, kind).await {
            Ok(ending) => self.tell(&id, ending, diary).await,
            Err(Lost::Cancelled) => tracing::info!(task.id = id, "task {id} was cancelled by C1"),
            Err(Lost::Silent) => tracing::warn!(task.id = id, "task {id} was given up: C1 is silent"),
        }
    }

    async fn tell(&self, id: &str, ending: Ending, diary: Option<&Diary>) {
        match &ending {
            Ending::Done { .. } => tracing::info!(task.id = id, "task {id} is done"),
            Ending::Failed(Failed { status, .. }) => {
                let message = self.line.redactor().clean(&status.message);
                tracing::warn!(task.id = id, grpc.code = status.code, "task {id} failed: {message}");
            }
        }
        if let Some(diary) = diary {
            self.hand_in(id, diary).await;
        }
        self.untold.tell(&self.line, finish::words(&self.line, id, ending)).await;
    }

    /// Uploads the log; a task does not fail by it.
    async fn hand_in(&self, id: &str, diary: &Diary) {
        let told = match diary.path() {
            Ok(path) => {
                let sent = self.halt.run_until_cancelled(upload::file(&self.line, id, &path)).await;
                sent.and_then(Result::err).map(|status| status.message().to_owned())
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = told {
            tracing::warn!(task.id = id, "the log of task {id} was not uploaded: {reason}");
        }
    }

    async fn work(&self, id: &str, kind: TaskType) -> Result<Ending, Lost> {
        let worker = Arc::clone(&self.worker);
        match kind {
            TaskType::SyncFull(wanted) => self.sync(id, wanted).await,
            TaskType::Grant(task) => {
                if task.entitlement.is_none() || task.principal.is_none() {
                    return Ok(malformed("a grant task names an entitlement and a principal"));
                }
                let GrantTask { entitlement, principal, annotations, .. } = task;
                let request = GrantManagerServiceGrantRequest { entitlement, principal, annotations };
                let call = |cancel| async move { worker.grant(request, cancel).await };
                self.answered(id, call, |answer| answer.annotations.clone()).await
            }
            TaskType::Revoke(RevokeTask { grant: None, .. }) => Ok(malformed("a revoke task names a grant")),
            TaskType::Revoke(RevokeTask { grant, annotations }) => {
                let request = GrantManagerServiceRevokeRequest { grant, annotations };
                let call = |cancel| async move { worker.revoke(request, cancel).await };
                self.answered(id, call, |answer| answer.annotations.clone()).await
            }
            TaskType::ListEventFeeds(ListEventFeedsTask { annotations }) => {
                let request = ListEventFeedsRequest { annotations };
                let call = |cancel| async move { worker.list_event_feeds(request, cancel).await };
                self.answered(id, call, |answer| answer.annotations.clone()).await
            }
            TaskType::ListEvents(task) => {
                let ListEventsTask { annotations, cursor, start_at, event_feed_id, page_size } = task;
                let request = ListEventsRequest { cursor, start_at, page_size, annotations, event_feed_id };
                let call = |cancel| async move { worker.list_events(request, cancel).await };
                self.answered(id, call, |answer| answer.annotations.clone()).await
            }
            _ => Ok(unsupported()),
        }
    }

    /// The ending of a task that is one call of the worker.
    async fn answered<A, F>(
        &self,
        id: &str,
        call: impl FnOnce(CancellationToken) -> F,
        annotations: impl FnOnce(&A) -> Vec<Any>,
    ) -> Result<Ending, Lost>
    where
        A: Message + Name + 'static,
        F: Future<Output = Result<A, Failed>> + Send + 'static,
    {
        let cancel = self.halt.child_token();
        let work = self.apart(call(cancel.clone()));
        let answer = self.until_lost(work, &cancel, heartbeat::now_and_then(&self.line, id)).await?;
        Ok(match answer {
            Ok(answer) => {
                Ending::Done { annotations: annotations(&answer), response: Some(any::pack(&answer)) }
            }
            Err(failed) if failed == stopping() => Ending::Failed(failed),
            Err(failed) => Ending::for_good(failed),
        })
    }

    /// Does work to its end, or until the task is lost; then the worker is asked to stop, and gets the time for that.
    pub(super) async fn until_lost<T>(
        &self,
        work: impl Future<Output = T>,
        cancel: &CancellationToken,
        lost: impl Future<Output = Lost>,
    ) -> Result<T, Lost> {
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => Ok(done),
            lost = lost => {
                cancel.cancel();
                // What it brings is not wanted any more.
                drop(tokio::time::timeout(self.settings.times.hand_back, work).await);
                Err(lost)
            }
        }
    }

    /// Does work where it may panic, and for as long as it may after it was asked to stop.
    pub(super) async fn apart<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failed>> + Send + 'static,
    ) -> Result<T, Failed> {
        let mut set = JoinSet::new();
        set.spawn(work.with_current_subscriber());
        let halted = async {
            self.halt.cancelled().await;
            tokio::time::sleep(self.settings.times.hand_back / 2).await;
        };
        let ended = tokio::select! {
            ended = set.join_next() => ended,
            () = halted => return Err(stopping()),
        };
        match ended {
            Some(Ok(Err(failed)))
                if self.halt.is_cancelled() && failed.status.code == i32::from(Code::Cancelled) =>
            {
                Err(stopping())
            }
            Some(Ok(answer)) => answer,
            Some(Err(_)) | None => Err(Failed::new(Code::Internal.into(), "the task ended in a panic")),
        }
    }
}

/// What is said of a task that this replica does not end.
pub(super) fn stopping() -> Failed {
    Failed::new(Code::Unavailable.into(), "the connector stops; the task can be given to another one")
}

fn malformed(reason: &str) -> Ending {
    Ending::for_good(Failed::new(Code::InvalidArgument.into(), format!("malformed task: {reason}")))
}

fn unsupported() -> Ending {
    Ending::for_good(Failed::new(Code::Unimplemented.into(), "unsupported task type"))
}

/// What a kind of task is called, in the log.
fn name(kind: &TaskType) -> &'static str {
    match kind {
        TaskType::None(_) => "nothing",
        TaskType::Hello(_) => "hello",
        TaskType::SyncFull(_) => "sync",
        TaskType::Grant(_) => "grant",
        TaskType::Revoke(_) => "revoke",
        TaskType::ListEventFeeds(_) => "list event feeds",
        TaskType::ListEvents(_) => "list events",
        _ => "an unsupported kind",
    }
}
