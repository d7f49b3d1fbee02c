//! What can go wrong with a request: the one error type of this crate.
//!
//! It holds facts; whether to try again is decided in `http::retry`, what to tell a user beyond the
//! message and the [hint](ClientError::hint) is the caller's.
//!
//! Invariant: all text of foreign origin in here went through `http::text`, so it is one clean line
//! without the token.

use std::time::Duration;

/// Which request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The HTTP method.
    pub method: &'static str,
    /// The path below the base URL, percent-encoded.
    pub path: String,
    /// How often it was sent before giving up.
    pub attempts: u32,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        if self.attempts > 1 {
            write!(f, " ({} attempts)", self.attempts)?;
        }
        Ok(())
    }
}

/// An answer that is a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Heroku's error id, such as `forbidden` or `suspended`.
    pub id: Option<String>,
    /// Heroku's message, or the start of a body that is not Heroku's.
    pub message: Option<String>,
    /// Heroku's `Request-Id`, whole, for its support.
    pub request_id: Option<String>,
    /// The scopes this endpoint accepts, from `Oauth-Scope-Accepted`.
    pub accepted_scopes: Vec<String>,
    /// The scopes of the token, from `Oauth-Scope`.
    pub token_scopes: Vec<String>,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(id) = &self.id {
            write!(f, " `{id}`")?;
        }
        if let Some(message) = &self.message {
            write!(f, ": `{message}`")?;
        }
        if let Some(request_id) = &self.request_id {
            write!(f, " (request id `{request_id}`)")?;
        }
        Ok(())
    }
}

/// A request that did not bring what was asked for.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The settings cannot work; nothing was sent.
    #[error("{reason}")]
    Config {
        /// What is wrong with which setting.
        reason: String,
    },
    /// Not a write that may be sent; nothing was.
    #[error("{reason}")]
    Write {
        /// What is wrong with it.
        reason: String,
    },
    /// Heroku answered with a status other than 2xx.
    #[error("{call} was answered {answer}")]
    Answered {
        /// The request.
        call: Box<Call>,
        /// The refusal.
        answer: Box<Answer>,
    },
    /// The connection could not be made, broke, or ended before the body did.
    #[error("{call} got no whole answer: {reason}")]
    Connection {
        /// The request.
        call: Box<Call>,
        /// What the connection did.
        reason: String,
    },
    /// No answer, or no next part of it, came in time.
    #[error("{call} timed out: {reason}")]
    Timeout {
        /// The request.
        call: Box<Call>,
        /// Which of the time limits was passed.
        reason: String,
    },
    /// A 2xx answer that is not JSON or not of the expected shape.
    #[error("{call} was answered with something other than {expected}: {reason}")]
    Shape {
        /// The request.
        call: Box<Call>,
        /// What was expected, in words.
        expected: &'static str,
        /// What came instead, and Heroku's request id.
        reason: String,
    },
    /// A page or its cursor came before in the same list.
    #[error("{call} repeated itself on page {page}: {reason}")]
    Repeated {
        /// The request.
        call: Box<Call>,
        /// The page, from 1.
        page: u32,
        /// What was repeated.
        reason: &'static str,
    },
    /// The body is larger than allowed.
    #[error("{call} was answered with more than {limit_bytes} bytes")]
    TooLarge {
        /// The request.
        call: Box<Call>,
        /// The most that is read of one body.
        limit_bytes: usize,
    },
    /// The list has more pages than allowed.
    #[error("{call} did not end within {pages} pages")]
    Limit {
        /// The request.
        call: Box<Call>,
        /// The most pages that are read of one list.
        pages: u32,
    },
}

/// What kind of failure a [`ClientError`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// 401: the token is wrong.
    Unauthorized,
    /// 403: the token's scope or its user's role is not enough.
    Forbidden {
        /// The scopes this endpoint accepts; empty when Heroku did not say.
        accepted_scopes: Vec<String>,
    },
    /// 404: not there, or not for this user to see.
    NotFound,
    /// 429: the account's pool of requests is empty.
    RateLimited,
    /// Any other status below 500.
    Refused,
    /// 5xx.
    Server,
    /// No connection, or a broken one.
    Connection,
    /// Too slow.
    Timeout,
    /// Not what the API describes.
    Shape,
    /// A list that does not advance.
    Repeated,
    /// A body over the limit.
    TooLarge,
    /// A list with too many pages.
    Limit,
    /// Wrong settings.
    Config,
    /// Not a write that may be sent.
    Write,
}

