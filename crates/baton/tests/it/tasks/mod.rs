//! Service mode against the stand-in for C1, over TLS.

mod credentials;
mod debugging;
mod hand;
mod health;
mod house;
mod leases;
mod polling;
mod replicas;
mod roots;
mod stopping;
mod syncs;
mod telling;
mod works;
