//! What can go wrong in a use case, in kinds that a door translates once.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use metsuke_clients::{ClientError, ErrorKind as ClientKind};
use metsuke_model::audit::AuditError;
use metsuke_store::StoreError;

use crate::people::BadRow;

/// How long to wait where Heroku's pool of requests is empty and it does not say for how long.
///
/// Source: <https://devcenter.heroku.com/articles/platform-api-reference#rate-limits> (75 tokens come back in a minute).
const POOL_REFILLS: Duration = Duration::from_mins(1);
/// How long to wait where Heroku has a fault or cannot be reached.
const FAULT_PASSES: Duration = Duration::from_secs(10);

/// What kind of failure it is; every door has one table from kinds to its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request makes no sense.
    Invalid,
    /// Heroku does not know the token.
    Unauthenticated,
    /// Heroku lets the token's user not do this.
    Forbidden,
    /// A rule of the house, or the state of things, forbids it.
    Refused,
    /// What was asked for is not there.
    NotFound,
    /// More than one thing fits.
    Ambiguous,
    /// The account's pool of requests is empty.
    RateLimited,
    /// Heroku or the way to it failed.
    Upstream,
    /// Whether a change was made is not known.
    InDoubt,
    /// Somebody asked to stop.
    Cancelled,
    /// The database failed.
    Store,
    /// The audit trail cannot be signed or let out.
    Audit,
    /// It clashes with what is there: a name is taken, or somebody was faster.
    Conflict,
    /// A secret cannot be sealed or opened.
    Seal,
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
    /// A question that is no J1QL, or means nothing.
    #[error("{errors}")]
    Query {
        /// The question.
        text: String,
        /// Every mistake in it.
        errors: Box<metsuke_j1ql::error::Errors>,
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
    /// Heroku shows no such object, or not to this token.
    #[error("Heroku shows no {what} `{asked}`")]
    NotAtHeroku {
        /// What was looked for.
        what: &'static str,
        /// Its id, or a person's address.
        asked: String,
    },
    /// A rule forbids it, or it cannot be done at all.
    #[error("{reason}")]
    Refused {
        /// Why, with the rule's name in front where there is one.
        reason: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// Heroku refused a change, and did not make it.
    #[error("Heroku refused it: {reason}")]
    RefusedByHeroku {
        /// The HTTP status.
        status: Option<u16>,
        /// What it said.
        reason: String,
    },
    /// A change was not sent.
    #[error("nothing was sent to Heroku: {reason}")]
    NotSent {
        /// What happened.
        reason: String,
    },
    /// A change was sent, and nobody knows whether it was made.
    #[error("whether it was done is not known: {reason}")]
    InDoubt {
        /// What happened.
        reason: String,
    },
    /// A cursor that this feed has not given out.
    #[error("the cursor is none of feed `{feed}`")]
    BadCursor {
        /// The feed.
        feed: &'static str,
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
    /// No plan of that name.
    #[error("there is no plan `{asked}`, or more than one begins so")]
    NoPlan {
        /// The name.
        asked: String,
    },
    /// A stored plan holds what cannot be sent.
    #[error("the plan holds a call that is never sent: {reason}")]
    BadPlan {
        /// Why.
        reason: String,
    },
    /// The user or the system asked to stop.
    #[error("stopped before the end; the last version is untouched")]
    Cancelled,
    /// The file with the audit trail's key cannot be used.
    #[error("the audit key `{}` cannot be used: {reason}", .file.display())]
    AuditKey {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: &'static str,
        /// What the machine said, where it said something.
        #[source]
        source: Option<io::Error>,
    },
    /// The audit trail does not verify, so it is not signed.
    #[error("the audit trail is not signed, because it does not verify: {first}")]
    AuditDamaged {
        /// The first finding.
        first: String,
        /// How many there are.
        findings: u64,
    },
    /// The audit trail cannot be signed.
    #[error("the audit trail cannot be signed")]
    Audit {
        /// Why not.
        #[source]
        source: AuditError,
    },
    /// The audit trail cannot be written out.
    #[error("the audit trail cannot be written out")]
    AuditWrite {
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// What was given is no roster as a whole.
    #[error("the roster cannot be imported: {reason}")]
    Roster {
        /// Why not.
        reason: String,
    },
    /// Rows of a roster are wrong.
    #[error("the roster cannot be imported: {}", summary(.rows))]
    BadRoster {
        /// Every wrong one.
        rows: Vec<BadRow>,
    },
    /// So many are missing from a roster that it may have been cut.
    #[error("the roster was not imported: {missing} of its {before} people are missing from it")]
    ShrunkenRoster {
        /// Who is named no more.
        missing: u64,
        /// Who was named before.
        before: u64,
    },
    /// The server of a roster cannot be read.
    #[error("the roster cannot be fetched")]
    RosterSource {
        /// What happened.
        #[source]
        source: ClientError,
    },
    /// No employee of that name, id or address.
    #[error("there is no employee `{asked}`")]
    NoEmployee {
        /// What was looked for.
        asked: String,
    },
    /// The folder of an export cannot be written.
    #[error("the folder `{}` cannot be written", .folder.display())]
    ExportFolder {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// JupiterOne did not take what was uploaded.
    #[error("JupiterOne did not take the upload")]
    JupiterOne {
        /// What happened.
        #[source]
        source: ClientError,
    },
    /// What a connector is known by at C1, or how to reach it, cannot work.
    #[error("{reason}")]
    C1Settings {
        /// What is wrong with which setting.
        reason: String,
    },
    /// C1 does not know the connector.
    #[error("C1 does not accept the client id and its secret")]
    C1Refused {
        /// What it answered.
        #[source]
        source: ClientError,
    },
    /// C1 gives no access token.
    #[error("C1 cannot be asked for an access token")]
    C1 {
        /// What happened.
        #[source]
        source: ClientError,
    },
    /// A backup cannot be written, or not be restored.
    #[error("the backup cannot be used: {reason}")]
    Backup {
        /// Why not.
        reason: String,
        /// What the machine or the cipher said, where it said something.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The file with the sealing key cannot be used.
    #[error("the sealing key `{}` cannot be used: {reason}", .file.display())]
    SealKey {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: &'static str,
        /// What the machine said, where it said something.
        #[source]
        source: Option<io::Error>,
    },
    /// A stored secret does not open.
    #[error("a stored secret cannot be opened: it was sealed with another key, or has been changed")]
    Sealed,
    /// The machine gives no random bytes.
    #[error("the machine gives no random bytes")]
    NoChance,
    /// Settings that cannot be.
    #[error("{}", fields_summary(.fields))]
    Fields {
        /// Every one that is wrong.
        fields: Vec<BadField>,
    },
    /// No connector of that name or id.
    #[error("there is no connector `{asked}`")]
    NoConnector {
        /// The name or id.
        asked: String,
    },
    /// No run of that id.
    #[error("there is no run `{asked}`")]
    NoRun {
        /// The id.
        asked: String,
    },
    /// Another connector has the name.
    #[error("there is a connector `{name}` already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// Somebody else changed it meanwhile.
    #[error("the settings were changed meanwhile: they are in edition {found}, and not in {asked}")]
    Changed {
        /// What they are in.
        found: i64,
        /// What they were thought to be in.
        asked: i64,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadField {
    /// Its name, as the API and the command line have it.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

fn fields_summary(fields: &[BadField]) -> String {
    let told: Vec<_> = fields.iter().map(|bad| format!("{}: {}", bad.field, bad.problem)).collect();
    told.join("; ")
}

impl EngineError {
    /// Which kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::WrongToken { .. } | Self::C1Refused { .. } => ErrorKind::Unauthenticated,
            Self::Upstream { source } => match source.kind() {
                ClientKind::Unauthorized => ErrorKind::Unauthenticated,
                ClientKind::Forbidden { .. } => ErrorKind::Forbidden,
                ClientKind::NotFound => ErrorKind::NotFound,
                ClientKind::RateLimited => ErrorKind::RateLimited,
                _ => ErrorKind::Upstream,
            },
            Self::NothingRead { .. } | Self::RosterSource { .. } | Self::NotSent { .. } => {
                ErrorKind::Upstream
            }
            Self::InDoubt { .. } => ErrorKind::InDoubt,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::NameTaken { .. } | Self::Changed { .. } => ErrorKind::Conflict,
            Self::SealKey { .. } | Self::Sealed | Self::NoChance => ErrorKind::Seal,
            Self::RefusedByHeroku { status, .. } => match status {
                Some(401) => ErrorKind::Unauthenticated,
                Some(403) => ErrorKind::Forbidden,
                Some(404) => ErrorKind::NotFound,
                Some(429) => ErrorKind::RateLimited,
                _ => ErrorKind::Refused,
            },
            Self::NoVersion
            | Self::NotFound { .. }
            | Self::NotAtHeroku { .. }
            | Self::NoPlan { .. }
            | Self::NoConnector { .. }
            | Self::NoRun { .. }
            | Self::NoEmployee { .. } => ErrorKind::NotFound,
            Self::BadCursor { .. }
            | Self::BadPlan { .. }
            | Self::Query { .. }
            | Self::Roster { .. }
            | Self::BadRoster { .. }
            | Self::ShrunkenRoster { .. }
            | Self::C1Settings { .. }
            | Self::Fields { .. }
            | Self::ExportFolder { .. } => ErrorKind::Invalid,
            Self::JupiterOne { .. } | Self::C1 { .. } => ErrorKind::Upstream,
            Self::Ambiguous { .. } => ErrorKind::Ambiguous,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Backup { .. } => ErrorKind::Refused,
            Self::AuditKey { .. }
            | Self::AuditDamaged { .. }
            | Self::Audit { .. }
            | Self::AuditWrite { .. } => ErrorKind::Audit,
            Self::Store(_) => ErrorKind::Store,
        }
    }

    /// How long to wait before trying again, where that may help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match (self, self.kind()) {
            (Self::Upstream { source }, ErrorKind::RateLimited) => {
                let asked = source.answer().and_then(|answer| answer.retry_after);
                Some(asked.unwrap_or(POOL_REFILLS))
            }
            (_, ErrorKind::RateLimited | ErrorKind::InDoubt) => Some(POOL_REFILLS),
            (Self::Upstream { source }, ErrorKind::Upstream) => {
                let passes = matches!(
                    source.kind(),
                    ClientKind::Server | ClientKind::Connection | ClientKind::Timeout
                );
                passes.then_some(FAULT_PASSES)
            }
            (Self::NothingRead { .. } | Self::NotSent { .. }, _) => Some(FAULT_PASSES),
            _ => None,
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
            Self::NoPlan { .. } => Some("`metsuke plans` lists them".into()),
            Self::BadPlan { .. } => Some("ask for it again".into()),
            Self::Query { errors, .. } => {
                let first = errors.first();
                first.suggestion.clone().or_else(|| first.explanation.clone())
            }
            Self::Ambiguous { .. } => Some("use the id".into()),
            Self::NotAtHeroku { .. } => {
                Some("it may be gone, or the user of the token may not see it".into())
            }
            Self::Refused { hint, .. } => hint.clone(),
            Self::InDoubt { .. } => Some("ask for it again: what is open is read and settled first".into()),
            Self::BadCursor { .. } => Some("begin without a cursor".into()),
            Self::AuditKey { file, .. } => Some(format!(
                "it is 32 random bytes that only their owner may read (`chmod 600 {}`); bring a lost one back from a backup",
                file.display()
            )),
            Self::SealKey { file, .. } => Some(format!(
                "it is 32 random bytes that only their owner may read (`chmod 600 {}`); METSUKE_KEY_FILE names another",
                file.display()
            )),
            Self::Sealed => Some(
                "bring the key file back from where it is kept (METSUKE_KEY_FILE names it), or set the token anew".into(),
            ),
            Self::NoConnector { .. } => Some("`metsuke connectors list` lists them".into()),
            Self::NameTaken { .. } => Some("take another name".into()),
            Self::Changed { .. } => Some("read it again, and change that".into()),
            Self::AuditDamaged { .. } => Some(
                "`metsuke audit verify` names every finding; keep a copy of the database as it is".into(),
            ),
            Self::Roster { .. } | Self::BadRoster { .. } => {
                Some("nothing was imported; `metsuke people import --help` tells what a roster looks like".into())
            }
            Self::ShrunkenRoster { .. } => {
                Some("if they have all left, import it with --accept-missing; nothing was changed".into())
            }
            Self::RosterSource { .. } => Some(
                "check the address, and the token in METSUKE_ROSTER_TOKEN or --token-file; nothing was imported"
                    .into(),
            ),
            Self::NoEmployee { .. } => Some("`metsuke people list` shows everybody; names are not looked for".into()),
            Self::ExportFolder { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                Some("name another folder, or one that an earlier export made".into())
            }
            Self::JupiterOne { source } => Some(
                match source.status() {
                    Some(401 | 403) => "check the API key and the account's id; a key belongs to one account",
                    Some(404) => "check the id of the integration instance, and the address of the API",
                    Some(429) => "JupiterOne limits how often it is asked; try again in a few minutes",
                    _ => "nothing of this upload was kept there; it can be tried again",
                }
                .into(),
            ),
            Self::C1Settings { .. } => {
                Some("C1 shows both when the connector is set up, the secret once; copy them whole".into())
            }
            Self::C1Refused { .. } => Some(
                "check that id and secret belong together, that C1 has not revoked them, and this machine's clock".into(),
            ),
            Self::C1 { .. } => Some(
                "check the network, the proxy settings and BATON_C1_API_HOST; SSL_CERT_FILE names further authorities".into(),
            ),
            Self::Backup { .. } => Some("nothing was changed; `metsuke backup --help` and `metsuke restore --help` tell what they take".into()),
            Self::RefusedByHeroku { .. }
            | Self::Fields { .. }
            | Self::NoRun { .. }
            | Self::NoChance
            | Self::NotSent { .. }
            | Self::ExportFolder { .. }
            | Self::Cancelled
            | Self::Audit { .. }
            | Self::AuditWrite { .. } => None,
            Self::Store(source) => source.hint(),
        }
    }
}

/// The first wrong row, and how many more there are.
fn summary(rows: &[BadRow]) -> String {
    let first = rows.first().map(ToString::to_string).unwrap_or_default();
    match rows.len() {
        0 | 1 => first,
        count => format!("{first} (and {} more wrong rows)", count - 1),
    }
}
