//! The services over gRPC with mutual TLS, as a parent process asks for them.

mod child;
mod events;
mod house;
mod keys;
mod listing;
mod others;
mod provisioning;
mod syncs;
mod unread;
mod validation;
