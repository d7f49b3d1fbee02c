//! Gives a file its name when it is whole: written beside the old one, made durable, and moved.
//!
//! What is in the file is not known here.
//!
//! Invariant: a reader finds the old file or the new one, whole, whenever it looks; what was begun and not finished is
//! taken away again, at the latest when the next file is written.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::C1zError;

/// What stands behind the name of a file that is not finished.
const SUFFIX: &str = ".tmp";

/// Where a file really is, and in which folder: behind links, if it is there.
pub(super) fn place(path: &Path) -> Result<(PathBuf, PathBuf), C1zError> {
    let path = match path.canonicalize() {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(C1zError::io("looking for", path)(error)),
    };
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => PathBuf::from("."),
        Some(folder) => folder.to_owned(),
        None => return Err(C1zError::invalid(&path, "it is a folder")),
    };
    Ok((path, folder))
}

/// A file that is being written; it goes away again unless it is sealed.
pub(super) struct Unsealed {
    file: NamedTempFile,
    path: PathBuf,
    folder: PathBuf,
}

impl Unsealed {
    /// Begins a file that is to stand under this path.
    ///
    /// It is its owner's alone, unless the one before was others' too. It is locked as long as it is written, so that
    /// what a process left that was ended can be told from what another one writes.
    pub(super) fn begin(path: &Path, folder: &Path) -> Result<Self, C1zError> {
        let io = |doing: &'static str| C1zError::io(doing, path);
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(path.file_name().unwrap_or_default());
        prefix.push(".");
        remove_left(folder, &prefix.to_string_lossy());
        let file = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(SUFFIX)
            .tempfile_in(folder)
            .map_err(C1zError::io("making a file in", folder))?;
        file.as_file().lock().map_err(io("locking a file beside"))?;
        if let Ok(before) = fs::metadata(path) {
            let taken = file.as_file().set_permissions(before.permissions());
            taken.map_err(io("taking over the permissions of"))?;
        }
        Ok(Self { file, path: path.to_owned(), folder: folder.to_owned() })
    }

    /// The file, to be written.
    pub(super) fn file(&self) -> Result<File, C1zError> {
        self.file.as_file().try_clone().map_err(C1zError::io("writing", &self.path))
    }

    /// Makes it durable and moves it to its name; the answer is its length.
    pub(super) fn seal(self) -> Result<u64, C1zError> {
        let Self { file, path, folder } = self;
        let io = |doing: &'static str| C1zError::io(doing, &path);
        let length = file.as_file().metadata().map_err(io("looking at"))?.len();
        file.as_file().sync_all().map_err(io("writing"))?;
        file.persist(&path).map_err(|error| io("moving a file to")(error.error))?;
        let durable = File::open(folder).and_then(|folder| folder.sync_all());
        durable.map_err(io("making durable the name of"))?;
        Ok(length)
    }
}

/// Removes what processes left that were ended in the middle. What cannot be removed is in nobody's way.
fn remove_left(folder: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.starts_with(prefix) && name.ends_with(SUFFIX);
        if is_ours && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            fs::remove_file(entry.path()).ok();
        }
    }
}
