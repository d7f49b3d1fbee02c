//! Errors that name several wrong things at once: fields of settings, rows of a roster.

use super::EngineError;
use crate::people::BadRow;

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadField {
    /// Its name, as the API and the command line have it.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl EngineError {
    /// One field that is wrong.
    #[must_use]
    pub fn field(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Fields { fields: vec![BadField { field, problem: problem.into() }] }
    }
}

pub(super) fn fields_summary(fields: &[BadField]) -> String {
    let told: Vec<_> = fields.iter().map(|bad| format!("{}: {}", bad.field, bad.problem)).collect();
    told.join("; ")
}

/// The first wrong row, and how many more there are.
pub(super) fn summary(rows: &[BadRow]) -> String {
    let first = rows.first().map(ToString::to_string).unwrap_or_default();
    match rows.len() {
        0 | 1 => first,
        count => format!("{first} (and {} more wrong rows)", count - 1),
    }
}
