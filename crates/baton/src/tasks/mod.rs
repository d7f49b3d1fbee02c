//! Service mode: the connector asks C1 for tasks, does them, and tells what came of them.
//!
//! What a task does is a [`Worker`]'s affair, and what a request for a token looks like the engine's. The process's
//! environment and its signals are read by the binary.
//!
//! Invariant: a task that is given up, by C1 or because C1 is silent, is told nothing more of; every other one is finished
//! exactly once as far as this process can know, and is never done twice by it.
//!
//! In reading order: [`Settings`], [`Worker`], [`Service`], [`health`].

mod diary;
mod error;
mod finish;
pub mod health;
mod heartbeat;
mod hello;
mod line;
mod perform;
mod queue;
mod service;
mod settings;
mod sync;
mod upload;
mod worker;

pub use error::ServiceError;
pub use service::Service;
pub use settings::{Build, Concurrency, HostId, Settings, Times};
pub use worker::{Failed, SyncOrder, Worker};
