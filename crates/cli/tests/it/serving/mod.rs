//! The server of the real program: who may do what, the life of a connector, the manners of its answers, and assistants.

mod assistant;
mod beyond;
mod client;
mod jobs;
mod killed;
mod life;
mod limits;
mod logs;
mod manners;
mod matrix;
mod questions;
mod rosters;
mod second_person;
mod through;
mod traces;
mod upkeep;
mod webhooks;
