//! The words and marks of a query's text.
//!
//! Which of them may follow which is the parser's business. Keywords are words like all others here, since most of them
//! may also name a property.
//!
//! Invariant: tokens stand in the order of the text and never overlap, and the last one is the end.

mod literal;
mod scan;

pub(crate) use scan::{is_plain_name, scan};

use crate::ast::Regex;
use crate::span::Span;

/// One word or mark with its place.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// Where it stands.
    pub(crate) span: Span,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters, digits and `_`; its text stands in the query.
    Word,
    /// Digits, perhaps with a fraction; its text stands in the query.
    Number,
    /// A quoted text, without its quotes and escapes.
    Text(String),
    /// `[name]`, without its brackets.
    Bracket(String),
    /// `date(…)`: what stands inside, without blanks and quotes.
    Date(String),
    /// `/pattern/flags`.
    Regex(Regex),
    /// `${name}`.
    Parameter(String),
    /// `{{name}}`.
    Placeholder(String),
    /// An operator or a bracket, as J1QL or as another language spells it.
    Mark(&'static str),
    /// A character that begins nothing.
    Strange,
    /// The end of the text.
    End,
}

/// What the tokens of a text are, and what is wrong with them.
#[derive(Debug)]
pub(crate) struct Scanned {
    /// The tokens; the last one is [`Kind::End`].
    pub(crate) tokens: Vec<Token>,
    /// Something that was opened and never closed: where, and what is wrong. Nothing behind it was read.
    pub(crate) unclosed: Option<(Span, String)>,
    /// Smaller mistakes.
    pub(crate) slips: Vec<(Span, String)>,
}

/// How the text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As a query: placeholders are values.
    Query,
    /// As a template: placeholders may also be names, parts of names and whole clauses.
    Template,
}
