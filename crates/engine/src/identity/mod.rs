//! Who asks, and what they may do: operations, roles, scopes, and tokens of programs.
//!
//! [`Operation`] is the one list of what can be asked of a server. It is the table of routes, the matrix of roles and the
//! ids of the API's description at once, so nothing can be reached that has no row here.
//!
//! Invariant: whatever no row allows is refused. A token is stored as a hash and shown once.

mod once;
mod operation;
mod policy;
mod role;
mod token;

pub use once::{Attempt, Begun, Kept, Once};
pub use operation::{Area, Method, Operation};
pub use policy::{Caller, Denied, Owned, Policy};
pub use role::{Role, Scope};
pub use token::{NewToken, Token, TokenAsk, Tokens};
