//! Settings of signing in: where browsers reach the server, and which provider of identities says who they are.
//!
//! It checks form, not truth: whether the provider knows us is the provider's to say.
//!
//! Invariant: no message holds the client's secret; a setting that is there and cannot be understood is an error, and never
//! passed over.

use std::net::SocketAddr;

use metsuke_clients::oidc::{Oidc, Settings};
use metsuke_engine::identity::{Provider, ProviderRules, Role};
use metsuke_web::Place;
use url::Url;

use crate::config::Sourced;
use crate::failure::Failure;
use crate::settings::Values;

/// The path to which the provider sends browsers back.
const CALLBACK: &str = "/auth/oidc/callback";

/// The settings about signing in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignIn<'v>(&'v Values);

impl<'v> SignIn<'v> {
    /// Those among all that was set.
    pub(crate) const fn of(values: &'v Values) -> Self {
        Self(values)
    }

    /// Where browsers reach a server that listens there.
    ///
    /// # Errors
    ///
    /// [`Failure`] for an address that is neither https nor this machine, or a number of servers that is none.
    pub(crate) fn place(self, listening: SocketAddr) -> Result<Place, Failure> {
        let place = match self.0.text("server.public_url")? {
            Some(found) => Place::parse(&found.value).map_err(|reason| {
                Failure::usage(format!("{}: {reason}", found.from))
                    .hint("write it like https://metsuke.example.com")
            })?,
            None => Place::listening(listening),
        };
        let proxies = match self.0.text("server.proxies")? {
            Some(found) => found.value.parse().map_err(|_| {
                Failure::usage(format!("{} holds no number", found.from))
                    .hint("it is how many servers of yours stand in front and add X-Forwarded-For")
            })?,
            None => 0,
        };
        Ok(place.behind(proxies))
    }

    /// The provider of identities, where one is named.
    ///
    /// # Errors
    ///
    /// [`Failure`] names the first setting that cannot work.
    pub(crate) fn provider(self, place: &Place) -> Result<Option<Provider>, Failure> {
        let Some(Sourced { value: issuer, from }) = self.0.text("oidc.issuer")? else { return Ok(None) };
        let client_id = self.0.text("oidc.client_id")?.ok_or_else(|| {
            Failure::usage(format!("{from} names a provider, and no client id is set"))
                .hint("set METSUKE_OIDC_CLIENT_ID to what the provider knows us by")
        })?;
        let wrong = |reason: String| Failure::usage(format!("{from}: {reason}"));
        let redirect = Url::parse(&format!("{}{CALLBACK}", place.origin()))
            .map_err(|error| wrong(format!("there is no address to come back to: {error}")))?;
        let mut settings =
            Settings::new(&issuer, &client_id.value, redirect).map_err(|error| wrong(error.to_string()))?;
        settings.client_secret = self.0.secret("oidc.client_secret")?.map(|found| found.value);
        if let Some(scopes) = self.0.text("oidc.scopes")? {
            settings.scopes = scopes.value.split_whitespace().map(ToOwned::to_owned).collect();
        }
        let oidc = Oidc::new(settings).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(Provider::new(oidc, self.rules()?)))
    }

    fn rules(self) -> Result<ProviderRules, Failure> {
        let mut roles = Vec::new();
        if let Some(Sourced { value, from }) = self.0.text("oidc.roles")? {
            for pair in value.split(',').filter(|pair| !pair.trim().is_empty()) {
                let Some((group, word)) = pair.rsplit_once('=') else {
                    return Err(Failure::usage(format!("{from}: `{}` gives no role", pair.trim()))
                        .hint("write it like `platform=operator,security=auditor`"));
                };
                roles.push((group.trim().to_owned(), role(&from, word.trim())?));
            }
        }
        let otherwise = self.0.text("oidc.default_role")?;
        let word = |name: &str, default: &str| -> Result<String, Failure> {
            Ok(self.0.text(name)?.map_or_else(|| default.to_owned(), |found| found.value))
        };
        Ok(ProviderRules {
            name: word("oidc.name", "single sign-on")?,
            claim: word("oidc.role_claim", "groups")?,
            roles,
            otherwise: otherwise.map(|found| role(&found.from, &found.value)).transpose()?,
            link_by_email: self.switch("oidc.link_by_email")?,
            trust_email: self.switch("oidc.trust_email")?,
        })
    }

    fn switch(self, name: &str) -> Result<bool, Failure> {
        let Some(found) = self.0.text(name)? else { return Ok(false) };
        let neither = || Failure::usage(format!("{} is neither true nor false", found.from));
        found.value.parse().map_err(|_| neither())
    }
}

fn role(from: &str, word: &str) -> Result<Role, Failure> {
    word.parse().map_err(|told| Failure::usage(format!("{from}: {told}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(pairs: &[(&str, &str)]) -> Result<Option<Provider>, Failure> {
        let values = Values::of_variables(pairs)?;
        let settings = SignIn::of(&values);
        settings.provider(&settings.place("127.0.0.1:8080".parse().unwrap())?)
    }

    #[test]
    fn without_settings_there_is_no_provider_and_the_server_is_where_it_listens() {
        assert!(provider(&[]).unwrap().is_none());
        let place = SignIn::of(&Values::default()).place("127.0.0.1:8080".parse().unwrap()).unwrap();
        assert_eq!(place.origin(), "http://127.0.0.1:8080");
    }

    #[test]
    fn a_setting_that_cannot_be_understood_is_an_error() {
        let whole =
            [("METSUKE_OIDC_ISSUER", "https://id.example.com"), ("METSUKE_OIDC_CLIENT_ID", "metsuke")];
        assert!(provider(&whole).unwrap().is_some());
        for wrong in [
            ("METSUKE_PUBLIC_URL", "http://metsuke.example.com"),
            ("METSUKE_PROXIES", "one"),
            ("METSUKE_OIDC_ROLES", "platform"),
            ("METSUKE_OIDC_ROLES", "platform=owner"),
            ("METSUKE_OIDC_DEFAULT_ROLE", "none"),
            ("METSUKE_OIDC_LINK_BY_EMAIL", "yes"),
            ("METSUKE_OIDC_CLIENT_SECRET_FILE", "/nowhere/at/all"),
        ] {
            assert!(provider(&[whole[0], whole[1], wrong]).is_err(), "{wrong:?}");
        }
        assert!(provider(&[whole[0]]).is_err(), "no client id");
        assert!(provider(&[("METSUKE_OIDC_ISSUER", "http://id.example.com"), whole[1]]).is_err());
    }
}
