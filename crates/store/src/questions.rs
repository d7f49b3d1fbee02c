//! Questions that people have kept, and which of them stand on whose overview, in the installation's own store.
//!
//! Whether a text is a question, and who may change it, is not known here.
//!
//! Invariant: a change is stored with the event that tells of it, or not at all. A question that is removed stands on nobody's
//! overview any more.

use metsuke_model::Moment;
use metsuke_model::audit::NewEvent;
use serde_json::Value as Json;

use crate::connection::{Bind, Row};
use crate::{Store, StoreError, audit};

/// A question that somebody has kept.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionRow {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// What the owner is called.
    pub owner_name: String,
    /// Whether everybody sees it.
    pub shared: bool,
    /// What it asks, in words.
    pub title: String,
    /// When it was kept first.
    pub created_at: Moment,
    /// When it was changed.
    pub updated_at: Moment,
    /// The text, and what is told of it.
    pub document: Json,
}

const READING: &str = "reading kept questions";
const WRITING: &str = "keeping questions";

impl Store {
    /// The questions that somebody sees: their own and those for everybody, by id.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn questions_seen_by(&self, owner: &str) -> Result<Vec<QuestionRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut questions = Vec::new();
        let sql = "SELECT id, owner, owner_name, shared, title, created_at, updated_at, document
                     FROM question
                    WHERE shared = 1 OR owner = $1
                    ORDER BY id";
        connection
            .each(READING, sql, &[owner.into()], |row| {
                questions.push(question_row(row)?);
                Ok(())
            })
            .await?;
        Ok(questions)
    }

    /// One question, whoever sees it.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn question(&self, id: &str) -> Result<Option<QuestionRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut found = None;
        let sql = "SELECT id, owner, owner_name, shared, title, created_at, updated_at, document
                     FROM question
                    WHERE id = $1";
        connection
            .each(READING, sql, &[id.into()], |row| {
                found = Some(question_row(row)?);
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// Keeps or changes a question, by its id, with the event that tells of it; its owner and its first moment stay.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn put_question(&self, question: &QuestionRow, event: NewEvent) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let document = question.document.to_string();
        let row = [
            Bind::from(&*question.id),
            Bind::from(&*question.owner),
            Bind::from(&*question.owner_name),
            i64::from(question.shared).into(),
            Bind::from(&*question.title),
            question.created_at.0.into(),
            question.updated_at.0.into(),
            Bind::from(&*document),
        ];
        let head = "INSERT INTO question
            (id, owner, owner_name, shared, title, created_at, updated_at, document) ";
        let tail = " ON CONFLICT (id) DO UPDATE SET
            shared = excluded.shared, title = excluded.title, updated_at = excluded.updated_at,
            document = excluded.document";
        connection.insert(WRITING, (head, tail), [row]).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }

    /// Removes a question, from every overview too, with the event that tells of it; `false` where there is none.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn remove_question(&self, id: &str, event: NewEvent) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        if connection.execute(WRITING, "DELETE FROM question WHERE id = $1", &[id.into()]).await? == 0 {
            return Ok(false);
        }
        connection.execute(WRITING, "DELETE FROM tile WHERE question = $1", &[id.into()]).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// The questions on somebody's overview, by their ids, in their order.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn tiles(&self, owner: &str) -> Result<Vec<String>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut tiles = Vec::new();
        let sql = "SELECT question FROM tile WHERE owner = $1 ORDER BY place";
        connection
            .each(READING, sql, &[owner.into()], |row| {
                tiles.extend(row.text(0)?);
                Ok(())
            })
            .await?;
        Ok(tiles)
    }

    /// Puts these questions, and no others, on somebody's overview, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said, also where one is named twice; nothing is changed then.
    pub async fn put_tiles(&self, owner: &str, tiles: &[String], event: NewEvent) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        connection.execute(WRITING, "DELETE FROM tile WHERE owner = $1", &[owner.into()]).await?;
        let mut rows: Vec<[Bind; 3]> = Vec::new();
        for (place, question) in (1_i64..).zip(tiles) {
            rows.push([Bind::from(owner), Bind::from(&**question), place.into()]);
        }
        connection.insert(WRITING, ("INSERT INTO tile (owner, question, place) ", ""), rows).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }
}

fn question_row(row: Row<'_>) -> Result<QuestionRow, StoreError> {
    let word = |index| row.text(index).map(Option::unwrap_or_default);
    let document = serde_json::from_str(&word(7)?)
        .map_err(|_| StoreError::Damaged { what: "the text of a kept question".into() })?;
    Ok(QuestionRow {
        id: word(0)?,
        owner: word(1)?,
        owner_name: word(2)?,
        shared: row.number(3)? != 0,
        title: word(4)?,
        created_at: Moment(row.number(5)?),
        updated_at: Moment(row.number(6)?),
        document,
    })
}
