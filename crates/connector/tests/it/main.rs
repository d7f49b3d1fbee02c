//! The real program against a simulated Heroku and a stand-in for C1: what it prints, writes, and exits with.
//!
//! What an engine answers, and how a file is laid out, is tested where it lives.
//!
//! Invariant: each test has a Heroku and a folder of its own.

#![cfg(test)]

mod capabilities;
mod codes;
mod events;
mod help;
mod house;
mod provisioning;
mod secrets;
mod service;
mod sources;
mod stopping;
mod syncing;
