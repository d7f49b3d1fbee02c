//! Work that would block everything else, done apart while somebody is told that it goes on.
//!
//! What the work is, is the commands' business.
//!
//! Invariant: what cannot be stopped is not waited for once a stop was asked for.

use std::time::Duration;

use metsuke_engine::EngineError;

use crate::context::Context;
use crate::progress::Working;

/// How often somebody is told.
const PACE: Duration = Duration::from_millis(200);

/// Does it to its end, however it ends.
///
/// # Errors
///
/// What the work said.
pub(crate) async fn whole<T, E>(
    context: &Context,
    doing: &str,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> anyhow::Result<T>
where
    T: Send + 'static,
    E: Into<anyhow::Error> + Send + 'static,
{
    let mut working = Working::new(context.config.quiet, doing);
    let mut task = tokio::task::spawn_blocking(work);
    let mut pace = tokio::time::interval(PACE);
    let ended = loop {
        tokio::select! {
            ended = &mut task => break ended,
            _ = pace.tick() => working.tick(),
        }
    };
    working.end();
    ended?.map_err(Into::into)
}

/// Waits for somebody else's work, while it is told that it goes on; leaves it alone as soon as a stop is asked for.
///
/// # Errors
///
/// What came of it, or that it was stopped.
pub(crate) async fn awaited<T>(
    context: &Context,
    doing: &str,
    wanted: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let telling = async {
        let mut working = Working::new(context.config.quiet, doing);
        let mut pace = tokio::time::interval(PACE);
        let mut wanted = std::pin::pin!(wanted);
        let ended = loop {
            tokio::select! {
                ended = &mut wanted => break ended,
                _ = pace.tick() => working.tick(),
            }
        };
        working.end();
        ended
    };
    until_stopped(context, telling).await
}

/// Does it, or leaves it alone as soon as a stop is asked for; then it must leave nothing behind.
///
/// # Errors
///
/// What the work said, or that it was stopped.
pub(crate) async fn stoppable<T, E>(
    context: &Context,
    doing: &str,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> anyhow::Result<T>
where
    T: Send + 'static,
    E: Into<anyhow::Error> + Send + 'static,
{
    until_stopped(context, whole(context, doing, work)).await
}

/// Waits for something until a stop is asked for.
///
/// # Errors
///
/// What it said, or that it was stopped.
pub(crate) async fn until_stopped<T>(
    context: &Context,
    waiting: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let done = context.cancel.run_until_cancelled(waiting).await;
    done.unwrap_or_else(|| Err(EngineError::Cancelled.into()))
}
