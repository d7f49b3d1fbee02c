//! The rules of requests.

use super::{
    Broken, CURSOR, Checked, EVENTS, ID, Rules, at_most, each, listing, optional, optional_text, required,
    text,
};
use crate::proto::connector as v2;
use crate::proto::ratelimit;

impl Rules for v2::AssetServiceGetAssetRequest {
    fn check(&self) -> Checked {
        required("asset", self.asset.as_ref())
    }
}

impl Rules for v2::ResourceTypesServiceListResourceTypesRequest {
    fn check(&self) -> Checked {
        optional("parent", self.parent.as_ref())?;
        listing(self.page_size, &self.page_token, &self.active_sync_id)
    }
}

impl Rules for v2::ResourcesServiceListResourcesRequest {
    fn check(&self) -> Checked {
        text("resource_type_id", &self.resource_type_id, ID)?;
        optional("parent_resource_id", self.parent_resource_id.as_ref())?;
        listing(self.page_size, &self.page_token, &self.active_sync_id)
    }
}

impl Rules for v2::ResourceGetterServiceGetResourceRequest {
    fn check(&self) -> Checked {
        required("resource_id", self.resource_id.as_ref())?;
        optional("parent_resource_id", self.parent_resource_id.as_ref())?;
        optional_text("active_sync_id", &self.active_sync_id, ID)
    }
}

impl Rules for v2::EntitlementsServiceListEntitlementsRequest {
    fn check(&self) -> Checked {
        whose(self.resource.as_ref())?;
        listing(self.page_size, &self.page_token, &self.active_sync_id)
    }
}

impl Rules for v2::EntitlementsServiceListStaticEntitlementsRequest {
    fn check(&self) -> Checked {
        text("resource_type_id", &self.resource_type_id, ID)?;
        listing(self.page_size, &self.page_token, &self.active_sync_id)
    }
}

impl Rules for v2::GrantsServiceListGrantsRequest {
    fn check(&self) -> Checked {
        whose(self.resource.as_ref())?;
        listing(self.page_size, &self.page_token, &self.active_sync_id)
    }
}

/// The resource whose entitlements or grants are asked for: without its id there is nothing to answer.
fn whose(resource: Option<&v2::Resource>) -> Checked {
    required("resource", resource)?;
    let id = resource.and_then(|resource| resource.id.as_ref());
    required("id", id).map_err(|broken| broken.inside("resource"))
}

impl Rules for v2::GrantManagerServiceGrantRequest {
    fn check(&self) -> Checked {
        required("entitlement", self.entitlement.as_ref())?;
        required("principal", self.principal.as_ref())
    }
}

impl Rules for v2::GrantManagerServiceRevokeRequest {
    fn check(&self) -> Checked {
        required("grant", self.grant.as_ref())
    }
}

impl Rules for v2::ConnectorServiceCleanupRequest {
    fn check(&self) -> Checked {
        optional_text("active_sync_id", &self.active_sync_id, ID)
    }
}

impl Rules for v2::ListEventsRequest {
    fn check(&self) -> Checked {
        optional_text("cursor", &self.cursor, CURSOR)?;
        at_most("page_size", self.page_size, EVENTS)?;
        optional_text("event_feed_id", &self.event_feed_id, ID)
    }
}

impl Rules for ratelimit::RateLimitDescriptors {
    fn check(&self) -> Checked {
        if self.entries.is_empty() {
            return Err(Broken::new("entries", "is empty"));
        }
        each("entries", &self.entries)
    }
}

impl Rules for ratelimit::rate_limit_descriptors::Entry {
    fn check(&self) -> Checked {
        text("key", &self.key, usize::MAX)?;
        text("value", &self.value, usize::MAX)
    }
}

impl Rules for ratelimit::DoRequest {
    fn check(&self) -> Checked {
        optional("descriptors", self.descriptors.as_ref())
    }
}

impl Rules for ratelimit::ReportRequest {
    fn check(&self) -> Checked {
        optional("descriptors", self.descriptors.as_ref())
    }
}
