//! The feed of Heroku's audit trail.
//!
//! Heroku tells the trail day by day, late and in no order. So the day before the newest event is read again each time,
//! and the cursor remembers what was given out of it; what comes later than that only a sync notices.
//!
//! Invariant: up to the floor of a cursor, everything that was there was given out.

use std::sync::{Mutex, PoisonError};

use metsuke_clients::heroku::{Endpoint, Row, endpoint, wire};
use metsuke_clients::{ClientError, ErrorKind};
use metsuke_model::{HerokuId, Moment};

use super::cursor::{MOST_SEEN, Mark, Seen};
use super::{Connector, Event, EventPage, Feed, Happened, Someone, Target};
use crate::EngineError;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// Days that are read for one page at most.
const MOST_DAYS: i64 = 7;
/// How long what was read serves for the pages that follow.
const KEEPS: i64 = 60_000_000;

/// What was read for a page that was cut, for the one that follows.
#[derive(Debug, Default)]
pub(in crate::connector) struct Trail(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    cursor: Box<str>,
    read_at: Moment,
    told: Told,
}

/// What the trail tells of some days.
#[derive(Debug)]
struct Told {
    /// In order, each event once.
    events: Vec<(Mark, wire::AuditTrailEvent)>,
    /// The first moment of the last of the days.
    last_day: i64,
    /// That is today.
    is_today: bool,
}

impl Connector {
    pub(super) async fn trail_events(
        &self,
        cursor: Option<&str>,
        since: Option<Moment>,
        limit: usize,
    ) -> Result<EventPage, EngineError> {
        let now = self.settings.clock.now();
        let bad = EngineError::BadCursor { feed: Feed::AuditTrail.as_str() };
        let mut seen = match cursor {
            Some(text) => Seen::parse(text).ok_or(bad)?,
            None => Seen::nothing(since.unwrap_or(Moment(day_of(now.0) - DAY))),
        };
        let told = match self.trail.take(cursor, now) {
            Some(told) => told,
            None => self.read_trail(seen.floor.at, now.0).await?,
        };
        let mut events = Vec::new();
        let mut last = None;
        let mut cut = false;
        for (mark, row) in told.events.iter().filter(|(mark, _)| *mark > seen.floor) {
            if seen.has(*mark) {
                continue;
            }
            if let Some(event) = event(*mark, row) {
                if events.len() >= limit {
                    cut = true;
                    break;
                }
                events.push(event);
            }
            seen.after.insert(mark.digest);
            last = Some(mark.at);
        }
        let more = cut || !told.is_today;
        let read_to = if cut { day_of(last.unwrap_or(seen.floor.at)) - DAY } else { told.settled_before() };
        seen.raise(&told.events, Mark::before(Moment(read_to)));
        let cursor = seen.text();
        if cut {
            self.trail.keep(Kept { cursor: cursor.clone(), read_at: now, told });
        }
        Ok(EventPage { events, cursor, more })
    }

    /// Reads the days from that of `from` on, of every Enterprise account that lets its trail be read.
    async fn read_trail(&self, from: i64, now: i64) -> Result<Told, EngineError> {
        let today = day_of(now);
        let first = day_of(from).min(today);
        let last_day = today.min(first + (MOST_DAYS - 1) * DAY);
        let accounts = self.all(endpoint::enterprise_accounts()).await.map_err(upstream)?;
        let mut events = Vec::new();
        let (mut read, mut refused) = (0, None);
        'accounts: for account in &accounts {
            let mut day = first;
            while day <= last_day {
                match self.all(endpoint::enterprise_events(&account.id, &date(day))).await {
                    Ok(rows) => events.extend(rows.into_iter().map(|row| (mark(&row, day), row))),
                    Err(error)
                        if matches!(error.kind(), ErrorKind::Forbidden { .. } | ErrorKind::NotFound) =>
                    {
                        refused = Some(error);
                        continue 'accounts;
                    }
                    // How far back Heroku tells is not documented: a day that it does not take holds nothing more.
                    Err(error) if error.kind() == ErrorKind::Refused && day < today => {}
                    Err(error) => return Err(upstream(error)),
                }
                day += DAY;
            }
            read += 1;
        }
        match refused {
            Some(error) if read == 0 => return Err(upstream(error)),
            Some(error) => tracing::debug!(%error, "the audit trail of an Enterprise account cannot be read"),
            None => {}
        }
        events.sort_by_key(|event| event.0);
        events.dedup_by_key(|event| event.0);
        Ok(Told { events, last_day, is_today: last_day == today })
    }

    async fn all<T: Row>(&self, list: Endpoint<T>) -> Result<Vec<T>, ClientError> {
        let mut walk = self.heroku.walk(list);
        let mut rows = Vec::new();
        while !walk.finished() {
            rows.extend(walk.next().await?.rows);
        }
        Ok(rows)
    }
}

