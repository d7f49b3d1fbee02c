//! Questions to the person at the terminal.
//!
//! What is asked, and what happens without an answer, is the commands' business.
//!
//! Invariant: nothing but the word `yes` is agreement.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Whether somebody sits there to be asked.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question that needs `yes`.
///
/// # Errors
///
/// What reading the answer met.
pub(crate) fn agreed(question: &str) -> io::Result<bool> {
    let mut asked = io::stderr().lock();
    write!(asked, "{question} Type yes to go on: ")?;
    asked.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
