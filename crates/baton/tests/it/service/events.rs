//! Feeds of events.

use std::collections::BTreeSet;

use metsuke_baton::proto::connector as v2;
use metsuke_baton::proto::connector::event::Event;
use metsuke_model::{Clock as _, SystemClock};
use tonic::Code;

use super::house::{House, Parent, company, options, serve};
use super::listing::{resources_of, walk};

fn feed(id: &str, page_size: u32) -> v2::ListEventsRequest {
    v2::ListEventsRequest { event_feed_id: id.to_owned(), page_size, ..Default::default() }
}

async fn to_its_end(parent: &Parent<'_>, mut request: v2::ListEventsRequest) -> (Vec<v2::Event>, String) {
    let mut all = Vec::new();
    loop {
        let page = parent.events().list_events(request.clone()).await.unwrap().into_inner();
        assert!(!page.has_more || page.cursor != request.cursor);
        all.extend(page.events);
        request.cursor.clone_from(&page.cursor);
        if !page.has_more {
            return (all, page.cursor);
        }
    }
}

async fn sync(parent: &Parent<'_>, id: &str) {
    let request =
        v2::ResourcesServiceListResourcesRequest { active_sync_id: id.to_owned(), ..resources_of("app", 0) };
    walk!(parent, resources.list_resources, request);
}

#[tokio::test]
async fn both_feeds_are_named_with_what_they_tell() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        let answer = parent.events().list_event_feeds(v2::ListEventFeedsRequest::default()).await;
        let feeds = answer.unwrap().into_inner().list;
        let ids: BTreeSet<_> = feeds.iter().map(|feed| feed.id.as_str()).collect();
        assert_eq!(ids, BTreeSet::from(["audit-trail", "changes"]));
        assert!(feeds.iter().all(|feed| !feed.supported_event_types.is_empty()));
    })
    .await;
}

#[tokio::test]
async fn what_differs_between_versions_is_told_once() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        sync(parent, "first").await;
        let (_, cursor) = to_its_end(parent, feed("changes", 100)).await;
        let (team, person) = house.edit(|world| {
            let team = world.enterprise_team_names().into_iter().next().unwrap();
            world.set_member(&team, "newcomer@example.com", Some("viewer")).unwrap();
            (world.team_id(&team).unwrap(), world.person_id("newcomer@example.com").unwrap())
        });
        sync(parent, "second").await;
        let (told, cursor) = to_its_end(parent, v2::ListEventsRequest { cursor, ..feed("changes", 2) }).await;
        let granted = told.iter().find_map(|event| match &event.event {
            Some(Event::CreateGrantEvent(event)) => Some(event),
            _ => None,
        });
        let granted = granted.expect("a grant was told");
        assert_eq!(granted.entitlement.as_ref().unwrap().id, format!("team:{team}:viewer"));
        let principal = granted.principal.as_ref().unwrap();
        assert_eq!(principal.id.as_ref().unwrap().resource, person.to_string());
        assert_eq!(principal.display_name, "newcomer@example.com");
        let ids: BTreeSet<_> = told.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids.len(), told.len());
        house.edit(|world| {
            let team = world.enterprise_team_names().into_iter().next().unwrap();
            assert!(world.remove_member(&team, "newcomer@example.com"));
        });
        sync(parent, "third").await;
        let (told, _) = to_its_end(parent, v2::ListEventsRequest { cursor, ..feed("changes", 2) }).await;
        assert!(
            told.iter().any(|event| matches!(event.event, Some(Event::CreateRevokeEvent(_)))),
            "{told:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn the_audit_trail_tells_of_use_and_of_what_is_worth_reading_afresh() {
    let house = House::new(company(), options()).await;
    let today = u64::try_from(SystemClock.now().0 / 1_000_000).unwrap();
    let (app, team, caller) = house.edit(|world| {
        let enterprise = world.enterprise_names().into_iter().next().unwrap();
        let teams = world.enterprise_team_names();
        let team = teams.into_iter().find(|team| !world.app_names(Some(team)).is_empty()).unwrap();
        let app = world.app_names(Some(&team)).into_iter().next().unwrap();
        for what in [("code_release", "create"), ("collaborator", "update")] {
            world.tell_event(&enterprise, today, what, (Some(&team), Some(&app))).unwrap();
        }
        let caller = world.caller_email();
        (world.app_id(&app).unwrap(), world.team_id(&team).unwrap(), world.person_id(&caller).unwrap())
    });
    serve(&house, async |parent| {
        let (told, cursor) = to_its_end(parent, feed("audit-trail", 1)).await;
        let used = told.iter().find_map(|event| match &event.event {
            Some(Event::UsageEvent(event)) => Some(event),
            _ => None,
        });
        let used = used.expect("somebody released code");
        let id = |resource: &Option<v2::Resource>| resource.as_ref().unwrap().id.clone().unwrap().resource;
        assert_eq!(id(&used.target_resource), app.to_string());
        assert_eq!(id(&used.actor_resource), caller.to_string());
        let changed = told.iter().find_map(|event| match &event.event {
            Some(Event::ResourceChangeEvent(event)) => {
                event.resource_id.as_ref().is_some_and(|id| id.resource == app.to_string()).then_some(event)
            }
            _ => None,
        });
        let changed = changed.expect("access to the app changed");
        assert_eq!(changed.parent_resource_id.as_ref().unwrap().resource, team.to_string());
        let request = v2::ListEventsRequest { cursor, ..feed("", 10) };
        assert_eq!(
            to_its_end(parent, request).await.0,
            [],
            "it is the feed that is read where none is named"
        );
    })
    .await;
}

#[tokio::test]
async fn unknown_feeds_and_cursors_are_refused() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        sync(parent, "first").await;
        let status = parent.failed(parent.events().list_events(feed("weather", 0)).await);
        assert_eq!(status.code(), Code::NotFound, "{status}");
        let request = v2::ListEventsRequest { cursor: "none of ours".to_owned(), ..feed("changes", 0) };
        let status = parent.failed(parent.events().list_events(request).await);
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    })
    .await;
}
