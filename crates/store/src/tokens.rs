//! Tokens of programs that use the API, by their hashes.
//!
//! What a token may do is decided by whoever reads it; the token itself never comes here.
//!
//! Invariant: a token is made or revoked in one transaction with the event that tells of it, and no row is ever deleted.

use metsuke_model::Moment;
use metsuke_model::audit::NewEvent;

use crate::connection::{Bind, Connection, Row};
use crate::{Store, StoreError, audit};

/// A token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: String,
    /// The hash of the whole token.
    pub hash: Vec<u8>,
    /// What it is called.
    pub name: String,
    /// The role's word.
    pub role: String,
    /// The scopes, as a JSON list.
    pub scopes: String,
    /// The e-mail address of the person it acts for.
    pub person: Option<String>,
    /// When it was made.
    pub created_at: Moment,
    /// Who made it.
    pub created_by: String,
    /// From when on it is refused.
    pub expires_at: Option<Moment>,
    /// When it was revoked.
    pub revoked_at: Option<Moment>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Moment>,
}

macro_rules! columns {
    () => {
        "SELECT id, hash, name, role, scopes, person, created_at, created_by, expires_at, revoked_at, last_used_at
           FROM api_token"
    };
}

impl Store {
    /// Keeps a token, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is kept then.
    pub async fn keep_token(&self, token: &TokenRow, event: NewEvent) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let row = [
            Bind::from(&*token.id),
            Bind::Bytes(token.hash.clone()),
            Bind::from(&*token.name),
            Bind::from(&*token.role),
            Bind::from(&*token.scopes),
            Bind::Text(token.person.clone()),
            token.created_at.0.into(),
            Bind::from(&*token.created_by),
            Bind::Int(token.expires_at.map(|at| at.0)),
        ];
        let head = "INSERT INTO api_token
            (id, hash, name, role, scopes, person, created_at, created_by, expires_at) ";
        connection.insert("keeping a token", (head, ""), [row]).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }

    /// The token with this hash.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn token_of_hash(&self, hash: &[u8]) -> Result<Option<TokenRow>, StoreError> {
        let sql = concat!(columns!(), " WHERE hash = $1");
        let mut connection = self.pool.begin_read().await?;
        Ok(read(&mut connection, sql, &[Bind::Bytes(hash.to_vec())]).await?.pop())
    }

    /// The token with this id.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn token(&self, id: &str) -> Result<Option<TokenRow>, StoreError> {
        let sql = concat!(columns!(), " WHERE id = $1");
        let mut connection = self.pool.begin_read().await?;
        Ok(read(&mut connection, sql, &[id.into()]).await?.pop())
    }

    /// At most `count` tokens with ids behind `after`, in order of their ids, which is that of their making.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn tokens(&self, after: &str, count: u32) -> Result<Vec<TokenRow>, StoreError> {
        let sql = concat!(columns!(), " WHERE id > $1 ORDER BY id LIMIT $2");
        let mut connection = self.pool.begin_read().await?;
        read(&mut connection, sql, &[after.into(), i64::from(count).into()]).await
    }

    /// Revokes a token; gives whether it was not revoked before. Only then is the event recorded.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn revoke_token(&self, id: &str, now: Moment, event: NewEvent) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE api_token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
        if connection.execute("revoking a token", sql, &[now.0.into(), id.into()]).await? == 0 {
            return Ok(false);
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn token_used(&self, id: &str, now: Moment) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE api_token SET last_used_at = $1 WHERE id = $2";
        connection.execute("noting a token's use", sql, &[now.0.into(), id.into()]).await?;
        connection.commit().await
    }
}

async fn read(
    connection: &mut Connection,
    sql: &'static str,
    binds: &[Bind],
) -> Result<Vec<TokenRow>, StoreError> {
    let mut rows = Vec::new();
    connection
        .each("reading tokens", sql, binds, |row| {
            rows.push(token(row)?);
            Ok(())
        })
        .await?;
    Ok(rows)
}

fn token(row: Row<'_>) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        id: row.text(0)?.unwrap_or_default(),
        hash: row.bytes(1)?.unwrap_or_default(),
        name: row.text(2)?.unwrap_or_default(),
        role: row.text(3)?.unwrap_or_default(),
        scopes: row.text(4)?.unwrap_or_default(),
        person: row.text(5)?,
        created_at: Moment(row.number(6)?),
        created_by: row.text(7)?.unwrap_or_default(),
        expires_at: row.int(8)?.map(Moment),
        revoked_at: row.int(9)?.map(Moment),
        last_used_at: row.int(10)?.map(Moment),
    })
}
