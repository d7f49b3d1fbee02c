//! What tests of several crates share: a private PostgreSQL, a look into SQLite files, chance that can be repeated,
//! settings from outside, and data that lies beside the repository.
//!
//! Not part of the product: crates name it under `[dev-dependencies]` only.
//!
//! Invariant: what a test needs and cannot have is a failure that says what to install, never a skip;
//! the one exception is data that is not part of this repository, see [`shared()`].
#![expect(clippy::panic, reason = "a missing tool must fail the test that needs it, with a hint")]
#![expect(clippy::print_stderr, reason = "a test that could not run must say so")]

#[cfg(feature = "databases")]
mod binaries;
mod chance;
#[cfg(feature = "databases")]
mod cluster;
#[cfg(feature = "databases")]
mod postgres;
mod setting;
mod shared;
#[cfg(feature = "databases")]
mod sqlite;

pub use chance::{Chance, seed};
#[cfg(feature = "databases")]
pub use postgres::{TestDatabase, fresh_database};
pub use setting::setting;
pub use shared::shared;
#[cfg(feature = "databases")]
pub use sqlite::{Hold, hold, sqlite};
