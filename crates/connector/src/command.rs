//! The command line, made of the table of settings: flags, subcommands, help, and what is said of a wrong call.
//!
//! Values are not looked at here; [`values`](crate::values) reads them as their settings' kinds.
//!
//! Invariant: no message repeats an argument that could be a secret.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::fields::{self, Field, Kind, SECTIONS};
use crate::values::Raw;

/// The program's name, in the ecosystem's manner.
pub(crate) const NAME: &str = "baton-heroku";

const AFTER_HELP: &str = "\
Every flag can be set in the environment as BATON_ and its name, such as BATON_API_TOKEN, or in
.baton.yaml in the working directory or the file that BATON_CONFIG_PATH names. A flag beats the
environment, which beats the file.

Without --client-id it reads Heroku once into --file. With --client-id and --client-secret it
serves ConductorOne until it is stopped.

Exit codes are gRPC's: 0 ok, 1 canceled, 2 unknown or wrong usage, 3 invalid argument,
5 not found, 7 permission denied, 9 failed precondition, 12 unimplemented, 13 internal,
14 unavailable, 16 unauthenticated.

Examples:
  BATON_API_TOKEN=… baton-heroku
  BATON_API_TOKEN=… baton-heroku --file one.c1z --sync-resources bid:r:team/TEAM-ID
  BATON_API_TOKEN=… BATON_CLIENT_ID=… BATON_CLIENT_SECRET=… baton-heroku --provisioning";

/// What the program was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// What the settings say.
    Run,
    /// Serve a parent process.
    ConnectorService,
    /// Print the capabilities.
    Capabilities,
    /// Print the settings.
    Config,
    /// Ask a running connector how it is.
    HealthCheck { endpoint: String, timeout: String },
    /// Print a completion script.
    Completion(Shell),
}

/// A command line that was understood.
#[derive(Debug)]
pub(crate) struct Asked {
    /// What to do.
    pub(crate) verb: Verb,
    /// The flags that were given.
    pub(crate) flags: BTreeMap<&'static str, Raw>,
}

/// What came of reading a command line.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// Something to do.
    Asked(Asked),
    /// Something to print, as a help is.
    Told(String),
}

/// Reads a command line.
///
/// # Errors
///
/// [`Failure`] when it cannot be understood.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Parsed, Failure> {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(said) if matches!(said.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Parsed::Told(said.render().to_string()));
        }
        Err(said) => return Err(misunderstood(&said)),
    };
    let (name, inner) = matches.subcommand().map_or(("", &matches), |(name, inner)| (name, inner));
    let word = |id: &str| inner.get_one::<String>(id).cloned().unwrap_or_default();
    let verb = match name {
        "_connector-service" => Verb::ConnectorService,
        "capabilities" => Verb::Capabilities,
        "config" => Verb::Config,
        "health-check" => Verb::HealthCheck { endpoint: word("endpoint"), timeout: word("timeout") },
        "completion" => Verb::Completion(shell(&word("shell"))?),
        _ => Verb::Run,
    };
    Ok(Parsed::Asked(Asked { verb, flags: given(inner) }))
}

/// The script that teaches a shell the command line.
pub(crate) fn completion(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), NAME, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn command() -> Command {
    let version =
        Arg::new("version").short('v').long("version").action(ArgAction::Version).help("Print the version");
    let command = Command::new(NAME)
        .about("Connects Heroku to Baton and ConductorOne: who has access to which teams and apps")
        .version(concat!("version v", env!("CARGO_PKG_VERSION")))
        .disable_version_flag(true)
        .arg(version)
        .args_override_self(true)
        .max_term_width(100)
        .after_help(AFTER_HELP)
        .subcommand(Command::new("_connector-service").hide(true).about("Serve a parent process"))
        .subcommand(Command::new("capabilities").about("Print what this connector can do, as JSON"))
        .subcommand(Command::new("config").about("Print the settings of this connector, as JSON"))
        .subcommand(health_check())
        .subcommand(completions());
    SECTIONS.iter().fold(command, |command, section| {
        section.fields.iter().fold(command, |command, field| command.arg(arg(field, section.heading)))
    })
}

