//! Accounts of people who sign in: who they are, their role, and what proves that it is them.
//!
//! A password comes here as its hash, a second factor's secret sealed, and a code or a link as its hash; none of them is
//! judged here.
//!
//! Invariant: an account changes in one transaction with the event that tells of it and with the end of the sessions that it
//! must end; no row is ever deleted; of those who may administer, one always stays.

mod first;
mod proof;

use metsuke_model::Moment;
use metsuke_model::audit::NewEvent;

use crate::connection::{Bind, Connection, Row};
use crate::{Store, StoreError, audit, sessions};

const CHANGING: &str = "changing an account";

/// An account as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Its id.
    pub id: String,
    /// The e-mail address, in small letters.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// The role's word.
    pub role: String,
    /// Where it came from: `local` or `oidc`.
    pub source: String,
    /// The password's hash.
    pub password: Option<String>,
    /// The second factor's secret, sealed.
    pub totp: Option<Vec<u8>>,
    /// Since when the second factor is asked for.
    pub totp_since: Option<Moment>,
    /// The last step whose code was taken.
    pub totp_step: i64,
    /// When it was made.
    pub created_at: Moment,
    /// Who made it.
    pub created_by: String,
    /// Since when nobody can sign in with it.
    pub disabled_at: Option<Moment>,
    /// When somebody last signed in.
    pub signed_in_at: Option<Moment>,
}

/// What became of a new account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKept {
    /// It is there.
    Yes,
    /// Its e-mail address, or the provider's person, has an account already.
    Taken,
    /// The link for the first person is used up, has expired, or somebody is there already.
    LinkGone,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChanged {
    /// It was made.
    Yes,
    /// There is no such account.
    Missing,
    /// Nobody could administer after it.
    LastAdmin,
}

/// Whom a provider of identities says somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The provider's address.
    pub issuer: &'a str,
    /// Its id of the person.
    pub subject: &'a str,
}

/// What an account is to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountState<'a> {
    /// What the person is called.
    pub name: &'a str,
    /// The role's word.
    pub role: &'a str,
    /// Since when nobody can sign in with it.
    pub disabled_at: Option<Moment>,
}

macro_rules! columns {
    () => {
        "SELECT a.id, a.email, a.name, a.role, a.source, a.password, a.totp, a.totp_since, a.totp_step, a.created_at,
                a.created_by, a.disabled_at, a.signed_in_at"
    };
}
pub(crate) use columns;

impl Store {
    /// Keeps an account, with the provider's person whose it is, where there is one.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is kept then.
    pub async fn keep_account(
        &self,
        row: &AccountRow,
        identity: Option<Identity<'_>>,
        event: NewEvent,
    ) -> Result<AccountKept, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        if find(&mut connection, BY_EMAIL, &row.email).await?.is_some() {
            return Ok(AccountKept::Taken);
        }
        if let Some(identity) = identity
            && find_identity(&mut connection, identity).await?.is_some()
        {
            return Ok(AccountKept::Taken);
        }
        insert(&mut connection, row).await?;
        if let Some(identity) = identity {
            link(&mut connection, identity, &row.id, row.created_at).await?;
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(AccountKept::Yes)
    }

    /// How many accounts there are.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn count_accounts(&self) -> Result<u64, StoreError> {
        count(&mut self.pool.begin_read().await?).await
    }

    /// The account with this id.
    ///
    /// # Errors
    ///
    /// What the database said; so for the ways to find one below.
    pub async fn account(&self, id: &str) -> Result<Option<AccountRow>, StoreError> {
        find(&mut self.pool.begin_read().await?, BY_ID, id).await
    }

    /// The account with this e-mail address, which is in small letters.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn account_of_email(&self, email: &str) -> Result<Option<AccountRow>, StoreError> {
        find(&mut self.pool.begin_read().await?, BY_EMAIL, email).await
    }

    /// The account of a provider's person.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn account_of_identity(
        &self,
        identity: Identity<'_>,
    ) -> Result<Option<AccountRow>, StoreError> {
        find_identity(&mut self.pool.begin_read().await?, identity).await
    }

    /// At most `count` accounts with ids behind `after`, in order of their ids, which is that of their making.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn accounts(&self, after: &str, count: u32) -> Result<Vec<AccountRow>, StoreError> {
        let sql = concat!(columns!(), " FROM account a WHERE a.id > $1 ORDER BY a.id LIMIT $2");
        read(&mut self.pool.begin_read().await?, sql, &[after.into(), i64::from(count).into()]).await
    }

    /// Says what an account is to be like, and ends its sessions where `ends` tells when.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn change_account(
        &self,
        id: &str,
        state: AccountState<'_>,
        ends: Option<Moment>,
        event: NewEvent,
    ) -> Result<AccountChanged, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        let sql = "UPDATE account SET name = $1, role = $2, disabled_at = $3 WHERE id = $4";
        let binds = [
            Bind::from(state.name),
            Bind::from(state.role),
            Bind::Int(state.disabled_at.map(|at| at.0)),
            id.into(),
        ];
        let before = admins(&mut connection).await?;
        if connection.execute(CHANGING, sql, &binds).await? == 0 {
            return Ok(AccountChanged::Missing);
        }
        if before > 0 && admins(&mut connection).await? == 0 {
            return Ok(AccountChanged::LastAdmin);
        }
        if let Some(at) = ends {
            sessions::end_all(&mut connection, id, at).await?;
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(AccountChanged::Yes)
    }

    /// Says that a provider's person is this account's; `false` where the person has one.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn link_identity(
        &self,
        identity: Identity<'_>,
        account: &str,
        now: Moment,
        event: NewEvent,
    ) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_write().await?;
        if find_identity(&mut connection, identity).await?.is_some() {
            return Ok(false);
        }
        link(&mut connection, identity, account, now).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }
}

