//! `metsuke changes`: what differs between two versions, and which property from what to what.
//!
//! The log is the store's; here its entries get words.

use std::collections::{BTreeSet, HashMap};

use metsuke_engine::EngineError;
use metsuke_engine::changes::{self, EventFilter};
use metsuke_engine::desk::{ChangeLine, Subject, SyncLine};
use metsuke_model::{AsOf, HerokuId, Moment, SystemClock, Version};
use metsuke_store::{Change, Changed, Store, StoreError, SyncRow};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::context::{Context, gaps};
use crate::failure::Exit;
use crate::remote::{Remote, as_of};
use crate::rows::{self, Cell, Column};
use crate::text::{count, length, shown};

/// Show what changed between two versions
///
/// By default since the version before the newest. Objects that came, went or changed, with each property before
/// and after, and grants that came or went. The first version of a database has no changes: everything in it
/// came with it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke changes
  metsuke changes --since 2026-11-01
  metsuke changes --since 12 --until 14 --format jsonl")]
pub(crate) struct Args {
    /// Leave out this version and everything before: a number, a date or a time; by default the version before
    /// the last one that is shown
    #[arg(long, value_name = "VERSION|TIME")]
    since: Option<AsOf>,
    /// The last version to show: a number, a date or a time; by default the newest
    #[arg(long, visible_alias = "as-of", value_name = "VERSION|TIME")]
    until: Option<AsOf>,
    /// Only changes that this person made, by e-mail address or id, or an operator by name, or a plan
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
}

/// One change.
#[derive(Debug, Serialize)]
struct Line {
    version: Version,
    at: Moment,
    #[serde(rename = "change")]
    verb: Box<str>,
    /// `grant`, or the kind of the object.
    kind: Box<str>,
    #[serde(flatten)]
    what: What,
    /// What is recorded of it beyond the log.
    #[serde(flatten)]
    told: Option<Told>,
}

/// What followed from a change, and who made it.
#[derive(Debug, Serialize)]
struct Told {
    gained: Vec<changes::Line>,
    lost: Vec<changes::Line>,
    by: Option<changes::By>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum What {
    Object { id: HerokuId, name: String, before: Map<String, Value>, after: Map<String, Value> },
    Grant { principal: Holder, resource: Resource, entitlement: String },
}

#[derive(Debug, Serialize)]
struct Holder {
    kind: &'static str,
    id: HerokuId,
    email: String,
}

#[derive(Debug, Serialize)]
struct Resource {
    #[serde(rename = "type")]
    kind: Box<str>,
    id: HerokuId,
    name: String,
}

impl Args {
    /// Prints the changes.
    ///
    /// # Errors
    ///
    /// What the database said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.database().await?;
        let until = version(&store, self.until).await?;
        context.note_gaps(&until, &gaps(&store, &until).await?);
        if self.until.is_none() {
            context.note_waiting(&store).await?;
        }
        let since = match self.since {
            Some(since) => start(&store, since).await?,
            None => before(&store, until.version).await?,
        };
        let mut recorded = recorded(&store, (since, until.version), self.by).await?;
        let mut lines: Vec<Line> = Vec::new();
        let (mut version, mut place) = (since, 0);
        for change in store.changes(since, until.version).await? {
            if change.version != version {
                (version, place) = (change.version, 0);
            }
            let told = recorded.events.remove(&format!("{version}-{place}"));
            place += 1;
            if told.is_some() || !recorded.chosen {
                lines.push(Line { told, ..Line::from(change) });
            }
        }
        if lines.is_empty() && recorded.chosen {
            context.note("note: no change is known to be theirs");
        } else if lines.is_empty() {
            let told = if since.0 == 0 {
                "version 1 is the first: everything came with it".into()
            } else {
                format!("nothing changed after version {since} up to version {}", until.version)
            };
            context.note(&format!("note: {told}"));
        }
        rows::write(context.output, COLUMNS, &lines)?;
        Ok(Exit::Done)
    }
}

