//! Turns J1QL text into a checked plan, and the plan into one parameterised read-only SQL statement.
//!
//! Nothing here talks to a database: text and values come out, and whoever runs them is not known.
//!
//! In reading order: text → [`ast`] → plan → SQL.

pub mod ast;
pub mod check;
pub mod error;
#[cfg(feature = "evaluate")]
pub mod evaluate;
pub mod parse;
pub mod plan;
mod print;
pub mod render;
pub mod span;
pub mod sql;
pub mod suggest;
mod token;

pub use parse::parse;
