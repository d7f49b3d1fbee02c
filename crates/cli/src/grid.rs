//! Rows whose columns are only known when they are there, as a table or as CSV.
//!
//! Rows of known types are [`rows`](crate::rows)'s business.

use std::io::{self, Write as _};

use comfy_table::{ContentArrangement, Table, presets};

use crate::output::{Output, buffered};
use crate::rows::{Cell, plain};

/// Writes a table for people.
///
/// # Errors
///
/// What writing to stdout met.
pub(crate) fn table(output: Output, headings: &[String], rows: Vec<Vec<Cell>>) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headings.iter().map(|heading| Cell::text(Some(heading)).for_table()));
    table.add_rows(rows.into_iter().map(|row| row.iter().map(Cell::for_table).collect::<Vec<_>>()));
    if let Some(width) = output.table_width() {
        table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut stdout = buffered();
    for line in table.lines() {
        stdout.write_all(line.trim_end().as_bytes())?;
        stdout.write_all(b"\n")?;
    }
    stdout.flush()
}

/// Writes CSV with a heading.
///
/// # Errors
///
/// What writing to stdout met.
pub(crate) fn csv(headings: &[String], rows: impl Iterator<Item = Vec<Cell>>) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().from_writer(buffered());
    let named = headings.iter().map(|heading| Cell::text(Some(heading)).for_csv());
    writer.write_record(named).map_err(plain)?;
    for row in rows {
        writer.write_record(row.iter().map(Cell::for_csv)).map_err(plain)?;
    }
    writer.flush()
}
