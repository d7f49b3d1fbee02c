//! People: whose a Heroku account is, as a roster of employees and the operator's own word tell.
//!
//! A roster is read elsewhere; here are only the words, and the rules by which an account finds its person.
//!
//! Invariant: what cannot be told for certain is left open and said so; nobody is given another person's access.

mod domains;
mod matching;

pub use domains::is_public as is_public_domain;
pub use matching::{Account, Choice, MatchedBy, Verdict, verdicts};

/// How a roster came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RosterKind {
    /// A CSV file.
    Csv,
    /// A SCIM 2.0 document.
    Scim,
    /// A server that answers as Okta's users API does.
    Okta,
}

impl RosterKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Scim, Self::Okta];

    /// The word that is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Scim => "scim",
            Self::Okta => "okta",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A value as it is compared and kept: without blanks around it, in small letters.
#[must_use]
pub fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}
