//! Signing in through a provider of identities: whose account it is, and which role the provider's claims give.
//!
//! Whether the provider's word is its own is looked at by the client that asks it.
//!
//! Invariant: an account is found by the provider's own id of the person. By the e-mail address one is found only where that is
//! set, and only where the provider has verified it; an address that it has not verified gives nothing at all, because what
//! somebody owns hangs on it.

use std::time::Duration;

use metsuke_clients::oidc::{Answered, Claims, Flow, Oidc};
use metsuke_model::Moment;
use metsuke_model::audit::{Actor, ActorKind, EventCode};
use metsuke_store::{AccountChanged, AccountKept, AccountRow, AccountState, Identity, Proof};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::account::{AccountAsk, address};
use super::chance;
use super::people::People;
use super::role::Role;
use super::sign_in::{Opened, Visitor};
use crate::EngineError;

/// What the secret of a question begins with.
const PREFIX: &str = "mtf_";
/// How long an answer may take, in microseconds.
const PATIENCE: i64 = 10 * 60 * 1_000_000;
/// The words of what comes from a provider.
const SOURCE: &str = "oidc";

/// Who of the provider's people may sign in, and as what.
#[derive(Clone, Debug)]
pub struct ProviderRules {
    /// What the provider is called on the page.
    pub name: String,
    /// The claim that holds groups or roles; dots lead into objects, as in `realm_access.roles`.
    pub claim: String,
    /// What each of them gives; of several roles the most trusted one counts.
    pub roles: Vec<(String, Role)>,
    /// The role of whoever has none of them; without one they cannot sign in.
    pub otherwise: Option<Role>,
    /// Whether an account that is there already is the person's who has its e-mail address.
    pub link_by_email: bool,
    /// Whether addresses count as verified where the provider does not say.
    pub trust_email: bool,
}

/// A provider of identities, and who of its people may sign in.
#[derive(Debug)]
pub struct Provider {
    oidc: Oidc,
    rules: ProviderRules,
}

/// A question to the provider.
#[derive(Debug)]
pub struct Question {
    /// What the browser keeps until the answer.
    pub cookie: SecretString,
    /// The address to send it to.
    pub address: String,
}

/// What came back with the browser.
#[derive(Clone, Debug)]
pub struct ProviderAnswer {
    /// What the browser has kept.
    pub cookie: SecretString,
    /// The state.
    pub state: String,
    /// The code.
    pub code: SecretString,
    /// Which provider it says that it is.
    pub issuer: Option<String>,
}

/// Why somebody who came back from the provider cannot sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotLetIn {
    /// There is no provider, or the answer belongs to no question of this browser, or came too late.
    Question,
    /// The provider's word is not taken; this is why.
    Word(&'static str),
    /// The provider has not verified an e-mail address.
    Email,
    /// The claims give no role.
    Role,
    /// The address has an account that is not linked with the provider's person.
    Linked,
    /// The account is disabled.
    Disabled,
    /// There were too many tries; the next one is looked at after this time.
    Locked(Duration),
}

impl NotLetIn {
    /// Why, in a word for the audit trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Word(why) => why,
            Self::Email => "email",
            Self::Role => "role",
            Self::Linked => "not_linked",
            Self::Disabled => "disabled",
            Self::Locked(_) => "locked",
        }
    }
}

impl Provider {
    /// A provider with its rules.
    #[must_use]
    pub const fn new(oidc: Oidc, rules: ProviderRules) -> Self {
        Self { oidc, rules }
    }

    /// What it is called on the page.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.rules.name
    }

    /// The role that claims give.
    fn role(&self, claims: &Claims) -> Option<Role> {
        let mut place = None;
        for (depth, name) in self.rules.claim.split('.').enumerate() {
            place =
                if depth == 0 { claims.more.get(name) } else { place.and_then(|at: &Value| at.get(name)) };
        }
        let held: Vec<&str> = match place {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let given = self.rules.roles.iter().filter(|(group, _)| held.contains(&group.as_str()));
        given.map(|(_, role)| *role).max().or(self.rules.otherwise)
    }

    /// The address of a person, where the provider has verified it.
    fn email(&self, claims: &Claims) -> Option<String> {
        let verified = claims.email_verified.unwrap_or(self.rules.trust_email);
        claims.email.as_deref().filter(|_| verified).and_then(|email| address(email).ok())
    }
}

impl People {
    /// Asks the provider who somebody is; `None` where there is no provider.
    ///
    /// # Errors
    ///
    /// [`EngineError::Provider`] where it cannot be reached, and [`EngineError::NoChance`].
    pub async fn ask_provider(&self) -> Result<Option<Question>, EngineError> {
        let Some(provider) = &self.provider else { return Ok(None) };
        let secret = chance::secret(PREFIX)?;
        // The time is part of what the question is made of, so that nobody can move it.
        let cookie = SecretString::from(format!("{}.{}", secret.expose_secret(), self.clock.now().0));
        let asked = provider.oidc.begin(&Flow::of(&cookie)).await;
        let address = asked.map_err(|source| EngineError::Provider { source })?.to_string();
        Ok(Some(Question { cookie, address }))
    }

