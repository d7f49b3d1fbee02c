//! The own account with what lets programs in as it, and Enterprise accounts with their members.

use metsuke_clients::heroku::wire;
use metsuke_model::access::Access;
use metsuke_model::record::{Authorization, EnterpriseAccount, Key};
use metsuke_model::{HerokuId, ResourceType};
use serde_json::{Map, json};

use super::Gather;
use crate::sync::listing::Listing;
use crate::sync::people::{Facts, Source};
use crate::sync::texts::{provider, reference, text, time};

impl Gather {
    /// The account whose token reads.
    pub(in crate::sync) fn take_account(&mut self, account: &wire::Account) {
        let user = wire::User {
            id: Some(account.id.clone()),
            email: account.email.clone(),
            name: account.name.clone(),
            federated: account.federated,
        };
        let facts = Facts {
            federated: account.federated,
            two_factor: account.two_factor_authentication,
            last_login: account.last_login.as_deref(),
            identity_provider: account.identity_provider.as_ref(),
        };
        if let Some(place) = self.people.see(Some(&user), Source::OwnAccount, facts) {
            let mut rest = Map::new();
            rest.insert("created_at".into(), json!(account.created_at));
            rest.insert("suspended_at".into(), json!(account.suspended_at));
            self.people.own(place, rest);
            self.own_account = Some(HerokuId::new(&account.id));
        }
    }

    /// Heroku: whether `expires_in` counts from a token's making or from now is not documented, so only whether there is
    /// an end is kept; a number that differs from sync to sync would be a change each time.
    pub(super) fn take_authorizations(&mut self, rows: Vec<wire::Authorization>) -> Vec<Listing> {
        for row in rows {
            let named = row.user.as_ref().and_then(|user| reference(user.id.as_deref()));
            let mut scope = row.scope.unwrap_or_default();
            scope.sort();
            let client = row.client.as_ref();
            self.authorizations.push(Authorization {
                id: HerokuId::new(&row.id),
                name: text(row.description.as_deref()),
                account: named.or_else(|| self.own_account.clone()),
                global: (!scope.is_empty()).then(|| scope.iter().any(|word| word == "global")),
                scope: (!scope.is_empty()).then(|| scope.join(" ").into()),
                never_expires: row.access_token.as_ref().map(|token| token.expires_in.is_none()),
                own_token: row.own,
                client: text(client.and_then(|client| client.name.as_deref().or(client.id.as_deref()))),
                created_at: time(row.created_at.as_deref()),
                updated_at: time(row.updated_at.as_deref()),
                properties: self.texts.properties(Map::new()),
            });
        }
        Vec::new()
    }

    pub(super) fn take_keys(&mut self, rows: Vec<wire::Key>) -> Vec<Listing> {
        for row in rows {
            self.keys.push(Key {
                id: HerokuId::new(&row.id),
                name: text(row.comment.as_deref()),
                account: self.own_account.clone(),
                fingerprint: text(row.fingerprint.as_deref()),
                created_at: time(row.created_at.as_deref()),
                updated_at: time(row.updated_at.as_deref()),
                properties: self.texts.properties(Map::new()),
            });
        }
        Vec::new()
    }

    pub(super) fn take_enterprise_accounts(&mut self, rows: Vec<wire::EnterpriseAccount>) -> Vec<Listing> {
        let mut follow = Vec::new();
        for row in rows {
            let id = HerokuId::new(&row.id);
            follow.push(Listing::EnterpriseTeams(id.clone()));
            follow.push(Listing::EnterpriseMembers(id.clone()));
            let mut rest = row.rest;
            rest.insert("permissions".into(), json!(row.permissions));
            rest.insert("trial".into(), json!(row.trial));
            rest.insert("identity_provider".into(), provider(row.identity_provider.as_ref()));
            let account = EnterpriseAccount {
                id: id.clone(),
                name: text(row.name.as_deref()),
                created_at: time(row.created_at.as_deref()),
                updated_at: time(row.updated_at.as_deref()),
                properties: self.texts.properties(rest),
            };
            self.enterprise_accounts.insert(id, account);
        }
        follow
    }

    pub(super) fn take_enterprise_members(
        &mut self,
        listing: &Listing,
        rows: Vec<wire::EnterpriseMember>,
    ) -> Vec<Listing> {
        let Some(enterprise_account) = listing.parent() else { return Vec::new() };
        for row in rows {
            let facts = Facts {
                two_factor: row.two_factor_authentication,
                last_login: row.last_login.as_deref(),
                identity_provider: row.identity_provider.as_ref(),
                ..Facts::default()
            };
            if let Some(principal) = self.people.see(row.user.as_ref(), Source::EnterpriseMember, facts) {
                let kind = ResourceType::EnterpriseAccount;
                let access = Access::from_slugs(kind, row.permissions.iter().map(|slug| &**slug));
                self.access.grant(kind, enterprise_account, principal, access);
            }
        }
        Vec::new()
    }
}
