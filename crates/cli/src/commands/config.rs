//! `metsuke config`: which settings hold and where they came from, and a file to begin with.
//!
//! Invariant: no secret is printed, nor the password of an address.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are help texts, in which variables stand as they are"
)]

use clap::Subcommand;
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::rows::{self, Cell, Column};
use crate::settings::{Kind, SETTINGS, Setting, example};

/// Check the settings, or print an example of their file
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Config,
}

#[derive(Debug, Subcommand)]
enum Config {
    /// Tell every setting, its value and where it came from
    ///
    /// The file is that of --config, else of METSUKE_CONFIG, else metsuke.toml in the current folder. A flag beats a
    /// variable of the environment, and that beats the file. Secrets are never printed. Exits with 2 where the file or a
    /// setting cannot be used, and tells the file, the line and what to do.
    Check,
    /// Print a configuration file with every setting, commented out
    #[command(after_help = "Example:
  metsuke config example > metsuke.toml")]
    Example,
}

#[derive(Debug, Serialize)]
struct Line {
    setting: &'static str,
    value: Option<String>,
    from: String,
}

impl Args {
    /// Prints what is asked for.
    ///
    /// # Errors
    ///
    /// [`Failure`] for a setting that cannot be used, and what writing to stdout met.
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.command {
            Config::Example => context.output.print(&example())?,
            Config::Check => {
                let lines: Result<Vec<Line>, Failure> =
                    SETTINGS.iter().map(|setting| line(context, setting)).collect();
                let lines = lines?;
                context.config.check()?;
                rows::write(context.output, COLUMNS, &lines)?;
                context.note(&match context.config.settings().file() {
                    Some(file) => format!("note: read `{}`", file.display()),
                    None => {
                        "note: there is no configuration file; `metsuke config example` prints one".into()
                    }
                });
            }
        }
        Ok(Exit::Done)
    }
}

fn line(context: &Context, setting: &Setting) -> Result<Line, Failure> {
    let values = context.config.settings();
    let flag = match setting.name {
        "database.url" => context.config.database_flag.as_deref(),
        _ => None,
    };
    let (value, from) = match (flag, values.from(setting.name)) {
        (Some(value), _) => (Some(value.to_owned()), setting.flag.unwrap_or_default().to_owned()),
        (None, Some(from)) => {
            // Also that it can be read is checked.
            (values.text(setting.name)?.map(|found| found.value), from.to_owned())
        }
        (None, None) => (setting.default.map(ToOwned::to_owned), "the default".to_owned()),
    };
    let from = if value.is_none() { "not set".to_owned() } else { from };
    let value = match setting.kind {
        Kind::Secret => value.map(|_| "(set)".to_owned()),
        Kind::Address => value.map(|address| metsuke_store::Store::shown(&address)),
        _ => value,
    };
    Ok(Line { setting: setting.name, value, from })
}

const COLUMNS: &[Column<Line>] = &[
    Column::new("setting", "SETTING", |line| Cell::text(Some(line.setting))),
    Column::new("value", "VALUE", |line| Cell::text(line.value.as_deref())),
    Column::new("from", "FROM", |line| Cell::text(Some(&line.from))),
];
