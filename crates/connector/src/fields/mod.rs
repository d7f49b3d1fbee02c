//! The settings of a connector, one line each: the one table that flags, variables, the file and `config` are made of.
//!
//! What a setting does stands where it is used; here is what it is called, what it takes and who may set it.
//!
//! Invariant: a name stands here once, and its variable follows from it.

mod rules;
mod table;

pub(crate) use rules::{Relation, relations};
pub(crate) use table::SECTIONS;

/// What a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Words; where `choices` names any, one of them.
    Text { default: &'static str, choices: &'static [&'static str] },
    /// A whole number within bounds.
    Number { default: i64, least: i64, most: i64 },
    /// Yes or no.
    Flag,
    /// Several words.
    List,
}

/// Who sees a setting in the output of `config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Nobody: it matters where the program runs.
    Local,
    /// Those who run it.
    Operations,
    /// Those who set the connector up, under this name.
    Connector(&'static str),
}

/// What a setting does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// What its help says.
    Used,
    /// Nothing, and nothing is lost by it: the reason.
    Idle(&'static str),
    /// It cannot be done, so it is refused: the reason.
    Refused(&'static str),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// Its flag, without the dashes.
    pub(crate) name: &'static str,
    /// Its short flag.
    pub(crate) short: Option<char>,
    /// What it holds.
    pub(crate) kind: Kind,
    /// What it is for.
    pub(crate) help: &'static str,
    /// Whether the help leaves it out.
    pub(crate) hidden: bool,
    /// Whether it is never shown or logged.
    pub(crate) secret: bool,
    /// Whether nothing that speaks to Heroku works without it.
    pub(crate) required: bool,
    /// Who sees it in `config`.
    pub(crate) part: Part,
    /// What it does here.
    pub(crate) meaning: Meaning,
}

impl Field {
    /// A setting that holds words.
    const fn text(name: &'static str) -> Self {
        Self::of(name, Kind::Text { default: "", choices: &[] })
    }

    /// A setting that holds one of these words.
    const fn choice(name: &'static str, default: &'static str, choices: &'static [&'static str]) -> Self {
        Self::of(name, Kind::Text { default, choices })
    }

    /// A setting that holds a number.
    const fn number(name: &'static str, default: i64, least: i64, most: i64) -> Self {
        Self::of(name, Kind::Number { default, least, most })
    }

    /// A setting that is yes or no.
    const fn flag(name: &'static str) -> Self {
        Self::of(name, Kind::Flag)
    }

    /// A setting that holds several words.
    const fn list(name: &'static str) -> Self {
        Self::of(name, Kind::List)
    }

    const fn of(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            short: None,
            kind,
            help: "",
            hidden: false,
            secret: false,
            required: false,
            part: Part::Local,
            meaning: Meaning::Used,
        }
    }

    const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }

    const fn default(self, default: &'static str) -> Self {
        Self { kind: Kind::Text { default, choices: &[] }, ..self }
    }

    const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }

    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn operations(self) -> Self {
        Self { part: Part::Operations, ..self }
    }

    const fn connector(self, display: &'static str) -> Self {
        Self { part: Part::Connector(display), ..self }
    }

    const fn idle(self, why: &'static str) -> Self {
        Self { meaning: Meaning::Idle(why), ..self }
    }

    const fn refused(self, why: &'static str) -> Self {
        Self { hidden: true, meaning: Meaning::Refused(why), ..self }
    }

    /// Its environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("BATON_{}", self.name.to_uppercase().replace('-', "_"))
    }
}

/// Every setting, in the order of the help.
pub(crate) fn all() -> impl Iterator<Item = &'static Field> {
    SECTIONS.iter().flat_map(|section| section.fields)
}

/// The setting of this name.
pub(crate) fn named(name: &str) -> Option<&'static Field> {
    all().find(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once_and_has_a_help() {
        let mut names: Vec<_> = all().map(|field| field.name).collect();
        let shorts: Vec<_> = all().filter_map(|field| field.short).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(shorts, ['f', 'p']);
        assert!(all().all(|field| !field.help.is_empty() || matches!(field.meaning, Meaning::Refused(_))));
    }

    #[test]
    fn a_variable_follows_from_the_name() {
        let field = named("health-check-port").unwrap();
        assert_eq!(field.variable(), "BATON_HEALTH_CHECK_PORT");
    }

    #[test]
    fn nothing_secret_has_a_default() {
        let secret = all().filter(|field| field.secret);
        assert!(secret.into_iter().all(|field| field.kind == Kind::Text { default: "", choices: &[] }));
    }
}
