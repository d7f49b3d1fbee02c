//! Rows of data as a table, a JSON array, JSON lines or CSV, written as they come.
//!
//! A command says which columns its rows have; nothing here knows what they mean.
//!
//! Invariant: no more than one batch of rows is held, and no cell of a CSV file is a formula.

use std::io::{self, BufWriter, Stdout, Write as _};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use metsuke_model::Moment;
use serde::Serialize;

use crate::args::Format;
use crate::output::{Output, buffered};
use crate::text::{number, shown, time};

/// Rows that are laid out together in a table.
const BATCH: usize = 1_000;

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Text as it came; empty where there is none.
    Text(Option<String>),
    /// A number.
    Count(u64),
    /// Yes, no or not known.
    Flag(Option<bool>),
    /// A moment, in UTC.
    Time(Option<Moment>),
}

impl Cell {
    /// A text that may be absent.
    pub(crate) fn text<S: ToString>(text: Option<S>) -> Self {
        Self::Text(text.map(|text| text.to_string()))
    }

    /// For people.
    pub(crate) fn for_table(&self) -> String {
        match self {
            Self::Text(text) => text.as_deref().map_or_else(|| "-".into(), |text| shown(text).into_owned()),
            Self::Count(count) => number(*count),
            Self::Flag(Some(true)) => "yes".into(),
            Self::Flag(Some(false)) => "no".into(),
            Self::Flag(None) => "?".into(),
            Self::Time(moment) => moment.map_or_else(|| "-".into(), time),
        }
    }

    /// For programs, spreadsheets among them.
    pub(crate) fn for_csv(&self) -> String {
        match self {
            Self::Text(text) => harmless(text.clone().unwrap_or_default()),
            Self::Count(count) => count.to_string(),
            Self::Flag(flag) => flag.map(|flag| flag.to_string()).unwrap_or_default(),
            Self::Time(moment) => moment.map(|moment| moment.to_string()).unwrap_or_default(),
        }
    }
}

/// Puts an apostrophe before what a spreadsheet would take for a formula.
///
/// Source: <https://owasp.org/www-community/attacks/CSV_Injection>
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

/// One column of rows of type `T`.
#[derive(Debug)]
pub(crate) struct Column<T> {
    /// The name in CSV.
    name: &'static str,
    /// The heading in a table; none where the table leaves the column out.
    heading: Option<&'static str>,
    cell: fn(&T) -> Cell,
}

impl<T> Column<T> {
    /// A column of tables and CSV.
    pub(crate) const fn new(name: &'static str, heading: &'static str, cell: fn(&T) -> Cell) -> Self {
        Self { name, heading: Some(heading), cell }
    }

    /// A column of CSV alone.
    pub(crate) const fn csv(name: &'static str, cell: fn(&T) -> Cell) -> Self {
        Self { name, heading: None, cell }
    }

    /// A column of tables alone.
    pub(crate) const fn table(heading: &'static str, cell: fn(&T) -> Cell) -> Self {
        Self { name: "", heading: Some(heading), cell }
    }
}

/// Writes rows to stdout as they come.
pub(crate) struct Rows<T: 'static> {
    columns: &'static [Column<T>],
    sink: Sink,
    written: u64,
}

enum Sink {
    Table { stdout: BufWriter<Stdout>, batch: Vec<Vec<String>>, width: Option<u16>, widths: Vec<u16> },
    Json(BufWriter<Stdout>),
    Jsonl(BufWriter<Stdout>),
    Csv(Box<csv::Writer<Stdout>>),
}

impl<T: Serialize> Rows<T> {
    /// Begins; a CSV file gets its heading now, so that it has one even without rows.
    ///
    /// # Errors
    ///
    /// What writing to stdout met; so for every function here.
    pub(crate) fn begin(output: Output, columns: &'static [Column<T>]) -> io::Result<Self> {
        let sink = match output.format {
            Format::Table => {
                let width = output.table_width();
                Sink::Table { stdout: buffered(), batch: Vec::new(), width, widths: Vec::new() }
            }
            Format::Json => Sink::Json(buffered()),
            Format::Jsonl => Sink::Jsonl(buffered()),
            Format::Csv => {
                let mut writer =
                    csv::WriterBuilder::new().buffer_capacity(128 * 1024).from_writer(io::stdout());
                let named = columns.iter().map(|column| column.name).filter(|name| !name.is_empty());
                writer.write_record(named).map_err(plain)?;
                Sink::Csv(Box::new(writer))
            }
        };
        Ok(Self { columns, sink, written: 0 })
    }