impl Args {
    /// Prints the changes that a server has recorded.
    ///
    /// # Errors
    ///
    /// What the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let mut query = as_of("until", self.until);
        if self.since.is_some() {
            query.extend(as_of("since", self.since));
        } else if self.until.is_none() {
            let syncs: Vec<SyncLine> = remote.all(&["syncs"], Vec::new()).await?;
            let mut versions = syncs.iter().filter(|sync| sync.status.is_version());
            let before = versions.nth(1).map_or(0, |sync| sync.version.0);
            query.push(("since", before.to_string()));
        }
        query.extend(self.by.map(|by| ("by", by)));
        let mut lines: Vec<ChangeLine> = remote.all(&["changes"], query).await?;
        lines.reverse();
        let lines: Vec<Line> = lines.into_iter().map(Line::from).collect();
        if lines.is_empty() {
            context.note("note: there is no such change");
        }
        rows::write(context.output, COLUMNS, &lines)?;
        Ok(Exit::Done)
    }
}

impl From<ChangeLine> for Line {
    fn from(line: ChangeLine) -> Self {
        let ChangeLine { version, at, change, kind, subject, principal, entitlement, before, after, .. } =
            line;
        let Subject { kind: of, id, name } = subject;
        let what = match principal {
            Some(principal) => What::Grant {
                principal: Holder { kind: "user", id: principal.id, email: principal.email.into() },
                resource: Resource { kind: of, id, name: name.into() },
                entitlement: entitlement.unwrap_or_default().into(),
            },
            None => What::Object { id, name: name.into(), before, after },
        };
        let told = Some(Told { gained: line.gained, lost: line.lost, by: line.by });
        Self { version, at, verb: change, kind, what, told }
    }
}

/// What is recorded of changes, by the events' ids.
struct Recorded {
    events: HashMap<String, Told>,
    /// Only some are meant.
    chosen: bool,
}

/// Records what is not recorded yet, and reads what is.
async fn recorded(
    store: &Store,
    (since, until): (Version, Version),
    by: Option<String>,
) -> anyhow::Result<Recorded> {
    if let Err(error) = changes::record(store, until, &SystemClock).await {
        // A database that can only be read is shown as it is.
        tracing::debug!(%error, "changes cannot be recorded");
    }
    let chosen = by.is_some();
    let filter = EventFilter { after: Some(since), up_to: Some(until), actor: by, ..EventFilter::default() };
    let (mut events, mut cursor) = (HashMap::new(), None::<Box<str>>);
    loop {
        let page = changes::events(store, &filter, cursor.as_deref(), 1_000).await?;
        for event in page.events {
            let told = Told { gained: event.gained, lost: event.lost, by: event.by };
            events.insert(event.id.into(), told);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(Recorded { events, chosen });
        }
    }
}

async fn version(store: &Store, as_of: Option<AsOf>) -> anyhow::Result<SyncRow> {
    let snapshot = store.snapshot(as_of).await?.ok_or(EngineError::NoVersion)?;
    Ok(snapshot.sync().clone())
}

/// The version after which changes are shown; a time before the first version means all of them.
async fn start(store: &Store, since: AsOf) -> anyhow::Result<Version> {
    if let AsOf::Version(Version(0)) = since {
        return Ok(Version(0));
    }
    match store.snapshot(Some(since)).await {
        Ok(Some(snapshot)) => Ok(snapshot.sync().version),
        Ok(None) => Err(EngineError::NoVersion.into()),
        Err(StoreError::NoVersion { .. }) if matches!(since, AsOf::Time(_)) => Ok(Version(0)),
        Err(error) => Err(error.into()),
    }
}

/// The version before another; 0 where there is none.
async fn before(store: &Store, version: Version) -> anyhow::Result<Version> {
    let runs = store.syncs(u32::MAX).await?;
    let earlier = runs.into_iter().find(|run| run.version < version && run.status.is_version());
    Ok(earlier.map_or(Version(0), |run| run.version))
}

impl From<Change> for Line {
    fn from(change: Change) -> Self {
        let Change { version, at, change, changed } = change;
        let (kind, what) = match changed {
            Changed::Object { kind, id, name, before, after } => {
                (kind.as_str(), What::Object { id, name, before, after })
            }
            Changed::Grant { resource_type, resource, resource_name, principal, email, entitlement } => {
                let resource =
                    Resource { kind: resource_type.as_str().into(), id: resource, name: resource_name };
                (
                    "grant",
                    What::Grant {
                        principal: Holder { kind: "user", id: principal, email },
                        resource,
                        entitlement,
                    },
                )
            }
        };
        Self { version, at, verb: change.as_str().into(), kind: kind.into(), what, told: None }
    }
}

impl Line {
    fn name(&self) -> &str {
        match &self.what {
            What::Object { name, .. } => name,
            What::Grant { principal, .. } => &principal.email,
        }
    }

