//! Questions in J1QL.

use std::collections::BTreeMap;
use std::time::Duration;

use metsuke_engine::desk::{Question, ask};
use serde::Deserialize;
use serde_json::{Value, json};

use super::estate::version;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;

/// The longest question, in bytes.
const LONGEST: usize = 64 * 1024;
/// Rows of an answer where nobody says how many.
pub(crate) const ROWS: usize = 1_000;
/// The most rows of an answer.
pub(crate) const MOST_ROWS: usize = 100_000;
/// The longest time for the database.
pub(crate) const TIME: Duration = Duration::from_secs(30);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    query: Option<String>,
    question: Option<String>,
    as_of: Option<Value>,
    connector: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, Value>,
    account_name: Option<String>,
    #[serde(default)]
    include_deleted: bool,
    max_rows: Option<usize>,
}

pub(super) async fn query(call: Call) -> Result<Answer, ApiError> {
    let (connector, question) = question(&call).await?;
    let estate = call.state.desk.estate(connector.as_deref()).await?;
    let answer = ask(&estate, question, call.state.clock.now()).await?;
    let mut told = answer.to_json();
    if answer.kind() == "table" {
        // JSON does not keep the order in which a question names its columns.
        told["columns"] = json!(answer.column_names());
    }
    Answer::ok(&told)
}

pub(super) async fn explain(call: Call) -> Result<Answer, ApiError> {
    let (connector, question) = question(&call).await?;
    let (statement, steps) = call.state.desk.explain(connector.as_deref(), question).await?;
    let binds: Vec<String> = statement.binds.iter().map(|bind| format!("{bind:?}")).collect();
    Answer::ok(&json!({ "sql": statement.sql, "binds": binds, "steps": steps }))
}

/// What is asked, and of whose estate.
async fn question(call: &Call) -> Result<(Option<String>, Question), ApiError> {
    let asked: Asked = call.json()?;
    if asked.query.is_some() == asked.question.is_some() {
        return Err(ApiError::invalid("query", "send a question in J1QL, or the id of a ready `question`"));
    }
    let text = asked.query.unwrap_or_default();
    if text.len() > LONGEST {
        return Err(ApiError::invalid("query", format!("it is longer than {LONGEST} bytes")));
    }
    let as_of = match asked.as_of {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(_) => return Err(ApiError::invalid("as_of", "it is a version or a time")),
    };
    let most_rows = asked.max_rows.unwrap_or(ROWS);
    if most_rows == 0 || most_rows > MOST_ROWS {
        return Err(ApiError::invalid("max_rows", format!("it is a number from 1 to {MOST_ROWS}")));
    }
    let mut question = Question {
        text,
        as_of: version("as_of", as_of)?,
        variables: asked.variables,
        account_name: asked.account_name,
        include_deleted: asked.include_deleted,
        most_rows,
        time_limit: TIME,
    };
    if let Some(id) = asked.question {
        question.take(&call.state.desk.question(call.caller()?, &id).await?)?;
    }
    Ok((asked.connector, question))
}
