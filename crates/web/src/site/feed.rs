//! What happened, as entries of a feed: in words, with before and after, and who did it.
//!
//! Invariant: an entry says no more than the change that it tells of.

use metsuke_engine::changes::{By, Event, EventFilter, How, Line};
use metsuke_engine::desk::Reading;
use metsuke_model::AsOf;
use serde_json::{Map, Value};

use super::cell::{Badge, Tone};
use super::frame::Frame;
use super::words::{Name, When, listed, number};
use crate::call::Call;
use crate::error::ApiError;

/// Effects, and resources of one of them, that an entry names one by one.
const NAMED: usize = 3;

/// The entitlements in the order in which they are told.
const ORDER: [&str; 5] = ["view", "deploy", "operate", "manage", "collaborator"];

/// One thing that happened.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) when: When,
    pub(super) href: String,
    pub(super) badge: Badge,
    pub(super) what: Vec<Bit>,
    pub(super) differences: Vec<Difference>,
    pub(super) effects: Vec<Effect>,
    /// Effects that are not named.
    pub(super) others: usize,
    pub(super) by: String,
    /// The connector's id; none for what was synced into the main database by hand.
    pub(super) connector: Option<String>,
    /// What the connector is called; empty where one looks at a single one.
    pub(super) from: Name,
}

/// A piece of a sentence: a word of ours, or a name that leads somewhere.
#[derive(Clone, Debug)]
pub(super) enum Bit {
    Word(String),
    Name(Name, String),
}

/// A property before and after.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) name: Name,
    pub(super) before: Name,
    pub(super) after: Name,
}

/// Access that somebody gained or lost.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    pub(super) gained: bool,
    pub(super) who: Name,
    pub(super) href: String,
    pub(super) what: String,
    pub(super) resources: Name,
    pub(super) via: Name,
}

/// The newest things that happened to what a page shows; nothing where nothing was ever read.
pub(super) async fn recent(
    call: &Call,
    frame: &Frame,
    reading: &Reading,
    filter: EventFilter,
    count: u32,
) -> Result<Vec<Entry>, ApiError> {
    let filter = EventFilter { up_to: Some(reading.version), ..filter };
    let connector = reading.connector.as_deref();
    // Several events may come to one entry.
    let found = call.state.desk.happened(reading, &filter, count.saturating_mul(5)).await?;
    let mut entries = entries(frame, found.iter().map(|event| (connector, event)));
    entries.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    Ok(entries)
}

/// Events as entries; what one version gave or took from one person on one resource is one of them.
pub(super) fn entries<'e>(
    frame: &Frame,
    events: impl Iterator<Item = (Option<&'e str>, &'e Event)>,
) -> Vec<Entry> {
    let mut together: Vec<(Option<&str>, Event)> = Vec::new();
    for (connector, event) in events {
        let fits = |last: &&mut (Option<&str>, Event)| last.0 == connector && goes_with(&last.1, event);
        match together.last_mut().filter(fits) {
            Some((_, last)) => {
                let more = text_of(&event.what, "entitlement");
                let all = format!("{}, {more}", text_of(&last.what, "entitlement"));
                last.what.insert("entitlement".to_owned(), all.into());
                last.gained.extend(event.gained.iter().cloned());
                last.lost.extend(event.lost.iter().cloned());
            }
            None => together.push((connector, event.clone())),
        }
    }
    together.iter().map(|(connector, event)| entry(frame, event, *connector, NAMED)).collect()
}

/// Names the connector of each entry, where several are looked at.
pub(super) fn from_where(entries: &mut [Entry], readings: &[Reading]) {
    if readings.len() < 2 {
        return;
    }
    for entry in entries {
        let reading = readings.iter().find(|reading| reading.connector == entry.connector);
        entry.from = reading.map(|reading| Name::new(&reading.name)).unwrap_or_default();
    }
}

