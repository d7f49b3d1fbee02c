//! Writes a plan as one parameterised, read-only statement over the store's tables.
//!
//! In reading order: `branch` takes one type for each place of the path, `from` joins the tables of a branch,
//! `property`, `compare` and `condition` write what is asked of them, `statement` puts branches and outputs together,
//! [`details`] reads what was found.
//!
//! Invariant: a statement's text is made of the catalogue's words, this crate's literals and placeholders.

mod branch;
mod compare;
mod condition;
pub mod details;
mod dialect;
mod fold;
mod from;
mod leaves;
mod output;
mod property;
pub mod reads;
pub(crate) mod selective;
mod statement;
mod term;
mod truth;
mod value;
mod ways;
mod writer;

use metsuke_model::ResourceType;
use metsuke_model::graph::ValueType;

pub use branch::Way;
pub use dialect::Dialect;

use crate::check::Surroundings;
use crate::error::{Code, Errors, Problem};
use crate::plan::Plan;
use crate::span::Span;

/// A statement with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The text, with the placeholders `$1`, `$2`, ….
    pub sql: String,
    /// The values, in the order of the placeholders' numbers.
    pub binds: Vec<Bind>,
    /// What the result's columns are, in their order.
    pub columns: Vec<Column>,
}

/// One value of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Bind {
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// What one or several neighbouring columns of a result are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What the query calls it.
    pub name: String,
    /// How it is read.
    pub shape: Shape,
}

/// How a column is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One column: a value of this type, a list as JSON text; always NULL without a type.
    Value(Option<ValueType>),
    /// One column: a list of entitlements on this type of resource, as the number of their mask; where others are among
    /// them, as a text of that number and the JSON list of these.
    Entitlements(ResourceType),
    /// One column: the dense id of an entity; `all`: to be shown as all its properties.
    Entity {
        /// Shown as its properties, one column each.
        all: bool,
    },
    /// [`EDGE_COLUMNS`] columns that make up a relationship; `all` as above.
    Relationship {
        /// Shown as its properties, one column each.
        all: bool,
    },
    /// One column that is only grouped by, and not shown.
    Hidden,
}

/// How many columns a relationship has.
///
/// They are the number of its type in the catalogue times eight plus the number of its way, the dense ids of both ends,
/// the bits of what is held (0 where nothing is), and the dense id of the row between (0 where there is none).
pub const EDGE_COLUMNS: usize = 5;

/// Writes a plan as a statement.
///
/// # Errors
///
/// Where the query's types and verbs can stand on a path in too many ways.
pub fn emit(plan: &Plan, surroundings: &Surroundings, dialect: Dialect) -> Result<Statement, Errors> {
    statement::emit(plan, surroundings, dialect).map_err(|branch::TooMany| {
        Errors::one(Problem {
            span: Span::default(),
            message: format!("The query can be read in more than {} ways.", branch::MOST_BRANCHES),
            explanation: Some(
                "every * and every alternative multiplies the types that can stand there".to_owned(),
            ),
            suggestion: Some("name classes or types and verbs, or ask for fewer hops".to_owned()),
            code: Code::Validation,
        })
    })
}
