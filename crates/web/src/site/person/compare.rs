//! What somebody reaches beside what they reached at another date.
//!
//! Invariant: two apps are the same where their ids are; held for another reason is held otherwise.

use std::collections::{HashMap, HashSet};

use metsuke_engine::ErrorKind;
use metsuke_engine::access::{Reach, ReachedApp, ReachedGroup};
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
    now: &Reach,
    connector: Option<&str>,
) -> Result<Option<Compared>, ApiError> {
    let Some(date) = frame.asked.get("compare") else { return Ok(None) };
    let at = date.parse().map_err(|wrong: String| ApiError::invalid("compare", wrong))?;
    let id = now.principal.id.to_string();
    let asked = SingleAsk { connector, as_of: Some(at), object: &id };
    let then = match call.state.desk.reach(asked).await {
        Ok(then) => Some(then.found),
        // Nobody was there yet, or nothing was read.
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    let before: HashMap<&HerokuId, ReachedApp<'_>> =
        then.iter().flat_map(|then| then.apps()).map(|app| (app.id, app)).collect();
    let words_of = |groups: &[ReachedGroup]| groups.iter().map(what_and_why).collect::<Vec<_>>();
    let was = words_of(then.as_ref().map_or(&[][..], |then| &then.groups));
    let is = words_of(&now.groups);
    let mut told = Compared {
        date: date.to_owned(),
        gained: Vec::new(),
        lost: Vec::new(),
        changed: Vec::new(),
        same: String::new(),
        others: 0,
    };
    let (mut gained, mut changed, mut after) = (Vec::new(), Vec::new(), HashSet::new());
    let mut same = 0;
    // Many apps are held in few ways: the words of two of these are compared once.
    let mut alike: HashMap<(usize, usize), bool> = HashMap::new();
    for app in now.apps() {
        match before.get(app.id) {
            None => gained.push(app),
            Some(then) => {
                after.insert(app.id);
                let pair = (then.group, app.group);
                if *alike.entry(pair).or_insert_with(|| was.get(pair.0) == is.get(pair.1)) {
                    same += 1;
                } else {
                    changed.push((app, pair));
                }
            }
        }
    }
    let mut lost: Vec<ReachedApp<'_>> = before.into_values().filter(|app| !after.contains(app.id)).collect();
    gained.sort_unstable_by_key(|app| app.id);
    lost.sort_unstable_by_key(|app| app.id);
    changed.sort_unstable_by_key(|(app, _)| app.id);
    let words = |words: Option<&(String, String)>| {
        words.map(|(what, why)| format!("{what} ({why})")).unwrap_or_default()
    };
    told.changed = changed
        .iter()
        .take(COMPARED)
        .map(|(app, (then, now))| (leaf(frame, app, connector), words(was.get(*then)), words(is.get(*now))))
        .collect();
    told.gained = gained.iter().take(COMPARED).map(|app| leaf(frame, app, connector)).collect();
    told.lost = lost.iter().take(COMPARED).map(|app| leaf(frame, app, connector)).collect();
    told.same = count(same, "app is", "apps are");
    for sort in [gained.len(), lost.len(), changed.len()] {
        told.others += sort.saturating_sub(COMPARED);
    }
    Ok(Some(told))
}
