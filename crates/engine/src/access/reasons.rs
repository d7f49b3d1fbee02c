//! Why somebody holds something: held entitlements, put together by their reason.
//!
//! The paths themselves are derived elsewhere; the sentences are the doors' business.
//!
//! Invariant: people who hold the same for the same reasons get equal [`Clause`]s, whatever their names.

use metsuke_model::PathStep;

use super::Held;

/// The entitlements of an app in the order in which sentences name them.
const ORDER: [&str; 5] = ["view", "deploy", "operate", "manage", "collaborator"];

/// What is held for one reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clause {
    /// What, in the order of sentences.
    pub entitlements: Vec<Box<str>>,
    /// Why.
    pub reason: Reason,
}

/// Why something is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
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

/// Sorts what somebody holds on one app by the reason, the strongest first.
#[must_use]
pub fn clauses(held: &[Held]) -> Vec<Clause> {
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
#[must_use]
pub fn allowed(clauses: &[Clause]) -> Vec<&str> {
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
#[must_use]
pub fn most(clauses: &[Clause]) -> u32 {
    allowed(clauses).iter().map(|held| 1 << rank(held)).filter(|bit| *bit < 1 << 4).sum()
}
