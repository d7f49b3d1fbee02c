//! The store on both engines: what was committed is read back, now and as it was, whatever happens in between.
//!
//! Invariant: every test runs on SQLite and on PostgreSQL through one body, unless it is about one engine's files.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers included")]

/// Makes two tests of each body, one for each engine.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::database::Database::sqlite()).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::database::Database::postgres()).await;
            })+
        }
    };
}

mod audit;
mod backup;
mod database;
mod deliveries;
mod document;
mod editions;
mod expected;
mod findings;
mod full_disk;
mod gaps;
mod generated;
mod hand;
mod log;
mod opening;
mod people;
mod platform;
mod provision;
mod pruning;
mod quarantine;
mod query;
mod questions;
mod rewound;
mod selects;
mod sequences;
mod sign_in;
mod tables;
mod tampering;
mod together;
mod tokens;
