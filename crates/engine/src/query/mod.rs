//! Answers J1QL questions about a version of the estate.
//!
//! text → [`metsuke_j1ql`] → one statement → the store's reading connection → an [`Answer`].
//!
//! Invariant: a question changes nothing, and ends with its limits of rows and time.

mod answer;
mod found;
mod json;
mod packed;
mod pieces;
mod rows;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use metsuke_j1ql::ast::Query;
use metsuke_j1ql::check::{Surroundings, check};
use metsuke_j1ql::error::Errors;
use metsuke_j1ql::sql::{Bind, Dialect, emit, reads};
use metsuke_model::{AsOf, Moment, Version};
use metsuke_store::{Bound, ReadQuery, Store};

pub use metsuke_j1ql::check::Variable;
pub use metsuke_j1ql::render::render;
pub use metsuke_j1ql::sql::Statement;
pub use metsuke_j1ql::sql::reads::{Read, Reads};

pub use answer::{Answer, Cell, Data, Entity, Heading, Relationship};
pub(crate) use pieces::{Renewed, Told, told, without};

use crate::EngineError;

/// How a question is answered.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The moment that `date.now` stands for.
    pub now: Moment,
    /// The values of `${name}`.
    pub variables: BTreeMap<String, Variable>,
    /// The account name that entities are tagged with.
    pub account_name: Option<String>,
    /// What is gone is asked for as well.
    pub include_deleted: bool,
    /// The version or time that is asked about; a query's own `AS OF` goes before it.
    pub as_of: Option<AsOf>,
    /// The most rows of an answer.
    pub most_rows: usize,
    /// The longest time for the database.
    pub time_limit: Duration,
}

impl Settings {
    /// The usual limits: a million rows, thirty seconds.
    #[must_use]
    pub fn at(now: Moment) -> Self {
        Self {
            now,
            variables: BTreeMap::new(),
            account_name: None,
            include_deleted: false,
            as_of: None,
            most_rows: 1_000_000,
            time_limit: Duration::from_secs(30),
        }
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            now: self.now.0.div_euclid(1000),
            variables: self.variables.clone(),
            account_name: self.account_name.clone(),
            tag_account_name: self.account_name.is_some(),
            tag_production: None,
            include_deleted: self.include_deleted,
        }
    }
}

/// A question that was read and understood.
#[derive(Debug)]
pub struct Prepared {
    query: Query,
    /// The statement that answers it.
    pub statement: Statement,
    /// What is odd about it.
    pub warnings: Vec<String>,
    /// The version or time that it names itself.
    pub as_of: Option<AsOf>,
    surroundings: Surroundings,
    shape: answer::Shape,
    /// Of each returned column the type of entity that it names, and whether it tells of times.
    known: Vec<(Option<&'static str>, bool)>,
    /// The slots of which its rows tell, unseen, which entities stand there.
    beside: Vec<usize>,
}

impl Prepared {
    /// Reads a question for a database.
    ///
    /// # Errors
    ///
    /// Every mistake in it, with its place.
    pub fn new(text: &str, settings: &Settings, store: &Store) -> Result<Self, Errors> {
        let query = metsuke_j1ql::parse(text)?;
        Self::of(query, settings, store)
    }

    /// Takes a question that was read already.
    ///
    /// # Errors
    ///
    /// Every mistake in what it means.
    pub fn of(query: Query, settings: &Settings, store: &Store) -> Result<Self, Errors> {
        let surroundings = settings.surroundings();
        let plan = check(&query, &surroundings)?;
        let statement = emit(&plan, &surroundings, dialect(store))?;
        let shape = answer::Shape::of(&plan);
        let known = Heading::known(&plan);
        Ok(Self {
            query,
            statement,
            warnings: plan.warnings,
            as_of: plan.as_of,
            surroundings,
            shape,
            known,
            beside: plan.beside,
        })
    }

