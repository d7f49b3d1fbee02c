//! Errors as a person and a program meet them: one message on stderr, and the gRPC code of the error as exit code.
//!
//! Which kind of failure something is was decided where it happened; here is the one table from kinds to codes.
//!
//! Source: connectors of the ecosystem end with the code of the error that ended them, and with 2 where it has none.
//!
//! Invariant: what is printed is on one line, without control characters, and told once.

use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use metsuke_baton::c1z::C1zError;
use metsuke_baton::service;
use metsuke_baton::tasks::ServiceError;
use metsuke_clients::ClientError;
use metsuke_engine::EngineError;
use metsuke_store::StoreError;

pub(crate) use metsuke_baton::service::Code;

/// An error that this program found, or one of another crate that was given its code.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    code: Code,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// With a code.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The program was called wrongly: exit code 2, as every program of the ecosystem ends then.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Unknown, message)
    }

    /// What was asked for is not built.
    pub(crate) fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(Code::Unimplemented, message)
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

/// Tells an error on stderr and gives the exit code that it stands for; a closed pipe is none.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    complain(&format!("error: {}", message(error)));
    if let Some(hint) = hint(error) {
        complain(&format!("hint: {}", shown(&hint)));
    }
    let number = u8::try_from(code(error).number());
    ExitCode::from(number.unwrap_or(2))
}

/// Writes a line to stderr. There is nobody to tell when that fails.
pub(crate) fn complain(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
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
    shown(&text)
}

/// Text with what could move the cursor or hide and reorder text spelled out.
pub(crate) fn shown(text: &str) -> String {
    let hostile = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
    };
    let mut clean = String::with_capacity(text.len());
    for letter in text.chars() {
        if hostile(letter) {
            clean.extend(letter.escape_unicode());
        } else {
            clean.push(letter);
        }
    }
    clean
}

fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            failure.hint.clone()
        } else if let Some(error) = cause.downcast_ref::<EngineError>() {
            engine_hint(error)
        } else if let Some(error) = cause.downcast_ref::<C1zError>() {
            error.hint()
        } else if let Some(error @ (StoreError::Open { .. } | StoreError::Full { .. })) = cause.downcast_ref()
        {
            error.hint()
        } else {
            cause.downcast_ref::<ClientError>()?.hint()
        }
    })
}

/// The engine's hints, where they name no command of another program.
fn engine_hint(error: &EngineError) -> Option<String> {
    match error {
        EngineError::WrongToken { .. } => {
            let how = "make one with `heroku authorizations:create --scope global` on a service account, and set BATON_API_TOKEN";
            Some(how.into())
        }
        EngineError::NothingRead { .. } => {
            Some("check the token's scope, and the teams of its account".into())
        }
        EngineError::Upstream { .. }
        | EngineError::Refused { .. }
        | EngineError::NotAtHeroku { .. }
        | EngineError::InDoubt { .. }
        | EngineError::BadCursor { .. } => error.hint(),
        _ => None,
    }
}

/// The code of the first cause that has one.
pub(crate) fn code(error: &anyhow::Error) -> Code {
    let known = error.chain().find_map(|cause| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            Some(failure.code)
        } else if let Some(failure) = cause.downcast_ref::<service::Failure>() {
            Some(failure.code())
        } else if let Some(EngineError::C1Settings { .. }) = cause.downcast_ref() {
            // A client id that is none is a wrong call, and those end with 2.
            Some(Code::Unknown)
        } else if let Some(error) = cause.downcast_ref::<EngineError>() {
            Some(Code::of(error.kind()))
        } else if let Some(error) = cause.downcast_ref::<ServiceError>() {
            of_service(error)
        } else if let Some(error) = cause.downcast_ref::<C1zError>() {
            of_file(error)
        } else if let Some(ClientError::Config { .. }) = cause.downcast_ref() {
            Some(Code::InvalidArgument)
        } else {
            None
        }
    });
    known.unwrap_or(Code::Unknown)
}

/// The code of what ended service mode; none where its cause may have one.
fn of_service(error: &ServiceError) -> Option<Code> {
    match error {
        ServiceError::Refused { code, .. } => coded(*code),
        ServiceError::Connection { .. } => Some(Code::Unavailable),
        _ => None,
    }
}

/// A code by its number.
fn coded(number: i32) -> Option<Code> {
    use Code::{
        Aborted, AlreadyExists, Cancelled, DeadlineExceeded, FailedPrecondition, Internal, InvalidArgument,
        NotFound, PermissionDenied, Unauthenticated, Unavailable, Unimplemented, Unknown,
    };
    let codes = [
        Cancelled,
        Unknown,
        InvalidArgument,
        DeadlineExceeded,
        NotFound,
        AlreadyExists,
        PermissionDenied,
        FailedPrecondition,
        Aborted,
        Unimplemented,
        Internal,
        Unavailable,
        Unauthenticated,
    ];
    codes.into_iter().find(|code| code.number() == number)
}

/// The code of what a file said; none where its cause may have one.
fn of_file(error: &C1zError) -> Option<Code> {
    match error {
        C1zError::Missing { .. } | C1zError::Newer { .. } | C1zError::TooLarge { .. } => {
            Some(Code::FailedPrecondition)
        }
        C1zError::NoSync { .. } | C1zError::NoRow { .. } => Some(Code::NotFound),
        C1zError::Unfit(_) => Some(Code::Internal),
        _ => None,
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
        assert_eq!(code(&error), Code::Internal);
    }

    #[test]
    fn control_characters_of_foreign_text_do_not_reach_the_terminal() {
        let error = anyhow::Error::from(Failure::usage("there is no `\u{1b}[2J\u{202e}x`"));
        assert_eq!(message(&error), "there is no `\\u{1b}[2J\\u{202e}x`");
    }

    #[test]
    fn the_code_is_that_of_the_cause_that_has_one() {
        let wrapped =
            anyhow::Error::from(Failure::new(Code::NotFound, "no such grant")).context("the revocation");
        assert_eq!(code(&wrapped), Code::NotFound);
        assert_eq!(code(&anyhow::Error::msg("anything")), Code::Unknown);
        assert_eq!(code(&EngineError::Cancelled.into()), Code::Cancelled);
    }

    #[test]
    fn a_closed_pipe_is_quiet() {
        let error = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(format!("{:?}", report(&error)), format!("{:?}", ExitCode::SUCCESS));
    }
}
