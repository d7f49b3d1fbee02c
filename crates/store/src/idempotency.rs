//! What became of requests that carry an Idempotency-Key, so that a repeated one is not done twice.
//!
//! Which requests carry one, and what is answered, is decided elsewhere.
//!
//! Invariant: of any number of requests with one key, one alone is told to begin. A key whose outcome is not known stays
//! so, because nobody can tell whether it was done.

use metsuke_model::Moment;

use crate::connection::Bind;
use crate::{Store, StoreError};

/// One request with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Who asks.
    pub caller: String,
    /// For which operation.
    pub operation: String,
    /// The key.
    pub key: String,
    /// The hash of what is asked.
    pub request: Vec<u8>,
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The status.
    pub status: u16,
    /// Its headers, as a JSON object.
    pub headers: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What is to be done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is the first one: do it.
    First,
    /// The same is being done, or was begun and nobody knows what came of it.
    Open,
    /// The key belongs to a request for something else.
    Other,
    /// It was done: this was the answer.
    Done(Kept),
}

impl Store {
    /// Takes a key, or says what became of it; forgets keys that began before `forget`.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn begin_once(
        &self,
        attempt: &Attempt,
        now: Moment,
        forget: Moment,
    ) -> Result<Begun, StoreError> {
        const DOING: &str = "taking an idempotency key";
        let mut connection = self.begin_write().await?;
        let sql = "DELETE FROM idempotency_key WHERE begun_at < $1";
        connection.execute(DOING, sql, &[forget.0.into()]).await?;
        let mut found = None;
        let sql = "SELECT request, status, headers, body
                     FROM idempotency_key
                    WHERE caller = $1 AND operation = $2 AND name = $3";
        let key = [Bind::from(&*attempt.caller), Bind::from(&*attempt.operation), Bind::from(&*attempt.key)];
        connection
            .each(DOING, sql, &key, |row| {
                let status = row.int(1)?.and_then(|status| u16::try_from(status).ok());
                let kept = match status {
                    Some(status) => Some(Kept {
                        status,
                        headers: row.text(2)?.unwrap_or_default(),
                        body: row.bytes(3)?.unwrap_or_default(),
                    }),
                    None => None,
                };
                found = Some((row.bytes(0)?.unwrap_or_default(), kept));
                Ok(())
            })
            .await?;
        let begun = match found {
            None => {
                let [caller, operation, name] = key;
                let row = [caller, operation, name, Bind::Bytes(attempt.request.clone()), now.0.into()];
                let head = "INSERT INTO idempotency_key (caller, operation, name, request, begun_at) ";
                connection.insert(DOING, (head, ""), [row]).await?;
                Begun::First
            }
            Some((request, _)) if request != attempt.request => Begun::Other,
            Some((_, Some(kept))) => Begun::Done(kept),
            Some((_, None)) => Begun::Open,
        };
        connection.commit().await?;
        Ok(begun)
    }

    /// Keeps the answer that was given.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn done_once(&self, attempt: &Attempt, kept: &Kept) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE idempotency_key SET status = $1, headers = $2, body = $3
                    WHERE caller = $4 AND operation = $5 AND name = $6";
        let binds = [
            i64::from(kept.status).into(),
            Bind::from(&*kept.headers),
            Bind::Bytes(kept.body.clone()),
            Bind::from(&*attempt.caller),
            Bind::from(&*attempt.operation),
            Bind::from(&*attempt.key),
        ];
        connection.execute("keeping an answer", sql, &binds).await?;
        connection.commit().await
    }

    /// Gives a key back, where nothing was done.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn undone_once(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "DELETE FROM idempotency_key WHERE caller = $1 AND operation = $2 AND name = $3";
        let binds =
            [Bind::from(&*attempt.caller), Bind::from(&*attempt.operation), Bind::from(&*attempt.key)];
        connection.execute("giving an idempotency key back", sql, &binds).await?;
        connection.commit().await
    }
}
