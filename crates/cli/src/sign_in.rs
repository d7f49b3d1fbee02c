//! Settings of signing in: where browsers reach the server, and which provider of identities says who they are.
//!
//! It checks form, not truth: whether the provider knows us is the provider's to say.
//!
//! Invariant: no message holds the client's secret; a setting that is there and cannot be understood is an error, and never
//! passed over.

use std::net::SocketAddr;
use std::path::PathBuf;

use metsuke_clients::oidc::{Oidc, Settings};
use metsuke_engine::identity::{Provider, ProviderRules, Role};
use metsuke_web::Place;
use secrecy::SecretString;
use url::Url;

use crate::failure::Failure;

/// The path to which the provider sends browsers back.
const CALLBACK: &str = "/auth/oidc/callback";

/// The variables about signing in, as they were when the program began.
#[derive(Debug, Default)]
pub(crate) struct SignIn {
    public_url: Option<String>,
    proxies: Option<String>,
    issuer: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    client_secret_file: Option<PathBuf>,
    name: Option<String>,
    role_claim: Option<String>,
    roles: Option<String>,
    default_role: Option<String>,
    scopes: Option<String>,
    link_by_email: Option<String>,
    trust_email: Option<String>,
}

impl SignIn {
    /// Reads them.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            public_url: variable("METSUKE_PUBLIC_URL"),
            proxies: variable("METSUKE_PROXIES"),
            issuer: variable("METSUKE_OIDC_ISSUER"),
            client_id: variable("METSUKE_OIDC_CLIENT_ID"),
            client_secret: variable("METSUKE_OIDC_CLIENT_SECRET").map(Into::into),
            client_secret_file: variable("METSUKE_OIDC_CLIENT_SECRET_FILE").map(Into::into),
            name: variable("METSUKE_OIDC_NAME"),
            role_claim: variable("METSUKE_OIDC_ROLE_CLAIM"),
            roles: variable("METSUKE_OIDC_ROLES"),
            default_role: variable("METSUKE_OIDC_DEFAULT_ROLE"),
            scopes: variable("METSUKE_OIDC_SCOPES"),
            link_by_email: variable("METSUKE_OIDC_LINK_BY_EMAIL"),
            trust_email: variable("METSUKE_OIDC_TRUST_EMAIL"),
        }
    }

    /// Where browsers reach a server that listens there.
    ///
    /// # Errors
    ///
    /// [`Failure`] for an address that is neither https nor this machine, or a number of servers that is none.
    pub(crate) fn place(&self, listening: SocketAddr) -> Result<Place, Failure> {
        let place = match &self.public_url {
            Some(text) => Place::parse(text).map_err(|reason| {
                Failure::usage(format!("METSUKE_PUBLIC_URL: {reason}"))
                    .hint("write it like https://metsuke.example.com")
            })?,
            None => Place::listening(listening),
        };
        let proxies = match self.proxies.as_deref().map(str::parse) {
            None => 0,
            Some(Ok(count)) => count,
            Some(Err(_)) => {
                return Err(Failure::usage("METSUKE_PROXIES holds no number")
                    .hint("it is how many servers of yours stand in front and add X-Forwarded-For"));
            }
        };
        Ok(place.behind(proxies))
    }

    /// The provider of identities, where one is named.
    ///
    /// # Errors
    ///
    /// [`Failure`] names the first setting that cannot work.
    pub(crate) fn provider(&self, place: &Place) -> Result<Option<Provider>, Failure> {
        let Some(issuer) = &self.issuer else { return Ok(None) };
        let client_id = self.client_id.as_deref().ok_or_else(|| {
            Failure::usage("METSUKE_OIDC_ISSUER names a provider, and METSUKE_OIDC_CLIENT_ID is not set")
        })?;
        let wrong = |reason: String| Failure::usage(format!("METSUKE_OIDC_ISSUER: {reason}"));
        let redirect = Url::parse(&format!("{}{CALLBACK}", place.origin()))
            .map_err(|error| wrong(format!("there is no address to come back to: {error}")))?;
        let mut settings =
            Settings::new(issuer, client_id, redirect).map_err(|error| wrong(error.to_string()))?;
        settings.client_secret = self.secret()?;
        if let Some(scopes) = &self.scopes {
            settings.scopes = scopes.split_whitespace().map(ToOwned::to_owned).collect();
        }
        let oidc = Oidc::new(settings).map_err(|error| wrong(error.to_string()))?;
        Ok(Some(Provider::new(oidc, self.rules()?)))
    }

    fn secret(&self) -> Result<Option<SecretString>, Failure> {
        let Some(file) = &self.client_secret_file else { return Ok(self.client_secret.clone()) };
        let read = std::fs::read_to_string(file).map_err(|error| {
            Failure::usage(format!("METSUKE_OIDC_CLIENT_SECRET_FILE `{}`: {error}", file.display()))
        })?;
        Ok(Some(read.trim().into()))
    }

    fn rules(&self) -> Result<ProviderRules, Failure> {
        let role = |variable: &str, word: &str| {
            word.parse::<Role>().map_err(|told| Failure::usage(format!("{variable}: {told}")))
        };
        let pairs =
            self.roles.as_deref().unwrap_or_default().split(',').filter(|pair| !pair.trim().is_empty());
        let pairs = pairs.map(|pair| match pair.rsplit_once('=') {
            Some((group, word)) => Ok((group.trim().to_owned(), role("METSUKE_OIDC_ROLES", word.trim())?)),
            None => Err(Failure::usage(format!("METSUKE_OIDC_ROLES: `{}` gives no role", pair.trim()))
                .hint("write it like `platform=operator,security=auditor`")),
        });
        let otherwise = self.default_role.as_deref().map(|word| role("METSUKE_OIDC_DEFAULT_ROLE", word));
        Ok(ProviderRules {
            name: self.name.clone().unwrap_or_else(|| "single sign-on".to_owned()),
            claim: self.role_claim.clone().unwrap_or_else(|| "groups".to_owned()),
            roles: pairs.collect::<Result<_, _>>()?,
            otherwise: otherwise.transpose()?,
            link_by_email: flag("METSUKE_OIDC_LINK_BY_EMAIL", self.link_by_email.as_deref())?,
            trust_email: flag("METSUKE_OIDC_TRUST_EMAIL", self.trust_email.as_deref())?,
        })
    }
}

fn flag(variable: &str, value: Option<&str>) -> Result<bool, Failure> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Failure::usage(format!("{variable} is neither true nor false"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> SignIn {
        SignIn::read(|name| pairs.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned()))
    }

    fn provider(pairs: &[(&str, &str)]) -> Result<Option<Provider>, Failure> {
        let settings = read(pairs);
        settings.provider(&settings.place("127.0.0.1:8080".parse().unwrap())?)
    }

    #[test]
    fn without_settings_there_is_no_provider_and_the_server_is_where_it_listens() {
        assert!(provider(&[]).unwrap().is_none());
        let place = read(&[]).place("127.0.0.1:8080".parse().unwrap()).unwrap();
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
