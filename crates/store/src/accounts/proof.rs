//! What proves that somebody is an account's: its password, and its second factor with the recovery codes.
//!
//! Invariant: as of the room: a change, its event and the end of the sessions are one transaction.

use metsuke_model::Moment;
use metsuke_model::audit::NewEvent;

use super::CHANGING;
use crate::connection::Bind;
use crate::{Proof, Store, StoreError, audit, sessions};

impl Store {
    /// Gives an account another password; ends its sessions, and no browser counts as known after it.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn set_password(
        &self,
        id: &str,
        password: &str,
        now: Moment,
        event: NewEvent,
    ) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let sql = "UPDATE account SET password = $1 WHERE id = $2";
        if connection.execute(CHANGING, sql, &[password.into(), id.into()]).await? == 0 {
            return Ok(false);
        }
        connection.execute(CHANGING, "DELETE FROM known_device WHERE account = $1", &[id.into()]).await?;
        sessions::end_all(&mut connection, id, now).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// Keeps the sealed secret of a second factor that is not asked for yet; `false` where one is.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is kept then.
    pub async fn offer_totp(&self, id: &str, sealed: &[u8]) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let sql = "UPDATE account SET totp = $1 WHERE id = $2 AND totp_since IS NULL";
        let done = connection.execute(CHANGING, sql, &[Bind::Bytes(sealed.to_vec()), id.into()]).await?;
        connection.commit().await?;
        Ok(done > 0)
    }

    /// Asks for the second factor from now on, with these hashes of recovery codes; `false` where it was asked for before, or
    /// where the code of this step was taken before.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn confirm_totp(
        &self,
        id: &str,
        step: i64,
        codes: &[Vec<u8>],
        now: Moment,
        event: NewEvent,
    ) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let sql = "UPDATE account SET totp_since = $1, totp_step = $2
                    WHERE id = $3 AND totp IS NOT NULL AND totp_since IS NULL AND totp_step < $2";
        if connection.execute(CHANGING, sql, &[now.0.into(), step.into(), id.into()]).await? == 0 {
            return Ok(false);
        }
        connection.execute(CHANGING, "DELETE FROM recovery_code WHERE account = $1", &[id.into()]).await?;
        let rows: Vec<_> = codes.iter().map(|code| [Bind::from(id), Bind::Bytes(code.clone())]).collect();
        connection.insert(CHANGING, ("INSERT INTO recovery_code (account, hash) ", ""), rows).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// The same at the wish of whoever has it, who shows a code of it once more; `false` where that was used before, or is none.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn drop_totp(
        &self,
        id: &str,
        proof: &Proof,
        now: Moment,
        event: NewEvent,
    ) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let (sql, shown) = match proof {
            Proof::None => return Ok(false),
            Proof::Totp(step) => (
                "UPDATE account SET totp = NULL, totp_since = NULL, totp_step = $1
                  WHERE id = $2 AND totp_since IS NOT NULL AND totp_step < $1",
                Bind::from(*step),
            ),
            Proof::Recovery(hash) => (
                "UPDATE account SET totp = NULL, totp_since = NULL
                  WHERE id = $2 AND totp_since IS NOT NULL
                    AND EXISTS (SELECT 1 FROM recovery_code c
                                 WHERE c.account = $2 AND c.hash = $1 AND c.used_at IS NULL)",
                Bind::Bytes(hash.clone()),
            ),
        };
        if connection.execute(CHANGING, sql, &[shown, id.into()]).await? == 0 {
            return Ok(false);
        }
        connection.execute(CHANGING, "DELETE FROM recovery_code WHERE account = $1", &[id.into()]).await?;
        sessions::end_all(&mut connection, id, now).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// Asks for no second factor any more, forgets its codes, and ends the account's sessions.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn reset_totp(&self, id: &str, now: Moment, event: NewEvent) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let sql = "UPDATE account SET totp = NULL, totp_since = NULL WHERE id = $1";
        if connection.execute(CHANGING, sql, &[id.into()]).await? == 0 {
            return Ok(false);
        }
        connection.execute(CHANGING, "DELETE FROM recovery_code WHERE account = $1", &[id.into()]).await?;
        sessions::end_all(&mut connection, id, now).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }
}
