//! `metsuke grant`, `revoke`, `remove-person` and `apply`: plans, and what becomes of them.
//!
//! What is planned and how it is applied is the engine's; here it is shown, asked about and reported.
//!
//! Invariant: nothing is applied that was not shown first, unless `--yes` said so beforehand.

mod ask;
mod options;
mod plans;
mod report;
mod switches;

pub(crate) use ask::{ChangeArgs, RemovePersonArgs};
pub(crate) use plans::{ApplyArgs, PlansArgs};
pub(crate) use switches::{KillSwitchArgs, ProtectArgs};
