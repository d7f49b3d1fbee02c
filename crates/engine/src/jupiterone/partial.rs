//! Which types are partial: those that an unread scope feeds, and those whose steps build on them.
//!
//! Invariant: a scope that nobody knows feeds every type.

use std::collections::BTreeSet;

use metsuke_model::{Outcome, ScopeReport};

use super::Options;
use super::steps::{Made, STEPS, Step};

/// The steps that lack something.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// Steps whose own type an unread scope feeds, by their ids.
    unread: BTreeSet<&'static str>,
    /// Steps that build on one of these.
    dependent: BTreeSet<&'static str>,
}

impl Partial {
    /// Judges by the scopes of a sync.
    pub(super) fn of(scopes: &[ScopeReport], options: &Options) -> Self {
        let mut partial = Self::default();
        for scope in scopes.iter().filter(|scope| is_unread(scope)) {
            let fed = feeds(&scope.scope, options.only_original);
            let of = |step: &&Step| fed.as_ref().is_none_or(|fed| fed.contains(&step.makes));
            partial.unread.extend(STEPS.iter().filter(of).map(|step| step.id));
        }
        for step in &STEPS {
            let lacks = |id: &&str| partial.unread.contains(id) || partial.dependent.contains(id);
            if step.depends_on.iter().any(lacks) {
                partial.dependent.insert(step.id);
            }
        }
        partial
    }

