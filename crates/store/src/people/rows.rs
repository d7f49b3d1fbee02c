//! Rows of employees, out of the database and into it.
//!
//! Invariant: what is read back equals what was written, texts with a NUL apart.

use metsuke_model::Moment;
use metsuke_model::graph::Employee;

use crate::StoreError;
use crate::connection::{Bind, Connection, Row};

/// What a roster's row has beside the employee: since which version, since which one as they are, and how often they
/// have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct History {
    pub(super) since: i64,
    pub(super) begun: i64,
    pub(super) edition: i64,
}

macro_rules! columns {
    () => {
        "id, key, since, begun, edition, name, first_name, last_name, email, emails, aliases, username, title,
         department, manager_email, employee_id, employee_type, active, roster, missing_since"
    };
}

/// Everybody, by dense id.
pub(super) async fn employees(connection: &mut Connection) -> Result<Vec<Employee>, StoreError> {
    let mut employees = Vec::new();
    let sql = concat!("SELECT ", columns!(), " FROM employee ORDER BY id");
    connection
        .each(READING, sql, &[], |row| {
            employees.push(employee(row)?.0);
            Ok(())
        })
        .await?;
    Ok(employees)
}

/// The employee with this dense id.
pub(super) async fn one(connection: &mut Connection, dense: i64) -> Result<Option<Employee>, StoreError> {
    let mut found = None;
    let sql = concat!("SELECT ", columns!(), " FROM employee WHERE id = $1");
    connection
        .each(READING, sql, &[dense.into()], |row| {
            found = Some(employee(row)?.0);
            Ok(())
        })
        .await?;
    Ok(found)
}

/// Everybody whom a roster ever named, by dense id.
pub(super) async fn of_roster(
    connection: &mut Connection,
    roster: &str,
) -> Result<Vec<(Employee, History)>, StoreError> {
    let mut employees = Vec::new();
    let sql = concat!("SELECT ", columns!(), " FROM employee WHERE roster = $1 ORDER BY id");
    connection
        .each(READING, sql, &[roster.into()], |row| {
            employees.push(employee(row)?);
            Ok(())
        })
        .await?;
    Ok(employees)
}

/// Writes rows that are new or not as they were.
pub(super) async fn write(
    connection: &mut Connection,
    rows: &[(Employee, History)],
) -> Result<(), StoreError> {
    let tail = " ON CONFLICT (id) DO UPDATE SET
        begun = excluded.begun, edition = excluded.edition, name = excluded.name,
        first_name = excluded.first_name, last_name = excluded.last_name, email = excluded.email,
        emails = excluded.emails, aliases = excluded.aliases, username = excluded.username, title = excluded.title,
        department = excluded.department, manager_email = excluded.manager_email,
        employee_id = excluded.employee_id, employee_type = excluded.employee_type, active = excluded.active,
        missing_since = excluded.missing_since";
    let ends = (concat!("INSERT INTO employee (", columns!(), ") "), tail);
    connection
        .insert("writing people", ends, rows.iter().map(|(employee, history)| binds(employee, *history)))
        .await
}

const READING: &str = "reading people";

fn employee(row: Row<'_>) -> Result<(Employee, History), StoreError> {
    let text = |index| Ok::<_, StoreError>(row.text(index)?.map(String::into_boxed_str));
    let list = |index| {
        let json = row.text(index)?.unwrap_or_default();
        serde_json::from_str(&json)
            .map_err(|error| StoreError::Damaged { what: format!("a list of a person's addresses: {error}") })
    };
    let employee = Employee {
        dense: row.number(0)?,
        key: text(1)?.unwrap_or_default(),
        name: text(5)?.unwrap_or_default(),
        first_name: text(6)?,
        last_name: text(7)?,
        emails: list(9)?,
        aliases: list(10)?,
        username: text(11)?,
        title: text(12)?,
        department: text(13)?,
        manager_email: text(14)?,
        employee_id: text(15)?,
        employee_type: text(16)?,
        active: row.number(17)? != 0,
        roster: text(18)?.unwrap_or_default(),
        missing_since: row.int(19)?.map(Moment),
    };
    Ok((employee, History { since: row.number(2)?, begun: row.number(3)?, edition: row.number(4)? }))
}

fn binds(employee: &Employee, history: History) -> [Bind; 20] {
    let text = |text: &Option<Box<str>>| text.as_deref().map_or(Bind::Text(None), Bind::from);
    let list = |list: &[Box<str>]| {
        let list: serde_json::Value = list.iter().map(|one| &**one).collect();
        Bind::from(list.to_string().as_str())
    };
    [
        employee.dense.into(),
        Bind::from(&*employee.key),
        history.since.into(),
        history.begun.into(),
        history.edition.into(),
        Bind::from(&*employee.name),
        text(&employee.first_name),
        text(&employee.last_name),
        employee.emails.first().map_or(Bind::Text(None), |email| Bind::from(&**email)),
        list(&employee.emails),
        list(&employee.aliases),
        text(&employee.username),
        text(&employee.title),
        text(&employee.department),
        text(&employee.manager_email),
        text(&employee.employee_id),
        text(&employee.employee_type),
        i64::from(employee.active).into(),
        Bind::from(&*employee.roster),
        Bind::Int(employee.missing_since.map(|moment| moment.0)),
    ]
}
