//! A question in J1QL to one estate.

use std::collections::BTreeMap;
use std::time::Duration;

use metsuke_model::graph::Value;
use metsuke_model::{AsOf, Moment};
use serde_json::Value as Json;

use super::Estate;
use super::apart::apart;
use crate::EngineError;
use crate::query::{Answer, Settings, Statement, Variable, explain, run};

/// A question and what belongs to it.
#[derive(Clone, Debug)]
pub struct Question {
    /// The text.
    pub text: String,
    /// The version or time that is asked about.
    pub as_of: Option<AsOf>,
    /// The values of `${name}`.
    pub variables: BTreeMap<String, Json>,
    /// The account name that entities are tagged with.
    pub account_name: Option<String>,
    /// What is gone is asked for as well.
    pub include_deleted: bool,
    /// The most rows.
    pub most_rows: usize,
    /// The longest time.
    pub time_limit: Duration,
}

/// Answers a question.
///
/// # Errors
///
/// As [`run`]; [`EngineError::Fields`] for a variable that is neither a value nor a list of values.
pub async fn ask(estate: &Estate, question: Question, now: Moment) -> Result<Answer, EngineError> {
    let (text, settings) = question.settings(now)?;
    let store = estate.store.clone();
    apart(async move || {
        let folder = tempfile::tempdir().map_err(|source| EngineError::Scratch { source })?;
        run(&store, &text, &settings, folder.path()).await
    })
    .await
}

/// How the newest version would be asked: the statement, and the database's steps.
///
/// # Errors
///
/// As [`ask`].
pub async fn explained(
    estate: &Estate,
    question: Question,
    now: Moment,
) -> Result<(Statement, Vec<String>), EngineError> {
    let (text, settings) = question.settings(now)?;
    let store = estate.store.clone();
    apart(async move || explain(&store, &text, &settings).await).await
}

impl Question {
    /// The text, and what belongs to it in the words of those who answer.
    pub(super) fn settings(self, now: Moment) -> Result<(String, Settings), EngineError> {
        let mut variables = BTreeMap::new();
        for (name, value) in self.variables {
            variables.insert(name, variable(&value)?);
        }
        let settings = Settings {
            variables,
            account_name: self.account_name,
            include_deleted: self.include_deleted,
            as_of: self.as_of,
            most_rows: self.most_rows,
            time_limit: self.time_limit,
            ..Settings::at(now)
        };
        Ok((self.text, settings))
    }
}

fn variable(json: &Json) -> Result<Variable, EngineError> {
    match json {
        Json::Array(values) if values.iter().all(is_plain) => {
            Ok(Variable::AnyOf(values.iter().map(Value::from_json).collect()))
        }
        value if is_plain(value) => Ok(Variable::One(Value::from_json(value))),
        _ => {
            Err(EngineError::field("variables", "each is a text, a number, true or false, or a list of them"))
        }
    }
}

fn is_plain(value: &Json) -> bool {
    matches!(value, Json::Bool(_) | Json::Number(_) | Json::String(_))
}
