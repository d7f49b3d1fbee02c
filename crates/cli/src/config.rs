//! What flags, environment and configuration file come to together.
//!
//! It checks form, not truth: whether the token is right is Heroku's to say.
//!
//! Invariant: a flag beats the environment and that the file, an empty variable counts as absent, and no message holds a
//! secret.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use metsuke_clients::{heroku, jupiterone};
use metsuke_engine::access::provision::Sabotage;
use metsuke_engine::audit::KeyFile;
use metsuke_engine::retention::Keep;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::args::{Format, FormatArg, Global, HerokuArgs, LimitArgs};
use crate::context::sqlite_file;
use crate::failure::Failure;
use crate::settings::{Kind, SETTINGS, Values, variable};

const DATABASE: &str = "sqlite:metsuke.db";
const HEROKU: &str = "https://api.heroku.com";
/// The most that is read of a token file: far more than any token has.
const TOKEN_BYTES: u64 = 64 * 1024;

/// What was set in the environment and in the file, as it was when the program began.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    values: Values,
    #[cfg(debug_assertions)]
    abort_at: Option<String>,
    #[cfg(debug_assertions)]
    sabotage: Option<String>,
    no_color: bool,
    columns: Option<u16>,
}

impl Environment {
    /// Reads them; `file` is the configuration file that a flag names.
    ///
    /// # Errors
    ///
    /// [`Failure`] for a file that cannot be read or holds mistakes, and for a variable that is set twice.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, Failure> {
        Ok(Self {
            values: Values::read(file)?,
            #[cfg(debug_assertions)]
            abort_at: variable("METSUKE_TEST_ABORT_AT"),
            #[cfg(debug_assertions)]
            sabotage: variable("METSUKE_TEST_SABOTAGE"),
            no_color: variable("NO_COLOR").is_some(),
            columns: variable("COLUMNS").and_then(|columns| columns.parse().ok()),
        })
    }

    /// Whether the user wants no colour.
    pub(crate) fn no_color(&self) -> bool {
        self.no_color
    }

    /// One of a setting's words; none where it is not set, and for a word that is none of them.
    pub(crate) fn word<T: clap::ValueEnum>(&self, name: &str) -> Option<T> {
        let word = self.values.text(name).ok().flatten()?;
        T::from_str(&word.value, true).ok()
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Sourced<T> {
    /// The value.
    pub(crate) value: T,
    /// The flag, variable or file it came from, for people to read.
    pub(crate) from: String,
}

/// What the program was asked to be.
#[derive(Debug)]
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
    environment: Environment,
}

impl Config {
    /// Puts flags and environment together.
    pub(crate) fn new(global: Global, environment: Environment) -> Self {
        let Global { format, database, quiet, .. } = global;
        Self {
            format: format.format(),
            asked: format,
            quiet,
            columns: environment.columns,
            no_color: environment.no_color,
            database_flag: database,
            environment,
        }
    }

    /// The same for a demonstration: for people, with a database of its own, deaf to the environment.
    pub(crate) fn for_demo(&self, database: String) -> Self {
        Self {
            format: Format::Table,
            asked: FormatArg::Table,
            database_flag: Some(database),
            environment: Environment::default(),
            ..*self
        }
    }

    /// Whether the settings allow writes to Heroku.
    pub(crate) fn provisioning(&self) -> bool {
        self.text("provisioning.allow_writes").is_some_and(|found| found.value == "true")
    }

    /// All that was set.
    pub(crate) fn settings(&self) -> &Values {
        &self.environment.values
    }

    /// A setting that is no secret; one whose own file cannot be read counts as not set, and `config check` tells of it.
    fn text(&self, name: &str) -> Option<Sourced<String>> {
        self.environment.values.text(name).ok().flatten()
    }

