//! The steps of the integration: which of them make which type, on which others they build, and what they read.
//!
//! Source: the ten original steps with their ids, names and order are those of JupiterOne's Heroku integration; the
//! others follow their manner.
//!
//! Invariant: a step makes one type, and stands after the steps that it depends on.

use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;
use metsuke_model::graph::{EntityType, RelationshipType};

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) depends_on: &'static [&'static str],
    /// The type that it makes.
    pub(super) makes: &'static str,
}

/// What a step makes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Made {
    Entities(&'static EntityType),
    Relationships(&'static RelationshipType),
}

const ACCOUNTS: &str = "fetch-enterprise-accounts";
const MEMBERS: &str = "fetch-account-members";
const TEAMS: &str = "fetch-teams";
const APPS: &str = "fetch-team-apps";
const ADDONS: &str = "fetch-app-addons";
const SPACES: &str = "fetch-spaces";
const PIPELINES: &str = "fetch-pipelines";
const INVITATIONS: &str = "fetch-team-invitations";
const UNRESOLVED: &str = "fetch-unresolved-team-members";
const AUTHORIZATIONS: &str = "fetch-own-authorizations";
const KEYS: &str = "fetch-own-keys";
const EMPLOYEES: &str = "fetch-employees";

const fn step(
    id: &'static str,
    name: &'static str,
    depends_on: &'static [&'static str],
    makes: &'static str,
) -> Step {
    Step { id, name, depends_on, makes }
}

/// Every step, in an order in which each can run.
pub(super) static STEPS: [Step; 30] = [
    step(ACCOUNTS, "Fetch Enterprise Accounts", &[], "heroku_account"),
    step(MEMBERS, "Fetch account members", &[ACCOUNTS], "heroku_account_member"),
    step(TEAMS, "Fetch teams", &[ACCOUNTS], "heroku_team"),
    step(APPS, "Fetch team apps", &[TEAMS], "heroku_application"),
    step(ADDONS, "Fetch app addons", &[APPS], "heroku_addon"),
    step(SPACES, "Fetch spaces", &[TEAMS], "heroku_space"),
    step(PIPELINES, "Fetch pipelines", &[], "heroku_pipeline"),
    step(INVITATIONS, "Fetch team invitations", &[TEAMS], "heroku_team_invitation"),
    step(UNRESOLVED, "Fetch unresolved team members", &[TEAMS], "heroku_unresolved_member"),
    step(AUTHORIZATIONS, "Fetch own authorizations", &[], "heroku_authorization"),
    step(KEYS, "Fetch own keys", &[], "heroku_key"),
    step(EMPLOYEES, "Fetch employees", &[], "employee"),
    step(
        "build-account-to-member-relationships",
        "Build Account-to-Member Relationships",
        &[ACCOUNTS, MEMBERS],
        "heroku_account_has_member",
    ),
    step(
        "build-account-to-team-relationships",
        "Build Account-to-Team Relationships",
        &[ACCOUNTS, TEAMS],
        "heroku_account_has_team",
    ),
    step(
        "build-team-to-application-relationships",
        "Build Team-to-Application Relationships",
        &[APPS, TEAMS],
        "heroku_team_owns_application",
    ),
    step(
        "build-application-to-addon-relationships",
        "Build Application-to-Addon Relationships",
        &[ADDONS, APPS],
        "heroku_application_has_addon",
    ),
    step(
        "build-team-to-member-relationships",
        "Build Team-to-Member Relationships",
        &[TEAMS, MEMBERS],
        "heroku_team_has_account_member",
    ),
    step(
        "build-member-to-assigned-application-relationships",
        "Build Member-to-Assigned-Application Relationships",
        &[MEMBERS, APPS],
        "heroku_account_member_assigned_application",
    ),
    step(
        "build-member-to-owned-application-relationships",
        "Build Member-to-Owned-Application Relationships",
        &[MEMBERS, APPS],
        "heroku_account_member_owns_application",
    ),
    step(
        "build-member-to-accessed-application-relationships",
        "Build Member-to-Accessed-Application Relationships",
        &[
            "build-team-to-member-relationships",
            "build-member-to-assigned-application-relationships",
            "build-member-to-owned-application-relationships",
        ],
        "heroku_account_member_accesses_application",
    ),
    step(
        "build-team-to-space-relationships",
        "Build Team-to-Space Relationships",
        &[TEAMS, SPACES],
        "heroku_team_has_space",
    ),
    step(
        "build-space-to-application-relationships",
        "Build Space-to-Application Relationships",
        &[SPACES, APPS],
        "heroku_space_hosts_application",
    ),
    step(
        "build-member-to-space-relationships",
        "Build Member-to-Space Relationships",
        &[MEMBERS, SPACES],
        "heroku_account_member_assigned_space",
    ),
    step(
        "build-pipeline-to-application-relationships",
        "Build Pipeline-to-Application Relationships",
        &[PIPELINES, APPS],
        "heroku_pipeline_contains_application",
    ),
    step(
        "build-application-to-attached-addon-relationships",
        "Build Application-to-Attached-Addon Relationships",
        &[APPS, ADDONS],
        "heroku_application_uses_addon",
    ),
    step(
        "build-team-to-invitation-relationships",
        "Build Team-to-Invitation Relationships",
        &[TEAMS, INVITATIONS],
        "heroku_team_has_invitation",
    ),
    step(
        "build-team-to-unresolved-member-relationships",
        "Build Team-to-Unresolved-Member Relationships",
        &[TEAMS, UNRESOLVED],
        "heroku_team_has_unresolved_member",
    ),
    step(
        "build-member-to-authorization-relationships",
        "Build Member-to-Authorization Relationships",
        &[MEMBERS, AUTHORIZATIONS],
        "heroku_account_member_has_authorization",
    ),
    step(
        "build-member-to-key-relationships",
        "Build Member-to-Key Relationships",
        &[MEMBERS, KEYS],
        "heroku_account_member_has_key",
    ),
    step(
        "build-member-to-employee-relationships",
        "Build Member-to-Employee Relationships",
        &[MEMBERS, EMPLOYEES],
        "heroku_account_member_is_employee",
    ),
];