const BY_ID: &str = concat!(columns!(), " FROM account a WHERE a.id = $1");
const BY_EMAIL: &str = concat!(columns!(), " FROM account a WHERE a.email = $1");

async fn find(
    connection: &mut Connection,
    sql: &'static str,
    by: &str,
) -> Result<Option<AccountRow>, StoreError> {
    Ok(read(connection, sql, &[by.into()]).await?.pop())
}

async fn find_identity(
    connection: &mut Connection,
    identity: Identity<'_>,
) -> Result<Option<AccountRow>, StoreError> {
    let sql = concat!(
        columns!(),
        " FROM account a JOIN account_identity i ON i.account = a.id WHERE i.issuer = $1 AND i.subject = $2"
    );
    Ok(read(connection, sql, &[identity.issuer.into(), identity.subject.into()]).await?.pop())
}

async fn read(
    connection: &mut Connection,
    sql: &'static str,
    binds: &[Bind],
) -> Result<Vec<AccountRow>, StoreError> {
    let mut rows = Vec::new();
    connection
        .each("reading accounts", sql, binds, |row| {
            rows.push(account(row)?);
            Ok(())
        })
        .await?;
    Ok(rows)
}

async fn count(connection: &mut Connection) -> Result<u64, StoreError> {
    number(connection, "SELECT COUNT(*) FROM account").await
}

/// Those who may administer and can sign in.
async fn admins(connection: &mut Connection) -> Result<u64, StoreError> {
    number(connection, "SELECT COUNT(*) FROM account WHERE role = 'admin' AND disabled_at IS NULL").await
}

async fn number(connection: &mut Connection, sql: &'static str) -> Result<u64, StoreError> {
    let mut count = 0;
    connection
        .each("counting accounts", sql, &[], |row| {
            count = row.count(0)?;
            Ok(())
        })
        .await?;
    Ok(count)
}

async fn insert(connection: &mut Connection, row: &AccountRow) -> Result<(), StoreError> {
    let binds = [
        Bind::from(&*row.id),
        Bind::from(&*row.email),
        Bind::from(&*row.name),
        Bind::from(&*row.role),
        Bind::from(&*row.source),
        Bind::Text(row.password.clone()),
        row.totp_step.into(),
        row.created_at.0.into(),
        Bind::from(&*row.created_by),
    ];
    let head = "INSERT INTO account
        (id, email, name, role, source, password, totp_step, created_at, created_by) ";
    connection.insert("keeping an account", (head, ""), [binds]).await
}

async fn link(
    connection: &mut Connection,
    identity: Identity<'_>,
    account: &str,
    now: Moment,
) -> Result<(), StoreError> {
    let row = [Bind::from(identity.issuer), Bind::from(identity.subject), Bind::from(account), now.0.into()];
    let head = "INSERT INTO account_identity (issuer, subject, account, linked_at) ";
    connection.insert("linking an account", (head, ""), [row]).await
}

/// An account, whose columns come first in a row.
pub(crate) fn account(row: Row<'_>) -> Result<AccountRow, StoreError> {
    Ok(AccountRow {
        id: row.text(0)?.unwrap_or_default(),
        email: row.text(1)?.unwrap_or_default(),
        name: row.text(2)?.unwrap_or_default(),
        role: row.text(3)?.unwrap_or_default(),
        source: row.text(4)?.unwrap_or_default(),
        password: row.text(5)?,
        totp: row.bytes(6)?,
        totp_since: row.int(7)?.map(Moment),
        totp_step: row.number(8)?,
        created_at: Moment(row.number(9)?),
        created_by: row.text(10)?.unwrap_or_default(),
        disabled_at: row.int(11)?.map(Moment),
        signed_in_at: row.int(12)?.map(Moment),
    })
}
