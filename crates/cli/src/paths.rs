//! Paths as sentences: why somebody can do something, in words that hold for one person and for many.
//!
//! The reasons themselves are the engine's; nothing is inferred here.
//!
//! Invariant: people who hold the same for the same reasons are told of in the same words.

pub(crate) use metsuke_engine::access::{Clause, Reason, allowed, clauses, most};

use crate::text::{count, listed, shown};

/// Who a sentence is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    /// One person, by name.
    One(&'a str),
    /// So many people.
    Many(u64),
    /// The person of the sentence before.
    They,
}

/// What a sentence is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Object<'a> {
    /// One app, by name.
    App(&'a str),
    /// So many apps.
    Apps(u64),
}

/// Says what the subject can do with the object, and why.
pub(crate) fn sentence(subject: Subject<'_>, object: Object<'_>, clauses: &[Clause]) -> String {
    let who = match subject {
        Subject::One(name) => shown(name).into_owned(),
        Subject::Many(people) => count(people, "person", "people"),
        Subject::They => "They".into(),
    };
    let what = match object {
        Object::App(name) => format!("`{}`", shown(name)),
        Object::Apps(apps) => count(apps, "app", "apps"),
    };
    let it = if matches!(object, Object::App(_)) { "it" } else { "them" };
    let many = matches!(subject, Subject::Many(people) if people != 1);
    let mut parts = Vec::new();
    for (place, clause) in clauses.iter().enumerate() {
        let (who, what) = if place == 0 { (who.as_str(), what.as_str()) } else { ("they", it) };
        // "They" takes a plural verb, for one person as well.
        let plural = many || place > 0 || matches!(subject, Subject::They);
        let doing = doing(&clause.entitlements, what, plural);
        parts.push(match because(&clause.reason, many, object) {
            Some(because) if !only_listed(clause) => format!("{who} {doing} because {because}"),
            _ => format!("{who} {doing}"),
        });
    }
    parts.join("; ")
}

/// Whether the clause says no more than that Heroku lists somebody.
fn only_listed(clause: &Clause) -> bool {
    clause.reason == Reason::Direct && clause.entitlements.iter().all(|held| &**held == "collaborator")
}

fn doing(entitlements: &[Box<str>], what: &str, plural: bool) -> String {
    let verb = |held: &str| match held {
        "view" => Some("view"),
        "deploy" => Some("deploy to"),
        "operate" => Some("operate"),
        "manage" => Some("manage"),
        _ => None,
    };
    let verbs: Vec<&str> = entitlements.iter().filter_map(|held| verb(held)).collect();
    let unknown: Vec<String> = entitlements
        .iter()
        .filter(|held| verb(held).is_none() && &***held != "collaborator")
        .map(|held| format!("`{}`", shown(held)))
        .collect();
    let mut parts = Vec::new();
    if !verbs.is_empty() {
        parts.push(format!("can {} {what}", listed(&verbs)));
    }
    if !unknown.is_empty() {
        parts.push(format!("{} {} on {what}", if plural { "hold" } else { "holds" }, listed(&unknown)));
    }
    if parts.is_empty() {
        parts.push(format!("{} of {what}", if plural { "are collaborators" } else { "is a collaborator" }));
    }
    parts.join(" and ")
}

/// The reason, for the place behind "because"; the subject is "they", whoever it is.
fn because(reason: &Reason, many: bool, object: Object<'_>) -> Option<String> {
    let (the_app, owns) = match object {
        Object::App(_) => ("the app", "which owns the app"),
        Object::Apps(_) => ("the apps", "which owns these apps"),
    };
    Some(match reason {
        Reason::Direct => format!("that is granted to them on {the_app} directly"),
        Reason::Owner => format!("they own {the_app}"),
        Reason::Collaborator if many => format!("they are collaborators of {the_app}"),
        Reason::Collaborator => format!("they are a collaborator of {the_app}"),
        Reason::Implied { by } => format!("`{}` implies it", shown(by)),
        Reason::Role { role, team } => format!("they {} team `{}`, {owns}", being(role, many), shown(team)),
        Reason::Steps(steps) if steps.is_empty() => return None,
        Reason::Steps(steps) => {
            let step = |(held, on): &(Box<str>, Box<str>)| format!("`{}` on `{}`", shown(held), shown(on));
            format!(
                "one follows from the other: {}",
                steps.iter().map(step).collect::<Vec<_>>().join(", then ")
            )
        }
    })
}

fn being(role: &str, many: bool) -> String {
    match (role, many) {
        ("admin" | "owner", false) => format!("are an {role} of"),
        ("member" | "viewer" | "collaborator", false) => format!("are a {role} of"),
        ("admin" | "owner" | "member" | "viewer" | "collaborator", true) => format!("are {role}s of"),
        _ => format!("have the role `{}` in", shown(role)),
    }
}

#[cfg(test)]
mod tests;
