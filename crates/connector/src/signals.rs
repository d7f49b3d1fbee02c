//! Ctrl-C and SIGTERM: whatever runs is asked to stop, and then given a little time.
//!
//! What stopping means is said by what runs.
//!
//! Invariant: a second signal, or the end of the patience, ends the program whatever runs, and what it keeps in
//! temporary places goes with it.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::failure::{Code, Failure};

/// How long something may take to stop; supervisors often kill after thirty seconds.
const PATIENCE: Duration = Duration::from_secs(18);

/// Runs something, and cancels it at the first signal.
///
/// # Errors
///
/// What it met, or that it was stopped at once.
pub(crate) async fn heeding<T>(
    cancel: &CancellationToken,
    run: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let mut run = std::pin::pin!(run);
    let mut signals = Signals::listen()?;
    tokio::select! {
        ended = &mut run => return ended,
        () = signals.next() => cancel.cancel(),
    }
    tokio::select! {
        ended = &mut run => ended,
        () = signals.next() => Err(stopped()),
        () = tokio::time::sleep(PATIENCE) => Err(stopped()),
    }
}

fn stopped() -> anyhow::Error {
    Failure::new(Code::Cancelled, "stopped at once").into()
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
