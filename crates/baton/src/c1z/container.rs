//! The outside of a file: five letters, then one zstd frame.
//!
//! What is inside the frame is not known here.
//!
//! Invariant: what is decoded is counted while it is decoded, so that a small file never becomes a large one unnoticed.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

use super::{C1zError, ReadOptions};

pub(super) const MAGIC: &[u8; 5] = b"C1ZF\0";
const MAGIC_3: &[u8; 5] = b"C1Z3\0";
pub(super) const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Readers of the ecosystem refuse a window of more than 128 MiB.
const WINDOW_LOG: u32 = 27;
/// So much may be decoded from anything; from then on the ratio counts.
const FREE: u64 = 16 << 20;
const CHUNK: usize = 1 << 20;

/// What the outside tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Version of the format; always 1.
    pub version: u8,
    /// Length of the file.
    pub file_bytes: u64,
    /// Length of the database inside.
    pub decoded_bytes: u64,
    /// What the frame says that its content's length is.
    pub declared_bytes: Option<u64>,
    /// Bytes that a reader must keep.
    pub window_bytes: u64,
    /// Whether there is a checksum, which was right then.
    pub has_checksum: bool,
}

/// What stands under a name.
pub(super) enum Found {
    /// Nothing, or a file without a byte.
    Nothing,
    /// A file of version 1.
    First(File),
}

/// Looks at the first letters of a file.
pub(super) fn look(path: &Path) -> Result<Found, C1zError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(C1zError::io("opening", path)(error)),
    };
    let about = file.metadata().map_err(C1zError::io("looking at", path))?;
    if !about.is_file() {
        return Err(C1zError::invalid(path, "it is not a regular file"));
    }
    let mut magic = Vec::with_capacity(MAGIC.len());
    (&mut file).take(MAGIC.len() as u64).read_to_end(&mut magic).map_err(C1zError::io("reading", path))?;
    match magic.as_slice() {
        [] => Ok(Found::Nothing),
        found if found == MAGIC => Ok(Found::First(file)),
        found if found == MAGIC_3 => {
            let what = "it begins with `C1Z3`, version 3 of the format, and only version 1 can be read";
            Err(C1zError::invalid(path, what))
        }
        found => {
            let found = found.escape_ascii().to_string();
            Err(C1zError::invalid(path, format!("it begins with `{found}` instead of `C1ZF`")))
        }
    }
}

/// The head of a frame.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8878#name-frame-header>
struct Frame {
    declared: Option<u64>,
    window: u64,
    has_checksum: bool,
}

impl Frame {
    /// `None` where no frame begins here.
    fn of(head: &[u8]) -> Option<Self> {
        let (descriptor, mut rest) = head.strip_prefix(&ZSTD)?.split_first()?;
        let is_single = descriptor & 0x20 != 0;
        let mut window = 0;
        if !is_single {
            let (byte, after) = rest.split_first()?;
            let base = 1_u64 << (10 + (byte >> 3));
            window = base + base / 8 * u64::from(byte & 7);
            rest = after;
        }
        rest = rest.get([0, 1, 2, 4][usize::from(descriptor & 3)]..)?;
        let length = match descriptor >> 6 {
            0 => usize::from(is_single),
            1 => 2,
            2 => 4,
            _ => 8,
        };
        let mut number = [0; 8];
        number.get_mut(..length)?.copy_from_slice(rest.get(..length)?);
        let declared = u64::from_le_bytes(number) + if length == 2 { 256 } else { 0 };
        let declared = (length > 0).then_some(declared);
        let window = if is_single { declared.unwrap_or(0) } else { window };
        Some(Self { declared, window, has_checksum: descriptor & 4 != 0 })
    }
}

/// Counts what is read.
struct Counting<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count += length as u64;
        Ok(length)
    }
}

/// Decodes a file of version 1, read up to behind its first letters, into a private one.
pub(super) fn decode(
    path: &Path,
    file: File,
    options: &ReadOptions,
) -> Result<(NamedTempFile, Container), C1zError> {
    let file_bytes = file.metadata().map_err(C1zError::io("looking at", path))?.len();
    let mut file = file;
    let mut head = Vec::with_capacity(18);
    (&mut file).take(18).read_to_end(&mut head).map_err(C1zError::io("reading", path))?;
    let frame =
        Frame::of(&head).ok_or_else(|| C1zError::invalid(path, "no zstd frame follows its first letters"))?;
    let limit = Limit { path, options };
    limit.allows_window(frame.window)?;
    limit.allows(frame.declared.unwrap_or(0), file_bytes)?;
    file.seek(io::SeekFrom::Start(MAGIC.len() as u64)).map_err(C1zError::io("reading", path))?;

    let mut out = temporary(options.temp_dir.as_deref())?;
    let decoded_bytes = limit.copy(file, out.as_file_mut())?;
    let container = Container {
        version: 1,
        file_bytes,
        decoded_bytes,
        declared_bytes: frame.declared,
        window_bytes: frame.window,
        has_checksum: frame.has_checksum,
    };
    Ok((out, container))
}