    /// Signs somebody in who has come back from the provider.
    ///
    /// # Errors
    ///
    /// [`EngineError::Provider`] where it cannot be reached, and what the database said.
    pub async fn sign_in_with_provider(
        &self,
        answer: &ProviderAnswer,
        visitor: &Visitor,
    ) -> Result<Result<Opened, NotLetIn>, EngineError> {
        let outcome = self.answered(answer, visitor).await?;
        // What belongs to no question is anybody's doing, as often as they like, and came to nothing.
        if let Err(why) = &outcome
            && !matches!(why, NotLetIn::Locked(_) | NotLetIn::Question)
        {
            self.failed(None, why.as_str(), visitor, self.clock.now()).await?;
        }
        Ok(outcome)
    }

    async fn answered(
        &self,
        answer: &ProviderAnswer,
        visitor: &Visitor,
    ) -> Result<Result<Opened, NotLetIn>, EngineError> {
        let now = self.clock.now();
        let Some(provider) = self.provider.as_deref() else { return Ok(Err(NotLetIn::Question)) };
        let flow = Flow::of(&answer.cookie);
        if !in_time(&answer.cookie, now) || !flow.is_answered_by(&answer.state) {
            return Ok(Err(NotLetIn::Question));
        }
        let attempt = match self.counted_from(visitor.address, now).await? {
            Ok(attempt) => attempt,
            Err(wait) => return Ok(Err(NotLetIn::Locked(wait))),
        };
        let seconds = now.0.div_euclid(1_000_000);
        let told = provider.oidc.finish(&flow, &answer.code, answer.issuer.as_deref(), seconds).await;
        let claims = match told.map_err(|source| EngineError::Provider { source })? {
            Answered::Person(claims) => claims,
            Answered::Refused(why) => return Ok(Err(NotLetIn::Word(why.as_str()))),
        };
        let account = match self.account_for(provider, &claims, now).await? {
            Ok(account) => account,
            Err(why) => return Ok(Err(why)),
        };
        let opened = self.open(&account, SOURCE, Proof::None, visitor, Some(&attempt)).await?;
        Ok(opened.ok_or(NotLetIn::Disabled))
    }

    /// The account of the provider's person: linked, found, or made now; with the role that the claims give.
    async fn account_for(
        &self,
        provider: &Provider,
        claims: &Claims,
        now: Moment,
    ) -> Result<Result<AccountRow, NotLetIn>, EngineError> {
        let identity = Identity { issuer: &claims.issuer, subject: &claims.subject };
        let role = provider.role(claims);
        if let Some(account) = self.store.account_of_identity(identity).await? {
            return self.following(account, role, now).await;
        }
        let Some(email) = provider.email(claims) else { return Ok(Err(NotLetIn::Email)) };
        if let Some(account) = self.store.account_of_email(&email).await? {
            if !provider.rules.link_by_email {
                return Ok(Err(NotLetIn::Linked));
            }
            let event = self
                .clone()
                .acting(&account)
                .event(now, EventCode::AccountLinked, &account.id)
                .detail("email", email)
                .detail("issuer", claims.issuer.clone());
            self.store.link_identity(identity, &account.id, now, event).await?;
            return self.following(account, role, now).await;
        }
        let Some(role) = role else { return Ok(Err(NotLetIn::Role)) };
        let ask = AccountAsk { email, name: claims.name.clone(), role, password: None };
        let mut row = self.drafted(ask, SOURCE, now).await?;
        SOURCE.clone_into(&mut row.created_by);
        let actor = Actor { kind: ActorKind::Person, name: format!("{} ({})", row.email, row.id).into() };
        let acting = Self { store: self.store.clone().acting_as(actor), ..self.clone() };
        let event = acting
            .event(now, EventCode::AccountCreated, &row.id)
            .detail("email", row.email.clone())
            .detail("role", row.role.clone())
            .detail("source", SOURCE)
            .detail("issuer", claims.issuer.clone());
        match self.store.keep_account(&row, Some(identity), event).await? {
            AccountKept::Yes => Ok(Ok(row)),
            AccountKept::Taken | AccountKept::LinkGone => Ok(Err(NotLetIn::Linked)),
        }
    }

