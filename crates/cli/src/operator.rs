//! Who runs the program, as the audit trail names them.
//!
//! Nobody is asked for a password here: it is whoever the machine let in, and as good as that.
//!
//! Invariant: the environment is not believed (`USER` can be set by anybody); the name comes from the process's
//! effective user, and a login that became another user, as with `sudo`, is named beside it.

use metsuke_model::approval::Party;
use metsuke_model::audit::Actor;

/// What the kernel says for a process that no login led to.
const NO_LOGIN: u32 = u32::MAX;

/// The person at the command line: the name that the machine's user database has for the process's user, else
/// `uid` and its number; behind it, where they differ, the user number of the login, as Linux keeps it.
pub(crate) fn operator() -> Actor {
    Actor::operator(&named(whoami::username().ok(), user_number(), login_number()))
}

/// Which person that is, for rule R7: whoever logged in, whatever user they have become since.
pub(crate) fn operating() -> Party {
    party(whoami::username().ok(), user_number(), login_number())
}

fn party(name: Option<String>, user: Option<u32>, login: Option<u32>) -> Party {
    let number = login.filter(|login| *login != NO_LOGIN).or(user);
    match (name, number) {
        (None, None) => Party::Nobody,
        (name, number) => {
            let name = name.or_else(|| number.map(|number| format!("uid {number}")));
            Party::Login { user: name.unwrap_or_default().into(), number }
        }
    }
}

fn named(name: Option<String>, user: Option<u32>, login: Option<u32>) -> String {
    let name = match (name, user) {
        (Some(name), _) => name,
        (None, Some(user)) => format!("uid {user}"),
        (None, None) => "unknown".into(),
    };
    match login.filter(|login| *login != NO_LOGIN && user.is_some_and(|user| user != *login)) {
        Some(login) => format!("{name} (login uid {login})"),
        None => name,
    }
}

/// The number of the process's effective user; the kernel gives the process's own files to it.
fn user_number() -> Option<u32> {
    #[cfg(unix)]
    return std::fs::metadata("/proc/self/stat").ok().map(|file| std::os::unix::fs::MetadataExt::uid(&file));
    #[cfg(not(unix))]
    None
}

/// The number of the user who logged in; it stays when one becomes another user.
fn login_number() -> Option<u32> {
    std::fs::read_to_string("/proc/self/loginuid").ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_became_another_user_is_named_by_both() {
        let name = || Some("root".to_owned());
        assert_eq!(named(name(), Some(0), Some(1000)), "root (login uid 1000)");
        assert_eq!(named(name(), Some(0), Some(0)), "root");
        assert_eq!(named(name(), Some(0), Some(NO_LOGIN)), "root");
    }

    #[test]
    fn whoever_became_another_user_is_the_person_who_logged_in() {
        let name = |name: &str| Some(name.to_owned());
        let ann = party(name("ann"), Some(1000), Some(1000));
        assert!(!party(name("root"), Some(0), Some(1000)).is_another_than(&ann));
        assert!(party(name("bob"), Some(1001), Some(1001)).is_another_than(&ann));
        assert!(party(name("bob"), Some(1001), Some(NO_LOGIN)).is_another_than(&ann));
        assert_eq!(party(None, None, Some(NO_LOGIN)), Party::Nobody);
    }

    #[test]
    fn a_user_without_a_name_is_a_number() {
        assert_eq!(named(None, Some(10_001), None), "uid 10001");
        assert_eq!(named(None, None, Some(5)), "unknown");
    }
}
