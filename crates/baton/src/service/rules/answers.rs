//! The rules of answers, and of what requests and answers are made of.

use super::{
    CURSOR, Checked, ID, NAME, Rules, each, https, known, next_page, optional, optional_text, required, text,
};
use crate::proto::connector as v2;

impl Rules for v2::AssetRef {
    fn check(&self) -> Checked {
        text("id", &self.id, ID)
    }
}

impl Rules for v2::ResourceType {
    fn check(&self) -> Checked {
        text("id", &self.id, ID)?;
        optional_text("display_name", &self.display_name, NAME)?;
        known::<v2::resource_type::Trait>("traits", &self.traits)?;
        optional_text("description", &self.description, 4_096)
    }
}

impl Rules for v2::ResourceId {
    fn check(&self) -> Checked {
        text("resource_type", &self.resource_type, ID)?;
        text("resource", &self.resource, ID)
    }
}

impl Rules for v2::Status {
    fn check(&self) -> Checked {
        known::<v2::status::ResourceStatus>("status", &[self.status])?;
        optional_text("details", &self.details, 1_024)
    }
}

impl Rules for v2::Resource {
    fn check(&self) -> Checked {
        optional("id", self.id.as_ref())?;
        optional("parent_resource_id", self.parent_resource_id.as_ref())?;
        optional_text("display_name", &self.display_name, NAME)?;
        optional_text("description", &self.description, 2_048)?;
        optional("icon", self.icon.as_ref())?;
        optional("status", self.status.as_ref())
    }
}

impl Rules for v2::Entitlement {
    fn check(&self) -> Checked {
        required("resource", self.resource.as_ref())?;
        text("id", &self.id, ID)?;
        optional_text("display_name", &self.display_name, NAME)?;
        optional_text("description", &self.description, 2_048)?;
        each("grantable_to", &self.grantable_to)?;
        known::<v2::entitlement::PurposeValue>("purpose", &[self.purpose])
    }
}

impl Rules for v2::Grant {
    fn check(&self) -> Checked {
        required("entitlement", self.entitlement.as_ref())?;
        required("principal", self.principal.as_ref())?;
        text("id", &self.id, ID)
    }
}

impl Rules for v2::ResourceTypesServiceListResourceTypesResponse {
    fn check(&self) -> Checked {
        each("list", &self.list)?;
        next_page(&self.next_page_token)
    }
}

impl Rules for v2::ResourcesServiceListResourcesResponse {
    fn check(&self) -> Checked {
        each("list", &self.list)?;
        next_page(&self.next_page_token)
    }
}

impl Rules for v2::ResourceGetterServiceGetResourceResponse {
    fn check(&self) -> Checked {
        required("resource", self.resource.as_ref())
    }
}

impl Rules for v2::EntitlementsServiceListEntitlementsResponse {
    fn check(&self) -> Checked {
        each("list", &self.list)?;
        next_page(&self.next_page_token)
    }
}

impl Rules for v2::GrantsServiceListGrantsResponse {
    fn check(&self) -> Checked {
        each("list", &self.list)?;
        next_page(&self.next_page_token)
    }
}

impl Rules for v2::GrantManagerServiceGrantResponse {
    fn check(&self) -> Checked {
        each("grants", &self.grants)
    }
}

impl Rules for v2::ConnectorServiceGetMetadataResponse {
    fn check(&self) -> Checked {
        required("metadata", self.metadata.as_ref())
    }
}

impl Rules for v2::ConnectorMetadata {
    fn check(&self) -> Checked {
        text("display_name", &self.display_name, NAME)?;
        https("help_url", &self.help_url)?;
        optional_text("description", &self.description, 4_096)
    }
}

impl Rules for v2::ListEventsResponse {
    fn check(&self) -> Checked {
        each("events", &self.events)?;
        optional_text("cursor", &self.cursor, CURSOR)
    }
}

impl Rules for v2::ListEventFeedsResponse {
    fn check(&self) -> Checked {
        each("list", &self.list)
    }
}

impl Rules for v2::EventFeedMetadata {
    fn check(&self) -> Checked {
        text("id", &self.id, ID)?;
        known::<v2::EventType>("supported_event_types", &self.supported_event_types)
    }
}

impl Rules for v2::Event {
    fn check(&self) -> Checked {
        use v2::event::Event;
        match &self.event {
            None => Ok(()),
            Some(Event::UsageEvent(event)) => {
                optional("target_resource", event.target_resource.as_ref())?;
                optional("actor_resource", event.actor_resource.as_ref())
            }
            Some(Event::GrantEvent(event)) => optional("grant", event.grant.as_ref()),
            Some(Event::RevokeEvent(event)) => {
                optional("entitlement", event.entitlement.as_ref())?;
                optional("principal", event.principal.as_ref())
            }
            Some(Event::ResourceChangeEvent(event)) => {
                required("resource_id", event.resource_id.as_ref())?;
                optional("parent_resource_id", event.parent_resource_id.as_ref())
            }
            Some(Event::CreateGrantEvent(event)) => {
                required("entitlement", event.entitlement.as_ref())?;
                required("principal", event.principal.as_ref())
            }
            Some(Event::CreateRevokeEvent(event)) => {
                required("entitlement", event.entitlement.as_ref())?;
                required("principal", event.principal.as_ref())
            }
        }
    }
}
