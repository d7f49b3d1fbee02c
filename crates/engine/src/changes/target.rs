//! Objects to be read again, as the store names them.
//!
//! Invariant: what is written reads back, and what does not read back is nothing to be read.

use metsuke_model::HerokuId;

use super::about::word;
use crate::sync::Target;

/// The text of a target, such as `app:ID`.
pub(super) fn text(target: &Target) -> String {
    match target {
        Target::User(id) => word("user", id),
        Target::Team(id) => word("team", id),
        Target::EnterpriseAccount(id) => word("enterprise_account", id),
        Target::App(id) => word("app", id),
    }
}

/// The target of a text.
pub(super) fn parse(text: &str) -> Option<Target> {
    let (kind, id) = text.split_once(':')?;
    let id = HerokuId::new(id);
    match kind {
        "user" => Some(Target::User(id)),
        "team" => Some(Target::Team(id)),
        "enterprise_account" => Some(Target::EnterpriseAccount(id)),
        "app" => Some(Target::App(id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_reads_back() {
        let id = || HerokuId::new("a:b");
        for target in
            [Target::User(id()), Target::Team(id()), Target::EnterpriseAccount(id()), Target::App(id())]
        {
            assert_eq!(parse(&text(&target)), Some(target));
        }
        assert_eq!(parse("addon:x"), None);
        assert_eq!(parse("app"), None);
    }
}
