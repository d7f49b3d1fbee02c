//! Feeds of events: Heroku's audit trail, and what differs between versions.
//!
//! Invariant: a page that says more follows ends at another cursor than it began.

use metsuke_engine::connector::{Event as Told, Feed, Happened, Held, Someone, Target};

use super::failure::{Code, Failure};
use super::{Connector, rules};
use crate::id::ResourceKey;
use crate::proto::connector::{
    CreateGrantEvent, CreateRevokeEvent, Event, EventFeedMetadata, EventType, ListEventFeedsResponse,
    ListEventsRequest, ListEventsResponse, Resource, ResourceChangeEvent, UsageEvent, event,
};
use crate::shape::{Type, direct_grant, resource_id};
use crate::time::{moment, timestamp};

/// Events of a page for which no number is asked.
const PAGE: usize = 100;
/// The feed that is read where none is named.
const FIRST: Feed = Feed::AuditTrail;

impl Connector {
    /// The feeds.
    ///
    /// # Errors
    ///
    /// None that the program as it is can give.
    pub fn list_event_feeds(&self) -> Result<ListEventFeedsResponse, Failure> {
        let list = Feed::ALL.into_iter().map(metadata).collect();
        let answer = ListEventFeedsResponse { list, annotations: Vec::new() };
        rules::answered(&answer)?;
        Ok(answer)
    }

    /// The next events of a feed.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`] for a request that breaks a rule or a cursor of elsewhere, [`Code::NotFound`] for an unknown
    /// feed, and what Heroku said.
    pub async fn list_events(&self, request: &ListEventsRequest) -> Result<ListEventsResponse, Failure> {
        rules::asked(request)?;
        let feed = match request.event_feed_id.as_str() {
            "" => FIRST,
            word => {
                Feed::from_word(word).ok_or_else(|| Failure::new(Code::NotFound, "there is no such feed"))?
            }
        };
        let cursor = Some(request.cursor.as_str()).filter(|cursor| !cursor.is_empty());
        let since = request.start_at.as_ref().map(moment);
        let limit = usize::try_from(request.page_size).ok().filter(|size| *size > 0).unwrap_or(PAGE);
        let page =
            self.estate.events(feed, cursor, since, limit).await.map_err(|error| self.failed(&error))?;
        if page.more && *page.cursor == *request.cursor {
            return Err(Failure::new(Code::Internal, "the next page's cursor is the same as this one's"));
        }
        let answer = ListEventsResponse {
            events: page.events.into_iter().map(message).collect(),
            cursor: page.cursor.into(),
            has_more: page.more,
            annotations: self.rate(),
        };
        rules::answered(&answer)?;
        Ok(answer)
    }
}

fn metadata(feed: Feed) -> EventFeedMetadata {
    let types: &[EventType] = match feed {
        // Heroku tells that access changed, and not to what.
        Feed::AuditTrail => &[EventType::Usage, EventType::ResourceChange],
        Feed::Changes => &[EventType::ResourceChange, EventType::CreateGrant, EventType::CreateRevoke],
    };
    let supported_event_types = types.iter().map(|one| i32::from(*one)).collect();
    EventFeedMetadata { id: feed.as_str().to_owned(), supported_event_types }
}

fn message(told: Told) -> Event {
    let event = match told.happened {
        Happened::Granted(held) => granted(&held).map(event::Event::CreateGrantEvent),
        Happened::Revoked(held) => {
            granted(&held).map(|CreateGrantEvent { entitlement, principal, .. }| {
                event::Event::CreateRevokeEvent(CreateRevokeEvent {
                    entitlement,
                    principal,
                    annotations: Vec::new(),
                })
            })
        }
        Happened::Changed { target, parent } => {
            Some(event::Event::ResourceChangeEvent(ResourceChangeEvent {
                resource_id: Some(resource_id(&key(&target))),
                parent_resource_id: parent.map(|parent| resource_id(&key(&parent))),
            }))
        }
        Happened::Used { target, by } => {
            let user = ResourceKey::new(Type::User.as_str(), &by.to_string());
            Some(event::Event::UsageEvent(UsageEvent {
                target_resource: Some(named(&key(&target), "")),
                actor_resource: Some(named(&user, "")),
            }))
        }
    };
    Event { id: told.id.into(), occurred_at: Some(timestamp(told.at)), annotations: Vec::new(), event }
}

/// A direct grant in an event; none on a resource that is not shown.
fn granted(held: &Held) -> Option<CreateGrantEvent> {
    let resource = ResourceKey::new(Type::of(held.resource_type)?.as_str(), &held.resource.to_string());
    let Someone { id, email } = &held.user;
    let user = ResourceKey::new(Type::User.as_str(), &id.to_string());
    let entitlement = direct_grant(&resource, &held.slug, &user).entitlement.map(|mut entitlement| {
        entitlement.resource = Some(named(&resource, &held.name));
        entitlement.slug = held.slug.to_string();
        entitlement
    });
    let principal = Some(named(&user, email.as_deref().unwrap_or_default()));
    Some(CreateGrantEvent { entitlement, principal, annotations: Vec::new() })
}

fn named(key: &ResourceKey, name: &str) -> Resource {
    let most = name.floor_char_boundary(1_024);
    let display_name = name.get(..most).unwrap_or_default().to_owned();
    Resource { id: Some(resource_id(key)), display_name, ..Resource::default() }
}

fn key(target: &Target) -> ResourceKey {
    let (kind, id) = match target {
        Target::User(id) => (Type::User, id),
        Target::Team(id) => (Type::Team, id),
        Target::EnterpriseAccount(id) => (Type::EnterpriseAccount, id),
        Target::App(id) => (Type::App, id),
    };
    ResourceKey::new(kind.as_str(), &id.to_string())
}
