//! The Baton door: an estate as the Baton ecosystem's connectors show theirs.
//!
//! It translates between the engine's words and Baton's: resource types, entitlements and grants as Protocol Buffers
//! messages, files in the `c1z` format, gRPC services for a parent process, and tasks that C1 hands out. What may be
//! changed, and how, is the engine's to decide; nothing here speaks to Heroku or to the product's database.
//!
//! In reading order:
//!
//! * [`proto`]: the messages and services, generated from the `.proto` files of this crate.
//! * [`any`]: messages packed with the name of their type.
//! * [`id`]: ids of entitlements and grants, and the `bid:` notation.
//! * [`shape`]: a version of the estate as resources, entitlements and grants.
//! * [`expand`]: whether inherited grants are written out.
//! * [`source`]: which rows a file of a version has.
//! * [`capabilities`]: what the connector says of itself.
//! * [`c1z`]: files, written and read.
//! * [`compare`]: what differs between two syncs, and between a sync and a version.
//! * [`service`]: what a parent process, or our own tasks, may ask of the connector.
//! * [`child`]: the same as services for a parent process.
//! * [`tasks`]: service mode: what C1 hands out, and what comes of it.

pub mod any;
pub mod c1z;
pub mod capabilities;
pub mod child;
pub mod compare;
pub mod expand;
pub mod id;
pub mod proto;
pub mod service;
pub mod shape;
pub mod source;
pub mod tasks;
pub mod time;