    /// Looks at what the table of settings cannot know: whether values are what they should be.
    ///
    /// # Errors
    ///
    /// [`Failure`] for the first one that is not.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.heroku_url(None)?;
        self.jupiterone_url(None)?;
        for setting in SETTINGS {
            let Some(found) = self.environment.values.secret(setting.name)? else { continue };
            let text = found.value.expose_secret();
            let takes = match setting.kind {
                Kind::Secret => {
                    check(&Sourced { value: text.trim().into(), from: found.from.clone() })?;
                    continue;
                }
                Kind::Switch if !["true", "false"].contains(&text) => "true or false".to_owned(),
                Kind::Days if text.parse::<u32>().is_err() => "a whole number of days".to_owned(),
                Kind::Word(words) if !words.contains(&text) => format!("one of {}", words.join(", ")),
                _ => continue,
            };
            return Err(Failure::usage(format!("`{}` from {} takes {takes}", setting.name, found.from)));
        }
        Ok(())
    }

    /// For how long what is kept.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what is no number of days.
    pub(crate) fn retention(&self) -> Result<Keep, Failure> {
        let days = |name: &str| -> Result<Option<Duration>, Failure> {
            let default =
                SETTINGS.iter().find(|setting| setting.name == name).and_then(|setting| setting.default);
            let found = self.environment.values.text(name)?;
            let text = found.as_ref().map_or(default.unwrap_or("0"), |found| found.value.as_str());
            let number: u32 = text.parse().map_err(|_| {
                let from = found.as_ref().map_or("the default", |found| found.from.as_str());
                Failure::usage(format!("`{name}` from {from} takes a whole number of days, 0 to keep all"))
            })?;
            Ok((number > 0).then(|| Duration::from_hours(24 * u64::from(number))))
        };
        Ok(Keep {
            versions: days("retention.versions_days")?,
            runs: days("retention.runs_days")?,
            jobs: days("retention.jobs_days")?,
            changes: days("retention.changes_days")?,
            deliveries: days("retention.deliveries_days")?,
        })
    }

    /// The file of the kill switch that the environment names.
    pub(crate) fn kill_switch_file(&self) -> Option<PathBuf> {
        self.text("provisioning.kill_switch_file").map(|found| found.value.into())
    }

    /// Where a test ends the process: a point of the protocol, and the how-manieth time. Never in a release.
    pub(crate) fn abort_at(&self) -> Option<(String, u32)> {
        #[cfg(debug_assertions)]
        return self.environment.abort_at.as_deref().map(|told| {
            let (point, times) = told.split_once(':').unwrap_or((told, "1"));
            (point.to_owned(), times.parse().unwrap_or(1))
        });
        #[cfg(not(debug_assertions))]
        None
    }

    /// What a test takes out of the protocol. Never in a release.
    pub(crate) fn sabotage(&self) -> Option<Sabotage> {
        #[cfg(debug_assertions)]
        return match self.environment.sabotage.as_deref() {
            Some("record-after-the-call") => Some(Sabotage::RecordAfterTheCall),
            Some("retry-without-reading") => Some(Sabotage::RetryWithoutReading),
            _ => None,
        };
        #[cfg(not(debug_assertions))]
        None
    }

    /// The database's address.
    pub(crate) fn database(&self) -> Sourced<String> {
        if let Some(value) = &self.database_flag {
            return Sourced { value: value.clone(), from: "--database".into() };
        }
        self.text("database.url")
            .unwrap_or_else(|| Sourced { value: DATABASE.into(), from: "the default".into() })
    }

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

    /// The file with the audit trail's key; none for a database that is no file, where nobody named one.
    pub(crate) fn audit_key(&self, flag: Option<&Path>) -> Option<KeyFile> {
        match (flag, self.text("audit.key_file")) {
            (Some(file), _) => Some(KeyFile::at(file)),
            (None, Some(file)) => Some(KeyFile::at(file.value)),
            (None, None) => sqlite_file(&self.database().value).map(|file| KeyFile::beside(&file)),
        }
    }

    /// The token.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is none, or where what there is cannot be one.
    pub(crate) fn token(&self, file: Option<&Path>) -> Result<Sourced<SecretString>, Failure> {
        let token = match file {
            Some(file) => token_of(file)?,
            None => match self.secret("heroku.token")? {
                Some(token) => token,
                None => {
                    return Err(Failure::usage("there is no Heroku token").hint(
                        "set METSUKE_HEROKU_TOKEN to one made with `heroku authorizations:create --scope global`, \
                         or name a file with --token-file; `metsuke demo` needs none",
                    ));
                }
            },
        };
        check(&token)?;
        Ok(token)
    }

    /// The token of a roster's server.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is none, or where what there is cannot be one.
    pub(crate) fn roster_token(&self, file: Option<&Path>) -> Result<SecretString, Failure> {
        let set = match file {
            Some(file) => Some(token_of(file)?),
            None => self.secret("people.roster_token")?,
        };
        let token = set.ok_or_else(|| {
            Failure::usage("there is no token for the roster's server")
                .hint("set METSUKE_ROSTER_TOKEN, or name a file with --token-file")
        })?;
        check(&token)?;
        Ok(token.value)
    }

    /// JupiterOne's API key.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is none, or where what there is cannot be one.
    pub(crate) fn jupiterone_key(&self, file: Option<&Path>) -> Result<SecretString, Failure> {
        let set = match file {
            Some(file) => Some(token_of(file)?),
            None => self.secret("jupiterone.api_key")?,
        };
        let key = set.ok_or_else(|| {
            Failure::usage("there is no JupiterOne API key")
                .hint("set JUPITERONE_API_KEY, or name a file with --api-key-file")
        })?;
        check(&key)?;
        Ok(key.value)
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

    /// A secret without the spaces around it.
    fn secret(&self, name: &str) -> Result<Option<Sourced<SecretString>>, Failure> {
        let found = self.environment.values.secret(name)?;
        Ok(found.map(|found| Sourced { value: found.value.expose_secret().trim().into(), ..found }))
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

/// The token that a file holds, or stdin for `-`.
fn token_of(file: &Path) -> Result<Sourced<SecretString>, Failure> {
    if file.as_os_str() == "-" {
        return Ok(Sourced { value: read_token("stdin", std::io::stdin().lock())?, from: "stdin".into() });
    }
    let from = format!("file `{}`", file.display());
    let opened = std::fs::File::open(file)
        .map_err(|error| Failure::usage(format!("the token's {from} cannot be read: {error}")))?;
    Ok(Sourced { value: read_token(&from, opened)?, from })
}

/// The secret that a file holds, line ends included.
///
/// # Errors
///
/// [`Failure`] where the file cannot be read.
pub(crate) fn secret_of(what: &str, file: &Path) -> Result<SecretString, Failure> {
    let unread = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("the {what}'s file `{}` cannot be read: {error}", file.display()))
    };
    let opened = std::fs::File::open(file).map_err(|error| unread(&error))?;
    let mut text = String::new();
    opened.take(TOKEN_BYTES).read_to_string(&mut text).map_err(|error| unread(&error))?;
    Ok(text.into())
}

fn read_token(from: &str, source: impl std::io::Read) -> Result<SecretString, Failure> {
    let mut text = String::new();
    source
        .take(TOKEN_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("the token cannot be read from {from}: {error}")))?;
    let token = SecretString::from(text.trim());
    Ok(token)
}

/// Refuses what no server would take, before it gets into a header.
fn check(token: &Sourced<SecretString>) -> Result<(), Failure> {
    let text = token.value.expose_secret();
    let from = &token.from;
    if text.is_empty() {
        return Err(Failure::usage(format!("the token from {from} is empty")));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let hint = "give the token alone, without quotes, a name in front, or a second line";
        return Err(
            Failure::usage(format!("the token from {from} holds characters that no token has")).hint(hint)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(environment: Environment) -> Config {
        let global = Global {
            format: FormatArg::Table,
            database: None,
            log_level: None,
            log_format: None,
            config: None,
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
