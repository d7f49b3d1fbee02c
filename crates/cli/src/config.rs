//! What the environment and the flags come to together: the one place that reads the environment.
//!
//! It checks form, not truth: whether the token is right is Heroku's to say.
//!
//! Invariant: a flag beats the environment, an empty variable counts as absent, and no message holds a secret.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use metsuke_clients::deliver::{Outside, OutsideSettings};
use metsuke_clients::{heroku, jupiterone};
use metsuke_engine::access::provision::Sabotage;
use metsuke_engine::audit::KeyFile;
use metsuke_engine::seal::SealFile;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::args::{Format, FormatArg, Global, HerokuArgs, LimitArgs};
use crate::context::sqlite_file;
use crate::failure::Failure;
use crate::sign_in::SignIn;

/// The variables that may hold the token, best first.
const TOKEN_VARIABLES: [&str; 3] = ["METSUKE_HEROKU_TOKEN", "BATON_API_TOKEN", "HEROKU_API_KEY"];
/// The variables that may hold the database's address, best first.
const DATABASE_VARIABLES: [&str; 2] = ["METSUKE_DATABASE_URL", "DATABASE_URL"];
/// The variable that may hold the token of a roster's server.
const ROSTER_TOKEN: &str = "METSUKE_ROSTER_TOKEN";
const DATABASE: &str = "sqlite:metsuke.db";
const HEROKU: &str = "https://api.heroku.com";
/// The most that is read of a token file: far more than any token has.
const TOKEN_BYTES: u64 = 64 * 1024;

/// The variables that matter, as they were when the program began.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    tokens: Vec<(&'static str, SecretString)>,
    roster_token: Option<SecretString>,
    databases: Vec<(&'static str, String)>,
    heroku_url: Option<String>,
    jupiterone_key: Option<SecretString>,
    jupiterone_account: Option<String>,
    jupiterone_url: Option<String>,
    audit_key: Option<String>,
    seal_key: Option<PathBuf>,
    state_folder: Option<PathBuf>,
    listen: Option<String>,
    sign_in: SignIn,
    port: Option<String>,
    server: Option<String>,
    server_token: Option<SecretString>,
    server_token_file: Option<PathBuf>,
    allow_private: Option<String>,
    allow_plain: bool,
    provisioning: bool,
    kill_switch_file: Option<PathBuf>,
    #[cfg(debug_assertions)]
    abort_at: Option<String>,
    #[cfg(debug_assertions)]
    sabotage: Option<String>,
    no_color: bool,
    columns: Option<u16>,
}

impl Environment {
    /// Reads them.
    pub(crate) fn read() -> Self {
        let tokens =
            TOKEN_VARIABLES.into_iter().filter_map(|name| Some((name, variable(name)?.into()))).collect();
        let databases =
            DATABASE_VARIABLES.into_iter().filter_map(|name| Some((name, variable(name)?))).collect();
        Self {
            tokens,
            roster_token: variable(ROSTER_TOKEN).map(Into::into),
            databases,
            heroku_url: variable("METSUKE_HEROKU_URL"),
            jupiterone_key: variable("JUPITERONE_API_KEY").map(Into::into),
            jupiterone_account: variable("JUPITERONE_ACCOUNT"),
            jupiterone_url: variable("METSUKE_JUPITERONE_URL"),
            audit_key: variable("METSUKE_AUDIT_KEY"),
            seal_key: variable("METSUKE_KEY_FILE").map(Into::into),
            state_folder: state_folder(),
            listen: variable("METSUKE_LISTEN"),
            sign_in: SignIn::read(variable),
            port: variable("PORT"),
            server: variable("METSUKE_SERVER"),
            server_token: variable("METSUKE_TOKEN").map(Into::into),
            server_token_file: variable("METSUKE_TOKEN_FILE").map(Into::into),
            allow_private: variable("METSUKE_ALLOW_PRIVATE"),
            allow_plain: variable("METSUKE_ALLOW_PLAIN").is_some_and(|value| matches!(&*value, "1" | "true")),
            provisioning: variable("METSUKE_PROVISIONING").is_some_and(|value| value == "true"),
            kill_switch_file: variable("METSUKE_KILL_SWITCH_FILE").map(Into::into),
            #[cfg(debug_assertions)]
            abort_at: variable("METSUKE_TEST_ABORT_AT"),
            #[cfg(debug_assertions)]
            sabotage: variable("METSUKE_TEST_SABOTAGE"),
            no_color: variable("NO_COLOR").is_some(),
            columns: variable("COLUMNS").and_then(|columns| columns.parse().ok()),
        }
    }

