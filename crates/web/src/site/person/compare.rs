//! What somebody reaches beside what they reached at another date.
//!
//! Invariant: two apps are the same where their ids are; held for another reason is held otherwise.

use std::collections::BTreeMap;

use metsuke_engine::ErrorKind;
use metsuke_engine::access::{AppOfUser, UserAccess};
use metsuke_engine::desk::SingleAsk;
use metsuke_model::HerokuId;

use super::tree::{Leaf, leaf, what_and_why};
use crate::call::Call;
use crate::error::ApiError;
use crate::site::frame::Frame;
use crate::site::words::count;

/// Apps that a comparison names of each sort.
const COMPARED: usize = 100;

/// How it was at another date.
pub(super) struct Compared {
    pub(super) date: String,
    pub(super) gained: Vec<Leaf>,
    pub(super) lost: Vec<Leaf>,
    pub(super) changed: Vec<(Leaf, String, String)>,
    pub(super) same: String,
    pub(super) others: usize,
}

/// What is other than it was at the date that somebody compares with.
pub(super) async fn compared(
    call: &Call,
    frame: &Frame,
    now: &UserAccess,
    connector: Option<&str>,
) -> Result<Option<Compared>, ApiError> {
    let Some(date) = frame.asked.get("compare") else { return Ok(None) };
    let at = date.parse().map_err(|wrong: String| ApiError::invalid("compare", wrong))?;
    let id = now.principal.id.to_string();
    let asked = SingleAsk { connector, as_of: Some(at), object: &id };
    let then = match call.state.desk.person(asked).await {
        Ok(then) => then.found.apps,
        // Nobody was there yet, or nothing was read.
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let before: BTreeMap<&HerokuId, &AppOfUser> = then.iter().map(|app| (&app.app.id, app)).collect();
    let after: BTreeMap<&HerokuId, &AppOfUser> = now.apps.iter().map(|app| (&app.app.id, app)).collect();
    let mut told = Compared {
        date: date.to_owned(),
        gained: Vec::new(),
        lost: Vec::new(),
        changed: Vec::new(),
        same: String::new(),
        others: 0,
    };
    let mut same = 0;
    for (id, app) in &after {
        match before.get(id) {
            None => told.gained.push(leaf(frame, app, connector)),
            Some(then) => {
                let (was, is) = (what_and_why(then), what_and_why(app));
                if was == is {
                    same += 1;
                } else {
                    let words = |(what, why): (String, String)| format!("{what} ({why})");
                    told.changed.push((leaf(frame, app, connector), words(was), words(is)));
                }
            }
        }
    }
    let gone = before.iter().filter(|(id, _)| !after.contains_key(*id));
    told.lost = gone.map(|(_, app)| leaf(frame, app, connector)).collect();
    told.same = count(same, "app is", "apps are");
    for list in [&mut told.gained, &mut told.lost] {
        told.others += list.len().saturating_sub(COMPARED);
        list.truncate(COMPARED);
    }
    told.others += told.changed.len().saturating_sub(COMPARED);
    told.changed.truncate(COMPARED);
    Ok(Some(told))
}
