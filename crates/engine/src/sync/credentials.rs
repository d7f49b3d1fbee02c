//! The two listings that need a token of the scope `global`: what lets programs in as the account whose token reads.
//!
//! A narrower token is no fault of a sync: what it cannot show is told as a limit, and the version stays complete.
//!
//! Invariant: a refusal is a limit only where the token's own scopes explain it; any other one is a gap.

use metsuke_clients::{ClientError, ErrorKind};
use metsuke_model::{Outcome, ScopeReport};

use super::listing::Listing;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    Authorizations,
    Keys,
}

/// The scope that both need.
///
/// Source: facts of the Platform API, section 8.1.
const NEEDED: &str = "global";

impl Credentials {
    pub(super) const fn of(listing: &Listing) -> Option<Self> {
        match listing {
            Listing::Authorizations => Some(Self::Authorizations),
            Listing::Keys => Some(Self::Keys),
            _ => None,
        }
    }

    /// The name of the listing among a version's scopes.
    pub(crate) const fn scope(self) -> &'static str {
        match self {
            Self::Authorizations => "GET /oauth/authorizations",
            Self::Keys => "GET /account/keys",
        }
    }

    /// Whether a scope is one of these, and was not read because of the token's scope.
    pub(crate) fn is_limited(scope: &ScopeReport) -> bool {
        let named = [Self::Authorizations, Self::Keys].iter().any(|listing| *scope.scope == *listing.scope());
        named && scope.outcome == Outcome::Refused && !scope.gap
    }
}

/// Why a refusal is a limit of the token, where it is one; `held` are the token's scopes as Heroku told them.
pub(super) fn limit(error: &ClientError, held: Option<&[String]>) -> Option<String> {
    let held = held.filter(|held| !held.is_empty())?;
    let ErrorKind::Forbidden { accepted_scopes } = error.kind() else { return None };
    let accepted = accepted_scopes.iter().map(String::as_str).chain([NEEDED]);
    let fits = accepted.into_iter().any(|scope| held.iter().any(|held| held == scope));
    let have = held.join(" ");
    (!fits).then(|| format!("not readable with this token's scope: it is `{have}`, and `{NEEDED}` is needed"))
}
