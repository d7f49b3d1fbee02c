//! Plans to change access.

use metsuke_engine::desk::Plans;
use serde::Deserialize;

use super::estate::list as list_of;
use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlansOf {
    connector: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let PlansOf { connector, limit, cursor } = call.parameters()?;
    list_of(&call, &Plans::default(), connector, &Paging { limit, cursor }, PLANS).await
}

pub(super) async fn get(call: Call) -> Result<Answer, ApiError> {
    let estates = call.state.desk.estates(None).await?;
    let (_, shown) = Plans::find(estates, call.segment("id")).await?;
    Answer::ok(&shown)
}

const PLANS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("status", "/status"),
    ("title", "/title"),
    ("actor", "/actor"),
    ("created_at", "/created_at"),
    ("expires_at", "/expires_at"),
    ("steps", "/steps"),
    ("done", "/done"),
    ("reason", "/reason"),
];
