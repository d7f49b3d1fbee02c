//! What the connector says of itself: its name, and what it can do with which resource type.
//!
//! Whether provisioning is switched on is not said here: it is what the connector can do.
//!
//! Invariant: the text of [`capabilities_json`] depends on nothing but the program.

use serde::Serialize;

use crate::any;
use crate::proto::connector::resource_type::Trait;
use crate::proto::connector::{
    Capability, CapabilityPermissions, ConnectorCapabilities, ConnectorMetadata, CredentialDetails,
    ResourceType, ResourceTypeCapability, SkipEntitlementsAndGrants, V1Identifier,
};
use crate::shape::{Options, Type};

/// Where the platform is documented that the connector reads.
const HELP_URL: &str = "https://devcenter.heroku.com/articles/platform-api-reference";

/// What a parent process and C1 are told of the connector.
#[must_use]
pub fn metadata(options: Options) -> ConnectorMetadata {
    ConnectorMetadata {
        display_name: "Heroku".to_owned(),
        help_url: HELP_URL.to_owned(),
        description: "People, teams, Enterprise accounts and apps on Heroku, and who may do what with them"
            .to_owned(),
        capabilities: Some(capabilities(options)),
        ..ConnectorMetadata::default()
    }
}

/// What the connector can do: for each resource type in the order of ids, and all in all in the order of numbers.
#[must_use]
pub fn capabilities(options: Options) -> ConnectorCapabilities {
    let mut kinds = Type::ALL;
    kinds.sort_by_key(|kind| kind.as_str());
    let of_types: Vec<_> = kinds.into_iter().map(|kind| of_type(kind, options)).collect();
    let feeds = [Capability::EventFeedV2, Capability::ServiceModeTargetedSync].map(i32::from);
    let mut all: Vec<i32> =
        of_types.iter().flat_map(|of_type| of_type.capabilities.clone()).chain(feeds).collect();
    all.sort_unstable();
    all.dedup();
    ConnectorCapabilities {
        resource_type_capabilities: of_types,
        connector_capabilities: all,
        credential_details: Some(CredentialDetails::default()),
    }
}

fn of_type(kind: Type, options: Options) -> ResourceTypeCapability {
    let provision = kind.is_provisioned().then_some(Capability::Provision);
    let capabilities = [Capability::Sync, Capability::TargetedSync].into_iter().chain(provision);
    let resource_type = kind.message(options);
    let permissions = any::find::<CapabilityPermissions>(&resource_type.annotations).unwrap_or_default();
    ResourceTypeCapability {
        resource_type: Some(resource_type),
        capabilities: capabilities.map(i32::from).collect(),
        permissions: Some(permissions),
        ..ResourceTypeCapability::default()
    }
}

/// The capabilities as the `capabilities` subcommand prints them: JSON of a packed message, without a last line break.
#[must_use]
pub fn capabilities_json(options: Options) -> String {
    let capabilities = capabilities(options);
    let of_types = capabilities.resource_type_capabilities.iter();
    let json = Json {
        at_type: <ConnectorCapabilities as prost::Name>::type_url(),
        resource_type_capabilities: of_types.filter_map(of_type_json).collect(),
        connector_capabilities: names(&capabilities.connector_capabilities),
        credential_details: Empty {},
    };
    // Texts and lists of texts always make JSON.
    serde_json::to_string_pretty(&json).unwrap_or_default()
}

/// The messages of this file as the ecosystem's JSON has them, in the order of their fields' numbers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    #[serde(rename = "@type")]
    at_type: String,
    resource_type_capabilities: Vec<OfType>,
    connector_capabilities: Vec<&'static str>,
    credential_details: Empty,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfType {
    resource_type: TypeJson,
    capabilities: Vec<&'static str>,
    permissions: Permissions,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypeJson {
    id: String,
    display_name: String,
    traits: Vec<&'static str>,
    annotations: Vec<Annotation>,
    description: String,
}

#[derive(Serialize)]
struct Annotation {
    #[serde(rename = "@type")]
    at_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(flatten)]
    permissions: Permissions,
}

#[derive(Default, Serialize)]
struct Permissions {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<Permission>,
}

#[derive(Serialize)]
struct Permission {
    permission: String,
}

#[derive(Serialize)]
struct Empty {}

fn of_type_json(of_type: &ResourceTypeCapability) -> Option<OfType> {
    Some(OfType {
        resource_type: type_json(of_type.resource_type.as_ref()?),
        capabilities: names(&of_type.capabilities),
        permissions: permissions(of_type.permissions.clone().unwrap_or_default()),
    })
}

