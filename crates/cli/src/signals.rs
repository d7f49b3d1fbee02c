//! Ctrl-C and SIGTERM: a command that can stop cleanly is asked to, and then given a little time.
//!
//! Commands that only read leave the signals to the system, which ends them at once.
//!
//! Invariant: a second signal, or the end of the patience, ends the program whatever the command does.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::commands::Command;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// How long a command may take to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a command, heeding signals where it can stop cleanly.
///
/// # Errors
///
/// What the command met.
pub(crate) async fn heeding(context: &Context, command: Command) -> anyhow::Result<Exit> {
    let stops_cleanly = command.stops_cleanly();
    let mut run = Box::pin(command.run(context));
    if !stops_cleanly {
        return run.await;
    }
    let mut signals = Signals::listen()?;
    tokio::select! {
        ended = &mut run => return ended,
        () = signals.next() => context.cancel.cancel(),
    }
    tokio::select! {
        ended = &mut run => ended,
        () = signals.next() => Err(stopped()),
        () = tokio::time::sleep(PATIENCE) => Err(stopped()),
    }
}

fn stopped() -> anyhow::Error {
    Failure::new("stopped at once; the last version is untouched").into()
}

struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
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
