//! People of rosters, and whose account is whose.
//!
//! Which account belongs to whom is decided by [`metsuke_model::people`]; what a roster says is read elsewhere.
//!
//! Invariant: a roster and the matches that follow from it are stored in one transaction with its event, or not at all;
//! what the operator said of an account is changed by the operator alone.

mod import;
mod matches;
mod rows;

use std::collections::HashMap;

use metsuke_model::audit::NewEvent;
use metsuke_model::graph::Employee;
use metsuke_model::people::{Account, Choice, MatchedBy, RosterKind};
use metsuke_model::{HerokuId, Moment, Version};

use crate::connection::{Bind, Connection};
use crate::{Store, StoreError, audit, settings, syncs};

/// A roster as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterRow {
    /// Its name.
    pub name: Box<str>,
    /// Where it came from; `None` for a kind of a newer version.
    pub kind: Option<RosterKind>,
    /// When it was imported last.
    pub imported_at: Moment,
    /// The people that it named then.
    pub rows: u64,
}

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The people that the roster named before.
    pub before: u64,
    /// The people that it names.
    pub rows: u64,
    /// Who was not known.
    pub added: u64,
    /// Who is not as before; those who are named again are among them.
    pub changed: u64,
    /// Who is named no more.
    pub missing: u64,
    /// What became of the accounts.
    pub matching: Matching,
    /// Whether it was stored.
    pub stored: bool,
}

/// What matching came to, by accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// Those that belong to somebody.
    pub matched: u64,
    /// Those of which it is not certain.
    pub unsure: u64,
    /// Those of which nothing is known.
    pub unknown: u64,
    /// Those of nobody.
    pub nobody: u64,
    /// Those of which something else was known before.
    pub changed: u64,
}

/// Whose an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchRow {
    /// The account's dense id.
    pub user: i64,
    /// The employee's dense id.
    pub employee: i64,
    /// By which rule; `None` for a rule of a newer version.
    pub by: Option<MatchedBy>,
}

/// What is known of whose an account is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// It belongs to somebody, by this rule; `None` for a rule of a newer version.
    Employee(Box<Employee>, Option<MatchedBy>),
    /// It is nobody's, by itself or because the operator said so.
    Nobody,
    /// No rule names anybody for certain.
    Unknown,
}

/// An account at Heroku, as far as it matters whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HerokuAccount {
    /// Heroku's id.
    pub id: HerokuId,
    /// What the rules of matching look at.
    pub seen: Account,
}

/// As long as it stays the same, so does everything that is known of people.
///
/// What was worked out of [`People`] can be kept by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeopleEdition {
    /// The newest version, by which the accounts are.
    version: Option<Version>,
    /// How often rosters, matches and what the operator said have changed.
    written: i64,
}

/// Everything that is known of people, as of one moment.
#[derive(Clone, Debug, Default)]
pub struct People {
    /// Of which edition it is.
    pub edition: PeopleEdition,
    /// The rosters, by name.
    pub rosters: Vec<RosterRow>,
    /// Everybody whom a roster ever named, by dense id.
    pub employees: Vec<Employee>,
    /// The accounts that are there, by dense id.
    pub accounts: Vec<HerokuAccount>,
    /// Whose they are, by the account's dense id; those of accounts that are gone stay as they were last.
    pub matches: Vec<MatchRow>,
    /// What the operator said of accounts, by their dense ids.
    pub choices: HashMap<i64, Choice>,
}

