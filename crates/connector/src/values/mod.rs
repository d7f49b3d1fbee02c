//! What flags, environment and file come to together: one value for each setting that somebody set.
//!
//! What the values mean is said in [`settings`](crate::settings).
//!
//! Invariant: a flag beats a variable, a variable beats the file, an empty value counts as absent, and no message holds
//! a secret.

mod environment;
mod file;

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;

pub(crate) use environment::Environment;

use crate::failure::Failure;
use crate::fields::{self, Field, Kind, Meaning, Relation};

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Flag,
    Variable,
    File,
}

/// The value of a setting.
#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Secret(SecretString),
    Number(i64),
    Flag(bool),
    List(Vec<String>),
}

/// A value as it was written, not yet checked.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Raw {
    /// One word; lists are split at commas.
    One(String),
    /// Several words, split already.
    Many(Vec<String>),
}

// A word may be a secret.
impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One(_) => "One(..)",
            Self::Many(_) => "Many(..)",
        })
    }
}

/// The settings that somebody set.
#[derive(Debug, Default)]
pub(crate) struct Values {
    set: BTreeMap<&'static str, Value>,
    /// Names in the file that are no settings.
    strangers: Vec<String>,
}

impl Values {
    /// Puts the three sources together.
    ///
    /// # Errors
    ///
    /// [`Failure`] when the file cannot be read, or when a value is not of its setting's kind.
    pub(crate) fn gather(
        flags: &BTreeMap<&'static str, Raw>,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let file = file::read(environment.config_path.as_deref())?;
        let mut values = Self { set: BTreeMap::new(), strangers: strangers(&file) };
        for field in fields::all() {
            let raw = flags.get(field.name).map(|raw| (raw, Source::Flag));
            let raw =
                raw.or_else(|| environment.variables.get(field.name).map(|raw| (raw, Source::Variable)));
            let raw = raw.or_else(|| file.get(field.name).map(|raw| (raw, Source::File)));
            if let Some((raw, source)) = raw
                && let Some(value) = value(field, raw, source)?
            {
                values.set.insert(field.name, value);
            }
        }
        Ok(values)
    }

    /// Names in the file that no setting has.
    pub(crate) fn strangers(&self) -> &[String] {
        &self.strangers
    }

    /// Whether a setting was set to more than nothing: words, a number, yes.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        match self.set.get(name) {
            None | Some(Value::Flag(false)) => false,
            Some(_) => true,
        }
    }

    /// The words of a setting, else its default.
    pub(crate) fn text(&self, name: &str) -> &str {
        match (self.set.get(name), fields::named(name).map(|field| field.kind)) {
            (Some(Value::Text(text)), _) => text,
            (_, Some(Kind::Text { default, .. })) => default,
            _ => "",
        }
    }

    /// A secret; none where nobody set it.
    pub(crate) fn secret(&self, name: &str) -> Option<&SecretString> {
        match self.set.get(name) {
            Some(Value::Secret(secret)) => Some(secret),
            _ => None,
        }
    }

    /// The number of a setting, else its default.
    pub(crate) fn number(&self, name: &str) -> i64 {
        match (self.set.get(name), fields::named(name).map(|field| field.kind)) {
            (Some(Value::Number(number)), _) => *number,
            (_, Some(Kind::Number { default, .. })) => default,
            _ => 0,
        }
    }

    /// Whether a setting is yes.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.set.get(name), Some(Value::Flag(true)))
    }

    /// The words of a list.
    pub(crate) fn list(&self, name: &str) -> &[String] {
        match self.set.get(name) {
            Some(Value::List(list)) => list,
            _ => &[],
        }
    }

    /// The settings that were set and do nothing here, with the reason.
    pub(crate) fn idle(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        fields::all().filter(|field| self.is_set(field.name)).filter_map(|field| match field.meaning {
            Meaning::Idle(why) => Some((field.name, why)),
            Meaning::Used | Meaning::Refused(_) => None,
        })
    }

    /// Checks what is required, what belongs together, and what cannot be done.
    ///
    /// # Errors
    ///
    /// [`Failure`] with the first rule that is broken.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let missing: Vec<_> = fields::all()
            .filter(|field| field.required && !self.is_set(field.name))
            .map(|field| format!("{:?}", field.name))
            .collect();
        if !missing.is_empty() {
            let hint = "set it in the environment, such as BATON_API_TOKEN, in .baton.yaml, or by its flag";
            let told = format!("required flag(s) {} not set", missing.join(", "));
            return Err(Failure::usage(told).hint(hint));
        }
        fields::relations().iter().try_for_each(|relation| self.hold(relation))?;
        let refused =
            fields::all().filter(|field| self.is_set(field.name)).find_map(|field| match field.meaning {
                Meaning::Refused(why) => Some((field.name, why)),
                Meaning::Used | Meaning::Idle(_) => None,
            });
        match refused {
            Some((name, why)) => Err(Failure::unimplemented(format!("--{name} is not supported: {why}"))),
            None => Ok(()),
        }
    }

    fn hold(&self, relation: &Relation) -> Result<(), Failure> {
        let set = |names: &[&'static str]| -> Vec<&'static str> {
            names.iter().copied().filter(|name| self.is_set(name)).collect()
        };
        match relation {
            Relation::Together(names) => {
                let (given, count) = (set(names), names.len());
                if given.is_empty() || given.len() == count {
                    return Ok(());
                }
                let missing = names.iter().copied().filter(|name| !given.contains(name));
                let missing = flags(&missing.collect::<Vec<_>>());
                Err(Failure::usage(format!("{} needs {missing} beside", flags(&given))))
            }
            Relation::Exclusive(names) => match set(names).as_slice() {
                [] | [_] => Ok(()),
                given => Err(Failure::usage(format!("{} shut each other out", flags(given)))),
            },
            Relation::Needs(names, needed) => match set(names).as_slice() {
                [] => Ok(()),
                _ if self.is_set(needed) => Ok(()),
                given => Err(Failure::usage(format!("{} needs --{needed}", flags(given)))),
            },
        }
    }
}

