//! Changes as events: everything that came and went is told once, and nothing else.

mod attribution;
mod fold;
mod large;
mod listed;
mod server;
mod stale;
mod trail;
mod webhooks;

use std::collections::BTreeSet;

use metsuke_engine::access::GrantFilter;
use metsuke_engine::changes::{self, Event, EventFilter, Recorded};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::{AsOf, SystemClock, Version};
use metsuke_store::Store;

use crate::house::{House, Line, line};

/// Records everything up to the newest version.
async fn record(store: &Store) -> Recorded {
    let newest = store.snapshot(None).await.unwrap().unwrap().sync().version;
    changes::record(store, newest, &SystemClock).await.unwrap()
}

/// All events, oldest first, read in pages of this size.
async fn all(store: &Store, filter: &EventFilter, limit: u32) -> Vec<Event> {
    let (mut events, mut cursor) = (Vec::new(), None);
    loop {
        let page = changes::events(store, filter, cursor.as_deref(), limit).await.unwrap();
        assert!(page.events.len() <= limit as usize);
        events.extend(page.events);
        cursor = page.next;
        if cursor.is_none() {
            events.reverse();
            return events;
        }
    }
}

/// The effective access of people, as four words a line; spaces are left out.
async fn effective(house: &House, version: Version) -> BTreeSet<Line> {
    let filter = GrantFilter { effective: true, ..GrantFilter::default() };
    let lines = house.lines(&filter, Some(AsOf::Version(version))).await;
    lines.iter().filter(|grant| grant.principal.kind == PrincipalKind::User).map(line).collect()
}

/// What an event gave and took away, as four words a line.
fn moved(event: &Event) -> (BTreeSet<Line>, BTreeSet<Line>) {
    let lines = |lines: &[changes::Line]| {
        let shown = lines.iter().filter(|line| line.resource.resource_type.as_str() != "space");
        let words = shown.flat_map(|line| {
            line.entitlements.iter().map(|slug| {
                (
                    line.resource.resource_type.as_str().to_owned(),
                    line.resource.id.to_string(),
                    slug.to_string(),
                    line.principal.id.to_string(),
                )
            })
        });
        words.collect::<BTreeSet<Line>>()
    };
    (lines(&event.gained), lines(&event.lost))
}
