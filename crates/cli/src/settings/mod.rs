//! Every setting that does not stand on the command line: what it is called, where it came from, what it is.
//!
//! What a value means is for [`config`](crate::config) to say; here it is text.
//!
//! Invariant: the table is the only list of settings. The environment and the file are read by it, and the example is
//! written from it. No message shows a secret.

mod example;
mod file;
mod nearest;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Sourced;
use crate::failure::Failure;
pub(crate) use example::example;
pub(crate) use table::{Kind, SETTINGS, Setting};

/// The file that is looked for where none is named.
const FILE: &str = "metsuke.toml";
/// The variable that names another.
const VARIABLE: &str = "METSUKE_CONFIG";
/// Behind a variable's name or a secret's name in the file: the value is in the file that is named.
const BY_FILE: &str = "_FILE";

/// A value as it was found.
#[derive(Clone, Debug)]
struct Found {
    from: String,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Text(SecretString),
    /// To be read when it is wanted.
    File(PathBuf),
}

/// All that was set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    found: BTreeMap<&'static str, Found>,
    file: Option<PathBuf>,
}

impl Values {
    /// Reads the environment and the file: the one of `--config`, else of `METSUKE_CONFIG`, else `metsuke.toml` where it is.
    ///
    /// # Errors
    ///
    /// [`Failure`] with every mistake in the file, and for a variable that is set twice.
    pub(crate) fn read(flag: Option<&Path>) -> Result<Self, Failure> {
        let named = flag.map(Path::to_path_buf).or_else(|| variable(VARIABLE).map(Into::into));
        let (file, mut values) = match named {
            Some(path) => (Some(path.clone()), file::read(&path)?),
            None if Path::new(FILE).is_file() => (Some(FILE.into()), file::read_found(Path::new(FILE))?),
            None => (None, BTreeMap::new()),
        };
        Ok(Self { found: gather(variable, &mut values)?, file })
    }

    /// What these variables set.
    #[cfg(test)]
    pub(crate) fn of_variables(pairs: &[(&str, &str)]) -> Result<Self, Failure> {
        let variable =
            |name: &str| pairs.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
        Ok(Self { found: gather(variable, &mut BTreeMap::new())?, file: None })
    }

    /// The file that was read.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Where a setting came from; none where it is not set.
    pub(crate) fn from(&self, name: &str) -> Option<&str> {
        self.found.get(name).map(|found| found.from.as_str())
    }

    /// A setting that is no secret. One that lies in a file of its own is read now.
    ///
    /// # Errors
    ///
    /// [`Failure`] where its file cannot be read.
    pub(crate) fn text(&self, name: &str) -> Result<Option<Sourced<String>>, Failure> {
        let found = self.secret(name)?;
        Ok(found.map(|found| Sourced { value: found.value.expose_secret().to_owned(), from: found.from }))
    }

    /// A setting that may be a secret.
    ///
    /// # Errors
    ///
    /// [`Failure`] where its file cannot be read.
    pub(crate) fn secret(&self, name: &str) -> Result<Option<Sourced<SecretString>>, Failure> {
        let Some(Found { from, value }) = self.found.get(name) else { return Ok(None) };
        let value = match value {
            Value::Text(text) => text.clone(),
            Value::File(file) => {
                let text = crate::config::text_of(name, file)?;
                text.expose_secret().trim().into()
            }
        };
        Ok(Some(Sourced { value, from: from.clone() }))
    }
}

/// Every setting that a variable sets, else the file.
fn gather(
    variable: impl Fn(&str) -> Option<String>,
    values: &mut BTreeMap<&'static str, Found>,
) -> Result<BTreeMap<&'static str, Found>, Failure> {
    let mut found = BTreeMap::new();
    for setting in SETTINGS {
        let value = match of_environment(setting, &variable)? {
            Some(value) => Some(value),
            None => values.remove(setting.name),
        };
        if let Some(mut value) = value {
            // An address that cannot be read must not become the default one unnoticed.
            if let (Value::File(file), true) = (&value.value, setting.kind == Kind::Address) {
                let text = crate::config::text_of(setting.name, file)?;
                value.value = Value::Text(text.expose_secret().trim().into());
            }
            found.insert(setting.name, value);
        }
    }
    Ok(found)
}

/// What the environment says of a setting: the first of its variables that is not empty, itself or by a file.
fn of_environment(
    setting: &Setting,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Found>, Failure> {
    for name in setting.variables {
        let by_file = format!("{name}{BY_FILE}");
        let file = if setting.kind.may_be_secret() { variable(&by_file) } else { None };
        return Ok(Some(match (variable(name), file) {
            (Some(_), Some(_)) => {
                return Err(
                    Failure::usage(format!("{name} and {by_file} are both set")).hint("unset one of them")
                );
            }
            (Some(text), None) => {
                let text = match (setting.kind, text.as_str()) {
                    (Kind::Switch, "1") => "true".to_owned(),
                    (Kind::Switch, "0") => "false".to_owned(),
                    _ => text,
                };
                Found { from: (*name).to_owned(), value: Value::Text(text.into()) }
            }
            (None, Some(file)) => {
                Found { from: format!("file `{file}` ({by_file})"), value: Value::File(file.into()) }
            }
            (None, None) => continue,
        }));
    }
    Ok(None)
}

/// A variable that is not empty.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
