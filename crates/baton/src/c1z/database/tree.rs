//! The trees of the database, built from the leaves up out of cells that come in order.
//!
//! Who sorts them is [`sort`](super::sort).
//!
//! Invariant: every leaf but that of an empty tree holds a cell, and every interior page has two children at least.
//!
//! Source: <https://www.sqlite.org/fileformat2.html#b_tree_pages>

use std::io;

use super::page::{Kind, Page, Pages, SIZE};
use super::record::varint;

/// The longest payload that stands whole in a table's leaf, and in an index.
const LONGEST_IN_TABLE: usize = SIZE - 35;
const LONGEST_IN_INDEX: usize = (SIZE - 12) * 64 / 255 - 23;
/// How much of a longer one stays in its cell at least.
const LEAST: usize = (SIZE - 12) * 32 / 255 - 23;

/// Finished pages of one level, and what stands between each two of them.
#[derive(Default)]
pub(super) struct Level {
    pages: Vec<u32>,
    between: Vec<u8>,
    ends: Vec<usize>,
}

impl Level {
    fn push(&mut self, page: u32, after: &[u8]) {
        self.pages.push(page);
        self.between.extend_from_slice(after);
        self.ends.push(self.between.len());
    }

    fn last(&mut self, page: u32) {
        self.pages.push(page);
    }

    fn after(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(place).and_then(|end| self.between.get(start..*end)).unwrap_or(&[])
    }
}

/// A tree whose cells come in order.
pub(super) struct Tree {
    leaf: Page,
    interior: Kind,
    level: Level,
    /// The number of the last row in the leaf; of a table alone.
    row: i64,
    /// An entry between the leaf, which is full, and the one that is not begun; of an index alone.
    between: Vec<u8>,
    cell: Vec<u8>,
}

impl Tree {
    pub(super) fn table() -> Self {
        Self::new(Kind::TableLeaf, Kind::TableInterior)
    }

    pub(super) fn index() -> Self {
        Self::new(Kind::IndexLeaf, Kind::IndexInterior)
    }

    fn new(leaf: Kind, interior: Kind) -> Self {
        let leaf = Page::new(leaf);
        Self { leaf, interior, level: Level::default(), row: 0, between: Vec::new(), cell: Vec::new() }
    }

    /// Adds a row of a table; its number is above all before it.
    pub(super) fn add_row(&mut self, pages: &mut Pages, number: i64, payload: &[u8]) -> io::Result<()> {
        self.cell.clear();
        varint(payload.len() as u64, &mut self.cell);
        varint(number.cast_unsigned(), &mut self.cell);
        let kept = self.spill(pages, payload, LONGEST_IN_TABLE)?;
        let (front, back) = (&self.cell, payload.get(..kept).unwrap_or(payload));
        if !self.leaf.push(front, back) {
            let page = pages.append(self.leaf.seal(None))?;
            let mut last = Vec::with_capacity(9);
            varint(self.row.cast_unsigned(), &mut last);
            self.level.push(page, &last);
            self.leaf.clear();
            self.leaf.push(front, back);
        }
        self.row = number;
        Ok(())
    }

    /// Adds an entry of an index; it is above all before it.
    pub(super) fn add_entry(&mut self, pages: &mut Pages, payload: &[u8]) -> io::Result<()> {
        self.cell.clear();
        varint(payload.len() as u64, &mut self.cell);
        let kept = self.spill(pages, payload, LONGEST_IN_INDEX)?;
        let back = payload.get(..kept).unwrap_or(payload);
        if self.between.is_empty() {
            if !self.leaf.push(&self.cell, back) {
                self.between.extend_from_slice(&self.cell);
                self.between.extend_from_slice(back);
            }
            return Ok(());
        }
        let page = pages.append(self.leaf.seal(None))?;
        self.level.push(page, &self.between);
        self.between.clear();
        self.leaf.clear();
        self.leaf.push(&self.cell, back);
        Ok(())
    }

    /// Puts what is too long for a cell on pages of its own, and their number behind what stays, whose length it
    /// answers. What stays is then in the cell already.
    fn spill(&mut self, pages: &mut Pages, payload: &[u8], longest: usize) -> io::Result<usize> {
        if payload.len() <= longest {
            return Ok(payload.len());
        }
        let wished = LEAST + (payload.len() - LEAST) % (SIZE - 4);
        let (here, rest) = payload.split_at(if wished <= longest { wished } else { LEAST });
        let first = pages.append_chain(rest)?;
        self.cell.extend_from_slice(here);
        self.cell.extend_from_slice(&first.to_be_bytes());
        Ok(0)
    }

    /// Writes what is left; the answer is the number of the root.
    pub(super) fn finish(self, pages: &mut Pages) -> io::Result<u32> {
        let interior = self.interior;
        let mut level = self.finish_leaves(pages)?;
        loop {
            match level.pages.as_slice() {
                [root] => return Ok(*root),
                _ => level = above(&level, interior, pages)?,
            }
        }
    }

    /// Writes what is left, the root on the first page.
    pub(super) fn finish_first(self, pages: &mut Pages) -> io::Result<Page> {
        let interior = self.interior;
        let mut level = self.finish_leaves(pages)?;
        loop {
            let mut page = Page::first(interior);
            // The first page alone may have one child and no cell.
            let end = fill(&mut page, &level, 0);
            if let Some(last) = level.pages.get(end).filter(|_| end + 1 == level.pages.len()) {
                page.seal(Some(*last));
                return Ok(page);
            }
            level = above(&level, interior, pages)?;
        }
    }

    fn finish_leaves(mut self, pages: &mut Pages) -> io::Result<Level> {
        if !self.between.is_empty() {
            // A leaf may not be empty, so the full one gives its last entry away.
            let last = self.leaf.pop();
            let page = pages.append(self.leaf.seal(None))?;
            self.level.push(page, &last);
            self.leaf.clear();
            self.leaf.push(&self.between, &[]);
        }
        let page = pages.append(self.leaf.seal(None))?;
        self.level.last(page);
        Ok(self.level)
    }
}

/// Writes the pages above a level of two pages or more.
fn above(level: &Level, interior: Kind, pages: &mut Pages) -> io::Result<Level> {
    let mut above = Level::default();
    let mut page = Page::new(interior);
    let mut start = 0;
    while start < level.pages.len() {
        page.clear();
        let mut end = fill(&mut page, level, start);
        // One child left over would make a page without a cell.
        if end + 2 == level.pages.len() {
            page.pop();
            end -= 1;
        }
        let right = level.pages.get(end).copied();
        let number = pages.append(page.seal(right))?;
        if end + 1 < level.pages.len() {
            above.push(number, level.after(end));
        } else {
            above.last(number);
        }
        start = end + 1;
    }
    Ok(above)
}

/// Adds children from `start` on, as many as fit; the answer is the place of the one that is the page's last child.
fn fill(page: &mut Page, level: &Level, start: usize) -> usize {
    let mut place = start;
    while let Some(child) = level.pages.get(place).filter(|_| place + 1 < level.pages.len()) {
        if !page.push(&child.to_be_bytes(), level.after(place)) {
            break;
        }
        place += 1;
    }
    place
}
