//! What the operator says of an account: whose it is, or that it is nobody's.
//!
//! Invariant: each change is one event of the audit trail, stored with it.

use metsuke_model::Clock;
use metsuke_model::audit::EventCode;
use metsuke_model::graph::Employee;
use metsuke_model::people::{Choice, folded};
use metsuke_model::record::User;
use metsuke_store::{Store, Stored};

use crate::EngineError;
use crate::access::find_user;

/// Gives the account of this address or id to an employee, or to nobody where there is none; `false` where that was
/// said already. The employee is named by key, employee id, address, user name or alias.
///
/// # Errors
///
/// [`EngineError::NotFound`], [`EngineError::NoEmployee`] or [`EngineError::Ambiguous`] for what does not name one, and
/// what the database said.
pub async fn assign(
    store: &Store,
    account: &str,
    employee: Option<&str>,
    clock: &dyn Clock,
) -> Result<bool, EngineError> {
    let user = user(store, account).await?;
    let employee = match employee {
        Some(asked) => Some(find_employee(store, asked).await?),
        None => None,
    };
    let choice = employee.as_ref().map_or(Choice::Nobody, |employee| Choice::Employee(employee.dense));
    let key = employee.map(|employee| employee.key.into_string());
    let event = store
        .event(clock.now(), EventCode::PersonMatched)
        .about("user", &user.record.id)
        .detail("email", user.record.email.as_deref())
        .detail("employee", key);
    Ok(store.choose(user.dense, Some(choice), event).await?)
}

/// Takes back what the operator said of an account, so that the rules decide again; `false` where nothing was said.
///
/// # Errors
///
/// As [`assign`].
pub async fn unassign(store: &Store, account: &str, clock: &dyn Clock) -> Result<bool, EngineError> {
    let user = user(store, account).await?;
    let event = store
        .event(clock.now(), EventCode::PersonUnmatched)
        .about("user", &user.record.id)
        .detail("email", user.record.email.as_deref());
    Ok(store.choose(user.dense, None, event).await?)
}

async fn user(store: &Store, asked: &str) -> Result<Stored<User>, EngineError> {
    let mut snapshot = store.snapshot(None).await?.ok_or(EngineError::NoVersion)?;
    find_user(&mut snapshot, asked).await
}

/// A way of naming an employee: whether a comparison agrees to one of their values.
type Way = fn(&Employee, &dyn Fn(&str) -> bool) -> bool;

/// The employee whom the first way of naming one finds.
async fn find_employee(store: &Store, asked: &str) -> Result<Employee, EngineError> {
    let wanted = folded(asked);
    let same = |text: &str| folded(text) == wanted;
    let ways: [Way; 4] = [
        |employee, same| same(&employee.key),
        |employee, same| employee.employee_id.as_deref().is_some_and(same),
        |employee, same| employee.emails.iter().any(|email| same(email)),
        |employee, same| {
            employee.username.as_deref().is_some_and(same) || employee.aliases.iter().any(|alias| same(alias))
        },
    ];
    let mut employees = store.people().await?.employees;
    for way in ways {
        let found: Vec<usize> =
            (0..).zip(&employees).filter(|(_, one)| way(one, &same)).map(|(place, _)| place).collect();
        match found.as_slice() {
            [] => {}
            [place] => return Ok(employees.swap_remove(*place)),
            several => {
                let keys =
                    several.iter().filter_map(|place| employees.get(*place)).map(|one| one.key.to_string());
                let candidates = keys.collect::<Vec<_>>().join(", ");
                return Err(EngineError::Ambiguous { what: "employee", asked: asked.into(), candidates });
            }
        }
    }
    Err(EngineError::NoEmployee { asked: asked.into() })
}
