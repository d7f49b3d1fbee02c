//! How a call ended that did not do what was asked: a gRPC status code, words, and details for programs.
//!
//! The one table from the engine's kinds of failure to gRPC's codes stands here. Codes are chosen for what the callers of
//! the ecosystem do with them: `Unavailable` is tried again, after the time that a detail names; `NotFound` skips the
//! resource; every other one ends the sync or the task.
//!
//! Invariant: no message holds a token, and one that is our own fault says no more than that.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use metsuke_engine::{EngineError, ErrorKind};
use metsuke_model::Moment;
use prost::Message as _;

use crate::any::pack;
use crate::proto::connector::{RateLimitDescription, rate_limit_description};
use crate::proto::rpc;
use crate::time::timestamp;

/// The reason under which the ecosystem knows a grant that was declined on purpose.
const DECLINED: &str = "grant_cancelled";
/// The domain of that reason.
const DOMAIN: &str = "github.com/conductorone/baton-sdk";

/// A gRPC status code.
///
/// Source: <https://grpc.io/docs/guides/status-codes/>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum Code {
    /// Somebody asked to stop.
    Cancelled = 1,
    /// A failure without a code of its own.
    Unknown = 2,
    /// The request makes no sense.
    InvalidArgument = 3,
    /// It took too long.
    DeadlineExceeded = 4,
    /// What was asked for is not there.
    NotFound = 5,
    /// It is there already.
    AlreadyExists = 6,
    /// The token may not do it.
    PermissionDenied = 7,
    /// A rule or the state of things forbids it.
    FailedPrecondition = 9,
    /// It was overtaken by another change.
    Aborted = 10,
    /// This connector does not do such things.
    Unimplemented = 12,
    /// The connector is at fault.
    Internal = 13,
    /// It may work later.
    Unavailable = 14,
    /// The token is not valid.
    Unauthenticated = 16,
}

impl Code {
    /// The number on the wire, which is the exit code of a one-shot run as well.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The code for a kind of failure.
    #[must_use]
    pub const fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Invalid | ErrorKind::Ambiguous => Self::InvalidArgument,
            ErrorKind::Unauthenticated => Self::Unauthenticated,
            ErrorKind::Forbidden => Self::PermissionDenied,
            ErrorKind::Refused | ErrorKind::Conflict => Self::FailedPrecondition,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::RateLimited | ErrorKind::Upstream | ErrorKind::InDoubt => Self::Unavailable,
            ErrorKind::Cancelled => Self::Cancelled,
            ErrorKind::Store | ErrorKind::Audit | ErrorKind::Seal => Self::Internal,
        }
    }
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    code: Code,
    status: rpc::Status,
}

