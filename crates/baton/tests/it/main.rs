//! The Baton door against the simulated Heroku and the stand-in for C1, over real HTTP and with real databases.

#![cfg(test)]

mod shape;
mod tasks;
