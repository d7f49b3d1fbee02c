//! Writes events, and gives them another author.
//!
//! Invariant: turns are given out inside the transaction that uses them, so that their order is that of the commits.

use metsuke_model::Version;

use super::{Author, NewChangeEvent};
use crate::connection::{Bind, Connection};
use crate::{Store, StoreError};

const DOING: &str = "recording changes";

/// How far events are written, and the last turn given.
async fn mark(connection: &mut Connection) -> Result<(Version, i64), StoreError> {
    let mut mark = None;
    connection
        .each(DOING, "SELECT version, turn FROM change_mark WHERE id = 1", &[], |row| {
            mark = Some((Version(row.number(0)?), row.number(1)?));
            Ok(())
        })
        .await?;
    mark.ok_or_else(|| StoreError::Damaged { what: "the changes have no mark".into() })
}

async fn set_mark(connection: &mut Connection, version: Version, turn: i64) -> Result<(), StoreError> {
    let sql = "UPDATE change_mark SET version = $1, turn = $2 WHERE id = 1";
    connection.execute(DOING, sql, &[version.0.into(), turn.into()]).await.map(|_| ())
}

impl Store {
    /// Up to which version changes are written as events; 0 where none are.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn recorded_up_to(&self) -> Result<Version, StoreError> {
        Ok(mark(&mut self.pool.begin_read().await?).await?.0)
    }

    /// Writes the events of a version, the first after `after`; `false`, and nothing is written, where events are not
    /// written up to exactly `after`: somebody else was faster.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is written then.
    pub async fn record_changes(
        &self,
        after: Version,
        version: Version,
        events: Vec<NewChangeEvent>,
    ) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let (recorded, mut turn) = mark(&mut connection).await?;
        if recorded != after {
            return Ok(false);
        }
        let mut rows = Vec::with_capacity(events.len());
        let mut effects = Vec::new();
        for event in events {
            turn += 1;
            let place = i64::from(event.place);
            effects.extend(event.effects.iter().map(|effect| {
                let other = if effect.access.other.is_empty() {
                    String::new()
                } else {
                    serde_json::to_string(&effect.access.other).unwrap_or_default()
                };
                [
                    version.0.into(),
                    place.into(),
                    effect.resource.into(),
                    effect.principal.into(),
                    i64::from(effect.gained).into(),
                    Bind::from(&*effect.via),
                    i64::from(effect.access.mask.0).into(),
                    Bind::from(&*other),
                ]
            }));
            rows.push(row(version, turn, &event));
        }
        let head =
            "INSERT INTO change_event (version, place, turn, edition, at, since, kind, change, object_id,
            principal_id, document, about, words, actor, author) ";
        connection.insert(DOING, (head, ""), rows).await?;
        let head = "INSERT INTO change_effect
            (version, place, resource_id, principal_id, gained, via, mask, other) ";
        connection.insert(DOING, (head, ""), effects).await?;
        set_mark(&mut connection, version, turn).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// Gives events another author, each by its version and place, in one transaction; those that are not there are
    /// left out.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn give_authors(&self, authors: &[(Version, u32, Option<Author>)]) -> Result<(), StoreError> {
        if authors.is_empty() {
            return Ok(());
        }
        let mut connection = self.begin_write().await?;
        let (recorded, mut turn) = mark(&mut connection).await?;
        let sql = "UPDATE change_event
                      SET turn = $1, edition = edition + 1, actor = $2, author = $3
                    WHERE version = $4 AND place = $5";
        for (version, place, author) in authors {
            let (actor, author) = author_binds(author.as_ref());
            let binds = [(turn + 1).into(), actor, author, version.0.into(), i64::from(*place).into()];
            turn += i64::from(connection.execute(DOING, sql, &binds).await? > 0);
        }
        set_mark(&mut connection, recorded, turn).await?;
        connection.commit().await
    }
}

fn row(version: Version, turn: i64, event: &NewChangeEvent) -> Vec<Bind> {
    let about: String = event.about.iter().flat_map(|word| [word, "\n"]).collect();
    let (actor, author) = author_binds(event.author.as_ref());
    vec![
        version.0.into(),
        i64::from(event.place).into(),
        turn.into(),
        1.into(),
        event.at.0.into(),
        event.since.0.into(),
        Bind::from(&*event.kind),
        event.change.number().into(),
        event.object.into(),
        Bind::Int(event.principal),
        Bind::from(&*event.document.to_string()),
        Bind::from(&*about),
        Bind::from(&*event.words.to_lowercase()),
        actor,
        author,
    ]
}

/// The names between line ends, in small letters, and the document.
fn author_binds(author: Option<&Author>) -> (Bind, Bind) {
    let Some(author) = author else { return (Bind::from(""), Bind::Text(None)) };
    let mut names = String::from("\n");
    for name in &author.names {
        names.push_str(&name.to_lowercase());
        names.push('\n');
    }
    (Bind::from(&*names), Bind::from(&*author.document.to_string()))
}
