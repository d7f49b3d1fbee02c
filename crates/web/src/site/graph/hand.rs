//! What somebody did to a picture by hand: what is open, hidden, pinned, expanded and chosen, and what can be done next.
//!
//! All of it stands in the address, so that a picture can be sent to somebody as a link.
//!
//! Invariant: whatever was done can be undone from the page that shows it.

use std::collections::BTreeSet;

use super::read::{Found, around};
use super::scene::{Kind, Node, Scene};
use crate::call::Call;
use crate::error::ApiError;
use crate::site::asked::Asked;
use crate::site::frame::Frame;
use crate::site::words::Name;

/// The most things that are hidden, pinned or expanded at once.
const MOST: usize = 60;
const EXPANDED: usize = 8;
/// The longest name that stands in an address instead of an id.
const SHORT: usize = 60;

/// What was done to a picture.
pub(super) struct Hand {
    opened: BTreeSet<String>,
    hidden: BTreeSet<String>,
    pinned: BTreeSet<String>,
    expanded: BTreeSet<String>,
    chosen: String,
}

/// What can be done with one thing.
pub(super) struct Chosen {
    pub(super) name: Name,
    pub(super) kind: &'static str,
    /// What each is called, where it leads, and whether it stays on this picture.
    pub(super) acts: Vec<(&'static str, String, bool)>,
}

/// One thing that something was done to, and the address that undoes it.
pub(super) type Undo = (Name, String);

impl Hand {
    /// What the address says.
    pub(super) fn of(frame: &Frame) -> Self {
        let all = |name: &'static str, most: usize| {
            frame.asked.all(name).filter(|key| !key.is_empty()).take(most).map(ToOwned::to_owned).collect()
        };
        Self {
            opened: all("open", usize::MAX),
            hidden: all("hide", MOST),
            pinned: all("pin", MOST),
            expanded: all("add", EXPANDED),
            chosen: frame.asked.get("at").unwrap_or_default().to_owned(),
        }
    }

    /// Of a picture of which these groups are open and these things pinned.
    #[cfg(test)]
    pub(super) fn having(opened: BTreeSet<String>, pinned: BTreeSet<String>) -> Self {
        Self { opened, pinned, hidden: BTreeSet::new(), expanded: BTreeSet::new(), chosen: String::new() }
    }

    /// Whether somebody has pinned this.
    pub(super) fn pins(&self, key: &str) -> bool {
        self.pinned.contains(key)
    }

    /// Whether somebody has chosen this.
    pub(super) fn chooses(&self, key: &str) -> bool {
        self.chosen == key
    }

    /// Whether nothing of a group of this key is to be seen by itself.
    pub(super) fn folds(&self, group: &str) -> bool {
        self.expanded.is_empty() && !self.opened.contains(group)
    }

    /// Whether this stands alone, whatever it is like.
    pub(super) fn keeps(&self, key: &str) -> bool {
        self.pinned.contains(key) || self.expanded.contains(key)
    }

    /// How many things stand alone, whatever they are like.
    pub(super) fn kept(&self) -> usize {
        self.pinned.len() + self.expanded.len()
    }

    /// Adds what surrounds the things that were expanded; what is gone by now adds nothing.
    pub(super) async fn expand(&self, call: &Call, frame: &Frame, found: &mut Found) -> Result<(), ApiError> {
        for key in &self.expanded {
            match around(call, frame, key, None).await {
                Ok(more) => found.scene.absorb(&more.scene),
                Err(error) if error.status.is_client_error() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The scene as it is drawn, and before anything of it was hidden.
    pub(super) fn drawn(&self, found: &Found) -> (Scene, Scene) {
        let kept: BTreeSet<String> = self.pinned.union(&self.expanded).cloned().collect();
        let whole = found.scene.gathered(found.middle, &self.opened, &kept);
        (whole.less(&self.hidden, &kept), whole)
    }

    /// What was done, each with what undoes it.
    pub(super) fn done(&self, frame: &Frame, whole: &Scene) -> Vec<(&'static str, Vec<Undo>)> {
        let asked = here(frame);
        let name = |key: &String| {
            let known = whole.nodes.iter().find(|node| node.key == *key).map(|node| node.name.as_str());
            Name::new(known.unwrap_or_else(|| key.split_once('~').map_or(key.as_str(), |(_, id)| id)))
        };
        let undone = |keys: &BTreeSet<String>, word: &str| -> Vec<Undo> {
            keys.iter().map(|key| (name(key), asked.but(word, key).at("/graph"))).collect()
        };
        [
            ("Hidden", "hide", &self.hidden),
            ("Pinned", "pin", &self.pinned),
            ("Expanded", "add", &self.expanded),
        ]
        .into_iter()
        .map(|(told, word, keys)| (told, undone(keys, word)))
        .filter(|(_, keys)| !keys.is_empty())
        .collect()
    }

    /// What can be done with the thing that was chosen.
    pub(super) fn chosen(
        &self,
        frame: &Frame,
        found: &Found,
        scene: &Scene,
        page: impl Fn(&Node) -> String,
    ) -> Option<Chosen> {
        let node = scene.nodes.iter().find(|node| node.key == self.chosen)?;
        let asked = here(frame);
        let mut acts = Vec::new();
        let own = page(node);
        if !own.is_empty() {
            acts.push(("Go to its page", own, false));
        }
        let middle = found.middle.and_then(|place| found.scene.nodes.get(place));
        let surrounded = matches!(node.kind, Kind::Person | Kind::Account | Kind::Team | Kind::App);
        if surrounded && node.stands_for == 1 && middle.is_none_or(|middle| middle.key != node.key) {
            if !self.expanded.contains(&node.key) {
                acts.push(("Expand it here", asked.and("add", &node.key).at("/graph"), true));
            }
            let alone = frame.asked.only(&["as_of", "connector"]);
            acts.push(("Draw what surrounds it", alone.with("of", &node.key).at("/graph"), false));
        }
        if self.pins(&node.key) {
            acts.push(("Unpin it", asked.but("pin", &node.key).at("/graph"), true));
        } else if node.stands_for == 1 {
            acts.push(("Pin it", asked.and("pin", &node.key).at("/graph"), true));
        }
        acts.push(("Hide it", asked.and("hide", &node.key).at("/graph"), true));
        if node.stands_for == 1 && node.kind != Kind::Other {
            let (word, told) = match node.kind {
                Kind::Person => ("from", "Find a way from it"),
                _ => ("to", "Find a way to it"),
            };
            let short = node.name.len() <= SHORT || node.id.is_empty();
            let end = if short { &node.name } else { &node.id };
            acts.push((told, asked.with(word, end).at("/graph"), false));
        }
        acts.push(("Let it be", asked.at("/graph"), true));
        let kind = Kind::ALL.iter().find(|(kind, _)| *kind == node.kind).map_or("", |(_, name)| name);
        Some(Chosen { name: Name::new(&node.name), kind, acts })
    }
}

/// The address without what was chosen.
fn here(frame: &Frame) -> Asked {
    frame.asked.without(&["at", "format"])
}
