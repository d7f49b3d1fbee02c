//! The top level of the command line, and the flags that several commands share.
//!
//! A command's own flags stand with the command; what flags and environment come to together is
//! [`config`](crate::config)'s to say.
//!
//! Invariant: no flag takes a token, because every user of a machine can read the arguments of a program.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help texts, in which names of variables stand as they are"
)]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};
use url::Url;

use crate::commands::Command;

/// Access governance for Heroku: who can do what, and why
///
/// Metsuke reads teams, people, apps, Enterprise accounts and add-ons of a Heroku account, keeps every state it
/// has seen in a database, and answers who can do what on which app, and by what path they came by it.
#[derive(Debug, Parser)]
#[command(
    name = "metsuke",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "First steps:
  metsuke demo                         see it all on a made-up company, without a token
  export METSUKE_HEROKU_TOKEN=…        or BATON_API_TOKEN, or HEROKU_API_KEY
  metsuke doctor                       check the token, its scope and the way to Heroku
  metsuke sync                         read the estate
  metsuke access app NAME              who can do what on the app, and why

Exit codes: 0 ok, 1 failure, 2 wrong usage, 3 a rule fired (with --exit-code), 4 the sync is partial
or quarantined (and says why), 5 a rule refused the change, 6 Heroku refused it."
)]
pub(crate) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// How data is printed on stdout
    ///
    /// `table` is for people; `json` is one document, `jsonl` one object a line, `csv` one record a line with a
    /// heading; `tree` is for answers of `metsuke query`, `graphml` and `dot` are for `metsuke export graph`. The commands demo, simulate and completions always print for
    /// people.
    #[arg(
        long, global = true, value_enum, value_name = "table|json|jsonl|csv", hide_possible_values = true,
        default_value_t = FormatArg::Table
    )]
    pub(crate) format: FormatArg,
    /// The database: `sqlite:FILE` or `postgres://USER@HOST/DATABASE`
    ///
    /// Else METSUKE_DATABASE_URL, else DATABASE_URL, else `sqlite:metsuke.db` in the current folder. An address
    /// that holds a password belongs in the environment, where other users of the machine cannot read it.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// The server to ask instead of a database: the address of a `metsuke serve`
    ///
    /// Else METSUKE_SERVER, unless --database is given. Its token is METSUKE_TOKEN, or stands in the file METSUKE_TOKEN_FILE.
    #[arg(long, global = true, value_name = "URL", conflicts_with = "database")]
    pub(crate) server: Option<Url>,
    /// The connector whose estate is meant, by name or id
    ///
    /// Without it: the estate that `metsuke sync` keeps in the database itself, else that of the only connector.
    #[arg(long, global = true, value_name = "NAME|ID")]
    pub(crate) connector: Option<String>,
    /// The configuration file; else METSUKE_CONFIG, else metsuke.toml in the current folder where it is
    ///
    /// A flag beats a variable of the environment, and that beats the file. `metsuke config example` prints one, and
    /// `metsuke config check` tells every setting and where it came from.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The least important log lines to write on stderr: off, error, warn, info, debug or trace; warn by default
    #[arg(long, global = true, value_enum, value_name = "LEVEL", hide_possible_values = true)]
    pub(crate) log_level: Option<LogLevel>,
    /// How log lines are written; as text by default
    #[arg(long, global = true, value_enum, value_name = "text|json", hide_possible_values = true)]
    pub(crate) log_format: Option<LogFormat>,
    /// No progress and no notes on stderr; errors are still told
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// How data is printed, as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated, with a heading.
    Csv,
    /// For people, what hangs from what: only of `query`.
    Tree,
    /// A graph for other programs: only of `export graph`.
    Graphml,
    /// A graph for Graphviz: only of `export graph`.
    Dot,
}

impl FormatArg {
    /// The format; those of single commands count as for people everywhere else.
    pub(crate) const fn format(self) -> Format {
        match self {
            Self::Table | Self::Tree | Self::Graphml | Self::Dot => Format::Table,
            Self::Json => Format::Json,
            Self::Jsonl => Format::Jsonl,
            Self::Csv => Format::Csv,
        }
    }
}

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated, with a heading.
    Csv,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What is odd.
    Warn,
    /// What happens.
    Info,
    /// What happens in detail.
    Debug,
    /// Everything.
    Trace,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How to reach Heroku.
#[derive(Debug, Args)]
#[command(next_help_heading = "Heroku options")]
pub(crate) struct HerokuArgs {
    /// The address of the Heroku API
    ///
    /// Else METSUKE_HEROKU_URL, else the real service at api.heroku.com. Plain http is accepted for this machine only.
    #[arg(long, value_name = "URL")]
    pub(crate) heroku_url: Option<Url>,
    /// A file with the API token; `-` reads it from stdin
    ///
    /// Without it the token is METSUKE_HEROKU_TOKEN, else BATON_API_TOKEN, else HEROKU_API_KEY. There is no flag
    /// for the token itself, because arguments can be read by every user of the machine.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// How hard to lean on Heroku.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// The most requests in flight at one moment, 1 to 32
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) max_in_flight: u8,
    /// The part of the account's pool of requests that is left for others, in percent, 0 to 99
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=99))]
    pub(crate) reserve: u8,
    /// The longest time for one request, from sending it to the last byte of its answer
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub(crate) request_timeout: Duration,
    /// The longest time for connecting, and of silence within an answer
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    pub(crate) idle_timeout: Duration,
    /// How often one request is sent before its error is final, 1 to 20
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=20))]
    pub(crate) attempts: u8,
}

/// Reads `50ms`, `2s`, `1m` or `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let length = number.parse::<u64>().ok().and_then(|number| match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" | "min" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    });
    length.ok_or_else(|| "write a number with a unit, such as 50ms, 15s or 2m".into())
}

/// Reads a number of bytes: `500MB`, `64MiB` or `10GiB`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "B" => 1,
        "kB" | "KB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" => 1 << 30,
        _ => 0,
    };
    let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    size.filter(|size| *size > 0).ok_or_else(|| "write a number with a unit, such as 500MB or 20GiB".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_contradict_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_duration_needs_its_unit() {
        assert_eq!(duration("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        for text in ["50", "s", "-1s", "1.5s", "1d", "99999999999999999999s", ""] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_needs_its_unit() {
        assert_eq!(size("500MB"), Ok(500_000_000));
        assert_eq!(size("10GiB"), Ok(10 << 30));
        for text in ["10", "GiB", "0MB", "-1MB", "1.5GiB", "1TB", "99999999999999999999GiB", ""] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
