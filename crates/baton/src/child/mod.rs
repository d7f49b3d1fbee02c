//! `_connector-service`: the services for a parent process that started this one to have them.
//!
//! The parent opens the socket and makes the keys; it hands over the socket by number and the rest in one line on
//! standard input, which it then keeps open: where it ends, the parent is gone.
//!
//! Invariant: nobody is served who shows no certificate of the parent's authority, and nothing is served after the parent
//! is gone.

mod config;
mod inherit;
mod keys;

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, BufReader};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::service::{Connector, services};

pub use inherit::{LISTENER, inherited};

/// How long calls that run may take to end once the parent is gone.
const GRACE: Duration = Duration::from_secs(10);
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why the services are not served. No message holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// It was started by hand.
    #[error("this is for a parent process, which sets {LISTENER}")]
    NoParent,
    /// The socket cannot be had.
    #[error("the parent's listening socket cannot be used")]
    Listener {
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Standard input cannot be read.
    #[error("the configuration on standard input cannot be read")]
    Input {
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Standard input is empty.
    #[error("there is no configuration on standard input")]
    NoConfig,
    /// Standard input stays open and empty.
    #[error("no configuration came on standard input")]
    Late,
    /// The line is none that was expected.
    #[error("the configuration on standard input is wrong: {reason}")]
    BadConfig {
        /// In which way.
        reason: &'static str,
    },
    /// The keys are missing or cannot be used.
    #[error("the keys on standard input cannot be used: {reason}")]
    BadKeys {
        /// Why not.
        reason: String,
    },
    /// The line is about another socket.
    #[error("the configuration names port {told}, but the parent's socket listens on {listens}")]
    Port {
        /// What the line says.
        told: u32,
        /// Where the socket listens.
        listens: u16,
    },
    /// The server failed.
    #[error("the services cannot be served")]
    Serve {
        /// Why not.
        #[source]
        source: tonic::transport::Error,
    },
}

/// Serves a connector to the parent until `input` ends or `cancel` is set; both are a good end.
///
/// `input` is standard input. Where it is read by a thread that cannot be stopped, the runtime has to be ended with a
/// time limit.
///
/// # Errors
///
/// [`ChildError`] where the parent said nothing of use, or where the socket fails.
pub async fn serve(
    connector: Arc<Connector>,
    listener: TcpListener,
    input: impl AsyncRead + Unpin,
    cancel: &CancellationToken,
) -> Result<(), ChildError> {
    let mut input = BufReader::new(input);
    let config = tokio::select! {
        config = config::read(&mut input) => config?,
        () = cancel.cancelled() => return Ok(()),
    };
    let listens = listener.local_addr().map_err(|source| ChildError::Listener { source })?.port();
    if config.listen_port != u32::from(listens) {
        return Err(ChildError::Port { told: config.listen_port, listens });
    }
    let credential =
        config.credential.ok_or_else(|| ChildError::BadKeys { reason: "there are none".into() })?;
    let tls = keys::server(&credential)?.timeout(HANDSHAKE);
    let mut builder = Server::builder()
        .tls_config(tls)
        .map_err(|_| ChildError::BadKeys { reason: "TLS does not take them".into() })?;
    let incoming = incoming(listener)?;
    let (stop, ended) = (cancel.child_token(), CancellationToken::new());
    let (routes, calls) = services(&connector);
    let serving = builder.add_routes(routes).serve_with_incoming_shutdown(incoming, stop.cancelled());
    let serving = async {
        let end = within_grace(serving, &stop).await;
        stop.cancel();
        ended.cancel();
        end
    };
    let parent = async {
        tokio::select! {
            () = gone(&mut input) => stop.cancel(),
            () = stop.cancelled() => {}
        }
    };
    let (answering, reading) = (Box::pin(calls.work(&ended)), Box::pin(connector.work(&stop)));
    let (end, (), (), ()) = tokio::join!(Box::pin(serving), answering, reading, parent);
    end
}

fn incoming(listener: TcpListener) -> Result<TcpIncoming, ChildError> {
    listener.set_nonblocking(true).map_err(|source| ChildError::Listener { source })?;
    let listener =
        tokio::net::TcpListener::from_std(listener).map_err(|source| ChildError::Listener { source })?;
    Ok(TcpIncoming::from(listener).with_nodelay(Some(true)))
}

/// Ends when the other end of the input is closed; what still comes is thrown away.
async fn gone(input: &mut (impl AsyncRead + Unpin)) {
    let mut rest = [0; 512];
    while input.read(&mut rest).await.is_ok_and(|length| length > 0) {}
}

/// Waits for the server's end; once a stop was asked for, only so long.
async fn within_grace(
    serving: impl Future<Output = Result<(), tonic::transport::Error>>,
    stop: &CancellationToken,
) -> Result<(), ChildError> {
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        end = serving => end.map_err(|source| ChildError::Serve { source }),
        () = late => Ok(()),
    }
}
