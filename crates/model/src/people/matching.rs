//! The rules by which a Heroku account finds its employee.
//!
//! The best rule that says anything decides, in this order, all values in small letters:
//!
//! | rule | the account's | is the employee's |
//! |---|---|---|
//! | hand | id | the operator said so, or said that it is nobody's |
//! | email | e-mail address | one of the addresses |
//! | alias | e-mail address | one of the aliases |
//! | username | e-mail address | user name |
//! | username | part before the `@` | user name without `@`, if the domain is that of one of the employee's own addresses and no public mail provider's, and no other full name speaks against it |
//! | name | full name of two words or more | name, if one account and one employee bear it and no better rule has found the employee another account |
//!
//! Of several employees the one that is active is meant where there is just one such; with names that does not help.
//! Where a rule leaves more than one, or one with a doubt, no later rule is asked: the account is [`Verdict::Unsure`].
//! The account that reads for us and the pseudo-users of teams are no people, unless the operator says so.
//!
//! Source: JupiterOne's global rules of `User IS Person`; the domain, the doubts and the order are ours.
//!
//! Invariant: the verdicts depend neither on the order of accounts or employees nor on the case of any value.

use std::collections::{HashMap, HashSet};

use super::domains::is_public;
use super::folded;
use crate::graph::Employee;

/// Ends the address of the pseudo-user that stands for a team.
const MANAGER_DOMAIN: &str = "@herokumanager.com";

/// How an account was found to be an employee's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchedBy {
    /// The operator said so.
    Hand,
    /// By one of the addresses.
    Email,
    /// By one of the aliases.
    Alias,
    /// By the user name.
    Username,
    /// By the name.
    Name,
}

impl MatchedBy {
    /// Every one, the best first.
    pub const ALL: [Self; 5] = [Self::Hand, Self::Email, Self::Alias, Self::Username, Self::Name];

    /// The word that is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Email => "email",
            Self::Alias => "alias",
            Self::Username => "username",
            Self::Name => "name",
        }
    }

    /// The one of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == word)
    }
}

/// A Heroku account, as far as the rules look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its dense id.
    pub dense: i64,
    /// Its e-mail address.
    pub email: Option<Box<str>>,
    /// The full name, where Heroku tells it.
    pub name: Option<Box<str>>,
    /// Whether it is the account whose token reads.
    pub own: bool,
}

impl Account {
    /// Whether it is nobody's by itself: the one whose token reads, and the pseudo-users that stand for teams.
    #[must_use]
    pub fn is_nobodys(&self) -> bool {
        self.own || self.email.as_deref().is_some_and(|email| folded(email).ends_with(MANAGER_DOMAIN))
    }
}

/// What the operator said of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It belongs to the employee with this dense id.
    Employee(i64),
    /// It belongs to nobody: a service account.
    Nobody,
}

/// What the rules say of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It belongs to this employee.
    Matched {
        /// The employee's dense id.
        employee: i64,
        /// By which rule.
        by: MatchedBy,
    },
    /// A rule names somebody, and not for certain.
    Unsure {
        /// The rule.
        by: MatchedBy,
        /// Whom it may belong to: dense ids in their order.
        candidates: Vec<i64>,
    },
    /// No rule says anything.
    Unknown,
    /// It is no person's account.
    Nobody,
}

/// What a rule came to, before names are looked at.
enum Found {
    Settled(Verdict),
    Open,
}

/// What the rules say of every account, by dense id.
#[must_use]
pub fn verdicts<'a, S: std::hash::BuildHasher>(
    accounts: impl IntoIterator<Item = &'a Account>,
    employees: &[Employee],
    choices: &HashMap<i64, Choice, S>,
) -> HashMap<i64, Verdict> {
    let index = Index::new(employees);
    // What holds before any rule compares anything.
    let settled = |account: &Account| match choices.get(&account.dense) {
        Some(Choice::Nobody) => Some(Verdict::Nobody),
        Some(Choice::Employee(employee)) if index.known.contains(employee) => {
            Some(Verdict::Matched { employee: *employee, by: MatchedBy::Hand })
        }
        Some(Choice::Employee(_)) => Some(Verdict::Unknown),
        None => account.is_nobodys().then_some(Verdict::Nobody),
    };
    if employees.is_empty() {
        // There is nobody whom the rules could name.
        let verdict = |account: &Account| settled(account).unwrap_or(Verdict::Unknown);
        return accounts.into_iter().map(|account| (account.dense, verdict(account))).collect();
    }
    let mut verdicts = HashMap::new();
    let mut open = Vec::new();
    let mut bearers: HashMap<String, u32> = HashMap::new();
    for account in accounts {
        let email = account.email.as_deref().map(folded).filter(|email| email.contains('@'));
        let name = account.name.as_deref().map(words).filter(|name| !name.is_empty());
        let verdict = match settled(account) {
            Some(verdict) => verdict,
            None => match index.by_address(email.as_deref(), name.as_deref()) {
                Found::Settled(verdict) => verdict,
                Found::Open => {
                    open.extend(name.clone().map(|name| (account.dense, name)));
                    Verdict::Unknown
                }
            },
        };
        if verdict != Verdict::Nobody {
            *bearers.entry(name.unwrap_or_default()).or_default() += 1;
        }
        verdicts.insert(account.dense, verdict);
    }
    let taken: HashSet<i64> = verdicts
        .values()
        .filter_map(|verdict| match verdict {
            Verdict::Matched { employee, .. } => Some(*employee),
            _ => None,
        })
        .collect();
    for (account, name) in open {
        let alone = bearers.get(&name) == Some(&1);
        if let Some(verdict) = index.by_name(&name, alone, &taken) {
            verdicts.insert(account, verdict);
        }
    }
    verdicts
}

