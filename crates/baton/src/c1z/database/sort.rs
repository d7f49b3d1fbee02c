//! Keys brought into order with little memory: sorted runs go to a file without a name, and are merged from there.
//!
//! What a key means is decided by [`key`](super::key).
//!
//! Invariant: no two keys are equal, so there is one order.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Bytes before a key in a run: how much it shares with the one before, and how long the rest is.
const HEAD: usize = 2 + 4;
/// Bytes read at a time from each run.
const CHUNK: usize = 128 * 1024;

/// A key of the run that is being gathered.
struct Entry {
    /// Eight letters from where the keys of the run begin to differ.
    prefix: u64,
    start: u32,
    length: u32,
}

/// Gathers keys.
pub(super) struct Sorter {
    folder: PathBuf,
    /// Bytes to gather before a run is written.
    room: usize,
    keys: Vec<u8>,
    entries: Vec<Entry>,
    is_sorted: bool,
    spilled: Option<Spilled>,
}

/// Runs that are written.
struct Spilled {
    out: BufWriter<File>,
    length: u64,
    /// Where each run begins and ends.
    runs: Vec<(u64, u64)>,
    last: Vec<u8>,
}

impl Sorter {
    pub(super) fn new(folder: &Path, room: usize) -> Self {
        let folder = folder.to_owned();
        Self { folder, room, keys: Vec::new(), entries: Vec::new(), is_sorted: true, spilled: None }
    }

    /// Takes a key.
    pub(super) fn push(&mut self, key: &[u8]) -> io::Result<()> {
        if self.keys.len() + key.len() > self.room && !self.entries.is_empty() {
            self.spill()?;
        }
        if self.is_sorted && self.entries.last().is_some_and(|last| self.key(last) > key) {
            self.is_sorted = false;
        }
        let long = || io::Error::from(io::ErrorKind::FileTooLarge);
        let start = u32::try_from(self.keys.len()).map_err(|_| long())?;
        let length = u32::try_from(key.len()).map_err(|_| long())?;
        self.keys.extend_from_slice(key);
        self.entries.push(Entry { prefix: 0, start, length });
        Ok(())
    }

    fn key(&self, entry: &Entry) -> &[u8] {
        slice(&self.keys, entry)
    }

    fn sort(&mut self) {
        if self.is_sorted {
            return;
        }
        let keys = &self.keys;
        let first = self.entries.first().map_or(&[][..], |first| slice(keys, first));
        let shared = self.entries.iter().map(|entry| shared(first, slice(keys, entry))).min().unwrap_or(0);
        for entry in &mut self.entries {
            let rest = slice(keys, entry).get(shared..).unwrap_or(&[]);
            let mut letters = [0; 8];
            letters.iter_mut().zip(rest).for_each(|(letter, byte)| *letter = *byte);
            entry.prefix = u64::from_be_bytes(letters);
        }
        self.entries.sort_unstable_by(|one, other| {
            one.prefix.cmp(&other.prefix).then_with(|| slice(keys, one).cmp(slice(keys, other)))
        });
        self.is_sorted = true;
    }

    /// Writes what is gathered as a run, or as more of the last one where it fits behind it.
    fn spill(&mut self) -> io::Result<()> {
        self.sort();
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            none => none.insert(Spilled {
                out: BufWriter::with_capacity(CHUNK, tempfile::tempfile_in(&self.folder)?),
                length: 0,
                runs: Vec::new(),
                last: Vec::new(),
            }),
        };
        let first = self.entries.first().map_or(&[][..], |first| slice(&self.keys, first));
        if spilled.runs.is_empty() || spilled.last.as_slice() > first {
            spilled.runs.push((spilled.length, 0));
            spilled.last.clear();
        }
        for entry in &self.entries {
            spilled.add(slice(&self.keys, entry))?;
        }
        if let Some(run) = spilled.runs.last_mut() {
            run.1 = spilled.length;
        }
        self.keys.clear();
        self.entries.clear();
        Ok(())
    }

    /// Gives all keys in order.
    pub(super) fn finish(mut self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if self.spilled.is_some() && !self.entries.is_empty() {
            self.spill()?;
        }
        let Some(spilled) = self.spilled else {
            self.sort();
            return self.entries.iter().try_for_each(|entry| take(slice(&self.keys, entry)));
        };
        drop((self.keys, self.entries));
        let file = spilled.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        let mut heap = BinaryHeap::with_capacity(spilled.runs.len());
        for (start, end) in spilled.runs {
            let mut run = Run { file: &file, at: start, end, read: Vec::new(), done: 0, key: Vec::new() };
            if run.step()? {
                heap.push(run);
            }
        }
        while let Some(mut least) = heap.peek_mut() {
            take(&least.key)?;
            if !least.step()? {
                PeekMut::pop(least);
            }
        }
        Ok(())
    }
}

