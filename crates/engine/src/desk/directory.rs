//! Lists of employees and of accounts, of all estates.
//!
//! Who stands in them is [`people`](crate::people)'s to say. What it says is kept for as long as nothing of it changes: all of a large
//! company and its accounts take longer to read than everything else that is told of them.
//!
//! Invariant: what is kept belongs to one edition of an estate's people, which is asked for with each use; at most [`KEPT`] estates are
//! kept, the least used one goes first.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use metsuke_model::Version;
use metsuke_store::PeopleEdition;
use serde::{Deserialize, Serialize};

use super::{Desk, Estate, Listing, Placed};
use crate::EngineError;
use crate::people::{self, Directory, EmployeeLine, OpenAccount, SettledAccount};

/// Estates whose people are kept.
const KEPT: usize = 4;
/// What an employee without an account is called among what is open.
const EMPLOYEE: &str = "person";

/// Which employees are meant; all of them by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Employees {
    /// Only those who left and still have an account.
    pub leavers: bool,
    /// Only those who are active and have no account.
    pub unmatched: bool,
}

impl Employees {
    fn fits(self, line: &EmployeeLine) -> bool {
        (!self.leavers || line.is_leaver_with_account()) && (!self.unmatched || line.is_without_account())
    }
}

/// The place of an employee.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EmployeeKey {
    name: String,
    key: Box<str>,
}

impl EmployeeKey {
    fn of(line: &EmployeeLine) -> Self {
        Self { name: line.name.to_lowercase(), key: line.key.clone() }
    }
}

/// Accounts of which it is not known whose they are, those first that may be settled with a word; then employees without an account.
#[derive(Clone, Copy, Debug)]
pub struct OpenPeople;

/// The place of an account or an employee without the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpenKey {
    employee: bool,
    /// Nobody is known whom the account may belong to.
    unknown: bool,
    /// It has neither an address nor a name.
    nameless: bool,
    name: String,
    id: String,
}

impl OpenKey {
    fn of(line: &OpenLine) -> Self {
        let employee = &*line.what == EMPLOYEE;
        let name = if employee { &line.name } else { &line.email };
        Self {
            employee,
            unknown: !employee && line.candidates.is_empty(),
            nameless: name.is_none(),
            name: name.as_deref().map(str::to_lowercase).unwrap_or_default(),
            id: line.id.clone(),
        }
    }
}

/// An account or an employee without the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenLine {
    /// `account` or `person`.
    pub what: Box<str>,
    /// Heroku's id of the account, or the person's key.
    pub id: String,
    /// The address.
    pub email: Option<Box<str>>,
    /// The full name.
    pub name: Option<Box<str>>,
    /// The rule that names somebody, and not for certain.
    pub unsure_by: Option<Box<str>>,
    /// Whom the account may belong to.
    pub candidates: Vec<people::Candidate>,
}

/// Rows of a list from one on.
#[derive(Clone, Debug)]
pub struct Part<R> {
    /// The rows.
    pub rows: Vec<Placed<R>>,
    /// How many there are in all.
    pub all: usize,
    /// Whether any estate has a roster.
    pub has_roster: bool,
}

/// What is kept of an estate.
struct Kept {
    /// The estate's place.
    place: String,
    edition: PeopleEdition,
    has_roster: bool,
    /// By name.
    employees: Vec<EmployeeLine>,
    /// By [`OpenKey`].
    open: Vec<OpenLine>,
    settled: Vec<SettledAccount>,
}

impl Kept {
    fn of(place: &str, told: Directory) -> Self {
        let accounts = told.open.iter().map(OpenLine::from);
        let mut open: Vec<OpenLine> = accounts.chain(told.without_account().map(OpenLine::from)).collect();
        open.sort_by_cached_key(OpenKey::of);
        let Directory { edition, has_roster, employees, settled, .. } = told;
        Self { place: place.to_owned(), edition, has_roster, employees, open, settled }
    }
}

/// The people of estates; all clones of a desk share them.
#[derive(Clone, Default)]
pub(super) struct Directories {
    kept: Arc<Mutex<Vec<Arc<Kept>>>>,
    /// Held while an estate's people are read, so that many who come at once read them once.
    reading: Arc<tokio::sync::Mutex<()>>,
}

impl fmt::Debug for Directories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directories").finish_non_exhaustive()
    }
}

impl Directories {
    async fn of(&self, estate: &Estate) -> Result<Arc<Kept>, EngineError> {
        if let Some(kept) = self.known(estate).await? {
            return Ok(kept);
        }
        let _reading = self.reading.lock().await;
        if let Some(kept) = self.known(estate).await? {
            return Ok(kept);
        }
        let read = Arc::new(Kept::of(estate.place(), people::directory(&estate.store).await?));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.place != estate.place());
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Arc::clone(&read));
        Ok(read)
    }

    async fn known(&self, estate: &Estate) -> Result<Option<Arc<Kept>>, EngineError> {
        let edition = estate.store.people_edition().await?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |kept: &Arc<Kept>| kept.place == estate.place() && kept.edition == edition;
        let Some(at) = kept.iter().position(fits) else { return Ok(None) };
        let known = kept.remove(at);
        kept.push(Arc::clone(&known));
        Ok(Some(known))
    }
}

