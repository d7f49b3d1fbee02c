//! Gives entities and relationships JupiterOne's shape, with what its schemas ask for.
//!
//! Source: the schemas of the npm package `@jupiterone/data-model`, and what JupiterOne's Heroku integration emits.
//!
//! Invariant: a required property is there and has the type that the profile's schemas want.

use metsuke_model::graph::{EntityType, RelationshipType};
use serde_json::{Map, Value as Json, json};

use super::{Options, Profile};
use crate::graph::{Edge, Node};

/// An entity.
pub(super) fn entity(node: Node, entity_type: &EntityType, options: &Options) -> Map<String, Json> {
    let mut object = Map::new();
    for (name, value) in &node.properties {
        object.insert((*name).into(), value.to_json());
    }
    fill(&mut object, entity_type, &node.key, options.profile);
    if let Some(name) = &options.account_name {
        object.insert("tag.AccountName".into(), json!(name));
    }
    if options.production {
        object.insert("tag.Production".into(), json!(true));
    }
    object.insert("_key".into(), json!(node.key));
    object.insert("_type".into(), json!(entity_type.name));
    object.insert("_class".into(), json!([entity_type.class]));
    let raw: Vec<Json> =
        node.row.map(|row| json!({ "name": "default", "rawData": row })).into_iter().collect();
    object.insert("_rawData".into(), Json::Array(raw));
    object
}

/// A relationship.
pub(super) fn relationship(edge: &Edge, relationship: &RelationshipType) -> Map<String, Json> {
    let mut object = Map::new();
    for (name, value) in &edge.properties {
        object.insert((*name).into(), value.to_json());
    }
    for (name, value) in [
        ("_key", edge.key.as_str()),
        ("_type", relationship.name),
        ("_class", relationship.verb),
        ("_fromEntityKey", edge.from_key.as_str()),
        ("_toEntityKey", edge.to_key.as_str()),
        ("displayName", relationship.verb),
    ] {
        object.insert(name.into(), json!(value));
    }
    object
}

/// Adds what the schemas require and Heroku left out, and turns what they want otherwise.
fn fill(object: &mut Map<String, Json>, entity_type: &EntityType, key: &str, profile: Profile) {
    // A thing without a name goes by its id.
    for name in ["name", "displayName"] {
        object.entry(name).or_insert_with(|| json!(key));
    }
    match entity_type.class {
        "Service" => {
            // Heroku sends no address for some add-ons; the original integration failed on them.
            object.entry("endpoints").or_insert_with(|| json!([]));
        }
        "User" => user(object, key, profile),
        "Account" if profile == Profile::Current => {
            object.insert("vendor".into(), json!("Heroku"));
        }
        "Person" => person(object),
        _ => {}
    }
}

fn user(object: &mut Map<String, Json>, key: &str, profile: Profile) {
    let email = object.remove("email").filter(|email| email.as_str().is_some_and(is_address));
    match profile {
        Profile::Classic => {
            object.entry("username").or_insert_with(|| json!(key));
            object.extend(email.map(|email| ("email".to_owned(), email)));
        }
        Profile::Current => {
            let list = |value: Option<Json>| value.map_or(Json::Null, |value| json!([value]));
            let username = object.remove("username");
            object.insert("username".into(), list(username));
            object.insert("email".into(), list(email));
            for name in ["shortLoginId", "firstName", "lastName"] {
                object.insert(name.into(), Json::Null);
            }
            if let Some(enabled) = object.get("mfaEnabled").cloned() {
                object.insert("isMfaEnabled".into(), enabled);
            }
        }
    }
}

/// A person has a list of addresses and two names in every version of the schemas.
fn person(object: &mut Map<String, Json>) {
    let first = object.remove("email");
    let all = object.remove("emails").and_then(|emails| emails.as_array().cloned()).unwrap_or_default();
    let mut emails: Vec<Json> = Vec::new();
    for email in first.into_iter().chain(all) {
        if email.as_str().is_some_and(is_address) && !emails.contains(&email) {
            emails.push(email);
        }
    }
    object.insert("email".into(), Json::Array(emails));
    let name = object.get("name").and_then(Json::as_str).unwrap_or_default().trim().to_owned();
    let (first, last) = name.rsplit_once(' ').unwrap_or((&name, ""));
    object.entry("firstName").or_insert_with(|| json!(first));
    object.entry("lastName").or_insert_with(|| json!(last));
}

/// Whether a text is an address as the schemas' checker sees it.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let word = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
    let local = local.split('.').all(|part| !part.is_empty() && part.chars().all(word));
    let label = |label: &str| {
        let inner = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        inner && !label.is_empty() && label.len() < 64 && !label.starts_with('-') && !label.ends_with('-')
    };
    local && domain.contains('.') && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use metsuke_model::Version;
    use metsuke_model::graph::Value;

    use super::*;

    fn shaped(name: &str, properties: &[(&'static str, Value)], options: &Options) -> Json {
        let key = "01234567-89ab-cdef-0123-456789abcdef".to_owned();
        let node = Node { dense: 1, key, since: Version(1), properties: properties.to_vec(), row: None };
        Json::Object(entity(node, EntityType::named(name).unwrap(), options))
    }

    #[test]
    fn an_add_on_without_an_address_has_no_endpoints() {
        let addon = shaped("heroku_addon", &[], &Options::default());
        assert_eq!(addon["endpoints"], json!([]));
        assert_eq!(addon["name"], addon["_key"]);
    }

    #[test]
    fn an_app_without_an_owner_has_none() {
        let app = shaped("heroku_application", &[("name", "a".into())], &Options::default());
        assert_eq!(app.get("owner"), None);
        assert_eq!(app["displayName"], app["_key"]);
    }

    #[test]
    fn a_user_name_is_a_text_in_one_profile_and_a_list_in_the_other() {
        let properties: [(&'static str, Value); 2] =
            [("username", "Ann@Example.com".into()), ("email", "Ann@Example.com".into())];
        let classic = shaped("heroku_account_member", &properties, &Options::default());
        assert_eq!(
            (&classic["username"], &classic["email"]),
            (&json!("Ann@Example.com"), &json!("Ann@Example.com"))
        );
        let options = Options { profile: Profile::Current, ..Options::default() };
        let current = shaped("heroku_account_member", &properties, &options);
        assert_eq!(current["username"], json!(["Ann@Example.com"]));
        assert_eq!(current["shortLoginId"], Json::Null);
        assert_eq!(shaped("heroku_account_member", &[], &options)["email"], Json::Null);
    }

    #[test]
    fn what_is_no_address_is_no_email() {
        for text in ["", "ann", "ann@", "@x.org", "a b@x.org", "a@x", "a@-x.org", "a..b@x.org", "é@x.org"] {
            assert!(!is_address(text), "{text}");
        }
        assert!(is_address("ann+x@mail.example.org"));
    }

    #[test]
    fn the_tag_is_on_entities() {
        let options = Options { account_name: Some("Prod".into()), ..Options::default() };
        assert_eq!(shaped("heroku_team", &[], &options)["tag.AccountName"], json!("Prod"));
        assert_eq!(shaped("heroku_team", &[], &options)["tag.Production"], Json::Null);
        let options = Options { production: true, ..Options::default() };
        assert_eq!(shaped("heroku_team", &[], &options)["tag.Production"], json!(true));
    }
}
