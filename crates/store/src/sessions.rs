//! Sessions of browsers, and the browsers in which somebody has signed in before, by the hashes of their cookies.
//!
//! How long a session lasts is decided by whoever opens it and looks at it; what a cookie holds never comes here.
//!
//! Invariant: a session is opened in one transaction with the use of the code that it was opened with and with the event that
//! tells of it, so that no code opens two.

use metsuke_model::Moment;
use metsuke_model::audit::NewEvent;

use crate::accounts::{AccountRow, account, columns};
use crate::connection::{Bind, Connection, Row};
use crate::{Store, StoreError, audit};

const OPENING: &str = "opening a session";
/// How long rows of sessions that cannot be used any more are kept, in microseconds.
const KEPT: i64 = 30 * 24 * 3_600 * 1_000_000;
/// How long a browser is known after the last time that somebody signed in with it, in microseconds.
const KNOWN: i64 = 180 * 24 * 3_600 * 1_000_000;

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id, which is no secret.
    pub id: String,
    /// The hash of what the cookie holds.
    pub hash: Vec<u8>,
    /// Whose it is.
    pub account: String,
    /// How it was opened: `password` or `oidc`.
    pub method: String,
    /// When it was opened.
    pub created_at: Moment,
    /// When it was last used, to the minute.
    pub seen_at: Moment,
    /// From when on it cannot be used, whatever happens.
    pub expires_at: Moment,
    /// When it was ended.
    pub ended_at: Option<Moment>,
    /// The address of the machine that it was opened from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub browser: Option<String>,
}

/// What a session is opened with, beside the password or the provider's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing more is asked for.
    None,
    /// The second factor's code of this step.
    Totp(i64),
    /// The recovery code with this hash.
    Recovery(Vec<u8>),
}

/// What is written when somebody has signed in.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    /// The session.
    pub session: &'a SessionRow,
    /// What it is opened with.
    pub proof: Proof,
    /// The hash of what makes the browser known from now on.
    pub device: &'a [u8],
    /// The hash of the session that the browser had before, which ends.
    pub replaces: Option<&'a [u8]>,
    /// The try that this was, which counts no more.
    pub attempt: Option<&'a str>,
}

impl Store {
    /// Opens a session; `false` where the account is disabled, or the code was used before.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is opened then.
    pub async fn open_session(&self, opening: &Opening<'_>, event: NewEvent) -> Result<bool, StoreError> {
        let Opening { session, proof, device, replaces, attempt } = opening;
        let mut connection = self.pool.begin_write().await?;
        if !prove(&mut connection, session, proof).await? {
            return Ok(false);
        }
        let now = session.created_at;
        if let Some(replaced) = replaces {
            let sql = "UPDATE sign_in_session SET ended_at = $1 WHERE hash = $2 AND ended_at IS NULL";
            connection.execute(OPENING, sql, &[now.0.into(), Bind::Bytes(replaced.to_vec())]).await?;
        }
        let row = [
            Bind::from(&*session.id),
            Bind::Bytes(session.hash.clone()),
            Bind::from(&*session.account),
            Bind::from(&*session.method),
            now.0.into(),
            session.seen_at.0.into(),
            session.expires_at.0.into(),
            Bind::Text(session.address.clone()),
            Bind::Text(session.browser.clone()),
        ];
        let head = "INSERT INTO sign_in_session
            (id, hash, account, method, created_at, seen_at, expires_at, address, browser) ";
        connection.insert(OPENING, (head, ""), [row]).await?;
        let row = [Bind::from(&*session.account), Bind::Bytes(device.to_vec()), now.0.into()];
        let head = "INSERT INTO known_device (account, hash, seen_at) ";
        let tail = " ON CONFLICT (account, hash) DO UPDATE SET seen_at = excluded.seen_at";
        connection.insert(OPENING, (head, tail), [row]).await?;
        if let Some(attempt) = attempt {
            connection
                .execute(OPENING, "DELETE FROM sign_in_try WHERE id = $1", &[(*attempt).into()])
                .await?;
        }
        let sql = "DELETE FROM sign_in_session WHERE expires_at < $1";
        connection.execute(OPENING, sql, &[(now.0 - KEPT).into()]).await?;
        let sql = "DELETE FROM known_device WHERE seen_at < $1";
        connection.execute(OPENING, sql, &[(now.0 - KNOWN).into()]).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// The session with this hash, ended or not, and whose it is.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn session_of_hash(&self, hash: &[u8]) -> Result<Option<(SessionRow, AccountRow)>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut found = None;
        let sql = concat!(
            columns!(),
            ", s.id, s.hash, s.account, s.method, s.created_at, s.seen_at, s.expires_at, s.ended_at,
                s.address, s.browser
               FROM account a
               JOIN sign_in_session s ON s.account = a.id
              WHERE s.hash = $1"
        );
        connection
            .each("reading a session", sql, &[Bind::Bytes(hash.to_vec())], |row| {
                found = Some((session(row, 13)?, account(row)?));
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// The sessions of an account that were not ended and last beyond a moment, the last used first.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn sessions_of(&self, account: &str, now: Moment) -> Result<Vec<SessionRow>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut sessions = Vec::new();
        let sql =
            "SELECT id, hash, account, method, created_at, seen_at, expires_at, ended_at, address, browser
                     FROM sign_in_session
                    WHERE account = $1 AND ended_at IS NULL AND expires_at > $2
                    ORDER BY seen_at DESC, id DESC";
        connection
            .each("listing sessions", sql, &[account.into(), now.0.into()], |row| {
                sessions.push(session(row, 0)?);
                Ok(())
            })
            .await?;
        Ok(sessions)
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn session_seen(&self, id: &str, now: Moment) -> Result<(), StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let sql = "UPDATE sign_in_session SET seen_at = $1 WHERE id = $2 AND seen_at < $1";
        connection.execute("noting a session's use", sql, &[now.0.into(), id.into()]).await?;
        connection.commit().await
    }

    /// Ends a session; gives whether it was open. Only then is the event recorded.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is ended then.
    pub async fn end_session(&self, id: &str, now: Moment, event: NewEvent) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let sql = "UPDATE sign_in_session SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL";
        if connection.execute("ending a session", sql, &[now.0.into(), id.into()]).await? == 0 {
            return Ok(false);
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// Ends every session of an account.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is ended then.
    pub async fn end_sessions(&self, account: &str, now: Moment, event: NewEvent) -> Result<u64, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let ended = end_all(&mut connection, account, now).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(ended)
    }

    /// Ends every session of an account but one.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is ended then.
    pub async fn end_other_sessions(
        &self,
        account: &str,
        kept: &str,
        now: Moment,
        event: NewEvent,
    ) -> Result<u64, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let sql = "UPDATE sign_in_session SET ended_at = $1
                    WHERE account = $2 AND id <> $3 AND ended_at IS NULL";
        let ended =
            connection.execute("ending sessions", sql, &[now.0.into(), account.into(), kept.into()]).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(ended)
    }

    /// Whether somebody has signed in to an account in the browser with this hash, not too long ago.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn knows_device(&self, account: &str, hash: &[u8], now: Moment) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut known = false;
        let sql = "SELECT seen_at FROM known_device WHERE account = $1 AND hash = $2 AND seen_at > $3";
        let binds = [account.into(), Bind::Bytes(hash.to_vec()), (now.0 - KNOWN).into()];
        connection
            .each("reading a known browser", sql, &binds, |_| {
                known = true;
                Ok(())
            })
            .await?;
        Ok(known)
    }
}

