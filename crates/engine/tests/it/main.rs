//! The engine against the simulated Heroku over real HTTP, with real databases.

#![cfg(test)]

mod access;
mod alerts;
mod audit;
mod backup;
mod changes;
mod connector;
mod connectors;
mod earlier;
mod effects;
mod faults;
mod findings;
mod foretold;
mod graph;
mod history;
mod house;
mod jupiterone;
mod language;
mod people;
mod provision;
mod questions;
mod reach;
mod rules;
mod safety;
mod second_person;
mod told;
mod truth;