fn type_json(resource_type: &ResourceType) -> TypeJson {
    let traits = resource_type.traits.iter().filter_map(|number| Trait::try_from(*number).ok());
    TypeJson {
        id: resource_type.id.clone(),
        display_name: resource_type.display_name.clone(),
        traits: traits.map(|known| known.as_str_name()).collect(),
        annotations: resource_type.annotations.iter().filter_map(annotation).collect(),
        description: resource_type.description.clone(),
    }
}

/// One of the annotations that resource types carry; none for any other.
fn annotation(packed: &prost_types::Any) -> Option<Annotation> {
    let one = std::slice::from_ref(packed);
    let identifier = any::find::<V1Identifier>(one);
    let needed = any::find::<CapabilityPermissions>(one);
    if identifier.is_none() && needed.is_none() && !any::is::<SkipEntitlementsAndGrants>(packed) {
        return None;
    }
    Some(Annotation {
        at_type: packed.type_url.clone(),
        id: identifier.map(|identifier| identifier.id),
        permissions: needed.map(permissions).unwrap_or_default(),
    })
}

fn permissions(needed: CapabilityPermissions) -> Permissions {
    let permissions = needed.permissions.into_iter();
    Permissions {
        permissions: permissions.map(|needed| Permission { permission: needed.permission }).collect(),
    }
}

fn names(numbers: &[i32]) -> Vec<&'static str> {
    let known = numbers.iter().filter_map(|number| Capability::try_from(*number).ok());
    known.map(|capability| capability.as_str_name()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_the_ecosystem_prints() {
        let text = capabilities_json(Options::default());
        let head = concat!(
            "{\n",
            "  \"@type\": \"type.googleapis.com/c1.connector.v2.ConnectorCapabilities\",\n",
            "  \"resourceTypeCapabilities\": [\n",
            "    {\n",
            "      \"resourceType\": {\n",
            "        \"id\": \"app\",\n",
            "        \"displayName\": \"App\",\n",
            "        \"traits\": [\n",
            "          \"TRAIT_APP\"\n",
            "        ],\n",
            "        \"annotations\": [\n",
            "          {\n",
            "            \"@type\": \"type.googleapis.com/c1.connector.v2.V1Identifier\",\n",
            "            \"id\": \"app\"\n",
            "          }\n",
            "        ],\n",
            "        \"description\": \"A Heroku app, of a team or of a person\"\n",
            "      },\n",
            "      \"capabilities\": [\n",
            "        \"CAPABILITY_SYNC\",\n",
            "        \"CAPABILITY_TARGETED_SYNC\",\n",
            "        \"CAPABILITY_PROVISION\"\n",
            "      ],\n",
            "      \"permissions\": {}\n",
            "    },\n",
        );
        assert!(text.starts_with(head), "{text}");
        let tail = concat!(
            "  \"connectorCapabilities\": [\n",
            "    \"CAPABILITY_PROVISION\",\n",
            "    \"CAPABILITY_SYNC\",\n",
            "    \"CAPABILITY_TARGETED_SYNC\",\n",
            "    \"CAPABILITY_EVENT_FEED_V2\",\n",
            "    \"CAPABILITY_SERVICE_MODE_TARGETED_SYNC\"\n",
            "  ],\n",
            "  \"credentialDetails\": {}\n",
            "}",
        );
        assert!(text.ends_with(tail), "{text}");
    }

    #[test]
    fn types_are_sorted_and_only_teams_and_apps_are_provisioned() {
        let all = capabilities(Options::default()).resource_type_capabilities;
        let provisioned: Vec<(String, bool)> = all
            .into_iter()
            .map(|of_type| {
                let provisioned = of_type.capabilities.contains(&Capability::Provision.into());
                (of_type.resource_type.unwrap_or_default().id, provisioned)
            })
            .collect();
        let expected = [("app", true), ("enterprise_account", false), ("team", true), ("user", false)];
        assert_eq!(provisioned, expected.map(|(id, provisioned)| (id.to_owned(), provisioned)));
    }

    #[test]
    fn needed_scopes_are_named_where_newer_annotations_are_taken() {
        let text = capabilities_json(Options { newer_annotations: true });
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let team = &value["resourceTypeCapabilities"][2];
        assert_eq!(team["permissions"]["permissions"][0]["permission"], "global");
        assert_eq!(team["resourceType"]["annotations"][1]["permissions"][0]["permission"], "global");
    }
}
