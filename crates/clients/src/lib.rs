//! Every request that leaves the house: to the Heroku Platform API, to JupiterOne, to C1 for a token, to the server
//! of a roster, to a provider of identities, to whoever is told of a finding, to a collector of traces, and to another
//! Metsuke's server.
//!
//! It knows how to ask and how to read an answer, not what an answer means: translating rows into
//! principals, resources and grants is the engine's work.
//!
//! Invariant: no type of the HTTP library, and no token, crosses this crate's boundary.

pub mod c1;
pub mod collect;
pub mod deliver;
mod error;
pub mod heroku;
mod http;
pub mod jupiterone;
pub mod oidc;
mod redact;
pub mod roster;
pub mod server;

pub use error::{Answer, Call, ClientError, ErrorKind};
pub use http::limit::Budget;
pub use http::meter::Usage;
pub use redact::Redactor;
