//! The secondary indexes, which a first load drops and builds again last.
//!
//! The migrations make the same ones; a test holds the two lists against each other.

/// What each index is called, and what drops and makes it. The text serves both engines.
pub(crate) const SECONDARY: [(&str, &str); 29] = [
    ("DROP INDEX person_uuid", "CREATE UNIQUE INDEX person_uuid ON person (uuid)"),
    (
        "DROP INDEX enterprise_account_uuid",
        "CREATE UNIQUE INDEX enterprise_account_uuid ON enterprise_account (uuid)",
    ),
    ("DROP INDEX team_uuid", "CREATE UNIQUE INDEX team_uuid ON team (uuid)"),
    ("DROP INDEX app_uuid", "CREATE UNIQUE INDEX app_uuid ON app (uuid)"),
    ("DROP INDEX space_uuid", "CREATE UNIQUE INDEX space_uuid ON space (uuid)"),
    ("DROP INDEX addon_uuid", "CREATE UNIQUE INDEX addon_uuid ON addon (uuid)"),
    ("DROP INDEX attachment_uuid", "CREATE UNIQUE INDEX attachment_uuid ON attachment (uuid)"),
    ("DROP INDEX pipeline_uuid", "CREATE UNIQUE INDEX pipeline_uuid ON pipeline (uuid)"),
    ("DROP INDEX coupling_uuid", "CREATE UNIQUE INDEX coupling_uuid ON coupling (uuid)"),
    ("DROP INDEX invitation_uuid", "CREATE UNIQUE INDEX invitation_uuid ON invitation (uuid)"),
    (
        "DROP INDEX unresolved_member_uuid",
        "CREATE UNIQUE INDEX unresolved_member_uuid ON unresolved_member (uuid)",
    ),
    (
        "DROP INDEX account_authorization_uuid",
        "CREATE UNIQUE INDEX account_authorization_uuid ON account_authorization (uuid)",
    ),
    ("DROP INDEX account_key_uuid", "CREATE UNIQUE INDEX account_key_uuid ON account_key (uuid)"),
    ("DROP INDEX person_email", "CREATE INDEX person_email ON person (lower(email))"),
    ("DROP INDEX team_name", "CREATE INDEX team_name ON team (name)"),
    (
        "DROP INDEX enterprise_account_name",
        "CREATE INDEX enterprise_account_name ON enterprise_account (name)",
    ),
    ("DROP INDEX app_name", "CREATE INDEX app_name ON app (name)"),
    ("DROP INDEX app_team", "CREATE INDEX app_team ON app (team, gone)"),
    ("DROP INDEX app_owner", "CREATE INDEX app_owner ON app (owner) WHERE owner IS NOT NULL"),
    ("DROP INDEX addon_app", "CREATE INDEX addon_app ON addon (app, addon_service)"),
    ("DROP INDEX attachment_app", "CREATE INDEX attachment_app ON attachment (app)"),
    ("DROP INDEX invitation_team", "CREATE INDEX invitation_team ON invitation (team)"),
    (
        "DROP INDEX team_enterprise_account",
        "CREATE INDEX team_enterprise_account ON team (enterprise_account) WHERE enterprise_account IS NOT NULL",
    ),
    ("DROP INDEX app_space", "CREATE INDEX app_space ON app (space) WHERE space IS NOT NULL"),
    ("DROP INDEX space_team", "CREATE INDEX space_team ON space (team)"),
    ("DROP INDEX attachment_addon", "CREATE INDEX attachment_addon ON attachment (addon)"),
    ("DROP INDEX coupling_pipeline", "CREATE INDEX coupling_pipeline ON coupling (pipeline)"),
    ("DROP INDEX coupling_app", "CREATE INDEX coupling_app ON coupling (app)"),
    ("DROP INDEX unresolved_member_team", "CREATE INDEX unresolved_member_team ON unresolved_member (team)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secondary_index_is_the_one_that_the_migrations_make() {
        for script in [
            concat!(
                include_str!("../migrations/sqlite/0001_estate.sql"),
                include_str!("../migrations/sqlite/0007_walks.sql"),
                include_str!("../migrations/sqlite/0014_credentials.sql"),
                include_str!("../migrations/sqlite/0020_apps_of_teams.sql")
            ),
            concat!(
                include_str!("../migrations/postgres/0001_estate.sql"),
                include_str!("../migrations/postgres/0007_walks.sql"),
                include_str!("../migrations/postgres/0014_credentials.sql"),
                include_str!("../migrations/postgres/0020_apps_of_teams.sql")
            ),
        ] {
            for (_, create) in SECONDARY {
                assert!(script.contains(&format!("{create};")), "{create}");
            }
            let indexes =
                script.matches("\nCREATE INDEX ").count() + script.matches("\nCREATE UNIQUE INDEX ").count();
            // What is made anew stands there twice.
            let dropped = script.matches("\nDROP INDEX ").count();
            assert_eq!(indexes - dropped, SECONDARY.len());
        }
    }
}
