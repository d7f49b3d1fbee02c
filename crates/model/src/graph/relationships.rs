//! Every type of relationship with its properties.

use super::catalogue::{EdgeProperty, EdgeSource, End, RelationSource, RelationshipType, ValueType};
use crate::{Kind, ResourceType};

const ROLE: EdgeProperty =
    EdgeProperty { name: "role", value_type: ValueType::Text, source: EdgeSource::Role };
const PERMISSIONS: EdgeProperty =
    EdgeProperty { name: "permissions", value_type: ValueType::Texts, source: EdgeSource::Entitlements };

const fn column(name: &'static str, column: &'static str) -> EdgeProperty {
    EdgeProperty { name, value_type: ValueType::Text, source: EdgeSource::Column(column) }
}

const fn refers(
    name: &'static str,
    (from, verb, to): (&'static str, &'static str, &'static str),
    (holder, column): (End, &'static str),
    description: &'static str,
) -> RelationshipType {
    let source = RelationSource::Refers { holder, column };
    RelationshipType {
        name,
        verb,
        from,
        to,
        source,
        properties: &[],
        original: false,
        computed: false,
        description,
    }
}

const fn original(mut relationship: RelationshipType) -> RelationshipType {
    relationship.original = true;
    relationship
}

const fn with(
    mut relationship: RelationshipType,
    source: RelationSource,
    properties: &'static [EdgeProperty],
) -> RelationshipType {
    relationship.source = source;
    relationship.properties = properties;
    relationship
}

/// Every type of relationship.
pub static RELATIONSHIP_TYPES: [RelationshipType; 18] = [
    original(with(
        refers(
            "heroku_account_has_member",
            ("heroku_account", "HAS", "heroku_account_member"),
            (End::To, ""),
            "The Enterprise account has the person as a member, with these permissions.",
        ),
        RelationSource::Access { resource: ResourceType::EnterpriseAccount, at: End::From },
        &[PERMISSIONS],
    )),
    original(refers(
        "heroku_account_has_team",
        ("heroku_account", "HAS", "heroku_team"),
        (End::To, "enterprise_account"),
        "The team belongs to the Enterprise account.",
    )),
    original(with(
        refers(
            "heroku_team_has_account_member",
            ("heroku_team", "HAS", "heroku_account_member"),
            (End::To, ""),
            "The person holds a role in the team.",
        ),
        RelationSource::Access { resource: ResourceType::Team, at: End::From },
        &[ROLE],
    )),
    original(refers(
        "heroku_team_owns_application",
        ("heroku_team", "OWNS", "heroku_application"),
        (End::To, "team"),
        "The app belongs to the team.",
    )),
    original(refers(
        "heroku_application_has_addon",
        ("heroku_application", "HAS", "heroku_addon"),
        (End::To, "app"),
        "The add-on was made for the app.",
    )),
    with(
        refers(
            "heroku_account_member_assigned_application",
            ("heroku_account_member", "ASSIGNED", "heroku_application"),
            (End::To, ""),
            "The app's own listing names the person, with these permissions.",
        ),
        RelationSource::Access { resource: ResourceType::App, at: End::To },
        &[PERMISSIONS],
    ),
    refers(
        "heroku_account_member_owns_application",
        ("heroku_account_member", "OWNS", "heroku_application"),
        (End::To, "owner"),
        "The personal app belongs to the person.",
    ),
    RelationshipType {
        name: "heroku_account_member_accesses_application",
        verb: "ACCESSES",
        from: "heroku_account_member",
        to: "heroku_application",
        source: RelationSource::Effective,
        properties: &[
            PERMISSIONS,
            EdgeProperty { name: "via", value_type: ValueType::Text, source: EdgeSource::Via },
        ],
        original: false,
        computed: true,
        description: "The person can do this on the app, by this way: one relationship for each way.",
    },
    refers(
        "heroku_team_has_space",
        ("heroku_team", "HAS", "heroku_space"),
        (End::To, "team"),
        "The private space belongs to the team.",
    ),
    refers(
        "heroku_space_hosts_application",
        ("heroku_space", "HOSTS", "heroku_application"),
        (End::To, "space"),
        "The app runs in the private space.",
    ),
    with(
        refers(
            "heroku_account_member_assigned_space",
            ("heroku_account_member", "ASSIGNED", "heroku_space"),
            (End::To, ""),
            "The person holds these permissions on the private space.",
        ),
        RelationSource::Access { resource: ResourceType::Space, at: End::To },
        &[PERMISSIONS],
    ),
    with(
        refers(
            "heroku_pipeline_contains_application",
            ("heroku_pipeline", "CONTAINS", "heroku_application"),
            (End::To, ""),
            "The app has a place in the pipeline.",
        ),
        RelationSource::Junction { kind: Kind::Coupling, from: "pipeline", to: "app" },
        &[column("stage", "stage")],
    ),
    with(
        refers(
            "heroku_application_uses_addon",
            ("heroku_application", "USES", "heroku_addon"),
            (End::To, ""),
            "The add-on is attached to the app, which holds its credentials as config vars.",
        ),
        RelationSource::Junction { kind: Kind::Attachment, from: "app", to: "addon" },
        &[column("attachmentName", "name")],
    ),
    refers(
        "heroku_team_has_invitation",
        ("heroku_team", "HAS", "heroku_team_invitation"),
        (End::To, "team"),
        "Somebody is invited to the team.",
    ),
    refers(
        "heroku_team_has_unresolved_member",
        ("heroku_team", "HAS", "heroku_unresolved_member"),
        (End::To, "team"),
        "The team has a member row that names no user.",
    ),
    refers(
        "heroku_account_member_has_authorization",
        ("heroku_account_member", "HAS", "heroku_authorization"),
        (End::To, "account"),
        "The authorization is the account's: whoever has its token acts as the account.",
    ),
    refers(
        "heroku_account_member_has_key",
        ("heroku_account_member", "HAS", "heroku_key"),
        (End::To, "account"),
        "The SSH key is the account's.",
    ),
    with(
        refers(
            "heroku_account_member_is_employee",
            ("heroku_account_member", "IS", "employee"),
            (End::To, ""),
            "The account belongs to the person.",
        ),
        RelationSource::Matched,
        &[column("matchedBy", "matched_by")],
    ),
];

impl RelationshipType {
    /// The property of this name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&'static EdgeProperty> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The name that JupiterOne's rule gives to relationships of a verb between two types.
    ///
    /// Source: `generateRelationshipType` of JupiterOne's integration SDK, as its output shows it: the parts that both
    /// names begin with are left out of the second, but for its last.
    #[must_use]
    pub fn conventional_name(from: &str, verb: &str, to: &str) -> String {
        let from_parts: Vec<&str> = from.split('_').collect();
        let to_parts: Vec<&str> = to.split('_').collect();
        let same = from_parts.iter().zip(&to_parts).take_while(|(left, right)| left == right).count();
        let rest = to_parts.get(same.min(to_parts.len().saturating_sub(1))..).unwrap_or_default();
        format!("{from}_{}_{}", verb.to_lowercase(), rest.join("_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::EntityType;

    #[test]
    fn every_name_follows_the_convention() {
        for relationship in &RELATIONSHIP_TYPES {
            let RelationshipType { name, verb, from, to, .. } = relationship;
            assert_eq!(*name, RelationshipType::conventional_name(from, verb, to));
        }
        assert_eq!(
            RelationshipType::conventional_name("heroku_account", "HAS", "heroku_account"),
            "heroku_account_has_account"
        );
    }

    #[test]
    fn both_ends_are_known_and_hold_the_columns() {
        for relationship in &RELATIONSHIP_TYPES {
            let from = EntityType::named(relationship.from).unwrap();
            let to = EntityType::named(relationship.to).unwrap();
            if let RelationSource::Refers { holder, column } = relationship.source {
                let table = if holder == End::From { from.table } else { to.table };
                let crate::graph::Table::Objects(kind) = table else { panic!("{}", relationship.name) };
                assert!(kind.columns().iter().any(|known| known.name == column), "{}", relationship.name);
            }
        }
    }
}
