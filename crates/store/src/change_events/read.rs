//! Reads events: the newest first, or in the order in which they were written.
//!
//! Invariant: a page shows one committed state, and the keys of its last event begin the next one.

use std::collections::HashMap;

use metsuke_model::access::{Access, Mask};
use metsuke_model::{Moment, ResourceType, Version};

use super::filter::events_where;
use super::{ChangeEffect, ChangeEvent, EventFilter};
use crate::connection::{Bind, Connection, Row};
use crate::history::named;
use crate::{ChangeKind, Store, StoreError};

const DOING: &str = "reading recorded changes";

impl Store {
    /// The newest events before the one with this version and place, newest first; the newest of all without one.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn change_events(
        &self,
        filter: &EventFilter,
        before: Option<(Version, u32)>,
        limit: u32,
    ) -> Result<Vec<ChangeEvent>, StoreError> {
        self.events_before(filter, before, limit, true).await
    }

    /// The same without what the changes gave and took.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn bare_change_events(
        &self,
        filter: &EventFilter,
        before: Option<(Version, u32)>,
        limit: u32,
    ) -> Result<Vec<ChangeEvent>, StoreError> {
        self.events_before(filter, before, limit, false).await
    }

    async fn events_before(
        &self,
        filter: &EventFilter,
        before: Option<(Version, u32)>,
        limit: u32,
        with_effects: bool,
    ) -> Result<Vec<ChangeEvent>, StoreError> {
        let (version, place) = before.map_or((i64::MAX, 0), |(version, place)| (version.0, place));
        let sql = events_where!(
            "(version < $11 OR (version = $11 AND place < $12))",
            "ORDER BY version DESC, place DESC LIMIT $13"
        );
        self.events(filter, sql, [version, i64::from(place), i64::from(limit)], with_effects).await
    }

    /// Events written or given another author after this turn, in that order. One that is given another author comes
    /// again.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn change_events_since(
        &self,
        filter: &EventFilter,
        turn: u64,
        limit: u32,
    ) -> Result<Vec<ChangeEvent>, StoreError> {
        let turn = i64::try_from(turn).unwrap_or(i64::MAX);
        let sql = events_where!("turn > $11 AND turn <= $12", "ORDER BY turn LIMIT $13");
        self.events(filter, sql, [turn, i64::MAX, i64::from(limit)], true).await
    }

    /// The last turn that was given; 0 where nothing is recorded.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn last_turn(&self) -> Result<u64, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut turn = 0;
        connection
            .each(DOING, "SELECT turn FROM change_mark WHERE id = 1", &[], |row| {
                turn = row.count(0)?;
                Ok(())
            })
            .await?;
        Ok(turn)
    }

    async fn events(
        &self,
        filter: &EventFilter,
        sql: &'static str,
        last: [i64; 3],
        effects: bool,
    ) -> Result<Vec<ChangeEvent>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let Some(mut binds) = filter.binds(&mut connection).await? else { return Ok(Vec::new()) };
        binds.extend(last.map(Bind::from));
        let mut events = Vec::new();
        connection
            .each(DOING, sql, &binds, |row| {
                events.push(event(row)?);
                Ok(())
            })
            .await?;
        if effects {
            fill(&mut connection, &mut events).await?;
        }
        Ok(events)
    }
}

fn event(row: Row<'_>) -> Result<ChangeEvent, StoreError> {
    let damaged = |what: &str| StoreError::Damaged { what: format!("a recorded change's {what}") };
    let small = |number: i64| u32::try_from(number).map_err(|_| damaged("place"));
    let json = |text: Option<String>, what| {
        text.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| damaged(what))
    };
    let about = row.text(9)?.unwrap_or_default();
    Ok(ChangeEvent {
        version: Version(row.number(0)?),
        place: small(row.number(1)?)?,
        turn: row.count(2)?,
        edition: small(row.number(3)?)?,
        at: Moment(row.number(4)?),
        since: Moment(row.number(5)?),
        kind: row.text(6)?.unwrap_or_default().into(),
        change: ChangeKind::from_number(row.number(7)?),
        document: json(row.text(8)?, "document")?.unwrap_or_default(),
        about: about.lines().map(Into::into).collect(),
        author: json(row.text(10)?, "author")?,
        effects: Vec::new(),
    })
}

/// A row of the effects, in dense ids.
struct Raw {
    of: (Version, u32),
    resource: i64,
    principal: i64,
    gained: bool,
    via: String,
    access: Access,
}

/// Reads what the events gave and took.
async fn fill(connection: &mut Connection, events: &mut [ChangeEvent]) -> Result<(), StoreError> {
    let places: HashMap<(Version, u32), usize> =
        events.iter().enumerate().map(|(at, event)| ((event.version, event.place), at)).collect();
    let mut versions: Vec<i64> = events.iter().map(|event| event.version.0).collect();
    versions.sort_unstable();
    versions.dedup();
    let mut raws = Vec::new();
    let sql = "SELECT version, place, resource_id, principal_id, gained, via, mask, other
                 FROM change_effect
                WHERE version = $1 AND place >= $2 AND place <= $3
                ORDER BY place, resource_id, principal_id, gained, via";
    for version in versions {
        let of = || events.iter().filter(|event| event.version.0 == version).map(|event| event.place);
        let (Some(first), Some(last)) = (of().min(), of().max()) else { continue };
        let binds = [version.into(), i64::from(first).into(), i64::from(last).into()];
        connection
            .each(DOING, sql, &binds, |row| {
                let place = u32::try_from(row.number(1)?).unwrap_or(u32::MAX);
                if places.contains_key(&(Version(version), place)) {
                    raws.push(raw((Version(version), place), row)?);
                }
                Ok(())
            })
            .await?;
    }
    let names =
        named(connection, raws.iter().flat_map(|raw| [raw.resource, raw.principal]).collect()).await?;
    for raw in raws {
        let (Some(resource), Some(principal)) = (names.get(&raw.resource), names.get(&raw.principal)) else {
            continue;
        };
        let Some(resource_type) = ResourceType::of(resource.kind) else { continue };
        if let Some(event) = places.get(&raw.of).and_then(|at| events.get_mut(*at)) {
            event.effects.push(ChangeEffect {
                resource_type,
                resource: resource.id.clone(),
                resource_name: resource.name.clone(),
                principal: principal.id.clone(),
                email: principal.name.clone(),
                gained: raw.gained,
                via: raw.via,
                entitlements: raw.access.slugs(resource_type).map(ToOwned::to_owned).collect(),
            });
        }
    }
    Ok(())
}

fn raw(of: (Version, u32), row: Row<'_>) -> Result<Raw, StoreError> {
    let other = row.text(7)?.unwrap_or_default();
    let other = if other.is_empty() { Vec::new() } else { serde_json::from_str(&other).unwrap_or_default() };
    Ok(Raw {
        of,
        resource: row.number(2)?,
        principal: row.number(3)?,
        gained: row.number(4)? != 0,
        via: row.text(5)?.unwrap_or_default(),
        access: Access { mask: Mask(u32::try_from(row.number(6)?).unwrap_or(0)), other },
    })
}
