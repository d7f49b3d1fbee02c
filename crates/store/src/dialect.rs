//! What the two engines do differently, one function a difference, both arms side by side.

use std::time::{Duration, Instant};

use sqlx::{PgPool, SqlitePool};

use crate::StoreError;
use crate::backup::Holds;
use crate::connection::Connection;

/// The database behind a store.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

const LOOKING: &str = "looking for the schema";
/// How long connections that were closed may take to go.
const PARTING: Duration = Duration::from_secs(3);
/// The lock that makes writers of one PostgreSQL store wait for each other; each store is a schema.
const WRITERS_LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 7236836))";
/// The lock of whose turn it is to change Heroku.
const PROVISIONING_LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 7236837))";

impl Pool {
    /// A transaction that sees one committed state, whatever is written meanwhile.
    pub(crate) async fn begin_read(&self) -> Result<Connection, StoreError> {
        match self {
            Self::Sqlite(pool) => pool.begin_with("BEGIN").await.map(Connection::Sqlite),
            Self::Postgres(pool) => pool
                .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await
                .map(Connection::Postgres),
        }
        .map_err(StoreError::database("opening a read"))
    }

    /// The one transaction that may write now; others wait for its end.
    pub(crate) async fn begin_write(&self) -> Result<Connection, StoreError> {
        let mut connection = match self {
            Self::Sqlite(pool) => pool.begin_with("BEGIN IMMEDIATE").await.map(Connection::Sqlite),
            Self::Postgres(pool) => pool.begin_with("BEGIN").await.map(Connection::Postgres),
        }
        .map_err(StoreError::database("opening a write"))?;
        if let Connection::Postgres(_) = connection {
            connection.each("waiting for other writers", WRITERS_LOCK, &[], |_| Ok(())).await?;
        }
        Ok(connection)
    }

    /// PostgreSQL: a transaction that holds the turn to change Heroku for as long as it is open.
    pub(crate) async fn lock_provisioning(&self, patience: Duration) -> Result<Connection, StoreError> {
        let mut connection = self.begin_read().await?;
        let wait = format!("{}ms", patience.as_millis().max(1));
        let doing = "waiting for the turn to change Heroku";
        let sql = "SELECT set_config('lock_timeout', $1, true)";
        connection.each(doing, sql, &[wait.as_str().into()], |_| Ok(())).await?;
        connection.each(doing, PROVISIONING_LOCK, &[], |_| Ok(())).await?;
        Ok(connection)
    }

    /// Runs a script of several statements inside the transaction.
    pub(crate) async fn run_script(
        connection: &mut Connection,
        script: &'static str,
    ) -> Result<(), StoreError> {
        match connection {
            Connection::Sqlite(connection) => {
                sqlx::raw_sql(script).execute(&mut **connection).await.map(|_| ())
            }
            Connection::Postgres(connection) => {
                sqlx::raw_sql(script).execute(&mut **connection).await.map(|_| ())
            }
        }
        .map_err(StoreError::database("preparing the schema"))
    }

