//! People and accounts as lists: who has which account, and what is still open.
//!
//! Invariant: people are sorted by name (case apart), accounts by address, then both by what tells them apart; whoever is
//! listed as open has no match.

use std::borrow::Cow;
use std::collections::HashMap;

use metsuke_model::graph::Employee;
use metsuke_model::people::{Choice, MatchedBy, Verdict, verdicts};
use metsuke_model::{HerokuId, Moment};
use metsuke_store::{HerokuAccount, People, PeopleEdition, Store};
use serde::{Deserialize, Serialize};

use crate::EngineError;

/// A person of a roster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EmployeeLine {
    /// What tells the person apart for good.
    pub key: Box<str>,
    /// The full name.
    pub name: Box<str>,
    /// The given name.
    pub first_name: Option<Box<str>>,
    /// The family name.
    pub last_name: Option<Box<str>>,
    /// The addresses, in small letters, the most used one first.
    pub emails: Vec<Box<str>>,
    /// Other names of accounts, in small letters.
    pub aliases: Vec<Box<str>>,
    /// The user name, in small letters.
    pub username: Option<Box<str>>,
    /// The title.
    pub title: Option<Box<str>>,
    /// The department.
    pub department: Option<Box<str>>,
    /// The manager's address.
    pub manager_email: Option<Box<str>>,
    /// The company's own id.
    pub employee_id: Option<Box<str>>,
    /// What sort of employee.
    pub employee_type: Option<Box<str>>,
    /// Works here.
    pub active: bool,
    /// Since when the roster names them no more.
    pub missing_since: Option<Moment>,
    /// The roster.
    pub roster: Box<str>,
    /// Their accounts, by address.
    pub accounts: Vec<AccountOf>,
}

impl EmployeeLine {
    /// Whether somebody who left still has an account.
    #[must_use]
    pub fn is_leaver_with_account(&self) -> bool {
        !self.active && !self.accounts.is_empty()
    }

    /// Whether somebody who works here has no account.
    #[must_use]
    pub fn is_without_account(&self) -> bool {
        self.active && self.accounts.is_empty()
    }
}

/// An account that belongs to somebody.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountOf {
    /// Heroku's id.
    pub id: HerokuId,
    /// The address.
    pub email: Option<Box<str>>,
    /// The rule: `hand`, `email`, `alias`, `username` or `name`; none for one of a newer version.
    pub matched_by: Option<Cow<'static, str>>,
}

/// An account of which it is not known whose it is.
#[derive(Clone, Debug, Serialize)]
pub struct OpenAccount {
    /// Heroku's id.
    pub id: HerokuId,
    /// The address.
    pub email: Option<Box<str>>,
    /// The full name, where Heroku tells it.
    pub name: Option<Box<str>>,
    /// The rule that names somebody, and not for certain; none where no rule says anything.
    pub unsure_by: Option<&'static str>,
    /// Whom it may belong to.
    pub candidates: Vec<Candidate>,
}

/// Somebody whom an account may belong to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// What tells the person apart.
    pub key: Box<str>,
    /// The full name.
    pub name: Box<str>,
    /// The first address.
    pub email: Option<Box<str>>,
    /// Works here.
    pub active: bool,
}

/// An account of which somebody said by hand whose it is.
#[derive(Clone, Debug, Serialize)]
pub struct SettledAccount {
    /// Heroku's id.
    pub id: HerokuId,
    /// The address.
    pub email: Option<Box<str>>,
    /// Whose it is; none where it is nobody's.
    pub employee: Option<Candidate>,
}

/// Everybody whom a roster ever named, and every account of which something is to be said or was said.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Of which edition it is.
    pub edition: PeopleEdition,
    /// Whether there is any roster.
    pub has_roster: bool,
    /// The employees, by name.
    pub employees: Vec<EmployeeLine>,
    /// Accounts of which it is not known whose they are: those first that may be settled with a word, then by address.
    pub open: Vec<OpenAccount>,
    /// Accounts of which somebody said by hand whose they are, by address.
    pub settled: Vec<SettledAccount>,
}

impl Directory {
    /// Active employees without an account.
    pub fn without_account(&self) -> impl Iterator<Item = &EmployeeLine> {
        self.employees.iter().filter(|line| line.is_without_account())
    }
}

