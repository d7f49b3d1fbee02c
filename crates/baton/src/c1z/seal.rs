//! Puts a finished database into its file: compressed beside it, made durable, and moved to its name.
//!
//! What is in the database is not known here.
//!
//! Invariant: a reader finds the old file or the new one, whole, whenever it looks; what was begun and not finished is
//! taken away again.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use zstd::stream::write::Encoder;

use super::C1zError;
use super::container::MAGIC;
use super::database::Finished;

/// The quickest level, which is smaller than the next ones on these databases.
const LEVEL: i32 = 1;
/// Threads that compress. What they write depends on there being any, not on how many.
const WORKERS: u32 = 2;
const CHUNK: usize = 1 << 20;

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

/// Compresses the database and moves it to its name; the answer is the length of the file.
///
/// The file is its owner's alone, unless the one before was others' too.
pub(super) fn seal(path: &Path, folder: &Path, database: Finished) -> Result<u64, C1zError> {
    let io = |doing: &'static str| C1zError::io(doing, path);
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    let mut file = tempfile::Builder::new()
        .prefix(&name)
        .suffix(".tmp")
        .tempfile_in(folder)
        .map_err(C1zError::io("making a file in", folder))?;
    if let Ok(before) = fs::metadata(path) {
        file.as_file().set_permissions(before.permissions()).map_err(io("taking over the permissions of"))?;
    }
    compress(database, file.as_file_mut()).map_err(io("writing"))?;
    let length = file.as_file().metadata().map_err(io("looking at"))?.len();
    file.as_file().sync_all().map_err(io("writing"))?;
    rename(file, path)?;
    let folder = File::open(folder).and_then(|folder| folder.sync_all());
    folder.map_err(io("making durable the name of"))?;
    Ok(length)
}

fn rename(file: NamedTempFile, path: &Path) -> Result<(), C1zError> {
    file.persist(path).map(drop).map_err(|error| C1zError::io("moving a file to", path)(error.error))
}

fn compress(database: Finished, out: &mut File) -> io::Result<()> {
    let mut file = database.file;
    file.rewind()?;
    out.write_all(MAGIC)?;
    let mut encoder = Encoder::new(out, LEVEL)?;
    // It is told the length, and fails where it gets another one.
    encoder.set_pledged_src_size(Some(database.bytes))?;
    encoder.include_contentsize(true)?;
    encoder.include_checksum(true)?;
    encoder.multithread(WORKERS)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = file.read(&mut chunk)?;
        match chunk.get(..length) {
            Some(part) if !part.is_empty() => encoder.write_all(part)?,
            _ => break,
        }
    }
    encoder.finish()?;
    Ok(())
}
