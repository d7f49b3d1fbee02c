//! Pages of the database: filled one by one, and appended to the frame.
//!
//! What is in a cell, and how pages hang together, is decided by [`tree`](super::tree).
//!
//! Invariant: pages are written once, in the order of their numbers; only the first comes last.
//!
//! Source: <https://www.sqlite.org/fileformat2.html#b_tree_pages>

use std::fs::File;
use std::io::{self, Write as _};

use super::super::frame::FrameWriter;

/// Bytes of a page.
pub(super) const SIZE: usize = SIZE_IN_HEADER as usize;
/// The same, as wide as the file's header has it.
pub(super) const SIZE_IN_HEADER: u16 = 4096;
/// Bytes before the cells of the first page, which tell what file it is.
pub(super) const FILE_HEADER: usize = 100;
/// The page of the byte that SQLite locks; it holds nothing.
const LOCKED: u32 = 0x4000_0000 / 4096 + 1;

/// What a page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    TableLeaf = 0x0d,
    TableInterior = 0x05,
    IndexLeaf = 0x0a,
    IndexInterior = 0x02,
}

impl Kind {
    const fn header(self) -> usize {
        match self {
            Self::TableLeaf | Self::IndexLeaf => 8,
            Self::TableInterior | Self::IndexInterior => 12,
        }
    }
}

/// A page that is being filled: pointers from the front, cells from the back.
pub(super) struct Page {
    bytes: Box<[u8; SIZE]>,
    kind: Kind,
    /// Where the page's own header begins.
    start: usize,
    cells: usize,
    /// Where the last cell begins.
    content: usize,
}

impl Page {
    pub(super) fn new(kind: Kind) -> Self {
        Self { bytes: Box::new([0; SIZE]), kind, start: 0, cells: 0, content: SIZE }
    }

    /// The first page, which begins with the header of the file.
    pub(super) fn first(kind: Kind) -> Self {
        Self { start: FILE_HEADER, ..Self::new(kind) }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.fill(0);
        (self.cells, self.content) = (0, SIZE);
    }

    fn pointers_end(&self) -> usize {
        self.start + self.kind.header() + 2 * self.cells
    }

    /// Whether a cell of this length has room.
    pub(super) fn has_room(&self, length: usize) -> bool {
        self.pointers_end() + 2 + length <= self.content
    }

    /// Adds a cell that has room, made of two parts; tells whether it had.
    pub(super) fn push(&mut self, front: &[u8], back: &[u8]) -> bool {
        let length = front.len() + back.len();
        if !self.has_room(length) {
            return false;
        }
        let at = self.pointers_end();
        self.content -= length;
        let pointer = two(self.content);
        let middle = self.content + front.len();
        put(&mut *self.bytes, self.content, front);
        put(&mut *self.bytes, middle, back);
        put(&mut *self.bytes, at, &pointer);
        self.cells += 1;
        true
    }

    /// Takes the last cell away again.
    pub(super) fn pop(&mut self) -> Vec<u8> {
        let at = self.pointers_end() - 2;
        let end = if self.cells > 1 {
            usize::from(u16::from_be_bytes([self.bytes[at - 2], self.bytes[at - 1]]))
        } else {
            SIZE
        };
        let cell = self.bytes[self.content..end].to_vec();
        self.bytes[self.content..end].fill(0);
        self.bytes[at..at + 2].fill(0);
        self.content = end;
        self.cells -= 1;
        cell
    }

    /// Writes the page's header; an interior page also points to its last child.
    pub(super) fn seal(&mut self, right: Option<u32>) -> &[u8; SIZE] {
        let (cells, content) = (two(self.cells), two(self.content));
        let header = [self.kind as u8, 0, 0, cells[0], cells[1], content[0], content[1], 0];
        put(&mut *self.bytes, self.start, &header);
        if let Some(right) = right {
            put(&mut *self.bytes, self.start + 8, &right.to_be_bytes());
        }
        &self.bytes
    }

    /// The first page, sealed before, with the header of the file.
    pub(super) fn with_file_header(&mut self, header: &[u8; FILE_HEADER]) -> &[u8; SIZE] {
        put(&mut *self.bytes, 0, header);
        &self.bytes
    }
}

fn put(bytes: &mut [u8], at: usize, part: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + part.len()) {
        place.copy_from_slice(part);
    }
}

fn two(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or(0).to_be_bytes()
}

/// The pages that are written so far.
pub(super) struct Pages {
    out: FrameWriter,
    next: u32,
}

impl Pages {
    /// Begins with the second page; the first is left out until the end.
    pub(super) fn begin(file: File) -> io::Result<Self> {
        Ok(Self { out: FrameWriter::begin(file, SIZE)?, next: 2 })
    }

    /// Appends a page; the answer is its number.
    pub(super) fn append(&mut self, page: &[u8; SIZE]) -> io::Result<u32> {
        let number = self.upcoming();
        if number != self.next {
            self.out.write_all(&[0; SIZE])?;
        }
        self.out.write_all(page)?;
        self.next = number.checked_add(1).ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
        Ok(number)
    }

    /// The number of the page that is appended next.
    const fn upcoming(&self) -> u32 {
        if self.next == LOCKED { LOCKED + 1 } else { self.next }
    }

    /// Appends what does not fit into a cell, each page naming the one behind it; the answer is the first one's number.
    pub(super) fn append_chain(&mut self, mut rest: &[u8]) -> io::Result<u32> {
        let first = self.upcoming();
        while !rest.is_empty() {
            let (here, after) = rest.split_at(rest.len().min(SIZE - 4));
            let mut page = [0; SIZE];
            put(&mut page, 4, here);
            if !after.is_empty() {
                let own = self.upcoming();
                let behind = if own + 1 == LOCKED { own + 2 } else { own + 1 };
                put(&mut page, 0, &behind.to_be_bytes());
            }
            self.append(&page)?;
            rest = after;
        }
        Ok(first)
    }

    /// How many pages there are, the first included.
    pub(super) const fn count(&self) -> u32 {
        self.next - 1
    }

    /// Adds the first page; the answer is the length of all pages.
    pub(super) fn finish(self, first: &[u8; SIZE]) -> io::Result<u64> {
        self.out.finish(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_taken_away_leaves_no_trace() {
        let mut page = Page::new(Kind::IndexLeaf);
        assert!(page.push(b"ab", b"cd") && page.push(b"", b"ef"));
        assert_eq!(page.pop(), b"ef");
        let mut other = Page::new(Kind::IndexLeaf);
        assert!(other.push(b"abcd", b""));
        assert_eq!(page.seal(None), other.seal(None));
        assert_eq!(page.pop(), b"abcd");
    }

    #[test]
    fn nothing_is_written_to_the_page_that_is_locked() {
        let mut pages = Pages::begin(tempfile::tempfile().unwrap()).unwrap();
        pages.next = LOCKED - 1;
        assert_eq!(pages.append_chain(&[1; 2 * SIZE]).unwrap(), LOCKED - 1);
        assert_eq!(pages.count(), LOCKED + 2);
        pages.next = LOCKED;
        assert_eq!(pages.append_chain(&[1; 9]).unwrap(), LOCKED + 1);
    }
}
