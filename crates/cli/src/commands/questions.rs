//! `metsuke questions`: the questions that are ready to be asked, of the library and saved in the installation.
//!
//! They stand in the engine; `metsuke query --question` asks one.
//!
//! Invariant: the library is listed without a database, too.

mod save;

use std::fmt::Write as _;

use metsuke_engine::EngineError;
use metsuke_engine::questions::{self, Keeper, Parameter, QuestionLine, TAGS};
use metsuke_store::OpenMode;
use serde_json::Value as Json;

use crate::args::Format;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::operator::operator;
use crate::page::Page;
use crate::remote::{Query, Remote};
use crate::rows::{self, Cell, Column};
use crate::text::{listed, shown};

/// List questions that are ready to be asked, show one, save or remove one
///
/// Each is J1QL with an explanation of its answer and of what to do about it. The library comes with the program; those
/// that people save stand before it: their own, and what others share.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  metsuke questions
  metsuke questions --tag leavers
  metsuke questions --search 'second factor'
  metsuke questions show leavers-with-access
  metsuke questions save 'Which teams are there?' 'FIND heroku_team' --tag teams --share
  metsuke questions remove q-1f2e3d4c5b6a
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
    Save(save::Args),
    /// Remove a saved question
    Remove {
        /// The question's id
        #[arg(value_name = "ID")]
        id: String,
    },
}

impl Args {
    /// Lists, shows, saves or removes.
    ///
    /// # Errors
    ///
    /// [`Failure`] for an unknown tag or id; what the database said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.command {
            Some(Command::Show { id }) => show(context, &find(context, &id).await?),
            Some(Command::Save(args)) => args.run(context).await,
            Some(Command::Remove { id }) => save::remove(context, &id).await,
            None => {
                let lines = all(context).await?;
                list(context, &self.tags, self.search.as_deref(), lines)
            }
        }
    }

    /// The same through a server.
    ///
    /// # Errors
    ///
    /// [`Failure`] for an unknown tag; what the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self.command {
            Some(Command::Show { id }) => {
                let question: QuestionLine = remote.get(&["questions", &id], Query::new()).await?;
                show(context, &question)
            }
            Some(Command::Save(args)) => args.through(context, remote).await,
            Some(Command::Remove { id }) => save::remove_through(context, remote, &id).await,
            None => {
                let lines = remote.rows(&["questions"], Query::new(), usize::MAX).await?;
                list(context, &self.tags, self.search.as_deref(), lines)
            }
        }
    }
}

fn list(
    context: &Context,
    tags: &[String],
    search: Option<&str>,
    mut lines: Vec<QuestionLine>,
) -> anyhow::Result<Exit> {
    let known = |tag: &str| {
        TAGS.iter().any(|(known, _)| *known == tag) || lines.iter().any(|line| line.is_tagged(tag))
    };
    if let Some(tag) = tags.iter().find(|tag| !known(tag)) {
        let known: Vec<&str> = TAGS.iter().map(|(tag, _)| *tag).collect();
        return Err(Failure::usage(format!("no question has the tag `{tag}`"))
            .hint(format!("the tags are {}", listed(&known)))
            .into());
    }
    lines.retain(|line| {
        tags.iter().all(|tag| line.is_tagged(tag)) && search.is_none_or(|words| line.mentions(words))
    });
    if lines.is_empty() {
        context.note("note: no question is like that");
    }
    rows::write(context.output, COLUMNS, &lines)?;
    Ok(Exit::Done)
}

/// What is saved, where there is a database, and the library.
async fn all(context: &Context) -> anyhow::Result<Vec<QuestionLine>> {
    let mut lines = Vec::new();
    if context.has_database() {
        match context.main(OpenMode::Existing).await {
            Ok(main) => lines = questions::kept(&main, &Keeper::operator(&operator())).await?,
            // The library needs nobody, so that it is shown all the same.
            Err(error) => context.note(&format!("note: saved questions cannot be read: {error}")),
        }
    }
    lines.extend(questions::all().iter().map(QuestionLine::from));
    Ok(lines)
}

/// The question of this id: of the library, else as it is saved.
///
/// # Errors
///
/// [`Failure`] where there is none, with the id that was probably meant; what the database said.
pub(super) async fn find(context: &Context, id: &str) -> anyhow::Result<QuestionLine> {
    if let Some(known) = questions::find(id) {
        return Ok(known.into());
    }
    if context.has_database() {
        let main = context.main(OpenMode::Existing).await?;
        match questions::find_any(&main, &Keeper::operator(&operator()), id).await {
            Err(EngineError::Unknown { .. }) => {}
            found => return Ok(found?),
        }
    }
    let hint = match questions::nearest(id) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`metsuke questions` lists them".to_owned(),
    };
    Err(Failure::usage(format!("there is no question `{id}`")).hint(hint).into())
}

fn show(context: &Context, question: &QuestionLine) -> anyhow::Result<Exit> {
    if context.output.format != Format::Table {
        context.output.document(question)?;
        return Ok(Exit::Done);
    }
    let mut page = Page::new(context.output);
    page.heading(&shown(&question.title));
    for text in question.explanation.lines() {
        page.say(&shown(text), 0);
    }
    page.line("");
    for text in question.text.lines() {
        page.line(&format!("  {}", shown(text)));
    }
    if !question.variables.is_empty() {
        page.line("");
    }
    for parameter in &question.variables {
        page.say(&described(parameter), 0);
    }
    page.line("");
    if !question.tags.is_empty() {
        page.say(&shown(&format!("Tags: {}", listed(&question.tags))), 0);
    }
    if let Some(owner) = &question.owner {
        let seen = if question.shared { "shared with everybody" } else { "seen by nobody else" };
        page.say(&shown(&format!("Saved by {owner}, {seen}")), 0);
    }
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

fn command(question: &QuestionLine) -> String {
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

const COLUMNS: &[Column<QuestionLine>] = &[
    Column::new("id", "ID", |line| Cell::text(Some(&line.id))),
    Column::csv("source", |line| Cell::text(Some(line.source.as_str()))),
    Column::new("title", "QUESTION", |line| Cell::text(Some(&line.title))),
    Column::csv("explanation", |line| Cell::text(Some(&line.explanation))),
    Column::new("tags", "TAGS", |line| Cell::text(Some(line.tags.join(" ")))),
    Column::csv("variables", |line| {
        let names: Vec<&str> = line.variables.iter().map(|parameter| &*parameter.name).collect();
        Cell::text(Some(names.join(" ")))
    }),
    Column::csv("text", |line| Cell::text(Some(&line.text))),
    Column::csv("owner", |line| Cell::text(line.owner.as_deref())),
    Column::csv("shared", |line| Cell::text(Some(if line.shared { "true" } else { "false" }))),
];
