//! The audit trail in use: signing its checkpoints, letting it out, verifying and listing it.
//!
//! What an event holds, and what makes a log right, is [`metsuke_model::audit`]; the store appends.
//!
//! Invariant: nothing is signed that does not verify with the checkpoints signed before. Whoever changed the
//! database gets no signature for it.
//!
//! The name of a log is made with its database, at random, and never changes: `metsuke/` and 32 hexadecimal
//! digits. Two databases have two names even if they share a key file, so no checkpoint of one passes for one of
//! the other.

mod key;
mod list;
mod verify;

use std::io::{self, Write};

use metsuke_model::Clock;
use metsuke_model::audit::{
    AuditError, Checkpoint, EventCode, Expected, Origin, PublicKey, SigningKey, export as lines,
};
use metsuke_store::{AuditLog, Store, StoreError, StoredCheckpoint};

pub use key::KeyFile;
pub use list::{EventSelect, Listed, events};
pub use verify::{Verified, verify, verify_export};

use crate::EngineError;

/// A checkpoint that was made.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Size and root of the log.
    pub checkpoint: Checkpoint,
    /// The signed note, as it is kept elsewhere.
    pub note: String,
    /// What checks it.
    pub public_key: PublicKey,
}

/// Signs a checkpoint of the log as it is now and keeps it; makes the key when the log has none.
///
/// The whole log is verified first, on the caller's task.
///
/// # Errors
///
/// [`EngineError::AuditDamaged`] where the log does not verify; [`EngineError::AuditKey`] where there is no key
/// and there was one, or where it cannot be used; what the database said.
pub async fn checkpoint(store: &Store, key: &KeyFile, clock: &dyn Clock) -> Result<Signed, EngineError> {
    let signed = sign(store, key, clock).await;
    if let Err(error) = &signed {
        record_failed(store, clock, error).await;
    }
    signed
}

/// Records that a checkpoint left for a place outside the database.
///
/// # Errors
///
/// What the database said.
pub async fn record_exported(
    store: &Store,
    signed: &Signed,
    to: &str,
    clock: &dyn Clock,
) -> Result<(), EngineError> {
    let event = store
        .event(clock.now(), EventCode::CheckpointExported)
        .about("checkpoint", signed.checkpoint.size)
        .detail("root", signed.checkpoint.root.to_string())
        .detail("public_key", signed.public_key.to_string())
        .detail("to", to);
    store.record(event).await?;
    Ok(())
}

/// Writes the whole log out, with a new checkpoint as its last line.
///
/// What is appended while this runs is not in it. Once it is safely where it should be, the caller says so with
/// [`record_exported`].
///
/// # Errors
///
/// As [`checkpoint`]; [`EngineError::AuditWrite`] for what writing met, which is recorded.
pub async fn export(
    store: &Store,
    key: &KeyFile,
    clock: &dyn Clock,
    writer: &mut dyn Write,
) -> Result<Signed, EngineError> {
    let signed = checkpoint(store, key, clock).await?;
    if let Err(error) = write(store, &signed, clock, writer).await {
        record_failed(store, clock, &error).await;
        return Err(error);
    }
    Ok(signed)
}

async fn sign(store: &Store, key: &KeyFile, clock: &dyn Clock) -> Result<Signed, EngineError> {
    let mut log = store.audit_log().await?;
    let key = signing_key(&log, key)?;
    let expected = Expected { public_key: Some(key.public_key().clone()), checkpoints: Vec::new() };
    let verdict = log.verify(expected).await?;
    if let Some(first) = verdict.findings.first() {
        let findings = u64::try_from(verdict.findings.len()).unwrap_or(u64::MAX);
        return Err(EngineError::AuditDamaged {
            first: first.text.clone(),
            findings: findings.saturating_add(verdict.unlisted),
        });
    }
    // The reading is over: its transaction must not stand in the way of the write.
    drop(log);
    let checkpoint = Checkpoint { size: verdict.events, root: verdict.root };
    let note = checkpoint.sign(&key).map_err(|source| EngineError::Audit { source })?;
    let public_key = key.public_key().clone();
    let stored = StoredCheckpoint { size: checkpoint.size, note, made_at: clock.now() };
    store.keep_checkpoint(&stored, &public_key.to_string()).await?;
    Ok(Signed { checkpoint, note: stored.note, public_key })
}

/// The key of a log; a log that has none yet gets one.
fn signing_key(log: &AuditLog, file: &KeyFile) -> Result<SigningKey, EngineError> {
    let told = log
        .origin
        .as_deref()
        .ok_or_else(|| StoreError::Damaged { what: "the audit trail has no frontier".to_owned() })?;
    let origin = Origin::parse(told).map_err(|source: AuditError| EngineError::Audit { source })?;
    if log.public_key.is_none() {
        return file.load_or_make(&origin);
    }
    file.load(&origin)?.ok_or_else(|| EngineError::AuditKey {
        file: file.path().to_owned(),
        reason: "it is not there, though the log has checkpoints that were signed with a key",
        source: None,
    })
}

/// Writes what the checkpoint covers.
async fn write(
    store: &Store,
    signed: &Signed,
    clock: &dyn Clock,
    writer: &mut dyn Write,
) -> Result<(), EngineError> {
    let mut log = store.audit_log().await?;
    let size = signed.checkpoint.size;
    let mut checkpoints = log.checkpoints().await?;
    checkpoints.retain(|checkpoint| checkpoint.size <= size && checkpoint.note != signed.note);
    let mut line = |text: &str| {
        let written = writer.write_all(text.as_bytes()).and_then(|()| writer.write_all(b"\n"));
        written.map_err(|source| EngineError::AuditWrite { source })
    };
    line(&lines::header_line(&signed.public_key, clock.now()))?;
    let (mut rows, mut ahead) = (0, checkpoints.iter().peekable());
    log.each_row(|row| {
        if row.sequence >= size {
            return Ok(());
        }
        while let Some(checkpoint) = ahead.next_if(|checkpoint| checkpoint.size <= rows) {
            line(&lines::checkpoint_line(&checkpoint.note))?;
        }
        rows += 1;
        line(&lines::event_line(&row))
    })
    .await?;
    for checkpoint in ahead {
        line(&lines::checkpoint_line(&checkpoint.note))?;
    }
    line(&lines::last_checkpoint_line(&signed.note))?;
    writer.flush().map_err(|source: io::Error| EngineError::AuditWrite { source })
}

/// Records that a checkpoint could not be made or written out, as far as that can be recorded.
pub async fn record_failed(store: &Store, clock: &dyn Clock, error: &EngineError) {
    let event = store.event(clock.now(), EventCode::CheckpointFailed).detail("reason", error.to_string());
    if let Err(error) = store.record(event).await {
        tracing::warn!(%error, "that no checkpoint could be made could not be recorded either");
    }
}
