//! The engine against the simulated Heroku over real HTTP, with real databases.

#![cfg(test)]

mod access;
mod faults;
mod history;
mod house;
mod truth;
