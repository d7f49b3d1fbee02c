//! The audit trail: what happened and who did it, in a log that cannot be changed behind one's back.
//!
//! Nothing here reads or writes a place. A store keeps the rows and the frontier, the command line writes and
//! reads exports, and who keeps the signing key is decided there.
//!
//! In reading order:
//!
//! * [`EventCode`], [`Actor`], [`NewEvent`], [`Event`]: what an event holds, and the text of it that counts.
//! * [`merkle`]: the tree over the leaf hashes, [`Frontier`] to grow it, proofs about it.
//! * [`Origin`], [`SigningKey`], [`PublicKey`], [`Checkpoint`]: size and root of the log, signed.
//! * [`export`]: the log as lines. [`Verifier`]: checks them. [`Checker`]: checks the rows of a database.
//!
//! # Appending
//!
//! In one transaction: read the frontier, [`NewEvent::append`] to it, store the row and the frontier. A
//! checkpoint is [`Checkpoint::sign`] over the frontier's size and root.
//!
//! # What is covered, and what is not
//!
//! | somebody who | and has | is found by |
//! |---|---|---|
//! | edits, deletes, adds, reorders or repeats events, or cuts off the end | no key | any signed checkpoint over those events, with the public key known from elsewhere |
//! | brings back an older state of the whole log with its own checkpoints | no key | a newer checkpoint that was kept elsewhere |
//! | writes another history and signs it | the key | a checkpoint that was kept elsewhere, up to its size |
//! | replaces events that are newer than the last checkpoint | the database | **nothing** |
//! | replaces everything, key and checkpoints included | the database | the public key or a checkpoint, kept elsewhere |
//! | makes the product record what is not so, or nothing at all | the running program | **nothing** |
//!
//! Leaf hashes and frontier are plain computations: whoever can write to the database can make them fit. They
//! find accidents and clumsy changes, and say where. The proof is in the signatures, and against the owner of
//! the key in the copies that are out of reach. So: keep the public key elsewhere, export checkpoints often and
//! to a place that those who run the database cannot write to. The tail that is newer than the last such
//! checkpoint is not protected; [`Verdict::caveats`] says how long it is.
//!
//! That the log is right does not mean that it is true or complete: that no change is made without an event is
//! the promise of whoever makes the changes.
//!
//! Sources: RFC 6962, section 2.1 <https://www.rfc-editor.org/rfc/rfc6962#section-2.1>;
//! <https://c2sp.org/signed-note>; <https://c2sp.org/tlog-checkpoint>; RFC 8785.

mod actor;
mod canonical;
mod catalogue;
mod check;
mod checkpoint;
mod error;
mod event;
pub mod export;
mod key;
pub mod merkle;
mod order;
mod outcome;
mod verdict;
mod verify;

pub use actor::{Actor, ActorKind};
pub use catalogue::{Code, EventCode};
pub use check::{Checker, Expected};
pub use checkpoint::{Checkpoint, MAX_NOTE_BYTES};
pub use error::AuditError;
pub use event::{AuditRow, EVENT_FORMAT, Event, MAX_EVENT_BYTES, MAX_SUBJECT_BYTES, NewEvent};
pub use key::{Origin, PublicKey, SigningKey};
pub use merkle::{Digest, Frontier, leaf_hash};
pub use outcome::EventOutcome;
pub use verdict::{Finding, FindingKind, KeySource, MAX_FINDINGS, Verdict};
pub use verify::{Verifier, verify};

#[cfg(test)]
mod tests;
