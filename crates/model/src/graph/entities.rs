//! Every type of entity with its properties.

use super::catalogue::{EntityType, Property, Source, Table, ValueType};
use crate::Kind;

const fn of(name: &'static str, value_type: ValueType, source: Source) -> Property {
    Property { name, value_type, source }
}

const fn text(name: &'static str, column: &'static str) -> Property {
    of(name, ValueType::Text, Source::Column(column))
}

const fn time(name: &'static str, column: &'static str) -> Property {
    of(name, ValueType::Time, Source::Column(column))
}

const fn flag(name: &'static str, column: &'static str) -> Property {
    of(name, ValueType::Flag, Source::Column(column))
}

const fn document(name: &'static str, value_type: ValueType, path: &'static [&'static str]) -> Property {
    of(name, value_type, Source::Document(path))
}

const ID: Property = of("id", ValueType::Text, Source::Id);
const CREATED: Property = time("createdOn", "created_at");
const UPDATED: Property = time("updatedOn", "updated_at");
const TEAM_ID: Property = of("teamId", ValueType::Text, Source::Reference("team", Kind::Team));
const TEAM_NAME: Property = of("teamName", ValueType::Text, Source::Referred("team", Kind::Team, "name"));

/// Every type of entity.
pub static ENTITY_TYPES: [EntityType; 12] = [
    EntityType {
        name: "heroku_account",
        class: "Account",
        table: Table::Objects(Kind::EnterpriseAccount),
        properties: &[
            ID,
            text("name", "name"),
            text("displayName", "name"),
            CREATED,
            UPDATED,
            document("identityProvider", ValueType::Text, &["identity_provider"]),
            document("trial", ValueType::Flag, &["trial"]),
        ],
        original: true,
        description: "A Heroku Enterprise account.",
    },
    EntityType {
        name: "heroku_account_member",
        class: "User",
        table: Table::Objects(Kind::User),
        properties: &[
            ID,
            text("username", "email"),
            of("name", ValueType::Text, Source::Column("email")),
            text("displayName", "email"),
            of("enterpriseAccountId", ValueType::Text, Source::EnterpriseAccount),
            text("email", "email"),
            text("fullName", "name"),
            flag("mfaEnabled", "two_factor_authentication"),
            flag("federated", "federated"),
            time("lastLoginOn", "last_login"),
            flag("ownAccount", "own_account"),
        ],
        original: true,
        description: "A person with a Heroku account: a member of Enterprise accounts and teams, or a collaborator on apps.",
    },
    EntityType {
        name: "heroku_team",
        class: "Team",
        table: Table::Objects(Kind::Team),
        properties: &[
            ID,
            text("name", "name"),
            text("displayName", "name"),
            CREATED,
            UPDATED,
            of(
                "enterpriseAccountId",
                ValueType::Text,
                Source::Reference("enterprise_account", Kind::EnterpriseAccount),
            ),
            text("teamType", "type"),
            flag("listed", "listed"),
        ],
        original: true,
        description: "A team, of an Enterprise account or standing alone.",
    },
    EntityType {
        name: "heroku_application",
        class: "Application",
        table: Table::Objects(Kind::App),
        properties: &[
            ID,
            text("name", "name"),
            text("displayName", "name"),
            CREATED,
            UPDATED,
            TEAM_ID,
            of(
                "owner",
                ValueType::Text,
                Source::FirstOf(&[
                    Source::Referred("owner", Kind::User, "email"),
                    Source::Suffixed(&Source::Referred("team", Kind::Team, "name"), "@herokumanager.com"),
                ]),
            ),
            TEAM_NAME,
            of("ownerId", ValueType::Text, Source::Reference("owner", Kind::User)),
            of("spaceId", ValueType::Text, Source::Reference("space", Kind::Space)),
            of("spaceName", ValueType::Text, Source::Referred("space", Kind::Space, "name")),
            flag("locked", "locked"),
            flag("maintenance", "maintenance"),
            time("archivedOn", "archived_at"),
            time("releasedOn", "released_at"),
            of("repoSizeBytes", ValueType::Number, Source::Column("repo_size")),
            of("slugSizeBytes", ValueType::Number, Source::Column("slug_size")),
            text("webLink", "web_url"),
            document("region", ValueType::Text, &["region"]),
            document("stack", ValueType::Text, &["stack"]),
            document("buildStack", ValueType::Text, &["build_stack"]),
            document("buildpack", ValueType::Text, &["buildpack_provided_description"]),
            document("acm", ValueType::Flag, &["acm"]),
            document("generation", ValueType::Text, &["generation", "name"]),
        ],
        original: true,
        description: "An app, of a team or of a person.",
    },
    EntityType {
        name: "heroku_addon",
        class: "Service",
        table: Table::Objects(Kind::AddOn),
        properties: &[
            ID,
            text("name", "name"),
            text("displayName", "name"),
            CREATED,
            UPDATED,
            of("applicationId", ValueType::Text, Source::Reference("app", Kind::App)),
            of("category", ValueType::Texts, Source::Texts(&["platform"])),
            of("endpoints", ValueType::Texts, Source::One(&Source::Column("web_url"))),
            of("function", ValueType::Texts, Source::Texts(&[])),
            of("applicationName", ValueType::Text, Source::Referred("app", Kind::App, "name")),
            text("service", "addon_service"),
            text("providerId", "provider_id"),
            document("plan", ValueType::Text, &["plan"]),
            document("state", ValueType::Text, &["state"]),
            document("priceCents", ValueType::Number, &["billed_price", "cents"]),
            document("priceUnit", ValueType::Text, &["billed_price", "unit"]),
        ],
        original: true,
        description: "An add-on, owned by the app that it was made for.",
    },
    EntityType {
        name: "heroku_space",
        class: "Cluster",
        table: Table::Objects(Kind::Space),
        properties: &[
            ID,
            text("name", "name"),
            text("displayName", "name"),
            CREATED,
            UPDATED,
            TEAM_ID,
            TEAM_NAME,
            text("state", "state"),
            document("region", ValueType::Text, &["region"]),
            document("shield", ValueType::Flag, &["shield"]),
            document("cidr", ValueType::Text, &["cidr"]),
            document("dataCidr", ValueType::Text, &["data_cidr"]),
        ],
        original: false,
        description: "A private space.",
    },
    EntityType {
        name: "heroku_pipeline",
        // `Workflow` is unknown to the data model 0.39, with which the original was built.
        class: "Project",
        table: Table::Objects(Kind::Pipeline),
        properties: &[
            ID,
            text("name", "name"),
            text("displayName", "name"),
            text("ownerId", "owner"),
            text("ownerType", "owner_type"),
        ],
        original: false,
        description: "A pipeline of apps.",
    },
    EntityType {
        name: "heroku_team_invitation",
        class: "Record",
        table: Table::Objects(Kind::Invitation),
        properties: &[
            ID,
            text("name", "email"),
            text("displayName", "email"),
            CREATED,
            UPDATED,
            text("email", "email"),
            text("role", "role"),
            TEAM_ID,
            TEAM_NAME,
            of("invitedBy", ValueType::Text, Source::Referred("invited_by", Kind::User, "email")),
        ],
        original: false,
        description: "An invitation to a team that nobody has accepted yet; it gives no access.",
    },
    EntityType {
        name: "heroku_unresolved_member",
        class: "Record",
        table: Table::Objects(Kind::UnresolvedMember),
        properties: &[
            ID,
            text("name", "email"),
            text("displayName", "email"),
            text("email", "email"),
            text("role", "role"),
            TEAM_ID,
            TEAM_NAME,
        ],
        original: false,
        description: "A team's member row without a user: somebody holds a role, and Heroku does not say who.",
    },
    EntityType {
        name: "heroku_authorization",
        class: "AccessKey",
        table: Table::Objects(Kind::Authorization),
        properties: &[
            ID,
            text("name", "name"),
            text("displayName", "name"),
            CREATED,
            UPDATED,
            of("userId", ValueType::Text, Source::Reference("account", Kind::User)),
            text("scope", "scope"),
            flag("global", "global"),
            flag("neverExpires", "never_expires"),
            flag("ownToken", "own_token"),
            text("client", "client"),
        ],
        original: false,
        description: "An authorization of the account whose token reads; its token is not kept.",
    },
    EntityType {
        name: "heroku_key",
        class: "AccessKey",
        table: Table::Objects(Kind::Key),
        properties: &[
            ID,
            text("name", "name"),
            text("displayName", "name"),
            CREATED,
            UPDATED,
            of("userId", ValueType::Text, Source::Reference("account", Kind::User)),
            text("fingerprint", "fingerprint"),
        ],
        original: false,
        description: "An SSH key of the account whose token reads.",
    },
    EntityType {
        name: "employee",
        class: "Person",
        table: Table::Employees,
        properties: &[
            ID,
            text("name", "name"),
            text("displayName", "name"),
            text("firstName", "first_name"),
            text("lastName", "last_name"),
            of("emails", ValueType::Texts, Source::JsonList("emails")),
            of("aliases", ValueType::Texts, Source::JsonList("aliases")),
            text("username", "username"),
            text("email", "email"),
            text("title", "title"),
            text("department", "department"),
            text("managerEmail", "manager_email"),
            text("employeeId", "employee_id"),
            text("employeeType", "employee_type"),
            flag("active", "active"),
            text("roster", "roster"),
        ],
        original: false,
        description: "A person of a roster.",
    },
];

impl EntityType {
    /// The type of this name; names are case-sensitive.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ENTITY_TYPES.iter().find(|entity| entity.name == name)
    }

    /// The type of the objects in a table; couplings and attachments are relationships and have none.
    #[must_use]
    pub fn of_table(table: Table) -> Option<&'static Self> {
        ENTITY_TYPES.iter().find(|entity| entity.table == table)
    }

    /// The property of this name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_property_name_means_one_type_of_value_everywhere() {
        let mut types = HashMap::new();
        for entity in &ENTITY_TYPES {
            for property in entity.properties {
                let known = *types.entry(property.name).or_insert(property.value_type);
                assert_eq!(known, property.value_type, "{} of {}", property.name, entity.name);
            }
        }
    }

    #[test]
    fn no_two_tables_share_the_number_in_their_ids() {
        let mut numbers: Vec<i64> = Kind::ALL.map(|kind| Table::Objects(kind).number()).into();
        numbers.push(Table::Employees.number());
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), Kind::ALL.len() + 1);
    }

    #[test]
    fn every_entity_has_a_name_to_show() {
        for entity in &ENTITY_TYPES {
            for name in ["id", "name", "displayName"] {
                assert!(entity.property(name).is_some(), "{name} of {}", entity.name);
            }
        }
    }

    #[test]
    fn columns_that_the_catalogue_names_are_there() {
        fn columns(source: &Source, found: &mut Vec<&'static str>) {
            match source {
                Source::Column(column) | Source::Reference(column, _) | Source::Referred(column, ..) => {
                    found.push(*column);
                }
                Source::Suffixed(source, _) | Source::One(source) => columns(source, found),
                Source::FirstOf(sources) => sources.iter().for_each(|source| columns(source, found)),
                _ => {}
            }
        }
        for entity in &ENTITY_TYPES {
            let Table::Objects(kind) = entity.table else { continue };
            let mut found = Vec::new();
            entity.properties.iter().for_each(|property| columns(&property.source, &mut found));
            for column in found {
                assert!(
                    kind.columns().iter().any(|known| known.name == column),
                    "{column} of {}",
                    entity.name
                );
            }
        }
    }
}
