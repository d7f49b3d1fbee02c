//! The secondary indexes, which a first load drops and builds again last.
//!
//! The migrations make the same ones; a test holds the two lists against each other.

/// What each index is called, and what drops and makes it. The text serves both engines.
pub(crate) const SECONDARY: [(&str, &str); 10] = [
    (
        "DROP INDEX access_principal",
        "CREATE INDEX access_principal ON access (principal_id, resource_id, mask)",
    ),
    ("DROP INDEX person_email", "CREATE INDEX person_email ON person (lower(email))"),
    ("DROP INDEX team_name", "CREATE INDEX team_name ON team (name)"),
    (
        "DROP INDEX enterprise_account_name",
        "CREATE INDEX enterprise_account_name ON enterprise_account (name)",
    ),
    ("DROP INDEX app_name", "CREATE INDEX app_name ON app (name)"),
    ("DROP INDEX app_team", "CREATE INDEX app_team ON app (team)"),
    ("DROP INDEX app_owner", "CREATE INDEX app_owner ON app (owner) WHERE owner IS NOT NULL"),
    ("DROP INDEX addon_app", "CREATE INDEX addon_app ON addon (app, addon_service)"),
    ("DROP INDEX attachment_app", "CREATE INDEX attachment_app ON attachment (app)"),
    ("DROP INDEX invitation_team", "CREATE INDEX invitation_team ON invitation (team)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secondary_index_is_the_one_that_the_migrations_make() {
        for script in [
            include_str!("../migrations/sqlite/0001_estate.sql"),
            include_str!("../migrations/postgres/0001_estate.sql"),
        ] {
            for (_, create) in SECONDARY {
                assert!(script.contains(&format!("{create};")), "{create}");
            }
            assert_eq!(script.matches("\nCREATE INDEX ").count(), SECONDARY.len());
        }
    }
}
