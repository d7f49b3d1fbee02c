//! Gives a test an empty PostgreSQL database of its own.
//!
//! The server behind it is shared by all tests of one target folder; see [`cluster`](crate::cluster).
//!
//! Invariant: two calls, in any two processes, never give the same database.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::cluster::Cluster;

/// An empty database, dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    /// Where to connect: `postgres://postgres@localhost/<name>?host=<folder of the socket>`.
    pub url: String,
    name: String,
}

/// Creates an empty database, and starts the server if no other test has.
///
/// # Panics
///
/// When PostgreSQL is not installed or does not start: the message says what to do.
#[must_use]
pub fn fresh_database() -> TestDatabase {
    let name = unique_name();
    let cluster = cluster();
    if let Err(error) = cluster.sql(&format!("CREATE DATABASE {name}")) {
        panic!("no database for this test: {error}");
    }
    TestDatabase { url: cluster.url(&name), name }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A pool that is still open must not keep the database; and a test that passed has passed.
        if let Err(error) = cluster().sql(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)) {
            eprintln!("a test database was left behind: {error}");
        }
    }
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| match Cluster::join_or_start() {
        Ok(cluster) => cluster,
        Err(error) => panic!("no PostgreSQL for this test: {error}"),
    })
}

fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("t{}_{count}_{nanos}", std::process::id())
}
