//! The settings of a Heroku client and their check.
//!
//! They come from the command line's configuration as values; nothing is read from the environment.
//!
//! Invariant: with settings that pass [`Settings::check`] the token travels encrypted, or not beyond
//! this machine.

use std::time::Duration;

use secrecy::SecretString;
use url::{Host, Url};

use crate::error::ClientError;

/// How to reach Heroku, and how hard to lean on it.
#[derive(Clone)]
pub struct Settings {
    /// Where the API is; plain http is for a server on this machine only.
    pub base_url: Url,
    /// The API token, sent as bearer.
    pub token: SecretString,
    /// What to call ourselves.
    pub user_agent: String,
    /// The most requests in flight at one moment.
    pub max_in_flight: usize,
    /// The part of the account's pool, 0 to 1, that syncs leave for provisioning and for other tools.
    pub reserve: f64,
    /// The size of the account's pool of requests.
    pub pool: u32,
    /// How many requests the pool gets back in a minute.
    pub refill_per_minute: u32,
    /// The limit of one request, from sending it to the last byte of the answer.
    pub request_timeout: Duration,
    /// The limit of connecting, and of the silence between two parts of a body.
    pub idle_timeout: Duration,
    /// The most bytes that are read of one body.
    pub max_body_bytes: usize,
    /// The most pages that are read of one list.
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
    /// Settings with the defaults for Heroku's documented limits.
    #[must_use]
    pub fn new(base_url: Url, token: SecretString) -> Self {
        Self {
            base_url,
            token,
            user_agent: concat!("metsuke/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_in_flight: 8,
            reserve: 0.10,
            pool: 4_500,
            refill_per_minute: 75,
            request_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_secs(15),
            max_body_bytes: 32 << 20,
            max_pages: 10_000,
            attempts: 5,
            first_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(30),
            jitter_seed: 0x6d65_7473_756b_6521,
        }
    }

    /// Settings with the defaults for the API at an address that is still text.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] where it is no address.
    pub fn parse(base_url: &str, token: SecretString) -> Result<Self, ClientError> {
        let reason = |error| format!("the Heroku address cannot be read: {error}");
        let url = Url::parse(base_url).map_err(|error| ClientError::Config { reason: reason(error) })?;
        Ok(Self::new(url, token))
    }

    /// Whether a client can work with these settings.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] names the first setting that cannot work; never the token.
    pub fn check(&self) -> Result<(), ClientError> {
        let refuse = |reason: &str| Err(ClientError::Config { reason: reason.to_owned() });
        let url = &self.base_url;
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("the Heroku address holds a user or a password; the token is given apart from it");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("the Heroku address holds a query or a fragment");
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url) => {}
            "http" => return refuse("the token would travel unencrypted; use an https address for Heroku"),
            _ => return refuse("the Heroku address is neither https nor http"),
        }
        if self.max_in_flight == 0 || self.max_in_flight > 1_000 {
            return refuse("the number of requests in flight must be between 1 and 1000");
        }
        if self.attempts == 0 || self.max_pages == 0 || self.max_body_bytes == 0 {
            return refuse("attempts, pages and body bytes must be at least 1");
        }
        if self.pool == 0 || self.refill_per_minute == 0 || !(0.0..1.0).contains(&self.reserve) {
            return refuse("pool and refill must be at least 1, and the reserve at least 0 and less than 1");
        }
        Ok(())
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Host and port only: an address that was not checked yet could hold a password.
        f.debug_struct("Settings")
            .field("scheme", &self.base_url.scheme())
            .field("host", &self.base_url.host_str())
            .field("port", &self.base_url.port())
            .field("token", &self.token)
            .field("max_in_flight", &self.max_in_flight)
            .finish_non_exhaustive()
    }
}

/// Whether the address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> Settings {
        Settings::parse(url, SecretString::from("HRKU-secret")).unwrap()
    }

    #[test]
    fn what_is_no_address_is_refused_without_the_token() {
        let error = Settings::parse("not an address", SecretString::from("HRKU-secret")).unwrap_err();
        let text = format!("{error:?} {error}");
        assert!(text.contains("cannot be read") && !text.contains("HRKU-secret"), "{text}");
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for url in ["https://api.heroku.com", "http://localhost:5000", "http://127.0.0.1:1", "http://[::1]:1"]
        {
            assert_eq!(settings(url).check(), Ok(()), "{url}");
        }
        for url in
            ["http://api.heroku.com", "http://10.0.0.1", "http://localhost.evil.com", "ftp://localhost"]
        {
            assert!(settings(url).check().is_err(), "{url}");
        }
    }

    #[test]
    fn settings_show_no_secret() {
        let text = format!("{:?}", settings("https://user:hunter2@api.heroku.com"));
        assert!(!text.contains("HRKU-secret") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn impossible_settings_are_refused() {
        let mut none = settings("https://api.heroku.com");
        none.max_in_flight = 0;
        assert!(none.check().is_err());
        let mut all = settings("https://api.heroku.com");
        all.reserve = f64::NAN;
        assert!(all.check().is_err());
        assert!(settings("https://user:hunter2@api.heroku.com").check().is_err());
    }
}
