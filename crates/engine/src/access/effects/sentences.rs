//! Effects in words, few enough to be read before a plan is approved.
//!
//! The lines themselves are in [`Effects`]; here they are put together.
//!
//! Invariant: every line is covered by a sentence, though a sentence names only the first few of many resources.

use metsuke_model::grant::PrincipalKind;
use metsuke_model::{Grant, PathStep, Principal, ResourceRef, ResourceType};

use super::Effects;

/// So many resources are named one by one.
const NAMED: usize = 3;

/// So many, where there are more than can be named.
const FIRST: usize = 2;

impl Effects {
    /// Whether nothing changes for anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty() && self.kept.is_empty()
    }

    /// The effects in words: what comes, what goes, what stays for another reason, and rows that may go along.
    ///
    /// Without a full stop each; resources with the same story share a sentence.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        for group in grouped(self.gained.iter().map(|grant| (grant, reason(grant)))) {
            sentences.push(group.told("gains"));
        }
        for group in grouped(self.lost.iter().map(|grant| (grant, no_path(grant)))) {
            sentences.push(group.told("loses"));
        }
        let kept = self.kept.iter().map(|kept| {
            let (now, so_far) = (reason(&kept.after), reason(&kept.before));
            (&kept.after, format!("{now}, so far {so_far}"))
        });
        for group in grouped(kept) {
            sentences.push(group.told("keeps"));
        }
        let mut groups: Vec<(&Principal, &ResourceRef, Vec<&ResourceRef>)> = Vec::new();
        for row in &self.app_rows {
            let same = groups.iter_mut().find(|group| (group.0, group.1) == (&row.principal, &row.team));
            match same {
                Some(group) => group.2.push(&row.app),
                None => groups.push((&row.principal, &row.team, vec![&row.app])),
            }
        }
        for (principal, team, apps) in groups {
            let (who, apps) = (person(principal), called_all(apps));
            let team = &team.name;
            sentences.push(format!(
                "{who} has rows of their own on {apps}, which Heroku may take away on leaving team {team}"
            ));
        }
        sentences
    }
}

/// Resources on which one person's story is the same.
struct Group<'e> {
    principal: &'e Principal,
    entitlements: Vec<&'e str>,
    reason: String,
    resources: Vec<&'e ResourceRef>,
}

impl Group<'_> {
    fn told(&self, verb: &str) -> String {
        let who = person(self.principal);
        let (what, place) = (listed(&self.entitlements), called_all(self.resources.iter().copied()));
        let mut told = format!("{who} {verb} {what} on {place}");
        if !self.reason.is_empty() {
            told.push(' ');
            told.push_str(&self.reason);
        }
        if self.principal.kind == PrincipalKind::Invitation {
            told.push_str(", once they have accepted");
        }
        told
    }
}

/// Puts lines together: first the entitlements of one resource, then the resources of one story.
fn grouped<'e>(lines: impl Iterator<Item = (&'e Grant, String)>) -> Vec<Group<'e>> {
    let mut single: Vec<Group<'e>> = Vec::new();
    for (grant, reason) in lines {
        let last = single.iter_mut().rev().take_while(|group| {
            group.principal == &grant.principal && group.resources.contains(&&grant.resource)
        });
        match last.into_iter().find(|group| group.reason == reason) {
            Some(group) => group.entitlements.push(&grant.entitlement),
            None => single.push(Group {
                principal: &grant.principal,
                entitlements: vec![&grant.entitlement],
                reason,
                resources: vec![&grant.resource],
            }),
        }
    }
    let mut groups: Vec<Group<'e>> = Vec::new();
    for one in single {
        let kind = |group: &Group<'_>| group.resources.first().map(|resource| resource.resource_type);
        let same = groups.iter_mut().find(|group| {
            group.principal == one.principal
                && group.entitlements == one.entitlements
                && group.reason == one.reason
                && kind(group) == kind(&one)
        });
        match same {
            Some(group) => group.resources.extend(one.resources),
            None => groups.push(one),
        }
    }
    groups
}

/// Only on an app is there more than one way to hold something.
fn no_path(grant: &Grant) -> String {
    if grant.resource.resource_type == ResourceType::App { "(no path left)".into() } else { String::new() }
}

/// Why a line is there; nothing where it cannot be otherwise.
fn reason(grant: &Grant) -> String {
    match grant.path.first() {
        None if grant.resource.resource_type != ResourceType::App => String::new(),
        None => "directly".into(),
        Some(PathStep { resource, entitlement }) if resource.id != grant.resource.id => {
            format!("through {} ({entitlement})", called(resource))
        }
        Some(step) if &*step.entitlement == "owner" => "as its owner".into(),
        Some(step) => format!("through {} on it", step.entitlement),
    }
}

/// What a person is called: the address, or the id where there is none.
pub(super) fn person(principal: &Principal) -> String {
    principal.email.as_deref().map_or_else(|| principal.id.to_string(), str::to_owned)
}

/// One resource, such as `app api`.
fn called(resource: &ResourceRef) -> String {
    format!("{} {}", noun(resource.resource_type), resource.name)
}

/// Resources of one type, such as `apps api and web`, or `12 apps such as api and web`.
pub(super) fn called_all<'r>(resources: impl IntoIterator<Item = &'r ResourceRef>) -> String {
    let resources: Vec<&ResourceRef> = resources.into_iter().collect();
    let Some(first) = resources.first() else { return "nothing".into() };
    let noun = noun(first.resource_type);
    let names: Vec<&str> = resources.iter().map(|resource| &*resource.name).collect();
    match names.len() {
        1 => called(first),
        number if number <= NAMED => format!("{noun}s {}", listed(&names)),
        number => {
            let few: Vec<&str> = names.into_iter().take(FIRST).collect();
            format!("{number} {noun}s such as {}", listed(&few))
        }
    }
}

/// A number of things, such as `1 app`, `2 apps`.
pub(super) fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

const fn noun(resource_type: ResourceType) -> &'static str {
    match resource_type {
        ResourceType::Team => "team",
        ResourceType::EnterpriseAccount => "Enterprise account",
        ResourceType::App => "app",
        ResourceType::Space => "space",
    }
}

/// Words in a row: `a`, `a and b`, `a, b and c`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}
