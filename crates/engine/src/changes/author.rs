//! Who made a change: our own plans, and what Heroku's audit trail says.
//!
//! Heroku does not document what the trail tells beyond type, action, actor, address and the things named; whose
//! membership or row an entry is about stands nowhere. So an entry names a change by the thing, the action and the time.
//!
//! Invariant: somebody is named only where nobody else can have done it, as far as the trail tells; where entries of
//! several people fit, all of them are listed and nobody is named.

use std::collections::{BTreeSet, HashMap};

use metsuke_model::plan::{Plan, Step};
use metsuke_model::{Clock, Moment, Version};
use metsuke_store::{Author, ChangeEvent, ChangeKind, EventFilter, Store, TrailEntry};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::EngineError;

/// How far Heroku's clock and ours may differ, in microseconds.
pub(super) const SKEW: i64 = 120_000_000;
/// For how long after it was noticed a change waits for late entries of the trail: what is read of it, and a day.
const WAITS: i64 = 3 * 86_400_000_000;
/// Events that are looked at together.
const AT_ONCE: u32 = 1_000;
/// Entries that are listed of those that fit.
const MOST_LISTED: usize = 20;

/// From what it is known who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// A plan of ours made it.
    Plan,
    /// Heroku's audit trail says so.
    AuditTrail,
}

/// Who made a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// From what it is known.
    pub how: How,
    /// The e-mail address, or the operator's name of a plan; none where entries of several people fit.
    pub actor: Option<Box<str>>,
    /// Heroku's id of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Box<str>>,
    /// From which address of the network, where all fitting entries name the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Box<str>>,
    /// When, where exactly one entry or one step fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// The plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<str>>,
    /// Why, as the plan says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Box<str>>,
    /// The entries of the trail that fit, at most twenty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audit_events: Vec<Box<str>>,
}

/// What is kept of an entry of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Type and action, such as `team_membership.create`.
    pub(super) word: Box<str>,
    pub(super) actor: Option<Box<str>>,
    pub(super) actor_id: Option<Box<str>>,
    pub(super) ip: Option<Box<str>>,
    /// The things that it names, each as `app:ID`.
    pub(super) about: Vec<String>,
}

/// What is looked at of a change.
pub(super) struct Facts<'e> {
    pub(super) kind: &'e str,
    pub(super) change: ChangeKind,
    pub(super) document: &'e Json,
    pub(super) about: Vec<&'e str>,
    pub(super) since: Moment,
    pub(super) at: Moment,
}

impl Facts<'_> {
    fn names(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.about
            .iter()
            .copied()
            .filter(move |word| word.strip_prefix(kind).is_some_and(|rest| rest.starts_with(':')))
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.document.pointer(path).and_then(Json::as_str)
    }
}

/// An entry of the trail with its id, and when it was made.
type Told = (Box<str>, Moment, Entry);

/// What may have been done between two moments: our own steps, and entries of the trail.
#[derive(Debug, Default)]
pub(super) struct Deeds {
    steps: Vec<(Box<str>, Plan, u32, Moment)>,
    entries: Vec<Told>,
    /// The places of the entries that name a thing.
    naming: HashMap<String, Vec<usize>>,
}