/// Employees by everything that a rule compares.
struct Index<'a> {
    employees: &'a [Employee],
    known: HashSet<i64>,
    emails: HashMap<String, Vec<usize>>,
    aliases: HashMap<String, Vec<usize>>,
    usernames: HashMap<String, Vec<usize>>,
    names: HashMap<String, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(employees: &'a [Employee]) -> Self {
        let mut index = Self {
            employees,
            known: employees.iter().map(|employee| employee.dense).collect(),
            emails: HashMap::new(),
            aliases: HashMap::new(),
            usernames: HashMap::new(),
            names: HashMap::new(),
        };
        for (place, employee) in employees.iter().enumerate() {
            for email in &employee.emails {
                index.emails.entry(folded(email)).or_default().push(place);
            }
            for alias in &employee.aliases {
                index.aliases.entry(folded(alias)).or_default().push(place);
            }
            if let Some(username) = &employee.username {
                index.usernames.entry(folded(username)).or_default().push(place);
            }
            index.names.entry(words(&employee.name)).or_default().push(place);
        }
        index
    }

    /// The rules that look at the account's address.
    fn by_address(&self, email: Option<&str>, name: Option<&str>) -> Found {
        let Some(email) = email else { return Found::Open };
        for (by, known) in [(MatchedBy::Email, &self.emails), (MatchedBy::Alias, &self.aliases)] {
            if let Some(places) = known.get(email) {
                return Found::Settled(self.one_of(by, places));
            }
        }
        if let Some(places) = self.usernames.get(email) {
            return Found::Settled(self.one_of(MatchedBy::Username, places));
        }
        let Some((local, domain)) = email.rsplit_once('@') else { return Found::Open };
        if local.contains('@') || is_public(domain) {
            return Found::Open;
        }
        let mut places = self.usernames.get(local).cloned().unwrap_or_default();
        places.retain(|place| self.has_domain(*place, domain));
        let fits = |place: &usize| {
            let other = self.employees.get(*place).map(|employee| words(&employee.name)).unwrap_or_default();
            name.is_none_or(|name| other.is_empty() || name == other)
        };
        let fitting: Vec<usize> = places.iter().copied().filter(fits).collect();
        match (fitting.is_empty(), places.is_empty()) {
            (false, _) => Found::Settled(self.one_of(MatchedBy::Username, &fitting)),
            (true, false) => Found::Settled(self.unsure(MatchedBy::Username, &places)),
            (true, true) => Found::Open,
        }
    }

    /// The rule of names; `alone` where no other account bears this one, `taken` whoever has an account already.
    fn by_name(&self, name: &str, alone: bool, taken: &HashSet<i64>) -> Option<Verdict> {
        let places = self.names.get(name).filter(|_| name.contains(' '))?;
        let one = match places.as_slice() {
            [place] if alone => self.employees.get(*place).map(|employee| employee.dense),
            _ => None,
        };
        Some(match one.filter(|employee| !taken.contains(employee)) {
            Some(employee) => Verdict::Matched { employee, by: MatchedBy::Name },
            None => self.unsure(MatchedBy::Name, places),
        })
    }

    /// Whether one of the employee's own addresses is at this domain.
    fn has_domain(&self, place: usize, domain: &str) -> bool {
        let at = |email: &str| folded(email).rsplit_once('@').is_some_and(|(_, other)| other == domain);
        self.employees.get(place).is_some_and(|employee| employee.emails.iter().any(|email| at(email)))
    }

    /// The one that is meant, where that is certain.
    fn one_of(&self, by: MatchedBy, places: &[usize]) -> Verdict {
        let candidates = self.dense(places, |_| true);
        let active = self.dense(places, |employee| employee.active);
        match (candidates.as_slice(), active.as_slice()) {
            ([employee], _) | (_, [employee]) => Verdict::Matched { employee: *employee, by },
            _ => Verdict::Unsure { by, candidates },
        }
    }

    fn unsure(&self, by: MatchedBy, places: &[usize]) -> Verdict {
        Verdict::Unsure { by, candidates: self.dense(places, |_| true) }
    }

    fn dense(&self, places: &[usize], which: impl Fn(&Employee) -> bool) -> Vec<i64> {
        let employees = places.iter().filter_map(|place| self.employees.get(*place));
        let mut ids: Vec<i64> = employees.filter(|one| which(one)).map(|one| one.dense).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// A name in small letters, with one blank between its words.
fn words(name: &str) -> String {
    name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
