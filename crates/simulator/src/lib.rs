//! A stateful Heroku Platform API over real HTTP, for tests, measurements and the demo.
//!
//! Beside it stand a small [`jupiterone`], for those who upload there, [`receivers`] of messages, and, as features, a `c1` that
//! hands out tasks and an `oidc` provider that says who somebody is.
//!
//! Not a mock library, and not a client: it shares no type with the rest of the house.
//!
//! Invariant: the same [`Options`] give the same estate, and [`Truth`] says what a complete reading of it must find.

mod asked;
#[cfg(feature = "c1")]
pub mod c1;
mod call;
mod catalogue;
mod control;
mod delay;
mod door;
mod error;
mod estate;
mod fault;
mod held;
mod journal;
pub mod jupiterone;
mod line;
mod mishap;
#[cfg(feature = "oidc")]
pub mod oidc;
mod options;
mod page;
mod pool;
mod post;
mod range;
pub mod receivers;
mod refusal;
mod reply;
mod roster;
mod routes;
mod scale;
mod server;
mod simulator;
mod stats;
mod token;
mod truth;
mod value;
mod wire;
mod write_fault;

pub use delay::Delay;
pub use error::SimulatorError;
pub use fault::{Fault, FaultKind, Faults};
pub use held::World;
pub use journal::{Effect, Fate, Journal, Written};
pub use options::{Denial, Manners, Options, Size};
pub use pool::Allowance;
pub use post::Delivered;
pub use roster::RosterServer;
pub use simulator::Simulator;
pub use stats::{Seen, Stats};
pub use truth::{Grant, PendingInvitation, Truth, Unresolved, Walk};
pub use value::{Id, Stamp};
pub use write_fault::{Told, WriteFault};