    /// The status of a step, in JupiterOne's words.
    pub(super) fn status(&self, step: &Step) -> &'static str {
        if self.unread.contains(step.id) {
            "failure"
        } else if self.dependent.contains(step.id) {
            "partial_success_due_to_dependency_failure"
        } else {
            "success"
        }
    }

    /// Whether a step's type is partial.
    pub(super) fn has(&self, step: &Step) -> bool {
        self.unread.contains(step.id) || self.dependent.contains(step.id)
    }

    /// The partial types among those of these steps.
    pub(super) fn types(&self, steps: &[(&'static Step, Made)]) -> Vec<&'static str> {
        steps.iter().filter(|(step, _)| self.has(step)).map(|(step, _)| step.makes).collect()
    }
}

const PEOPLE: &str = "heroku_account_member";
const TEAM: &str = "heroku_team";
const APP: &str = "heroku_application";
const ASSIGNED: &str = "heroku_account_member_assigned_application";
const UNRESOLVED: &str = "heroku_unresolved_member";
const INVITATION: &str = "heroku_team_invitation";

/// The types that a scope feeds; `None` for one that is not known.
///
/// A list that was not read hides what would have been asked because of its rows, so it feeds those types too.
/// The original has only such people as Enterprise accounts name.
fn feeds(scope: &str, only_original: bool) -> Option<Vec<&'static str>> {
    let scope = scope.split(" (").next().unwrap_or(scope);
    let path = scope.split_once(' ').map_or(scope, |(_, path)| path);
    let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
    let (first, last) = (*words.first()?, if words.len() > 1 { words.last().copied() } else { None });
    let fed: &[&str] = match (first, last) {
        ("account", None) => &[PEOPLE],
        ("enterprise-accounts", None) => &["heroku_account", PEOPLE, TEAM, APP, UNRESOLVED],
        ("enterprise-accounts", Some("members")) => &[PEOPLE, "heroku_account_has_member"],
        ("enterprise-accounts", Some("teams")) => {
            &[TEAM, "heroku_account_has_team", "heroku_team_has_account_member", PEOPLE, APP, UNRESOLVED]
        }
        ("teams", None) => &[TEAM, PEOPLE, APP, "heroku_team_has_account_member", UNRESOLVED, INVITATION],
        ("teams", Some("members")) => &["heroku_team_has_account_member", PEOPLE, UNRESOLVED],
        ("teams", Some("permissions")) => &[ASSIGNED, APP, PEOPLE],
        ("teams", Some("apps")) => &[APP, "heroku_team_owns_application"],
        ("teams", Some("invitations")) => &[INVITATION, PEOPLE],
        ("apps", None) => &[APP, ASSIGNED, PEOPLE],
        ("filters", Some("apps")) => &[APP],
        ("apps", Some("collaborators")) => &[ASSIGNED, PEOPLE],
        ("addons", None) => &["heroku_addon"],
        ("addon-attachments", None) => &["heroku_application_uses_addon"],
        ("pipelines", None) => &["heroku_pipeline", PEOPLE],
        ("pipeline-couplings", None) => &["heroku_pipeline_contains_application"],
        ("oauth", Some("authorizations")) => &["heroku_authorization"],
        ("account", Some("keys")) => &["heroku_key"],
        ("spaces", None) => &["heroku_space", "heroku_account_member_assigned_space", PEOPLE],
        ("spaces", Some("members")) => &["heroku_account_member_assigned_space", PEOPLE],
        _ => return None,
    };
    let by_accounts = first == "enterprise-accounts" && last != Some("teams");
    Some(fed.iter().copied().filter(|fed| !only_original || by_accounts || *fed != PEOPLE).collect())
}

/// Whether what a scope feeds may lack something: a gap, what was switched off, and what the token's scope does not reach.
fn is_unread(scope: &ScopeReport) -> bool {
    scope.gap || scope.outcome == Outcome::Skipped || crate::sync::Credentials::is_limited(scope)
}

#[cfg(test)]
mod tests {
    use super::super::steps::steps;
    use super::*;

    fn partial(scope: &str, outcome: Outcome, options: &Options) -> Vec<&'static str> {
        let gap = !matches!(outcome, Outcome::Skipped | Outcome::Complete);
        let (reason, pages, rows, calls, duration_ms) = (None, 0, 0, 1, 1);
        let scope =
            ScopeReport { scope: scope.into(), outcome, reason, gap, pages, rows, calls, duration_ms };
        Partial::of(&[scope], options).types(&steps(options))
    }

    #[test]
    fn refused_team_members_make_their_relationships_partial_and_leave_apps_and_add_ons_whole() {
        let options = Options { only_original: true, ..Options::default() };
        let found = partial("GET /teams/core/members", Outcome::Refused, &options);
        assert_eq!(found, ["heroku_team_has_account_member"]);
        let found = partial("GET /teams/core/members", Outcome::Refused, &Options::default());
        assert!(
            found.contains(&"heroku_account_member") && found.contains(&"heroku_team_has_account_member")
        );
        for whole in [
            "heroku_account",
            "heroku_team",
            "heroku_application",
            "heroku_addon",
            "heroku_team_owns_application",
        ] {
            assert!(!found.contains(&whole), "{whole}");
        }
    }

    #[test]
    fn refused_add_ons_make_them_partial_and_what_points_at_them() {
        let found = partial("GET /addons", Outcome::Failed, &Options::default());
        assert_eq!(found, ["heroku_addon", "heroku_application_has_addon", "heroku_application_uses_addon"]);
        assert_eq!(partial("GET /addons", Outcome::Skipped, &Options::default()), found);
        assert!(partial("GET /addons", Outcome::Complete, &Options::default()).is_empty());
    }

    #[test]
    fn a_listing_that_could_not_be_settled_counts_as_unread() {
        let found =
            partial("GET /teams/core/permissions (direct or implicit)", Outcome::Failed, &Options::default());
        assert!(found.contains(&ASSIGNED) && !found.contains(&TEAM));
    }

    #[test]
    fn an_unknown_scope_makes_everything_partial() {
        let options = Options::default();
        assert_eq!(partial("GET /dreams", Outcome::Failed, &options).len(), steps(&options).len());
    }

    #[test]
    fn every_fed_type_is_one_of_the_catalogue() {
        for scope in [
            "/account",
            "/enterprise-accounts",
            "/enterprise-accounts/a/members",
            "/enterprise-accounts/a/teams",
            "/teams",
            "/teams/t/members",
            "/teams/t/permissions",
            "/teams/t/apps",
            "/teams/t/invitations",
            "/apps",
            "/filters/apps",
            "/apps/a/collaborators",
            "/addons",
            "/addon-attachments",
            "/pipelines",
            "/pipeline-couplings",
            "/spaces",
            "/spaces/s/members",
            "/oauth/authorizations",
            "/account/keys",
        ] {
            for fed in feeds(&format!("GET {scope}"), false).unwrap() {
                assert!(STEPS.iter().any(|step| step.makes == fed), "{fed}");
            }
        }
    }
}
