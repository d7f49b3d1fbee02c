//! Plans and their steps, and what holds them back: written down before anything is sent, each change with its event.
//!
//! Which plan is right, and what a rule forbids, is the engine's to say; here is what must hold over all workers.
//!
//! Invariant: a step's row and the event that tells of it are written in one transaction, or neither is.

mod approvals;
mod lock;
mod plans;
mod steps;
mod switches;

pub use approvals::Approved;
pub use lock::ProvisioningLock;
pub use plans::PlanRow;
pub(crate) use steps::mark_in;
pub use steps::{CapCounts, OpenStep, StepMark, StepRow};
pub use switches::KillSwitch;
