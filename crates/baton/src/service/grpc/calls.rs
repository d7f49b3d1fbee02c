//! Calls on their way from the server's threads to the one place that answers them.
//!
//! The server answers each call wherever its connection lives, and drops it when the connection ends. A change that has
//! begun should not end half-way because somebody hung up, so calls are handed over, and answered where [`Calls::work`] runs.
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
use tonic::{Response, Status};

use super::super::Connector;
use super::super::failure::{Code, Failure};

/// So many calls are answered at once; others wait.
const AT_ONCE: usize = 64;
/// How long changes that were begun may take after the server has ended.
const GRACE: Duration = Duration::from_secs(10);

type Work = Pin<Box<dyn Future<Output = ()>>>;
type Call = Box<dyn FnOnce(Arc<Connector>) -> Work + Send>;

/// Hands calls over.
#[derive(Clone, Debug)]
pub(super) struct Served(mpsc::Sender<Call>);

/// Answers calls.
pub(crate) struct Calls {
    connector: Arc<Connector>,
    calls: mpsc::Receiver<Call>,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Calls").finish_non_exhaustive()
    }
}

/// Both ends of the way.
pub(super) fn way(connector: &Arc<Connector>) -> (Served, Calls) {
    let (sender, calls) = mpsc::channel(AT_ONCE);
    (Served(sender), Calls { connector: Arc::clone(connector), calls })
}

impl Served {
    /// Answers a call; it is dropped when nobody waits for the answer any more.
    pub(super) async fn answer<R, F>(
        &self,
        call: impl FnOnce(Arc<Connector>) -> F + Send + 'static,
    ) -> Result<Response<R>, Status>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, Failure>> + 'static,
    {
        self.hand_over(|mut reply: oneshot::Sender<_>| {
            Box::new(|connector| {
                Box::pin(async move {
                    let answer = tokio::select! {
                        answer = caught(call(connector)) => answer,
                        () = reply.closed() => return,
                    };
                    tell(reply, answer);
                })
            })
        })
        .await
    }

    /// Answers a call that changes something, to its end.
    pub(super) async fn finish<R, F>(
        &self,
        call: impl FnOnce(Arc<Connector>) -> F + Send + 'static,
    ) -> Result<Response<R>, Status>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, Failure>> + 'static,
    {
        self.hand_over(|reply| {
            Box::new(|connector| Box::pin(async move { tell(reply, caught(call(connector)).await) }))
        })
        .await
    }

    async fn hand_over<R>(
        &self,
        call: impl FnOnce(oneshot::Sender<Result<R, Failure>>) -> Call,
    ) -> Result<Response<R>, Status> {
        let (reply, answer) = oneshot::channel();
        let stopping = || Status::from(Failure::new(Code::Unavailable, "the connector is stopping"));
        self.0.send(call(reply)).await.map_err(|_| stopping())?;
        let answer = answer.await.map_err(|_| stopping())?;
        Ok(Response::new(answer?))
    }
}

impl Calls {
    /// Answers calls until `ended` is set, and then those that must not be dropped.
    pub(crate) async fn work(mut self, ended: &CancellationToken) {
        let mut running: FuturesUnordered<Work> = FuturesUnordered::new();
        loop {
            let has_room = running.len() < AT_ONCE;
            tokio::select! {
                Some(()) = running.next(), if !running.is_empty() => {}
                Some(call) = self.calls.recv(), if has_room => running.push(call(Arc::clone(&self.connector))),
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
