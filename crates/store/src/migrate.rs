//! Brings a database to the newest schema, forward only, in one transaction.
//!
//! Invariant: a database of a newer schema than this program knows is left alone.

use crate::StoreError;
use crate::connection::Connection;
use crate::dialect::Pool;

struct Migration {
    number: i64,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($number:literal, $name:literal) => {
        Migration {
            number: $number,
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }
    };
}

/// Every migration, in order; a released one never changes.
const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_estate"),
    migration!(2, "0002_audit"),
    migration!(3, "0003_quarantine"),
    migration!(4, "0004_provisioning"),
    migration!(5, "0005_history"),
    migration!(6, "0006_people"),
    migration!(7, "0007_walks"),
    migration!(8, "0008_platform"),
    migration!(9, "0009_findings"),
    migration!(10, "0010_tokens"),
    migration!(11, "0011_changes"),
    migration!(12, "0012_sign_in"),
    migration!(13, "0013_sessions"),
    migration!(14, "0014_credentials"),
    migration!(15, "0015_questions"),
    migration!(16, "0016_change_subjects"),
    migration!(17, "0017_finding_who"),
    migration!(18, "0018_approvals"),
    migration!(19, "0019_finding_lists"),
    migration!(20, "0020_apps_of_teams"),
];

/// The newest schema that this program knows.
pub(crate) fn known() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.number)
}

/// The schema that the database has; 0 for an empty one.
pub(crate) async fn found(connection: &mut Connection) -> Result<i64, StoreError> {
    if !Pool::has_table(connection, "metsuke_schema").await? {
        return Ok(0);
    }
    let mut found = 0;
    connection
        .each(
            "reading the schema's number",
            "SELECT COALESCE(MAX(number), 0) FROM metsuke_schema",
            &[],
            |row| {
                found = row.number(0)?;
                Ok(())
            },
        )
        .await?;
    Ok(found)
}

/// Applies what is missing.
pub(crate) async fn migrate(pool: &Pool, url: &str) -> Result<(), StoreError> {
    let mut connection = pool.begin_read().await?;
    let before = found(&mut connection).await?;
    drop(connection);
    refuse_newer(before, url)?;
    if before == known() {
        return Ok(());
    }
    let mut connection = pool.begin_write().await?;
    // Another process may have been here while this one waited for the lock.
    let before = found(&mut connection).await?;
    refuse_newer(before, url)?;
    apply(&mut connection, before, known()).await?;
    connection.commit().await
}

/// Brings a database from one schema to another, inside the caller's transaction.
pub(crate) async fn apply(connection: &mut Connection, from: i64, to: i64) -> Result<(), StoreError> {
    if from == 0 {
        let sql = "CREATE TABLE IF NOT EXISTS metsuke_schema (number BIGINT PRIMARY KEY)";
        connection.execute("preparing the schema", sql, &[]).await?;
    }
    for migration in MIGRATIONS.iter().filter(|migration| (from + 1..=to).contains(&migration.number)) {
        let script = match connection {
            Connection::Sqlite(_) => migration.sqlite,
            Connection::Postgres(_) => migration.postgres,
        };
        Pool::run_script(connection, script).await?;
        let sql = "INSERT INTO metsuke_schema (number) VALUES ($1)";
        connection.execute("preparing the schema", sql, &[migration.number.into()]).await?;
    }
    Ok(())
}

fn refuse_newer(found: i64, url: &str) -> Result<(), StoreError> {
    if found > known() {
        return Err(StoreError::Newer { url: url.into(), found, known: known() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