impl Deeds {
    /// Reads what was done between two moments, give or take what clocks differ by.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub(super) async fn read(store: &Store, since: Moment, until: Moment) -> Result<Self, EngineError> {
        let steps = store.sent_steps(since, until).await?.into_iter().filter_map(|(plan, row)| {
            let id = plan.id().into();
            Some((id, plan, row.ordinal, row.sent_at?))
        });
        let (from, to) = (Moment(since.0.saturating_sub(SKEW)), Moment(until.0.saturating_add(SKEW)));
        let entries = store.trail_entries(from, to).await?.into_iter().filter_map(entry);
        Ok(Self { steps: steps.collect(), ..Self::of_entries(entries) })
    }

    fn of_entries(entries: impl Iterator<Item = Told>) -> Self {
        let mut deeds = Self { entries: entries.collect(), ..Self::default() };
        for (place, (_, _, entry)) in deeds.entries.iter().enumerate() {
            for word in &entry.about {
                deeds.naming.entry(word.clone()).or_default().push(place);
            }
        }
        deeds
    }

    /// The entries that fit a change, each with how well, 0 the best.
    fn fitting(&self, facts: &Facts<'_>) -> Vec<(u8, &Told)> {
        let near = |at: Moment| at.0 >= facts.since.0 - SKEW && at.0 <= facts.at.0 + SKEW;
        let places = facts.about.iter().filter_map(|word| self.naming.get(*word)).flatten();
        let places: BTreeSet<usize> = places.copied().collect();
        let entries = places.into_iter().filter_map(|place| self.entries.get(place));
        let entries = entries.filter(|(_, at, _)| near(*at));
        entries.filter_map(|one| Some((fit(&one.2, facts)?, one))).collect()
    }

    /// Who made a change.
    pub(super) fn author(&self, facts: &Facts<'_>) -> Option<By> {
        let trail = self.of_trail(facts);
        let within = |at: Moment| at >= facts.since && at <= facts.at;
        let step = self.steps.iter().rev().find(|(_, plan, ordinal, sent_at)| {
            let step = plan.steps.iter().find(|step| step.ordinal == *ordinal);
            within(*sent_at) && step.is_some_and(|step| made(step, facts))
        });
        let Some((id, plan, _, sent_at)) = step else { return trail };
        Some(By {
            how: How::Plan,
            actor: Some(plan.actor.as_str().into()),
            actor_id: None,
            ip: None,
            at: Some(*sent_at),
            plan: Some(id.clone()),
            reason: plan.reason.as_deref().map(Into::into),
            audit_events: trail.map(|trail| trail.audit_events).unwrap_or_default(),
        })
    }

    fn of_trail(&self, facts: &Facts<'_>) -> Option<By> {
        let mut ranked = self.fitting(facts);
        let best = ranked.iter().map(|(rank, _)| *rank).min()?;
        ranked.retain(|(rank, _)| *rank == best);
        let (_, (_, at, first)) = ranked.first()?;
        let same = |pick: fn(&Entry) -> &Option<Box<str>>| {
            let all = ranked.iter().all(|(_, (_, _, entry))| pick(entry) == pick(first));
            if all { pick(first).clone() } else { None }
        };
        let one = same(|entry| &entry.actor_id).is_some() || same(|entry| &entry.actor).is_some();
        let actor = if one { first.actor.clone().or_else(|| first.actor_id.clone()) } else { None };
        Some(By {
            how: How::AuditTrail,
            actor_id: actor.as_ref().and_then(|_| first.actor_id.clone()),
            ip: actor.as_ref().and_then(|_| same(|entry| &entry.ip)),
            at: (ranked.len() == 1).then_some(*at),
            actor,
            plan: None,
            reason: None,
            audit_events: ranked.iter().take(MOST_LISTED).map(|(_, (id, ..))| id.clone()).collect(),
        })
    }
}

impl By {
    /// The author as the store keeps it.
    pub(super) fn stored(&self) -> Author {
        let names = [&self.actor, &self.actor_id, &self.plan];
        Author {
            names: names.into_iter().flatten().map(ToString::to_string).collect(),
            document: serde_json::to_value(self).unwrap_or_default(),
        }
    }
}

fn entry(stored: TrailEntry) -> Option<Told> {
    let entry = serde_json::from_value(stored.document).ok()?;
    Some((stored.id.into(), stored.at, entry))
}

/// Whether a step of ours made a change: what it wrote, and the rows that Heroku makes and takes away with it.
fn made(step: &Step, facts: &Facts<'_>) -> bool {
    let same_person = match facts.kind {
        "grant" => {
            let email = facts.text("/principal/email").unwrap_or_default();
            let id = facts.text("/principal/id");
            step.person.id.as_ref().is_some_and(|known| Some(known.to_string().as_str()) == id)
                || email.to_lowercase() == step.person.email.to_lowercase()
        }
        "invitation" | "user" | "unresolved_member" => {
            let name = facts.text("/name").unwrap_or_default();
            name.to_lowercase() == step.person.email.to_lowercase()
        }
        _ => false,
    };
    let id = |resource: &metsuke_model::ResourceRef| {
        super::about::word(resource.resource_type.as_str(), &resource.id)
    };
    let places = std::iter::once(&step.resource).chain(&step.team).map(id);
    let known_place = facts.kind == "user" || places.into_iter().any(|place| facts.about.contains(&&*place));
    same_person && known_place
}

