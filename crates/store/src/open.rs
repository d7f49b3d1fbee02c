//! Opens a database by its address.
//!
//! Invariant: the text that errors show of an address never holds its password.

use std::fs::OpenOptions;
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use metsuke_model::Version;
use metsuke_model::audit::Actor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};

use crate::dialect::Pool;
use crate::findings::Tally;
use crate::fold::Folds;
use crate::query::{Reader, Readers};
use crate::{Brake, Store, StoreError, migrate};

/// How long a connection waits for another process's lock.
pub(crate) const LOCK_PATIENCE: Duration = Duration::from_secs(20);

/// Whether a missing database is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Make the file and the schema where they are missing.
    Create,
    /// The database must be there, with a schema.
    Existing,
}

impl Store {
    /// Opens `sqlite:FILE`, `sqlite::memory:` or `postgres://…` and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Address`], [`StoreError::Open`] and [`StoreError::Newer`], or what migrating met.
    pub async fn open(url: &str, mode: OpenMode) -> Result<Self, StoreError> {
        let shown = without_password(url);
        let opened = |source: sqlx::Error| StoreError::Open { url: shown.clone(), source: Box::new(source) };
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url).map_err(opened)?;
            sqlite(options, mode, shown, url.contains(":memory:")).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(url).map_err(opened)?.application_name("metsuke");
            postgres(options, shown, None).await
        } else {
            Err(StoreError::Address { url: shown })
        }
    }

    /// A store for nobody in particular, on these connections.
    pub(crate) fn of(pool: Pool, reader: Reader, url: String) -> Self {
        let (actor, brake) = (Actor::connector(), Brake::default());
        Self {
            pool,
            reader,
            url,
            actor,
            brake,
            oldest: Version(0),
            held: None,
            follow_ups: &[],
            tally: Tally::default(),
            folds: Folds::default(),
        }
    }
}

/// Opens a PostgreSQL database; with `idle`, few connections, which are given up when they are idle for so long.
pub(crate) async fn postgres(
    options: PgConnectOptions,
    shown: String,
    idle: Option<Duration>,
) -> Result<Store, StoreError> {
    let pool = PgPoolOptions::new()
        .max_connections(if idle.is_some() { 3 } else { 4 })
        .acquire_timeout(LOCK_PATIENCE)
        .idle_timeout(idle.or(Some(Duration::from_mins(10))))
        .connect_with(options)
        .await
        .map_err(|source| StoreError::Open { url: shown.clone(), source: Box::new(source) })?;
    let reader = Reader::Postgres(pool.clone());
    let pool = Pool::Postgres(pool);
    migrate::migrate(&pool, &shown).await?;
    Ok(Store::of(pool, reader, shown))
}

/// Opens an SQLite database.
pub(crate) async fn sqlite(
    options: SqliteConnectOptions,
    mode: OpenMode,
    shown: String,
    in_memory: bool,
) -> Result<Store, StoreError> {
    let opened =
        |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open { url: shown.clone(), source };
    let options = options
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(LOCK_PATIENCE)
        // Kibibytes: room for the hot part of an index while a large estate is loaded.
        .pragma("cache_size", "-24576")
        // Pages. The log is emptied on purpose after a commit, not by whichever commit makes it long.
        .pragma("wal_autocheckpoint", "16384")
        // Large indexes are sorted on a second core.
        .pragma("threads", "2")
        .statement_cache_capacity(64)
        // Rows that wait to be taken: with few, the thread that reads and whoever takes wake each other for each of them.
        .row_buffer_size(1_024);
    if !in_memory {
        let file = options.get_filename();
        if mode == OpenMode::Create {
            create_private(file).map_err(|source| opened(source.into()))?;
        } else if !file.exists() {
            let missing = format!("there is no file `{}`", file.display());
            return Err(opened(missing.into()));
        }
    }
    let pool = Pool::Sqlite(pool(&options, in_memory).await.map_err(|source| opened(source.into()))?);
    migrate::migrate(&pool, &shown).await?;
    let readers = Readers::new(options.get_filename().to_path_buf(), in_memory, LOCK_PATIENCE);
    Ok(Store::of(pool, Reader::Sqlite(readers), shown))
}

async fn pool(options: &SqliteConnectOptions, in_memory: bool) -> Result<sqlx::SqlitePool, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(if in_memory { 1 } else { 4 })
        // A connection that nobody has used for a while is closed.
        .idle_timeout((!in_memory).then(|| Duration::from_secs(30)))
        .max_lifetime(None)
        // SQLite: a full disk ends a transaction behind the driver's back; such a connection is given up.
        .before_acquire(|connection, _| {
            let usable = !sqlx::Connection::is_in_transaction(connection);
            Box::pin(async move { Ok(usable) })
        })
        // What it remembers of the file is given up when it is given back: the system remembers the file for all of them,
        // and each would keep what another has read as well.
        .after_release(|connection, _| {
            Box::pin(async move {
                sqlx::query("PRAGMA shrink_memory").execute(connection).await?;
                Ok(true)
            })
        })
        .connect_with(options.clone())
        .await
}

/// Makes an empty file that only its owner may read; who had what is nobody else's business.
pub(crate) fn create_private(file: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(|_| ())
}

/// The address as it may be shown: what stands between `:` and `@` of the authority is left out.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.into() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((user, host)) = authority.rsplit_once('@') else { return url.into() };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_address_has_no_password() {
        assert_eq!(without_password("postgres://ann:s3cret@db/x"), "postgres://ann@db/x");
        assert_eq!(without_password("postgres://ann:p@ss/w@db/x").find("p@ss"), None);
        assert_eq!(without_password("sqlite:metsuke.db"), "sqlite:metsuke.db");
    }
}
