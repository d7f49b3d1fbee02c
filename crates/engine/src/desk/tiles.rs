//! Questions whose answers stand on somebody's own overview, and those answers in short.
//!
//! Invariant: an overview is not held up for long: there are so many tiles, and each has so much time. What stands there is arranged by
//! whoever looks at it, and by nobody else.

use std::time::Duration;

use metsuke_model::AsOf;
use metsuke_model::audit::EventCode;
use metsuke_store::StoreError;
use serde::Serialize;

use super::{Desk, Estate, Question, ask};
use crate::EngineError;
use crate::identity::Caller;
use crate::query::Answer;
use crate::questions::{Keeper, QuestionLine, find_any};

/// The most tiles of one person.
pub const MOST_TILES: usize = 8;
/// The most rows of which a tile tells the number.
pub const TILE_ROWS: usize = 1_000;
/// The longest time that the database may take for a tile, and that one waits for it.
const TIME: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(3);

/// A place on somebody's overview.
#[derive(Clone, Debug, Serialize)]
pub struct Tile {
    /// The question's id.
    pub id: String,
    /// The question; none where it is gone or shared no more.
    pub question: Option<QuestionLine>,
}

impl Desk {
    /// What stands on a caller's overview, in its order.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn tiles(&self, caller: &Caller) -> Result<Vec<Tile>, EngineError> {
        let main = self.installation().main();
        let keeper = Keeper::of(caller);
        let mut tiles = Vec::new();
        for id in main.tiles(&keeper.key).await? {
            let question = match find_any(main, &keeper, &id).await {
                Ok(question) => Some(question),
                Err(EngineError::Unknown { .. }) => None,
                Err(error) => return Err(error),
            };
            tiles.push(Tile { id, question });
        }
        Ok(tiles)
    }

    /// Puts these questions, and no others, on a caller's overview, in this order.
    ///
    /// # Errors
    ///
    /// [`EngineError::Fields`] for a question that is not there, that leaves something open or is named twice, and for too many of
    /// them; what the database said. What stands there already may stay, whatever has become of it.
    pub async fn arrange_tiles(&self, caller: &Caller, ids: &[String]) -> Result<Vec<Tile>, EngineError> {
        let wrong = |problem: String| EngineError::field("questions", problem);
        let main = self.installation().main();
        let keeper = Keeper::of(caller);
        if ids.len() > MOST_TILES {
            return Err(wrong(format!("an overview has at most {MOST_TILES} tiles; take one off first")));
        }
        let before = main.tiles(&keeper.key).await?;
        for (place, id) in ids.iter().enumerate() {
            if ids.iter().take(place).any(|other| other == id) {
                return Err(wrong(format!("`{id}` stands there twice")));
            }
            if before.contains(id) {
                continue;
            }
            let question = match find_any(main, &keeper, id).await {
                Err(EngineError::Unknown { .. }) => Err(wrong(format!("there is no question `{id}`"))),
                found => found,
            }?;
            if !question.is_settled() {
                return Err(wrong(format!(
                    "`{id}` leaves something open, which nobody fills in on an overview"
                )));
            }
        }
        let store = main.clone().acting_as(keeper.actor);
        let event = store.event(self.installation().now(), EventCode::OverviewArranged);
        store.put_tiles(&keeper.key, ids, event.detail("tiles", ids.len())).await?;
        self.tiles(caller).await
    }
}

/// What one estate answers to a tile's question.
///
/// # Errors
///
/// As [`ask`]; a question that takes long is given up.
pub async fn in_short(
    estate: &Estate,
    ready: &QuestionLine,
    as_of: Option<AsOf>,
    now: metsuke_model::Moment,
) -> Result<Answer, EngineError> {
    let mut question = Question {
        text: String::new(),
        as_of,
        variables: std::collections::BTreeMap::default(),
        account_name: None,
        include_deleted: false,
        most_rows: TILE_ROWS,
        time_limit: TIME,
    };
    question.take(ready)?;
    let answered = tokio::time::timeout(PATIENCE, ask(estate, question, now)).await;
    answered.unwrap_or_else(|_| Err(StoreError::TooSlow { limit: PATIENCE }.into()))
}