fn goes_with(one: &Event, other: &Event) -> bool {
    let same = |object: &str| text(&one.what, object, "id") == text(&other.what, object, "id");
    &*one.kind == "grant"
        && (&one.kind, &one.change, one.version) == (&other.kind, &other.change, other.version)
        && same("principal")
        && same("resource")
        && one.by == other.by
}

/// Whether an effect says no more than the grant that it comes from.
fn is_said(event: &Event, line: &Line) -> bool {
    &*event.kind == "grant"
        && &*line.via == "direct"
        && line.principal.id.to_string() == text(&event.what, "principal", "id")
        && line.resource.id.to_string() == text(&event.what, "resource", "id")
}

/// A filter up to the version that is looked at.
pub(super) fn up_to(frame: &Frame) -> EventFilter {
    match frame.at() {
        Some(AsOf::Version(version)) => EventFilter { up_to: Some(version), ..EventFilter::default() },
        Some(AsOf::Time(moment)) => EventFilter { until: Some(moment), ..EventFilter::default() },
        None => EventFilter::default(),
    }
}

/// An event as an entry that names at most so many effects.
pub(super) fn entry(frame: &Frame, event: &Event, connector: Option<&str>, named: usize) -> Entry {
    let (tone, word) = match &*event.change {
        "added" => (Tone::Good, "came"),
        "removed" => (Tone::Bad, "went"),
        _ => (Tone::Calm, "changed"),
    };
    let effects = effects(frame, event, connector);
    let others = effects.len().saturating_sub(named);
    Entry {
        when: When::new(event.at, frame.now),
        href: frame.object("changes", &event.id, connector),
        badge: Badge::new(tone, word),
        what: match &*event.kind {
            "grant" => grant(frame, event, connector),
            "version" => version(frame, event, connector),
            _ => object(frame, event, connector),
        },
        differences: differences(&event.what),
        effects: effects.into_iter().take(named).collect(),
        others,
        by: event.by.as_ref().map(author).unwrap_or_default(),
        connector: connector.map(ToOwned::to_owned),
        from: Name::default(),
    }
}

fn text_of<'v>(what: &'v Map<String, Value>, member: &str) -> &'v str {
    what.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn text<'v>(what: &'v Map<String, Value>, object: &str, member: &str) -> &'v str {
    what.get(object).and_then(|value| value.get(member)).and_then(Value::as_str).unwrap_or_default()
}

/// The list of a kind of resource, where it has pages.
fn list_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "app" => "apps",
        "team" => "teams",
        "user" => "people",
        "enterprise_account" => "enterprise-accounts",
        _ => return None,
    })
}

fn named(frame: &Frame, kind: &str, id: &str, name: &str, connector: Option<&str>) -> Bit {
    let shown = Name::new(if name.is_empty() { id } else { name });
    let href = list_of(kind).map(|list| frame.object(list, &id, connector)).unwrap_or_default();
    Bit::Name(shown, href)
}

fn grant(frame: &Frame, event: &Event, connector: Option<&str>) -> Vec<Bit> {
    let what = &event.what;
    let (verb, on) =
        if &*event.change == "removed" { ("no longer holds", "on") } else { ("now holds", "on") };
    let mut held: Vec<&str> = text_of(what, "entitlement").split(", ").collect();
    held.sort_by_key(|held| ORDER.iter().position(|known| known == held).unwrap_or(ORDER.len()));
    let entitlement = listed(&held);
    let kind = text(what, "resource", "type");
    vec![
        named(frame, "user", text(what, "principal", "id"), text(what, "principal", "email"), connector),
        Bit::Word(verb.into()),
        Bit::Name(Name::new(&entitlement), String::new()),
        Bit::Word(format!("{on} {}", kind.replace('_', " "))),
        named(frame, kind, text(what, "resource", "id"), text(what, "resource", "name"), connector),
    ]
}

