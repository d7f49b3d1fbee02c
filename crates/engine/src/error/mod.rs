//! What can go wrong in a use case.
//!
//! Which kind of failure it is stands in `kind`, what to do about it in `hint`; a door translates kinds once.
//!
//! Invariant: no message holds a secret, and none repeats its cause.

mod hint;
mod kind;
mod several;

use std::io;
use std::path::PathBuf;

use metsuke_clients::ClientError;
use metsuke_model::JobId;
use metsuke_model::audit::AuditError;
use metsuke_store::StoreError;

use crate::people::BadRow;
pub use kind::ErrorKind;
pub use several::BadField;
use several::{fields_summary, summary};

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
    /// What was to be approved is not what the plan is.
    #[error("plan {plan} has another hash than the one that was to be approved")]
    OtherHash {
        /// The plan's id.
        plan: String,
    },
    /// Somebody whose approval does not count, by rule R7.
    #[error("{reason}")]
    NotSecondPerson {
        /// Why not, with the rule's name in front.
        reason: String,
        /// What to do instead.
        hint: &'static str,
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
    /// A rule that cannot be read, or a file of them.
    #[error("the rule cannot be kept: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Mistakes(Vec<crate::rules::Mistake>),
    /// What somebody does not own, who may do it with what is theirs.
    #[error("it is not about an app that is one's own")]
    NotOwned,
    /// Something that somebody else has made.
    #[error("the {what} belongs to somebody else")]
    NotYours {
        /// What it is.
        what: &'static str,
    },
    /// The token with which somebody asks for its end.
    #[error("a token cannot revoke itself")]
    OwnToken,
    /// The provider of identities cannot be asked.
    #[error("the provider of identities cannot be asked")]
    Provider {
        /// What happened.
        #[source]
        source: ClientError,
    },
    /// Nothing of this id.
    #[error("there is no {what} `{asked}`")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// The id.
        asked: String,
    },
    /// No scratch folder can be made.
    #[error("no scratch folder can be made")]
    Scratch {
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A channel for alerts cannot be used.
    #[error("the channel `{name}` cannot be used: {reason}")]
    Channel {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
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
    /// A job that cannot be put back into the queue, or struck from it.
    #[error("the job `{job}` was left as it is: {why}")]
    NotGivenUp {
        /// The job.
        job: JobId,
        /// Why not.
        why: &'static str,
    },
    /// A connector of which there is nothing to upload, or nowhere to upload it to.
    #[error("nothing of the connector `{name}` can be uploaded: {why}")]
    NoUpload {
        /// Its name.
        name: String,
        /// Why not.
        why: &'static str,
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
