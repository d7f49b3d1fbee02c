//! A SQLite database written front to back, without SQLite: pages in the order of their numbers, indexes last.
//!
//! It writes the format's seven tables and nothing else, and reads nothing; files are read by SQLite itself. Why not
//! through SQL: rows arrive in great numbers and once, are never changed, and the bytes shall not depend on a library's
//! version.
//!
//! Invariant: SQLite's own integrity check finds nothing to say of what is written.
//!
//! Source: <https://www.sqlite.org/fileformat2.html>

mod key;
mod page;
mod record;
mod schema;
mod sort;
mod tree;

use std::fs::File;
use std::io;
use std::path::Path;

use page::{FILE_HEADER, Pages};
pub(super) use record::Value;
pub(super) use schema::{TABLES, Table, TableName, default_of};
use sort::Sorter;
use tree::Tree;

/// Bytes of keys that each index gathers in memory.
const ROOM: usize = 8 << 20;
/// The version of SQLite whose format is written; readers only show it.
const WRITTEN_AS: u32 = 3_046_000;

/// A database that is being written.
pub(super) struct Database {
    pages: Pages,
    tables: Vec<Filling>,
    payload: Vec<u8>,
    key: Vec<u8>,
}

/// A table that is being filled.
struct Filling {
    table: &'static Table,
    tree: Tree,
    rows: i64,
    keys: Vec<Sorter>,
}

impl Database {
    /// Begins one in this file; keys that are to be sorted go to files without a name in this folder.
    pub(super) fn begin(file: File, folder: &Path) -> io::Result<Self> {
        let pages = Pages::begin(file)?;
        let filling = |table: &'static Table| Filling {
            table,
            tree: Tree::table(),
            rows: 0,
            keys: table.indexes.iter().map(|_| Sorter::new(folder, ROOM)).collect(),
        };
        let tables = TABLES.iter().map(filling).collect();
        Ok(Self { pages, tables, payload: Vec::new(), key: Vec::new() })
    }

    /// Adds a row; its number is the next one.
    pub(super) fn insert(&mut self, table: TableName, values: &[Value<'_>]) -> io::Result<()> {
        let Some(filling) = self.tables.get_mut(table as usize) else { return Ok(()) };
        filling.rows += 1;
        self.payload.clear();
        record::append_numbered(values, &mut self.payload);
        filling.tree.add_row(&mut self.pages, filling.rows, &self.payload)?;
        for (index, keys) in filling.table.indexes.iter().zip(&mut filling.keys) {
            if index.only.is_some_and(|only| !only(values)) {
                continue;
            }
            self.key.clear();
            for column in index.columns {
                let value = values.get(*column).copied().unwrap_or(Value::Null);
                if !key::append_column(value, &mut self.key) {
                    return Err(unfit(filling.table, index.columns));
                }
            }
            key::append_row(filling.rows, &mut self.key);
            keys.push(&self.key)?;
        }
        Ok(())
    }

    /// Builds the indexes; the answer is the length of the database. `twice` is told of rows that have the same unique columns: the table and the first of them.
    pub(super) fn finish(mut self, mut twice: impl FnMut(TableName, String)) -> io::Result<u64> {
        let mut schema = Tree::table();
        let mut objects = 0;
        let mut payload = Vec::new();
        for (filling, name) in self.tables.into_iter().zip(TableName::ALL) {
            let table = filling.table;
            let mut add = |pages: &mut Pages, kind: &str, name: &str, root: u32, sql: &str| {
                objects += 1;
                payload.clear();
                let text = Value::text;
                let row = [text(kind), text(name), text(table.name), Value::Int(i64::from(root)), text(sql)];
                record::append(&row, &mut payload);
                schema.add_row(pages, objects, &payload)
            };
            let root = filling.tree.finish(&mut self.pages)?;
            add(&mut self.pages, "table", table.name, root, table.sql)?;
            for (index, keys) in table.indexes.iter().zip(filling.keys) {
                let root = build(index, keys, &mut self.pages, |text| twice(name, text))?;
                add(&mut self.pages, "index", index.name, root, index.sql)?;
            }
        }
        let mut first = schema.finish_first(&mut self.pages)?;
        let count = self.pages.count();
        self.pages.finish(first.with_file_header(&file_header(count)))
    }
}

fn unfit(table: &Table, columns: &[usize]) -> io::Error {
    let names: Vec<&str> = columns.iter().filter_map(|place| table.columns.get(*place).copied()).collect();
    let what = format!("{} of a row of {} is not text", names.join(" or "), table.name);
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Builds one index; the answer is the number of its root.
fn build(
    index: &schema::Index,
    keys: Sorter,
    pages: &mut Pages,
    mut twice: impl FnMut(String),
) -> io::Result<u32> {
    let mut tree = Tree::index();
    let (mut before, mut texts, mut payload) = (Vec::new(), Vec::new(), Vec::new());
    let numbers = if index.with_row { 2 } else { 1 };
    keys.finish(|key| {
        if index.is_unique {
            let columns = key::columns(key);
            if before == columns && !key::holds_nothing(columns) {
                twice(key::first_column(columns));
            }
            before.clear();
            before.extend_from_slice(columns);
        }
        payload.clear();
        key::entry(key, numbers, &mut texts, &mut payload);
        tree.add_entry(pages, &payload)
    })?;
    tree.finish(pages)
}

/// The beginning of the file.
///
/// Source: <https://www.sqlite.org/fileformat2.html#the_database_header>
fn file_header(pages: u32) -> [u8; FILE_HEADER] {
    let mut header = [0; FILE_HEADER];
    let mut put = |at: usize, part: &[u8]| {
        if let Some(place) = header.get_mut(at..at + part.len()) {
            place.copy_from_slice(part);
        }
    };
    put(0, b"SQLite format 3\0");
    put(16, &page::SIZE_IN_HEADER.to_be_bytes());
    // Rollback journal for readers and writers, nothing reserved, and three fractions that never vary.
    put(18, &[1, 1, 0, 64, 32, 32]);
    let change = 1_u32.to_be_bytes();
    put(24, &change);
    put(28, &pages.to_be_bytes());
    put(40, &1_u32.to_be_bytes());
    // The newest schema format, and UTF-8.
    put(44, &4_u32.to_be_bytes());
    put(56, &1_u32.to_be_bytes());
    put(92, &change);
    put(96, &WRITTEN_AS.to_be_bytes());
    header
}
