//! The settings of a roster's client and their check.
//!
//! They come from the command line's configuration as values; nothing is read from the environment.
//!
//! Invariant: with settings that pass [`Settings::check`] the token travels encrypted, or not beyond this machine.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::error::ClientError;
use crate::heroku::is_loopback;

/// Where the list is, below the address of the server.
const USERS: &str = "/api/v1/users";
/// The users on a page: the most that Okta gives.
const PAGE: &str = "200";

/// How to reach the server of a roster, and what it may cost.
#[derive(Clone)]
pub struct Settings {
    /// The server, with or without the path of its list of users; plain http is for a server on this machine only.
    pub url: Url,
    /// The token, sent as `SSWS`.
    pub token: SecretString,
    /// The limit of one request, from sending it to the last byte of the answer.
    pub request_timeout: Duration,
    /// The limit of connecting, and of the silence between two parts of a body.
    pub idle_timeout: Duration,
    /// The limit of everything.
    pub total_timeout: Duration,
    /// The most bytes that are read of one page.
    pub max_body_bytes: usize,
    /// The most pages that are read.
    pub max_pages: u32,
    /// How often one request is sent before its error is final.
    pub attempts: u32,
    /// The wait before the second attempt.
    pub first_delay: Duration,
    /// The longest wait between two attempts, unless the server asks for more.
    pub max_delay: Duration,
    /// Where the pseudo-random lengthening of waits starts.
    pub jitter_seed: u64,
}

impl Settings {
    /// Settings with defaults that suit a company of 100,000.
    #[must_use]
    pub fn new(url: Url, token: SecretString) -> Self {
        Self {
            url,
            token,
            request_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_secs(15),
            total_timeout: Duration::from_mins(30),
            max_body_bytes: 16 << 20,
            max_pages: 5_000,
            attempts: 5,
            first_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(30),
            jitter_seed: 0x726f_7374_6572_2121,
        }
    }

    /// The address of the first page.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] names the first setting that cannot work; never the token.
    pub(super) fn check(&self) -> Result<Url, ClientError> {
        let refuse = |reason: &str| Err(ClientError::Config { reason: reason.to_owned() });
        let mut url = self.url.clone();
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "the roster's address holds a user or a password; the token is given apart from it",
            );
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => {
                return refuse("the token would travel unencrypted; use an https address for the roster");
            }
            _ => return refuse("the roster's address is neither https nor http"),
        }
        let token = self.token.expose_secret();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return refuse("the roster's token is empty or holds characters that no token has");
        }
        if self.attempts == 0 || self.max_pages == 0 || self.max_body_bytes == 0 {
            return refuse("attempts, pages and body bytes must be at least 1");
        }
        let path = url.path().trim_end_matches('/');
        let path = if path.ends_with(USERS) { path.to_owned() } else { format!("{path}{USERS}") };
        url.set_path(&path);
        url.set_fragment(None);
        if !url.query_pairs().any(|(name, _)| name == "limit") {
            url.query_pairs_mut().append_pair("limit", PAGE);
        }
        Ok(url)
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Host and port only: an address that was not checked yet could hold a password.
        f.debug_struct("Settings")
            .field("scheme", &self.url.scheme())
            .field("host", &self.url.host_str())
            .field("port", &self.url.port())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(url: &str) -> Result<String, ClientError> {
        Settings::new(Url::parse(url).unwrap(), "00-secret".into()).check().map(Into::into)
    }

    #[test]
    fn the_path_of_the_list_may_be_left_out() {
        let wanted = "https://example.okta.com/api/v1/users?limit=200";
        for url in ["https://example.okta.com", "https://example.okta.com/api/v1/users/"] {
            assert_eq!(first(url).unwrap(), wanted);
        }
        let own = "https://example.okta.com/api/v1/users?filter=status&limit=50";
        assert_eq!(first(own).unwrap(), own);
        assert_eq!(first("http://127.0.0.1:1/x").unwrap(), "http://127.0.0.1:1/x/api/v1/users?limit=200");
    }

    #[test]
    fn a_token_leaves_this_machine_encrypted_only() {
        for url in ["http://example.okta.com", "ftp://localhost", "https://user:hunter2@example.okta.com"] {
            let error = first(url).unwrap_err();
            assert!(!format!("{error:?}").contains("hunter2"), "{error}");
        }
        let blank = Settings::new(Url::parse("https://example.com").unwrap(), " ".into());
        assert!(blank.check().is_err());
        assert!(!format!("{blank:?}").contains("secret"));
    }
}