/// The people of a store and its accounts.
///
/// # Errors
///
/// What the database said.
pub async fn directory(store: &Store) -> Result<Directory, EngineError> {
    let people = store.people().await?;
    let by_id: HashMap<i64, &Employee> = people.employees.iter().map(|one| (one.dense, one)).collect();
    let (open, settled) = (open(&people, &by_id), settled(&people, &by_id));
    let (edition, has_roster) = (people.edition, !people.rosters.is_empty());
    Ok(Directory { edition, has_roster, employees: employee_lines(people), open, settled })
}

fn open(people: &People, by_id: &HashMap<i64, &Employee>) -> Vec<OpenAccount> {
    let seen = people.accounts.iter().map(|account| &account.seen);
    let verdicts = verdicts(seen, &people.employees, &people.choices);
    let mut open = Vec::new();
    for HerokuAccount { id, seen } in &people.accounts {
        let (unsure_by, candidates) = match verdicts.get(&seen.dense) {
            Some(Verdict::Unsure { by, candidates }) => (Some(by.as_str()), candidates.as_slice()),
            Some(Verdict::Unknown) => (None, [].as_slice()),
            Some(Verdict::Matched { .. } | Verdict::Nobody) | None => continue,
        };
        open.push(OpenAccount {
            id: id.clone(),
            email: seen.email.clone(),
            name: seen.name.clone(),
            unsure_by,
            candidates: candidates.iter().filter_map(|id| by_id.get(id)).map(|one| candidate(one)).collect(),
        });
    }
    open.sort_by_cached_key(|line| {
        // What may be settled with a word stands first, what has no address last.
        let email = line.email.as_deref().map(str::to_lowercase);
        (line.candidates.is_empty(), email.is_none(), email, line.id.clone())
    });
    open
}

fn settled(people: &People, by_id: &HashMap<i64, &Employee>) -> Vec<SettledAccount> {
    let mut settled = Vec::new();
    for HerokuAccount { id, seen } in &people.accounts {
        let employee = match people.choices.get(&seen.dense) {
            None => continue,
            Some(Choice::Nobody) => None,
            Some(Choice::Employee(dense)) => by_id.get(dense).map(|one| candidate(one)),
        };
        settled.push(SettledAccount { id: id.clone(), email: seen.email.clone(), employee });
    }
    settled.sort_by(|one, other| (&one.email, &one.id).cmp(&(&other.email, &other.id)));
    settled
}

fn candidate(employee: &Employee) -> Candidate {
    Candidate {
        key: employee.key.clone(),
        name: employee.name.clone(),
        email: employee.emails.first().cloned(),
        active: employee.active,
    }
}

fn employee_lines(people: People) -> Vec<EmployeeLine> {
    let mut owned: HashMap<i64, Vec<AccountOf>> = HashMap::new();
    let accounts: HashMap<i64, HerokuAccount> =
        people.accounts.into_iter().map(|account| (account.seen.dense, account)).collect();
    for row in &people.matches {
        // Accounts that are gone keep their match, and are nobody's to worry about.
        let Some(account) = accounts.get(&row.user) else { continue };
        let matched_by = row.by.map(MatchedBy::as_str).map(Cow::Borrowed);
        let account = AccountOf { id: account.id.clone(), email: account.seen.email.clone(), matched_by };
        owned.entry(row.employee).or_default().push(account);
    }
    let line = |employee: Employee| {
        let mut accounts = owned.remove(&employee.dense).unwrap_or_default();
        accounts.sort_by(|one, other| (&one.email, &one.id).cmp(&(&other.email, &other.id)));
        EmployeeLine {
            key: employee.key,
            name: employee.name,
            first_name: employee.first_name,
            last_name: employee.last_name,
            emails: employee.emails,
            aliases: employee.aliases,
            username: employee.username,
            title: employee.title,
            department: employee.department,
            manager_email: employee.manager_email,
            employee_id: employee.employee_id,
            employee_type: employee.employee_type,
            active: employee.active,
            missing_since: employee.missing_since,
            roster: employee.roster,
            accounts,
        }
    };
    let mut lines: Vec<EmployeeLine> = people.employees.into_iter().map(line).collect();
    lines.sort_by_cached_key(|line| (line.name.to_lowercase(), line.key.clone()));
    lines
}
