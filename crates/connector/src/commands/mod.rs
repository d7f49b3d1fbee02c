//! What the program can be asked to do, one file each.
//!
//! Flags and settings are read before; what is done is the engine's and the Baton door's.

pub(crate) mod child;
pub(crate) mod events;
pub(crate) mod health_check;
pub(crate) mod provision;
pub(crate) mod service;
pub(crate) mod sync;
