//! Findings: what rules found, kept from version to version.
//!
//! Rules are evaluated in [`rules`](crate::rules); what is told of findings, and to whom, is in [`alerts`](crate::alerts).
//!
//! Invariant: one finding for a rule and a subject. It resolves only on what was read: on a version that was read whole,
//! or by an entry of the change log that is about it.

mod compare;
mod ends;
mod enrich;
mod evaluate;
mod evidence;
mod failing;
mod ourselves;
mod parts;
mod said;
mod settle;
mod standing;
mod touch;
mod watched;

pub use evaluate::{Asked, Summary, Which, evaluate, evaluate_with};
pub use evidence::{Difference, Evidence};
pub use failing::UNJUDGED;
pub use said::{Refusal, accept, acknowledge, dismiss, keep_rule, reopen, turn};
pub use watched::{Pace, Watched, watched};

pub(crate) use evidence::hash;
pub(crate) use ourselves::Ourselves;
