//! What somebody reaches, as a tree: by team, and within a team by reason.
//!
//! Invariant: apps that are reached for the same reason stand together, a few of them by name; every one of them is counted, and
//! what stands on the page is bounded, however much somebody reaches.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use metsuke_engine::access::{Reach, ReachedApp, ReachedGroup, allowed};
use metsuke_model::Grant;

use super::teams;
use crate::site::asked::{Asked, segment};
use crate::site::cell::{Badge, Tone};
use crate::site::frame::Frame;
use crate::site::words::{Name, count, listed, reasons};

/// Teams that stand on a page, reasons in all of them together, and apps that are named.
const TEAMS: usize = 80;
const REASONS: usize = 100;
const NAMED: usize = 200;
/// Apps that are named of those that are reached for one reason: few where there are many reasons.
const NAMED_OF_ONE: RangeInclusive<usize> = 2..=12;

/// An app as a link.
pub(super) struct Leaf {
    pub(super) name: Name,
    pub(super) href: String,
}

/// Apps that are reached for the same reason.
pub(super) struct Twig {
    pub(super) what: String,
    pub(super) why: String,
    pub(super) tally: String,
    pub(super) leaves: Vec<Leaf>,
    pub(super) others: usize,
    pub(super) href: String,
}

/// What is reached through one team, or besides all teams.
pub(super) struct Branch {
    pub(super) name: Name,
    pub(super) href: String,
    pub(super) roles: Vec<Badge>,
    pub(super) tally: String,
    pub(super) twigs: Vec<Twig>,
    /// What is reached for further reasons, and where it stands; empty where everything is here.
    pub(super) further: String,
    pub(super) further_href: String,
    pub(super) open: bool,
}

/// What somebody reaches.
pub(super) struct Tree {
    pub(super) branches: Vec<Branch>,
    /// What is reached through further teams; empty where all of them are here.
    pub(super) further: String,
}

/// Apps of one team that are reached for one reason.
struct Reason<'p> {
    what: String,
    why: String,
    /// How many there are, and the first of them.
    apps: usize,
    first: Vec<ReachedApp<'p>>,
}

/// A team: whether these are personal apps, and its name.
type TeamKey<'p> = (bool, &'p str);
/// What is reached through one team.
type OfTeam<'p> = (TeamKey<'p>, Vec<Reason<'p>>);

/// What somebody reaches, by team; within a team, by reason. Of too many teams those with the most apps are kept.
pub(super) fn tree(frame: &Frame, person: &Reach, connector: Option<&str>) -> Tree {
    let mut sizes: BTreeMap<TeamKey<'_>, usize> = BTreeMap::new();
    for role in teams(person) {
        sizes.entry((false, &role.resource.name)).or_default();
    }
    for group in &person.groups {
        *sizes.entry(team_of(group)).or_default() += group.apps;
    }
    let further = further_teams(&mut sizes);
    let mut by_team: BTreeMap<TeamKey<'_>, Vec<Reason<'_>>> =
        sizes.into_keys().map(|team| (team, Vec::new())).collect();
    for (team, reason) in by_reason(person, |team| by_team.contains_key(team)) {
        by_team.entry(team).or_default().push(reason);
    }
    for reasons in by_team.values_mut() {
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.apps));
    }
    let all: Vec<OfTeam<'_>> = by_team.into_iter().collect();
    let room = Room::of(&all);
    let branches = all.into_iter().map(|one| branch(frame, person, one, &room, connector)).collect();
    Tree { branches, further }
}

/// How much there is room for.
struct Room {
    /// Reasons of one team.
    reasons: usize,
    /// Apps that are named of one reason.
    named: usize,
    /// Whether everything is unfolded.
    open: bool,
}