    /// Writes one row.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    pub(crate) fn push(&mut self, row: &T) -> io::Result<()> {
        match &mut self.sink {
            Sink::Table { batch, .. } => {
                let shown = self.columns.iter().filter(|column| column.heading.is_some());
                batch.push(shown.map(|column| (column.cell)(row).for_table()).collect());
                if batch.len() >= BATCH {
                    self.lay_out()?;
                }
            }
            Sink::Json(stdout) => {
                stdout.write_all(if self.written == 0 { b"[\n" } else { b",\n" })?;
                serde_json::to_writer(&mut *stdout, row)?;
            }
            Sink::Jsonl(stdout) => {
                serde_json::to_writer(&mut *stdout, row)?;
                stdout.write_all(b"\n")?;
            }
            Sink::Csv(writer) => {
                let named = self.columns.iter().filter(|column| !column.name.is_empty());
                writer.write_record(named.map(|column| (column.cell)(row).for_csv())).map_err(plain)?;
            }
        }
        self.written += 1;
        Ok(())
    }

    /// Ends, and tells how many rows there were.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    pub(crate) fn end(mut self) -> io::Result<u64> {
        self.lay_out()?;
        match &mut self.sink {
            Sink::Table { stdout, .. } | Sink::Jsonl(stdout) => stdout.flush()?,
            Sink::Json(stdout) => {
                stdout.write_all(if self.written == 0 { b"[]\n" } else { b"\n]\n" })?;
                stdout.flush()?;
            }
            Sink::Csv(writer) => writer.flush()?,
        }
        Ok(self.written)
    }

    /// Lays out the batch as a table; later batches are at least as wide as the first.
    fn lay_out(&mut self) -> io::Result<()> {
        let headings: Vec<&str> = self.columns.iter().filter_map(|column| column.heading).collect();
        let Sink::Table { stdout, batch, width, widths } = &mut self.sink else { return Ok(()) };
        if batch.is_empty() {
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let first = widths.is_empty();
        // On a terminal each batch is wrapped on its own, so each needs its heading.
        if first || width.is_some() {
            table.set_header(headings);
        }
        table.add_rows(batch.drain(..));
        if let Some(width) = *width {
            table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
        } else if first {
            *widths = table.column_max_content_widths();
        } else {
            let least = |width: &u16| ColumnConstraint::LowerBoundary(Width::Fixed(width.saturating_add(2)));
            table.set_constraints(widths.iter().map(least));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        for line in table.lines() {
            stdout.write_all(line.trim_end().as_bytes())?;
            stdout.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// Writes all rows of a list.
///
/// # Errors
///
/// What writing to stdout met.
pub(crate) fn write<T: Serialize>(
    output: Output,
    columns: &'static [Column<T>],
    rows: &[T],
) -> io::Result<()> {
    let mut sink = Rows::begin(output, columns)?;
    for row in rows {
        sink.push(row)?;
    }
    sink.end().map(|_| ())
}

/// An error of the CSV writer, which has no other cause than the stream under it.
pub(crate) fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_of_a_csv_file_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(Cell::text(Some(text)).for_csv(), format!("'{text}"));
        }
        assert_eq!(Cell::text(Some("ann@example.com")).for_csv(), "ann@example.com");
    }

    #[test]
    fn what_is_not_known_looks_different_from_no() {
        assert_eq!(Cell::Flag(None).for_table(), "?");
        assert_eq!(Cell::Flag(None).for_csv(), "");
        assert_eq!(Cell::Flag(Some(false)).for_table(), "no");
    }

    #[test]
    fn a_name_in_a_table_cannot_break_its_line() {
        assert_eq!(Cell::text(Some("a\nb")).for_table(), "a\\u{a}b");
    }
}
