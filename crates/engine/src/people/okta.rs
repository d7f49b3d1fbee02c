//! A roster as a server of Okta's kind gives it.
//!
//! Source: <https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/>. Okta does not list users
//! that are deprovisioned, unless asked for them: they are missing then, which makes them not active as well.
//!
//! Invariant: a status that is not known is a wrong row, not a guess.

use metsuke_clients::roster::{Profile, User};

use super::Parsed;
use super::row::{Draft, judge, told};
use crate::EngineError;

/// The statuses of people who work here, though some cannot sign in at the moment.
const ACTIVE: &[&str] = &["STAGED", "PROVISIONED", "ACTIVE", "RECOVERY", "LOCKED_OUT", "PASSWORD_EXPIRED"];
const NOT_ACTIVE: &[&str] = &["SUSPENDED", "DEPROVISIONED"];

/// Makes people of users.
pub(super) fn translate(roster: &str, users: Vec<User>) -> Result<Parsed, EngineError> {
    judge(roster, (1..).zip(users).map(|(number, user): (u64, User)| (format!("user {number}"), draft(user))))
}

fn draft(user: User) -> Result<Draft, String> {
    let status = user.status.unwrap_or_default();
    let active = match (ACTIVE.contains(&&*status), NOT_ACTIVE.contains(&&*status)) {
        (true, _) => true,
        (_, true) => false,
        _ => return Err(format!("its status is `{}`, which is not known here", told(&status))),
    };
    let Profile { login, email, second_email, manager, manager_id, .. } = user.profile;
    Ok(Draft {
        id: user.id.or_else(|| login.clone()),
        name: user.profile.display_name,
        first_name: user.profile.first_name,
        last_name: user.profile.last_name,
        emails: [email, second_email].into_iter().flatten().collect(),
        aliases: Vec::new(),
        username: login,
        title: user.profile.title,
        department: user.profile.department,
        manager_email: [manager, manager_id].into_iter().flatten().find(|manager| manager.contains('@')),
        employee_id: user.profile.employee_number,
        employee_type: user.profile.user_type,
        active,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(status: &str) -> User {
        let profile = Profile {
            login: Some("Ann@Example.com".into()),
            email: Some("ann@example.com".into()),
            second_email: Some(String::new()),
            first_name: Some("Ann".into()),
            last_name: Some("Lee".into()),
            manager: Some("Bob".into()),
            manager_id: Some("bob@example.com".into()),
            ..Profile::default()
        };
        User { id: Some(format!("00u-{status}")), status: Some(status.into()), profile }
    }

    #[test]
    fn the_status_tells_who_works_here() {
        let parsed = translate("staff", ["ACTIVE", "LOCKED_OUT", "SUSPENDED"].map(user).to_vec()).unwrap();
        let active: Vec<bool> = parsed.employees.iter().map(|employee| employee.active).collect();
        assert_eq!(active, [true, true, false]);
        let ann = &parsed.employees[0];
        assert_eq!((&*ann.key, &*ann.name), ("employee:staff:00u-active", "Ann Lee"));
        assert_eq!((ann.emails.len(), ann.manager_email.as_deref()), (1, Some("bob@example.com")));
    }

    #[test]
    fn an_unknown_status_is_wrong() {
        let error = translate("staff", vec![user("ACTIVE"), user("ASLEEP")]).unwrap_err();
        assert!(error.to_string().contains("user 2: its status is `ASLEEP`"), "{error}");
    }
}
