//! `metsuke questions save` and `remove`: a question is kept in the installation, changed, shared or taken away.

use std::io::Read as _;

use metsuke_clients::server::Content;
use metsuke_engine::questions::{self, Keeper, QuestionEdit, QuestionLine};
use metsuke_model::SystemClock;
use metsuke_store::OpenMode;
use serde_json::{Map, Value as Json, json};

use crate::args::Format;
use crate::commands::query::pictured;
use crate::context::Context;
use crate::failure::Exit;
use crate::operator::operator;
use crate::remote::{Query, Remote, picture};
use crate::text::shown;

/// Save a question, or change one that is saved
///
/// It is yours alone until it is shared. With --id, what is not said stays as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke questions save 'Which teams are there?' 'FIND heroku_team' --tag teams
  metsuke questions save 'Who may deploy?' - --explanation 'Everybody who can change what runs.' < deploy.j1ql
  metsuke questions save --id q-1f2e3d4c5b6a --share")]
pub(super) struct Args {
    /// What it asks, in words
    #[arg(value_name = "TITLE", required_unless_present = "id")]
    title: Option<String>,
    /// The question; `-` reads it from stdin
    #[arg(value_name = "J1QL", required_unless_present = "id")]
    text: Option<String>,
    /// Change the question of this id instead of saving another one
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// What the answer means, and what to do about it
    #[arg(long, value_name = "TEXT")]
    explanation: Option<String>,
    /// What it is about; may be repeated, and takes the place of the tags that it has
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// It asks about what is gone, too
    #[arg(long)]
    include_deleted: bool,
    /// Everybody who signs in sees it
    #[arg(long, conflicts_with = "private")]
    share: bool,
    /// Only its owner sees it
    #[arg(long)]
    private: bool,
}

impl Args {
    fn edit(self) -> anyhow::Result<(Option<String>, QuestionEdit)> {
        let text = match self.text.as_deref() {
            Some("-") => {
                let mut text = String::new();
                std::io::stdin().lock().read_to_string(&mut text)?;
                Some(text)
            }
            text => text.map(ToOwned::to_owned),
        };
        let shared = match (self.share, self.private) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        };
        let edit = QuestionEdit {
            title: self.title,
            text,
            explanation: self.explanation,
            tags: (!self.tags.is_empty()).then_some(self.tags),
            include_deleted: self.include_deleted.then_some(true),
            shared,
        };
        Ok((self.id, edit))
    }

    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let (id, edit) = self.edit()?;
        let main = context.main(OpenMode::Existing).await?;
        let keeper = Keeper::operator(&operator());
        let kept = questions::keep(&main, &keeper, id.as_deref(), edit, &SystemClock).await;
        told(context, &kept.map_err(pictured)?)
    }

    pub(super) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let (id, edit) = self.edit()?;
        let QuestionEdit { title, text, explanation, tags, include_deleted, shared } = edit;
        let members: [(&str, Option<Json>); 6] = [
            ("title", title.map(Into::into)),
            ("text", text.map(Into::into)),
            ("explanation", explanation.map(Into::into)),
            ("tags", tags.map(|tags| json!(tags))),
            ("include_deleted", include_deleted.map(Into::into)),
            ("shared", shared.map(Into::into)),
        ];
        let said: Map<String, Json> =
            members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let body = Content::Json(said.into());
        let kept: QuestionLine = match &id {
            Some(id) => remote.send("PATCH", &["questions", id], Query::new(), body).await,
            None => remote.send("POST", &["questions"], Query::new(), body).await,
        }
        .inspect_err(picture)?;
        told(context, &kept)
    }
}

/// Removes a question that is saved.
pub(super) async fn remove(context: &Context, id: &str) -> anyhow::Result<Exit> {
    let main = context.main(OpenMode::Existing).await?;
    let gone = questions::remove(&main, &Keeper::operator(&operator()), id, &SystemClock).await?;
    told(context, &gone)
}

/// The same through a server.
pub(super) async fn remove_through(context: &Context, remote: &Remote, id: &str) -> anyhow::Result<Exit> {
    let gone: QuestionLine =
        remote.send("DELETE", &["questions", id], Query::new(), Content::Nothing).await?;
    told(context, &gone)
}

fn told(context: &Context, question: &QuestionLine) -> anyhow::Result<Exit> {
    if context.output.format == Format::Table {
        context.output.print(&format!("{} {}\n", question.id, shown(&question.title)))?;
    } else {
        context.output.document(question)?;
    }
    Ok(Exit::Done)
}
