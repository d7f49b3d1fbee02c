//! Whether the grants of a file are expanded, and how many that would be.
//!
//! What expansion adds to one resource stands in [`Shape::expanded`]; here is the choice for a whole file.
//!
//! Invariant: where nobody chose, a file is expanded exactly when it then has no more than [`MOST`] grants.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::shape::Shape;

/// Above so many grants an expanded file is more than readers take with ease.
pub const MOST: usize = 2_000_000;

/// Whether to expand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expand {
    /// Whatever it comes to.
    Always,
    /// Readers do it.
    Never,
    /// Up to [`MOST`] grants.
    #[default]
    Auto,
}

/// A word that is no choice.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` says neither `always` nor `never` nor `auto`")]
pub struct ExpandError(String);

impl Expand {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Auto => "auto",
        }
    }

    /// Whether a file of this estate is expanded.
    #[must_use]
    pub fn decide(self, shape: Shape<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => count_expanded(shape, MOST) <= MOST,
        }
    }
}

impl fmt::Display for Expand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Expand {
    type Err = ExpandError;

    fn from_str(text: &str) -> Result<Self, ExpandError> {
        let choices = [Self::Always, Self::Never, Self::Auto];
        let found = choices.into_iter().find(|choice| choice.as_str() == text);
        found.ok_or_else(|| ExpandError(text.chars().take(80).collect()))
    }
}

/// How many grants an expanded file has; counting ends with the first resource that brings it above `most`.
#[must_use]
pub fn count_expanded(shape: Shape<'_>, most: usize) -> usize {
    let mut count = 0;
    for place in shape.places() {
        count += shape.count_grants(place, true);
        if count > most {
            break;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_read_as_it_is_shown() {
        for choice in [Expand::Always, Expand::Never, Expand::Auto] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        let error = "sometimes".parse::<Expand>().unwrap_err();
        assert_eq!(error.to_string(), "`sometimes` says neither `always` nor `never` nor `auto`");
    }
}
