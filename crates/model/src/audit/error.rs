//! What can be wrong with an event, a key, a checkpoint or an export, before anything is judged.
//!
//! What verification finds is not an error but a [`Finding`](super::Finding): it goes on and says all.

use crate::Moment;

/// Why something of the audit trail could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A number that has no single spelling.
    #[error("`{number}` is not a whole number of at most 53 bits")]
    Number {
        /// As it was to be written.
        number: String,
    },
    /// Arrays and objects inside each other, too many.
    #[error("it is nested more than {limit} deep")]
    TooDeep {
        /// The most that is allowed.
        limit: usize,
    },
    /// A text over its limit.
    #[error("{what} has {bytes} bytes, more than {limit}")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// A moment outside the calendar.
    #[error("`{at}` is not a time of the calendar")]
    Time {
        /// The moment.
        at: Moment,
    },
    /// JSON that is no event.
    #[error("it is not an event of the audit trail")]
    Shape {
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// An event of another format, most likely of a newer version.
    #[error("its format is {found}, and this version reads up to {known}")]
    Format {
        /// The format number.
        found: u64,
        /// The newest one known here.
        known: u64,
    },
    /// The same event would be written otherwise.
    #[error("it is not in canonical form")]
    NotCanonical,
    /// Bytes that are no frontier.
    #[error("the stored frontier is damaged: {reason}")]
    Frontier {
        /// What does not fit.
        reason: &'static str,
    },
    /// A text that is no hash.
    #[error("`{text}` is not the base64 of a SHA-256 hash")]
    Hash {
        /// The text.
        text: String,
    },
    /// A text that cannot name a log.
    #[error("`{text}` cannot name a log: {reason}")]
    Origin {
        /// The text.
        text: String,
        /// Why not.
        reason: &'static str,
    },
    /// A text that is no public key, or a key that the signing cannot use.
    #[error("the key cannot be used: {reason}")]
    Key {
        /// What does not fit.
        reason: &'static str,
    },
    /// A text that is no checkpoint.
    #[error("it is not a checkpoint: {reason}")]
    Note {
        /// What does not fit.
        reason: &'static str,
    },
    /// No signature is of the key.
    #[error("it is signed by {signers}, and not by `{expected}`")]
    OtherKey {
        /// Whom the signature lines name, in backticks.
        signers: String,
        /// The key that was looked for.
        expected: String,
    },
    /// The signature names the key and is not of it.
    #[error("its signature is not valid under `{key}`")]
    Signature {
        /// The key.
        key: String,
    },
    /// A checkpoint of another log, signed by the key.
    #[error("it belongs to the log `{found}`, and not to `{expected}`")]
    OtherLog {
        /// The log that it names.
        found: String,
        /// The log that was looked for.
        expected: String,
    },
    /// A line that does not stand in an export.
    #[error("it is not a line of an audit export: {reason}")]
    Line {
        /// What does not fit.
        reason: String,
    },
}
