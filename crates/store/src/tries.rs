//! Tries to sign in, counted so that guessing stays slow.
//!
//! What is counted, and how many are too many, is decided by whoever asks.
//!
//! Invariant: of any number of tries at the same time, no more are let through than every bucket allows in its time. A bucket is
//! a hash: no address of a person or of a machine stands here.

use metsuke_model::Moment;
use metsuke_model::audit::NewEvent;

use crate::connection::Bind;
use crate::{Store, StoreError, audit};

const COUNTING: &str = "counting tries to sign in";

/// What tries are counted by, and how many it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// A hash of what it is.
    pub hash: Vec<u8>,
    /// How many tries it takes.
    pub most: u32,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// Its id.
    pub id: String,
    /// What it is counted by.
    pub buckets: Vec<Bucket>,
    /// When it is.
    pub at: Moment,
    /// From when on others count with it.
    pub since: Moment,
}

/// Whether a try may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It may, and counts from now on.
    Yes,
    /// A bucket is full. This is the oldest try that counts there: when it does no more, another may be looked at.
    Full(Moment),
}

impl Store {
    /// Counts a try, or says that there are too many. The event tells so, once for each time that a bucket is full.
    ///
    /// # Errors
    ///
    /// What the database said; the try must not be looked at then.
    pub async fn admit_try(&self, asked: &Try, full: NewEvent) -> Result<Admitted, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let forget = [asked.since.0.into()];
        connection.execute(COUNTING, "DELETE FROM sign_in_try WHERE at <= $1", &forget).await?;
        connection.execute(COUNTING, "DELETE FROM sign_in_lock WHERE told_at <= $1", &forget).await?;
        for bucket in &asked.buckets {
            let (mut count, mut oldest) = (0, None);
            let sql = "SELECT COUNT(*), MIN(at) FROM sign_in_try WHERE bucket = $1";
            connection
                .each(COUNTING, sql, &[Bind::Bytes(bucket.hash.clone())], |row| {
                    (count, oldest) = (row.count(0)?, row.int(1)?);
                    Ok(())
                })
                .await?;
            if count < u64::from(bucket.most) {
                continue;
            }
            let sql = "INSERT INTO sign_in_lock (bucket, told_at) VALUES ($1, $2)
                       ON CONFLICT (bucket) DO NOTHING";
            let binds = [Bind::Bytes(bucket.hash.clone()), asked.at.0.into()];
            if connection.execute(COUNTING, sql, &binds).await? > 0 {
                audit::append(&mut connection, full).await?;
            }
            connection.commit().await?;
            return Ok(Admitted::Full(Moment(oldest.unwrap_or(asked.at.0))));
        }
        let row =
            |bucket: &Bucket| [Bind::from(&*asked.id), Bind::Bytes(bucket.hash.clone()), asked.at.0.into()];
        let rows: Vec<_> = asked.buckets.iter().map(row).collect();
        connection.insert(COUNTING, ("INSERT INTO sign_in_try (id, bucket, at) ", ""), rows).await?;
        connection.commit().await?;
        Ok(Admitted::Yes)
    }

    /// Counts a try no more: it was none to guess.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn forget_try(&self, id: &str) -> Result<(), StoreError> {
        let mut connection = self.pool.begin_write().await?;
        connection.execute(COUNTING, "DELETE FROM sign_in_try WHERE id = $1", &[id.into()]).await?;
        connection.commit().await
    }
}