impl Failure {
    /// A failure with this code, in these words.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let status = rpc::Status { code: code.number(), message: message.into(), details: Vec::new() };
        Self { code, status }
    }

    /// What the engine reports, at this moment.
    #[must_use]
    pub fn of(error: &EngineError, now: Moment) -> Self {
        let code = match error {
            EngineError::RefusedByHeroku { status: Some(409), .. } => Code::AlreadyExists,
            _ => Code::of(error.kind()),
        };
        if code == Code::Internal {
            tracing::error!(error = error as &dyn std::error::Error, "the connector failed");
            return Self::new(code, "the connector failed; its log says more");
        }
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        if matches!(error, EngineError::Refused { .. }) {
            // The hint names commands that whoever reads this may not have.
            return Self::declined(message, None);
        }
        let failure = Self::new(code, message);
        match error.retry_after() {
            Some(wait) if code == Code::Unavailable => failure.retry(now, wait),
            _ => failure,
        }
    }

    /// A change that was declined on purpose, with the reason for programs beside the words.
    #[must_use]
    pub fn declined(reason: impl Into<String>, hint: Option<String>) -> Self {
        let reason = reason.into();
        let message = hint.map_or_else(|| reason.clone(), |hint| format!("{reason} ({hint})"));
        let mut failure = Self::new(Code::FailedPrecondition, message);
        failure.status.details.push(pack(&rpc::ErrorInfo {
            reason: DECLINED.to_owned(),
            domain: DOMAIN.to_owned(),
            metadata: BTreeMap::from([("reason".to_owned(), reason)]),
        }));
        failure
    }

    /// Says when to try again: the account's pool is taken for empty until then.
    #[must_use]
    pub fn retry(mut self, now: Moment, after: Duration) -> Self {
        let micros = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
        self.status.details.push(pack(&RateLimitDescription {
            status: rate_limit_description::Status::Overlimit.into(),
            limit: 0,
            remaining: 0,
            reset_at: Some(timestamp(Moment(now.0.saturating_add(micros)))),
        }));
        self
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.status.message
    }

    /// Code, words and details as one message.
    #[must_use]
    pub const fn status(&self) -> &rpc::Status {
        &self.status
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.status.message)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for tonic::Status {
    fn from(failure: Failure) -> Self {
        let code = tonic::Code::from_i32(failure.code.number());
        let details = failure.status.encode_to_vec();
        if failure.status.details.is_empty() {
            return Self::new(code, failure.status.message);
        }
        Self::with_details(code, failure.status.message, details.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_has_its_code() {
        let table = [
            (ErrorKind::Invalid, Code::InvalidArgument),
            (ErrorKind::Ambiguous, Code::InvalidArgument),
            (ErrorKind::Unauthenticated, Code::Unauthenticated),
            (ErrorKind::Forbidden, Code::PermissionDenied),
            (ErrorKind::Refused, Code::FailedPrecondition),
            (ErrorKind::NotFound, Code::NotFound),
            (ErrorKind::RateLimited, Code::Unavailable),
            (ErrorKind::Upstream, Code::Unavailable),
            (ErrorKind::InDoubt, Code::Unavailable),
            (ErrorKind::Cancelled, Code::Cancelled),
            (ErrorKind::Store, Code::Internal),
            (ErrorKind::Audit, Code::Internal),
            (ErrorKind::Conflict, Code::FailedPrecondition),
            (ErrorKind::Seal, Code::Internal),
        ];
        for (kind, code) in table {
            assert_eq!(Code::of(kind), code, "{kind:?}");
            assert_eq!(i32::from(tonic::Code::from_i32(code.number())), code.number());
        }
    }

    fn refused(status: u16) -> Failure {
        let error = EngineError::RefusedByHeroku { status: Some(status), reason: "no".to_owned() };
        Failure::of(&error, Moment(0))
    }

    #[test]
    fn what_heroku_refuses_is_no_decline_of_ours() {
        let codes = [401, 403, 404, 409, 422, 429].map(|status| refused(status).code());
        let expected = [
            Code::Unauthenticated,
            Code::PermissionDenied,
            Code::NotFound,
            Code::AlreadyExists,
            Code::FailedPrecondition,
            Code::Unavailable,
        ];
        assert_eq!(codes, expected);
        assert!(refused(422).status().details.is_empty());
        let rule = EngineError::Refused { reason: "R2: no".to_owned(), hint: None };
        let declined = Failure::of(&rule, Moment(0));
        let info: rpc::ErrorInfo = crate::any::find(&declined.status().details).unwrap();
        assert_eq!((info.reason.as_str(), info.metadata["reason"].as_str()), ("grant_cancelled", "R2: no"));
    }

    #[test]
    fn an_empty_pool_says_when_to_come_again_on_the_wire() {
        let status = tonic::Status::from(refused(429));
        let sent = rpc::Status::decode(status.details()).unwrap();
        assert_eq!((sent.code, sent.message.as_str()), (14, status.message()));
        let limit: RateLimitDescription = crate::any::find(&sent.details).unwrap();
        assert_eq!(limit.remaining, 0);
        assert!(limit.reset_at.unwrap().seconds > 0);
    }
}
