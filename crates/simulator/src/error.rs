//! What can go wrong with the simulator itself.
//!
//! Not what the simulated Heroku answers: that is `refusal`.
//!
//! Invariant: variants carry the facts a person needs to correct the call.

/// Why a simulator could not be started or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulatorError {
    /// The address could not be bound.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The sizes asked for contradict one another.
    #[error("this estate cannot be built: {reason}")]
    Size {
        /// Which rule they break.
        reason: String,
    },
    /// A fault was not understood.
    #[error("`{text}` is not a fault: {reason}")]
    Fault {
        /// What was given.
        text: String,
        /// What was wrong with it.
        reason: String,
    },
    /// A delay was not understood.
    #[error("`{text}` is not a delay in milliseconds")]
    Delay {
        /// What was given.
        text: String,
    },
    /// No keys or certificates could be made.
    #[error("no keys could be made: {reason}")]
    Keys {
        /// Why not.
        reason: String,
    },
}
