//! Paths as sentences: why somebody can do something, in words that hold for one person and for many.
//!
//! The paths themselves are derived in the engine; nothing is inferred here.
//!
//! Invariant: people who hold the same for the same reasons get equal [`Clause`]s, whatever their names.

use metsuke_engine::access::Held;
use metsuke_model::PathStep;

use crate::text::{count, listed, shown};

/// The entitlements of an app in the order in which sentences name them.
const ORDER: [&str; 5] = ["view", "deploy", "operate", "manage", "collaborator"];

/// What is held for one reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Clause {
    /// What, in the order of sentences.
    pub(crate) entitlements: Vec<Box<str>>,
    /// Why.
    pub(crate) reason: Reason,
}

/// Why something is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reason {
    /// Heroku has a row for it.
    Direct,
    /// The app is theirs.
    Owner,
    /// A role in the team that owns the app.
    Role {
        /// Which.
        role: Box<str>,
        /// In which team.
        team: Box<str>,
    },
    /// The app's own listing names them, which is enough there.
    Collaborator,
    /// Another entitlement on the same app implies it.
    Implied {
        /// Which.
        by: Box<str>,
    },
    /// A path that has no words of its own.
    Steps(Vec<(Box<str>, Box<str>)>),
}

/// Sorts what somebody holds on one app by the reason.
pub(crate) fn clauses(held: &[Held]) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = Vec::new();
    for held in held {
        let reason = reason(held);
        match clauses.iter_mut().find(|clause| clause.reason == reason) {
            Some(clause) => clause.entitlements.push(held.entitlement.clone()),
            None => clauses.push(Clause { entitlements: vec![held.entitlement.clone()], reason }),
        }
    }
    for clause in &mut clauses {
        clause.entitlements.sort_by(|left, right| (rank(left), left).cmp(&(rank(right), right)));
    }
    // Whoever is only named by the listing and can therefore do something is told so by that clause.
    if clauses.iter().any(|clause| clause.reason == Reason::Collaborator) {
        clauses.retain(|clause| {
            clause.reason != Reason::Direct
                || clause.entitlements.iter().any(|held| &**held != "collaborator")
        });
    }
    clauses.sort_by_key(|clause| std::cmp::Reverse(clause.strength()));
    clauses
}

fn reason(held: &Held) -> Reason {
    if held.direct {
        return Reason::Direct;
    }
    match held.path.as_slice() {
        [own, on] if own.resource.id == on.resource.id => match &*own.entitlement {
            "owner" => Reason::Owner,
            "collaborator" => Reason::Collaborator,
            by => Reason::Implied { by: by.into() },
        },
        [own, _] => Reason::Role { role: own.entitlement.clone(), team: own.resource.name.clone() },
        steps => {
            let step = |step: &PathStep| (step.entitlement.clone(), step.resource.name.clone());
            Reason::Steps(steps.iter().map(step).collect())
        }
    }
}

fn rank(entitlement: &str) -> usize {
    ORDER.iter().position(|known| *known == entitlement).unwrap_or(ORDER.len())
}

impl Clause {
    /// How much it lets somebody do; for order alone.
    fn strength(&self) -> (usize, usize) {
        let most = self
            .entitlements
            .iter()
            .filter(|held| &***held != "collaborator")
            .map(|held| rank(held) + 1)
            .max();
        (most.filter(|most| *most < ORDER.len()).unwrap_or(0), self.entitlements.len())
    }
}

/// What the clauses together allow, in the order of sentences, each once; `collaborator` allows nothing by itself.
pub(crate) fn allowed(clauses: &[Clause]) -> Vec<&str> {
    let mut all: Vec<&str> = clauses
        .iter()
        .flat_map(|clause| clause.entitlements.iter().map(|held| &**held))
        .filter(|held| *held != "collaborator")
        .collect();
    all.sort_by_key(|held| (rank(held), *held));
    all.dedup();
    all
}

/// How much the clauses together let somebody do: one bit each, manage the highest.
pub(crate) fn most(clauses: &[Clause]) -> u32 {
    allowed(clauses).iter().map(|held| 1 << rank(held)).filter(|bit| *bit < 1 << 4).sum()
}

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
