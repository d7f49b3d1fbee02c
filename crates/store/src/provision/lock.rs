//! One worker at a time changes Heroku: a lock that dies with its holder, and a number that outlives it.
//!
//! Invariant: what a worker writes that has lost its turn is refused, because a newer number stands in the database.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::time::Duration;

use crate::connection::Connection;
use crate::dialect::Pool;
use crate::{Store, StoreError};

/// How often a taken lock is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The turn to change Heroku. It ends when this is dropped, or with the process.
#[derive(Debug)]
pub struct ProvisioningLock {
    fence: i64,
    /// Holds the lock until it is dropped.
    _held: Held,
}

#[derive(Debug)]
enum Held {
    /// SQLite: a lock on a file beside the database.
    File(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File),
    /// PostgreSQL: a lock of the session that this transaction keeps open.
    Session(#[expect(dead_code, reason = "the lock lives as long as the transaction")] Connection),
    /// A database in memory has one process only.
    Nothing,
}

impl ProvisioningLock {
    /// The number of this turn; each is higher than all before.
    #[must_use]
    pub fn fence(&self) -> i64 {
        self.fence
    }

    /// Refuses a worker that has lost its turn.
    pub(crate) async fn check(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let mut newest = 0;
        connection
            .each("looking at the fence", "SELECT number FROM fence WHERE id = 1", &[], |row| {
                newest = row.number(0)?;
                Ok(())
            })
            .await?;
        if newest == self.fence { Ok(()) } else { Err(StoreError::Fenced) }
    }
}

impl Store {
    /// Waits for the turn to change Heroku, at most so long.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] where another process kept its turn for all that time, and what the database said.
    pub async fn provisioning_lock(&self, patience: Duration) -> Result<ProvisioningLock, StoreError> {
        let held = match &self.pool {
            Pool::Sqlite(_) => match self.lock_file() {
                Some(path) => Held::File(lock_file(path, patience).await?),
                None => Held::Nothing,
            },
            Pool::Postgres(_) => Held::Session(self.pool.lock_provisioning(patience).await?),
        };
        let mut connection = self.begin_write().await?;
        let mut fence = 0;
        let sql = "UPDATE fence SET number = number + 1 WHERE id = 1 RETURNING number";
        connection
            .each("taking the turn to change Heroku", sql, &[], |row| {
                fence = row.number(0)?;
                Ok(())
            })
            .await?;
        connection.commit().await?;
        Ok(ProvisioningLock { fence, _held: held })
    }

    /// The file beside an SQLite database that writers lock; none for one in memory.
    fn lock_file(&self) -> Option<PathBuf> {
        self.file().map(|file| {
            let mut name = file.into_os_string();
            name.push(".lock");
            name.into()
        })
    }
}

async fn lock_file(path: PathBuf, patience: Duration) -> Result<File, StoreError> {
    let failed = |source: std::io::Error| StoreError::Database {
        doing: "taking the turn to change Heroku",
        source: Box::new(source),
    };
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed)?;
    let mut waited = Duration::ZERO;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) if waited >= patience => {
                return Err(StoreError::Busy { doing: "waiting for the turn to change Heroku" });
            }
            Err(TryLockError::WouldBlock) => {
                tokio::time::sleep(LOOK_AGAIN).await;
                waited += LOOK_AGAIN;
            }
        }
    }
}
