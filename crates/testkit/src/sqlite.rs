//! Looks into a SQLite file past the store, and spoils it on purpose.
//!
//! It knows nothing of the schema; the statements are the test's own.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

/// Runs statements on a file of its own connection; the first column of every row, as text.
///
/// # Errors
///
/// What SQLite said, as text.
pub async fn sqlite(file: &Path, statements: &'static str) -> Result<Vec<String>, String> {
    let text = |error: sqlx::Error| error.to_string();
    let options = SqliteConnectOptions::new().filename(file).foreign_keys(false);
    let mut connection: SqliteConnection = options.connect().await.map_err(text)?;
    let rows = sqlx::raw_sql(statements).fetch_all(&mut connection).await.map_err(text)?;
    connection.close().await.map_err(text)?;
    rows.iter().map(|row| row.try_get_unchecked::<String, _>(0).map_err(text)).collect()
}

/// Keeps everybody else from writing to a SQLite file.
#[derive(Debug)]
pub struct Hold(SqliteConnection);

/// Takes a SQLite file's turn to write, once nobody has it.
///
/// # Errors
///
/// What SQLite said, as text.
pub async fn hold(file: &Path) -> Result<Hold, String> {
    let text = |error: sqlx::Error| error.to_string();
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(20));
    let mut connection: SqliteConnection = options.connect().await.map_err(text)?;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.map_err(text)?;
    Ok(Hold(connection))
}

impl Hold {
    /// Lets the others write again.
    ///
    /// # Errors
    ///
    /// What SQLite said, as text.
    pub async fn release(mut self) -> Result<(), String> {
        let text = |error: sqlx::Error| error.to_string();
        sqlx::raw_sql("ROLLBACK").execute(&mut self.0).await.map_err(text)?;
        self.0.close().await.map_err(text)
    }
}
