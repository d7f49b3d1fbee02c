//! The first person's account, and the link that leads to it.
//!
//! Invariant: the link is worth nothing once there is an account, and is used up by the account that it makes.

use metsuke_model::Moment;
use metsuke_model::audit::NewEvent;

use super::{AccountKept, AccountRow, count, insert};
use crate::connection::Bind;
use crate::{Store, StoreError, audit};

impl Store {
    /// Keeps the first account, for whoever holds the link; the link is used up by it.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is kept then.
    pub async fn keep_first_account(
        &self,
        row: &AccountRow,
        link: &[u8],
        event: NewEvent,
    ) -> Result<AccountKept, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let sql = "DELETE FROM setup_link WHERE hash = $1 AND expires_at > $2";
        let binds = [Bind::Bytes(link.to_vec()), row.created_at.0.into()];
        let found = connection.execute("using the setup link", sql, &binds).await?;
        if found == 0 || count(&mut connection).await? > 0 {
            return Ok(AccountKept::LinkGone);
        }
        insert(&mut connection, row).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(AccountKept::Yes)
    }

    /// Keeps the link for the first person in place of any earlier one; `false` where somebody is there already.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is kept then.
    pub async fn keep_setup_link(
        &self,
        hash: &[u8],
        expires_at: Moment,
        event: NewEvent,
    ) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        if count(&mut connection).await? > 0 {
            return Ok(false);
        }
        let row = [1_i64.into(), Bind::Bytes(hash.to_vec()), expires_at.0.into()];
        let head = "INSERT INTO setup_link (one, hash, expires_at) ";
        let tail = " ON CONFLICT (one) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at";
        connection.insert("keeping the setup link", (head, tail), [row]).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// Whether the link for the first person has this hash and has not expired.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn setup_link_holds(&self, hash: &[u8], now: Moment) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut found = false;
        let sql = "SELECT one FROM setup_link WHERE hash = $1 AND expires_at > $2";
        let binds = [Bind::Bytes(hash.to_vec()), now.0.into()];
        connection
            .each("reading the setup link", sql, &binds, |_| {
                found = true;
                Ok(())
            })
            .await?;
        Ok(found)
    }
}
