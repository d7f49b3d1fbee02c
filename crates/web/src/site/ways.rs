//! The way around: the places that stand at the side of every page.
//!
//! Invariant: a place stands there for whoever may go to it, and for nobody else.

use metsuke_engine::identity::Owned;

use super::ROUTES;
use super::frame::Frame;
use crate::call::Call;

/// The way around: groups of places, each with its name.
const WAYS: &[(&str, &[(&str, &str)])] = &[
    ("", &[("Overview", "/")]),
    (
        "Access",
        &[
            ("People", "/people"),
            ("Teams", "/teams"),
            ("Apps", "/apps"),
            ("Enterprise accounts", "/enterprise-accounts"),
            ("Matrix", "/matrix"),
            ("Graph", "/graph"),
            ("Query", "/query"),
        ],
    ),
    ("Watch", &[("Changes", "/changes"), ("Findings", "/findings"), ("Rules", "/rules")]),
    ("Integrations", &[("Connectors", "/connectors")]),
    ("Run", &[("Provisioning", "/provisioning"), ("Audit", "/audit"), ("Settings", "/settings")]),
];

/// A group of places to go to.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) ways: Vec<Way>,
}

/// A place to go to.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) href: String,
    pub(crate) current: bool,
}

/// The places that whoever asks may go to.
pub(super) fn ways(frame: &Frame, call: &Call) -> Vec<Group> {
    let may = |path: &str| {
        let route = ROUTES.iter().find(|route| route.path == path);
        let (Some(route), Some(caller)) = (route, &call.caller) else { return false };
        route.operation.permits(caller, Owned::No).is_ok()
    };
    let current =
        |path: &str| frame.path == path || (path != "/" && frame.path.starts_with(&format!("{path}/")));
    let way = |(name, path): &(&'static str, &'static str)| Way {
        name,
        href: frame.to(path),
        current: current(path),
    };
    WAYS.iter()
        .map(|(name, ways)| Group {
            name,
            ways: ways.iter().filter(|(_, path)| may(path)).map(way).collect(),
        })
        .filter(|group| !group.ways.is_empty())
        .collect()
}