impl Spilled {
    /// Writes a key without the letters with which the one before begins too.
    fn add(&mut self, key: &[u8]) -> io::Result<()> {
        let before = u16::try_from(shared(&self.last, key)).unwrap_or(u16::MAX);
        let rest = key.get(usize::from(before)..).unwrap_or(&[]);
        let length = u32::try_from(rest.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.out.write_all(&before.to_le_bytes())?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(rest)?;
        self.length += (HEAD + rest.len()) as u64;
        self.last.truncate(usize::from(before));
        self.last.extend_from_slice(rest);
        Ok(())
    }
}

fn slice<'a>(keys: &'a [u8], entry: &Entry) -> &'a [u8] {
    let (start, length) = (entry.start as usize, entry.length as usize);
    keys.get(start..start + length).unwrap_or(&[])
}

/// How many letters two keys begin with in common.
fn shared(one: &[u8], other: &[u8]) -> usize {
    let words = one.chunks_exact(8).zip(other.chunks_exact(8));
    let same = 8 * words.take_while(|(one, other)| one == other).count();
    let rest = one.iter().zip(other).skip(same);
    same + rest.take_while(|(one, other)| one == other).count()
}

/// A run that is read from its file.
struct Run<'a> {
    file: &'a File,
    /// What of the file is not read yet.
    at: u64,
    end: u64,
    read: Vec<u8>,
    /// How much of what was read is behind the key in hand.
    done: usize,
    key: Vec<u8>,
}

impl Run<'_> {
    /// Goes to the next key; `false` where there is none.
    fn step(&mut self) -> io::Result<bool> {
        if self.done == self.read.len() && self.at == self.end {
            return Ok(false);
        }
        let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let head = self.next(HEAD)?.first_chunk::<HEAD>().copied().ok_or_else(cut)?;
        let [low, high, length @ ..] = head;
        self.key.truncate(usize::from(u16::from_le_bytes([low, high])));
        let mut left = u32::from_le_bytes(length) as usize;
        while left > 0 {
            let most = left.min(CHUNK);
            let mut key = std::mem::take(&mut self.key);
            key.extend_from_slice(self.next(most)?);
            self.key = key;
            left -= most;
        }
        Ok(true)
    }

    /// The next bytes, at most a chunk of them.
    fn next(&mut self, length: usize) -> io::Result<&[u8]> {
        if self.read.len() - self.done < length {
            self.read.drain(..self.done);
            self.done = 0;
            let held = self.read.len();
            let more = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(CHUNK);
            self.read.resize(held + more, 0);
            if let Some(place) = self.read.get_mut(held..) {
                self.file.read_exact_at(place, self.at)?;
            }
            self.at += more as u64;
        }
        let from = self.done;
        self.done += length;
        self.read.get(from..self.done).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// The least key is the greatest run, because the heap gives the greatest.
impl Ord for Run<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

impl PartialOrd for Run<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Run<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Run<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(keys: &[Vec<u8>], room: usize) -> Vec<Vec<u8>> {
        let mut sorter = Sorter::new(&std::env::temp_dir(), room);
        for key in keys {
            sorter.push(key).unwrap();
        }
        let mut taken = Vec::new();
        sorter
            .finish(|key| {
                taken.push(key.to_vec());
                Ok(())
            })
            .unwrap();
        taken
    }

    #[test]
    fn keys_come_out_in_order_however_little_memory_there_is() {
        let keys: Vec<Vec<u8>> = (0..5_000_u64)
            .map(|number| {
                let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
                let mut key = format!("same:{mixed:x}").into_bytes();
                key.resize(key.len() + (mixed % 97) as usize, b'x');
                key
            })
            .collect();
        let mut expected = keys.clone();
        expected.sort();
        for room in [1, 100, 10_000, 60_000, 10_000_000] {
            assert_eq!(sorted(&keys, room), expected, "{room}");
        }
        assert_eq!(sorted(&expected, 1_000), expected);
        assert!(sorted(&[], 1_000).is_empty());
    }

    #[test]
    fn runs_in_order_become_one() {
        let mut sorter = Sorter::new(&std::env::temp_dir(), 64);
        for number in 0..1_000_u32 {
            sorter.push(&number.to_be_bytes()).unwrap();
        }
        assert_eq!(sorter.spilled.unwrap().runs.len(), 1);
    }

    #[test]
    fn a_key_may_be_longer_than_what_is_read_at_a_time() {
        let keys = vec![vec![b'b'; CHUNK * 2], vec![b'a'; CHUNK * 3]];
        assert_eq!(sorted(&keys, 10), vec![keys[1].clone(), keys[0].clone()]);
    }
}