impl Store {
    /// Everything that is known of people.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn people(&self) -> Result<People, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        Ok(People {
            edition: edition(&mut connection).await?,
            rosters: rosters(&mut connection).await?,
            employees: rows::employees(&mut connection).await?,
            accounts: matches::accounts(&mut connection).await?,
            matches: matches::stored(&mut connection).await?,
            choices: matches::choices(&mut connection).await?,
        })
    }

    /// Of which edition [`people`](Self::people) would be.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn people_edition(&self) -> Result<PeopleEdition, StoreError> {
        edition(&mut self.pool.begin_read().await?).await
    }

    /// The rosters that were imported, by name.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn rosters(&self) -> Result<Vec<RosterRow>, StoreError> {
        rosters(&mut self.pool.begin_read().await?).await
    }

    /// Whose the account with Heroku's id is; `None` where nobody was ever named by any roster.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn whose(&self, account: &HerokuId) -> Result<Option<Whose>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        if rosters(&mut connection).await?.is_empty() {
            return Ok(None);
        }
        if let Some((employee, by)) = matches::of_account(&mut connection, account).await?
            && let Some(employee) = rows::one(&mut connection, employee).await?
        {
            return Ok(Some(Whose::Employee(Box::new(employee), by)));
        }
        let nobodys = matches::is_nobodys(&mut connection, account).await?;
        Ok(Some(if nobodys { Whose::Nobody } else { Whose::Unknown }))
    }

    /// A hash that becomes another one with every change of a person of a roster, and of whose an account is.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn people_hash(&self) -> Result<[u8; 32], StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut hasher = blake3::Hasher::new();
        let doing = "reading people";
        connection
            .each(doing, "SELECT id, edition FROM employee ORDER BY id", &[], |row| {
                hasher.update(&row.number(0)?.to_be_bytes());
                hasher.update(&row.number(1)?.to_be_bytes());
                Ok(())
            })
            .await?;
        let sql = "SELECT user_id, employee_id, since, matched_by FROM employee_match ORDER BY user_id";
        connection
            .each(doing, sql, &[], |row| {
                for place in 0..3 {
                    hasher.update(&row.number(place)?.to_be_bytes());
                }
                let rule = row.text(3)?.unwrap_or_default();
                hasher.update(&(rule.len() as u64).to_be_bytes());
                hasher.update(rule.as_bytes());
                Ok(())
            })
            .await?;
        Ok(*hasher.finalize().as_bytes())
    }

    /// Matches all accounts anew; `None` where nobody is known whom they could belong to.
    ///
    /// # Errors
    ///
    /// What the database said; the matches are then as they were.
    pub async fn rematch(&self) -> Result<Option<Matching>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        if rosters(&mut connection).await?.is_empty() {
            return Ok(None);
        }
        drop(connection);
        let mut connection = self.begin_write().await?;
        let matching = matches::renew(&mut connection).await?;
        if matching.changed > 0 {
            advance(&mut connection).await?;
            connection.commit().await?;
        }
        Ok(Some(matching))
    }

    /// Keeps what the operator says of an account, or forgets it for `None`, with the event that tells of it; `false`
    /// where that was so already.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn choose(
        &self,
        user: i64,
        choice: Option<Choice>,
        event: NewEvent,
    ) -> Result<bool, StoreError> {
        let doing = "keeping whose an account is";
        let mut connection = self.begin_write().await?;
        if matches::choices(&mut connection).await?.get(&user).copied() == choice {
            return Ok(false);
        }
        if let Some(choice) = choice {
            let employee = match choice {
                Choice::Employee(employee) => Some(employee),
                Choice::Nobody => None,
            };
            let sql = "INSERT INTO person_choice (user_id, employee_id) VALUES ($1, $2)
                       ON CONFLICT (user_id) DO UPDATE SET employee_id = excluded.employee_id";
            connection.execute(doing, sql, &[user.into(), Bind::Int(employee)]).await?;
        } else {
            let sql = "DELETE FROM person_choice WHERE user_id = $1";
            connection.execute(doing, sql, &[user.into()]).await?;
        }
        matches::renew(&mut connection).await?;
        advance(&mut connection).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }
}

/// Counts what is written of people beside versions.
const WRITTEN: &str = "people_edition";

async fn edition(connection: &mut Connection) -> Result<PeopleEdition, StoreError> {
    let written = settings::number(connection, "reading people", WRITTEN).await?.unwrap_or(0);
    Ok(PeopleEdition { version: syncs::newest(connection, true).await?, written })
}

/// Says that what is known of people is not as it was.
async fn advance(connection: &mut Connection) -> Result<(), StoreError> {
    settings::advance(connection, "writing people", WRITTEN).await
}

/// The rosters, by name.
async fn rosters(connection: &mut Connection) -> Result<Vec<RosterRow>, StoreError> {
    let mut rosters = Vec::new();
    let sql = "SELECT name, kind, imported_at, row_count FROM roster ORDER BY name";
    connection
        .each("reading rosters", sql, &[], |row| {
            rosters.push(RosterRow {
                name: row.text(0)?.unwrap_or_default().into(),
                kind: RosterKind::from_word(&row.text(1)?.unwrap_or_default()),
                imported_at: Moment(row.number(2)?),
                rows: row.count(3)?,
            });
            Ok(())
        })
        .await?;
    Ok(rosters)
}