impl ClientError {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config { .. } => ErrorKind::Config,
            Self::Write { .. } => ErrorKind::Write,
            Self::Answered { answer, .. } => match answer.status {
                401 => ErrorKind::Unauthorized,
                403 => ErrorKind::Forbidden { accepted_scopes: answer.accepted_scopes.clone() },
                404 => ErrorKind::NotFound,
                429 => ErrorKind::RateLimited,
                500.. => ErrorKind::Server,
                _ => ErrorKind::Refused,
            },
            Self::Connection { .. } => ErrorKind::Connection,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Shape { .. } => ErrorKind::Shape,
            Self::Repeated { .. } => ErrorKind::Repeated,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Limit { .. } => ErrorKind::Limit,
        }
    }

    /// The same without what came instead of the expected, which may hold secrets.
    pub(crate) fn without_content(self) -> Self {
        match self {
            Self::Shape { call, expected, .. } => {
                let reason = "what came is not shown, for it may hold secrets".to_owned();
                Self::Shape { call, expected, reason }
            }
            other => other,
        }
    }

    /// The HTTP status, where the answer itself was the failure.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.answer().map(|answer| answer.status)
    }

    /// The refusal, where there was one.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// The request that failed; none where nothing was sent.
    #[must_use]
    pub fn call(&self) -> Option<&Call> {
        match self {
            Self::Config { .. } | Self::Write { .. } => None,
            Self::Answered { call, .. }
            | Self::Connection { call, .. }
            | Self::Timeout { call, .. }
            | Self::Shape { call, .. }
            | Self::Repeated { call, .. }
            | Self::TooLarge { call, .. }
            | Self::Limit { call, .. } => Some(call),
        }
    }

    /// What the user can do about it, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Answered { answer, .. } => return answer.hint(),
            Self::Connection { .. } => {
                "check the network, the proxy settings and the address of the Heroku API"
            }
            Self::Timeout { .. } => "try again later; what was read so far is kept",
            Self::Shape { .. } => {
                "check that the address is that of a Heroku Platform API, and not of a proxy"
            }
            Self::Repeated { .. } | Self::TooLarge { .. } | Self::Limit { .. } => {
                "the server breaks the rules of the API; if it is Heroku's, report the request to its support"
            }
            Self::Config { .. } | Self::Write { .. } => return None,
        };
        Some(text.to_owned())
    }

    /// Notes how often the request was sent.
    pub(crate) fn after(mut self, sent: u32) -> Self {
        match &mut self {
            Self::Config { .. } | Self::Write { .. } => {}
            Self::Answered { call, .. }
            | Self::Connection { call, .. }
            | Self::Timeout { call, .. }
            | Self::Shape { call, .. }
            | Self::Repeated { call, .. }
            | Self::TooLarge { call, .. }
            | Self::Limit { call, .. } => call.attempts = sent,
        }
        self
    }
}

impl Answer {
    pub(crate) fn hint(&self) -> Option<String> {
        let text = match (self.status, self.id.as_deref()) {
            (300..=399, _) => "redirects are not followed; check the address of the Heroku API",
            (401, _) => {
                "the token is wrong, expired or revoked; make one with `heroku authorizations:create --scope global`"
            }
            (402, _) => "the account is behind with a payment; Heroku refuses it until that is settled",
            (403, Some("suspended")) => "the account or the app is suspended; Heroku's support can tell why",
            (403, Some("two_factor")) => {
                "Heroku asks for a second factor here; use a token made with `heroku authorizations:create`"
            }
            (403, _) if self.scope_is_short() => {
                return Some(format!(
                    "the token's scope is `{}`, and one of `{}` is needed; make a token with `heroku authorizations:create --scope {}`",
                    self.token_scopes.join(" "),
                    self.accepted_scopes.join(" "),
                    self.accepted_scopes.first().map_or("global", String::as_str),
                ));
            }
            (403, _) => "the user of the token has no sufficient role here; ask an admin of the team for one",
            (404, _) => "it may be gone, or the user of the token may not see it",
            (429, _) => "other tools use the same account's pool of requests; try again in a few minutes",
            (500.., _) => "Heroku had a fault of its own; see https://status.heroku.com and try again later",
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// Whether the token has none of the scopes that this endpoint accepts.
    fn scope_is_short(&self) -> bool {
        !self.token_scopes.is_empty()
            && !self.accepted_scopes.is_empty()
            && !self.token_scopes.iter().any(|scope| self.accepted_scopes.contains(scope))
    }
}

#[cfg(test)]
mod tests;