impl Step {
    /// What it makes, as the catalogue has it.
    pub(super) fn made(&self) -> Option<Made> {
        let relationship = || RELATIONSHIP_TYPES.iter().find(|known| known.name == self.makes);
        EntityType::named(self.makes).map(Made::Entities).or_else(|| relationship().map(Made::Relationships))
    }
}

impl Made {
    pub(super) const fn is_original(self) -> bool {
        match self {
            Self::Entities(entity) => entity.original,
            Self::Relationships(relationship) => relationship.original,
        }
    }

    pub(super) const fn is_computed(self) -> bool {
        matches!(self, Self::Relationships(RelationshipType { computed: true, .. }))
    }

    /// The word in paths and files.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Entities(_) => "entities",
            Self::Relationships(_) => "relationships",
        }
    }
}

/// The steps that run with these options.
pub(super) fn steps(options: &super::Options) -> Vec<(&'static Step, Made)> {
    let runs = |made: Made| {
        (!options.only_original || made.is_original()) && (options.effective || !made.is_computed())
    };
    let made = |step: &'static Step| Some((step, step.made()?));
    STEPS.iter().filter_map(made).filter(|(_, made)| runs(*made)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use metsuke_model::graph::entities::ENTITY_TYPES;

    use super::*;

    #[test]
    fn every_type_of_the_catalogue_has_one_step() {
        let made: Vec<&str> = STEPS.iter().map(|step| step.makes).collect();
        let known: BTreeSet<&str> = ENTITY_TYPES
            .iter()
            .map(|known| known.name)
            .chain(RELATIONSHIP_TYPES.iter().map(|known| known.name))
            .collect();
        assert_eq!(made.len(), known.len());
        assert_eq!(made.into_iter().collect::<BTreeSet<_>>(), known);
    }

    #[test]
    fn a_step_stands_after_those_that_it_depends_on() {
        for (place, step) in STEPS.iter().enumerate() {
            for other in step.depends_on {
                assert!(STEPS[..place].iter().any(|before| before.id == *other), "{} of {}", other, step.id);
            }
        }
    }

    #[test]
    fn the_original_has_ten_steps() {
        let options = super::super::Options { only_original: true, ..Default::default() };
        assert_eq!(steps(&options).len(), 10);
        assert_eq!(steps(&super::super::Options::default()).len(), 29);
    }
}
