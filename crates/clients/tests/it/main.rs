//! The client against a server that behaves as told, over real sockets.
//!
//! The server here is a few lines of HTTP/1.1 and nothing of Heroku; the simulator is the better
//! Heroku, and cannot cut a body in the middle.
//!
//! Invariant: a test states what the server does, request by request, and what the client makes of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers included")]

mod c1;
mod deliver;
mod faults;
mod fresh;
mod paging;
mod recordings;
mod roster;
mod server;
mod ssrf;
mod write_calls;
mod writes;

use std::time::Duration;

use metsuke_clients::heroku::{Heroku, Provisioning, Settings};

pub(crate) use server::{Server, Turn};

pub(crate) const TOKEN: &str = "HRKU-0123456789-not-to-be-shown";

/// Settings that make a client impatient, so that tests are short.
pub(crate) fn settings(server: &Server) -> Settings {
    let mut settings = Settings::new(server.url(), TOKEN.into());
    settings.first_delay = Duration::from_millis(1);
    settings.max_delay = Duration::from_millis(10);
    settings.request_timeout = Duration::from_secs(5);
    settings.idle_timeout = Duration::from_secs(2);
    settings
}

pub(crate) fn client(server: &Server) -> Heroku {
    Heroku::new(settings(server)).unwrap()
}

/// The way to change access on the server.
pub(crate) fn provisioning(server: &Server) -> Provisioning {
    client(server).provisioning().unwrap()
}
