//! The file of a backup while it is written: compressed, encrypted, and nameless until it is whole.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::lock::Lock;
use crate::EngineError;

/// Fast, and within some per cent of the slowest level on rows.
const ZSTD_LEVEL: i32 = 3;
const BUFFER: usize = 256 * 1024;

/// A file that goes away again unless it is sealed. Its owner alone can read it.
#[derive(Debug)]
pub(super) struct Draft {
    draft: NamedTempFile,
    file: PathBuf,
}

impl Draft {
    pub(super) fn begin(file: &Path) -> Result<Self, EngineError> {
        if file.symlink_metadata().is_ok() {
            return Err(taken(file));
        }
        let draft =
            tempfile::Builder::new().prefix(".metsuke-backup.").suffix(".tmp").tempfile_in(folder(file));
        Ok(Self { draft: draft.map_err(unwritten)?, file: file.to_path_buf() })
    }

    /// Takes pieces until there are no more.
    pub(super) fn fill(self, lock: &Lock, mut pieces: mpsc::Receiver<Vec<u8>>) -> Result<Self, EngineError> {
        let file = BufWriter::with_capacity(BUFFER, self.draft.as_file());
        let sealed = lock.encryptor()?.wrap_output(file).map_err(unwritten)?;
        let mut packed = zstd::Encoder::new(sealed, ZSTD_LEVEL).map_err(unwritten)?;
        while let Some(piece) = pieces.blocking_recv() {
            packed.write_all(&piece).map_err(unwritten)?;
        }
        let written = packed.finish().and_then(age::stream::StreamWriter::finish);
        written.and_then(|mut file| file.flush()).map_err(unwritten)?;
        Ok(self)
    }

    /// Makes it durable, and gives it its name; the answer is its length.
    pub(super) fn seal(self) -> Result<u64, EngineError> {
        let Self { draft, file } = self;
        draft.as_file().sync_all().map_err(unwritten)?;
        let length = draft.as_file().metadata().map_err(unwritten)?.len();
        draft.persist_noclobber(&file).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => taken(&file),
            _ => unwritten(error.error),
        })?;
        File::open(folder(&file)).and_then(|folder| folder.sync_all()).map_err(unwritten)?;
        Ok(length)
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn taken(file: &Path) -> EngineError {
    let reason = format!("`{}` is there already, and a backup is never written over", file.display());
    EngineError::Backup { reason, source: None }
}

fn unwritten(source: io::Error) -> EngineError {
    EngineError::Backup { reason: "its file cannot be written".into(), source: Some(source.into()) }
}
