//! The engine against the simulated Heroku over real HTTP, with real databases.

#![cfg(test)]

mod access;
mod audit;
mod effects;
mod faults;
mod foretold;
mod history;
mod house;
mod provision;
mod safety;
mod truth;
