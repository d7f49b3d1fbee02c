//! Questions that people keep in the installation: their own, and those that are shared with everybody.
//!
//! Asking them is [`query`](crate::query)'s work.
//!
//! Invariant: what is kept is J1QL that can be read. One that is not shared is seen by its owner alone, and one that is shared is
//! changed by its owner or an admin.

use metsuke_model::Clock;
use metsuke_model::audit::{Actor, EventCode};
use metsuke_store::{QuestionRow, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::line::open;
use super::{QuestionLine, Source};
use crate::findings::hash;
use crate::identity::{Caller, Role};
use crate::{BadField, EngineError};

/// What the ids of kept questions begin with, and no id of the library.
pub const PREFIX: &str = "q-";
/// Digits of an id.
const DIGITS: usize = 12;
/// The most questions that one person keeps.
const MOST: usize = 1_000;
/// The longest title, explanation and tag, in characters, and the longest text, in bytes.
const TITLE: usize = 120;
const EXPLANATION: usize = 4_000;
const TAG: usize = 40;
const TEXT: usize = 64 * 1024;
/// The most tags.
const TAGS: usize = 20;

/// Who keeps questions.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// By what it is known.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// Whether it may change what others share.
    pub admin: bool,
    /// How the audit trail names it.
    pub actor: Actor,
}

impl Keeper {
    /// Whoever asks a server: the person, or the token where it acts for nobody.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        let key = caller.person.clone().unwrap_or_else(|| format!("token:{}", caller.token));
        Self {
            key,
            name: caller.person.clone().unwrap_or_else(|| caller.name.clone()),
            admin: caller.role == Role::Admin,
            actor: caller.actor(),
        }
    }

    /// Whoever has the database.
    #[must_use]
    pub fn operator(actor: &Actor) -> Self {
        let (key, name) = (format!("operator:{}", actor.name), actor.name.to_string());
        Self { key, name, admin: true, actor: actor.clone() }
    }
}

/// A question to be kept, or what of it is to be another; what is not said stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionEdit {
    /// What it asks, in words.
    pub title: Option<String>,
    /// The text, in J1QL.
    pub text: Option<String>,
    /// What the answer means, and what to do about it.
    pub explanation: Option<String>,
    /// What it is about.
    pub tags: Option<Vec<String>>,
    /// It asks about what is gone, too.
    pub include_deleted: Option<bool>,
    /// Whether everybody sees it.
    pub shared: Option<bool>,
}

/// What is kept beside the title.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Document {
    text: String,
    explanation: String,
    tags: Vec<String>,
    include_deleted: bool,
}

/// The questions that somebody sees: their own, then those that others share, each by title.
///
/// # Errors
///
/// What the database said.
pub async fn kept(main: &Store, keeper: &Keeper) -> Result<Vec<QuestionLine>, EngineError> {
    let rows = main.questions_seen_by(&keeper.key).await?;
    let mut lines: Vec<QuestionLine> = rows.into_iter().map(|row| line(row, keeper)).collect();
    lines.sort_by_cached_key(QuestionLine::place);
    Ok(lines)
}

/// The question of this id: of the library, or kept where whoever asks sees it.
///
/// # Errors
///
/// [`EngineError::Unknown`], and what the database said.
pub async fn find_any(main: &Store, keeper: &Keeper, id: &str) -> Result<QuestionLine, EngineError> {
    if let Some(known) = super::find(id) {
        return Ok(known.into());
    }
    let row = main.question(id).await?.filter(|row| row.shared || row.owner == keeper.key);
    row.map(|row| line(row, keeper)).ok_or_else(|| unknown(id))
}

/// Keeps a question, or changes the one of this id.
///
/// # Errors
///
/// [`EngineError::Fields`] for what is wrong with it, [`EngineError::Query`] where it is no J1QL, [`EngineError::Unknown`],
/// [`EngineError::NotYours`], [`EngineError::Refused`] for one of the library, and what the database said.
pub async fn keep(
    main: &Store,
    keeper: &Keeper,
    id: Option<&str>,
    edit: QuestionEdit,
    clock: &dyn Clock,
) -> Result<QuestionLine, EngineError> {
    let before = match id {
        Some(id) => Some(own(main, keeper, id).await?),
        None => None,
    };
    let was = before.as_ref().map(|row| document(&row.document)).unwrap_or_default();
    let title = edit.title.or_else(|| before.as_ref().map(|row| row.title.clone())).unwrap_or_default();
    let document = Document {
        text: edit.text.unwrap_or(was.text),
        explanation: edit.explanation.unwrap_or(was.explanation).trim().to_owned(),
        tags: edit.tags.map_or(was.tags, tidied),
        include_deleted: edit.include_deleted.unwrap_or(was.include_deleted),
    };
    let title = title.trim().to_owned();
    check(&title, &document)?;
    let shared = edit.shared.unwrap_or_else(|| before.as_ref().is_some_and(|row| row.shared));
    let new = before.is_none();
    if new && count(main, keeper).await? >= MOST {
        return Err(EngineError::field("title", format!("there are {MOST} questions of yours already")));
    }
    let now = clock.now();
    let fresh = || {
        let print = hash(&[&keeper.key, &title, &document.text, &now.to_string()]);
        format!("{PREFIX}{}", print.get(..DIGITS).unwrap_or(&print))
    };
    let row = QuestionRow {
        id: before.as_ref().map_or_else(fresh, |row| row.id.clone()),
        owner: before.as_ref().map_or_else(|| keeper.key.clone(), |row| row.owner.clone()),
        owner_name: before.as_ref().map_or_else(|| keeper.name.clone(), |row| row.owner_name.clone()),
        created_at: before.as_ref().map_or(now, |row| row.created_at),
        document: json!(document),
        updated_at: now,
        shared,
        title,
    };
    let store = main.clone().acting_as(keeper.actor.clone());
    let mut event =
        store.event(now, EventCode::QuestionSaved).about("question", &row.id).detail("shared", shared);
    if shared {
        // What is somebody's own is not told to those who read the trail.
        event = event.detail("title", row.title.clone());
    }
    store.put_question(&row, event.detail("new", new)).await?;
    Ok(line(row, keeper))
}

