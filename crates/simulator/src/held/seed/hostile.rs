//! Names that would do harm wherever somebody believed them: markup, formulas, text that reorders text, and endless ones.
//!
//! Not awkward rows, which `awkward` adds: everything here is an ordinary row but for its name.
//!
//! Invariant: every kind of thing has every kind of name where there are enough of them, and some keep an ordinary one.

use crate::held::World;

/// What each name begins with, so that no two things are called alike.
const NAMES: [&str; 10] = [
    "<script>window.harmed = 1</script>",
    "\"><img src=x onerror=window.harmed=1>",
    "</title></textarea></svg><svg onload=window.harmed=1>",
    "=HYPERLINK(\"http://evil.example\",\"click\")",
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\u{202e}gnp.elbisrever\u{202c}\u{2066}inner\u{2069}",
    "line\nbreak\r\u{1b}[31mred\u{7}\u{0}",
    "{{7*7}}${7*7}'; DROP TABLE app;--",
    "javascript:window.harmed=1",
];
/// The letters of the endless name.
const ENDLESS: usize = 10_000;

/// The nth name; every eleventh is endless, and every twelfth is the one that there was.
fn name(nth: usize) -> Option<String> {
    match nth % 12 {
        10 => Some(format!("{nth}{}", "w".repeat(ENDLESS))),
        kind => NAMES.get(kind).map(|name| format!("{name} {nth}")),
    }
}

/// Gives everything its hostile name; the caller keeps theirs.
pub(crate) fn names(world: &mut World) {
    let caller = world.caller;
    for (nth, app) in world.apps.values_mut().enumerate() {
        app.name = name(nth).unwrap_or_else(|| app.name.clone());
    }
    for (nth, team) in world.teams.values_mut().enumerate() {
        team.name = name(nth).unwrap_or_else(|| team.name.clone());
    }
    for (nth, enterprise) in world.enterprises.values_mut().enumerate() {
        enterprise.name = name(nth).unwrap_or_else(|| enterprise.name.clone());
    }
    for (nth, addon) in world.addons.values_mut().enumerate() {
        addon.name = name(nth).unwrap_or_else(|| addon.name.clone());
    }
    for (nth, person) in world.people.values_mut().filter(|person| person.id != caller).enumerate() {
        person.name = name(nth);
    }
    addresses(world);
}

/// Gives every third person a hostile address, in every row that tells it.
fn addresses(world: &mut World) {
    let caller = world.caller;
    let mut known = std::collections::BTreeMap::new();
    for (nth, person) in world.people.values_mut().filter(|person| person.id != caller).enumerate().step_by(3)
    {
        if let Some(name) = name(nth / 3).filter(|name| name.len() < ENDLESS) {
            person.email = format!("{name}@evil.example");
            known.insert(person.id, person.email.clone());
        }
    }
    for member in world.teams.values_mut().flat_map(|team| team.members.values_mut()) {
        if let Some(email) = member.user.and_then(|user| known.get(&user)) {
            member.email.clone_from(email);
        }
    }
    for member in world.enterprises.values_mut().flat_map(|enterprise| enterprise.members.values_mut()) {
        if let Some(email) = member.user.and_then(|user| known.get(&user)) {
            member.email.clone_from(email);
        }
    }
    for row in world.apps.values_mut().flat_map(|app| app.collaborators.values_mut()) {
        if let Some(email) = known.get(&row.user) {
            row.email.clone_from(email);
        }
    }
}