impl Listing for Employees {
    type Row = EmployeeLine;
    type Key = EmployeeKey;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&EmployeeKey>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<EmployeeLine>), EngineError> {
        let kept = estate.directories.of(estate).await?;
        let all = &kept.employees;
        let from = after.map_or(0, |after| all.partition_point(|line| EmployeeKey::of(line) <= *after));
        let fitting = all.iter().skip(from).filter(|line| self.fits(line));
        Ok((None, fitting.take(count).cloned().collect()))
    }

    fn key(&self, row: &EmployeeLine) -> EmployeeKey {
        EmployeeKey::of(row)
    }
}

impl Listing for OpenPeople {
    type Row = OpenLine;
    type Key = OpenKey;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&OpenKey>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<OpenLine>), EngineError> {
        let kept = estate.directories.of(estate).await?;
        let from = after.map_or(0, |after| kept.open.partition_point(|line| OpenKey::of(line) <= *after));
        Ok((None, kept.open.iter().skip(from).take(count).cloned().collect()))
    }

    fn key(&self, row: &OpenLine) -> OpenKey {
        OpenKey::of(row)
    }
}

impl Desk {
    /// At most `count` employees from one on, by name.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates); so for every part here.
    pub async fn employees(
        &self,
        connector: Option<&str>,
        which: Employees,
        (from, count): (usize, usize),
    ) -> Result<Part<EmployeeLine>, EngineError> {
        let rows = |kept: &Kept, part: &mut Taking<EmployeeLine>| {
            part.take(kept.employees.iter().filter(|line| which.fits(line)));
        };
        self.part(connector, (from, count), rows).await
    }

    /// At most `count` accounts of which it is not known whose they are, from one on: those first that may be settled with a word.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates).
    pub async fn open_accounts(
        &self,
        connector: Option<&str>,
        (from, count): (usize, usize),
    ) -> Result<Part<OpenLine>, EngineError> {
        let rows = |kept: &Kept, part: &mut Taking<OpenLine>| {
            part.take(kept.open.iter().filter(|line| &*line.what != EMPLOYEE));
        };
        self.part(connector, (from, count), rows).await
    }

    /// At most `count` accounts of which somebody said by hand whose they are, from one on, by address.
    ///
    /// # Errors
    ///
    /// As [`estates`](Self::estates).
    pub async fn settled_accounts(
        &self,
        connector: Option<&str>,
        (from, count): (usize, usize),
    ) -> Result<Part<SettledAccount>, EngineError> {
        self.part(connector, (from, count), |kept, part| part.take(kept.settled.iter())).await
    }

    async fn part<R: Clone>(
        &self,
        connector: Option<&str>,
        (from, count): (usize, usize),
        rows: impl Fn(&Kept, &mut Taking<R>),
    ) -> Result<Part<R>, EngineError> {
        let mut estates = self.estates(connector).await?;
        estates.sort_by(|one, other| one.place().cmp(other.place()));
        let mut taking = Taking { from, count, connector: None, rows: Vec::new(), all: 0 };
        let mut has_roster = false;
        for estate in estates {
            let kept = estate.directories.of(&estate).await?;
            has_roster |= kept.has_roster;
            taking.connector = estate.connector;
            rows(&kept, &mut taking);
        }
        Ok(Part { rows: taking.rows, all: taking.all, has_roster })
    }
}

/// Takes the rows of a part out of one estate after the other.
struct Taking<R> {
    from: usize,
    count: usize,
    connector: Option<String>,
    rows: Vec<Placed<R>>,
    all: usize,
}

impl<R: Clone> Taking<R> {
    fn take<'a>(&mut self, rows: impl Iterator<Item = &'a R>)
    where
        R: 'a,
    {
        for row in rows {
            if self.all >= self.from && self.rows.len() < self.count {
                let (connector, row) = (self.connector.clone(), row.clone());
                self.rows.push(Placed { connector, version: None, row });
            }
            self.all += 1;
        }
    }
}

impl From<&OpenAccount> for OpenLine {
    fn from(account: &OpenAccount) -> Self {
        Self {
            what: "account".into(),
            id: account.id.to_string(),
            email: account.email.clone(),
            name: account.name.clone(),
            unsure_by: account.unsure_by.map(Into::into),
            candidates: account.candidates.clone(),
        }
    }
}

impl From<&EmployeeLine> for OpenLine {
    fn from(employee: &EmployeeLine) -> Self {
        Self {
            what: EMPLOYEE.into(),
            id: employee.key.to_string(),
            email: employee.emails.first().cloned(),
            name: Some(employee.name.clone()),
            unsure_by: None,
            candidates: Vec::new(),
        }
    }
}
