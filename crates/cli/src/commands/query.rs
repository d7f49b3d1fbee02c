//! `metsuke query`: a question in J1QL, and its answer.
//!
//! The engine answers; here the answer gets its shape.

mod check;
mod show;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use metsuke_engine::EngineError;
use metsuke_engine::query::{self, Settings, Variable};
use metsuke_engine::questions::Unsettled;
use metsuke_model::graph::Value;
use metsuke_model::{AsOf, Clock as _, SystemClock};
use serde_json::{Value as Json, json};

use crate::args::{Format, FormatArg, duration};
use crate::commands::questions;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::complain;
use crate::remote::{Remote, as_of, picture};

/// The most rows that a server gives.
const MOST_ROWS: usize = 100_000;

/// Ask a question in J1QL
///
/// Teams, people, apps, add-ons and the rest are entities, what connects them are relationships; `metsuke questions`
/// has questions to begin with, and docs/j1ql.md tells the language. Names that nothing has match nothing, with a
/// note on stderr that suggests what was meant.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke query \"FIND heroku_account_member WITH mfaEnabled = false\"
  metsuke query \"FIND User AS u THAT ACCESSES AS a heroku_application WITH name = 'shop' AS app
                 RETURN u.email, a.permissions, a.via\"
  metsuke query \"FIND heroku_team THAT HAS User RETURN TREE\" --format tree
  metsuke query --as-of 2026-11-01 \"FIND heroku_application RETURN count(heroku_application)\"
  metsuke query --question leavers-with-access
  metsuke query --explain \"FIND User THAT OWNS heroku_application\"")]
pub(crate) struct Args {
    /// The question; `-` reads it from stdin
    #[arg(value_name = "J1QL", required_unless_present_any = ["check", "question"])]
    text: Option<String>,
    /// Ask the ready question of this id instead: `metsuke questions` lists them
    #[arg(long, value_name = "ID", conflicts_with = "text")]
    question: Option<String>,
    /// The version to ask: a number, a date or a time; by default the newest. AS OF in the question goes before it
    #[arg(long, value_name = "VERSION|TIME")]
    as_of: Option<AsOf>,
    /// Print the SQL statement and the database's steps instead of an answer
    #[arg(long)]
    explain: bool,
    /// Only read questions, one `{"query": …}` a line, and tell which are no J1QL; `-` reads stdin
    #[arg(long, value_name = "FILE.jsonl", conflicts_with_all = ["text", "explain", "question"])]
    check: Option<PathBuf>,
    /// A value for ${NAME}: a number, true, false, a text, or a JSON list of them; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, Variable)>,
    /// The account name that entities are tagged with (tag.AccountName, _integrationName)
    #[arg(long, value_name = "NAME")]
    account_name: Option<String>,
    /// Also find what is gone: entities whose _deleted is true
    #[arg(long)]
    include_deleted: bool,
    /// The most rows to give back
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    max_rows: usize,
    /// The longest time for the database
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    time_limit: Duration,
}

