//! The people that rows name, each once, with the best of what the rows say.
//!
//! Invariant: the outcome does not depend on the order in which pages arrive.

use std::collections::HashMap;

use metsuke_clients::heroku::wire;
use metsuke_model::record::User;
use metsuke_model::{HerokuId, Moment};
use serde_json::{Map, Value, json};

/// Ends the address of the pseudo-user that stands for a team.
///
/// Source: facts of the Platform API, section 6 (identities).
const MANAGER_DOMAIN: &str = "@herokumanager.com";

/// How much a row knows of a person; of two addresses the better-known one is kept, then the first as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    OwnAccount,
    TeamMember,
    EnterpriseMember,
    Collaborator,
    Permission,
    Other,
}

/// Everybody who was named.
#[derive(Debug, Default)]
pub(super) struct People {
    places: HashMap<HerokuId, u32>,
    drafts: Vec<Draft>,
}

#[derive(Debug)]
struct Draft {
    user: User,
    email_from: Source,
    name_from: Source,
    provider: Option<String>,
    /// What the own account tells beyond the columns.
    rest: Map<String, Value>,
}

/// What one row says of a person beside id, address and name.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts<'a> {
    pub(super) federated: Option<bool>,
    pub(super) two_factor: Option<bool>,
    pub(super) last_login: Option<&'a str>,
    pub(super) identity_provider: Option<&'a wire::IdentityProvider>,
}

/// Whether the address is a team's pseudo-user, which is no principal.
pub(super) fn is_manager(email: Option<&str>) -> bool {
    email.is_some_and(|email| {
        let start = email.len().saturating_sub(MANAGER_DOMAIN.len());
        email.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(MANAGER_DOMAIN))
    })
}

impl People {
    /// Takes a person as a row names one; `None` for pseudo-users and rows without an id.
    pub(super) fn see(&mut self, user: Option<&wire::User>, source: Source, facts: Facts<'_>) -> Option<u32> {
        let user = user?;
        let place = self.see_bare(user.id.as_deref()?, user.email.as_deref(), source)?;
        let draft = self.drafts.get_mut(place as usize)?;
        if let Some(name) = user.name.as_deref().filter(|name| !name.is_empty()) {
            let better =
                draft.user.name.as_deref().is_none_or(|held| (source, name) < (draft.name_from, held));
            if better {
                draft.user.name = Some(name.into());
                draft.name_from = source;
            }
        }
        let either = |held: Option<bool>, said: Option<bool>| match (held, said) {
            (Some(held), Some(said)) => Some(held || said),
            (held, said) => held.or(said),
        };
        draft.user.federated = either(draft.user.federated, facts.federated.or(user.federated));
        draft.user.two_factor = either(draft.user.two_factor, facts.two_factor);
        let login = facts.last_login.and_then(Moment::parse);
        draft.user.last_login = draft.user.last_login.max(login);
        if let Some(provider) = facts.identity_provider.and_then(provider_name) {
            let better = draft.provider.as_deref().is_none_or(|held| provider < held);
            if better {
                draft.provider = Some(provider.into());
            }
        }
        Some(place)
    }

    /// Takes a person of whom only id and address are known.
    pub(super) fn see_bare(&mut self, id: &str, email: Option<&str>, source: Source) -> Option<u32> {
        if id.is_empty() || is_manager(email) {
            return None;
        }
        let id = HerokuId::new(id);
        let next = u32::try_from(self.drafts.len()).ok()?;
        let place = *self.places.entry(id).or_insert_with_key(|id| {
            let user = User::new(id.clone());
            self.drafts.push(Draft {
                user,
                email_from: source,
                name_from: source,
                provider: None,
                rest: Map::new(),
            });
            next
        });
        if let Some(email) = email.filter(|email| !email.is_empty()) {
            let draft = self.drafts.get_mut(place as usize)?;
            let better =
                draft.user.email.as_deref().is_none_or(|held| (source, email) < (draft.email_from, held));
            if better {
                draft.user.email = Some(email.into());
                draft.email_from = source;
            }
        }
        Some(place)
    }

    /// Marks the account whose token reads; Heroku tells more of it than of other people.
    pub(super) fn own(&mut self, place: u32, rest: Map<String, Value>) {
        if let Some(draft) = self.drafts.get_mut(place as usize) {
            draft.user.own_account = Some(true);
            draft.rest = rest;
        }
    }

    /// Everybody's ids, by their places.
    pub(super) fn ids(&self) -> Vec<HerokuId> {
        self.drafts.iter().map(|draft| draft.user.id.clone()).collect()
    }

    /// Everybody.
    pub(super) fn into_users(self) -> Vec<User> {
        let finish = |draft: Draft| {
            let (mut user, mut rest) = (draft.user, draft.rest);
            rest.insert("identity_provider".into(), json!(draft.provider));
            rest.retain(|_, value| !value.is_null());
            if !rest.is_empty() {
                user.properties = Value::Object(rest).to_string().into();
            }
            user
        };
        self.drafts.into_iter().map(finish).collect()
    }
}

fn provider_name(provider: &wire::IdentityProvider) -> Option<&str> {
    provider.name.as_deref().or(provider.slug.as_deref()).or(provider.id.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_rows_does_not_matter() {
        let rows = [
            ("Ann@Example.com", Source::Permission),
            ("ann@example.com", Source::TeamMember),
            ("ANN@example.com", Source::TeamMember),
            ("a@example.com", Source::Other),
        ];
        for turn in 0..rows.len() {
            let mut people = People::default();
            for step in 0..rows.len() {
                let (email, source) = rows[(turn + step) % rows.len()];
                people.see_bare("u1", Some(email), source);
            }
            assert_eq!(people.into_users()[0].email.as_deref(), Some("ANN@example.com"));
        }
    }

    #[test]
    fn a_teams_pseudo_user_is_nobody() {
        let mut people = People::default();
        assert_eq!(people.see_bare("t1", Some("core@HerokuManager.com"), Source::Collaborator), None);
        assert!(people.into_users().is_empty());
        assert!(!is_manager(Some("ann@example.com")) && !is_manager(Some("é")) && !is_manager(None));
    }
}
