//! Calls on their way from other threads to the one place that answers them.
//!
//! A server answers each call wherever its connection lives, and drops it when the connection ends. A change that has begun
//! should not end half-way because somebody hung up, and reading and writing an estate need not be done on several threads;
//! so a [`Caller`] hands calls over, and they are answered where [`Calls::work`] runs.
//!
//! Invariant: a change that was begun is carried to its end, unless the process itself has to end.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::dispatcher;
use tracing::instrument::WithSubscriber as _;

use super::Connector;
use super::failure::{Code, Failure};

/// So many calls are answered at once; others wait.
const AT_ONCE: usize = 64;
/// How long changes that were begun may take after the server has ended.
const GRACE: Duration = Duration::from_secs(10);

type Work = Pin<Box<dyn Future<Output = ()>>>;
type Call = Box<dyn FnOnce(Arc<Connector>) -> Work + Send>;

/// Hands calls over, from any thread.
#[derive(Clone, Debug)]
pub struct Caller(mpsc::Sender<Call>);

/// Answers calls, on one thread.
pub struct Calls {
    connector: Arc<Connector>,
    calls: mpsc::Receiver<Call>,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Calls").finish_non_exhaustive()
    }
}

/// Both ends of the way to a connector.
#[must_use]
pub fn calls(connector: &Arc<Connector>) -> (Caller, Calls) {
    let (sender, calls) = mpsc::channel(AT_ONCE);
    (Caller(sender), Calls { connector: Arc::clone(connector), calls })
}

impl Caller {
    /// Has a call answered; it is dropped when nobody waits for the answer any more.
    ///
    /// # Errors
    ///
    /// The call's own, and [`Code::Unavailable`] where nobody answers calls any more.
    pub async fn answer<R, F>(
        &self,
        call: impl FnOnce(Arc<Connector>) -> F + Send + 'static,
    ) -> Result<R, Failure>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, Failure>> + 'static,
    {
        // What logs the caller's doings is to log those of the call as well.
        let log = dispatcher::get_default(Clone::clone);
        self.hand_over(|mut reply: oneshot::Sender<_>| {
            Box::new(|connector| {
                Box::pin(async move {
                    let answer = tokio::select! {
                        answer = caught(call(connector)).with_subscriber(log) => answer,
                        () = reply.closed() => return,
                    };
                    tell(reply, answer);
                })
            })
        })
        .await
    }

    /// Has a call answered that changes something: once begun it is carried to its end, whoever still waits.
    ///
    /// # Errors
    ///
    /// As [`answer`](Self::answer).
    pub async fn finish<R, F>(
        &self,
        call: impl FnOnce(Arc<Connector>) -> F + Send + 'static,
    ) -> Result<R, Failure>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, Failure>> + 'static,
    {
        let log = dispatcher::get_default(Clone::clone);
        self.hand_over(|reply| {
            Box::new(|connector| {
                Box::pin(async move { tell(reply, caught(call(connector)).with_subscriber(log).await) })
            })
        })
        .await
    }

    async fn hand_over<R>(
        &self,
        call: impl FnOnce(oneshot::Sender<Result<R, Failure>>) -> Call,
    ) -> Result<R, Failure> {
        let (reply, answer) = oneshot::channel();
        let stopping = || Failure::new(Code::Unavailable, "the connector is stopping");
        self.0.send(call(reply)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }
}

impl Calls {
    /// Answers calls until `ended` is set or no [`Caller`] is left, and then finishes what was begun.
    pub async fn work(mut self, ended: &CancellationToken) {
        let mut running: FuturesUnordered<Work> = FuturesUnordered::new();
        loop {
            let has_room = running.len() < AT_ONCE;
            tokio::select! {
                Some(()) = running.next(), if !running.is_empty() => {}
                call = self.calls.recv(), if has_room => match call {
                    Some(call) => running.push(call(Arc::clone(&self.connector))),
                    None => break,
                },
                () = ended.cancelled() => break,
            }
        }
        let drained = async { while running.next().await.is_some() {} };
        if tokio::time::timeout(GRACE, drained).await.is_err() {
            tracing::warn!(
                "calls were left unanswered at the end; what they began is settled at the next start"
            );
        }
    }
}

/// What a call comes to; a panic is a failure like any other.
async fn caught<R>(call: impl Future<Output = Result<R, Failure>>) -> Result<R, Failure> {
    let panicked = |_| Err(Failure::new(Code::Internal, "the connector failed; its log says more"));
    AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(panicked)
}

/// Gives the answer to whoever waits; nobody may.
fn tell<R>(reply: oneshot::Sender<Result<R, Failure>>, answer: Result<R, Failure>) {
    if reply.send(answer).is_err() {
        tracing::debug!("nobody waits for the answer any more");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_internal_error() {
        let failure = caught::<()>(async { panic!("s3cret") }).await.unwrap_err();
        assert_eq!(failure.code(), Code::Internal);
        assert!(!failure.message().contains("s3cret"));
    }
}
