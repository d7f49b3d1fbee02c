//! Where a restore goes: scratch files that get their names at the end, or one transaction over all schemas.
//!
//! Invariant: the main store is the last to appear, and without it nothing is an installation.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::SqlitePool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};

use super::Part;
use crate::connection::Connection;
use crate::dialect::Pool;
use crate::estates::{private_folder, schema};
use crate::open::without_password;
use crate::{StoreError, estates};

const RESTORING: &str = "restoring a backup";
/// How long a connection waits for another process's lock.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) enum Target {
    Files(Files),
    Schemas(Schemas),
}

/// SQLite: files in a folder beside the one that is to be.
#[derive(Debug)]
pub(super) struct Files {
    file: PathBuf,
    scratch: Scratch,
    replace: bool,
    open: Option<SqlitePool>,
}

/// A folder that goes with this value.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "a restore's folder could not be removed");
        }
    }
}

/// PostgreSQL: one transaction, handed to one store after the other.
#[derive(Debug)]
pub(super) struct Schemas {
    /// None while a store is being filled.
    connection: Option<Connection>,
    /// The schema of the main store.
    home: String,
}

impl Target {
    pub(super) async fn open(url: &str, replace: bool) -> Result<Self, StoreError> {
        let shown = without_password(url);
        let opened = |source: sqlx::Error| StoreError::Open { url: shown.clone(), source: Box::new(source) };
        if url.starts_with("sqlite:") && !url.contains(":memory:") {
            let options = SqliteConnectOptions::from_str(url).map_err(opened)?;
            Files::open(options.get_filename(), &shown, replace).await.map(Self::Files)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options =
                PgConnectOptions::from_str(url).map_err(opened)?.application_name("metsuke restore");
            let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
            let pool = Pool::Postgres(pool.connect_with(options).await.map_err(opened)?);
            Schemas::open(&pool, shown, replace).await.map(Self::Schemas)
        } else {
            Err(StoreError::Address { url: shown })
        }
    }

    /// An empty place for a store, in a transaction.
    pub(super) async fn begin(&mut self, part: Part) -> Result<Connection, StoreError> {
        match self {
            Self::Files(files) => files.begin(part).await,
            Self::Schemas(schemas) => schemas.begin(part).await,
        }
    }

    /// Takes a store back that is filled.
    pub(super) async fn end(&mut self, _part: Part, connection: Connection) -> Result<(), StoreError> {
        match self {
            Self::Files(files) => files.end(connection).await,
            Self::Schemas(schemas) => {
                schemas.connection = Some(connection);
                Ok(())
            }
        }
    }

    /// Lets everything be seen; what was put aside for it.
    pub(super) async fn finish(self) -> Result<Vec<PathBuf>, StoreError> {
        match self {
            Self::Files(files) => files.finish().map_err(at_files),
            Self::Schemas(Schemas { connection, .. }) => {
                match connection {
                    Some(connection) => connection.commit().await?,
                    None => return Err(StoreError::Unread),
                }
                Ok(Vec::new())
            }
        }
    }
}

fn at_files(source: std::io::Error) -> StoreError {
    StoreError::Database { doing: RESTORING, source: Box::new(source) }
}

impl Files {
    async fn open(file: &Path, shown: &str, replace: bool) -> Result<Self, StoreError> {
        let taken = std::fs::metadata(file).is_ok_and(|found| found.len() > 0);
        let folder = estates::folder(file);
        if (taken || folder.exists()) && !replace {
            let found = if taken { "the file is there" } else { "its folder of connectors is there" };
            return Err(StoreError::NotEmpty { url: shown.to_owned(), found: found.into() });
        }
        if taken {
            // Also what is still in its log goes into the file, which is put aside alone.
            Pool::alone(file).await?;
        }
        let scratch = beside(file, "restoring");
        private_folder(&scratch).map_err(at_files)?;
        Ok(Self { file: file.to_path_buf(), scratch: Scratch(scratch), replace, open: None })
    }

