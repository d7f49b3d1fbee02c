//! The server of the real program: who may do what, the life of a connector, and the manners of its answers.

mod beyond;
mod client;
mod life;
mod manners;
mod matrix;
mod through;
mod webhooks;
