//! Entries of Heroku's audit trail that were read, and objects that something told to read again.
//!
//! Nothing of the estate stands here: an entry is a reason to read, and a name to put to a change.
//!
//! Invariant: an entry is kept in the transaction that asks for what it calls for, so that neither is there without
//! the other.

use std::collections::HashSet;

use metsuke_model::Moment;
use serde_json::Value as Json;

use crate::connection::{Bind, Connection};
use crate::{Store, StoreError};

const DOING: &str = "keeping the audit trail of Heroku";

/// An entry of Heroku's audit trail.
#[derive(Clone, Debug, PartialEq)]
pub struct TrailEntry {
    /// Heroku's id of it.
    pub id: String,
    /// When it happened.
    pub at: Moment,
    /// What of it is kept, in the engine's words.
    pub document: Json,
}

/// An object that is to be read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRead {
    /// Its kind and Heroku's id, as `app:ID`.
    pub target: String,
    /// When somebody last asked for it.
    pub wanted_at: Moment,
    /// Why.
    pub because: String,
}

impl Store {
    /// Keeps what was read of some days of an account's trail, each entry with the objects that it calls for; returns
    /// the entries that were not known.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is kept then.
    pub async fn keep_trail(
        &self,
        account: &str,
        days: &[Moment],
        entries: Vec<(TrailEntry, Vec<String>)>,
        now: Moment,
    ) -> Result<Vec<TrailEntry>, StoreError> {
        let mut connection = self.begin_write().await?;
        let first = entries.iter().map(|(entry, _)| entry.at.0).min().unwrap_or(i64::MAX);
        let mut known = HashSet::new();
        let sql = "SELECT id FROM trail_entry WHERE at >= $1";
        connection
            .each(DOING, sql, &[first.into()], |row| {
                known.insert(row.text(0)?.unwrap_or_default());
                Ok(())
            })
            .await?;
        let mut fresh = Vec::new();
        for (entry, targets) in entries {
            if known.insert(entry.id.clone()) {
                let because = format!("audit trail {}", entry.id);
                let one = |target| WantedRead { target, wanted_at: now, because: because.clone() };
                want(&mut connection, targets.into_iter().map(one).collect()).await?;
                fresh.push(entry);
            }
        }
        let row = |entry: &TrailEntry| {
            [
                Bind::from(&*entry.id),
                entry.at.0.into(),
                now.0.into(),
                Bind::from(&*entry.document.to_string()),
            ]
        };
        let rows: Vec<_> = fresh.iter().map(row).collect();
        let tail = " ON CONFLICT (id) DO NOTHING";
        connection
            .insert(DOING, ("INSERT INTO trail_entry (id, at, seen_at, document) ", tail), rows)
            .await?;
        let days: Vec<_> = days.iter().map(|day| [Bind::from(account), day.0.into(), now.0.into()]).collect();
        let tail = " ON CONFLICT (account, day) DO UPDATE SET read_at = excluded.read_at";
        connection.insert(DOING, ("INSERT INTO trail_day (account, day, read_at) ", tail), days).await?;
        connection.commit().await?;
        Ok(fresh)
    }

    /// When a day of an account's trail was last read; `None` where it never was.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn trail_read_at(&self, account: &str, day: Moment) -> Result<Option<Moment>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut read_at = None;
        let sql = "SELECT read_at FROM trail_day WHERE account = $1 AND day = $2";
        connection
            .each(DOING, sql, &[account.into(), day.0.into()], |row| {
                read_at = row.int(0)?.map(Moment);
                Ok(())
            })
            .await?;
        Ok(read_at)
    }

    /// The kept entries between two moments, both included, in the order of time.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn trail_entries(&self, since: Moment, until: Moment) -> Result<Vec<TrailEntry>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut entries = Vec::new();
        let sql = "SELECT id, at, document FROM trail_entry WHERE at >= $1 AND at <= $2 ORDER BY at, id";
        connection
            .each(DOING, sql, &[since.0.into(), until.0.into()], |row| {
                let document = serde_json::from_str(&row.text(2)?.unwrap_or_default())
                    .map_err(|_| StoreError::Damaged { what: "an entry of Heroku's audit trail".into() })?;
                let (id, at) = (row.text(0)?.unwrap_or_default(), Moment(row.number(1)?));
                entries.push(TrailEntry { id, at, document });
                Ok(())
            })
            .await?;
        Ok(entries)
    }

    /// Forgets entries that happened before this moment, and days before it.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn forget_trail(&self, before: Moment) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        connection.execute(DOING, "DELETE FROM trail_entry WHERE at < $1", &[before.0.into()]).await?;
        connection.execute(DOING, "DELETE FROM trail_day WHERE day < $1", &[before.0.into()]).await?;
        connection.commit().await
    }

    /// Asks for objects to be read again; one that is asked for already stays so, as of now.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn want_reads(&self, wanted: Vec<WantedRead>) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        want(&mut connection, wanted).await?;
        connection.commit().await
    }

    /// What is to be read again, the longest wanted first.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn wanted_reads(&self, limit: u32) -> Result<Vec<WantedRead>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut wanted = Vec::new();
        let sql = "SELECT target, wanted_at, because FROM wanted_read ORDER BY wanted_at, target LIMIT $1";
        connection
            .each("listing what is to be read again", sql, &[i64::from(limit).into()], |row| {
                wanted.push(WantedRead {
                    target: row.text(0)?.unwrap_or_default(),
                    wanted_at: Moment(row.number(1)?),
                    because: row.text(2)?.unwrap_or_default(),
                });
                Ok(())
            })
            .await?;
        Ok(wanted)
    }

    /// Says that an object was read again; if it was asked for once more meanwhile, it stays wanted.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn read_again(&self, wanted: &WantedRead) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "DELETE FROM wanted_read WHERE target = $1 AND wanted_at = $2";
        let binds = [Bind::from(&*wanted.target), wanted.wanted_at.0.into()];
        connection.execute("noting what was read again", sql, &binds).await?;
        connection.commit().await
    }
}

/// Asks for objects to be read again, inside a transaction.
pub(super) async fn want(connection: &mut Connection, wanted: Vec<WantedRead>) -> Result<(), StoreError> {
    let sql = "INSERT INTO wanted_read (target, wanted_at, because)
               VALUES ($1, $2, $3)
               ON CONFLICT (target) DO UPDATE
                  SET wanted_at = CASE WHEN excluded.wanted_at > wanted_read.wanted_at THEN excluded.wanted_at
                                       ELSE wanted_read.wanted_at + 1 END,
                      because = excluded.because";
    for one in wanted {
        let binds = [Bind::from(&*one.target), one.wanted_at.0.into(), Bind::from(&*one.because)];
        connection.execute("asking for something to be read again", sql, &binds).await?;
    }
    Ok(())
}
