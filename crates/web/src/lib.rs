//! The HTTP door: the API under `/api/v1`, health, readiness and figures.
//!
//! It reads requests, asks who is there and whether they may, hands on to the engine and writes what it answers. It knows
//! neither database nor Heroku, and decides nothing about access.
//!
//! Invariant: every route is an [`Operation`](metsuke_engine::identity::Operation); whoever may not do it gets no further than
//! the door. No answer and no log line holds a token.

mod answer;
mod call;
mod cursor;
mod description;
mod door;
mod error;
mod handlers;
mod metrics;
mod once;
mod server;
mod table;

pub use description::document;
pub use server::{Server, Services, WebError};