/// Removes a question; gives what it was.
///
/// # Errors
///
/// As [`keep`].
pub async fn remove(
    main: &Store,
    keeper: &Keeper,
    id: &str,
    clock: &dyn Clock,
) -> Result<QuestionLine, EngineError> {
    let row = own(main, keeper, id).await?;
    let store = main.clone().acting_as(keeper.actor.clone());
    let event = store.event(clock.now(), EventCode::QuestionRemoved).about("question", &row.id);
    let event = if row.shared { event.detail("title", row.title.clone()) } else { event };
    if !store.remove_question(&row.id, event).await? {
        return Err(unknown(id));
    }
    Ok(line(row, keeper))
}

fn unknown(id: &str) -> EngineError {
    EngineError::Unknown { what: "question", asked: id.into() }
}

/// The question of this id, which the keeper may change.
async fn own(main: &Store, keeper: &Keeper, id: &str) -> Result<QuestionRow, EngineError> {
    if super::find(id).is_some() {
        return Err(EngineError::Refused {
            reason: format!("the question `{id}` came with the program and stays as it is"),
            hint: Some("keep a copy of it as your own".into()),
        });
    }
    let row = main.question(id).await?.filter(|row| row.shared || row.owner == keeper.key);
    let row = row.ok_or_else(|| unknown(id))?;
    if !may_change(&row, keeper) {
        return Err(EngineError::NotYours { what: "question" });
    }
    Ok(row)
}

fn may_change(row: &QuestionRow, keeper: &Keeper) -> bool {
    row.owner == keeper.key || (row.shared && keeper.admin)
}

async fn count(main: &Store, keeper: &Keeper) -> Result<usize, EngineError> {
    let rows = main.questions_seen_by(&keeper.key).await?;
    Ok(rows.iter().filter(|row| row.owner == keeper.key).count())
}

/// Tags without what is empty or there twice.
fn tidied(tags: Vec<String>) -> Vec<String> {
    let mut tidy: Vec<String> = Vec::new();
    for tag in tags {
        let tag = tag.trim();
        if !tag.is_empty() && tidy.iter().all(|known| known != tag) {
            tidy.push(tag.to_owned());
        }
    }
    tidy
}

fn check(title: &str, document: &Document) -> Result<(), EngineError> {
    let mut fields = Vec::new();
    let mut bad = |field: &'static str, problem: String| fields.push(BadField { field, problem });
    let plain = |text: &str| !text.chars().any(|one| one.is_control() && one != '\n' && one != '\r');
    if title.is_empty() || title.chars().count() > TITLE || title.chars().any(char::is_control) {
        bad("title", format!("a title has 1 to {TITLE} characters, none of them a control character"));
    }
    if document.explanation.chars().count() > EXPLANATION || !plain(&document.explanation) {
        bad("explanation", format!("it has at most {EXPLANATION} characters"));
    }
    let fits = |tag: &String| tag.chars().count() <= TAG && !tag.chars().any(|c| c.is_control() || c == ',');
    if document.tags.len() > TAGS || !document.tags.iter().all(fits) {
        bad("tags", format!("there are at most {TAGS}, each of at most {TAG} characters and without commas"));
    }
    if document.text.trim().is_empty() {
        bad("text", "the question is missing".into());
    } else if document.text.len() > TEXT {
        bad("text", format!("it is longer than {TEXT} bytes"));
    }
    if !fields.is_empty() {
        return Err(EngineError::Fields { fields });
    }
    let wrong = |errors| EngineError::Query { text: document.text.clone(), errors: Box::new(errors) };
    metsuke_j1ql::parse(&document.text).map(|_| ()).map_err(wrong)
}

fn document(kept: &Json) -> Document {
    Document::deserialize(kept).unwrap_or_default()
}

fn line(row: QuestionRow, keeper: &Keeper) -> QuestionLine {
    let Document { text, explanation, tags, include_deleted } = document(&row.document);
    QuestionLine {
        source: if row.owner == keeper.key { Source::Own } else { Source::Shared },
        may_change: may_change(&row, keeper),
        variables: open(&text),
        id: row.id,
        title: row.title,
        owner: Some(row.owner_name),
        shared: row.shared,
        created_at: Some(row.created_at),
        updated_at: Some(row.updated_at),
        explanation,
        tags,
        include_deleted,
        text,
    }
}
