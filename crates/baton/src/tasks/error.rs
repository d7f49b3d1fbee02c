//! What ends service mode.
//!
//! A task that fails does not; C1 is told of it.
//!
//! Invariant: no message holds a secret.

use metsuke_engine::EngineError;
use tonic::Code;

/// Why service mode could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The settings cannot work.
    #[error(transparent)]
    Settings(#[from] EngineError),
    /// The way to C1 cannot be set up.
    #[error("the connection to C1 cannot be set up: {reason}")]
    Connection {
        /// Why not.
        reason: String,
    },
    /// C1 does not take the connector, and will not take it later.
    #[error("C1 refused the connector: {message}")]
    Refused {
        /// The gRPC code.
        code: i32,
        /// What it said.
        message: String,
    },
    /// The health endpoints cannot be served.
    #[error("the health endpoints cannot be served at `{address}`")]
    Health {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl ServiceError {
    /// The gRPC code that the process ends with; 2 where there is no other.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Self::Refused { code, .. } => *code,
            Self::Settings(_) | Self::Connection { .. } | Self::Health { .. } => Code::Unknown as i32,
        }
    }
}
