//! The Baton door against the simulated Heroku, over real HTTP and with real databases.

#![cfg(test)]

mod service;
mod shape;
