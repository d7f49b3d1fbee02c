//! What is known after a write was sent.
//!
//! It judges by the status and by how far the request came; whether the wished state is there, only a read
//! can tell.
//!
//! Invariant: `Confirmed` is a 2xx, `Refused` and `NotSent` are certainly not applied by this call, and all
//! else is `Unknown`.

use serde::de::DeserializeOwned;

use super::{WriteCall, WriteTarget};
use crate::error::{Answer, Call, ClientError};
use crate::heroku::wire::{Collaborator, Invitation, TeamMember};
use crate::http::text::Cleaner;
use crate::http::{Delivery, Reply};

/// What is known after a write was to be sent.
///
/// `call.attempts` counts how often it was sent: more than once only when all but the last were a 429.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteAnswer {
    /// Heroku answered with a 2xx.
    Confirmed {
        /// The request.
        call: Box<Call>,
        /// The HTTP status.
        status: u16,
        /// Heroku's `Request-Id`, whole.
        request_id: Option<String>,
        /// The row that came back; none when it could not be read.
        row: Option<Box<WrittenRow>>,
    },
    /// Heroku answered with a 4xx that says no: this call has changed nothing.
    Refused {
        /// The request.
        call: Box<Call>,
        /// The refusal.
        answer: Box<Answer>,
    },
    /// The write may or may not have been applied, or may still be.
    Unknown {
        /// The request.
        call: Box<Call>,
        /// The answer, where there was one: a 408, a 3xx, a 5xx.
        answer: Option<Box<Answer>>,
        /// What happened, on one line.
        reason: String,
    },
    /// Nothing left this machine that Heroku could apply: no connection, or it was held back.
    NotSent {
        /// The request; its attempts were all answered with a 429.
        call: Box<Call>,
        /// What happened, on one line.
        reason: String,
    },
}

/// The row that answers a write: how the thing stands after it, or stood before its removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenRow {
    /// Of a write to the members of a team.
    Member(TeamMember),
    /// Of a write to the invitations of a team.
    Invitation(Invitation),
    /// Of a write to the collaborators of an app.
    Collaborator(Collaborator),
}

impl WriteAnswer {
    /// The request.
    #[must_use]
    pub fn call(&self) -> &Call {
        match self {
            Self::Confirmed { call, .. }
            | Self::Refused { call, .. }
            | Self::Unknown { call, .. }
            | Self::NotSent { call, .. } => call,
        }
    }

    /// The answer that was not a 2xx.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Refused { answer, .. } => Some(answer),
            Self::Unknown { answer, .. } => answer.as_deref(),
            Self::Confirmed { .. } | Self::NotSent { .. } => None,
        }
    }

    /// The HTTP status of the last answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Confirmed { status, .. } => Some(*status),
            _ => self.answer().map(|answer| answer.status),
        }
    }

    /// Heroku's `Request-Id` of the last answer.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Confirmed { request_id, .. } => request_id.as_deref(),
            _ => self.answer().and_then(|answer| answer.request_id.as_deref()),
        }
    }

    /// What the user can do about a refusal, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { answer, .. } => answer.hint(),
            _ => None,
        }
    }
}

impl std::fmt::Display for WriteAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Confirmed { call, status, request_id, .. } => {
                write!(f, "{call} was confirmed with {status}")?;
                request_id.iter().try_for_each(|id| write!(f, " (request id `{id}`)"))
            }
            Self::Refused { call, answer } => write!(f, "{call} was refused with {answer}"),
            Self::Unknown { call, reason, .. } => {
                write!(f, "{call} may or may not have been applied: {reason}")
            }
            Self::NotSent { call, reason } => write!(f, "{call} was not sent: {reason}"),
        }
    }
}

/// What one sending of a write came to.
pub(in crate::heroku) enum Verdict {
    Final(WriteAnswer),
    /// A 429, after which it may be sent again.
    Limited(Box<Call>, Box<Answer>),
}

impl WriteCall {
    pub(in crate::heroku) fn judge(&self, call: Call, delivery: Delivery, cleaner: &Cleaner) -> Verdict {
        let call = Box::new(call);
        let (reply, broken) = match delivery {
            Delivery::Unsent(error) => {
                return Verdict::Final(WriteAnswer::NotSent { call, reason: reason(error) });
            }
            Delivery::Unanswered(error) => {
                let reason = reason(error);
                return Verdict::Final(WriteAnswer::Unknown { call, answer: None, reason });
            }
            Delivery::Answered(reply, broken) => (reply, broken),
        };
        let status = reply.status;
        if (200..300).contains(&status) {
            // The status says that it is done; a body that did not come whole takes nothing from that.
            let row = if broken.is_none() { self.row(&reply).map(Box::new) } else { None };
            let request_id = reply.request_id;
            return Verdict::Final(WriteAnswer::Confirmed { call, status, request_id, row });
        }
        let answer = Box::new(reply.refusal(cleaner));
        match status {
            429 => Verdict::Limited(call, answer),
            // With these a server or a proxy says that a side hung up while the request was under way.
            408 | 499 => Verdict::Final(WriteAnswer::unknown(call, answer)),
            400..=498 => Verdict::Final(WriteAnswer::Refused { call, answer }),
            _ => Verdict::Final(WriteAnswer::unknown(call, answer)),
        }
    }

    fn row(&self, reply: &Reply) -> Option<WrittenRow> {
        fn read<T: DeserializeOwned>(reply: &Reply) -> Option<T> {
            serde_json::from_slice(&reply.body).ok()
        }
        match self.target() {
            WriteTarget::TeamMember => read(reply).map(WrittenRow::Member),
            WriteTarget::TeamInvitation => read(reply).map(WrittenRow::Invitation),
            WriteTarget::Collaborator => read(reply).map(WrittenRow::Collaborator),
        }
    }
}

impl WriteAnswer {
    fn unknown(call: Box<Call>, answer: Box<Answer>) -> Self {
        let reason = format!("it was answered {answer}");
        Self::Unknown { call, answer: Some(answer), reason }
    }
}

/// What happened, without the request, which the answer names already.
fn reason(error: ClientError) -> String {
    match error {
        ClientError::Config { reason }
        | ClientError::Write { reason }
        | ClientError::Connection { reason, .. }
        | ClientError::Timeout { reason, .. } => reason,
        other => other.to_string(),
    }
}
