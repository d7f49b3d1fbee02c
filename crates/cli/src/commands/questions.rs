//! `metsuke questions`: the questions that are ready to be asked.
//!
//! They stand in the engine; `metsuke query --question` asks one.

use std::fmt::Write as _;

use metsuke_engine::questions::{self, Parameter, Question, TAGS};
use serde::Serialize;
use serde_json::Value as Json;

use crate::args::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::page::Page;
use crate::rows::{self, Cell, Column};
use crate::text::listed;

/// List questions that are ready to be asked, or show one
///
/// Each is J1QL with an explanation of its answer and of what to do about it.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  metsuke questions
  metsuke questions --tag leavers
  metsuke questions --search 'second factor'
  metsuke questions show leavers-with-access
  metsuke query --question leavers-with-access
  metsuke query --question old-invitations --var days=7"
)]
pub(crate) struct Args {
    /// Only questions with this tag; may be repeated, and then all of them are asked for
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Only questions that hold all of these words
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show a question: what it asks, what to do about the answer, and its text
    Show {
        /// The question's id
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// A question as it is listed.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    question: &'static Question,
    text: String,
}

impl Args {
    /// Lists or shows.
    ///
    /// # Errors
    ///
    /// [`Failure`] for an unknown tag or id; what writing to stdout met.
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if let Some(Command::Show { id }) = self.command {
            return show(context, &id);
        }
        if let Some(tag) = self.tags.iter().find(|tag| TAGS.iter().all(|(known, _)| known != tag)) {
            let known: Vec<&str> = TAGS.iter().map(|(tag, _)| *tag).collect();
            return Err(Failure::usage(format!("no question has the tag `{tag}`"))
                .hint(format!("the tags are {}", listed(&known)))
                .into());
        }
        let wanted = |question: &&Question| {
            self.tags.iter().all(|tag| question.is_tagged(tag))
                && self.search.as_deref().is_none_or(|words| question.mentions(words))
        };
        let found: Vec<Line> = questions::all().iter().filter(wanted).map(line).collect();
        if found.is_empty() {
            context.note("note: no question is like that");
        }
        rows::write(context.output, COLUMNS, &found)?;
        Ok(Exit::Done)
    }
}

/// The question of this id.
///
/// # Errors
///
/// [`Failure`] where there is none, with the id that was probably meant.
pub(super) fn find(id: &str) -> Result<&'static Question, Failure> {
    questions::find(id).ok_or_else(|| {
        let hint = match questions::nearest(id) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`metsuke questions` lists them".to_owned(),
        };
        Failure::usage(format!("there is no question `{id}`")).hint(hint)
    })
}

fn line(question: &'static Question) -> Line {
    Line { question, text: question.text() }
}

fn show(context: &Context, id: &str) -> anyhow::Result<Exit> {
    let question = find(id)?;
    if context.output.format != Format::Table {
        context.output.document(&line(question))?;
        return Ok(Exit::Done);
    }
    let mut page = Page::new(context.output);
    page.heading(&question.title);
    page.say(&question.explanation, 0);
    page.line("");
    for text in question.text().lines() {
        page.line(&format!("  {text}"));
    }
    if !question.variables.is_empty() {
        page.line("");
    }
    for parameter in &question.variables {
        page.say(&described(parameter), 0);
    }
    page.line("");
    page.line(&format!("Tags: {}", listed(&question.tags)));
    page.line(&format!("Ask it: {}", command(question)));
    context.output.print(&page.into_text())?;
    Ok(Exit::Done)
}

fn described(parameter: &Parameter) -> String {
    let Parameter { name, meaning, default, example } = parameter;
    let rest = match (default, example) {
        (Some(default), _) => format!("; {} unless said otherwise", plain(default)),
        (None, Some(example)) => format!(", such as {}", plain(example)),
        (None, None) => String::new(),
    };
    format!("${{{name}}}: {meaning}{rest}")
}

fn command(question: &Question) -> String {
    let mut command = format!("metsuke query --question {}", question.id);
    for parameter in question.variables.iter().filter(|parameter| parameter.default.is_none()) {
        let name = &parameter.name;
        let _infallible = write!(command, " --var {name}={}", name.to_uppercase());
    }
    command
}

fn plain(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Array(values) => listed(&values.iter().map(plain).collect::<Vec<_>>()),
        other => other.to_string(),
    }
}

const COLUMNS: &[Column<Line>] = &[
    Column::new("id", "ID", |line| Cell::text(Some(&line.question.id))),
    Column::new("title", "QUESTION", |line| Cell::text(Some(&line.question.title))),
    Column::csv("explanation", |line| Cell::text(Some(&line.question.explanation))),
    Column::new("tags", "TAGS", |line| Cell::text(Some(line.question.tags.join(" ")))),
    Column::csv("variables", |line| {
        let names: Vec<&str> = line.question.variables.iter().map(|parameter| &*parameter.name).collect();
        Cell::text(Some(names.join(" ")))
    }),
    Column::csv("text", |line| Cell::text(Some(&line.text))),
];
