//! The HTTP door: the pages, the API under `/api/v1`, signing in under `/auth`, health, readiness and figures.
//!
//! It reads requests, asks who is there and whether they may, hands on to the engine and writes what it answers. It knows
//! neither database nor Heroku, and decides nothing about access.
//!
//! Invariant: every route is an [`Operation`](metsuke_engine::identity::Operation), or a page that stands on one; whoever may
//! not do it gets no further than the door. No answer and no log line holds a token, and a cookie alone changes nothing.

mod answer;
mod call;
mod cookies;
mod cursor;
mod description;
mod door;
mod error;
mod form;
mod guard;
mod handlers;
mod installed;
mod limits;
mod listening;
mod mcp;
mod metrics;
mod once;
mod pages;
mod place;
mod server;
mod site;
mod streams;
mod table;
mod taking;
mod upload;
mod visit;

pub use description::document;
pub use installed::{Installed, InstalledSetting};
pub use limits::Limits;
pub use place::Place;
pub use server::{Guest, Joins, Server, Services, WebError};
pub use site::page_routes;