    async fn begin(&mut self, part: Part) -> Result<Connection, StoreError> {
        let file = match part {
            Part::Main => self.scratch.0.join("main.db"),
            Part::Connector(id) => {
                let folder = self.scratch.0.join("connectors");
                private_folder(&folder).map_err(at_files)?;
                folder.join(format!("{id}.db"))
            }
        };
        crate::open::create_private(&file).map_err(at_files)?;
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("cache_size", "-65536");
        let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = pool.connect_with(options).await.map_err(StoreError::database(RESTORING))?;
        self.open = Some(pool.clone());
        Pool::Sqlite(pool).begin_write().await
    }

    async fn end(&mut self, connection: Connection) -> Result<(), StoreError> {
        connection.commit().await?;
        if let Some(pool) = self.open.take() {
            let pool = Pool::Sqlite(pool);
            pool.analyze().await?;
            pool.settle().await?;
            if let Pool::Sqlite(pool) = pool {
                pool.close().await;
            }
        }
        Ok(())
    }

    /// Gives the files their names, the main store's last.
    fn finish(self) -> std::io::Result<Vec<PathBuf>> {
        let mut aside = Vec::new();
        let (connectors, folder) = (self.scratch.0.join("connectors"), estates::folder(&self.file));
        for old in [&self.file, &folder] {
            let there = std::fs::symlink_metadata(old).is_ok_and(|found| found.is_dir() || found.len() > 0);
            if there && self.replace {
                let name = beside(old, "before-restore");
                std::fs::rename(old, &name)?;
                aside.push(name);
            }
        }
        if connectors.exists() {
            std::fs::File::open(&connectors)?.sync_all()?;
            std::fs::rename(&connectors, &folder)?;
        }
        std::fs::rename(self.scratch.0.join("main.db"), &self.file)?;
        let parent = self.file.parent().filter(|parent| !parent.as_os_str().is_empty());
        std::fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(aside)
    }
}

/// A name beside another that nothing has yet.
fn beside(file: &Path, what: &str) -> PathBuf {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{what}-{nanos}"));
    name.into()
}

impl Schemas {
    async fn open(pool: &Pool, shown: String, replace: bool) -> Result<Self, StoreError> {
        let mut connection = pool.begin_write().await?;
        let (home, rooms) = Pool::schemas(&mut connection).await?;
        let Some(home) = home else {
            return Err(StoreError::Open { url: shown, source: "there is no schema to write into".into() });
        };
        let tables = Pool::tables(&mut connection).await?;
        if (!tables.is_empty() || !rooms.is_empty()) && !replace {
            let found = match tables.len() {
                0 => "it holds schemas of connectors".to_owned(),
                number => format!("it holds {number} tables"),
            };
            return Err(StoreError::NotEmpty { url: shown, found });
        }
        if replace {
            Pool::refuse_others(&mut connection).await?;
            if !tables.is_empty() && !tables.iter().any(|table| table == "metsuke_schema") {
                let found = "its tables are not Metsuke's".to_owned();
                return Err(StoreError::NotEmpty { url: shown, found });
            }
            for table in &tables {
                connection.each_of(RESTORING, &format!("DROP TABLE {table} CASCADE"), |_| Ok(())).await?;
            }
            for room in &rooms {
                connection.each_of(RESTORING, &format!("DROP SCHEMA {room} CASCADE"), |_| Ok(())).await?;
            }
        }
        Ok(Self { connection: Some(connection), home })
    }

    async fn begin(&mut self, part: Part) -> Result<Connection, StoreError> {
        let mut connection = self.connection.take().ok_or(StoreError::Unread)?;
        let name = match part {
            Part::Main => self.home.clone(),
            Part::Connector(id) => {
                let name = schema(id);
                connection.each_of(RESTORING, &format!("CREATE SCHEMA {name}"), |_| Ok(())).await?;
                name
            }
        };
        let sql = "SELECT set_config('search_path', quote_ident($1), true)";
        connection.each(RESTORING, sql, &[name.as_str().into()], |_| Ok(())).await?;
        Ok(connection)
    }
}
