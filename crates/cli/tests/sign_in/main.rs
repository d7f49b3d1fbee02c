//! Signing in and what is seen then, over real HTTP, with a clock of the test's own: who gets in, for how long, and what the pages show.
//!
//! Invariant: browsers here keep cookies and name their page's origin as real ones do; what they leave out, a test leaves out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers included")]

mod accounts;
mod browser;
mod canary;
mod forgery;
mod guessing;
mod house;
mod pages;
mod provider;
mod second_factor;
mod sessions;
mod setup;
