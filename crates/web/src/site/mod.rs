//! The pages: what the API tells, for people who look.
//!
//! A page reads through the same operations as the API. Its route names the operation whose policy lets somebody in, and what
//! stands on it beside that is asked for one by one.
//!
//! Invariant: a page shows nothing and does nothing that the API would refuse to the same person. It loads our own style and
//! script alone, and all that is read or filled in works without the script.

mod app;
mod apps;
mod asked;
mod assets;
mod audit;
mod cell;
mod changes;
mod connector;
mod connector_add;
mod connector_settings;
mod connectors;
mod curve;
mod employees;
mod enterprise;
pub(crate) mod escape;
mod feed;
mod findings;
mod frame;
mod given_up;
mod graph;
mod list;
mod matrix;
mod overview;
mod people;
mod person;
mod provisioning;
mod query;
mod routes;
mod rules;
mod settings;
mod short;
pub(crate) mod shown;
mod styleguide;
mod teams;
mod tiles;
mod ways;
mod words;

use std::future::Future;
use std::pin::Pin;

use metsuke_engine::identity::{Method, Operation};

use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;

pub(crate) use assets::answer as asset;
pub(crate) use connector_add::{Step, setting_up};
pub(crate) use frame::{Plain, page, theme};
pub(crate) use routes::ROUTES;
pub use routes::page_routes;

pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send>>;

/// One page, or one form of a page.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// The operation whose policy says who may come here.
    pub(crate) operation: Operation,
    pub(crate) answer: fn(Call) -> Answering,
}
