//! Where data leaves the program: stdout.
//!
//! Everything else goes to stderr, by [`failure`](crate::failure) and [`telemetry`](crate::telemetry).
//!
//! Invariant: what was printed is out when the function returns.

use std::io::{self, Write as _};

/// Prints text as it is.
///
/// # Errors
///
/// What writing to stdout met, a closed pipe included.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
