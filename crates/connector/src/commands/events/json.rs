//! Events as protobuf's JSON, in one line.
//!
//! Only what this connector's events hold is written.
//!
//! Source: the mapping of protobuf to JSON: names in camel case, fields in the order of the message, nothing that is empty,
//! times in RFC 3339.
//!
//! Invariant: one event is one object without a line end.

use metsuke_baton::proto::connector::event::Event as Happened;
use metsuke_baton::proto::connector::{Entitlement, Event, Resource, ResourceId};
use metsuke_baton::time::moment;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'e> {
    id: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    occurred_at: Option<String>,
    #[serde(flatten)]
    event: Option<Kind<'e>>,
}

#[derive(Serialize)]
enum Kind<'e> {
    #[serde(rename = "usageEvent", rename_all = "camelCase")]
    Usage {
        #[serde(skip_serializing_if = "Option::is_none")]
        target_resource: Option<Thing<'e>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        actor_resource: Option<Thing<'e>>,
    },
    #[serde(rename = "resourceChangeEvent", rename_all = "camelCase")]
    ResourceChange {
        #[serde(skip_serializing_if = "Option::is_none")]
        resource_id: Option<Id<'e>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        parent_resource_id: Option<Id<'e>>,
    },
    #[serde(rename = "createGrantEvent")]
    CreateGrant(Access<'e>),
    #[serde(rename = "createRevokeEvent")]
    CreateRevoke(Access<'e>),
}

#[derive(Serialize)]
struct Access<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    entitlement: Option<Offer<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Thing<'e>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Offer<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Thing<'e>>,
    id: &'e str,
    #[serde(skip_serializing_if = "str::is_empty")]
    display_name: &'e str,
    #[serde(skip_serializing_if = "str::is_empty")]
    slug: &'e str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Thing<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Id<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_resource_id: Option<Id<'e>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    display_name: &'e str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Id<'e> {
    resource_type: &'e str,
    resource: &'e str,
}

/// One event.
pub(super) fn event(event: &Event) -> String {
    let occurred_at = event.occurred_at.as_ref().map(|at| moment(at).to_string());
    let line = Line { id: &event.id, occurred_at, event: event.event.as_ref().and_then(kind) };
    // Texts always make JSON.
    serde_json::to_string(&line).unwrap_or_default()
}

fn kind(happened: &Happened) -> Option<Kind<'_>> {
    Some(match happened {
        Happened::UsageEvent(event) => Kind::Usage {
            target_resource: event.target_resource.as_ref().map(thing),
            actor_resource: event.actor_resource.as_ref().map(thing),
        },
        Happened::ResourceChangeEvent(event) => Kind::ResourceChange {
            resource_id: event.resource_id.as_ref().map(id),
            parent_resource_id: event.parent_resource_id.as_ref().map(id),
        },
        Happened::CreateGrantEvent(event) => Kind::CreateGrant(Access {
            entitlement: event.entitlement.as_ref().map(offer),
            principal: event.principal.as_ref().map(thing),
        }),
        Happened::CreateRevokeEvent(event) => Kind::CreateRevoke(Access {
            entitlement: event.entitlement.as_ref().map(offer),
            principal: event.principal.as_ref().map(thing),
        }),
        Happened::GrantEvent(_) | Happened::RevokeEvent(_) => return None,
    })
}

fn offer(entitlement: &Entitlement) -> Offer<'_> {
    Offer {
        resource: entitlement.resource.as_ref().map(thing),
        id: &entitlement.id,
        display_name: &entitlement.display_name,
        slug: &entitlement.slug,
    }
}

fn thing(resource: &Resource) -> Thing<'_> {
    Thing {
        id: resource.id.as_ref().map(id),
        parent_resource_id: resource.parent_resource_id.as_ref().map(id),
        display_name: &resource.display_name,
    }
}

fn id(id: &ResourceId) -> Id<'_> {
    Id { resource_type: &id.resource_type, resource: &id.resource }
}

#[cfg(test)]
mod tests {
    use metsuke_baton::proto::connector::{CreateGrantEvent, ResourceChangeEvent};
    use metsuke_baton::time::timestamp;
    use metsuke_model::Moment;

    use super::*;

    fn resource(resource_type: &str, resource: &str, name: &str) -> Resource {
        let id = ResourceId {
            resource_type: resource_type.into(),
            resource: resource.into(),
            ..ResourceId::default()
        };
        Resource { id: Some(id), display_name: name.into(), ..Resource::default() }
    }

    fn of(happened: Happened) -> Event {
        let at = timestamp(Moment::parse("2026-01-31T12:00:00Z").unwrap());
        Event { id: "e1".into(), occurred_at: Some(at), event: Some(happened), ..Event::default() }
    }

    #[test]
    fn a_grant_is_told_with_entitlement_and_principal() {
        let entitlement = Entitlement {
            id: "app:a:deploy".into(),
            resource: Some(resource("app", "a", "api")),
            slug: "deploy".into(),
            ..Entitlement::default()
        };
        let told = event(&of(Happened::CreateGrantEvent(CreateGrantEvent {
            entitlement: Some(entitlement),
            principal: Some(resource("user", "u", "ann@example.com")),
            annotations: Vec::new(),
        })));
        assert_eq!(
            told,
            "{\"id\":\"e1\",\"occurredAt\":\"2026-01-31T12:00:00Z\",\"createGrantEvent\":{\"entitlement\":{\"resource\":{\"id\":\
             {\"resourceType\":\"app\",\"resource\":\"a\"},\"displayName\":\"api\"},\"id\":\"app:a:deploy\",\"slug\":\"deploy\"},\
             \"principal\":{\"id\":{\"resourceType\":\"user\",\"resource\":\"u\"},\"displayName\":\"ann@example.com\"}}}"
        );
    }

    #[test]
    fn a_change_is_told_by_ids() {
        let id = |kind: &str| ResourceId {
            resource_type: kind.into(),
            resource: "x".into(),
            ..ResourceId::default()
        };
        let change =
            ResourceChangeEvent { resource_id: Some(id("app")), parent_resource_id: Some(id("team")) };
        let told = event(&of(Happened::ResourceChangeEvent(change)));
        assert!(
            told.ends_with(
                "\"resourceChangeEvent\":{\"resourceId\":{\"resourceType\":\"app\",\"resource\":\"x\"},\
             \"parentResourceId\":{\"resourceType\":\"team\",\"resource\":\"x\"}}}"
            ),
            "{told}"
        );
    }
}
