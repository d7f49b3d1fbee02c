//! Rules: what to look for in an estate or in what changed, and what is to be told of it.
//!
//! Rules are documents in JupiterOne's form ([`Instance`]); 28 detections are shipped ([`shipped`]). Evaluating one gives
//! an [`Evaluation`]; nothing is kept or sent here.
//!
//! Invariant: a rule that cannot be judged says so, and is never taken for one that found nothing.

mod change;
mod condition;
mod content;
mod evaluate;
mod instance;
mod level;
mod memory;
mod mistake;
mod replay;
pub mod shipped;
pub mod template;

pub use change::{ChangeRule, row as change_row};
pub use condition::Condition;
pub use content::Content;
pub use evaluate::{
    Again, Evaluation, Ground, Limits, Rendered, Since, State, Subject, evaluate, evaluate_again,
};
pub use instance::{
    Action, ActionKind, Exported, Imported, Instance, MOST_BYTES, NamedQuery, Operation, Period,
    PollingInterval, SubjectRule, export, export_one, import,
};
pub use level::Level;
#[doc(hidden)]
pub use memory::Sabotage;
pub use memory::{Memory, Recall, touches};
pub use mistake::Mistake;
pub use replay::{Bounds, Replay, Replayed, Seen, replay};
