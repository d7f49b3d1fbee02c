//! Whether a token's scope suffices for a write.
//!
//! The role of the token's user, which may still be too low, is Heroku's to judge.
//!
//! Invariant: scopes that are not known are never called too narrow.

use super::WriteTarget;

/// What is known about a token's scope and a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeCheck {
    /// The token has a scope that is accepted.
    Enough,
    /// The token has none of the scopes that are accepted.
    Short {
        /// The scopes of the token.
        token_scopes: Vec<String>,
        /// The scopes that are accepted; the narrowest first.
        accepted_scopes: &'static [&'static str],
    },
    /// Heroku has not told the token's scopes yet; any answer but a 401 tells them.
    Unknown,
}

impl ScopeCheck {
    pub(super) fn of(token_scopes: Option<Vec<String>>, target: WriteTarget) -> Self {
        let accepted_scopes = target.accepted_scopes();
        match token_scopes.filter(|scopes| !scopes.is_empty()) {
            None => Self::Unknown,
            Some(held) if held.iter().any(|scope| accepted_scopes.contains(&scope.as_str())) => Self::Enough,
            Some(token_scopes) => Self::Short { token_scopes, accepted_scopes },
        }
    }

    /// What the user can do about a scope that is too narrow.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let Self::Short { accepted_scopes, .. } = self else { return None };
        let scope = accepted_scopes.first()?;
        Some(format!("make a token with `heroku authorizations:create --scope {scope}`"))
    }
}

impl std::fmt::Display for ScopeCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Enough => f.write_str("the token's scope suffices"),
            Self::Short { token_scopes, accepted_scopes } => write!(
                f,
                "the token's scope is `{}`, and one of `{}` is needed",
                token_scopes.join(" "),
                accepted_scopes.join(" "),
            ),
            Self::Unknown => f.write_str("the token's scopes are not known"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scopes: &[&str], target: WriteTarget) -> ScopeCheck {
        ScopeCheck::of(Some(scopes.iter().map(|&scope| scope.to_owned()).collect()), target)
    }

    #[test]
    fn only_global_writes_memberships() {
        for target in [WriteTarget::TeamMember, WriteTarget::TeamInvitation] {
            assert_eq!(check(&["identity", "global"], target), ScopeCheck::Enough);
            for scope in ["read", "write", "write-protected", "identity"] {
                let short = check(&[scope], target);
                let text = format!("the token's scope is `{scope}`, and one of `global` is needed");
                assert_eq!(short.to_string(), text);
                let hint = "make a token with `heroku authorizations:create --scope global`";
                assert_eq!(short.hint().as_deref(), Some(hint));
            }
        }
    }

    #[test]
    fn a_writing_scope_writes_collaborators() {
        for scope in ["global", "write", "write-protected"] {
            assert_eq!(check(&[scope], WriteTarget::Collaborator), ScopeCheck::Enough);
        }
        for scopes in [&["read"][..], &["read-protected"], &["identity", "read"]] {
            let short = check(scopes, WriteTarget::Collaborator);
            assert!(short.hint().is_some_and(|hint| hint.ends_with("--scope write`")), "{short}");
        }
    }

    #[test]
    fn unknown_scopes_are_not_too_narrow() {
        assert_eq!(ScopeCheck::of(None, WriteTarget::TeamMember), ScopeCheck::Unknown);
        assert_eq!(check(&[], WriteTarget::TeamMember), ScopeCheck::Unknown);
        assert_eq!(ScopeCheck::Unknown.hint(), None);
    }
}