fn health_check() -> Command {
    Command::new("health-check")
        .about("Ask a running connector how it is: exit code 0 where it is well")
        .arg(Arg::new("endpoint").long("endpoint").default_value("health").help("health, ready or live"))
        .arg(Arg::new("timeout").long("timeout").default_value("5").help("How long to wait, in seconds"))
        .after_help(
            "The address is --health-check-bind-address and --health-check-port, as the running\nconnector has \
             them.\n\nExamples:\n  baton-heroku health-check\n  baton-heroku health-check --endpoint ready",
        )
}

fn completions() -> Command {
    Command::new("completion")
        .about("Print a completion script for a shell")
        .arg(Arg::new("shell").required(true).value_name("bash|zsh|fish|powershell").help("The shell"))
        .after_help("Examples:\n  baton-heroku completion bash > ~/.local/share/bash-completion/completions/baton-heroku")
}

fn shell(word: &str) -> Result<Shell, Failure> {
    match word {
        "bash" => Ok(Shell::Bash),
        "zsh" => Ok(Shell::Zsh),
        "fish" => Ok(Shell::Fish),
        "powershell" => Ok(Shell::PowerShell),
        _ => Err(Failure::usage("completion takes one of bash, zsh, fish, powershell")),
    }
}

fn arg(field: &'static Field, heading: &'static str) -> Arg {
    let arg =
        Arg::new(field.name).long(field.name).hide(field.hidden).help(help(field)).help_heading(heading);
    let arg = if let Some(letter) = field.short { arg.short(letter) } else { arg };
    let arg = match field.kind {
        Kind::Flag if field.name == "event-feed" => {
            // In the ecosystem this one is a word, so that its value may follow after a space.
            arg.num_args(0..=1).default_missing_value("true").value_name("BOOL")
        }
        Kind::Flag => {
            arg.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("BOOL")
        }
        Kind::Number { .. } => arg.value_name("N").allow_negative_numbers(true),
        Kind::Text { .. } => arg.value_name("TEXT").allow_hyphen_values(true),
        Kind::List => arg.value_name("LIST").action(ArgAction::Append),
    };
    let arg = if field.kind == Kind::List { arg } else { arg.action(ArgAction::Set) };
    arg.global(true)
}

fn help(field: &Field) -> String {
    let default = match field.kind {
        Kind::Text { default: "", .. } | Kind::Flag | Kind::List => String::new(),
        Kind::Text { default, .. } => format!(" [default: {default}]"),
        Kind::Number { default, .. } => format!(" [default: {default}]"),
    };
    format!("{}{default}", field.help)
}

/// The flags that were given, by the names of their settings.
fn given(matches: &ArgMatches) -> BTreeMap<&'static str, Raw> {
    fields::all()
        .filter(|field| matches.value_source(field.name) == Some(ValueSource::CommandLine))
        .filter_map(|field| {
            let mut words = matches.get_many::<String>(field.name)?.cloned();
            let raw = match field.kind {
                Kind::List => Raw::One(words.collect::<Vec<_>>().join(",")),
                _ => Raw::One(words.next_back()?),
            };
            Some((field.name, raw))
        })
        .collect()
}

