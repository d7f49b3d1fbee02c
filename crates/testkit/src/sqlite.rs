//! Looks into a SQLite file past the store, and spoils it on purpose.
//!
//! It knows nothing of the schema; the statements are the test's own.

use std::path::Path;

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