    /// A text that tells it, with its values and what is odd about it, from every other question; spaces and the case of
    /// words do not.
    pub(crate) fn identity(&self) -> String {
        format!("{}\n{:?}\n{:?}", self.query, self.statement, self.warnings)
    }

    /// What its answer depends on.
    #[must_use]
    pub fn reads(&self) -> Reads {
        // It was checked before; it is read once more because few who ask need to know this.
        match check(&self.query, &self.surroundings) {
            Ok(plan) => reads::reads(&plan),
            Err(_) => Reads::from([(Read::Anything, std::collections::BTreeSet::new())]),
        }
    }
}

/// Answers a question. An earlier version is laid out in `folder` first, which the caller removes.
///
/// # Errors
///
/// [`EngineError::Query`] with every mistake in the text, [`EngineError::NoVersion`], and what the database said.
pub async fn run(
    store: &Store,
    text: &str,
    settings: &Settings,
    folder: &Path,
) -> Result<Answer, EngineError> {
    let wrong = |errors| EngineError::Query { text: text.to_owned(), errors: Box::new(errors) };
    let prepared = Prepared::new(text, settings, store).map_err(wrong)?;
    let Some(snapshot) = store.snapshot(None).await? else { return Err(EngineError::NoVersion) };
    let newest = snapshot.sync().version;
    drop(snapshot);
    match prepared.as_of.or(settings.as_of) {
        None => answered(store, &prepared, settings, newest).await,
        Some(as_of) => {
            let asked = store.snapshot(Some(as_of)).await?;
            let version = asked.map_or(newest, |snapshot| snapshot.sync().version);
            if version == newest {
                return answered(store, &prepared, settings, newest).await;
            }
            let earlier = store.rewound(as_of, folder).await?;
            // The statement is written again: the earlier version always lies in SQLite.
            let prepared = Prepared::of(prepared.query, settings, &earlier).map_err(wrong)?;
            answered(&earlier, &prepared, settings, version).await
        }
    }
}

/// Whether a text is J1QL, placeholders of saved questions included; what is wrong with it, where it is not.
///
/// # Errors
///
/// The first mistake, in words.
pub fn check_template(text: &str) -> Result<(), String> {
    metsuke_j1ql::parse::check_template(text).map_err(|errors| errors.to_string())
}

/// How a database would answer a question: the statement and the steps of it.
///
/// # Errors
///
/// As [`run`].
pub async fn explain(
    store: &Store,
    text: &str,
    settings: &Settings,
) -> Result<(Statement, Vec<String>), EngineError> {
    let wrong = |errors| EngineError::Query { text: text.to_owned(), errors: Box::new(errors) };
    let prepared = Prepared::new(text, settings, store).map_err(wrong)?;
    let query = read_query(&prepared.statement.sql, &prepared.statement.binds, settings);
    let steps = store.explain(&query).await?;
    Ok((prepared.statement, steps))
}

/// Runs a prepared question on a store whose newest version is the one that is asked about.
///
/// # Errors
///
/// What the database said.
pub async fn answered(
    store: &Store,
    prepared: &Prepared,
    settings: &Settings,
    version: Version,
) -> Result<Answer, EngineError> {
    let told = told(store, prepared, settings, version).await?;
    Ok(told.into_answer())
}

/// The words of SQL that a store understands.
fn dialect(store: &Store) -> Dialect {
    if store.url().starts_with("postgres") { Dialect::Postgres } else { Dialect::Sqlite }
}

fn read_query(sql: &str, binds: &[Bind], settings: &Settings) -> ReadQuery {
    let bound = |bind: &Bind| match bind {
        Bind::Int(number) => Bound::Int(*number),
        Bind::Real(number) => Bound::Real(*number),
        Bind::Text(text) => Bound::Text(text.clone()),
        Bind::Bytes(bytes) => Bound::Bytes(bytes.clone()),
    };
    ReadQuery {
        sql: sql.to_owned(),
        binds: binds.iter().map(bound).collect(),
        most_rows: settings.most_rows,
        time_limit: settings.time_limit,
    }
}