/// A database that was left with a write-ahead log, which is never part of a file, is made one without.
///
/// # Errors
///
/// When it is no database of SQLite's.
///
/// Source: <https://www.sqlite.org/fileformat2.html#the_database_header>
pub(super) fn leave_write_ahead_log(path: &Path, database: &File) -> Result<(), C1zError> {
    let mut head = [0; 100];
    let read = database.read_exact_at(&mut head, 0);
    if read.is_err() || !head.starts_with(b"SQLite format 3\0") {
        return Err(C1zError::invalid(path, "it holds no SQLite database"));
    }
    if head[18..20] == [2, 2] {
        database.write_all_at(&[1, 1], 18).map_err(C1zError::io("decoding", path))?;
    }
    Ok(())
}

/// A file that only this user can read.
fn temporary(folder: Option<&Path>) -> Result<NamedTempFile, C1zError> {
    let folder = folder.map_or_else(std::env::temp_dir, Path::to_owned);
    tempfile::Builder::new()
        .prefix("c1z-")
        .suffix(".db")
        .tempfile_in(&folder)
        .map_err(C1zError::io("making a temporary file in", &folder))
}

/// What may be decoded from one file.
struct Limit<'a> {
    path: &'a Path,
    options: &'a ReadOptions,
}

impl Limit<'_> {
    fn refuse(&self, what: String) -> C1zError {
        C1zError::TooLarge { path: self.path.to_owned(), what }
    }

    fn allows_window(&self, window: u64) -> Result<(), C1zError> {
        let most = 1_u64 << WINDOW_LOG;
        // A frame in one piece is as large as its content, but is decoded piece by piece here as elsewhere.
        if window <= most {
            return Ok(());
        }
        Err(self.refuse(format!("it needs a window of {window} bytes, and {most} are allowed")))
    }

    /// Whether so much may come of so much.
    fn allows(&self, decoded: u64, read: u64) -> Result<(), C1zError> {
        let most = self.options.max_decoded_bytes;
        if decoded > most {
            return Err(self.refuse(format!("it holds more than {most} bytes")));
        }
        let ratio = self.options.max_ratio;
        if decoded > FREE && decoded / ratio.max(1) > read {
            return Err(self.refuse(format!("it swells to more than {ratio} times its length")));
        }
        Ok(())
    }

    fn copy(&self, file: File, out: &mut File) -> Result<u64, C1zError> {
        let broken = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                C1zError::invalid(self.path, "it ends in the middle of its frame")
            }
            _ => C1zError::invalid(self.path, format!("its frame cannot be decoded: {error}")),
        };
        let counting = Counting { inner: file, count: 0 };
        let reader = BufReader::with_capacity(128 * 1024, counting);
        let mut frames = zstd::stream::read::Decoder::with_buffer(reader).map_err(broken)?;
        frames.window_log_max(WINDOW_LOG).map_err(broken)?;
        let mut chunk = vec![0; CHUNK];
        let mut decoded = 0_u64;
        loop {
            let length = frames.read(&mut chunk).map_err(broken)?;
            let Some(part) = chunk.get(..length).filter(|part| !part.is_empty()) else { break };
            decoded += length as u64;
            self.allows(decoded, frames.get_ref().get_ref().count)?;
            out.write_all(part).map_err(C1zError::io("decoding", self.path))?;
        }
        Ok(decoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_frame_tells_length_window_and_checksum() {
        let single = Frame::of(&[0x28, 0xb5, 0x2f, 0xfd, 0x24, 7]).unwrap();
        assert_eq!((single.declared, single.window, single.has_checksum), (Some(7), 7, true));
        let open = Frame::of(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x59]).unwrap();
        assert_eq!((open.declared, open.window, open.has_checksum), (None, (1 << 21) + (1 << 18), false));
        let two = Frame::of(&[0x28, 0xb5, 0x2f, 0xfd, 0x60, 0, 1]).unwrap();
        assert_eq!(two.declared, Some(512));
        assert!(Frame::of(b"C1ZF").is_none());
    }
}
