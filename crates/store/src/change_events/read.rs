//! Reads events: the newest first, or in the order in which they were written.
//!
//! Invariant: a page shows one committed state, and the keys of its last event begin the next one.

use std::collections::{BTreeSet, HashMap};

use metsuke_model::access::{Access, Mask};
use metsuke_model::{Moment, ResourceType, Version};

use super::filter::{Subject, events_where};
use super::{ChangeEffect, ChangeEvent, EventFilter};
use crate::connection::{Bind, Connection, Row};
use crate::history::named;
use crate::{ChangeKind, Store, StoreError, dense};

const DOING: &str = "reading recorded changes";
/// Places as near as this are read in one go with those between them.
const NEAR: u32 = 4;
/// Of effects that differ in the resource alone so many are told in short.
const IN_SHORT: usize = 3;

/// How much is told of what the changes gave and took.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effects {
    /// Nothing.
    Untold,
    /// Of what is the same on several resources the first few, and how many others there are.
    InShort,
    /// Everything.
    Whole,
}

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
        self.events_before(filter, before, limit, Effects::Whole).await
    }

    /// The same with what the changes gave and took in short: of what somebody has alike on thousands of resources a few, and how many
    /// others there are.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn change_events_in_short(
        &self,
        filter: &EventFilter,
        before: Option<(Version, u32)>,
        limit: u32,
    ) -> Result<Vec<ChangeEvent>, StoreError> {
        self.events_before(filter, before, limit, Effects::InShort).await
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
        self.events_before(filter, before, limit, Effects::Untold).await
    }

    async fn events_before(
        &self,
        filter: &EventFilter,
        before: Option<(Version, u32)>,
        limit: u32,
        effects: Effects,
    ) -> Result<Vec<ChangeEvent>, StoreError> {
        let end = filter.up_to.map_or((i64::MAX, 0), |version| (version.0.saturating_add(1), 0));
        let before = before.map_or(end, |(version, place)| (version.0, place));
        let (version, place) = before.min(end);
        let last = [version, i64::from(place), i64::from(limit)];
        let mut connection = self.pool.begin_read().await?;
        if let Some(subject) = filter.subject(&mut connection).await? {
            let mut events = about(&mut connection, &subject, last).await?;
            fill(&mut connection, &mut events, effects).await?;
            return Ok(events);
        }
        drop(connection);
        let sql =
            events_where!("(version, place) < ($11, $12)", "ORDER BY version DESC, place DESC LIMIT $13");
        self.events(filter, sql, last, effects).await
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
        self.events(filter, sql, [turn, i64::MAX, i64::from(limit)], Effects::Whole).await
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
        effects: Effects,
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
        fill(&mut connection, &mut events, effects).await?;
        Ok(events)
    }
}

/// The newest events about one object or person before a place, newest first.
///
/// Where they stand is read off the indexes, each from its newest end, and only those that are wanted are looked up.
async fn about(
    connection: &mut Connection,
    subject: &Subject,
    [version, place, limit]: [i64; 3],
) -> Result<Vec<ChangeEvent>, StoreError> {
    let mut keys = BTreeSet::new();
    for id in &subject.ids {
        let binds = [(*id).into(), version.into(), place.into(), limit.into(), subject.after.into()];
        let of_person: &[&'static str] = &[EVENTS_ON, EVENTS_OF, EFFECTS_FOR];
        for sql in if subject.is_person { of_person } else { &[EVENTS_ON, EFFECTS_ON] } {
            connection
                .each(DOING, sql, &binds, |row| {
                    keys.insert((row.number(0)?, row.number(1)?));
                    Ok(())
                })
                .await?;
        }
    }
    let most = usize::try_from(limit).unwrap_or(0);
    let mut events = Vec::new();
    for (version, place) in keys.into_iter().rev().take(most) {
        connection
            .each(DOING, ONE, &[version.into(), place.into()], |row| {
                events.push(event(row)?);
                Ok(())
            })
            .await?;
    }
    Ok(events)
}

/// Where the newest events about something stand.
macro_rules! places {
    ($table:literal, $column:literal) => {
        concat!(
            "SELECT DISTINCT version, place FROM ",
            $table,
            " WHERE ",
            $column,
            " = $1 AND (version, place) < ($2, $3) AND version > $5
              ORDER BY version DESC, place DESC LIMIT $4"
        )
    };
}
const EVENTS_ON: &str = places!("change_event", "object_id");
const EVENTS_OF: &str = places!("change_event", "principal_id");
const EFFECTS_ON: &str = places!("change_effect", "resource_id");
const EFFECTS_FOR: &str = places!("change_effect", "principal_id");
const ONE: &str = "SELECT version, place, turn, edition, at, since, kind, change, document, about, author
                     FROM change_event WHERE version = $1 AND place = $2";

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
    others: u64,
}

/// Places that stand close together, as the first and the last of each such run: what lies between is read as well.
fn runs(mut places: Vec<(Version, u32)>) -> Vec<(Version, u32, u32)> {
    places.sort_unstable();
    let mut runs: Vec<(Version, u32, u32)> = Vec::new();
    for (version, place) in places {
        match runs.last_mut() {
            Some((of, _, last)) if *of == version && place - *last <= NEAR => *last = place,
            _ => runs.push((version, place, place)),
        }
    }
    runs
}

/// Reads what the events gave and took, as far as it is to be told.
async fn fill(
    connection: &mut Connection,
    events: &mut [ChangeEvent],
    effects: Effects,
) -> Result<(), StoreError> {
    if effects == Effects::Untold {
        return Ok(());
    }
    let places: HashMap<(Version, u32), usize> =
        events.iter().enumerate().map(|(at, event)| ((event.version, event.place), at)).collect();
    let mut raws = Vec::new();
    let sql = "SELECT version, place, resource_id, principal_id, gained, via, mask, other
                 FROM change_effect
                WHERE version = $1 AND place >= $2 AND place <= $3
                ORDER BY place, resource_id, principal_id, gained, via";
    for (version, first, last) in runs(places.keys().copied().collect()) {
        let binds = [version.0.into(), i64::from(first).into(), i64::from(last).into()];
        connection
            .each(DOING, sql, &binds, |row| {
                let place = u32::try_from(row.number(1)?).unwrap_or(u32::MAX);
                if places.contains_key(&(version, place)) {
                    raws.push(raw((version, place), row)?);
                }
                Ok(())
            })
            .await?;
    }
    if effects == Effects::InShort {
        raws = in_short(raws);
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
                others: raw.others,
            });
        }
    }
    Ok(())
}

/// Of effects that differ in the resource alone the first few; the last of these has how many others there are.
fn in_short(raws: Vec<Raw>) -> Vec<Raw> {
    let mut alike: HashMap<_, (usize, usize)> = HashMap::new();
    let mut shown: Vec<Raw> = Vec::new();
    for raw in raws {
        let mask = raw.access.mask.0;
        let kin = (
            raw.of,
            raw.principal,
            raw.gained,
            raw.via.clone(),
            mask,
            raw.access.other.clone(),
            dense::kind(raw.resource),
        );
        let (count, last) = alike.entry(kin).or_default();
        *count += 1;
        if *count <= IN_SHORT {
            *last = shown.len();
            shown.push(raw);
        } else if let Some(last) = shown.get_mut(*last) {
            last.others += 1;
        }
    }
    shown
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
        others: 0,
    })
}
