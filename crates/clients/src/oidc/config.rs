//! What is to be known of a provider before it can be asked.
//!
//! Invariant: what [`Settings::check`] lets pass can be sent: over https, or within this machine.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::error::ClientError;
use crate::heroku::is_loopback;

/// How to reach a provider, and what we are known by there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The provider's address, from which its description is found.
    pub issuer: Url,
    /// The same as it was written, since providers compare letter by letter.
    pub issuer_as_written: String,
    /// What we are known by.
    pub client_id: String,
    /// What proves it; none for a public client.
    pub client_secret: Option<SecretString>,
    /// The address to come back to.
    pub redirect: Url,
    /// What to ask for beside `openid`.
    pub scopes: Vec<String>,
    /// The limit of one request, from sending it to the last byte of the answer.
    pub request_timeout: Duration,
}

impl Settings {
    /// Settings with the usual scopes and limits.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] for an issuer that is no address.
    pub fn new(issuer: &str, client_id: &str, redirect: Url) -> Result<Self, ClientError> {
        let reason = |_| ClientError::Config { reason: "the provider's issuer is no address".into() };
        Ok(Self {
            issuer: Url::parse(issuer).map_err(reason)?,
            issuer_as_written: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: None,
            redirect,
            scopes: ["profile", "email"].map(str::to_owned).to_vec(),
            request_timeout: Duration::from_secs(10),
        })
    }

    /// Refuses what cannot work.
    pub(super) fn check(&self) -> Result<(), ClientError> {
        let refuse = |reason: &str| Err(ClientError::Config { reason: reason.to_owned() });
        let issuer = &self.issuer;
        if !issuer.username().is_empty() || issuer.password().is_some() {
            return refuse("the provider's issuer must hold neither a user nor a password");
        }
        if issuer.query().is_some() || issuer.fragment().is_some() {
            return refuse("the provider's issuer must hold neither a query nor a fragment");
        }
        match issuer.scheme() {
            "https" => {}
            "http" if is_loopback(issuer) => {}
            _ => return refuse("the provider's issuer must be an https address"),
        }
        if self.client_id.is_empty() {
            return refuse("the provider knows us by no client id");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(issuer: &str) -> Result<(), ClientError> {
        let redirect = Url::parse("https://metsuke.example.com/auth/oidc/callback").unwrap();
        Settings::new(issuer, "metsuke", redirect)?.check()
    }

    #[test]
    fn a_provider_is_asked_over_https_or_within_this_machine() {
        for issuer in ["https://id.example.com/realms/x", "http://127.0.0.1:5556/dex", "http://localhost:1"] {
            assert_eq!(check(issuer), Ok(()), "{issuer}");
        }
        for issuer in [
            "http://id.example.com",
            "https://u:p@id.example.com",
            "https://id.example.com/?a=b",
            "ftp://id.example.com",
            "id.example.com",
        ] {
            assert!(check(issuer).is_err(), "{issuer}");
        }
    }
}
