//! The real program against a simulated Heroku: what it prints, what it exits with, what it leaves behind.
//!
//! What an engine answers is tested where it lives; here it is told.
//!
//! Invariant: each test has a Heroku, a folder and a database of its own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers included")]

mod allocator;
mod answers;
mod asking;
mod audit;
mod c1z;
mod changes;
mod connectors;
mod doctor;
mod errors;
mod findings;
mod help;
mod house;
mod jupiterone;
mod keeping;
mod kill;
mod people;
mod provision_kill;
mod provisioning;
mod quarantine;
mod rules;
mod serving;
mod syncing;
mod together;
