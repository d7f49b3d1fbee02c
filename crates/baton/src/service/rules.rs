//! What the contract demands of messages: lengths, required parts, known words.
//!
//! Source: the validation rules that the ecosystem writes beside its fields. Lengths are in bytes. What a message carries
//! as packed annotations is not looked at, and requests that are refused whatever they say are not checked either.
//!
//! Invariant: what breaks a rule is named by its field, and never repeated.

use std::collections::HashSet;

use super::failure::{Code, Failure};
use crate::proto::connector as v2;
use crate::proto::ratelimit;

/// The longest id.
const ID: usize = 1_024;
/// The longest name that is shown.
const NAME: usize = 1_024;
/// The longest token of a page.
const TOKEN: usize = 1 << 20;
/// The longest cursor of a feed of events.
const CURSOR: usize = 4_096;
/// The most rows of a page that may be asked for.
const PAGE: u32 = 250;
/// The most events of a page that may be asked for.
const EVENTS: u32 = 1_000;

/// A rule that a message breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    field: String,
    rule: String,
}

impl Broken {
    fn new(field: &str, rule: impl Into<String>) -> Self {
        Self { field: field.to_owned(), rule: rule.into() }
    }

    /// The same inside a part of a larger message.
    fn inside(mut self, part: &str) -> Self {
        self.field = format!("{part}.{}", self.field);
        self
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        format!("`{}` {}", self.field, self.rule)
    }
}

type Checked = Result<(), Broken>;

/// A message that has rules.
pub(super) trait Rules {
    /// Checks them all.
    ///
    /// # Errors
    ///
    /// The first that is broken.
    fn check(&self) -> Checked;
}

/// Refuses a request that breaks a rule.
pub(super) fn asked(request: &impl Rules) -> Result<(), Failure> {
    request
        .check()
        .map_err(|broken| Failure::new(Code::InvalidArgument, format!("invalid request: {}", broken.words())))
}

/// Keeps back an answer that breaks a rule: its receiver would refuse it, and say less.
pub(super) fn answered(answer: &impl Rules) -> Result<(), Failure> {
    answer
        .check()
        .map_err(|broken| Failure::new(Code::Internal, format!("invalid answer: {}", broken.words())))
}

fn text(field: &str, text: &str, most: usize) -> Checked {
    if text.is_empty() {
        return Err(Broken::new(field, "is required"));
    }
    optional_text(field, text, most)
}

fn optional_text(field: &str, text: &str, most: usize) -> Checked {
    if text.len() > most {
        return Err(Broken::new(field, format!("is longer than {most} bytes")));
    }
    Ok(())
}

fn at_most(field: &str, number: u32, most: u32) -> Checked {
    if number > most {
        return Err(Broken::new(field, format!("is more than {most}")));
    }
    Ok(())
}

/// A part that must be there, and keep its own rules.
fn required<M: Rules>(field: &str, part: Option<&M>) -> Checked {
    let part = part.ok_or_else(|| Broken::new(field, "is required"))?;
    part.check().map_err(|broken| broken.inside(field))
}

/// A part that may be missing.
fn optional<M: Rules>(field: &str, part: Option<&M>) -> Checked {
    part.map_or(Ok(()), |part| part.check().map_err(|broken| broken.inside(field)))
}

fn each<M: Rules>(field: &str, parts: &[M]) -> Checked {
    parts.iter().enumerate().try_for_each(|(place, part)| {
        part.check().map_err(|broken| broken.inside(&format!("{field}[{place}]")))
    })
}

/// Numbers that each stand for something known, and each stand there once.
fn known<E: TryFrom<i32>>(field: &str, numbers: &[i32]) -> Checked {
    if numbers.iter().any(|number| E::try_from(*number).is_err()) {
        return Err(Broken::new(field, "holds an unknown value"));
    }
    if numbers.iter().collect::<HashSet<_>>().len() < numbers.len() {
        return Err(Broken::new(field, "holds a value twice"));
    }
    Ok(())
}

fn https(field: &str, address: &str) -> Checked {
    optional_text(field, address, NAME)?;
    if address.is_empty() || address.starts_with("https://") {
        return Ok(());
    }
    Err(Broken::new(field, "is no https address"))
}

/// Page size, page token and sync of a listing.
fn listing(page_size: u32, page_token: &str, sync: &str) -> Checked {
    at_most("page_size", page_size, PAGE)?;
    optional_text("page_token", page_token, TOKEN)?;
    optional_text("active_sync_id", sync, ID)
}

fn next_page(token: &str) -> Checked {
    optional_text("next_page_token", token, TOKEN)
}

impl Rules for v2::AssetRef {
    fn check(&self) -> Checked {
        text("id", &self.id, ID)
    }
}

impl Rules for v2::AssetServiceGetAssetRequest {
    fn check(&self) -> Checked {
        required("asset", self.asset.as_ref())
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

impl Rules for v2::ResourceTypesServiceListResourceTypesRequest {
    fn check(&self) -> Checked {
        optional("parent", self.parent.as_ref())?;
        listing(self.page_size, &self.page_token, &self.active_sync_id)
    }
}

impl Rules for v2::ResourceTypesServiceListResourceTypesResponse {
    fn check(&self) -> Checked {
        each("list", &self.list)?;
        next_page(&self.next_page_token)
    }
}

impl Rules for v2::ResourcesServiceListResourcesRequest {
    fn check(&self) -> Checked {
        text("resource_type_id", &self.resource_type_id, ID)?;
        optional("parent_resource_id", self.parent_resource_id.as_ref())?;
        listing(self.page_size, &self.page_token, &self.active_sync_id)
    }
}

impl Rules for v2::ResourcesServiceListResourcesResponse {
    fn check(&self) -> Checked {
        each("list", &self.list)?;
        next_page(&self.next_page_token)
    }
}

impl Rules for v2::ResourceGetterServiceGetResourceRequest {
    fn check(&self) -> Checked {
        required("resource_id", self.resource_id.as_ref())?;
        optional("parent_resource_id", self.parent_resource_id.as_ref())?;
        optional_text("active_sync_id", &self.active_sync_id, ID)
    }
}

impl Rules for v2::ResourceGetterServiceGetResourceResponse {
    fn check(&self) -> Checked {
        required("resource", self.resource.as_ref())
    }
}

impl Rules for v2::EntitlementsServiceListEntitlementsRequest {
    fn check(&self) -> Checked {
        whose(self.resource.as_ref())?;
        listing(self.page_size, &self.page_token, &self.active_sync_id)
    }
}

impl Rules for v2::EntitlementsServiceListEntitlementsResponse {
    fn check(&self) -> Checked {
        each("list", &self.list)?;
        next_page(&self.next_page_token)
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

impl Rules for v2::GrantsServiceListGrantsResponse {
    fn check(&self) -> Checked {
        each("list", &self.list)?;
        next_page(&self.next_page_token)
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

impl Rules for v2::GrantManagerServiceGrantResponse {
    fn check(&self) -> Checked {
        each("grants", &self.grants)
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

impl Rules for v2::ListEventsRequest {
    fn check(&self) -> Checked {
        optional_text("cursor", &self.cursor, CURSOR)?;
        at_most("page_size", self.page_size, EVENTS)?;
        optional_text("event_feed_id", &self.event_feed_id, ID)
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