/// How well an entry fits a change, 0 the best; `None` where it does not.
#[expect(clippy::match_same_arms, reason = "each way in which an entry fits has a line of its own")]
fn fit(entry: &Entry, facts: &Facts<'_>) -> Option<u8> {
    let (what, action) = entry.word.split_once('.')?;
    let names = |kind: &str| facts.names(kind).any(|word| entry.about.iter().any(|named| named == word));
    let does = matches!(
        (action, facts.change),
        ("create" | "attach", ChangeKind::Added)
            | ("destroy" | "detach", ChangeKind::Removed)
            | ("update", _)
    );
    let on = facts.text("/resource/type");
    let rank = match (facts.kind, on, what) {
        ("grant", Some("app"), "collaborator") if does && names("app") => 0,
        ("grant", Some("app"), "app") if does && action != "update" && names("app") => 1,
        ("grant" | "app", _, "app_transfer") if names("app") => 1,
        // Whoever leaves a team leaves its apps.
        ("grant", Some("app"), "team_membership") if action == "destroy" && does && names("team") => 2,
        ("grant", Some("team"), "team_membership") if does && names("team") => 0,
        // Somebody on an app of a team is listed among its people.
        ("grant", Some("team"), "collaborator")
            if does && names("team") && facts.text("/entitlement") == Some("collaborator") =>
        {
            0
        }
        ("grant", Some("team"), "team") if action == "destroy" && does && names("team") => 1,
        ("grant", Some("enterprise_account"), "enterprise_account_membership")
            if does && names("enterprise_account") =>
        {
            0
        }
        ("app", _, "app") if does && names("app") => 0,
        ("team", _, "team") if does && names("team") => 0,
        ("addon", _, "addon") if does && names("app") => 0,
        ("attachment", _, "addon") if does && names("app") => 0,
        ("space", _, "space") if does && names("team") => 0,
        ("invitation" | "unresolved_member", _, "team_membership") if names("team") => 0,
        _ => return None,
    };
    Some(rank)
}

/// Looks once more who made the changes for which new entries of the trail came; returns how many are told otherwise
/// than before.
///
/// # Errors
///
/// What the database said.
pub async fn attribute(store: &Store, fresh: &[TrailEntry], clock: &dyn Clock) -> Result<u64, EngineError> {
    let fresh = Deeds::of_entries(fresh.iter().cloned().filter_map(entry));
    let Some(first) = fresh.entries.iter().map(|(_, at, _)| at.0).min() else { return Ok(0) };
    let waits = clock.now().0.saturating_sub(WAITS);
    let filter = EventFilter { since: Some(Moment((first - SKEW).max(waits))), ..EventFilter::default() };
    let mut told: Vec<(Version, u32, Option<Author>)> = Vec::new();
    let mut before = None;
    loop {
        let events = store.bare_change_events(&filter, before, AT_ONCE).await?;
        let Some(last) = events.last() else { break };
        before = Some((last.version, last.place));
        let mut concerned: Vec<ChangeEvent> = events;
        concerned.retain(|event| !fresh.fitting(&facts(event)).is_empty());
        let since = concerned.iter().map(|event| event.since).min();
        let (Some(since), Some(until)) = (since, concerned.iter().map(|event| event.at).max()) else {
            continue;
        };
        let deeds = Deeds::read(store, since, until).await?;
        for event in concerned {
            let author = deeds.author(&facts(&event)).map(|by| by.stored());
            if author.as_ref().map(|author| &author.document) != event.author.as_ref() {
                told.push((event.version, event.place, author));
            }
        }
    }
    store.give_authors(&told).await?;
    Ok(told.len() as u64)
}

fn facts(event: &ChangeEvent) -> Facts<'_> {
    Facts {
        kind: &event.kind,
        change: event.change,
        document: &event.document,
        about: event.about.iter().map(|word| &**word).collect(),
        since: event.since,
        at: event.at,
    }
}