/// What is wrong with a command line, in words that repeat names of flags and commands alone.
fn misunderstood(said: &clap::Error) -> Failure {
    let named = |kind| match said.get(kind) {
        Some(ContextValue::String(text)) => Some(harmless(text)),
        _ => None,
    };
    let flag = named(ContextKind::InvalidArg);
    let message = match (said.kind(), flag) {
        (ErrorKind::InvalidSubcommand, _) => {
            let command = named(ContextKind::InvalidSubcommand).flatten();
            command.map_or_else(
                || "an argument is no command".into(),
                |name| format!("unknown command `{name}`"),
            )
        }
        (ErrorKind::UnknownArgument, Some(Some(name))) if name.starts_with('-') => {
            format!("unknown flag: {name}")
        }
        (ErrorKind::UnknownArgument, Some(Some(name))) => format!("unknown command `{name}`"),
        (ErrorKind::UnknownArgument, _) => "an argument is neither flag nor command".into(),
        (ErrorKind::MissingRequiredArgument, _) => {
            "completion takes one of bash, zsh, fish, powershell".into()
        }
        (ErrorKind::InvalidUtf8, _) => "an argument is no text".into(),
        (_, Some(Some(name))) => format!("flag needs a value, and one alone: {name}"),
        _ => "the arguments cannot be understood".into(),
    };
    Failure::usage(message).hint(format!("`{NAME} --help` tells the flags and commands"))
}

/// The name of a flag or of what could be a command; `None` for everything else, which may be a secret.
fn harmless(text: &str) -> Option<String> {
    let name = text.split(['=', ' ']).next()?;
    let plain = name.len() <= 48
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_' | b'1'));
    plain.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: &[&str]) -> Asked {
        let all = std::iter::once(NAME).chain(arguments.iter().copied()).map(OsString::from);
        match parse(all) {
            Ok(Parsed::Asked(asked)) => asked,
            other => panic!("{other:?}"),
        }
    }

    fn refused(arguments: &[&str]) -> String {
        let all = std::iter::once(NAME).chain(arguments.iter().copied()).map(OsString::from);
        match parse(all) {
            Err(failure) => failure.to_string(),
            other => panic!("{other:?}"),
        }
    }

    fn word(asked: &Asked, name: &str) -> Option<Raw> {
        asked.flags.get(name).cloned()
    }

    #[test]
    fn the_flags_contradict_nowhere() {
        command().debug_assert();
    }

    #[test]
    fn flags_may_stand_on_both_sides_of_a_command() {
        let asked = asked(&["--file", "x.c1z", "_connector-service", "--provisioning"]);
        assert_eq!(asked.verb, Verb::ConnectorService);
        assert_eq!(word(&asked, "file"), Some(Raw::One("x.c1z".into())));
        assert_eq!(word(&asked, "provisioning"), Some(Raw::One("true".into())));
    }

    #[test]
    fn the_last_of_a_word_counts_and_lists_grow() {
        let asked = asked(&[
            "-f",
            "a",
            "--file=b",
            "-p=false",
            "--log-path",
            "x,y",
            "--log-path=z",
            "--workers",
            "-1",
        ]);
        assert_eq!(word(&asked, "file"), Some(Raw::One("b".into())));
        assert_eq!(word(&asked, "provisioning"), Some(Raw::One("false".into())));
        assert_eq!(word(&asked, "log-path"), Some(Raw::One("x,y,z".into())));
        assert_eq!(word(&asked, "workers"), Some(Raw::One("-1".into())));
    }

    #[test]
    fn the_event_feed_is_a_word_or_a_flag() {
        for arguments in
            [&["--event-feed"][..], &["--event-feed", "true"], &["--event-feed=true", "--event-feed-id=x"]]
        {
            assert_eq!(word(&asked(arguments), "event-feed"), Some(Raw::One("true".into())));
        }
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_repeated() {
        for (arguments, told) in [
            (&["--api-token=", "HRKU-secret"][..], "an argument is no command"),
            (&["HRKU-secret"], "an argument is no command"),
            (&["capabilities", "HRKU-secret"], "an argument is neither flag nor command"),
            (&["--token=HRKU-secret"], "unknown flag: --token"),
            (&["frobnicate"], "unknown command `frobnicate`"),
            (&["--file"], "flag needs a value, and one alone: --file"),
            (&["completion", "HRKU-secret"], "completion takes one of bash, zsh, fish, powershell"),
        ] {
            assert_eq!(refused(arguments), told, "{arguments:?}");
        }
    }
}