fn object(frame: &Frame, event: &Event, connector: Option<&str>) -> Vec<Bit> {
    let own = |member: &str| event.what.get(member).and_then(Value::as_str).unwrap_or_default();
    let kind = event.kind.replace('_', " ");
    let mut letters = kind.chars();
    let kind = letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str());
    vec![Bit::Word(kind.unwrap_or_default()), named(frame, &event.kind, own("id"), own("name"), connector)]
}

/// A version that changed more than is told one by one.
fn version(frame: &Frame, event: &Event, connector: Option<&str>) -> Vec<Bit> {
    let version = event.version;
    let href = connector.map(|connector| frame.to(&format!("/connectors/{connector}/versions/{version}")));
    vec![
        Bit::Name(Name::new(&format!("Version {version}")), href.unwrap_or_default()),
        Bit::Word("made too many changes to tell of each".into()),
    ]
}

fn differences(what: &Map<String, Value>) -> Vec<Difference> {
    let (before, after) = (what.get("before"), what.get("after"));
    let Some(changed) = after.and_then(Value::as_object).or_else(|| before.and_then(Value::as_object)) else {
        return Vec::new();
    };
    let shown = |side: Option<&Value>, name: &str| match side.and_then(|side| side.get(name)) {
        None | Some(Value::Null) => Name::new("nothing"),
        Some(Value::String(text)) => Name::new(text),
        Some(value) => Name::new(&value.to_string()),
    };
    let difference = |name: &String| Difference {
        before: shown(before, name),
        after: shown(after, name),
        name: Name::new(&name.replace('_', " ")),
    };
    changed.keys().map(difference).collect()
}

/// What somebody gained or lost by it; what is the same on several resources is one of them.
fn effects(frame: &Frame, event: &Event, connector: Option<&str>) -> Vec<Effect> {
    let mut together: Vec<(bool, &Line, Vec<&str>, u64)> = Vec::new();
    let gained = event.gained.iter().map(|line| (true, line));
    for (gained, line) in gained.chain(event.lost.iter().map(|line| (false, line))) {
        if is_said(event, line) {
            continue;
        }
        let held = (&line.entitlements, &line.via);
        let same = together.iter_mut().find(|(known, other, ..)| {
            *known == gained
                && other.principal.id == line.principal.id
                && (&other.entitlements, &other.via) == held
        });
        match same {
            Some((.., resources, others)) => {
                resources.push(&line.resource.name);
                *others += line.others;
            }
            None => together.push((gained, line, vec![&line.resource.name], line.others)),
        }
    }
    let effect = |(gained, line, resources, others): (bool, &Line, Vec<&str>, u64)| {
        let held: Vec<&str> = line.entitlements.iter().map(|held| &**held).collect();
        Effect {
            gained,
            who: Name::new(&line.principal.email),
            href: frame.object("people", &line.principal.id, connector),
            what: listed(&held),
            resources: few(&resources, others),
            via: Name::new(&line.via),
        }
    };
    together.into_iter().map(effect).collect()
}

/// A few names, and how many others there are beside those that are not even named.
fn few(names: &[&str], unnamed: u64) -> Name {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| Name::new(name).cut).collect();
    let mut words: Vec<&str> = shown.iter().map(String::as_str).collect();
    let others = match names.len().saturating_sub(NAMED) as u64 + unnamed {
        0 => String::new(),
        others => format!("{} more", number(others)),
    };
    if !others.is_empty() {
        words.push(&others);
    }
    Name::head(&listed(&words))
}

fn author(by: &By) -> String {
    let actor =
        by.actor.as_deref().map_or_else(|| "one of several people".to_owned(), |actor| Name::new(actor).cut);
    match (&by.how, &by.reason) {
        (How::Plan, Some(reason)) => format!("by plan of {actor}: {}", Name::new(reason).cut),
        (How::Plan, None) => format!("by plan of {actor}"),
        (How::AuditTrail, _) => format!("by {actor}, as Heroku’s audit trail says"),
    }
}
