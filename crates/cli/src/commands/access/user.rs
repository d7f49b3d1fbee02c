//! What one person can do, in sentences: apps that share a path together, then roles, then data reach.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use metsuke_engine::access::{AppOfUser, UserAccess};
use metsuke_model::{Grant, ResourceType};

use super::{called, pending};
use crate::page::Page;
use crate::paths::{Clause, Object, Subject, clauses, most, sentence};
use crate::text::{count, length, listed, shown, time};

/// Apps that are named where many share a sentence; `--all` names every one.
const NAMED: usize = 60;
/// Add-ons of one service that are named; `--all` names every one.
const ADDONS: usize = 8;

/// The whole answer but its footer.
pub(super) fn describe(page: &mut Page, access: &UserAccess, all: bool) {
    page.heading(&title(access));
    page.say(&sign_in(access), 0);
    apps(page, access, all);
    if !access.roles.is_empty() {
        page.heading("Roles");
        for role in roles(&access.roles) {
            page.say(&role, 2);
        }
    }
    if !access.pending.is_empty() {
        page.heading("Pending");
        for invitation in &access.pending {
            page.say(&pending(invitation), 2);
        }
    }
    page.heading("Data reach");
    reach(page, access, all);
}

fn title(access: &UserAccess) -> String {
    let email = called(&access.principal);
    match access.name.as_deref().filter(|name| !name.trim().is_empty()) {
        Some(name) => format!("{} ({email})", shown(name)),
        None => email,
    }
}

fn sign_in(access: &UserAccess) -> String {
    let factor = match (access.federated, access.two_factor) {
        (Some(true), _) => "signs in through an identity provider",
        (_, Some(true)) => "has a second factor",
        (_, Some(false)) => "has no second factor",
        (_, None) => "second factor not known",
    };
    let last = access.last_login.map(|last| format!("; last sign-in {} UTC", time(last))).unwrap_or_default();
    format!("{factor}{last}")
}

fn apps(page: &mut Page, access: &UserAccess, all: bool) {
    let name = called(&access.principal);
    page.heading(&format!("Apps: {}", length(&access.apps)));
    if access.apps.is_empty() {
        page.say(&format!("{name} can do nothing on any app, as far as could be read."), 2);
        return;
    }
    let mut groups: BTreeMap<Vec<Clause>, Vec<&AppOfUser>> = BTreeMap::new();
    for app in &access.apps {
        groups.entry(clauses(&app.held)).or_default().push(app);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    // What lets somebody do most stands first, and of that what reaches most apps.
    groups.sort_by_key(|(clauses, apps)| (Reverse(most(clauses)), Reverse(apps.len())));
    let mut subject = Subject::One(&name);
    for (clauses, apps) in groups {
        match apps.as_slice() {
            [_] => apps.iter().for_each(|app| one_app(page, subject, app, &clauses)),
            apps if all => apps.iter().for_each(|app| one_app(page, subject, app, &clauses)),
            apps => many_apps(page, subject, apps, &clauses),
        }
        subject = Subject::They;
    }
    let unknown = access.apps.iter().filter(|app| app.locked.is_none() && app.team.is_some()).count();
    if unknown > 0 {
        let told = format!(
            "Of {} Heroku did not say whether it is locked. On a locked app members and viewers of its team do not \
             have the access that is told here; admins do.",
            count(unknown as u64, "app", "apps"),
        );
        page.say(&told, 2);
    }
}

fn one_app(page: &mut Page, subject: Subject<'_>, app: &AppOfUser, clauses: &[Clause]) {
    let mut told = sentence(subject, Object::App(&app.app.name), clauses);
    if app.locked == Some(true) {
        told.push_str(" (the app is locked)");
    }
    page.say(&told, 2);
}

fn many_apps(page: &mut Page, subject: Subject<'_>, apps: &[&AppOfUser], clauses: &[Clause]) {
    let told = format!("{}:", sentence(subject, Object::Apps(length(apps)), clauses));
    page.say(&told, 2);
    let label = |app: &&AppOfUser| {
        let locked = if app.locked == Some(true) { " (locked)" } else { "" };
        format!("{}{locked}", shown(&app.app.name))
    };
    let names = with_commas(apps.iter().map(label).collect(), NAMED);
    page.words(&names, 6);
}

/// The first names with commas, and how many there are beside them.
fn with_commas(names: Vec<String>, most: usize) -> Vec<String> {
    let more = names.len().saturating_sub(most);
    let mut names: Vec<String> = names.into_iter().take(most).collect();
    let last = names.len().saturating_sub(1);
    for name in names.iter_mut().take(last) {
        name.push(',');
    }
    if more > 0 {
        names.push(format!("and {more} more (--all names them)"));
    }
    names
}

/// Roles by resource, in words.
fn roles(roles: &[Grant]) -> Vec<String> {
    let mut held: BTreeMap<(ResourceType, &str), Vec<String>> = BTreeMap::new();
    for role in roles {
        let resource = (role.resource.resource_type, &*role.resource.name);
        held.entry(resource).or_default().push(shown(&role.entitlement).into_owned());
    }
    let told = |((resource_type, name), held): ((ResourceType, &str), Vec<String>)| match resource_type {
        ResourceType::Team => format!("{} of team `{}`", listed(&held), shown(name)),
        ResourceType::EnterpriseAccount => {
            format!("{} on Enterprise account `{}`", listed(&held), shown(name))
        }
        ResourceType::App | ResourceType::Space => {
            format!("{} on {} `{}`", listed(&held), resource_type.as_str(), shown(name))
        }
    };
    held.into_iter().map(told).collect()
}

fn reach(page: &mut Page, access: &UserAccess, all: bool) {
    let name = called(&access.principal);
    if access.addons.is_empty() {
        page.say(&format!("{name} reaches the credentials of no add-on, as far as could be read."), 2);
        return;
    }
    let mut services: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for addon in &access.addons {
        let on = format!("{} (on {})", shown(&addon.name), shown(&addon.app));
        services.entry(&addon.service).or_default().push(on);
    }
    let told = format!(
        "{name} reads config vars where they can deploy, operate or manage, and so the credentials of {}:",
        count(length(&access.addons), "attached add-on", "attached add-ons"),
    );
    page.say(&told, 2);
    for (service, addons) in services {
        let mut names = vec![format!("{}:", shown(service))];
        names.extend(with_commas(addons, if all { usize::MAX } else { ADDONS }));
        page.words(&names, 6);
    }
}