impl Args {
    /// Answers the question.
    ///
    /// # Errors
    ///
    /// [`Failure`] with a picture of every mistake in the question; what the database said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if let Some(file) = &self.check {
            return check::run(context, file);
        }
        let question = match &self.question {
            Some(id) => Some(questions::find(context, id).await?),
            None => None,
        };
        let text = question.as_ref().map_or_else(|| self.text(), |question| Ok(question.text.clone()))?;
        let variables = match &question {
            Some(question) => question.settle(&self.variables).map_err(unsettled)?,
            None => self.variables.into_iter().collect::<BTreeMap<_, _>>(),
        };
        let store = context.database().await?;
        let settings = Settings {
            variables,
            account_name: self.account_name,
            include_deleted: self.include_deleted
                || question.as_ref().is_some_and(|question| question.include_deleted),
            as_of: self.as_of,
            most_rows: self.max_rows,
            time_limit: self.time_limit,
            ..Settings::at(SystemClock.now())
        };
        if self.explain {
            let (statement, steps) = query::explain(&store, &text, &settings).await.map_err(pictured)?;
            show::explained(context, &statement, &steps)?;
            return Ok(Exit::Done);
        }
        if settings.as_of.is_none() {
            // Names the gaps of the newest version, which an answer has as well.
            drop(context.version(None).await?);
        }
        let folder = tempfile::tempdir()?;
        let answer = query::run(&store, &text, &settings, folder.path()).await.map_err(pictured)?;
        for warning in &answer.warnings {
            context.note(&format!("note: {}", crate::text::shown(warning)));
        }
        if answer.truncated {
            let most = crate::text::number(u64::try_from(settings.most_rows).unwrap_or(u64::MAX));
            context.note(&format!("note: there is more; these are the first {most} rows (--max-rows)"));
        }
        show::answer(context, &answer)?;
        Ok(Exit::Done)
    }

    /// Has a server answer the question.
    ///
    /// # Errors
    ///
    /// [`Failure`] with the place of every mistake in the question; what the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        if let Some(file) = &self.check {
            return check::run(context, file);
        }
        let mut body = json!({ "include_deleted": self.include_deleted });
        let mut put = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                body[name] = value;
            }
        };
        put("question", self.question.clone().map(Into::into));
        if self.question.is_none() {
            put("query", Some(self.text()?.into()));
        }
        let as_of = as_of("as_of", self.as_of).pop();
        put("as_of", as_of.map(|(_, told)| told.into()));
        put("connector", remote.connector().map(Into::into));
        put("account_name", self.account_name.map(Into::into));
        put("max_rows", Some(self.max_rows.min(MOST_ROWS).into()));
        let variable = |variable: &Variable| match variable {
            Variable::One(value) => value.to_json(),
            Variable::AnyOf(values) => values.iter().map(Value::to_json).collect(),
        };
        let variables: serde_json::Map<String, Json> =
            self.variables.iter().map(|(name, value)| (name.clone(), variable(value))).collect();
        put("variables", Some(variables.into()));
        let path: &[&str] = if self.explain { &["query", "explain"] } else { &["query"] };
        let answer: Json = remote.post(path, body).await.inspect_err(picture)?;
        if self.explain {
            context.output.document(&answer)?;
            return Ok(Exit::Done);
        }
        for warning in answer["warnings"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            context.note(&format!("note: {}", crate::text::shown(warning)));
        }
        if answer["truncated"] == true {
            context.note("note: there is more (--max-rows)");
        }
        show::json(context, &answer)?;
        Ok(Exit::Done)
    }

    fn text(&self) -> anyhow::Result<String> {
        match self.text.as_deref() {
            Some("-") => {
                let mut text = String::new();
                std::io::stdin().lock().read_to_string(&mut text)?;
                Ok(text)
            }
            text => Ok(text.unwrap_or_default().to_owned()),
        }
    }
}

/// A ready question without a value that it needs, or with one that it does not.
fn unsettled(error: Unsettled) -> Failure {
    match error {
        Unsettled::Missing { name, meaning } => {
            Failure::usage(format!("the question needs a value for ${{{name}}}: {meaning}"))
                .hint(format!("add --var {name}=VALUE"))
        }
        Unsettled::Unknown { name } => Failure::usage(format!("the question has no ${{{name}}}"))
            .hint("`metsuke questions show ID` tells what it takes"),
    }
}

/// Puts a picture of every mistake on stderr.
pub(super) fn pictured(error: EngineError) -> anyhow::Error {
    if let EngineError::Query { text, errors } = &error {
        complain(&shown_lines(&metsuke_engine::query::render(text, errors)));
        return Failure::usage("the question is not understood").into();
    }
    error.into()
}

/// The same text without anything that could move a terminal's cursor, lines apart.
fn shown_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(crate::text::shown).collect();
    lines.join("\n")
}

/// Reads `NAME=VALUE`.
fn variable(text: &str) -> Result<(String, Variable), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let value = match serde_json::from_str::<serde_json::Value>(value) {
        Ok(serde_json::Value::Array(values)) => {
            Variable::AnyOf(values.iter().map(Value::from_json).collect())
        }
        Ok(
            json @ (serde_json::Value::Bool(_) | serde_json::Value::Number(_) | serde_json::Value::String(_)),
        ) => Variable::One(Value::from_json(&json)),
        _ => Variable::One(Value::text(value)),
    };
    Ok((name.to_owned(), value))
}

/// Whether an answer can be laid out in the format that was asked for.
fn is_tree(context: &Context) -> bool {
    context.config.asked == FormatArg::Tree && context.output.format == Format::Table
}
