//! People: rosters are read and imported, accounts matched with employees, and what is open is listed.
//!
//! The rules of matching are [`metsuke_model::people`]'s, and the store applies them; who may do what is
//! [`access`](crate::access)'s to say.
//!
//! Invariant: a roster with a single wrong row is not imported at all, and every wrong row is named.

mod choose;
mod csv;
mod lines;
mod okta;
mod row;
mod scim;

use metsuke_clients::roster::Roster;
use metsuke_model::Clock;
use metsuke_model::graph::Employee;
use metsuke_model::people::RosterKind;
use metsuke_store::{Imported, Store};

pub use choose::{assign, unassign};
pub use lines::{AccountOf, Candidate, Directory, EmployeeLine, OpenAccount, SettledAccount, directory};
pub use metsuke_store::Whose;
pub use row::BadRow;

use crate::EngineError;

/// The most bytes that are read of a file.
pub const MOST_BYTES: u64 = 64 << 20;
/// The roster of those who name none.
pub const DEFAULT_ROSTER: &str = "staff";
/// The longest name of a roster.
const LONGEST_NAME: usize = 64;
/// So many may be missing from a roster without a question.
const FEW: u64 = 10;

/// A roster that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Its people.
    pub employees: Vec<Employee>,
    /// Columns of a CSV file that mean nothing here, by their names.
    pub ignored: Vec<String>,
}

/// Reads a file for the roster of this name.
///
/// # Errors
///
/// [`EngineError::BadRoster`] with every wrong row, [`EngineError::Roster`] for what is no roster as a whole or is too
/// large.
pub fn parse(roster: &str, kind: RosterKind, bytes: &[u8]) -> Result<Parsed, EngineError> {
    check_name(roster)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(EngineError::Roster { reason: format!("it has more than {} MB", MOST_BYTES >> 20) });
    }
    let parsed = match kind {
        RosterKind::Csv => csv::parse(roster, bytes),
        RosterKind::Scim => scim::parse(roster, bytes),
        RosterKind::Okta => {
            return Err(EngineError::Roster { reason: "it is fetched, not read from a file".into() });
        }
    }?;
    someone(parsed)
}

/// Reads the roster of this name from a server.
///
/// # Errors
///
/// [`EngineError::RosterSource`] for what the server did, and as [`parse`].
pub async fn fetch(roster: &str, server: &Roster) -> Result<Parsed, EngineError> {
    check_name(roster)?;
    let users = server.users().await.map_err(|source| EngineError::RosterSource { source })?;
    someone(okta::translate(roster, users)?)
}

/// Imports a roster in place of what it said before, and matches all accounts anew. Whom it names no more is not active
/// from now on.
///
/// # Errors
///
/// [`EngineError::ShrunkenRoster`] where more than half of ten people and more are missing and `shrunken` does not allow
/// that, [`EngineError::Roster`] for an impossible name, and what the database said; nothing is imported then.
pub async fn import(
    store: &Store,
    (roster, kind): (&str, RosterKind),
    employees: Vec<Employee>,
    shrunken: bool,
    clock: &dyn Clock,
) -> Result<Imported, EngineError> {
    check_name(roster)?;
    let allowed = |would: &Imported| shrunken || would.missing < FEW || would.missing * 2 <= would.before;
    let imported = store.import_roster((roster, kind), employees, clock.now(), allowed).await?;
    if imported.stored {
        return Ok(imported);
    }
    let Imported { missing, before, .. } = imported;
    Err(EngineError::ShrunkenRoster { missing, before })
}

/// Matches all accounts anew, after a version was committed; a failure is told in the log, and the next time mends it.
pub async fn renew(store: &Store) {
    if let Err(error) = store.rematch().await {
        tracing::warn!(%error, "the version is committed, but its accounts could not be matched with people");
    }
}

fn check_name(roster: &str) -> Result<(), EngineError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if roster.is_empty() || roster.len() > LONGEST_NAME || !roster.chars().all(fits) {
        let reason = format!(
            "its name is not made of a to z, 0 to 9, `-`, `_` and `.`, at most {LONGEST_NAME} of them"
        );
        return Err(EngineError::Roster { reason });
    }
    Ok(())
}

/// A roster of nobody is a mistake, and would make everybody a leaver.
fn someone(parsed: Parsed) -> Result<Parsed, EngineError> {
    if parsed.employees.is_empty() {
        return Err(EngineError::Roster { reason: "it names nobody".into() });
    }
    Ok(parsed)
}