    /// Turns SQLite's write-ahead log on, or empties it into the file, so that it does not grow from commit to commit.
    ///
    /// A new file has none until its first version is in it: a first load through the log would write everything
    /// twice. A reader in the way only postpones either. PostgreSQL looks after its own log.
    pub(crate) async fn settle(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(pool) => {
                let mut connection = pool.acquire().await.map_err(StoreError::database("settling"))?;
                // Not to wait for readers: they would hold up the commit that has just been made.
                let script = "PRAGMA busy_timeout = 0;
                              PRAGMA journal_mode = WAL;
                              PRAGMA wal_checkpoint(TRUNCATE);";
                let settled = sqlx::raw_sql(script).execute(&mut *connection).await.map(|_| ());
                let patient = sqlx::raw_sql("PRAGMA busy_timeout = 20000;").execute(&mut *connection).await;
                settled.and(patient.map(|_| ()))
            }
            Self::Postgres(_) => Ok(()),
        }
        .map_err(StoreError::database("settling the write-ahead log"))
    }

    /// Refreshes the planner's statistics.
    pub(crate) async fn analyze(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(pool) => {
                sqlx::raw_sql("PRAGMA analysis_limit = 1000; ANALYZE;").execute(pool).await.map(|_| ())
            }
            Self::Postgres(pool) => sqlx::raw_sql("ANALYZE;").execute(pool).await.map(|_| ()),
        }
        .map_err(StoreError::database("refreshing statistics"))
    }

    /// The head of a bulk insert as SQLite takes it best.
    ///
    /// SQLite: a statement that may fail half-way keeps a journal of its own to undo itself; one that says that it
    /// need not be undone does not. Here a failed statement always ends its whole transaction.
    pub(crate) fn sqlite_head((head, tail): (&str, &str)) -> String {
        match head.strip_prefix("INSERT INTO") {
            Some(rest) if tail.is_empty() => format!("INSERT OR FAIL INTO{rest}"),
            _ => head.to_owned(),
        }
    }

    /// Whether a table of this name exists.
    pub(crate) async fn has_table(connection: &mut Connection, table: &str) -> Result<bool, StoreError> {
        let sql = match connection {
            Connection::Sqlite(_) => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
            Connection::Postgres(_) => {
                "SELECT CAST(1 AS BIGINT) FROM information_schema.tables
                  WHERE table_schema = current_schema() AND table_name = $1"
            }
        };
        let mut found = false;
        connection
            .each("looking for the schema", sql, &[table.into()], |_| {
                found = true;
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// Every table of the store's schema.
    pub(crate) async fn tables(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
        let sql = match connection {
            Connection::Sqlite(_) => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
            }
            Connection::Postgres(_) => {
                "SELECT CAST(table_name AS TEXT)
                   FROM information_schema.tables
                  WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
                  ORDER BY table_name"
            }
        };
        let mut tables = Vec::new();
        connection
            .each("looking for the schema", sql, &[], |row| {
                tables.extend(row.text(0)?);
                Ok(())
            })
            .await?;
        Ok(tables)
    }

    /// SQLite: rows that refer to each other go in any order, and are judged at the end.
    pub(crate) async fn defer_references(connection: &mut Connection) -> Result<(), StoreError> {
        match connection {
            Connection::Sqlite(_) => Self::run_script(connection, "PRAGMA defer_foreign_keys = ON").await,
            Connection::Postgres(_) => Ok(()),
        }
    }

    /// Takes every row of these tables away.
    ///
    /// PostgreSQL: emptied as a whole, the files of the tables go with the transaction.
    pub(crate) async fn empty(connection: &mut Connection, tables: &[String]) -> Result<(), StoreError> {
        const DOING: &str = "emptying tables";
        match connection {
            Connection::Sqlite(_) => {
                for table in tables {
                    connection.each_of(DOING, &format!("DELETE FROM {table}"), |_| Ok(())).await?;
                }
                Ok(())
            }
            Connection::Postgres(_) => {
                let sql = format!("TRUNCATE {}", tables.join(", "));
                connection.each_of(DOING, &sql, |_| Ok(())).await
            }
        }
    }

    /// SQLite: gives the room of what is gone back, so that nothing of it lies in the file.
    pub(crate) async fn shrink(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(pool) => {
                let script = "VACUUM;
                              PRAGMA wal_checkpoint(TRUNCATE);";
                sqlx::raw_sql(script).execute(pool).await.map(|_| ())
            }
            Self::Postgres(_) => Ok(()),
        }
        .map_err(StoreError::database("making the file smaller"))
    }

    /// The tables that a table refers to.
    pub(crate) async fn references(
        connection: &mut Connection,
        table: &str,
    ) -> Result<Vec<String>, StoreError> {
        let sql = match connection {
            Connection::Sqlite(_) => "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)",
            Connection::Postgres(_) => {
                "SELECT CAST(other.relname AS TEXT)
                   FROM pg_constraint
                   JOIN pg_class AS own ON own.oid = pg_constraint.conrelid
                   JOIN pg_class AS other ON other.oid = pg_constraint.confrelid
                   JOIN pg_namespace ON pg_namespace.oid = own.relnamespace
                  WHERE pg_constraint.contype = 'f'
                    AND own.relname = $1
                    AND pg_namespace.nspname = current_schema()"
            }
        };
        let mut tables = Vec::new();
        connection
            .each(LOOKING, sql, &[table.into()], |row| {
                tables.extend(row.text(0)?);
                Ok(())
            })
            .await?;
        Ok(tables)
    }

    /// The columns of a table, in their order.
    pub(crate) async fn columns(connection: &mut Connection, table: &str) -> Result<Vec<Column>, StoreError> {
        let sql = match connection {
            Connection::Sqlite(_) => "SELECT name, lower(type), pk FROM pragma_table_info($1) ORDER BY cid",
            Connection::Postgres(_) => {
                "SELECT CAST(attribute.attname AS TEXT),
                        format_type(attribute.atttypid, NULL),
                        CAST(COALESCE(array_position(string_to_array(CAST(own_key.indkey AS TEXT), ' '),
                                                     CAST(attribute.attnum AS TEXT)), 0) AS BIGINT)
                   FROM pg_attribute AS attribute
                   JOIN pg_class AS own ON own.oid = attribute.attrelid
                   JOIN pg_namespace ON pg_namespace.oid = own.relnamespace
                   LEFT JOIN pg_index AS own_key ON own_key.indrelid = own.oid AND own_key.indisprimary
                  WHERE own.relname = $1
                    AND pg_namespace.nspname = current_schema()
                    AND attribute.attnum > 0
                    AND NOT attribute.attisdropped
                  ORDER BY attribute.attnum"
            }
        };
        let mut columns = Vec::new();
        connection
            .each(LOOKING, sql, &[table.into()], |row| {
                let (name, kind) = (row.text(0)?.unwrap_or_default(), row.text(1)?.unwrap_or_default());
                let holds = match kind.as_str() {
                    "integer" | "bigint" => Holds::Int,
                    "text" => Holds::Text,
                    "blob" | "bytea" => Holds::Bytes,
                    _ => {
                        let what = format!("column `{name}` of table `{table}` is of type `{kind}`");
                        return Err(StoreError::Damaged { what });
                    }
                };
                columns.push(Column { name, holds, key: row.number(2)? });
                Ok(())
            })
            .await?;
        Ok(columns)
    }

    /// Orders by a column of text as bytes are ordered, whatever language a database is set to.
    pub(crate) fn bytewise(connection: &Connection, column: &str) -> String {
        match connection {
            Connection::Sqlite(_) => column.to_owned(),
            Connection::Postgres(_) => format!("{column} COLLATE \"C\""),
        }
    }

    /// PostgreSQL: a name for what this transaction sees, by which others can see the same.
    pub(crate) async fn moment(connection: &mut Connection) -> Result<Option<String>, StoreError> {
        let mut moment = None;
        if let Connection::Postgres(_) = connection {
            let read = |row: crate::connection::Row<'_>| {
                moment = row.text(0)?;
                Ok(())
            };
            connection.each("naming what a backup sees", "SELECT pg_export_snapshot()", &[], read).await?;
        }
        Ok(moment)
    }

    /// PostgreSQL: lets a transaction that has read nothing yet see what another sees.
    pub(crate) async fn join(connection: &mut Connection, moment: Option<&str>) -> Result<(), StoreError> {
        let known = |text: &&str| text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        match moment.filter(known) {
            Some(moment) => {
                let sql = format!("SET TRANSACTION SNAPSHOT '{moment}'");
                connection.each_of("sharing what a backup sees", &sql, |_| Ok(())).await
            }
            None => Ok(()),
        }
    }

    /// PostgreSQL: the schema that is written to, and those of connectors.
    pub(crate) async fn schemas(
        connection: &mut Connection,
    ) -> Result<(Option<String>, Vec<String>), StoreError> {
        let (mut home, mut rooms) = (None, Vec::new());
        let sql = "SELECT CAST(current_schema() AS TEXT)";
        connection
            .each(LOOKING, sql, &[], |row| {
                home = row.text(0)?;
                Ok(())
            })
            .await?;
        let sql = "SELECT CAST(nspname AS TEXT) FROM pg_namespace WHERE nspname ~ '^connector_[0-9a-f]{32}$'";
        connection
            .each(LOOKING, sql, &[], |row| {
                rooms.extend(row.text(0)?);
                Ok(())
            })
            .await?;
        Ok((home, rooms))
    }

    /// PostgreSQL: refuses a database that another Metsuke is connected to. Connections that were just closed go within moments, and are
    /// waited for.
    pub(crate) async fn refuse_others(connection: &mut Connection) -> Result<(), StoreError> {
        let began = Instant::now();
        while others(connection).await? > 0 {
            if began.elapsed() > PARTING {
                return Err(StoreError::Busy { doing: "looking whether it is in use" });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// SQLite: empties a file's log into it and turns it off, which only who has the file alone can do.
    pub(crate) async fn alone(file: &std::path::Path) -> Result<(), StoreError> {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let doing = "looking whether it is in use";
        let pool = SqlitePool::connect_with(options).await.map_err(StoreError::database(doing))?;
        let script = "PRAGMA busy_timeout = 0;
                      PRAGMA journal_mode = DELETE;
                      BEGIN EXCLUSIVE;
                      ROLLBACK;";
        let alone = sqlx::raw_sql(script).execute(&pool).await.map(|_| ());
        pool.close().await;
        alone.map_err(StoreError::database(doing))
    }
}

/// PostgreSQL: how many connections of Metsuke there are beside this one.
async fn others(connection: &mut Connection) -> Result<u64, StoreError> {
    // Otherwise a transaction sees what it saw first.
    connection.each(LOOKING, "SELECT CAST(pg_stat_clear_snapshot() AS TEXT)", &[], |_| Ok(())).await?;
    let mut others = 0;
    let sql = "SELECT COUNT(*)
                 FROM pg_stat_activity
                WHERE datname = current_database()
                  AND application_name LIKE 'metsuke%'
                  AND pid <> pg_backend_pid()";
    connection
        .each(LOOKING, sql, &[], |row| {
            others = row.count(0)?;
            Ok(())
        })
        .await?;
    Ok(others)
}

/// A column as the database has it.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) holds: Holds,
    /// Its place in the table's key, counted from one; 0 where it is no part of that.
    pub(crate) key: i64,
}
