//! What is wrong with a query's text, where, and what to do about it.
//!
//! It knows positions and words only; how a terminal shows them is [`render`](crate::render)'s business.

use std::fmt;

use crate::span::Span;

/// Which kind of mistake it is, in the words of JupiterOne's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The text is not J1QL.
    Parser,
    /// The text is J1QL, but means nothing on this graph, or oversteps a limit.
    Validation,
}

impl Code {
    /// The code as the API spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parser => "PARSER_ERROR",
            Self::Validation => "VALIDATION_ERROR",
        }
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub span: Span,
    /// What happened, in JupiterOne's manner, with line and column.
    pub message: String,
    /// Why that is wrong, in our own words.
    pub explanation: Option<String>,
    /// What was probably meant.
    pub suggestion: Option<String>,
    /// Which kind it is.
    pub code: Code,
}

/// All mistakes that were found in one text, in the order of the text; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors {
    first: Problem,
    rest: Vec<Problem>,
}

impl Errors {
    /// One mistake.
    #[must_use]
    pub const fn one(problem: Problem) -> Self {
        Self { first: problem, rest: Vec::new() }
    }

    /// All of these, put into the order of the text; `None` where there are none.
    #[must_use]
    pub fn all(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by_key(|problem| problem.span);
        let mut problems = problems.into_iter();
        problems.next().map(|first| Self { first, rest: problems.collect() })
    }

    /// The mistake that stands first in the text.
    #[must_use]
    pub const fn first(&self) -> &Problem {
        &self.first
    }

    /// Every mistake, in the order of the text.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}

impl fmt::Display for Errors {
    /// The first mistake's message, and how many more there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.message)?;
        match self.rest.len() {
            0 => Ok(()),
            more => write!(f, " ({more} more)"),
        }
    }
}

impl std::error::Error for Errors {}
