//! Rules on real estates: what the shipped detections find, and what they do not.

mod cases;
mod evaluation;
pub(crate) mod fixture;
mod kin;
mod memory;
mod remembering;
mod replay;
mod stored;
