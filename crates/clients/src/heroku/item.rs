//! The single resources of the Heroku Platform API that we read: path, and what comes back.
//!
//! It sends nothing; [`Heroku::one`](super::Heroku::one) does. Lists are in [`endpoint`](super::endpoint).
//!
//! Invariant: whatever text stands in for an id or a name, it stays one segment of the path.

use std::marker::PhantomData;

use super::endpoint::{accept, segment};
use super::wire;
use crate::http::Ask;

/// One resource of the API, which is read as `T`.
#[derive(Debug)]
pub struct Item<T> {
    path: String,
    pub(super) expected: &'static str,
    row: PhantomData<fn() -> T>,
}

impl<T> Item<T> {
    fn get(path: impl Into<String>, expected: &'static str) -> Self {
        Self { path: path.into(), expected, row: PhantomData }
    }

    /// The path below the base URL, percent-encoded.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn ask(&self) -> Ask<'_> {
        Ask {
            method: "GET",
            path: &self.path,
            accept: accept(None),
            range: None,
            body: None,
            log_path: &self.path,
        }
    }
}

/// The account that the token belongs to.
#[must_use]
pub fn account() -> Item<wire::Account> {
    Item::get("/account", "an account")
}

/// One enterprise account, by id or name.
#[must_use]
pub fn enterprise_account(enterprise_account: &str) -> Item<wire::EnterpriseAccount> {
    let path = format!("/enterprise-accounts/{}", segment(enterprise_account));
    Item::get(path, "an enterprise account")
}

/// One app, by id or name.
#[must_use]
pub fn app(app: &str) -> Item<wire::App> {
    Item::get(format!("/apps/{}", segment(app)), "an app")
}

/// One team, by id or name.
#[must_use]
pub fn team(team: &str) -> Item<wire::Team> {
    Item::get(format!("/teams/{}", segment(team)), "a team")
}