    /// An account as the provider's claims want it now; one that is not the provider's keeps its role.
    async fn following(
        &self,
        mut account: AccountRow,
        role: Option<Role>,
        now: Moment,
    ) -> Result<Result<AccountRow, NotLetIn>, EngineError> {
        if account.disabled_at.is_some() {
            return Ok(Err(NotLetIn::Disabled));
        }
        if account.source != SOURCE {
            return Ok(Ok(account));
        }
        let Some(role) = role else { return Ok(Err(NotLetIn::Role)) };
        if account.role == role.as_str() {
            return Ok(Ok(account));
        }
        let event = self
            .clone()
            .acting(&account)
            .event(now, EventCode::AccountChanged, &account.id)
            .detail("email", account.email.clone())
            .detail("role_before", account.role.clone())
            .detail("role", role.as_str())
            .detail("source", SOURCE);
        let state = AccountState { name: &account.name, role: role.as_str(), disabled_at: None };
        match self.store.change_account(&account.id, state, Some(now), event).await? {
            AccountChanged::Yes => {
                role.as_str().clone_into(&mut account.role);
                Ok(Ok(account))
            }
            AccountChanged::Missing => Ok(Err(NotLetIn::Disabled)),
            // Somebody must be able to administer, whatever the provider says.
            AccountChanged::LastAdmin => Ok(Ok(account)),
        }
    }
}

/// Whether the question was asked not too long ago.
fn in_time(cookie: &SecretString, now: Moment) -> bool {
    let asked =
        cookie.expose_secret().rsplit_once('.').filter(|(secret, _)| chance::is_secret(secret, PREFIX));
    let asked = asked.and_then(|(_, at)| at.parse::<i64>().ok());
    asked.is_some_and(|at| at <= now.0 && now.0.saturating_sub(at) < PATIENCE)
}

#[cfg(test)]
mod tests {
    use metsuke_clients::oidc::Settings;
    use serde_json::json;

    use super::*;

    fn provider(claim: &str, otherwise: Option<Role>) -> Provider {
        let redirect = "https://metsuke.example.com/auth/oidc/callback".parse().unwrap();
        let oidc = Oidc::new(Settings::new("https://id.example.com", "metsuke", redirect).unwrap()).unwrap();
        let roles = vec![("/staff".into(), Role::Viewer), ("/platform".into(), Role::Operator)];
        let name = "Example".into();
        Provider::new(
            oidc,
            ProviderRules {
                name,
                claim: claim.into(),
                roles,
                otherwise,
                link_by_email: false,
                trust_email: false,
            },
        )
    }

    fn claims(more: &Value) -> Claims {
        Claims {
            issuer: "https://id.example.com".into(),
            subject: "1".into(),
            email: Some("Ann@Example.com".into()),
            email_verified: None,
            name: None,
            more: more.as_object().cloned().unwrap_or_default(),
        }
    }

    #[test]
    fn the_most_trusted_of_several_roles_counts_and_none_lets_nobody_in() {
        let groups = provider("groups", None);
        assert_eq!(
            groups.role(&claims(&json!({"groups": ["/staff", "/platform", "/x"]}))),
            Some(Role::Operator)
        );
        assert_eq!(groups.role(&claims(&json!({"groups": "/staff"}))), Some(Role::Viewer));
        for more in [json!({}), json!({"groups": ["/x"]}), json!({"groups": {"/staff": true}})] {
            assert_eq!(groups.role(&claims(&more)), None);
        }
        let deep = provider("realm_access.roles", Some(Role::Viewer));
        assert_eq!(
            deep.role(&claims(&json!({"realm_access": {"roles": ["/platform"]}}))),
            Some(Role::Operator)
        );
        assert_eq!(deep.role(&claims(&json!({"roles": ["/platform"]}))), Some(Role::Viewer));
    }

    #[test]
    fn an_address_counts_only_where_the_provider_has_verified_it() {
        let mut rules = provider("groups", None);
        let said = |verified| Claims { email_verified: verified, ..claims(&json!({})) };
        assert_eq!(rules.email(&said(Some(true))).as_deref(), Some("ann@example.com"));
        assert_eq!(rules.email(&said(Some(false))), None);
        assert_eq!(rules.email(&said(None)), None);
        rules.rules.trust_email = true;
        assert!(rules.email(&said(None)).is_some());
        assert_eq!(rules.email(&said(Some(false))), None, "it says that it has not");
    }

    #[test]
    fn an_answer_in_time_is_one_within_ten_minutes() {
        let secret = chance::secret(PREFIX).unwrap();
        let cookie = |at: i64| SecretString::from(format!("{}.{at}", secret.expose_secret()));
        assert!(in_time(&cookie(5), Moment(5)) && in_time(&cookie(5), Moment(PATIENCE)));
        assert!(!in_time(&cookie(0), Moment(PATIENCE)) && !in_time(&cookie(9), Moment(8)));
        assert!(!in_time(&"mtf_x.5".into(), Moment(5)) && !in_time(&secret, Moment(5)));
    }
}
