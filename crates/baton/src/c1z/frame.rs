//! One zstd frame whose beginning is known last: the first page of a database names what lies behind it.
//!
//! The first page stands in a block of its own, uncompressed, with room left for it; what follows is compressed as it
//! comes, so that the database never lies on the disk uncompressed. At the end the beginning is filled in, and the
//! whole is decoded once, for the checksum, and to see that it says what was meant.
//!
//! Invariant: a frame that does not decode to what was written is never finished.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc8878#name-frames>

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write};
use std::os::unix::fs::FileExt as _;

use zstd::stream::write::Encoder;

use super::container::{MAGIC, ZSTD};
use super::xxh64::Xxh64;

/// The quickest level, which is smaller than the next ones on these databases.
const LEVEL: i32 = 1;
/// Threads that compress. What they write depends on there being any, not on how many.
const WORKERS: u32 = 2;
const CHUNK: usize = 1 << 20;
/// Bytes of a frame's head as it is written here: its number, what it has, its window, its content's length.
const HEAD: usize = 4 + 1 + 1 + 8;
/// Bytes of the head that the encoder writes, which knows no length.
const ENCODERS_HEAD: usize = 4 + 1 + 1;
/// Bytes before a block.
const BLOCK_HEAD: usize = 3;
/// Eight bytes of length; and a checksum.
const WITH_LENGTH: u8 = 3 << 6;
const WITH_CHECKSUM: u8 = 1 << 2;

/// A file that is being written.
pub(super) struct FrameWriter {
    encoder: Encoder<'static, Blocks>,
    /// Of everything behind the beginning.
    sum: Xxh64,
    length: u64,
}

impl FrameWriter {
    /// Begins a file, and leaves room for a first part of this length.
    pub(super) fn begin(mut file: File, first: usize) -> io::Result<Self> {
        file.write_all(MAGIC)?;
        file.write_all(&vec![0; HEAD + BLOCK_HEAD + first])?;
        let mut encoder = Encoder::new(Blocks { file, head: Vec::new() }, LEVEL)?;
        encoder.multithread(WORKERS)?;
        Ok(Self { encoder, sum: Xxh64::new(), length: 0 })
    }

    /// Fills in the beginning and adds the checksum; the answer is the length of the content, which may not be the
    /// beginning alone.
    pub(super) fn finish(self, first: &[u8]) -> io::Result<u64> {
        let Blocks { mut file, head } = self.encoder.finish()?;
        let window = match head.as_slice() {
            [number @ .., 0, window] if number == ZSTD => *window,
            _ => return Err(io::Error::other("the encoder began its frame in an unexpected way")),
        };
        let length = self.length + first.len() as u64;
        let mut beginning = Vec::with_capacity(HEAD + BLOCK_HEAD + first.len());
        beginning.extend_from_slice(&ZSTD);
        beginning.extend_from_slice(&[WITH_LENGTH, window]);
        beginning.extend_from_slice(&length.to_le_bytes());
        // An uncompressed block that is not the last one.
        let block = u32::try_from(first.len()).map_err(io::Error::other)? << 3;
        beginning.extend_from_slice(block.to_le_bytes().get(..BLOCK_HEAD).unwrap_or_default());
        beginning.extend_from_slice(first);
        let start = MAGIC.len() as u64;
        file.write_all_at(&beginning, start)?;
        let sum = read_back(&mut file, first, (length, self.sum.finish()))?;
        file.write_all_at(&[WITH_LENGTH | WITH_CHECKSUM], start + ZSTD.len() as u64)?;
        file.seek(io::SeekFrom::End(0))?;
        file.write_all(sum.to_le_bytes().get(..4).unwrap_or_default())?;
        Ok(length)
    }
}

impl Write for FrameWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.encoder.write(bytes)?;
        self.sum.update(bytes.get(..length).unwrap_or(bytes));
        self.length += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}

/// Decodes the frame; the answer is the checksum of its content.
fn read_back(file: &mut File, first: &[u8], (length, sum): (u64, u64)) -> io::Result<u64> {
    file.seek(io::SeekFrom::Start(MAGIC.len() as u64))?;
    let mut frame = zstd::stream::read::Decoder::new(file)?;
    let mut chunk = vec![0; CHUNK];
    let (start, _) = chunk.split_at_mut(first.len().min(CHUNK));
    frame.read_exact(start)?;
    let is_same = start == first;
    let (mut whole, mut behind) = (Xxh64::new(), Xxh64::new());
    whole.update(first);
    let mut decoded = first.len() as u64;
    loop {
        let read = frame.read(&mut chunk)?;
        let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else { break };
        whole.update(part);
        behind.update(part);
        decoded += read as u64;
    }
    if is_same && decoded == length && behind.finish() == sum {
        return Ok(whole.finish());
    }
    Err(io::Error::other("what was written cannot be read back"))
}

/// Takes what the encoder writes, without the head of its frame.
struct Blocks {
    file: File,
    head: Vec<u8>,
}

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let missing = ENCODERS_HEAD - self.head.len();
        if missing == 0 {
            return self.file.write(bytes);
        }
        let head = bytes.get(..missing.min(bytes.len())).unwrap_or(bytes);
        self.head.extend_from_slice(head);
        Ok(head.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(first: &[u8], rest: &[u8]) -> Vec<u8> {
        let mut file = tempfile::tempfile().unwrap();
        let mut frame = FrameWriter::begin(file.try_clone().unwrap(), first.len()).unwrap();
        frame.write_all(rest).unwrap();
        assert_eq!(frame.finish(first).unwrap(), (first.len() + rest.len()) as u64);
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_beginning_may_come_last() {
        let rest: Vec<u8> = (0..3_000_000_u64).map(|number| (number * number % 251) as u8).collect();
        for length in [1, 5_000, 3_000_000] {
            let bytes = written(&[7; 4096], &rest[..length]);
            // With the checksum, which the decoder looks at.
            assert_eq!(bytes[9] & WITH_CHECKSUM, WITH_CHECKSUM);
            let decoded = zstd::stream::decode_all(&bytes[5..]).unwrap();
            assert!(decoded[..4096] == [7; 4096] && decoded[4096..] == rest[..length]);
        }
    }
}
