//! Tokens and keys: from a setting, from a file, or from stdin.
//!
//! Invariant: what no server would take is refused before it gets into a header, and is not shown.

use std::io::Read as _;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Config, Sourced};
use crate::failure::Failure;

/// The most that is read of a token file: far more than any token has.
const TOKEN_BYTES: u64 = 64 * 1024;

impl Config {
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

    /// Whether somebody gave a Heroku token; one that cannot be read was given, too.
    pub(crate) fn has_token(&self, file: Option<&Path>) -> bool {
        file.is_some() || !matches!(self.secret("heroku.token"), Ok(None))
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

    /// The token for the server that is asked instead of a database.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is none, or where what there is cannot be one.
    pub(crate) fn server_token(&self) -> Result<SecretString, Failure> {
        let token = self.secret("client.token")?.ok_or_else(|| {
            Failure::usage("there is no token for the server")
                .hint("set METSUKE_TOKEN, or METSUKE_TOKEN_FILE; `metsuke token create` makes one")
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

    /// A secret without the spaces around it.
    fn secret(&self, name: &str) -> Result<Option<Sourced<SecretString>>, Failure> {
        let found = self.environment.values.secret(name)?;
        Ok(found.map(|found| Sourced { value: found.value.expose_secret().trim().into(), ..found }))
    }
}

/// A secret that somebody typed, for the body of the one request that sets it.
pub(crate) fn spelled(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
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

/// The text of a file that may be a secret, line ends included.
///
/// # Errors
///
/// [`Failure`] where the file cannot be read.
pub(crate) fn text_of(what: &str, file: &Path) -> Result<SecretString, Failure> {
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
pub(super) fn check(token: &Sourced<SecretString>) -> Result<(), Failure> {
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
