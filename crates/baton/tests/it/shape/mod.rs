//! What a version looks like in Baton's words.

mod hostile;
mod house;
mod laws;
mod peer;
mod rules;
