//! Copies of a whole installation in files, and bringing one back.
//!
//! What a copy holds is the store's; here it is compressed, encrypted, named and read again. The keys that lie in files
//! beside the database (the one that seals tokens, the one that signs the audit trail) are never part of it.
//!
//! Invariant: a backup has its name only when it is whole and durable, and no byte of it lies unencrypted on a disk.

mod lock;
mod read;
mod write;

use std::path::{Path, PathBuf};

use metsuke_model::Clock;
use metsuke_model::audit::{Actor, EventCode};
use metsuke_store::{Loaded, Manifest, Store};
use tokio::sync::mpsc;

pub use lock::{Key, Lock};

use crate::EngineError;

/// Pieces and frames that wait between the database and the file.
const WAITING: usize = 8;

/// A backup that was written.
#[derive(Clone, Debug)]
pub struct Made {
    /// Where.
    pub file: PathBuf,
    /// How large it is.
    pub bytes: u64,
    /// What it holds.
    pub manifest: Manifest,
}

/// Writes a copy of this main store and of all its connectors' into a new file, while others go on working.
///
/// The copy tells of itself in the audit trail, before it is taken.
///
/// # Errors
///
/// [`EngineError::Backup`] where the file cannot be written or is there already, and what the database said.
pub async fn make(store: &Store, file: &Path, lock: Lock, clock: &dyn Clock) -> Result<Made, EngineError> {
    let draft = write::Draft::begin(file)?;
    let now = clock.now();
    store.record(store.event(now, EventCode::BackupMade).detail("opened_by", lock.word())).await?;
    let copying = store.copying().await?;
    let (sink, pieces) = mpsc::channel(WAITING);
    let writing = tokio::task::spawn_blocking(move || draft.fill(&lock, pieces));
    let read = copying.write(env!("CARGO_PKG_VERSION"), now, &sink).await;
    drop(sink);
    // What the file met comes first: nobody took what was read then.
    let draft = writing.await.map_err(|_| ended())??;
    let manifest = read?;
    let bytes = draft.seal()?;
    Ok(Made { file: file.to_path_buf(), bytes, manifest })
}

/// Brings a backup back to where nothing is; with `replace`, in the place of a stopped installation.
///
/// Nothing is changed on Heroku from there before its estate was synced anew.
///
/// # Errors
///
/// [`EngineError::Backup`] for a file that cannot be opened with this key or was damaged, and what the store said. Nothing
/// can be seen of the restore then.
pub async fn restore(
    file: &Path,
    key: Key,
    (url, replace): (&str, bool),
    actor: Actor,
    clock: &dyn Clock,
) -> Result<Loaded, EngineError> {
    let source = read::open(file, &key)?;
    let mut restoring = Store::restoring(url, replace, actor, clock.now()).await?;
    let (sink, mut frames) = mpsc::channel(WAITING);
    let reading = tokio::task::spawn_blocking(move || read::frames(source, &sink));
    while let Some(frame) = frames.recv().await {
        restoring.take(frame).await?;
    }
    reading.await.map_err(|_| ended())??;
    Ok(restoring.finish().await?)
}

fn ended() -> EngineError {
    EngineError::Backup { reason: "the thread that works on its file ended early".into(), source: None }
}
