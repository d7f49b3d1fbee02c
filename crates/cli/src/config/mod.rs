//! What flags, environment and configuration file come to together.
//!
//! It checks form, not truth: whether the token is right is Heroku's to say.
//!
//! Invariant: a flag beats the environment and that the file, an empty variable counts as absent, and no message holds a
//! secret.

mod check;
mod environment;
mod installed;
mod keys;
mod retention;
mod secrets;
mod serving;
mod upstream;

use std::path::PathBuf;

use metsuke_model::approval::Demand;
use url::Url;

use crate::args::{Format, FormatArg, Global};
use crate::failure::Failure;
use crate::settings::Values;
pub(crate) use environment::Environment;
pub(crate) use secrets::{secret_of, spelled, text_of};

const DATABASE: &str = "sqlite:metsuke.db";

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Sourced<T> {
    /// The value.
    pub(crate) value: T,
    /// The flag, variable or file it came from, for people to read.
    pub(crate) from: String,
}

/// What the program was asked to be.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// How data is printed.
    pub(crate) format: Format,
    /// The same as it was asked for, with the formats of single commands.
    pub(crate) asked: FormatArg,
    /// No progress and no notes.
    pub(crate) quiet: bool,
    /// The width that the environment names, for terminals that do not tell.
    pub(crate) columns: Option<u16>,
    /// Plain text even on a terminal.
    pub(crate) no_color: bool,
    /// The database of `--database` alone.
    pub(crate) database_flag: Option<String>,
    /// The server of `--server` alone.
    server_flag: Option<Url>,
    /// The connector of `--connector`.
    pub(crate) connector: Option<String>,
    environment: Environment,
}

impl Config {
    /// Puts flags and environment together.
    pub(crate) fn new(global: Global, environment: Environment) -> Self {
        let Global { format, database, server, connector, quiet, .. } = global;
        Self {
            format: format.format(),
            asked: format,
            quiet,
            columns: environment.columns,
            no_color: environment.no_color,
            database_flag: database,
            server_flag: server,
            connector,
            environment,
        }
    }

    /// The same for a demonstration: for people, with a database of its own, deaf to the environment.
    pub(crate) fn for_demo(&self, database: String) -> Self {
        Self {
            format: Format::Table,
            asked: FormatArg::Table,
            database_flag: Some(database),
            server_flag: None,
            connector: None,
            environment: Environment::default(),
            ..*self
        }
    }

    /// Whether the settings allow writes to Heroku.
    pub(crate) fn provisioning(&self) -> bool {
        self.text("provisioning.allow_writes").is_some_and(|found| found.value == "true")
    }

    /// Which plans of a database without a connector a second person has to approve; what cannot be read asks for all.
    pub(crate) fn approval(&self) -> Demand {
        self.text("provisioning.approval")
            .map_or(Demand::None, |found| found.value.parse().unwrap_or(Demand::Every))
    }

    /// All that was set.
    pub(crate) fn settings(&self) -> &Values {
        &self.environment.values
    }

    /// A setting that is no secret; one whose own file cannot be read counts as not set, and `config check` tells of it.
    fn text(&self, name: &str) -> Option<Sourced<String>> {
        self.environment.values.text(name).ok().flatten()
    }

    /// The file of the kill switch that the environment names.
    pub(crate) fn kill_switch_file(&self) -> Option<PathBuf> {
        self.text("provisioning.kill_switch_file").map(|found| found.value.into())
    }

    /// The server that is meant instead of a database; a database that a flag names goes before what is set.
    ///
    /// # Errors
    ///
    /// [`Failure`] where the setting holds no address.
    pub(crate) fn server(&self) -> Result<Option<Url>, Failure> {
        match (&self.server_flag, self.text("client.server")) {
            (Some(url), _) => Ok(Some(url.clone())),
            (None, Some(found)) if self.database_flag.is_none() => {
                found.value.parse().map(Some).map_err(|_| {
                    let from = found.from;
                    Failure::usage(format!("{from} holds no address"))
                        .hint("write it like https://metsuke.example.com")
                })
            }
            _ => Ok(None),
        }
    }

    /// Whether a server was asked for by the flag, and is not only set.
    pub(crate) fn server_by_flag(&self) -> bool {
        self.server_flag.is_some()
    }

    /// The database's address.
    pub(crate) fn database(&self) -> Sourced<String> {
        if let Some(value) = &self.database_flag {
            return Sourced { value: value.clone(), from: "--database".into() };
        }
        self.text("database.url")
            .unwrap_or_else(|| Sourced { value: DATABASE.into(), from: "the default".into() })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn config(environment: Environment) -> Config {
        let global = Global {
            format: FormatArg::Table,
            database: None,
            config: None,
            server: None,
            connector: None,
            log_level: None,
            log_format: None,
            quiet: false,
        };
        Config::new(global, environment)
    }

    #[test]
    fn without_flags_and_variables_the_defaults_hold() {
        let config = config(Environment::default());
        assert_eq!(config.database().value, "sqlite:metsuke.db");
        assert_eq!(config.heroku_url(None).unwrap().value.as_str(), "https://api.heroku.com/");
        assert!(config.token(None).unwrap_err().to_string().contains("no Heroku token"));
    }

    #[test]
    fn a_token_file_may_end_with_a_newline() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "HRKU-secret\n").unwrap();
        let token = config(Environment::default()).token(Some(file.path())).unwrap();
        assert_eq!(token.value.expose_secret(), "HRKU-secret");
    }

    #[test]
    fn a_token_that_cannot_be_one_is_refused_and_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in ["", "TOKEN HRKU-secret", "HRKU-secret\nHRKU-second"] {
            std::fs::write(file.path(), text).unwrap();
            let failure = config(Environment::default()).token(Some(file.path())).unwrap_err();
            assert!(!format!("{failure:?}").contains("HRKU"), "{failure:?}");
        }
    }
}