/// A session whose columns begin at this one.
fn session(row: Row<'_>, first: usize) -> Result<SessionRow, StoreError> {
    let text = |index| row.text(first + index);
    Ok(SessionRow {
        id: text(0)?.unwrap_or_default(),
        hash: row.bytes(first + 1)?.unwrap_or_default(),
        account: text(2)?.unwrap_or_default(),
        method: text(3)?.unwrap_or_default(),
        created_at: Moment(row.number(first + 4)?),
        seen_at: Moment(row.number(first + 5)?),
        expires_at: Moment(row.number(first + 6)?),
        ended_at: row.int(first + 7)?.map(Moment),
        address: text(8)?,
        browser: text(9)?,
    })
}

/// Ends every session of an account in a transaction.
pub(crate) async fn end_all(
    connection: &mut Connection,
    account: &str,
    now: Moment,
) -> Result<u64, StoreError> {
    let sql = "UPDATE sign_in_session SET ended_at = $1 WHERE account = $2 AND ended_at IS NULL";
    connection.execute("ending sessions", sql, &[now.0.into(), account.into()]).await
}

/// Uses the proof up, and notes when somebody signed in; `false` where that cannot be.
async fn prove(connection: &mut Connection, session: &SessionRow, proof: &Proof) -> Result<bool, StoreError> {
    let (now, account) = (session.created_at, &*session.account);
    // Who has a second factor by now, and had none when the password was looked at, must be asked for it.
    let sql = "UPDATE account SET signed_in_at = $1
                WHERE id = $2 AND disabled_at IS NULL AND (totp_since IS NULL OR $3 = 1)";
    let asked = i64::from(*proof != Proof::None || session.method != "password");
    if connection.execute(OPENING, sql, &[now.0.into(), account.into(), asked.into()]).await? == 0 {
        return Ok(false);
    }
    let used = match proof {
        Proof::None => 1,
        Proof::Totp(step) => {
            let sql = "UPDATE account SET totp_step = $1 WHERE id = $2 AND totp_step < $1";
            connection.execute(OPENING, sql, &[(*step).into(), account.into()]).await?
        }
        Proof::Recovery(hash) => {
            let sql = "UPDATE recovery_code SET used_at = $1
                        WHERE account = $2 AND hash = $3 AND used_at IS NULL";
            let binds = [now.0.into(), account.into(), Bind::Bytes(hash.clone())];
            connection.execute(OPENING, sql, &binds).await?
        }
    };
    Ok(used > 0)
}