impl Trail {
    fn take(&self, cursor: Option<&str>, now: Moment) -> Option<Told> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let fits = Some(&*kept.cursor) == cursor && now.since(kept.read_at) <= KEEPS.unsigned_abs();
        fits.then_some(kept.told)
    }

    fn keep(&self, kept: Kept) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }
}

impl Told {
    /// Nothing that happened before this moment is awaited any more, once all is given out.
    fn settled_before(&self) -> i64 {
        if self.is_today { self.last_day - DAY } else { self.last_day }
    }
}

impl Seen {
    /// Forgets single events by raising the floor to `settled`, and on until the cursor is short enough.
    ///
    /// All `events` up to the last one that was given out were given out.
    fn raise(&mut self, events: &[(Mark, wire::AuditTrailEvent)], settled: Mark) {
        let given: Vec<Mark> = events
            .iter()
            .map(|(mark, _)| *mark)
            .filter(|mark| *mark > self.floor && self.has(*mark))
            .collect();
        let mut floor = self.floor.max(settled);
        let over = given.len().checked_sub(MOST_SEEN + 1).and_then(|place| given.get(place));
        floor = over.map_or(floor, |mark| floor.max(*mark));
        self.after = given.into_iter().filter(|mark| *mark > floor).map(|mark| mark.digest).collect();
        self.floor = floor;
    }
}

/// When and what an event is; one without a time happened at the beginning of the day that names it.
fn mark(row: &wire::AuditTrailEvent, day: i64) -> Mark {
    let at = row.created_at.as_deref().and_then(Moment::parse).unwrap_or(Moment(day));
    Mark::of(at, &row.id)
}

/// The first moment of the day.
fn day_of(at: i64) -> i64 {
    at - at.rem_euclid(DAY)
}

/// The day as Heroku spells it.
fn date(day: i64) -> String {
    Moment(day).to_string().chars().take(10).collect()
}

/// A row as an event; none where it names nothing that a connector shows.
fn event(mark: Mark, row: &wire::AuditTrailEvent) -> Option<Event> {
    let id = |named: &Option<wire::Named>| named.as_ref()?.id.as_deref().map(HerokuId::new);
    let app = id(&row.app).map(Target::App);
    let team = id(&row.team).map(Target::Team);
    let account = id(&row.enterprise_account).map(Target::EnterpriseAccount);
    let actor = row.actor.as_ref().and_then(|actor| {
        let email = actor.email.as_deref().map(Into::into);
        Some(Someone { id: HerokuId::new(actor.id.as_deref()?), email })
    });
    let kind = row.kind.as_deref().unwrap_or_default();
    let happened = match kind {
        "collaborator" | "app" | "app_transfer" => Happened::Changed { target: app?, parent: team },
        "team" | "team_membership" => Happened::Changed { target: team?, parent: account },
        "enterprise_account_membership" => Happened::Changed { target: account?, parent: None },
        _ => Happened::Used { target: app.or(team).or(account)?, by: actor.as_ref()?.id.clone() },
    };
    let word = format!("{kind}.{}", row.action.as_deref().unwrap_or_default()).into();
    Some(Event { id: row.id.as_str().into(), at: Moment(mark.at), word, actor, happened })
}

fn upstream(source: ClientError) -> EngineError {
    match source.kind() {
        ErrorKind::Unauthorized => EngineError::WrongToken { source },
        _ => EngineError::Upstream { source },
    }
}
