//! The tiles of somebody's own overview: which questions stand there, in which order.

use serde::Deserialize;
use serde_json::json;

use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arranged {
    questions: Vec<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let tiles = call.state.desk.tiles(call.caller()?).await?;
    Answer::ok(&json!({ "tiles": tiles }))
}

pub(super) async fn arrange(call: Call) -> Result<Answer, ApiError> {
    let Arranged { questions } = call.json()?;
    let tiles = call.state.desk.arrange_tiles(call.caller()?, &questions).await?;
    Answer::ok(&json!({ "tiles": tiles }))
}
