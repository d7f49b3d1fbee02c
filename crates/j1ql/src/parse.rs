//! Reads a query's text into [`ast::Query`](crate::ast::Query), or says what is wrong with it.
//!
//! No catalogue is asked: whether a name means anything is checked later.
//!
//! Invariant: reading takes time linear in the text and never recurses deeper than [`DEEPEST`] levels allow.

mod advice;
mod compare;
mod cursor;
mod date;
mod expr;
mod filter;
mod output;
mod property;
mod query;
mod selector;
mod step;

use cursor::Parser;

use crate::ast::Query;
use crate::error::{Code, Errors, Problem};
use crate::span::Span;
use crate::token::Manner;

pub use date::is_date;
pub(crate) use date::unit_name;
pub(crate) use property::{must_be_bracketed, names_a_function};

/// The longest text that is read, in bytes.
pub const LONGEST: usize = 100_000;

/// How deep parentheses, groups and subqueries may nest.
pub const DEEPEST: usize = 64;

/// Reads a query.
///
/// # Errors
///
/// [`Errors`] with every mistake that was found, each with its place; nothing is guessed.
pub fn parse(text: &str) -> Result<Query, Errors> {
    read(text, Manner::Query)
}

/// Whether `text` is a well-formed template of a query.
///
/// `{{name}}` and `${name}` may stand for a value, a name or a part of one, a number, a whole condition or a whole
/// clause.
///
/// # Errors
///
/// [`Errors`] as of [`parse`].
pub fn check_template(text: &str) -> Result<(), Errors> {
    // What reads as a query as it stands is one; only then do placeholders become more than values.
    match read(text, Manner::Query) {
        Ok(_) => Ok(()),
        Err(_) => read(text, Manner::Template).map(drop),
    }
}

fn read(text: &str, manner: Manner) -> Result<Query, Errors> {
    if text.len() > LONGEST {
        return Err(Errors::one(Problem {
            span: Span::new(0, 0),
            message: "Error parsing query. The query is too long.".to_owned(),
            explanation: Some(format!("it has {} bytes, and at most {LONGEST} are read", text.len())),
            suggestion: None,
            code: Code::Validation,
        }));
    }
    Parser::new(text, manner).whole()
}
