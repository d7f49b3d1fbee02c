//! Files in the `c1z` format, version 1: a SQLite database inside one zstd frame, as the ecosystem exchanges syncs.
//!
//! What rows a sync consists of is decided elsewhere and arrives through [`Rows`]. Version 3 of the format, a packed
//! folder of another kind of database, is recognised and refused.
//!
//! In reading order:
//!
//! * [`Rows`] and [`Sink`]: what is written, and what is read.
//! * [`SyncRun`], [`SyncId`], [`Stats`]: what a file says of each of its syncs.
//! * [`write()`]: a new file, or a further sync in an old one.
//! * [`C1z`]: a file that somebody else may have written, opened for reading.
//! * [`inspect`], [`diff`], [`Content`]: what is asked of files.
//!
//! Invariants: under its name, a file is either as it was or finished. The same rows under the same head are the same
//! bytes. What was read from a file is never run, and takes no more room than the caller allows.

mod container;
mod content;
mod database;
mod diff;
mod error;
mod frame;
mod inspect;
mod keep;
mod known;
mod open;
mod read;
mod rows;
mod run;
mod seal;
mod wall;
mod write;
mod xxh64;

pub use container::Container;
pub(crate) use content::email;
pub use content::{Content, EntitlementRow, GrantRow, Manner, ResourceRow};
pub use diff::{Change, Changes, DiffCounts, Difference, diff};
pub use error::{C1zError, Offence, Offences};
pub use inspect::{Inspection, SyncInspection, inspect};
pub(crate) use known::expansion;
pub use open::{C1z, ReadOptions};
pub use read::SyncRows;
pub use rows::{Row, RowKind, Rows, Sink};
pub use run::{Stats, SyncHead, SyncId, SyncRun, SyncType};
pub use write::{Keep, OLD_READERS_TAKE, WriteOptions, Written, write};
