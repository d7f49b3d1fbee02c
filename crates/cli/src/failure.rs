//! Errors as a person meets them: one line with its causes, a hint, and an exit code.
//!
//! Which kind of failure something is was decided where it happened; here is the one table from kinds to exit
//! codes.
//!
//! Invariant: what is printed is on one line, without control characters and without a backtrace.

use std::fmt;
use std::io;
use std::process::ExitCode;

use metsuke_baton::c1z::C1zError;
use metsuke_clients::ClientError;
use metsuke_clients::server::ServerError;
use metsuke_engine::{EngineError, ErrorKind};
use metsuke_simulator::SimulatorError;
use metsuke_store::StoreError;

use crate::output;
use crate::remote;
use crate::text::shown;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Done,
    /// It failed.
    Failure,
    /// It was called wrongly.
    Usage,
    /// It found something, and was asked to say so.
    Findings,
    /// It succeeded with named gaps.
    Partial,
    /// A rule refused it, or it waits for a number to be typed.
    RefusedByRule,
    /// Heroku refused it.
    RefusedByHeroku,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => 0,
            Exit::Failure => 1,
            Exit::Usage => 2,
            Exit::Findings => 3,
            Exit::Partial => 4,
            Exit::RefusedByRule => 5,
            Exit::RefusedByHeroku => 6,
        }
        .into()
    }
}

/// An error that the command line itself found.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    usage: bool,
}

impl Failure {
    /// Something did not work.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, usage: false }
    }

    /// The program was called wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { usage: true, ..Self::new(message) }
    }

    /// With what to do about it.
    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Tells an error on stderr and gives the exit code that it stands for.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    if is_closed_pipe(error) {
        return Exit::Done;
    }
    output::complain(&format!("error: {}", message(error)));
    if let Some(hint) = hint(error) {
        output::complain(&format!("hint: {}", shown(&hint)));
    }
    exit(error)
}

/// The message with its causes after colons; a cause that the message already tells is left out.
pub(crate) fn message(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    shown(&text).into_owned()
}

/// What to do about it, where somebody on the way knew.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            failure.hint.clone()
        } else if let Some(error) = cause.downcast_ref::<EngineError>() {
            error.hint()
        } else if let Some(error) = cause.downcast_ref::<StoreError>() {
            error.hint()
        } else if let Some(error) = cause.downcast_ref::<ClientError>() {
            error.hint()
        } else if let Some(error) = cause.downcast_ref::<C1zError>() {
            c1z_hint(error)
        } else if let Some(error) = cause.downcast_ref::<ServerError>() {
            remote::hint(error)
        } else if let Some(SimulatorError::Listen { .. }) = cause.downcast_ref() {
            Some("another program may listen there; port 0 takes any free one".into())
        } else {
            None
        }
    })
}

/// A file's hints, in the words of this program's flags.
fn c1z_hint(error: &C1zError) -> Option<String> {
    match error {
        C1zError::Missing { .. } => Some("`metsuke export c1z --out FILE` writes one".into()),
        C1zError::TooLarge { .. } => {
            Some("if you trust whoever made it, allow more with --max-decoded-size".into())
        }
        C1zError::NoSync { .. } => Some("`metsuke c1z inspect FILE` lists the syncs of a file".into()),
        error => error.hint(),
    }
}

fn exit(error: &anyhow::Error) -> Exit {
    if let Some(exit) = error.downcast_ref::<ServerError>().and_then(remote::exit) {
        return exit;
    }
    let second = |cause: &EngineError| {
        matches!(cause, EngineError::NotSecondPerson { .. } | EngineError::OtherHash { .. })
    };
    if error.chain().any(|cause| cause.downcast_ref().is_some_and(second)) {
        return Exit::RefusedByRule;
    }
    let usage = error.chain().any(|cause| {
        cause.downcast_ref::<Failure>().is_some_and(|failure| failure.usage)
            || cause.downcast_ref::<EngineError>().is_some_and(|error| is_usage(error.kind()))
            || matches!(cause.downcast_ref(), Some(ClientError::Config { .. }))
            || matches!(cause.downcast_ref(), Some(StoreError::Address { .. }))
            || matches!(
                cause.downcast_ref(),
                Some(SimulatorError::Size { .. } | SimulatorError::Fault { .. })
            )
    });
    if usage { Exit::Usage } else { Exit::Failure }
}

/// Which kinds of failure are the caller's mistake; every kind is spelled out, so that a new one breaks this.
const fn is_usage(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Invalid => true,
        ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::Refused
        | ErrorKind::NotFound
        | ErrorKind::Ambiguous
        | ErrorKind::RateLimited
        | ErrorKind::Upstream
        | ErrorKind::InDoubt
        | ErrorKind::Cancelled
        | ErrorKind::Store
        | ErrorKind::Audit
        | ErrorKind::Conflict
        | ErrorKind::Seal => false,
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let closed = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(closed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_after_colons_and_are_told_once() {
        let store = StoreError::Open { url: "sqlite:x.db".into(), source: "no such folder".into() };
        let error = anyhow::Error::from(EngineError::from(store));
        assert_eq!(message(&error), "database `sqlite:x.db` cannot be opened: no such folder");
        assert!(hint(&error).is_some());
    }

    #[test]
    fn control_characters_of_foreign_text_do_not_reach_the_terminal() {
        let error = anyhow::Error::from(Failure::new("there is no app `\u{1b}[2J\u{202e}x`"));
        assert_eq!(message(&error), "there is no app `\\u{1b}[2J\\u{202e}x`");
    }

    #[test]
    fn a_wrong_call_and_a_failure_have_their_own_exit_codes() {
        assert_eq!(exit(&Failure::usage("no token").into()), Exit::Usage);
        assert_eq!(exit(&StoreError::Address { url: "x".into() }.into()), Exit::Usage);
        assert_eq!(exit(&EngineError::NoVersion.into()), Exit::Failure);
    }

    #[test]
    fn a_closed_pipe_is_quiet() {
        let error = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(report(&error), Exit::Done);
    }
}
