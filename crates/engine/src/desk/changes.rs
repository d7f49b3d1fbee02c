//! Recorded changes of all estates, the newest first, and a feed of those to come.
//!
//! What a change is, and what followed from it, is [`changes`](crate::changes)'s to say.
//!
//! Invariant: from the turns of a feed on, each estate's events come once, and again where their author became known later.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{self, BoxStream, SelectAll, StreamExt as _};
use metsuke_model::{HerokuId, Moment, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Desk, Estate, Listing, Placed, Timed};
use crate::EngineError;
use crate::changes::{By, Event, EventFilter, Line, events, record};

/// How often a feed looks for connectors that came meanwhile.
const LOOKS: Duration = Duration::from_secs(10);
/// The most events that are read at once.
const AT_ONCE: usize = 1_000;

/// Recorded changes, newest first.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Which of them.
    pub filter: EventFilter,
}

/// The same, each as [`changes`](crate::changes) tells it.
#[derive(Clone, Debug, Default)]
pub struct Happenings {
    /// Which of them.
    pub filter: EventFilter,
}

/// One change, told once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeLine {
    /// Its id in its estate, the same for good: the version and the place in its log.
    pub id: Box<str>,
    /// The version that it came with.
    pub version: Version,
    /// When it was noticed: when that version's sync ended.
    pub at: Moment,
    /// It was made after this moment.
    pub since: Moment,
    /// `added`, `removed` or `changed`.
    pub change: Box<str>,
    /// `grant`, or the kind of the object.
    pub kind: Box<str>,
    /// The object, or the resource of the grant.
    pub subject: Subject,
    /// Who holds the grant.
    pub principal: Option<Holder>,
    /// Which entitlement.
    pub entitlement: Option<Box<str>>,
    /// The properties that differ, as they were.
    pub before: Map<String, Value>,
    /// The same properties after it.
    pub after: Map<String, Value>,
    /// Effective access that somebody has through it and had not before.
    pub gained: Vec<Line>,
    /// Effective access that somebody had and has no more.
    pub lost: Vec<Line>,
    /// Who did it, as far as it is known.
    pub by: Option<By>,
    /// 1, and one more each time that it became known otherwise who did it.
    pub edition: u32,
    /// Where it stands in the order of telling.
    pub turn: u64,
}

/// What a change happened to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Box<str>,
    /// Heroku's id.
    pub id: HerokuId,
    /// Its name or e-mail address.
    pub name: Box<str>,
}

/// Who holds a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Heroku's id.
    pub id: HerokuId,
    /// The e-mail address.
    pub email: Box<str>,
}

impl Listing for Changes {
    type Row = ChangeLine;
    type Key = Box<str>;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&Box<str>>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<ChangeLine>), EngineError> {
        let found = newest(estate, &self.filter, after.map(|after| &**after), count).await?;
        Ok((None, found.into_iter().map(ChangeLine::of).collect()))
    }

    fn key(&self, row: &ChangeLine) -> Box<str> {
        row.id.clone()
    }
}

impl Timed for Changes {
    fn at(&self, row: &ChangeLine) -> Moment {
        row.at
    }
}

impl Listing for Happenings {
    type Row = Event;
    type Key = Box<str>;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&Box<str>>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<Event>), EngineError> {
        Ok((None, newest(estate, &self.filter, after.map(|after| &**after), count).await?))
    }

    fn key(&self, row: &Event) -> Box<str> {
        row.id.clone()
    }
}

impl Timed for Happenings {
    fn at(&self, row: &Event) -> Moment {
        row.at
    }
}

/// The newest changes of an estate behind one of them.
async fn newest(
    estate: &Estate,
    filter: &EventFilter,
    after: Option<&str>,
    count: usize,
) -> Result<Vec<Event>, EngineError> {
    let mut found = Vec::new();
    let mut cursor: Option<Box<str>> = after.map(Into::into);
    loop {
        let limit = u32::try_from((count - found.len()).min(AT_ONCE)).unwrap_or(1);
        let page = events(&estate.store, filter, cursor.as_deref(), limit).await?;
        found.extend(page.events);
        cursor = page.next;
        if cursor.is_none() || found.len() >= count {
            return Ok(found);
        }
    }
}

impl ChangeLine {
    fn of(event: Event) -> Self {
        let Event { id, version, at, since, change, kind, mut what, gained, lost, by, edition, turn } = event;
        let mut text = |name: &str| match what.remove(name) {
            Some(Value::String(text)) => Some(text.into_boxed_str()),
            _ => None,
        };
        let (own, name, entitlement) = (text("id"), text("name"), text("entitlement"));
        let mut object = |name: &str| match what.remove(name) {
            Some(Value::Object(members)) => members,
            _ => Map::new(),
        };
        let (before, after) = (object("before"), object("after"));
        let (resource, principal) = (object("resource"), object("principal"));
        let member = |of: &Map<String, Value>, name: &str| {
            of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned().into_boxed_str()
        };
        let subject = match own {
            Some(own) => {
                Subject { kind: kind.clone(), id: HerokuId::new(&own), name: name.unwrap_or_default() }
            }
            None => Subject {
                kind: member(&resource, "type"),
                id: HerokuId::new(&member(&resource, "id")),
                name: member(&resource, "name"),
            },
        };
        let principal = (!principal.is_empty()).then(|| Holder {
            id: HerokuId::new(&member(&principal, "id")),
            email: member(&principal, "email"),
        });
        Self {
            id,
            version,
            at,
            since,
            change,
            kind,
            subject,
            principal,
            entitlement,
            before,
            after,
            gained,
            lost,
            by,
            edition,
            turn,
        }
    }
}

