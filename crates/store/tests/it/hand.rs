//! Somebody with a connection of their own to a test's database: what a forger works with.
//!
//! Which changes are made is the tests' own.

use metsuke_model::Moment;
use metsuke_model::audit::{Actor, AuditRow, EventCode, Frontier, NewEvent};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _};

use crate::database::Database;

/// Somebody with a connection of their own.
pub(crate) enum Hand {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A value of a statement.
pub(crate) enum Put<'a> {
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

use Put::{Bytes, Int, Text};

macro_rules! run {
    ($connection:expr, $sql:expr, $puts:expr) => {{
        let mut query = sqlx::query($sql);
        for put in $puts {
            query = match put {
                Int(number) => query.bind(*number),
                Text(text) => query.bind((*text).to_owned()),
                Bytes(bytes) => query.bind(bytes.to_vec()),
            };
        }
        query.execute($connection).await.unwrap().rows_affected()
    }};
}

impl Hand {
    pub(crate) async fn new(database: &Database) -> Self {
        if database.is_sqlite() {
            let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
            connection.execute("PRAGMA synchronous = OFF").await.unwrap();
            Self::Sqlite(connection)
        } else {
            Self::Postgres(PgConnection::connect(&database.url).await.unwrap())
        }
    }

    pub(crate) async fn run(&mut self, sql: &'static str, puts: &[Put<'_>]) -> u64 {
        match self {
            Self::Sqlite(connection) => run!(connection, sql, puts),
            Self::Postgres(connection) => run!(connection, sql, puts),
        }
    }

    async fn script(&mut self, script: &'static [&'static str]) {
        for sql in script {
            self.run(sql, &[]).await;
        }
    }

    /// Notes the tables of the audit trail as they are.
    pub(crate) async fn save(&mut self) {
        self.script(SAVE).await;
    }

    /// Brings the tables back.
    pub(crate) async fn restore(&mut self) {
        self.script(RESTORE).await;
    }

    /// Writes another history, with hashes and a frontier that fit.
    pub(crate) async fn rewrite(&mut self, deeds: &[Deed]) -> Vec<AuditRow> {
        let mut frontier = Frontier::default();
        let rows: Vec<AuditRow> =
            deeds.iter().map(|deed| deed.event().append(&mut frontier).unwrap()).collect();
        self.run("DELETE FROM audit_event", &[]).await;
        for AuditRow { sequence, text, leaf } in &rows {
            let puts = [Int(i64::try_from(*sequence).unwrap()), Text(text), Bytes(&leaf.0)];
            self.run("INSERT INTO audit_event (sequence, text, leaf) VALUES ($1, $2, $3)", &puts).await;
        }
        self.run("UPDATE audit_frontier SET frontier = $1", &[Bytes(&frontier.to_bytes())]).await;
        rows
    }
}

const SAVE: &[&str] = &[
    "CREATE TABLE saved_event AS SELECT * FROM audit_event",
    "CREATE TABLE saved_frontier AS SELECT * FROM audit_frontier",
    "CREATE TABLE saved_checkpoint AS SELECT * FROM audit_checkpoint",
];

const RESTORE: &[&str] = &[
    "BEGIN",
    "DELETE FROM audit_event",
    "INSERT INTO audit_event SELECT * FROM saved_event",
    "DELETE FROM audit_frontier",
    "INSERT INTO audit_frontier SELECT * FROM saved_frontier",
    "DELETE FROM audit_checkpoint",
    "INSERT INTO audit_checkpoint SELECT * FROM saved_checkpoint",
    "COMMIT",
];

/// What an event is made of.
#[derive(Clone)]
pub(crate) struct Deed {
    pub(crate) actor: &'static str,
    pub(crate) plan: usize,
}

impl Deed {
    pub(crate) fn event(&self) -> NewEvent {
        let at = Moment(1_795_000_000_000_000 + i64::try_from(self.plan).unwrap());
        NewEvent::new(at, EventCode::PlanApproved, Actor::operator(self.actor)).about("plan", self.plan)
    }
}
