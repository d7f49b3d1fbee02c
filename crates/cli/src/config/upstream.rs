//! Heroku and JupiterOne: their addresses, and what a client of them is given.

use metsuke_clients::{heroku, jupiterone};
use url::Url;

use super::{Config, Sourced};
use crate::args::{HerokuArgs, LimitArgs};
use crate::failure::Failure;

const HEROKU: &str = "https://api.heroku.com";

impl Config {
    /// The address of the Heroku API.
    ///
    /// # Errors
    ///
    /// [`Failure`] where the variable holds no address.
    pub(crate) fn heroku_url(&self, flag: Option<&Url>) -> Result<Sourced<Url>, Failure> {
        if let Some(url) = flag {
            return Ok(Sourced { value: url.clone(), from: "--heroku-url".into() });
        }
        let found = self.text("heroku.url");
        let Sourced { value: text, from } =
            found.unwrap_or_else(|| Sourced { value: HEROKU.into(), from: "the default".into() });
        // The text is not shown: an address may hold a password.
        let value = Url::parse(&text).map_err(|error| {
            Failure::usage(format!("{from} holds no address of a Heroku API: {error}"))
                .hint("write it like https://api.heroku.com")
        })?;
        Ok(Sourced { value, from })
    }

    /// The id of the JupiterOne account.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is none.
    pub(crate) fn jupiterone_account(&self, flag: Option<&str>) -> Result<String, Failure> {
        let set = || self.text("jupiterone.account").map(|found| found.value);
        let account = flag.map(ToOwned::to_owned).or_else(set);
        account.ok_or_else(|| {
            Failure::usage("there is no JupiterOne account id")
                .hint("set JUPITERONE_ACCOUNT, or name it with --account-id")
        })
    }

    /// The address of JupiterOne's API.
    ///
    /// # Errors
    ///
    /// [`Failure`] where the variable holds no address.
    pub(crate) fn jupiterone_url(&self, flag: Option<&Url>) -> Result<Url, Failure> {
        if let Some(url) = flag {
            return Ok(url.clone());
        }
        let default = || Sourced { value: jupiterone::DEFAULT_URL.into(), from: "the default".into() };
        let Sourced { value, from } = self.text("jupiterone.url").unwrap_or_else(default);
        // The text is not shown: an address may hold a password.
        Url::parse(&value).map_err(|error| Failure::usage(format!("{from} holds no address: {error}")))
    }

    /// The settings of a Heroku client.
    ///
    /// # Errors
    ///
    /// [`Failure`] where address or token cannot be used.
    pub(crate) fn heroku(
        &self,
        args: &HerokuArgs,
        limits: Option<&LimitArgs>,
    ) -> Result<heroku::Settings, Failure> {
        let url = self.heroku_url(args.heroku_url.as_ref())?;
        let token = self.token(args.token_file.as_deref())?;
        let mut settings = heroku::Settings::new(url.value, token.value);
        if let Some(limits) = limits {
            settings.max_in_flight = limits.max_in_flight.into();
            settings.reserve = f64::from(limits.reserve) / 100.0;
            settings.request_timeout = limits.request_timeout;
            settings.idle_timeout = limits.idle_timeout;
            settings.attempts = limits.attempts.into();
        }
        Ok(settings)
    }
}
