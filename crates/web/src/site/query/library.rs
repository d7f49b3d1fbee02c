//! The questions beside the console: one's own, those that others share, and the library.

use metsuke_engine::questions::{QuestionLine, Source};

use crate::call::Call;
use crate::error::ApiError;
use crate::site::frame::Frame;
use crate::site::words::{Name, count};

/// What stands above the questions of each source.
const SHELVES: [(Source, &str); 3] =
    [(Source::Own, "Your questions"), (Source::Shared, "Shared by others"), (Source::Library, "Library")];

/// The questions that fit the words.
pub(super) struct Library {
    pub(super) words: String,
    pub(super) kept: Vec<(String, String)>,
    pub(super) tally: String,
    pub(super) shelves: Vec<Shelf>,
    /// Where all of them are.
    pub(super) all: String,
}

/// The questions of one source.
pub(super) struct Shelf {
    pub(super) name: &'static str,
    pub(super) found: Vec<(String, Name, bool)>,
}

/// The questions that fit the words; `chosen` is the one that stands in the editor.
pub(super) async fn library(
    call: &Call,
    frame: &Frame,
    chosen: Option<&QuestionLine>,
) -> Result<Library, ApiError> {
    let words = frame.asked.get("find").unwrap_or_default().to_owned();
    let mut found = call.state.desk.questions(call.caller()?).await?;
    found.retain(|question| question.mentions(&words));
    let entry = |question: &QuestionLine| {
        let href = frame.asked.only(&["as_of", "connector", "find"]).with("ask", &question.id).at("/query");
        (href, Name::new(&question.title), chosen.is_some_and(|chosen| chosen.id == question.id))
    };
    let shelf = |(source, name): (Source, &'static str)| Shelf {
        name,
        found: found.iter().filter(|question| question.source == source).map(entry).collect(),
    };
    Ok(Library {
        kept: frame.asked.without(&["find"]).pairs(),
        tally: count(found.len(), "question", "questions"),
        shelves: SHELVES.map(shelf).into_iter().filter(|shelf| !shelf.found.is_empty()).collect(),
        all: frame.to("/query/questions"),
        words,
    })
}
