//! Collects the values of a statement while its text is written.
//!
//! Invariant: every value of the query stands behind a placeholder; no text of a query comes into a statement.

use super::Bind;
use metsuke_model::graph::ValueType;

use super::dialect::Dialect;
use crate::check::Surroundings;
use crate::plan::Plan;

/// A statement that is being written.
#[derive(Debug)]
pub(super) struct Writer<'s> {
    pub(super) dialect: Dialect,
    pub(super) surroundings: &'s Surroundings,
    pub(super) binds: Vec<Bind>,
    /// Writes a query that another one compares with; none where it can return nothing.
    pub(super) subquery: Subquery,
}

/// The text of a query of one column, and the type of its values.
pub(super) type Subquery = fn(&mut Writer<'_>, &Plan) -> Option<(String, Option<ValueType>)>;

/// Whole numbers up to this have a floating-point value of their own.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Writer<'_> {
    /// A placeholder for a text.
    pub(super) fn text(&mut self, text: &str) -> String {
        // PostgreSQL has no text with a zero in it, so nothing equals one.
        let text = text.replace('\0', "\u{fffd}");
        self.binds.push(Bind::Text(text));
        self.dialect.text(self.binds.len())
    }

    /// A placeholder for a number, a whole one where it is one.
    pub(super) fn number(&mut self, number: f64) -> String {
        if number.fract() == 0.0 && number.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number within the exact range")]
            let whole = number as i64;
            return self.int(whole);
        }
        self.binds.push(Bind::Real(number));
        self.dialect.real_bind(self.binds.len())
    }

    /// A placeholder for a whole number.
    pub(super) fn int(&mut self, number: i64) -> String {
        self.binds.push(Bind::Int(number));
        self.dialect.int(self.binds.len())
    }

    /// A placeholder for bytes.
    pub(super) fn bytes(&mut self, bytes: Vec<u8>) -> String {
        self.binds.push(Bind::Bytes(bytes));
        self.dialect.bytes(self.binds.len())
    }
}
