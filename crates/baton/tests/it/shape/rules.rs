//! The rules of the ecosystem for messages, read from its descriptors and not from our code.
//!
//! Source: the validation rules of `c1.connector.v2`.

use std::collections::BTreeSet;

use metsuke_baton::any::{self, find};
use metsuke_baton::proto::connector::{
    AppTrait, Entitlement, EntitlementExclusionGroup, ExternalLink, Grant, GrantExpandable, GroupTrait,
    Resource, ResourceId, ResourceType, UserTrait, resource_type::Trait,
};
use prost_types::{Any, Struct, value::Kind};

/// What the ecosystem's tools of 2025 can resolve, of all that we might write.
const KNOWN: [&str; 10] = [
    "UserTrait",
    "GroupTrait",
    "AppTrait",
    "RawId",
    "ExternalLink",
    "V1Identifier",
    "SkipEntitlementsAndGrants",
    "EntitlementImmutable",
    "GrantExpandable",
    "GrantImmutable",
];

fn length(what: &str, text: &str, range: std::ops::RangeInclusive<usize>) {
    assert!(range.contains(&text.len()), "{what} has {} bytes", text.len());
}

/// Every annotation is one of those known; with `newer`, exclusion groups too.
pub(crate) fn annotations(annotations: &[Any]) {
    for any in annotations {
        let name = any.type_url.strip_prefix("type.googleapis.com/c1.connector.v2.").unwrap_or_default();
        let newer = any::is::<EntitlementExclusionGroup>(any) || name == "CapabilityPermissions";
        assert!(KNOWN.contains(&name) || newer, "{}", any.type_url);
    }
    let types: BTreeSet<_> = annotations.iter().map(|any| &any.type_url).collect();
    assert_eq!(types.len(), annotations.len(), "an annotation stands twice");
}

pub(crate) fn resource_type(message: &ResourceType) {
    length("id", &message.id, 1..=1_024);
    length("display name", &message.display_name, 1..=1_024);
    length("description", &message.description, 0..=4_096);
    assert_eq!(message.traits.len(), 1);
    assert!(Trait::try_from(message.traits[0]).is_ok());
    annotations(&message.annotations);
}

fn id(id: Option<&ResourceId>) {
    let id = id.unwrap();
    length("resource type", &id.resource_type, 1..=1_024);
    length("resource", &id.resource, 1..=1_024);
    assert!(!id.baton_resource);
}

fn name(text: &str) {
    length("display name", text, 1..=1_024);
    assert!(text.chars().all(|letter| !letter.is_control() && !('\u{202a}'..='\u{202e}').contains(&letter)));
    assert_eq!(text.trim(), text);
}

#[expect(deprecated, reason = "older readers look there")]
pub(crate) fn resource(message: &Resource) {
    id(message.id.as_ref());
    if let Some(parent) = &message.parent_resource_id {
        id(Some(parent));
    }
    name(&message.display_name);
    length("description", &message.description, 0..=2_048);
    annotations(&message.annotations);
    let status = message.status.as_ref().unwrap();
    assert!((1..=3).contains(&status.status));
    length("details", &status.details, 0..=1_024);
    profile(message.profile.as_ref().unwrap());
    if let Some(link) = find::<ExternalLink>(&message.annotations) {
        url(&link.url);
    }
    let same = |of_trait: Option<Struct>| assert_eq!(of_trait, message.profile);
    match message.id.as_ref().unwrap().resource_type.as_str() {
        "user" => {
            let user = find::<UserTrait>(&message.annotations).unwrap();
            assert!(user.emails.iter().all(|email| email.is_primary && email.address.contains('@')));
            assert!(user.emails.len() <= 1);
            assert_eq!(user.status.map(|status| status.status), Some(1));
            assert_eq!(user.account_type, 1);
            same(user.profile);
        }
        "app" => {
            let app = find::<AppTrait>(&message.annotations).unwrap();
            url(&app.help_url);
            same(app.profile);
        }
        _ => same(find::<GroupTrait>(&message.annotations).unwrap().profile),
    }
}

fn url(text: &str) {
    if !text.is_empty() {
        length("address", text, 1..=1_024);
        assert!(text.starts_with("https://"), "{text}");
        assert!(
            text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte)),
            "{text}"
        );
    }
}

fn profile(profile: &Struct) {
    assert!(!profile.fields.is_empty());
    for (name, value) in &profile.fields {
        let filled = match value.kind.as_ref().unwrap() {
            Kind::StringValue(text) => !text.is_empty() && text.len() <= 4_096,
            Kind::BoolValue(_) => true,
            _ => false,
        };
        assert!(filled, "{name}");
    }
}

pub(crate) fn entitlement(message: &Entitlement) {
    id(message.resource.as_ref().unwrap().id.as_ref());
    length("id", &message.id, 1..=1_024);
    name(&message.display_name);
    length("description", &message.description, 1..=2_048);
    length("slug", &message.slug, 1..=1_024);
    assert!((1..=3).contains(&message.purpose));
    annotations(&message.annotations);
    assert_eq!(message.grantable_to.first().map(|kind| &*kind.id), Some("user"));
    for kind in &message.grantable_to {
        resource_type(kind);
    }
}

pub(crate) fn grant(message: &Grant) {
    let entitlement = message.entitlement.as_ref().unwrap();
    length("entitlement", &entitlement.id, 1..=1_024);
    id(entitlement.resource.as_ref().unwrap().id.as_ref());
    id(message.principal.as_ref().unwrap().id.as_ref());
    length("id", &message.id, 1..=1_024);
    annotations(&message.annotations);
    if let Some(expandable) = find::<GrantExpandable>(&message.annotations) {
        let unique: BTreeSet<_> = expandable.entitlement_ids.iter().collect();
        assert!(!unique.is_empty() && unique.len() == expandable.entitlement_ids.len());
    }
    assert!(message.sources.as_ref().is_none_or(|sources| !sources.sources.is_empty()));
}
