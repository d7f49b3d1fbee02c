//! The listening socket that the parent process opened and handed over by number.
//!
//! A number alone says nothing about who owns the descriptor, so the standard library adopts none without unsafe code.
//! `listenfd` adopts what the environment announces in the manner of systemd. The parent announces it in a manner of its
//! own, so this process starts itself again in its own place, with both manners in its environment: same process id, same
//! descriptors, same standard input.
//!
//! Invariant: nothing but the descriptor that was named is adopted, and only once.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::Command;

use listenfd::ListenFd;

use super::ChildError;

/// The variable in which the parent tells the number of the descriptor.
pub const LISTENER: &str = "BATON_CONNECTOR_SERVICE_LISTENER_FD";

/// The listening socket that the parent handed over; `number` is what [`LISTENER`] says.
///
/// Call it first of all, before other threads run and before standard input is read: it may replace this process by a
/// new start of the same program with the same arguments, and it takes variables out of the environment.
///
/// # Errors
///
/// [`ChildError::NoParent`] where no number is told, and [`ChildError::Listener`] where it is none of a listening socket.
pub fn inherited(number: Option<&str>) -> Result<TcpListener, ChildError> {
    let number = number.filter(|text| !text.is_empty()).ok_or(ChildError::NoParent)?;
    let number: u16 = number.parse().map_err(|_| ChildError::Listener {
        source: io::Error::new(io::ErrorKind::InvalidInput, format!("{LISTENER} is no descriptor")),
    })?;
    let adopted =
        ListenFd::from_env().take_tcp_listener(0).map_err(|source| ChildError::Listener { source })?;
    if let Some(listener) = adopted {
        return Ok(listener);
    }
    match start_again(number) {
        Ok(never) => match never {},
        Err(source) => Err(ChildError::Listener { source }),
    }
}

/// Starts the same program in this process, with the descriptor announced as `listenfd` reads it.
fn start_again(number: u16) -> Result<Infallible, io::Error> {
    let mut arguments = std::env::args_os();
    let name = arguments.next();
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(arguments)
        .env("LISTEN_FDS", "1")
        .env("LISTEN_FDS_FIRST_FD", number.to_string())
        .env("LISTEN_PID", std::process::id().to_string());
    if let Some(name) = name {
        command.arg0(name);
    }
    Err(command.exec())
}