fn flags(names: &[&str]) -> String {
    names.iter().map(|name| format!("--{name}")).collect::<Vec<_>>().join(" and ")
}

fn strangers(file: &BTreeMap<String, Raw>) -> Vec<String> {
    file.keys().filter(|name| fields::named(name).is_none()).cloned().collect()
}

/// Reads a value as its setting's kind; `None` where it is empty.
fn value(field: &Field, raw: &Raw, source: Source) -> Result<Option<Value>, Failure> {
    let wrong = |expected: String| {
        let place = match source {
            Source::Flag => format!("--{}", field.name),
            Source::Variable => field.variable(),
            Source::File => format!("`{}` of the configuration file", field.name),
        };
        Failure::usage(format!("{place} takes {expected}"))
    };
    let word = match (raw, field.kind) {
        (raw, Kind::List) => return Ok(list(raw)),
        (Raw::Many(_), _) => return Err(wrong("one value and no list".into())),
        (Raw::One(word), _) if word.is_empty() => return Ok(None),
        (Raw::One(word), _) => word,
    };
    match field.kind {
        Kind::List => Ok(list(raw)),
        Kind::Flag => match truth(word) {
            Some(flag) => Ok(Some(Value::Flag(flag))),
            None => Err(wrong("`true` or `false`".into())),
        },
        Kind::Number { least, most, .. } => {
            let number = word.trim().parse::<i64>().ok().filter(|number| (least..=most).contains(number));
            number.map(|number| Some(Value::Number(number))).ok_or_else(|| wrong(bounds(least, most)))
        }
        Kind::Text { choices, .. } if !choices.is_empty() && !choices.contains(&word.as_str()) => {
            let named: Vec<_> = choices.iter().filter(|choice| !choice.is_empty()).copied().collect();
            Err(wrong(format!("one of {}", named.join(", "))))
        }
        Kind::Text { .. } if field.secret => {
            let word = word.trim();
            if !word.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(wrong(
                    "a secret alone, without quotes, a name in front, or a second line".into(),
                ));
            }
            Ok(Some(Value::Secret(word.into())))
        }
        Kind::Text { .. } => Ok(Some(Value::Text(word.clone()))),
    }
}

fn bounds(least: i64, most: i64) -> String {
    match most {
        i64::MAX => format!("a whole number from {least} on"),
        _ => format!("a whole number from {least} to {most}"),
    }
}

fn list(raw: &Raw) -> Option<Value> {
    let words: Vec<String> = match raw {
        Raw::One(word) => word.split(',').map(|word| word.trim().to_owned()).collect(),
        Raw::Many(words) => words.clone(),
    };
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then_some(Value::List(words))
}

/// The words that the ecosystem's connectors take for yes and no.
fn truth(word: &str) -> Option<bool> {
    match word.trim() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