    /// What changed, in words.
    fn detail(&self) -> Option<String> {
        match &self.what {
            What::Object { before, after, .. } if &*self.verb == "changed" => {
                let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
                let told = names
                    .map(|name| format!("{name}: {} -> {}", value(before.get(name)), value(after.get(name))));
                Some(told.collect::<Vec<_>>().join(", "))
            }
            What::Object { .. } => None,
            What::Grant { resource, entitlement, .. } => {
                let (on, name) = (resource.kind.replace('_', " "), shown(&resource.name));
                Some(format!("{entitlement} on {on} {name}"))
            }
        }
    }

    /// What followed, in words: how many gained or lost access by it.
    fn followed(&self) -> Option<String> {
        let told = self.told.as_ref()?;
        let people = |lines: &[changes::Line]| {
            let people: BTreeSet<&HerokuId> = lines.iter().map(|line| &line.principal.id).collect();
            count(length(&people.into_iter().collect::<Vec<_>>()), "person", "people")
        };
        let side = |verb: &str, lines: &[changes::Line]| match lines {
            [] => None,
            [line] => {
                let (what, on) = (line.entitlements.join(", "), shown(&line.resource.name));
                Some(format!("{} {verb} {what} on {on}", shown(&line.principal.email)))
            }
            lines => {
                let on = count(length(lines), "line", "lines");
                Some(format!("{} {verb} access ({on})", people(lines)))
            }
        };
        let sides = [side("gains", &told.gained), side("loses", &told.lost)];
        let sides: Vec<String> = sides.into_iter().flatten().collect();
        (!sides.is_empty()).then(|| sides.join("; "))
    }

    /// Who made it.
    fn by(&self) -> Option<String> {
        let by = self.told.as_ref()?.by.as_ref()?;
        let actor = by.actor.as_deref().map_or("one of several", |actor| actor);
        Some(match &by.plan {
            Some(plan) => format!("{} (plan {plan})", shown(actor)),
            None => shown(actor).to_string(),
        })
    }

    fn json(&self, pick: fn(&What) -> Option<&Map<String, Value>>) -> Cell {
        let object = pick(&self.what).filter(|object| !object.is_empty());
        Cell::text(object.map(|object| serde_json::to_string(object).unwrap_or_default()))
    }
}

fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "nothing".into(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

const COLUMNS: &[Column<Line>] = &[
    Column::new("version", "VERSION", |line| Cell::Count(line.version.0.unsigned_abs())),
    Column::csv("at", |line| Cell::Time(Some(line.at))),
    Column::new("change", "CHANGE", |line| Cell::text(Some(&line.verb))),
    Column::new("kind", "WHAT", |line| Cell::text(Some(&line.kind))),
    Column::csv("id", |line| match &line.what {
        What::Object { id, .. } => Cell::text(Some(id)),
        What::Grant { .. } => Cell::Text(None),
    }),
    Column::new("name", "NAME", |line| Cell::text(Some(line.name()))),
    Column::table("DETAIL", |line| Cell::text(line.detail())),
    Column::table("EFFECT", |line| Cell::text(line.followed())),
    Column::new("by", "BY", |line| Cell::text(line.by())),
    Column::csv("before", |line| {
        line.json(|what| match what {
            What::Object { before, .. } => Some(before),
            What::Grant { .. } => None,
        })
    }),
    Column::csv("after", |line| {
        line.json(|what| match what {
            What::Object { after, .. } => Some(after),
            What::Grant { .. } => None,
        })
    }),
    Column::csv("principal_id", |line| match &line.what {
        What::Grant { principal, .. } => Cell::text(Some(&principal.id)),
        What::Object { .. } => Cell::Text(None),
    }),
    Column::csv("entitlement", |line| match &line.what {
        What::Grant { entitlement, .. } => Cell::text(Some(entitlement)),
        What::Object { .. } => Cell::Text(None),
    }),
    Column::csv("resource_type", |line| match &line.what {
        What::Grant { resource, .. } => Cell::text(Some(&resource.kind)),
        What::Object { .. } => Cell::Text(None),
    }),
    Column::csv("resource_id", |line| match &line.what {
        What::Grant { resource, .. } => Cell::text(Some(&resource.id)),
        What::Object { .. } => Cell::Text(None),
    }),
    Column::csv("resource_name", |line| match &line.what {
        What::Grant { resource, .. } => Cell::text(Some(&resource.name)),
        What::Object { .. } => Cell::Text(None),
    }),
];
