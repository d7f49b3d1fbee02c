//! A page of prose under way: headings, sentences wrapped to the width, names side by side.
//!
//! What the sentences say is the commands' business; foreign names in them went through
//! [`shown`](crate::text::shown) before.
//!
//! Invariant: a page ends with a line end, or is empty.

use crate::output::Output;
use crate::text::{paragraph, wrapped};

/// A page of prose.
#[derive(Debug)]
pub(crate) struct Page {
    text: String,
    output: Output,
}

impl Page {
    /// An empty page.
    pub(crate) fn new(output: Output) -> Self {
        Self { text: String::new(), output }
    }

    /// A heading; an empty line stands before all but the first.
    pub(crate) fn heading(&mut self, heading: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let heading = self.output.heading(&paragraph(heading, 0, self.output.width()));
        self.line(&heading);
    }

    /// A sentence, wrapped.
    pub(crate) fn say(&mut self, sentence: &str, indent: usize) {
        self.line(&paragraph(sentence, indent, self.output.width()));
    }

    /// Words side by side, wrapped.
    pub(crate) fn words(&mut self, words: &[String], indent: usize) {
        self.line(&wrapped(words, indent, self.output.width()));
    }

    /// A line as it is.
    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// The whole text.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}
