//! The Baton door against the other side of each of its doors, over real connections and with real databases.
//!
//! Not tests of single functions: those are beside them.
//!
//! Invariant: every claim is about what goes over a wire, or is in a file.

#![cfg(test)]

mod c1z;
mod service;
mod shape;
mod tasks;
