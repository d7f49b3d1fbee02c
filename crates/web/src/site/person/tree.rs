//! What somebody reaches, as a tree: by team, and within a team by reason.
//!
//! Invariant: apps that are reached for the same reason stand together, a few of them by name; every one of them is counted.

use std::collections::BTreeMap;

use metsuke_engine::access::{AppOfUser, UserAccess, allowed, clauses};
use metsuke_model::Grant;

use super::teams;
use crate::site::asked::segment;
use crate::site::cell::{Badge, Tone};
use crate::site::frame::Frame;
use crate::site::words::{Name, count, listed, reasons};

/// Apps that are named of those that are reached for one reason.
const NAMED: usize = 12;

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
    pub(super) open: bool,
}

/// What somebody reaches, by team; within a team, by reason.
pub(super) fn branches(frame: &Frame, person: &UserAccess, connector: Option<&str>) -> Vec<Branch> {
    let mut by_team: BTreeMap<(bool, &str), Vec<&AppOfUser>> = BTreeMap::new();
    for role in teams(person) {
        by_team.entry((false, &role.resource.name)).or_default();
    }
    for app in &person.apps {
        by_team.entry((app.team.is_none(), app.team.as_deref().unwrap_or_default())).or_default().push(app);
    }
    let few = by_team.len() <= 3;
    let branch = |((personal, team), apps): ((bool, &str), Vec<&AppOfUser>)| {
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
        Branch {
            name: if personal { Name::new("Personal apps") } else { Name::new(team) },
            href: href.unwrap_or_default(),
            roles: own.map(badge).collect(),
            tally: count(apps.len(), "app", "apps"),
            twigs: twigs(frame, person, if personal { "-" } else { team }, &apps, connector),
            open: few,
        }
    };
    by_team.into_iter().map(branch).collect()
}

fn twigs(
    frame: &Frame,
    person: &UserAccess,
    team: &str,
    apps: &[&AppOfUser],
    connector: Option<&str>,
) -> Vec<Twig> {
    let mut by_reason: Vec<((String, String), Vec<&AppOfUser>)> = Vec::new();
    for app in apps {
        let key = what_and_why(app);
        match by_reason.iter_mut().find(|(known, _)| *known == key) {
            Some((_, together)) => together.push(app),
            None => by_reason.push((key, vec![app])),
        }
    }
    by_reason.sort_by_key(|(_, apps)| std::cmp::Reverse(apps.len()));
    let path = format!("/people/{}/apps", segment(&person.principal.id.to_string()));
    let twig = |((what, why), apps): ((String, String), Vec<&AppOfUser>)| Twig {
        tally: count(apps.len(), "app", "apps"),
        leaves: apps.iter().take(NAMED).map(|app| leaf(frame, app, connector)).collect(),
        others: apps.len().saturating_sub(NAMED),
        href: frame
            .asked
            .only(&["as_of", "connector"])
            .with("team", team)
            .with("what", &what)
            .with("why", &why)
            .at(&path),
        what,
        why,
    };
    by_reason.into_iter().map(twig).collect()
}

/// What is held on an app, and why, in words.
pub(super) fn what_and_why(app: &AppOfUser) -> (String, String) {
    let clauses = clauses(&app.held);
    let able = allowed(&clauses);
    let what = if able.is_empty() { "collaborator".to_owned() } else { listed(&able) };
    (what, reasons(&clauses))
}

pub(super) fn leaf(frame: &Frame, app: &AppOfUser, connector: Option<&str>) -> Leaf {
    Leaf { name: Name::new(&app.app.name), href: frame.object("apps", &app.app.id, connector) }
}
