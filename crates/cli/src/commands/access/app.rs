//! Who can do what on one app, in sentences: the strongest first, people who share a path together.

use std::collections::BTreeMap;

use metsuke_engine::access::{AppAccess, PersonOnApp};

use super::{called, pending};
use crate::page::Page;
use crate::paths::{Clause, Object, Subject, allowed, clauses, sentence};
use crate::text::{count, length, listed, shown};

/// People who are named where many share a path; `--all` names everyone.
const NAMED: usize = 60;

/// The whole answer but its footer.
pub(super) fn describe(page: &mut Page, access: &AppAccess, all: bool) {
    page.heading(&title(access));
    if let (None, Some(_)) = (access.locked, &access.team) {
        let unknown = "Heroku did not say whether the app is locked. If it is, members and viewers of the team do \
                       not have the access that is told here; admins do.";
        page.say(unknown, 0);
    }
    if access.people.is_empty() {
        page.say("Nobody holds anything on it, as far as could be read.", 0);
    }
    for (can, groups) in sections(&access.people) {
        let people: usize = groups.iter().map(|(_, people)| people.len()).sum();
        let heading = format!("{}: {}", can.heading(), count(people as u64, "person", "people"));
        page.heading(&heading);
        for (clauses, people) in groups {
            group(page, access, &clauses, &people, all);
        }
    }
    if !access.pending.is_empty() {
        page.heading("Pending");
        for invitation in &access.pending {
            page.say(&pending(invitation), 2);
        }
    }
    page.heading("Data reach");
    reach(page, access);
}

fn title(access: &AppAccess) -> String {
    let app = shown(&access.app.name);
    let owner = match (&access.team, &access.owner) {
        (Some(team), _) => {
            let kind =
                if access.team_type.as_deref() == Some("enterprise") { "Enterprise team" } else { "team" };
            let listed = if access.team_type.is_none() { ", of which only the name is known" } else { "" };
            format!("app of {kind} {}{listed}", shown(&team.name))
        }
        (None, Some(owner)) => format!("personal app of {}", called(owner)),
        (None, None) => "personal app of somebody who could not be read".into(),
    };
    let lock = match access.locked {
        Some(true) => ", locked",
        Some(false) => ", not locked",
        None if access.team.is_some() => ", lock state unknown",
        None => "",
    };
    format!("{app}: {owner}{lock}")
}

/// What people of one section can do; ordered from the most to the least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Can {
    /// Known entitlements that are lacking, the strongest first: whoever lacks less stands first.
    lacks: [bool; 4],
    words: Vec<String>,
}

impl Can {
    fn of(clauses: &[Clause]) -> Self {
        let words = allowed(clauses);
        let lacks = ["manage", "operate", "deploy", "view"].map(|word| !words.contains(&word));
        Self { lacks, words: words.into_iter().map(str::to_owned).collect() }
    }

    fn heading(&self) -> String {
        if self.words.is_empty() {
            return "Collaborators without a permission".into();
        }
        let words: Vec<_> = self.words.iter().map(|word| shown(word)).collect();
        format!("Can {}", listed(&words))
    }
}

/// People by the reasons for which they hold what they hold.
type Groups<'a> = Vec<(Vec<Clause>, Vec<&'a PersonOnApp>)>;

/// People by what they can do, and within that by the reasons; the smaller groups first.
fn sections(people: &[PersonOnApp]) -> BTreeMap<Can, Groups<'_>> {
    let mut groups: BTreeMap<Vec<Clause>, Vec<&PersonOnApp>> = BTreeMap::new();
    for person in people {
        groups.entry(clauses(&person.held)).or_default().push(person);
    }
    let mut sections: BTreeMap<Can, Groups<'_>> = BTreeMap::new();
    for (clauses, people) in groups {
        sections.entry(Can::of(&clauses)).or_default().push((clauses, people));
    }
    for groups in sections.values_mut() {
        groups.sort_by_key(|(_, people)| people.len());
    }
    sections
}

fn group(page: &mut Page, access: &AppAccess, clauses: &[Clause], people: &[&PersonOnApp], all: bool) {
    let app = Object::App(&access.app.name);
    if all || people.len() == 1 {
        for person in people {
            let name = called(&person.principal);
            page.say(&sentence(Subject::One(&name), app, clauses), 2);
        }
        return;
    }
    let told = format!("{}:", sentence(Subject::Many(length(people)), app, clauses));
    page.say(&told, 2);
    let mut names: Vec<String> = people.iter().take(NAMED).map(|person| called(&person.principal)).collect();
    let last = names.len().saturating_sub(1);
    for name in names.iter_mut().take(last) {
        name.push(',');
    }
    if people.len() > NAMED {
        names.push(format!("and {} more (--all names them)", people.len() - NAMED));
    }
    page.words(&names, 6);
}

fn reach(page: &mut Page, access: &AppAccess) {
    let app = shown(&access.app.name);
    if access.addons.is_empty() {
        page.say(&format!("No add-on is attached to `{app}`, as far as could be read."), 2);
        return;
    }
    let readers = access.people.iter().filter(|person| person.reads_config()).count();
    let told = match readers {
        0 => format!(
            "Nobody who could be read reads the config vars of `{app}`, which hold the credentials of:"
        ),
        readers => format!(
            "{} who can deploy to, operate or manage `{app}` {} its config vars, and so the credentials of:",
            count(readers as u64, "person", "people"),
            if readers == 1 { "reads" } else { "read" },
        ),
    };
    page.say(&told, 2);
    for addon in &access.addons {
        let attached = addon.attached_as.as_deref().map(|name| format!("attached as {}", shown(name)));
        let shared = addon.shared.then(|| "shared from another app".to_owned());
        let notes: Vec<String> = attached.into_iter().chain(shared).collect();
        let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
        page.say(&format!("{}: {}{notes}", shown(&addon.service), shown(&addon.name)), 6);
    }
}