    /// Whether the user wants no colour.
    pub(crate) fn no_color(&self) -> bool {
        self.no_color
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The folder for what outlives the program: systemd's, else the user's own.
///
/// Source: <https://specifications.freedesktop.org/basedir/latest/>
fn state_folder() -> Option<PathBuf> {
    let given = variable("STATE_DIRECTORY")
        .map(|folders| PathBuf::from(folders.split(':').next().unwrap_or_default()));
    let own = || variable("XDG_STATE_HOME").map(|folder| PathBuf::from(folder).join("metsuke"));
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/state/metsuke"));
    given.or_else(own).or_else(home)
}

/// A secret that somebody typed, for the body of the one request that sets it.
pub(crate) fn spelled(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
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

    /// Whether `METSUKE_PROVISIONING` allows writes to Heroku.
    pub(crate) fn provisioning(&self) -> bool {
        self.environment.provisioning
    }

    /// The file of the kill switch that the environment names.
    pub(crate) fn kill_switch_file(&self) -> Option<PathBuf> {
        self.environment.kill_switch_file.clone()
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

    /// The server that is meant instead of a database; a database that is named goes before the environment.
    ///
    /// # Errors
    ///
    /// [`Failure`] where the variable holds no address.
    pub(crate) fn server(&self) -> Result<Option<Url>, Failure> {
        match (&self.server_flag, &self.environment.server) {
            (Some(url), _) => Ok(Some(url.clone())),
            (None, Some(text)) if self.database_flag.is_none() => text.parse().map(Some).map_err(|_| {
                Failure::usage("METSUKE_SERVER holds no address")
                    .hint("write it like https://metsuke.example.com")
            }),
            _ => Ok(None),
        }
    }

    /// Whether a server was asked for by the flag, and not by the environment alone.
    pub(crate) fn server_by_flag(&self) -> bool {
        self.server_flag.is_some()
    }

    /// The token for the server.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is none, or its file cannot be read.
    pub(crate) fn server_token(&self) -> Result<SecretString, Failure> {
        match (&self.environment.server_token, &self.environment.server_token_file) {
            (Some(token), _) => Ok(token.clone()),
            (None, Some(file)) => secret_of(file),
            (None, None) => Err(Failure::usage("there is no token for the server")
                .hint("set METSUKE_TOKEN, or METSUKE_TOKEN_FILE; `metsuke token create` makes one")),
        }
    }

    /// The database's address.
    pub(crate) fn database(&self) -> Sourced<String> {
        if let Some(value) = &self.database_flag {
            return Sourced { value: value.clone(), from: "--database".into() };
        }
        match self.environment.databases.first() {
            Some((name, value)) => Sourced { value: value.clone(), from: (*name).into() },
            None => Sourced { value: DATABASE.into(), from: "the default".into() },
        }
    }

    /// How people sign in.
    pub(crate) const fn sign_in(&self) -> &SignIn {
        &self.environment.sign_in
    }

    /// Where a server listens.
    ///
    /// # Errors
    ///
    /// [`Failure`] where a variable holds no address.
    pub(crate) fn listen(&self, flag: Option<SocketAddr>) -> Result<SocketAddr, Failure> {
        if let Some(address) = flag {
            return Ok(address);
        }
        let wrong = |variable: &str, hint: &str| {
            Failure::usage(format!("{variable} holds no address to listen on")).hint(hint.to_owned())
        };
        match (&self.environment.listen, &self.environment.port) {
            (Some(text), _) => {
                text.parse().map_err(|_| wrong("METSUKE_LISTEN", "write it like 127.0.0.1:8080"))
            }
            // A platform that sets PORT sends its requests from outside.
            (None, Some(text)) => {
                let port = text.parse().map_err(|_| wrong("PORT", "write a number like 8080"))?;
                Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
            }
            (None, None) => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
        }
    }

    /// The way out for alerts.
    ///
    /// # Errors
    ///
    /// [`Failure`] where the variable that allows private addresses names what is none.
    pub(crate) fn outside(&self) -> Result<Outside, Failure> {
        let mut settings =
            OutsideSettings { allow_plain: self.environment.allow_plain, ..OutsideSettings::default() };
        let named = self.environment.allow_private.as_deref().unwrap_or_default();
        for net in named.split([',', ' ']).filter(|net| !net.is_empty()) {
            let net = net.parse().map_err(|why| Failure::usage(format!("METSUKE_ALLOW_PRIVATE: {why}")))?;
            settings.allow.push(net);
        }
        Ok(Outside::new(settings))
    }

    /// The address of the Heroku API.
    ///
    /// # Errors
    ///
    /// [`Failure`] where the variable holds no address.
    pub(crate) fn heroku_url(&self, flag: Option<&Url>) -> Result<Sourced<Url>, Failure> {
        let (text, from) = match (flag, &self.environment.heroku_url) {
            (Some(url), _) => return Ok(Sourced { value: url.clone(), from: "--heroku-url".into() }),
            (None, Some(text)) => (text.as_str(), "METSUKE_HEROKU_URL"),
            (None, None) => (HEROKU, "the default"),
        };
        // The text is not shown: an address may hold a password.
        let value = Url::parse(text).map_err(|error| {
            Failure::usage(format!("{from} holds no address of a Heroku API: {error}"))
                .hint("write it like https://api.heroku.com")
        })?;
        Ok(Sourced { value, from: from.into() })
    }

    /// The file with the audit trail's key; none for a database that is no file, where nobody named one.
    pub(crate) fn audit_key(&self, flag: Option<&Path>) -> Option<KeyFile> {
        match (flag, &self.environment.audit_key) {
            (Some(file), _) => Some(KeyFile::at(file)),
            (None, Some(file)) => Some(KeyFile::at(file)),
            (None, None) => sqlite_file(&self.database().value).map(|file| KeyFile::beside(&file)),
        }
    }

    /// The file of the sealing key: `METSUKE_KEY_FILE`, else beside an SQLite file, else in the folder for
    /// state.
    ///
    /// # Errors
    ///
    /// [`Failure`] where none of them is known.
    pub(crate) fn seal_file(&self) -> Result<SealFile, Failure> {
        if let Some(file) = &self.environment.seal_key {
            return Ok(SealFile::at(file));
        }
        if let Some(file) = sqlite_file(&self.database().value) {
            return Ok(SealFile::beside(&file));
        }
        let folder = self.environment.state_folder.as_ref();
        folder.map(|folder| SealFile::at(folder.join("metsuke.key"))).ok_or_else(|| {
            Failure::usage("there is no place for the sealing key")
                .hint("name its file in METSUKE_KEY_FILE; it is made when first needed")
        })
    }

    /// The token.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is none, or where what there is cannot be one.
    pub(crate) fn token(&self, file: Option<&Path>) -> Result<Sourced<SecretString>, Failure> {
        let token = match file {
            Some(file) => token_of(file)?,
            None => match self.environment.tokens.first() {
                Some((name, token)) => {
                    Sourced { value: token.expose_secret().trim().into(), from: (*name).into() }
                }
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
        let token = match (file, &self.environment.roster_token) {
            (Some(file), _) => token_of(file)?,
            (None, Some(token)) => {
                Sourced { value: token.expose_secret().trim().into(), from: ROSTER_TOKEN.into() }
            }
            (None, None) => {
                return Err(Failure::usage("there is no token for the roster's server")
                    .hint(format!("set {ROSTER_TOKEN}, or name a file with --token-file")));
            }
        };
        check(&token)?;
        Ok(token.value)
    }

    /// JupiterOne's API key.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is none, or where what there is cannot be one.
    pub(crate) fn jupiterone_key(&self, file: Option<&Path>) -> Result<SecretString, Failure> {
        let key = match (file, &self.environment.jupiterone_key) {
            (Some(file), _) => token_of(file)?,
            (None, Some(key)) => {
                Sourced { value: key.expose_secret().trim().into(), from: "JUPITERONE_API_KEY".into() }
            }
            (None, None) => {
                return Err(Failure::usage("there is no JupiterOne API key")
                    .hint("set JUPITERONE_API_KEY, or name a file with --api-key-file"));
            }
        };
        check(&key)?;
        Ok(key.value)
    }

    /// The id of the JupiterOne account.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is none.
    pub(crate) fn jupiterone_account(&self, flag: Option<&str>) -> Result<String, Failure> {
        let account = flag.map(ToOwned::to_owned).or_else(|| self.environment.jupiterone_account.clone());
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
        let text = self.environment.jupiterone_url.as_deref().unwrap_or(jupiterone::DEFAULT_URL);
        match flag {
            Some(url) => Ok(url.clone()),
            // The text is not shown: an address may hold a password.
            None => Url::parse(text)
                .map_err(|error| Failure::usage(format!("METSUKE_JUPITERONE_URL holds no address: {error}"))),
        }
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

/// A secret that a file holds, or stdin for `-`.
///
/// # Errors
///
/// [`Failure`] where there is none, or where what there is cannot be one.
pub(crate) fn secret_of(file: &Path) -> Result<SecretString, Failure> {
    let secret = token_of(file)?;
    check(&secret)?;
    Ok(secret.value)
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
            server: None,
            connector: None,
            log_level: crate::args::LogLevel::Warn,
            log_format: crate::args::LogFormat::Text,
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
