//! What can go wrong in a use case, in kinds that a door translates once.

use metsuke_clients::ClientError;
use metsuke_store::StoreError;

/// What kind of failure it is; every door has one table from kinds to its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request makes no sense.
    Invalid,
    /// Heroku does not know the token.
    Unauthenticated,
    /// What was asked for is not there.
    NotFound,
    /// More than one thing fits.
    Ambiguous,
    /// Heroku or the way to it failed.
    Upstream,
    /// Somebody asked to stop.
    Cancelled,
    /// The database failed.
    Store,
}

/// An error of the engine. The cause is in `source`; the message does not repeat it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Heroku refuses the token itself.
    #[error("Heroku does not accept the token")]
    WrongToken {
        /// What it answered.
        #[source]
        source: ClientError,
    },
    /// Heroku cannot be reached, or answers nothing of use.
    #[error("Heroku cannot be read")]
    Upstream {
        /// What happened.
        #[source]
        source: ClientError,
    },
    /// Nothing at all could be read.
    #[error("nothing of the estate could be read: {first}")]
    NothingRead {
        /// What the first gap said.
        first: String,
    },
    /// Nothing was ever synced into this database.
    #[error("the database holds no version of an estate yet")]
    NoVersion,
    /// No object of that name or id.
    #[error("there is no {what} `{asked}` in version {version}")]
    NotFound {
        /// What was looked for: `app`, `user`, …
        what: &'static str,
        /// The name or id.
        asked: String,
        /// Where it was looked for.
        version: i64,
    },
    /// Several objects fit.
    #[error("`{asked}` fits several {what}s: {candidates}")]
    Ambiguous {
        /// What was looked for.
        what: &'static str,
        /// The name.
        asked: String,
        /// Their ids.
        candidates: String,
    },
    /// The user or the system asked to stop.
    #[error("stopped before the end; the last version is untouched")]
    Cancelled,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EngineError {
    /// Which kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::WrongToken { .. } => ErrorKind::Unauthenticated,
            Self::Upstream { .. } | Self::NothingRead { .. } => ErrorKind::Upstream,
            Self::NoVersion | Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Ambiguous { .. } => ErrorKind::Ambiguous,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Store(_) => ErrorKind::Store,
        }
    }

    /// What to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::WrongToken { .. } => Some(
                "make one with `heroku authorizations:create --scope global` on a service account, and set METSUKE_HEROKU_TOKEN"
                    .into(),
            ),
            Self::Upstream { source } => source.hint(),
            Self::NothingRead { .. } => {
                Some("check the token's scope and its account's teams with `metsuke doctor`".into())
            }
            Self::NoVersion => Some("run `metsuke sync` first, or `metsuke demo` to see one without a token".into()),
            Self::NotFound { what, .. } => Some(format!("`metsuke list {what}s` shows what there is")),
            Self::Ambiguous { .. } => Some("use the id".into()),
            Self::Cancelled => None,
            Self::Store(source) => source.hint(),
        }
    }
}
