//! A file opened for reading, whoever made it.
//!
//! It is decoded into a private file that has no name any more once it is open, and read through SQLite, which is told
//! to trust nothing of it. What the rows mean is read elsewhere ([`read`](super::read)).
//!
//! Invariant: nothing of a file is run: no view, no trigger, no virtual table, no generated column, no check.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::container::{self, Container, Found};
use super::database::{TABLES, Table, default_of};
use super::{C1zError, SyncRun};

/// What a reader allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// The longest database that may come of a file.
    pub max_decoded_bytes: u64,
    /// How many times its own length it may be, once it is longer than 16 MiB.
    pub max_ratio: u64,
    /// Where it is decoded; the system's folder for such files by default.
    pub temp_dir: Option<PathBuf>,
    /// Whether the database is checked for damage before it is read, which takes about as long as decoding it.
    pub check: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { max_decoded_bytes: 10 << 30, max_ratio: 200, temp_dir: None, check: true }
    }
}

/// An open file.
#[derive(Debug)]
pub struct C1z {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    container: Container,
    /// The columns of each table that is there.
    pub(super) columns: BTreeMap<String, Vec<String>>,
    pub(super) syncs: Vec<SyncRun>,
}

impl C1z {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// [`C1zError::Missing`] where there is none or an empty one, [`C1zError::TooLarge`] where it exceeds the options,
    /// [`C1zError::Invalid`] where it is no file of this kind.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, C1zError> {
        match container::look(path)? {
            Found::Nothing => Err(C1zError::Missing { path: path.to_owned() }),
            Found::First(file) => Self::decoded(path, file, options),
        }
    }

    pub(super) fn decoded(path: &Path, file: std::fs::File, options: &ReadOptions) -> Result<Self, C1zError> {
        let (decoded, container) = container::decode(path, file, options)?;
        container::leave_write_ahead_log(path, decoded.as_file())?;
        let connection = connect(decoded.path()).map_err(C1zError::database(path))?;
        // From here on the file is the connection's alone, and gone with it.
        decoded.close().map_err(C1zError::io("removing a decoded copy of", path))?;
        let mut opened = Self {
            path: path.to_owned(),
            connection,
            container,
            columns: BTreeMap::new(),
            syncs: Vec::new(),
        };
        opened.refuse_code()?;
        if options.check {
            opened.check()?;
        }
        opened.columns = opened.read_columns()?;
        opened.syncs = opened.read_syncs()?;
        Ok(opened)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its outside tells.
    #[must_use]
    pub const fn container(&self) -> &Container {
        &self.container
    }

    fn refuse_code(&self) -> Result<(), C1zError> {
        let error = C1zError::database(&self.path);
        let sql = "SELECT type, name, COALESCE(sql, '') FROM sqlite_schema";
        let mut statement = self.connection.prepare(sql).map_err(&error)?;
        let mut rows = statement.query([]).map_err(&error)?;
        while let Some(row) = rows.next().map_err(&error)? {
            let (kind, name, sql) = row_texts(row).map_err(&error)?;
            let is_virtual = sql.trim_start().to_ascii_uppercase().starts_with("CREATE VIRTUAL");
            if is_virtual || !matches!(kind.as_str(), "table" | "index") {
                let what = if is_virtual { "virtual table" } else { &kind };
                return Err(C1zError::invalid(&self.path, format!("it brings a {what}, `{name}`")));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), C1zError> {
        let sql = "PRAGMA quick_check(1)";
        let told: String =
            self.connection.query_row(sql, [], |row| row.get(0)).map_err(C1zError::database(&self.path))?;
        if told == "ok" {
            return Ok(());
        }
        let told: String =
            told.chars().take(200).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        Err(C1zError::invalid(&self.path, format!("its database is damaged: {told}")))
    }

    fn read_columns(&self) -> Result<BTreeMap<String, Vec<String>>, C1zError> {
        let error = C1zError::database(&self.path);
        let mut tables = BTreeMap::new();
        for table in self.table_names()? {
            let sql = "SELECT name, hidden FROM pragma_table_xinfo(?1)";
            let mut statement = self.connection.prepare(sql).map_err(&error)?;
            let columns = statement
                .query_map([&table], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(&error)?;
            if let Some((name, _)) = columns.iter().find(|(_, hidden)| *hidden != 0) {
                let what = format!("it brings a column that is computed, `{name}` of `{table}`");
                return Err(C1zError::invalid(&self.path, what));
            }
            tables.insert(table, columns.into_iter().map(|(name, _)| name).collect());
        }
        Ok(tables)
    }

    fn table_names(&self) -> Result<Vec<String>, C1zError> {
        let sql =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
        self.connection
            .prepare(sql)
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .map_err(C1zError::database(&self.path))
    }

    /// The columns of a table as they are asked for: what an old file lacks stands there as its default.
    ///
    /// `None` where the file has no such table.
    pub(super) fn select(&self, table: &Table) -> Result<Option<String>, C1zError> {
        let Some(there) = self.columns.get(table.name) else { return Ok(None) };
        let is_there = |column: &str| there.iter().any(|name| name.eq_ignore_ascii_case(column));
        let mut columns = Vec::with_capacity(table.columns.len());
        for column in table.columns {
            match default_of(column) {
                _ if is_there(column) => columns.push((*column).to_owned()),
                Some(default) => columns.push(format!("{default} AS {column}")),
                None => {
                    let what = format!("its table `{}` has no column `{column}`", table.name);
                    return Err(C1zError::invalid(&self.path, what));
                }
            }
        }
        Ok(Some(format!("SELECT {} FROM {}", columns.join(", "), table.name)))
    }

    /// What stands in the file and would be lost if its rows were copied.
    pub(super) fn unknown(&self) -> Option<String> {
        self.columns.iter().find_map(|(name, columns)| {
            let Some(table) = TABLES.iter().find(|table| table.name == name) else {
                return Some(format!("a table `{name}`"));
            };
            let known = |column: &&String| *column == "id" || table.columns.contains(&column.as_str());
            let unknown = columns.iter().find(|column| !known(column))?;
            Some(format!("a column `{unknown}` of `{name}`"))
        })
    }
}

fn row_texts(row: &rusqlite::Row<'_>) -> rusqlite::Result<(String, String, String)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

/// Opens a database that may be meant to harm.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri(path), flags)?;
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
    ] {
        connection.set_db_config(setting, value)?;
    }
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, 64 << 20),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
        (Limit::SQLITE_LIMIT_COLUMN, 200),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 50),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 10),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 10),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, most)?;
    }
    connection.execute_batch(
        "PRAGMA query_only = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA ignore_check_constraints = ON;
         PRAGMA mmap_size = 0;
         PRAGMA temp_store = FILE;
         PRAGMA cache_size = -16384;",
    )?;
    Ok(connection)
}

/// A path as SQLite reads it: this file never changes, so that nothing is looked for beside it.
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for letter in path.to_string_lossy().chars() {
        match letter {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            other => uri.push(other),
        }
    }
    uri.push_str("?immutable=1&mode=ro");
    uri
}
