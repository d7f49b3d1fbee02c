//! Verifies the audit trail: an export without the database, or the database itself.
//!
//! What makes a log right is known to [`metsuke_model::audit`]; here it is said which key counts.
//!
//! Invariant: no more than one event is held, and what cannot be read is a finding and never passed over.

use std::io::{self, BufRead, Read as _};

use metsuke_model::audit::export::MAX_LINE_BYTES;
use metsuke_model::audit::{Expected, Origin, PublicKey, Verdict, Verifier};
use metsuke_store::{AuditLog, Store};

use super::KeyFile;
use crate::EngineError;

/// Verifies an export, with what is known of the log from elsewhere; no database is needed.
///
/// It reads and computes on the caller's task.
///
/// # Errors
///
/// What reading met; whatever is wrong with the export is a finding.
pub fn verify_export(mut export: impl BufRead, expected: Expected) -> io::Result<Verdict> {
    let mut verifier = Verifier::new(expected);
    let mut line = Vec::new();
    // A line that is too long is cut there, which makes it one that cannot be read.
    let most = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX).saturating_add(2);
    while export.by_ref().take(most).read_until(b'\n', &mut line)? > 0 {
        verifier.line(&line);
        line.clear();
    }
    Ok(verifier.finish())
}

/// What became of the verification of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What was found.
    pub verdict: Verdict,
    /// Whether the key was taken from the key file: it is not in the database, and often beside it.
    pub key_from_file: bool,
}

/// Verifies the database's own log: rows, stored checkpoints and frontier.
///
/// Signatures are checked with the expected key, else with the key of the file if it can be read, else with the one
/// that stands in the database. It computes on the caller's task.
///
/// # Errors
///
/// What the database said; [`EngineError::AuditKey`] for a key file that is there and must not be used.
pub async fn verify(
    store: &Store,
    key: Option<&KeyFile>,
    mut expected: Expected,
) -> Result<Verified, EngineError> {
    let mut log = store.audit_log().await?;
    let mut key_from_file = false;
    if expected.public_key.is_none() {
        expected.public_key = from_file(key, &log)?;
        key_from_file = expected.public_key.is_some();
    }
    Ok(Verified { verdict: log.verify(expected).await?, key_from_file })
}

/// The public half of the key file; none where the file is not there or not for this user.
fn from_file(key: Option<&KeyFile>, log: &AuditLog) -> Result<Option<PublicKey>, EngineError> {
    let origin = log.origin.as_deref().and_then(|origin| Origin::parse(origin).ok());
    let (Some(key), Some(origin)) = (key, origin) else { return Ok(None) };
    match key.load(&origin) {
        Ok(key) => Ok(key.map(|key| key.public_key().clone())),
        Err(EngineError::AuditKey { source: Some(error), .. })
            if error.kind() == io::ErrorKind::PermissionDenied =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
