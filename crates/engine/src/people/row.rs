//! One person as a roster's row tells of them, judged and made an [`Employee`].
//!
//! Invariant: addresses, aliases and user names are in small letters; no text is longer than the limit; no two people
//! of a roster have one key.

use std::collections::HashMap;
use std::fmt;

use metsuke_model::graph::Employee;
use metsuke_model::people::folded;
use serde::Serialize;

use super::Parsed;
use crate::EngineError;

/// The longest text, in bytes: a database's index takes no longer ones.
const LONGEST: usize = 1_000;
/// The most addresses, and the most aliases, of one person.
const MOST: usize = 50;
/// The most of a wrong value that is told, in characters.
const TOLD: usize = 60;

/// A row that cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// Where it is: `line 3`.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// What a row says, as it says it.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// The source's own id of the person.
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) emails: Vec<String>,
    pub(super) aliases: Vec<String>,
    pub(super) username: Option<String>,
    pub(super) title: Option<String>,
    pub(super) department: Option<String>,
    pub(super) manager_email: Option<String>,
    pub(super) employee_id: Option<String>,
    pub(super) employee_type: Option<String>,
    pub(super) active: bool,
}

/// All rows as people, or every wrong one.
pub(super) fn judge(
    roster: &str,
    rows: impl IntoIterator<Item = (String, Result<Draft, String>)>,
) -> Result<Parsed, EngineError> {
    let (mut employees, mut wrong) = (Vec::new(), Vec::new());
    let mut places: HashMap<Box<str>, String> = HashMap::new();
    for (place, row) in rows {
        let employee = row.and_then(|draft| draft.employee(roster)).and_then(|employee| {
            match places.get(&employee.key) {
                Some(first) => {
                    Err(format!("it is about the same person as {first}: `{}`", told(id_of(&employee))))
                }
                None => Ok(employee),
            }
        });
        match employee {
            Ok(employee) => {
                places.insert(employee.key.clone(), place);
                employees.push(employee);
            }
            Err(reason) => wrong.push(BadRow { place, reason }),
        }
    }
    if wrong.is_empty() {
        Ok(Parsed { employees, ignored: Vec::new() })
    } else {
        Err(EngineError::BadRoster { rows: wrong })
    }
}

fn id_of(employee: &Employee) -> &str {
    employee.key.splitn(3, ':').last().unwrap_or_default()
}

impl Draft {
    fn employee(self, roster: &str) -> Result<Employee, String> {
        let id = text("id", self.id)?;
        let first_name = text("first name", self.first_name)?;
        let last_name = text("last name", self.last_name)?;
        let emails = list("e-mail addresses", self.emails)?;
        if let Some(email) = emails.iter().find(|email| !is_address(email)) {
            return Err(format!("`{}` is no e-mail address", told(email)));
        }
        let username = text("user name", self.username)?.map(|name| folded(&name).into_boxed_str());
        let employee_id = text("employee id", self.employee_id)?;
        let known = [id.as_ref(), employee_id.as_ref(), emails.first(), username.as_ref()];
        let Some(id) = known.into_iter().flatten().next() else {
            return Err("it has neither an id, an e-mail address nor a user name".into());
        };
        let whole = [first_name.as_deref(), last_name.as_deref()].into_iter().flatten().collect::<Vec<_>>();
        let whole = (!whole.is_empty()).then(|| whole.join(" ").into());
        let name = text("name", self.name)?.or(whole);
        Ok(Employee {
            dense: 0,
            key: format!("employee:{roster}:{}", folded(id)).into(),
            name: name
                .or_else(|| emails.first().cloned())
                .or_else(|| username.clone())
                .unwrap_or_else(|| id.clone()),
            first_name,
            last_name,
            aliases: list("aliases", self.aliases)?,
            title: text("title", self.title)?,
            department: text("department", self.department)?,
            manager_email: text("manager", self.manager_email)?.map(|email| folded(&email).into()),
            employee_type: text("employee type", self.employee_type)?,
            active: self.active,
            roster: roster.into(),
            missing_since: None,
            username,
            employee_id,
            emails,
        })
    }
}

/// A text without blanks around it; none where nothing is left. No database takes a NUL.
fn text(what: &str, text: Option<String>) -> Result<Option<Box<str>>, String> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(format!("its {what} is longer than {LONGEST} bytes: `{}`", told(text)));
    }
    Ok((!text.is_empty()).then(|| text.replace('\0', "\u{fffd}").into()))
}

/// Values in small letters, each once, in their order.
fn list(what: &str, values: Vec<String>) -> Result<Vec<Box<str>>, String> {
    let mut list: Vec<Box<str>> = Vec::new();
    for value in values {
        if let Some(value) = text(what, Some(folded(&value)))?.filter(|value| !list.contains(value)) {
            list.push(value);
        }
        if list.len() > MOST {
            return Err(format!("it has more than {MOST} {what}"));
        }
    }
    Ok(list)
}

fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
    parts.is_some_and(|(local, _)| !local.contains('@'))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || ",;<>".contains(c))
}

/// The start of a foreign text, for a message.
pub(super) fn told(text: &str) -> String {
    let mut start: String = text.chars().take(TOLD).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}