type Told = (Estate, Result<Event, EngineError>);

/// The changes of all estates as they are recorded; dropping it ends it.
pub struct ChangeFeed {
    desk: Desk,
    connector: Option<String>,
    filter: EventFilter,
    streams: SelectAll<BoxStream<'static, Told>>,
    turns: BTreeMap<String, u64>,
    followed: BTreeSet<String>,
    /// When it is to look for estates again.
    looks_at: Instant,
}

impl std::fmt::Debug for ChangeFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChangeFeed").field("turns", &self.turns).finish_non_exhaustive()
    }
}

impl Desk {
    /// The estates whose changes are meant, with everything recorded that no server's job records.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates).
    pub async fn recorded(&self, connector: Option<&str>) -> Result<Vec<Estate>, EngineError> {
        let estates = self.estates(connector).await?;
        for estate in estates.iter().filter(|estate| estate.connector.is_none()) {
            let newest = estate.store.snapshot(None).await?.map(|snapshot| snapshot.sync().version);
            if let Some(newest) = newest {
                record(&estate.store, newest, self.installation().clock()).await?;
            }
        }
        Ok(estates)
    }

    /// Follows what is recorded: behind these turns of each estate, else from now on.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates).
    pub async fn follow_changes(
        &self,
        connector: Option<&str>,
        filter: EventFilter,
        turns: Option<BTreeMap<String, u64>>,
    ) -> Result<ChangeFeed, EngineError> {
        let began = turns.is_some();
        let mut feed = ChangeFeed {
            desk: self.clone(),
            connector: connector.map(ToOwned::to_owned),
            filter,
            streams: SelectAll::new(),
            turns: BTreeMap::new(),
            followed: BTreeSet::new(),
            looks_at: Instant::now() + LOOKS,
        };
        let turns = turns.unwrap_or_default();
        for estate in self.recorded(connector).await? {
            // Whoever goes on knew every estate that there was: another one came later, and is told whole.
            let turn = turns.get(estate.place()).copied().or(began.then_some(0));
            feed.join(estate, turn).await?;
        }
        Ok(feed)
    }
}

impl ChangeFeed {
    /// The next change, as soon as there is one. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Placed<ChangeLine> {
        loop {
            tokio::select! {
                Some((estate, event)) = self.streams.next() => match event {
                    Ok(event) => {
                        self.turns.insert(estate.place().to_owned(), event.turn);
                        return Placed { connector: estate.connector, version: None, row: ChangeLine::of(event) };
                    }
                    Err(error) => {
                        tracing::debug!(%error, estate = estate.name, "an estate cannot be followed for now");
                        self.followed.remove(estate.place());
                    }
                },
                () = tokio::time::sleep_until(self.looks_at) => {
                    self.looks_at = Instant::now() + LOOKS;
                    self.look().await;
                }
            }
        }
    }

    /// How far each estate was told: where to go on later.
    #[must_use]
    pub const fn turns(&self) -> &BTreeMap<String, u64> {
        &self.turns
    }

    /// Takes in connectors that came meanwhile, and those that could not be read for a while.
    async fn look(&mut self) {
        let estates = match self.desk.recorded(self.connector.as_deref()).await {
            Ok(estates) => estates,
            Err(error) => return tracing::debug!(%error, "estates cannot be looked for"),
        };
        for estate in estates {
            if self.followed.contains(estate.place()) {
                continue;
            }
            let turn = self.turns.get(estate.place()).copied().unwrap_or_default();
            if let Err(error) = self.join(estate, Some(turn)).await {
                tracing::debug!(%error, "an estate cannot be followed yet");
            }
        }
    }

    async fn join(&mut self, estate: Estate, turn: Option<u64>) -> Result<(), EngineError> {
        let following = self.desk.watch().follow(&estate.store, self.filter.clone(), turn).await?;
        self.turns.insert(estate.place().to_owned(), following.turn());
        self.followed.insert(estate.place().to_owned());
        let told = stream::unfold(Some((estate, following)), |following| async move {
            let (estate, mut following) = following?;
            let event = following.next().await;
            // Whoever follows takes it up again, if it is still there.
            let rest = event.is_ok().then(|| (estate.clone(), following));
            Some(((estate, event), rest))
        });
        self.streams.push(told.boxed());
        Ok(())
    }
}