impl Room {
    fn of(all: &[OfTeam<'_>]) -> Self {
        let reasons = (REASONS / all.len().max(1)).max(1);
        let shown: usize = all.iter().map(|(_, of_team)| of_team.len().min(reasons)).sum();
        let named = (NAMED / shown.max(1)).clamp(*NAMED_OF_ONE.start(), *NAMED_OF_ONE.end());
        Self { reasons, named, open: all.len() <= 3 }
    }
}

fn branch(
    frame: &Frame,
    person: &Reach,
    ((personal, team), reasons): OfTeam<'_>,
    room: &Room,
    connector: Option<&str>,
) -> Branch {
    let own = teams(person).filter(|role| &*role.resource.name == team && !personal);
    let href = own
        .clone()
        .next()
        .map(|role| frame.object("teams", &role.resource.id, connector))
        .or_else(|| (!personal).then(|| frame.object("teams", &team, connector)));
    let badge = |role: &Grant| {
        let tone = if matches!(&*role.entitlement, "admin" | "owner") { Tone::Warn } else { Tone::Calm };
        Badge::new(tone, Name::new(&role.entitlement).cut)
    };
    let part = if personal { "-" } else { team };
    Branch {
        name: if personal { Name::new("Personal apps") } else { Name::new(team) },
        href: href.unwrap_or_default(),
        roles: own.map(badge).collect(),
        tally: count(apps_for(&reasons), "app", "apps"),
        further: told(reasons.get(room.reasons..).unwrap_or_default()),
        further_href: apps_of(frame).with("team", part).at(&apps_path(person)),
        twigs: reasons
            .into_iter()
            .take(room.reasons)
            .map(|reason| twig(frame, person, part, reason, room.named, connector))
            .collect(),
        open: room.open,
    }
}

fn apps_for(reasons: &[Reason<'_>]) -> usize {
    reasons.iter().map(|reason| reason.apps).sum()
}

/// What is reached for the reasons that there is no room for.
fn told(hidden: &[Reason<'_>]) -> String {
    if hidden.is_empty() {
        return String::new();
    }
    let reasons = count(hidden.len(), "further reason", "further reasons");
    format!("{} for {reasons}", count(apps_for(hidden), "more app", "more apps"))
}

/// Leaves the teams with the most apps and tells of the others.
fn further_teams(sizes: &mut BTreeMap<TeamKey<'_>, usize>) -> String {
    if sizes.len() <= TEAMS {
        return String::new();
    }
    let mut all: Vec<(TeamKey<'_>, usize)> = sizes.iter().map(|(team, apps)| (*team, *apps)).collect();
    // Those of one size stay in their order.
    all.sort_by_key(|(_, apps)| std::cmp::Reverse(*apps));
    let gone = all.split_off(TEAMS);
    for (team, _) in &gone {
        sizes.remove(team);
    }
    let teams = count(gone.len(), "further team", "further teams");
    format!("{} in {teams}", count(gone.iter().map(|(_, apps)| apps).sum(), "more app", "more apps"))
}

fn apps_path(person: &Reach) -> String {
    format!("/people/{}/apps", segment(&person.principal.id.to_string()))
}

fn apps_of(frame: &Frame) -> Asked {
    frame.asked.only(&["as_of", "connector"])
}

fn team_of(group: &ReachedGroup) -> TeamKey<'_> {
    (group.team.is_none(), group.team.as_deref().unwrap_or_default())
}

/// The reasons of each team of which they are wanted, in the order of the first app that each is about.
fn by_reason<'p>(person: &'p Reach, wanted: impl Fn(&TeamKey<'p>) -> bool) -> Vec<(TeamKey<'p>, Reason<'p>)> {
    let mut places: HashMap<(TeamKey<'_>, (String, String)), usize> = HashMap::new();
    let mut reasons: Vec<(TeamKey<'_>, Reason<'_>)> = Vec::new();
    let mut of_group = Vec::with_capacity(person.groups.len());
    for group in &person.groups {
        let team = team_of(group);
        if !wanted(&team) {
            of_group.push(None);
            continue;
        }
        let words = what_and_why(group);
        let place = *places.entry((team, words.clone())).or_insert(reasons.len());
        if place == reasons.len() {
            let (what, why) = words;
            reasons.push((team, Reason { what, why, apps: 0, first: Vec::new() }));
        }
        if let Some((_, reason)) = reasons.get_mut(place) {
            reason.apps += group.apps;
        }
        of_group.push(Some(place));
    }
    for app in person.apps() {
        let reason = of_group.get(app.group).copied().flatten().and_then(|place| reasons.get_mut(place));
        if let Some((_, reason)) = reason.filter(|(_, reason)| reason.first.len() < *NAMED_OF_ONE.end()) {
            reason.first.push(app);
        }
    }
    reasons
}

fn twig(
    frame: &Frame,
    person: &Reach,
    team: &str,
    reason: Reason<'_>,
    named: usize,
    connector: Option<&str>,
) -> Twig {
    let Reason { what, why, apps, first } = reason;
    Twig {
        tally: count(apps, "app", "apps"),
        leaves: first.iter().take(named).map(|app| leaf(frame, app, connector)).collect(),
        others: apps.saturating_sub(named),
        href: apps_of(frame).with("team", team).with("what", &what).with("why", &why).at(&apps_path(person)),
        what,
        why,
    }
}

/// What is held on apps, and why, in words.
pub(super) fn what_and_why(group: &ReachedGroup) -> (String, String) {
    let able = allowed(&group.clauses);
    let what = if able.is_empty() { "collaborator".to_owned() } else { listed(&able) };
    (what, reasons(&group.clauses))
}

pub(super) fn leaf(frame: &Frame, app: &ReachedApp<'_>, connector: Option<&str>) -> Leaf {
    Leaf { name: Name::new(app.name), href: frame.object("apps", app.id, connector) }
}
