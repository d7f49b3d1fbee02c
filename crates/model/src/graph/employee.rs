//! A person of a roster: who somebody is to the company, whatever accounts they use.

use crate::Moment;

/// A row of a roster, as the graph's `employee`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Employee {
    /// The dense id.
    pub dense: i64,
    /// The stable key, in small letters: `employee:`, the roster's name, `:`, and the roster's own id of the person, else
    /// the first address, else the user name.
    pub key: Box<str>,
    /// Addresses, lower-cased, the first one most used.
    pub emails: Vec<Box<str>>,
    /// Other names that accounts may go by, lower-cased.
    pub aliases: Vec<Box<str>>,
    /// The user name, lower-cased.
    pub username: Option<Box<str>>,
    /// The full name.
    pub name: Box<str>,
    /// The given name.
    pub first_name: Option<Box<str>>,
    /// The family name.
    pub last_name: Option<Box<str>>,
    /// The title.
    pub title: Option<Box<str>>,
    /// The department.
    pub department: Option<Box<str>>,
    /// The manager's address, lower-cased.
    pub manager_email: Option<Box<str>>,
    /// The roster's own id of the person.
    pub employee_id: Option<Box<str>>,
    /// What sort of employee: `employee`, `contractor`, `service`, … as the roster says.
    pub employee_type: Option<Box<str>>,
    /// Works here; `false` where the roster says that they left, or no longer names them.
    pub active: bool,
    /// The roster that named them.
    pub roster: Box<str>,
    /// Since when the roster names them no more; they are not active then.
    pub missing_since: Option<Moment>,
}
