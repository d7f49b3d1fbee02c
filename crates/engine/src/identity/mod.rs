//! Who asks, and what they may do: operations, roles, scopes, tokens of programs, and people who sign in.
//!
//! [`Operation`] is the one list of what can be asked of a server. It is the table of routes, the matrix of roles and the
//! ids of the API's description at once, so nothing can be reached that has no row here.
//!
//! Invariant: whatever no row allows is refused. A token is stored as a hash and shown once.

mod account;
mod chance;
mod once;
mod operation;
mod password;
mod people;
mod policy;
mod provider;
mod role;
mod second_factor;
mod session;
mod setup;
mod sign_in;
mod token;
mod totp;

pub use account::{Account, AccountAsk, AccountEdit};
pub use once::{Attempt, Begun, Kept, Once};
pub use operation::{Area, Method, Operation};
pub use people::People;
pub use policy::{Caller, Credential, Denied, Owned, Policy};
pub use provider::{NotLetIn, Provider, ProviderAnswer, ProviderRules, Question};
pub use role::{Role, Scope};
pub use second_factor::{Offer, Own};
pub use session::{OwnSession, Session, csrf_token, csrf_token_fits};
pub use setup::{FirstPerson, SETUP_LASTS};
pub use sign_in::{Opened, SignedIn, Typing, Visitor};
pub use token::{NewToken, Token, TokenAsk, Tokens};
