//! What changed, as events: which access it gave or took, who did it, and where somebody can follow along.
//!
//! The change log says what differs between two versions; here each of its entries is told once, with what follows
//! from it, and kept. Heroku's audit trail and its webhooks only ever say that something is worth reading again.
//!
//! Invariant: no word of a trail or of a webhook becomes part of an estate; what is read again, a listing says.

mod about;
mod accelerator;
mod again;
mod audit_feed;
mod author;
mod cause;
mod event;
mod follow;
mod hooks;
mod list;
mod record;
mod recorder;
mod stale;
mod target;
pub mod webhooks;

pub use accelerator::Accelerator;
pub use again::{Reread, read_again};
pub use audit_feed::{Feed, FeedSettings, Skipped, audit_feed};
pub use author::{By, How, attribute};
pub use event::{Event, Holder, Line};
pub use follow::{Following, Watch};
pub use list::{ChangeKind, EventFilter, EventPage, event, events, events_in_short};
pub use record::{Recorded, record};
pub use recorder::Recorder;
