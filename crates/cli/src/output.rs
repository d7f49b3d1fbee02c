//! Where text leaves the program: stdout for data, stderr for the rest.
//!
//! How rows become tables or records is in [`rows`](crate::rows); what sentences say is the commands' business.
//!
//! Invariant: this module alone writes to stdout and stderr, and a failed write to stderr is no error.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde::Serialize;

use crate::args::Format;
use crate::config::Config;

/// The width of prose where nobody tells a better one.
const WIDTH: usize = 100;
/// Bytes that are gathered before they are written.
const BUFFER: usize = 128 * 1024;

/// How and how wide to print.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// The format.
    pub(crate) format: Format,
    /// Columns of the terminal; none where stdout is no terminal.
    terminal: Option<u16>,
    width: usize,
    strong: bool,
}

impl Output {
    /// Looks at the terminal, once.
    pub(crate) fn new(config: &Config) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let told = terminal_size::terminal_size_of(io::stdout())
            .map(|(width, _)| width.0)
            .filter(|width| *width > 0);
        let terminal = is_terminal.then(|| told.or(config.columns).unwrap_or(80));
        let width = terminal.or(config.columns).map_or(WIDTH, usize::from).clamp(40, 160);
        Self { format: config.format, terminal, width, strong: is_terminal && !config.no_color }
    }

    /// The width that prose is wrapped to.
    pub(crate) fn width(self) -> usize {
        self.width
    }

    /// The width that tables are wrapped to; none where they are as wide as they are.
    pub(crate) fn table_width(self) -> Option<u16> {
        self.terminal
    }

    /// A heading: bold on a terminal, plain elsewhere.
    pub(crate) fn heading(self, text: &str) -> String {
        if self.strong { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.into() }
    }

    /// Prints text that ends its own lines.
    ///
    /// # Errors
    ///
    /// What writing to stdout met, a closed pipe included.
    #[expect(clippy::unused_self, reason = "whoever prints has looked at the terminal first")]
    pub(crate) fn print(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// Prints one document: on several lines for `json`, on one for every other format.
    ///
    /// # Errors
    ///
    /// As [`print`](Self::print).
    pub(crate) fn document(self, document: &impl Serialize) -> io::Result<()> {
        let mut stdout = buffered();
        if self.format == Format::Json {
            serde_json::to_writer_pretty(&mut stdout, document)?;
        } else {
            serde_json::to_writer(&mut stdout, document)?;
        }
        stdout.write_all(b"\n")?;
        stdout.flush()
    }
}

/// Stdout behind a buffer; whoever uses it flushes it.
pub(crate) fn buffered() -> BufWriter<io::Stdout> {
    BufWriter::with_capacity(BUFFER, io::stdout())
}

/// Writes a line to stderr. There is nobody to tell when that fails.
pub(crate) fn complain(line: &str) {
    let mut stderr = io::stderr().lock();
    drop(writeln!(stderr, "{line}"));
}
