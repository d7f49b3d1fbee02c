//! Work that would keep others waiting, on a thread of its own.

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::EngineError;

/// Runs something that nobody needs who does not wait for it: it ends when its caller goes.
pub(super) async fn apart<T, F>(work: F) -> Result<T, EngineError>
where
    T: Send + 'static,
    F: AsyncFnOnce() -> Result<T, EngineError> + Send + 'static,
{
    let unwanted = CancellationToken::new();
    let _waiting = unwanted.clone().drop_guard();
    to_its_end(async move || {
        tokio::select! {
            done = work() => done,
            () = unwanted.cancelled() => Err(EngineError::Cancelled),
        }
    })
    .await
}

/// Runs something that must not stop half-way, whether its caller waits or not.
pub(super) async fn to_its_end<T, F>(work: F) -> Result<T, EngineError>
where
    T: Send + 'static,
    F: AsyncFnOnce() -> Result<T, EngineError> + Send + 'static,
{
    let runtime = Handle::current();
    let worker = tokio::task::spawn_blocking(move || runtime.block_on(work()));
    worker.await.unwrap_or(Err(EngineError::Cancelled))
}
